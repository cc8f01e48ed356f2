/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An application at both ends of many connections, which libpsp keeps under
 * PSP: data that is checked, and libpsp's messages, in one stream of frames.
 */
#ifndef REKEYER_APP_H
#define REKEYER_APP_H

#include "../../../../net/psp/lib/psp_rekey.h"
#include "psp_lib.h"

#define RK_DATA_LEN	256	/* bytes in a frame of data */
#define RK_BUF_LEN	2048
#define RK_EVENTS	(PSP_REKEY_EV_FAILED + 1)

/**
 * struct rk_side - one end of a connection
 * @host: where it is
 * @peer: the other end
 * @fd: its socket
 * @conn: libpsp's part
 * @sent: bytes of data written, @got: read and found right
 * @corrupt: read and found wrong
 * @closed: the peer has closed, or the connection broke
 * @full: the socket takes no more
 * @events: how often they came, @err: with what the last time
 * @beside: a message for the other channel
 */
struct rk_side {
	struct rk_host *host;
	struct rk_side *peer;
	int fd;
	struct psp_rekey_conn *conn;
	uint64_t sent;
	uint64_t got;
	bool corrupt;
	bool closed;
	bool full;
	unsigned int events[RK_EVENTS];
	int err[RK_EVENTS];
	uint8_t out[RK_BUF_LEN];
	size_t out_len;
	uint8_t in[RK_BUF_LEN];
	size_t in_len;
	uint8_t beside[PSP_REKEY_MSG_MAX];
	size_t beside_len;
};

struct rk_host {
	struct rk_app *app;
	struct psp_end *end;
	struct psp_rekey_pool *pool;
	struct rk_side *sides;
};

/**
 * struct rk_app - both hosts
 * @net: their network
 * @conns: the connections, @num of them
 * @pause_ms: between two frames of data of a side, 0: none is sent
 * @next: side that sends next
 * @due_us: when it does
 * @has_beside: there is another channel
 */
struct rk_app {
	struct psp_net *net;
	struct rk_host host[2];
	struct psp_conn *conns;
	unsigned int num;
	int epoll;
	unsigned int pause_ms;
	unsigned int next;
	uint64_t due_us;
	bool has_beside;
};

int rk_open(struct rk_app *app, struct psp_net *net, unsigned int num,
	    const struct psp_rekey_pool_config *config);
void rk_close(struct rk_app *app);

/* Keep all going for @ms, or until @done says so: then 0, else -ETIMEDOUT */
int rk_run(struct rk_app *app, unsigned int ms,
	   bool (*done)(struct rk_app *app));

/* For rk_run() */
bool rk_is_established(struct rk_app *app);
bool rk_is_caught_up(struct rk_app *app);
bool rk_is_drained(struct rk_app *app);

int rk_rotate(struct rk_app *app);
struct psp_rekey_counters rk_counters(const struct rk_host *host);
/* Of all sides */
unsigned int rk_events(const struct rk_app *app, enum psp_rekey_event event);
unsigned int rk_broken(const struct rk_app *app);

#endif /* REKEYER_APP_H */
