/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * What the parts of the rekey helper share.
 *
 *   rekey_pool.c	many connections: timers, places, the event loop
 *   rekey_dev.c	rotations of a device, and who is behind
 *   rekey_conn.c	one connection: its life and its channel
 *   rekey_rx.c		a key that we make, until the peer uses it
 *   rekey_tx.c		a key that the peer has made, until we use it
 *   rekey_msg.c	messages
 *   rekey_timer.c	timers
 *   rekey_kernel.c	the kernel, by libpsp
 *
 * Reentrancy: send() and event() of the application are called with @busy of
 * the connection raised, and may do anything but free the pool. So after each
 * call of them, look whether the connection still lives (rekey_conn_is_live()).
 * Nothing walks a list while it calls them.
 */
#ifndef REKEY_H
#define REKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "psp_rekey.h"
#include "rekey_msg.h"
#include "rekey_timer.h"

#define REKEY_US_PER_MS	1000ULL

/* Of the first version of psp_rekey_conn_config, which ended here */
#define REKEY_CONN_CONFIG_MIN				\
	(offsetof(struct psp_rekey_conn_config, data) + sizeof(void *))

#define rekey_container_of(ptr, type, member)	\
	((type *)((char *)(ptr) - offsetof(type, member)))

enum rekey_ntf_type {
	REKEY_NTF_ROTATED,	/* a device has a new key */
	REKEY_NTF_LOST,		/* there were notifications that nobody read */
	REKEY_NTF_OTHER,
};

struct rekey_ntf {
	enum rekey_ntf_type type;
	uint32_t dev_id;
};

/**
 * struct rekey_ops - the world: kernel, clock, chance
 * @rx_assoc: make a key for the socket to receive under
 * @tx_assoc: send under a key
 * @rotations: how often the device's key was rotated
 * @ntf: the next notification: 1, or 0 if there is none, or -errno
 * @fd: readable when @ntf has something
 * @now: microseconds, monotonic
 * @random: evenly distributed, below a number that is not 0
 * @free: the pool is gone
 *
 * Functions with an int return 0 or -errno unless stated otherwise.
 */
struct rekey_ops {
	int (*rx_assoc)(void *ctx, int fd, uint32_t dev_id, uint32_t version,
			struct psp_key *key);
	int (*tx_assoc)(void *ctx, int fd, uint32_t dev_id, uint32_t version,
			const struct psp_key *key);
	int (*rotations)(void *ctx, uint32_t dev_id, uint64_t *num);
	int (*ntf)(void *ctx, struct rekey_ntf *ntf);
	int (*fd)(void *ctx);
	uint64_t (*now)(void *ctx);
	uint32_t (*random)(void *ctx, uint32_t below);
	void (*free)(void *ctx);
};

TAILQ_HEAD(rekey_conns, psp_rekey_conn);
TAILQ_HEAD(rekey_devs, rekey_dev);

/**
 * struct rekey_dev - a device whose rotations are followed
 * @node: in the pool's list
 * @pool: the pool
 * @id: the kernel's id
 * @conns: connections that use it
 * @rotations: the last count read, so never more than the kernel's
 * @heard: notifications since then
 * @unheard: rotations that were found by looking and may be heard of later
 * @look: the count has to be read
 * @gone: what the kernel says if there is no such device any more
 * @rotated_at: when @rotations last grew
 * @behind: connections whose peers do not send under the newest device key
 */
struct rekey_dev {
	TAILQ_ENTRY(rekey_dev) node;
	struct psp_rekey_pool *pool;
	uint32_t id;
	struct rekey_conns conns;
	uint64_t rotations;
	uint64_t heard;
	uint64_t unheard;
	bool look;
	int gone;
	uint64_t rotated_at;
	uint64_t behind;
};

/**
 * struct rekey_offer - a key of ours that the kernel may still accept
 * @seq: its number, 0: none
 * @epoch: at least so many rotations had been when it was made
 */
struct rekey_offer {
	uint32_t seq;
	uint64_t epoch;
};

