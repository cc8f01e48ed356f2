/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Two hosts with a PSP device and a pool each, TCP connections between them,
 * and a clock that goes only when told: everything that the rekey helper asks
 * the world for, by the rules of psp.rst and psp_rekey.rst.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "../../lib/rekey.h"

#define FAKE_DEV	7	/* id of the device, at either end */
#define FAKE_VERSION	0
#define FAKE_EVENTS	(PSP_REKEY_EV_FAILED + 1)

struct fake_world;

/* A message on its way, in band under whatever key the sender has by then */
struct fake_msg {
	TAILQ_ENTRY(fake_msg) node;
	uint64_t at;
	bool plain;
	bool beside;
	size_t len;
	uint8_t buf[PSP_REKEY_MSG_MAX];
};

TAILQ_HEAD(fake_msgs, fake_msg);

struct fake_key {
	uint32_t spi;
	uint64_t epoch;
};

/**
 * struct fake_sock - one end of a connection, and the application there
 * @rx: current and previous key that it receives under; SPI 0: none
 * @tx: SPI that it sends under
 * @heard: an authenticated packet of the peer has come
 * @plain: unread plain data in the socket
 * @fd: number that the helper knows it by
 * @out: in-band messages to the peer, in order; @beside: those that are not
 * @active: in the world's list
 * @full: the channel takes nothing
 * @no_beside: there is no other channel; @full_beside: it takes nothing
 * @send_err: the channel is broken
 * @rx_err, @tx_err: what the kernel refuses with
 * @rx_lost: the next rx-assoc makes a key, and that is what comes of it
 * @on_event, @on_send, @on_full: called by the callbacks
 */
struct fake_sock {
	TAILQ_ENTRY(fake_sock) node;
	struct fake_end *end;
	struct fake_sock *peer;
	struct psp_rekey_conn *conn;
	struct fake_key rx[2];
	uint32_t tx;
	bool heard;
	unsigned int plain;
	int fd;
	struct fake_msgs out;
	struct fake_msgs beside;
	bool active;
	bool full;
	bool no_beside;
	bool full_beside;
	int send_err;
	int rx_err;
	int rx_lost;
	int tx_err;
	unsigned int rx_calls;
	unsigned int tx_calls;
	unsigned int send_calls;
	unsigned int sent[8];	/* by type */
	unsigned int events[FAKE_EVENTS];
	int event_err[FAKE_EVENTS];
	void (*on_event)(struct fake_sock *sock, enum psp_rekey_event event);
	void (*on_send)(struct fake_sock *sock, const uint8_t *msg,
			unsigned int flags);
	void (*on_full)(struct fake_sock *sock);
	void *data;
};

/**
 * struct fake_end - a host
 * @rotations: of its device
 * @ntfs: notifications that wait to be read
 * @lost: some were thrown away, and the socket says so
 * @rotate_next: rotate once, just before the next rx-assoc is served
 * @rotate_after: the same, just behind it
 * @rx_assocs, @looks: requests of these kinds
 * @looks_err: all fail with that
 * @looks_failing: so many fail from now on; @looks_failing_at: this one does
 * @flight_max: largest number of offers that were out and not answered
 */
struct fake_end {
	struct fake_world *world;
	struct psp_rekey_pool *pool;
	struct fake_sock *socks;
	uint64_t rotations;
	unsigned int ntfs;
	bool lost;
	bool rotate_next;
	bool rotate_after;
	unsigned int rx_assocs;
	unsigned int looks;
	int looks_err;
	unsigned int looks_failing;
	unsigned int looks_failing_at;
	unsigned int flight_max;
};

/**
 * struct fake_world - all there is
 * @active: sockets that have messages on their way
 * @end: A and B
 * @now: microseconds
 * @latency: of a message
 * @seed: of chance
 * @num: connections
 * @plain_lost: plain messages that came too late: such a connection is dead
 * @bad_keys: tx-assocs whose key was not what the peer's kernel made
 */
struct fake_world {
	TAILQ_HEAD(, fake_sock) active;
	struct fake_end end[2];
	uint64_t now;
	uint64_t latency;
	uint64_t seed;
	uint32_t spi;
	unsigned int num;
	unsigned int plain_lost;
	unsigned int bad_keys;
};

enum fake_how {
	FAKE_TOLD,	/* with a notification */
	FAKE_SILENT,	/* that nobody gets */
	FAKE_LOST,	/* that is lost, and known to be */
};

extern const struct psp_rekey_conn_ops fake_conn_ops;

/* @num connections, not added yet; @config NULL: defaults */
void fake_open(struct fake_world *w, unsigned int num,
	       const struct psp_rekey_pool_config *config);
void fake_close(struct fake_world *w);
int fake_add(struct fake_sock *sock, unsigned int flags);
/* Add both ends, and run until they are established */
void fake_up(struct fake_world *w, unsigned int i, unsigned int flags);

void fake_rotate(struct fake_end *end, enum fake_how how);
uint32_t fake_random(struct fake_world *w, uint32_t below);

/* Deliver the first message that can be: false if there is none */
bool fake_deliver_one(struct fake_sock *from);
bool fake_deliver_beside(struct fake_sock *from);
/* What goes by the other channel is lost */
void fake_drop_beside(struct fake_sock *from);
/* Let time pass; all pools work, all messages that can arrive do */
void fake_run(struct fake_world *w, unsigned int ms);
/* Pools do what is due, no message moves */
void fake_process(struct fake_world *w);

/* @to would accept what its peer sends now */
bool fake_hears(const struct fake_sock *to);
/* Both do, and under the newest keys of both devices */
bool fake_is_fresh(const struct fake_world *w, unsigned int i);
/* Bytes of the helper that hold keys are all zero */
bool fake_has_no_keys(const struct fake_sock *sock);

struct psp_rekey_counters fake_counters(const struct fake_end *end);

#endif /* FAKE_H */
