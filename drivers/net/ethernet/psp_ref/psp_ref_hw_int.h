/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of the device. The driver's files do not include this.
 */
#ifndef PSP_REF_HW_INT_H
#define PSP_REF_HW_INT_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "psp_ref_hw.h"
#include "psp_ref_stats.h"

struct aead_request;
struct crypto_aead;
struct crypto_shash;
struct task_struct;

/**
 * DOC: what protects what in the device
 *
 * Each queue pair has two engine threads. They own their queue's state; they
 * meet other contexts at
 *
 * - the rings, by acquire and release of the free-running indices,
 * - &psp_ref_hw_queue.backlog, under its own lock,
 * - &psp_ref_table.lock, &psp_ref_cache.lock and &psp_ref_wire.lock, which
 *   are spinlocks that never nest, held for a few instructions,
 * - &psp_ref_devkeys.lock, a mutex held while a key is derived.
 *
 * All run in process context: no lock here disables bottom halves, and none
 * may be taken in one, but the lock of &psp_ref_hw_queue.backlog: a lower
 * device receives in softirq. The timer of &psp_ref_moder runs there as well,
 * and takes none. &psp_ref_hw.mbox_lock is outermost. &psp_ref_hw.peer and
 * &psp_ref_hw.lower change under rtnl_lock() and are read under RCU.
 */

/* psp_ref_hw_aead.c */

/**
 * struct psp_ref_key - a key ready for use
 * @ref: references: the table's or cache's and those of engines at work
 * @version: PSP version
 * @tfm: AES-GCM transform with the key set; it is the only copy of the key
 */
struct psp_ref_key {
	refcount_t		ref;
	u8			version;
	struct crypto_aead	*tfm;
};

/**
 * struct psp_ref_aead - what one engine needs to seal or open a packet
 * @req: crypto request
 * @reqsize: bytes of transform context that fit in @req
 * @nonce: SPI and IV of the packet
 */
struct psp_ref_aead {
	struct aead_request	*req;
	unsigned int		reqsize;
	u8			nonce[12];
};

struct psp_ref_key *psp_ref_key_alloc(u8 version, const u8 *key);
int psp_ref_key_set(struct psp_ref_key *key, u8 version, const u8 *bytes);
void psp_ref_key_put(struct psp_ref_key *key);
void psp_ref_aead_free(struct psp_ref_aead *aead);
int psp_ref_seal(struct psp_ref_aead *aead, const struct psp_ref_key *key,
		 struct psphdr *psph, unsigned int len);
int psp_ref_open(struct psp_ref_aead *aead, const struct psp_ref_key *key,
		 struct psphdr *psph, unsigned int len);

/* psp_ref_hw_iv.c */

/**
 * struct psp_ref_iv - a queue's share of the IVs
 * @next: next IV
 * @left: how many are left in the block
 */
struct psp_ref_iv {
	u64	next;
	u32	left;
};

u64 psp_ref_iv_next(struct psp_ref_iv *iv);
void psp_ref_iv_reset(struct psp_ref_iv *iv);
#if IS_ENABLED(CONFIG_KUNIT)
u64 psp_ref_iv_clock(void);
#endif

/* psp_ref_hw_key.c */

/**
 * struct psp_ref_devkey - a device key
 * @cmac: AES-256-CMAC transform; holds the only copy of the key. NULL: there
 *	is no key of this phase yet
 * @epoch: count of rotations when it was made
 * @generation: what the driver calls it
 */
struct psp_ref_devkey {
	struct crypto_shash	*cmac;
	u64			epoch;
	u8			generation;
};

/**
 * struct psp_ref_devkeys - device keys and the SPIs given out under them
 * @lock: protects all fields
 * @key: current and previous key, by their value of the SPI's phase bit
 * @phase: which of them is current
 * @epoch: count of rotations
 * @next_spi: low 31 bits of the next SPI, never 0
 * @spis_used: SPIs given out since the last rotation
 */
struct psp_ref_devkeys {
	/* protects all of it */
	struct mutex		lock;
	struct psp_ref_devkey	key[2];
	u8			phase;
	u64			epoch;
	u32			next_spi;
	u32			spis_used;
};

/**
 * struct psp_ref_keyid - names a derived key
 * @epoch: device key that it is derived from
 * @spi: its SPI
 * @version: PSP version
 * @generation: generation of the device key
 */
struct psp_ref_keyid {
	u64	epoch;
	__be32	spi;
	u8	version;
	u8	generation;
};