enum rekey_rx_state {
	REKEY_RX_IDLE,		/* nothing to do */
	REKEY_RX_WAIT,		/* until @timer */
	REKEY_RX_QUEUED,	/* for a place in flight */
	REKEY_RX_FLIGHT,	/* has a place; until @timer, or acknowledged */
};

/**
 * struct rekey_rx - the key that we receive under
 * @queue: in the pool's queue
 * @state: what rekeying is up to
 * @now: the newest one, @prev: the one before it
 * @acked: newest epoch that the peer has shown to know, valid if @any_acked
 * @any_acked: the peer has begun to send under PSP
 * @open: @now is not acknowledged
 * @full: the kernel has let us rekey: the socket has been in state PSP full
 * @maybe_lost: since @now there may have been a key that only the kernel knows
 * @lost_epoch: there was one then
 * @unsure: the first key may be newer than its epoch says
 * @refused: and will not be, unless it is offered again
 * @late: the peer has been slow to answer for @now
 * @stuck: reported
 * @behind: counted in the device's @behind
 * @tries: failures in a row
 * @timer: see @state
 * @stuck_timer: since when nothing can come in
 */
struct rekey_rx {
	TAILQ_ENTRY(psp_rekey_conn) queue;
	enum rekey_rx_state state;
	struct rekey_offer now;
	struct rekey_offer prev;
	uint64_t acked;
	bool any_acked;
	bool open;
	bool refused;
	uint64_t lost_epoch;
	bool maybe_lost;
	bool full;
	bool unsure;
	bool late;
	bool stuck;
	bool behind;
	unsigned int tries;
	struct rekey_timer timer;
	struct rekey_timer stuck_timer;
};

/**
 * struct rekey_tx - the key that we send under
 * @on: there is one
 * @seq: newest offer of the peer
 * @open: it is in @key and not used yet
 * @key: wiped as soon as the kernel has it, or something newer comes
 * @answer: what was said last about @seq
 * @tries: failures in a row
 * @since: when the first tx-assoc was first tried
 * @timer: try again
 */
struct rekey_tx {
	bool on;
	uint32_t seq;
	bool open;
	struct psp_key key;
	struct rekey_msg answer;
	unsigned int tries;
	uint64_t since;
	struct rekey_timer timer;
};

/**
 * struct rekey_out - what waits to be sent: never more than one of each
 * @offer: newest key of ours, wiped when it is sent by all channels
 *	that are to have it (or kept, see PSP_REKEY_KEEP_OFFER)
 * @offer_len: its length, 0: none
 * @offer_unsent: by the channel
 * @offer_beside: to be sent by another channel
 * @answer: about the newest offer of the peer
 * @complaint: about an offer that is of another version
 * @first_sent: the first offer has been, so nothing plain will follow
 * @blocked: the channel, until the application says so
 * @beside_blocked: the same for the other channel
 */
struct rekey_out {
	uint8_t offer[PSP_REKEY_MSG_MAX];
	size_t offer_len;
	bool offer_unsent;
	bool offer_beside;
	bool answer;
	bool complaint;
	uint32_t complaint_seq;
	bool first_sent;
	bool blocked;
	bool beside_blocked;
};

struct psp_rekey_conn {
	TAILQ_ENTRY(psp_rekey_conn) node;
	struct psp_rekey_pool *pool;
	struct rekey_dev *dev;
	struct psp_rekey_conn_config config;
	struct rekey_rx rx;
	struct rekey_tx tx;
	struct rekey_out out;
	struct rekey_timer first_timer;	/* until established */
	bool established;
	bool pumping;
	bool dead;	/* deleted, but somebody is still in its functions */
	int failed;
	unsigned int busy;
};

/**
 * struct psp_rekey_pool - many connections
 * @ops: the world, and @ctx for it
 * @config: with all defaults filled in
 * @devs: devices with connections
 * @heap: timers of all connections, and @look_timer
 * @look_timer: read the devices' rotations
 * @look: a device has to be looked at
 * @queue: connections that wait for a place in flight
 * @in_flight: places taken
 * @timers_needed: room that the heap has to have
 * @c: counters
 */
