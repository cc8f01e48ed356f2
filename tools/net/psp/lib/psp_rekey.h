/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Connections that exchange their PSP keys, and rekey, by themselves. The
 * rules and the messages: Documentation/networking/psp_rekey.rst, "Rekeying by
 * itself".
 *
 * A pool and its connections belong to one thread at a time. Functions return
 * 0 or -errno unless stated otherwise, and never block longer than the kernel
 * takes for a netlink request.
 */
#ifndef PSP_REKEY_H
#define PSP_REKEY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct psp_rekey_pool;
struct psp_rekey_conn;

#define PSP_REKEY_MSG_MIN	8	/* a header */
#define PSP_REKEY_MSG_MAX	48	/* the longest message that we send */

/* Flag of send(): not by the connection itself, it may be dead */
#define PSP_REKEY_OUT_OF_BAND	1U

/* Flags of a connection */
#define PSP_REKEY_KEEP_OFFER	1U
#define PSP_REKEY_SECRET_CHANNEL 2U

/**
 * enum psp_rekey_event - what event() tells
 * @PSP_REKEY_EV_TX: the first tx-assoc is done: what is written from now on
 *	leaves under PSP. Told before the first acknowledgment is sent.
 * @PSP_REKEY_EV_ESTABLISHED: both directions are under PSP
 * @PSP_REKEY_EV_RX_REKEYED: the peer sends under our newest key
 * @PSP_REKEY_EV_TX_REKEYED: we send under the peer's newest key
 * @PSP_REKEY_EV_LATER: the peer cannot take our key now and will go on to try;
 *	the old one works meanwhile
 * @PSP_REKEY_EV_REFUSED: the peer will not take our key (@err is
 *	-ECONNREFUSED); the old one works, as long as it does
 * @PSP_REKEY_EV_STUCK: nothing that the peer sends can be accepted, and our new
 *	key does not get through. @err is 0 if the key was handed to send() with
 *	PSP_REKEY_OUT_OF_BAND, else -EKEYEXPIRED.
 * @PSP_REKEY_EV_FAILED: the connection is not looked after any more: what is
 *	left to do is psp_rekey_conn_del(). @err says why.
 */
enum psp_rekey_event {
	PSP_REKEY_EV_TX,
	PSP_REKEY_EV_ESTABLISHED,
	PSP_REKEY_EV_RX_REKEYED,
	PSP_REKEY_EV_TX_REKEYED,
	PSP_REKEY_EV_LATER,
	PSP_REKEY_EV_REFUSED,
	PSP_REKEY_EV_STUCK,
	PSP_REKEY_EV_FAILED,
};

/**
 * struct psp_rekey_conn_ops - what the application does for a connection
 * @send: hand one message to the peer. 0: taken, and it will come after all
 *	that was taken before; the first one must be in the socket by then.
 *	-EAGAIN: nothing was taken, psp_rekey_conn_writable() will be called;
 *	with PSP_REKEY_OUT_OF_BAND only the other channel waits for that.
 *	Anything else ends the connection, but with PSP_REKEY_OUT_OF_BAND only
 *	means that there is no such way. The message is wiped when it returns.
 * @event: something has happened; may be NULL. A later library may tell of
 *	more than this header does: ignore events that you do not know.
 *
 * This structure stays as it is, it has no size.
 *
 * Both may call any function of a connection or add connections, and may
 * delete the connection that they are called for. They must not free the pool.
 */
struct psp_rekey_conn_ops {
	int (*send)(void *data, const void *msg, size_t len,
		    unsigned int flags);
	void (*event)(void *data, enum psp_rekey_event event, int err);
};

/**
 * struct psp_rekey_conn_config - a connection to be looked after
 * @size: sizeof() this structure. It may grow: a longer one than the library
 *	knows is -E2BIG, unless what it does not know is 0. That goes for the
 *	configuration of a pool, too.
 * @fd: connected TCP socket, open until psp_rekey_conn_del()
 * @dev_id: PSP device of its route
 * @version: PSP version, the same at both ends
 * @flags: PSP_REKEY_KEEP_OFFER: keep a key that was sent until the peer
 *	acknowledges it, so that it can be handed over by another channel.
 *	PSP_REKEY_SECRET_CHANNEL: send() encrypts by itself, whatever PSP does;
 *	versions 2 and 3 have to have that, as they encrypt nothing.
 * @ops: the application's part
 * @data: for @ops
 */
struct psp_rekey_conn_config {
	size_t size;
	int fd;
	uint32_t dev_id;
	uint32_t version;
	unsigned int flags;
	const struct psp_rekey_conn_ops *ops;
	void *data;
};

/**
 * struct psp_rekey_pool_config - how a pool rekeys; 0 stands for the default
 * @size: sizeof() this structure
 * @window_ms: a rotation's rekeys begin at random times within this (1000)
 * @in_flight_max: keys on the way to peers at the same time (64)
 * @slow_ms: when a peer that has not answered gives up its place in
 *	@in_flight_max (2000)
 * @look_ms: how often to ask for the devices' rotations, should a notification
 *	be lost (10000)
 * @stuck_ms: how long a connection that hears nothing has, to come to life by
 *	itself, before it is called stuck (5000)
 * @first_tx_ms: how long the first tx-assoc may wait for plain data to be read
 *	(10000)
 * @retry_min_ms: first pause after a refusal, then doubled each time (100)
 * @retry_max_ms: the longest one (10000)
 * @first_ms: how long the first exchange may take; the connection fails with
 *	-ETIMEDOUT then (30000)
 */