int psp_ref_kdf(struct crypto_shash *cmac, u8 version, __be32 spi, u8 *out);
struct crypto_shash *psp_ref_cmac_alloc(const u8 *key);
int psp_ref_devkeys_init(struct psp_ref_devkeys *keys);
void psp_ref_devkeys_destroy(struct psp_ref_devkeys *keys);
int psp_ref_devkeys_rotate(struct psp_ref_devkeys *keys, u8 generation,
			   u64 *epoch);
int psp_ref_devkeys_spi_alloc(struct psp_ref_devkeys *keys, u8 version,
			      struct psp_key_parsed *out);
int psp_ref_devkeys_identify(struct psp_ref_devkeys *keys, u8 version,
			     __be32 spi, struct psp_ref_keyid *id);
int psp_ref_devkeys_derive(struct psp_ref_devkeys *keys,
			   const struct psp_ref_keyid *id, u8 *out);

/* psp_ref_hw_cache.c */

#define PSP_REF_CACHE_SETS	256
#define PSP_REF_CACHE_WAYS	4

/**
 * struct psp_ref_cache_entry - a derived key kept for the next packet
 * @id: which key
 * @key: the key, NULL if the entry is free
 * @used: &psp_ref_cache.clock at the last use
 */
struct psp_ref_cache_entry {
	struct psp_ref_keyid	id;
	struct psp_ref_key	*key;
	u32			used;
};

/**
 * struct psp_ref_cache - derived keys of packets received lately
 * @lock: protects all fields
 * @oldest: oldest epoch whose keys may be here
 * @clock: counts uses
 * @seed: hides from peers which SPIs share a set
 * @entry: entries, PSP_REF_CACHE_WAYS for each hash of an SPI
 */
struct psp_ref_cache {
	/* protects all of it */
	spinlock_t			lock;
	u64				oldest;
	u32				clock;
	u32				seed;
	struct psp_ref_cache_entry	entry[PSP_REF_CACHE_SETS *
					      PSP_REF_CACHE_WAYS];
};

struct psp_ref_cache *psp_ref_cache_create(void);
void psp_ref_cache_destroy(struct psp_ref_cache *cache);
struct psp_ref_key *psp_ref_cache_get(struct psp_ref_cache *cache,
				      const struct psp_ref_keyid *id);
void psp_ref_cache_add(struct psp_ref_cache *cache,
		       const struct psp_ref_keyid *id,
		       struct psp_ref_key *key);
void psp_ref_cache_expire(struct psp_ref_cache *cache, u64 oldest);

/* psp_ref_hw_table.c */

#define PSP_REF_SLOT_BITS	17

/**
 * struct psp_ref_slot - a slot of the key table
 * @free: link in &psp_ref_table.free
 * @key: key, NULL if the slot is free
 * @generation: upper bits of the handle that is valid for @key
 */
struct psp_ref_slot {
	struct list_head	free;
	struct psp_ref_key	*key;
	u32			generation;
};

/**
 * struct psp_ref_table - transmit keys
 * @lock: protects all fields
 * @slot: the slots
 * @size: number of slots
 * @limit: knob, keys that it takes
 * @lifo: knob, the slot freed last is used next, not the one freed first
 * @used: number of keys
 * @free: free slots, the one to be used next first
 */
struct psp_ref_table {
	/* protects all of it */
	spinlock_t		lock;
	struct psp_ref_slot	*slot;
	u32			size;
	u32			limit;
	bool			lifo;
	u32			used;
	struct list_head	free;
};

int psp_ref_table_init(struct psp_ref_table *table);
void psp_ref_table_destroy(struct psp_ref_table *table);
int psp_ref_table_add(struct psp_ref_table *table, struct psp_ref_key *key,
		      u32 *handle);
int psp_ref_table_del(struct psp_ref_table *table, u32 handle);
void psp_ref_table_clear(struct psp_ref_table *table);
struct psp_ref_key *psp_ref_table_get(struct psp_ref_table *table, u32 handle);
int psp_ref_table_set_left(struct psp_ref_table *table, u64 left);
u32 psp_ref_table_handle(struct psp_ref_table *table, u32 i);

/* psp_ref_hw_frame.c */

/**
 * struct psp_ref_frame - what the device's parser finds in a frame
 * @l4_off: offset of what follows the IP header, 0 if it is not IP
 * @end: offset of the end of the IP packet
 * @hash: hash of addresses and ports, chooses the receive queue
 * @hash_type: what went into @hash
 * @psp: is a UDP packet to the PSP port
 */