struct psp_rekey_pool {
	const struct rekey_ops *ops;
	void *ctx;
	struct psp_rekey_pool_config config;
	struct rekey_devs devs;
	struct rekey_heap heap;
	struct rekey_timer look_timer;
	bool look;
	struct rekey_conns queue;
	unsigned int in_flight;
	size_t timers_needed;
	struct psp_rekey_counters c;
};

/* rekey_pool.c */
int rekey_pool_new(struct psp_rekey_pool **pool,
		   const struct psp_rekey_pool_config *config,
		   const struct rekey_ops *ops, void *ctx);
uint64_t rekey_now(const struct psp_rekey_pool *pool);
void rekey_pool_arm(struct psp_rekey_pool *pool, struct rekey_timer *timer,
		    uint64_t in_us);
/* By chance, below a time that is not 0 (and below 71 minutes) */
uint64_t rekey_pool_random(const struct psp_rekey_pool *pool, uint64_t below);
/* A pause before try number @tries, from 1, in microseconds */
uint64_t rekey_pool_pause(const struct psp_rekey_pool *pool,
			  unsigned int tries);
/*
 * Copy a caller's structure of @size bytes; -E2BIG if it says something beyond
 * what is @known here.
 */
int rekey_config_get(void *to, size_t known, const void *from, size_t size);
/* No pause will help */
bool rekey_error_is_final(int err);

/* rekey_dev.c */
struct rekey_dev *rekey_dev_get(struct psp_rekey_pool *pool, uint32_t id,
				int *err);
void rekey_dev_put(struct rekey_dev *dev);
/* Read the count, and tell all connections if it has grown */
int rekey_dev_look(struct rekey_dev *dev);
void rekey_dev_heard(struct psp_rekey_pool *pool,
		     const struct rekey_ntf *ntf);
void rekey_dev_look_all(struct psp_rekey_pool *pool);
/* The connection is not behind (any more) */
void rekey_dev_caught_up(struct psp_rekey_conn *conn, bool done);

/* rekey_conn.c */
static inline bool rekey_conn_is_live(const struct psp_rekey_conn *conn)
{
	return !conn->dead && !conn->failed;
}

void rekey_conn_hold(struct psp_rekey_conn *conn);
void rekey_conn_put(struct psp_rekey_conn *conn);
/* Send what there is to send; the caller holds the connection */
void rekey_conn_pump(struct psp_rekey_conn *conn);
void rekey_conn_event(struct psp_rekey_conn *conn, enum psp_rekey_event event,
		      int err);
void rekey_conn_fail(struct psp_rekey_conn *conn, int err);
void rekey_conn_try_established(struct psp_rekey_conn *conn);
/* The offer that there is goes by another channel, if there is one */
void rekey_conn_go_beside(struct psp_rekey_conn *conn);
void rekey_conn_wipe_offer(struct psp_rekey_conn *conn);

/* rekey_rx.c */
int rekey_rx_first(struct psp_rekey_conn *conn);
/* The device knows of the connection: look whether it was rotated meanwhile */
void rekey_rx_check_first(struct psp_rekey_conn *conn);
void rekey_rx_stop(struct psp_rekey_conn *conn);
void rekey_rx_init(struct psp_rekey_conn *conn);
/* The device was rotated: the only thing that is done for all connections */
void rekey_rx_rotated(struct psp_rekey_conn *conn);
/* The device is gone: the connection fails soon */
void rekey_rx_dev_gone(struct psp_rekey_conn *conn);
/* The first exchange is over: what had to wait for that may go */
void rekey_rx_established(struct psp_rekey_conn *conn);
/* Its turn in the queue has come */
void rekey_rx_fly(struct psp_rekey_conn *conn);
void rekey_rx_answer(struct psp_rekey_conn *conn, const struct rekey_msg *msg);

/* rekey_tx.c */
void rekey_tx_init(struct psp_rekey_conn *conn);
void rekey_tx_stop(struct psp_rekey_conn *conn);
void rekey_tx_offer(struct psp_rekey_conn *conn, const struct rekey_msg *msg);
/* Use the key that the peer has sent, if there is one and it is time */
void rekey_tx_try(struct psp_rekey_conn *conn);

#endif /* REKEY_H */