struct psp_rekey_pool_config {
	size_t size;
	unsigned int window_ms;
	unsigned int in_flight_max;
	unsigned int slow_ms;
	unsigned int look_ms;
	unsigned int stuck_ms;
	unsigned int first_tx_ms;
	unsigned int retry_min_ms;
	unsigned int retry_max_ms;
	unsigned int first_ms;
};

/**
 * struct psp_rekey_counters - what a pool has done
 * @size: set by the caller: sizeof() this structure
 * @connections: looked after now
 * @in_flight: keys on the way to peers now
 * @waiting: connections that want to rekey now and may not yet
 * @behind: connections that are not yet under the newest device key, as far as
 *	@rotations goes
 * @rotations: of devices, seen: it grows when the pool reads it
 * @missed: rotations no notification told of
 * @lost: times that notifications were lost (ENOBUFS)
 * @overruns: rotations before all connections had got through the last one
 * @offers: keys sent to peers
 * @out_of_band: of these, handed to another channel
 * @rx_rekeys: keys of ours that peers have begun to use, but the first ones
 * @tx_rekeys: keys of peers that we have begun to use, but the first ones
 * @acks: acknowledgments sent
 * @acks_old: received, for a key that was not the newest any more
 * @rx_busy: rx-assoc found no newer device key
 * @late: peers that took longer than slow_ms
 * @late_done: of these, acknowledged after all
 * @deferred: peers that could not take a key at once
 * @refused: keys of ours that peers refused
 * @refusals: keys of peers that we refused
 * @retries: requests made again after a pause
 * @stuck: connections found stuck
 * @recovered: of these, came to life again
 * @failed: connections given up
 * @messages_bad: received and not understood
 * @kernel_errors: requests that the kernel refused, but for @rx_busy
 * @last_us: from the last rotation that is over for all connections to the
 *	acknowledgment of the last one
 * @max_us: the longest of these
 */
struct psp_rekey_counters {
	size_t size;
	uint64_t connections;
	uint64_t in_flight;
	uint64_t waiting;
	uint64_t behind;
	uint64_t rotations;
	uint64_t missed;
	uint64_t lost;
	uint64_t overruns;
	uint64_t offers;
	uint64_t out_of_band;
	uint64_t rx_rekeys;
	uint64_t tx_rekeys;
	uint64_t acks;
	uint64_t acks_old;
	uint64_t rx_busy;
	uint64_t late;
	uint64_t late_done;
	uint64_t deferred;
	uint64_t refused;
	uint64_t refusals;
	uint64_t retries;
	uint64_t stuck;
	uint64_t recovered;
	uint64_t failed;
	uint64_t messages_bad;
	uint64_t kernel_errors;
	uint64_t last_us;
	uint64_t max_us;
};

/* A pool in the caller's network namespace; @config may be NULL */
int psp_rekey_pool_open(struct psp_rekey_pool **pool,
			const struct psp_rekey_pool_config *config);
/* Not from within a callback. Connections that are left are deleted. */
void psp_rekey_pool_free(struct psp_rekey_pool *pool);

/*
 * The event loop's part: poll() the file descriptor to be readable, no longer
 * than the time-out (ms; -1 for ever), then process. Ask for the time-out again
 * whenever any function of a connection was called.
 */
int psp_rekey_pool_fd(const struct psp_rekey_pool *pool);
int psp_rekey_pool_timeout(const struct psp_rekey_pool *pool);
int psp_rekey_pool_process(struct psp_rekey_pool *pool);

void psp_rekey_pool_counters(const struct psp_rekey_pool *pool,
			     struct psp_rekey_counters *counters);

/*
 * Makes the first rx key and sends it: the last plain data of this end. *@conn
 * is set before send() is called, and not touched from then on. Events may come
 * before this returns, PSP_REKEY_EV_FAILED too: then it returns 0 all the same.
 * -ECANCELED: a callback has deleted the connection.
 */
int psp_rekey_conn_add(struct psp_rekey_pool *pool,
		       const struct psp_rekey_conn_config *config,
		       struct psp_rekey_conn **conn);
void psp_rekey_conn_del(struct psp_rekey_conn *conn);

/*
 * One whole message of the peer. -EBADMSG: it was none, -EPROTONOSUPPORT: of a
 * version that is not known; the connection is as it was, unless that was the
 * peer's first offer. -ENOTCONN: it has failed before.
 */
int psp_rekey_conn_input(struct psp_rekey_conn *conn, const void *msg,
			 size_t len);

/* send() has said -EAGAIN, and may be tried again */
void psp_rekey_conn_writable(struct psp_rekey_conn *conn);

/* Plain data has been read: the first tx-assoc may be tried again at once */
void psp_rekey_conn_drained(struct psp_rekey_conn *conn);

/*
 * Send the key that is not acknowledged yet once more, for a channel that has
 * lost it. -EALREADY: there is none, -ENOKEY: it is not kept, -EBUSY: not yet,
 * as it would come in plain behind the end of what is plain.
 */
int psp_rekey_conn_resend(struct psp_rekey_conn *conn, unsigned int flags);

/*
 * For channels that are streams: how long the message is that @buf begins with.
 * 0: more bytes are needed to tell. -EBADMSG: this is none. The peer says it,
 * and can say 65535: it is the program's part to set a limit, which must not be
 * less than PSP_REKEY_MSG_MAX.
 */
ssize_t psp_rekey_msg_len(const void *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* PSP_REKEY_H */