struct psp_ref_frame {
	unsigned int	l4_off;
	unsigned int	end;
	u32		hash;
	enum pkt_hash_types hash_type;
	bool		psp;
};

void psp_ref_frame_parse(const struct sk_buff *skb,
			 struct psp_ref_frame *frame);

/* psp_ref_hw_wire.c, psp_ref_hw_lower.c, psp_ref_hw_impair.c */

/* The knobs are given in frames out of so many */
#define PSP_REF_IMPAIR_SCALE	10000

/**
 * struct psp_ref_wire - the direction of the wire away from the port
 * @pause_wait: transmit engines waiting for room at the other end
 * @no_link: frames lost because the other end was not there
 * @refused: frames that the lower device's queue refused
 * @no_room: the other direction: frames that a lower device received and that
 *	found a receive engine too far behind
 * @tap: index of the interface that gets copies of all frames of the wire
 * @loss: knob, frames lost
 * @duplicate: knob, frames doubled
 * @reorder: knob, frames held back
 * @corrupt: knob, frames with a bit turned over
 * @lock: protects what follows
 * @held: frame held back
 * @held_for: frames that still may overtake @held
 * @release: sends @held when no frame comes that could overtake it
 * @lost: count of what @loss did
 * @duplicated: count of what @duplicate did
 * @reordered: count of what @reorder did
 * @corrupted: count of what @corrupt did
 */
struct psp_ref_wire {
	wait_queue_head_t	pause_wait;
	atomic64_t		no_link;
	atomic64_t		refused;
	atomic64_t		no_room;
	u32			tap;
	u32			loss;
	u32			duplicate;
	u32			reorder;
	u32			corrupt;

	/* protects what follows */
	spinlock_t		lock;
	struct sk_buff		*held;
	unsigned int		held_for;
	struct delayed_work	release;
	u64			lost;
	u64			duplicated;
	u64			reordered;
	u64			corrupted;
};

void psp_ref_wire_init(struct psp_ref_hw *hw);
void psp_ref_wire_stop(struct psp_ref_hw *hw);
void psp_ref_wire_send(struct psp_ref_hw *hw, struct sk_buff *skb);
void psp_ref_wire_deliver(struct psp_ref_hw *hw, struct sk_buff *skb);
void psp_ref_wire_receive(struct psp_ref_hw *hw, struct sk_buff *skb);
void psp_ref_wire_resume(struct psp_ref_hw *hw);

int psp_ref_lower_xmit(struct psp_ref_hw *hw, struct net_device *lower,
		       struct sk_buff *skb);

void psp_ref_impair_init(struct psp_ref_wire *wire);
void psp_ref_impair_stop(struct psp_ref_wire *wire);
void psp_ref_impair(struct psp_ref_wire *wire, struct sk_buff *skb,
		    struct sk_buff_head *out);

/* psp_ref_hw_irq.c */

struct psp_ref_hw_queue;

/**
 * struct psp_ref_moder - one interrupt source: completions of an engine
 * @q: its queue
 * @conf: how it is moderated; changes at any time
 * @timer: raises the interrupt when a completion has waited for long enough
 * @pending: completions since the last interrupt
 * @raised: count of interrupts
 */
struct psp_ref_moder {
	struct psp_ref_hw_queue		*q;
	const struct psp_ref_hw_moder	*conf;
	struct hrtimer			timer;
	atomic_t			pending;
	atomic64_t			raised;
};

void psp_ref_moder_init(struct psp_ref_moder *moder,
			struct psp_ref_hw_queue *q,
			const struct psp_ref_hw_moder *conf);
void psp_ref_moder_event(struct psp_ref_moder *moder, unsigned int n);
void psp_ref_moder_idle(struct psp_ref_moder *moder);
void psp_ref_moder_flush(struct psp_ref_moder *moder);
void psp_ref_moder_stop(struct psp_ref_moder *moder);

/* psp_ref_hw.c, psp_ref_hw_tx.c, psp_ref_hw_rx.c */

/**
 * struct psp_ref_hw_queue - a queue pair inside the device
 * @hw: the device
 * @index: number of the queue
 * @tx: transmit ring, while the device runs
 * @tx_head: free-running index of the next descriptor to fetch
 * @tx_wait: the transmit engine waits here for the doorbell
 * @tx_engine: thread
 * @tx_engine_new: thread that psp_ref_hw_start() will start
 * @tx_aead: the transmit engine's
 * @iv: the transmit engine's
 * @tx_moder: the transmit engine's interrupts
 * @tx_stats: enum psp_ref_hw_tx_stat; written by the transmit engine
 * @rx: receive ring, while the device runs
 * @backlog: frames come in from the wire
 * @rx_on: @backlog takes frames; under the lock of @backlog
 * @rx_wait: the receive engine waits here for frames
 * @rx_ring_wait: the receive engine waits here for room in @rx
 * @rx_engine: thread
 * @rx_engine_new: thread that psp_ref_hw_start() will start
 * @rx_aead: the receive engine's
 * @rx_spare: the receive engine's; takes derived keys not known to be good
 * @rx_moder: the receive engine's interrupts
 * @rx_stats: enum psp_ref_hw_rx_stat; written by the receive engine
 */
struct psp_ref_hw_queue {
	struct psp_ref_hw	*hw;
	unsigned int		index;

	struct psp_ref_txring	*tx;
	u32			tx_head;
	wait_queue_head_t	tx_wait;
	struct task_struct	*tx_engine;
	struct task_struct	*tx_engine_new;
	struct psp_ref_aead	tx_aead;
	struct psp_ref_iv	iv;
	struct psp_ref_moder	tx_moder;
	struct psp_ref_stats	tx_stats;

	struct psp_ref_rxring	*rx;
	struct sk_buff_head	backlog;
	bool			rx_on;
	wait_queue_head_t	rx_wait;
	wait_queue_head_t	rx_ring_wait;
	struct task_struct	*rx_engine;
	struct task_struct	*rx_engine_new;
	struct psp_ref_aead	rx_aead;
	struct psp_ref_key	*rx_spare;
	struct psp_ref_moder	rx_moder;
	struct psp_ref_stats	rx_stats;
};

/**
 * struct psp_ref_hw - the device
 * @netdev: the interface it is seen as, for its MTU and its namespace
 * @id: number of the port, for the names of the threads
 * @irq: raises the interrupt of a queue
 * @irq_data: for @irq
 * @tx_moder: how interrupts for transmit completions are moderated
 * @rx_moder: the same for received frames
 * @mbox_lock: one mailbox command at a time
 * @mbox_latency_us: knob, how long a command to the key table takes
 * @tx_lose_doorbells: knob, mask of queues that do not hear the doorbell
 * @tx_pause_fetch: knob, mask of queues that fetch no descriptors
 * @tx_hold_completions: knob, mask of queues that process descriptors but do
 *	not publish their completions
 * @versions: mask of versions received
 * @devkeys: device keys
 * @cache: derived keys
 * @table: transmit keys
 * @peer: device at the other end of the cable; RCU
 * @lower: real interface that is the wire, where there is no cable; RCU
 * @wire: the wire away from here
 * @nqueues: number of queue pairs
 * @nactive: those that are in use, or were when the device ran last: the hash
 *	of a received frame chooses one of them
 * @queue: queue pairs
 */
struct psp_ref_hw {
	struct net_device	*netdev;
	int			id;
	psp_ref_irq_t		irq;
	void			*irq_data;
	struct psp_ref_hw_moder	tx_moder;
	struct psp_ref_hw_moder	rx_moder;
	/* one command at a time */
	struct mutex		mbox_lock;
	u32			mbox_latency_us;
	u32			tx_lose_doorbells;
	u32			tx_pause_fetch;
	u32			tx_hold_completions;
	u32			versions;
	struct psp_ref_devkeys	devkeys;
	struct psp_ref_cache	*cache;
	struct psp_ref_table	table;
	struct psp_ref_hw __rcu	*peer;
	struct net_device __rcu	*lower;
	struct psp_ref_wire	wire;
	unsigned int		nqueues;
	unsigned int		nactive;
	struct psp_ref_hw_queue	queue[] __counted_by(nqueues);
};

int psp_ref_hw_tx_engine(void *data);
int psp_ref_hw_rx_engine(void *data);
bool psp_ref_hw_rx_room(struct psp_ref_hw *hw, u32 hash);
int psp_ref_hw_rx_input(struct psp_ref_hw *hw, struct sk_buff *skb, u32 hash);
#if IS_ENABLED(CONFIG_KUNIT)
enum psp_ref_hw_rx_stat psp_ref_rx_psp(struct psp_ref_hw_queue *q,
				       struct psp_ref_rxc *rxc,
				       const struct psp_ref_frame *frame);
#endif

#endif /* PSP_REF_HW_INT_H */
