/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PSP_REF_H
#define PSP_REF_H

#include <linux/mutex.h>
#include <linux/netdevice.h>

#include <net/psp.h>

#include "psp_ref_hw.h"
#include "psp_ref_stats.h"

struct dentry;
struct netlink_ext_ack;
struct nlattr;
struct psp_ref_retire;

/**
 * DOC: locking in the driver
 *
 * rtnl_lock() is outermost: it covers making, cabling, opening, stopping and
 * removing ports. Inside it comes &psp_dev.lock, under which the core calls
 * the psp_dev_ops; they take no rtnl_lock(). Inside that come, side by side,
 * &psp_ref_port.ring_lock and the mailbox lock of the device. Who holds the
 * ring lock takes neither rtnl_lock(), nor the netdev lock, nor &psp_dev.lock;
 * since napi_enable() and napi_disable() take the netdev lock, they are called
 * without it. Per queue, the transmit lock of the stack guards
 * &psp_ref_queue.tx_prod, the NAPI instance guards &psp_ref_queue.tx_cons and
 * the receive ring; these two never wait for any of the locks above.
 * &psp_ref_queue.mark_lock is innermost; NAPI takes it only while keys are
 * being retired. Who retires a key takes the ring lock, then one queue's
 * transmit lock, then its mark lock, one after the other.
 *
 * Whoever opens, stops or changes rings touches all of a queue, under the ring
 * lock: transmit path, NAPI instance and engines of the queue do not run then.
 * A ring that is stopped has been flushed before the lock is released: it is
 * empty, its producer and consumer are equal.
 */

#define PSP_REF_DRV_NAME	"psp_ref"

#define PSP_REF_QUEUES		2
#define PSP_REF_TX_RING_SIZE	256
#define PSP_REF_RX_RING_SIZE	512

/* Powers of two; rings of other sizes are made larger */
#define PSP_REF_RING_SIZE_MIN	64
#define PSP_REF_RING_SIZE_MAX	4096

/* Interrupt moderation at first, and its limits */
#define PSP_REF_MODER_USECS	1000
#define PSP_REF_MODER_FRAMES	16
#define PSP_REF_MODER_USECS_MAX	10000
#define PSP_REF_MODER_FRAMES_MAX	PSP_REF_RING_SIZE_MAX

/* Ring indices start here, so that their overflow is nothing rare */
#define PSP_REF_RING_START	((u32)-128)

/**
 * enum psp_ref_tx_stat - counted in ndo_start_xmit
 * @PSP_REF_TX_DROP_NO_ASSOC: marked for PSP, but without a key of this port
 * @PSP_REF_TX_DROP_TOO_BIG: PSP packet would not fit in the MTU
 * @PSP_REF_TX_DROP_ENCAP: no room for the PSP headers, or not TCP
 * @PSP_REF_TX_DROP_PSP_FRAMES: PSP packets lost in the three above
 * @PSP_REF_TX_STATS: number of counters
 */
enum psp_ref_tx_stat {
	PSP_REF_TX_DROP_NO_ASSOC,
	PSP_REF_TX_DROP_TOO_BIG,
	PSP_REF_TX_DROP_ENCAP,
	PSP_REF_TX_DROP_PSP_FRAMES,
	PSP_REF_TX_STATS
};

/**
 * enum psp_ref_poll_stat - counted by NAPI
 * @PSP_REF_POLL_TX_PACKETS: packets sent, segments counted one by one
 * @PSP_REF_POLL_TX_BYTES: their bytes on the wire
 * @PSP_REF_POLL_TX_DROPPED: buffers that the device did not send
 * @PSP_REF_POLL_RX_PACKETS: packets received, segments counted one by one
 * @PSP_REF_POLL_RX_BYTES: their bytes on the wire
 * @PSP_REF_POLL_RX_DROP_NO_ASSOC: PSP packets of no association
 * @PSP_REF_POLL_STATS: number of counters
 */
enum psp_ref_poll_stat {
	PSP_REF_POLL_TX_PACKETS,
	PSP_REF_POLL_TX_BYTES,
	PSP_REF_POLL_TX_DROPPED,
	PSP_REF_POLL_RX_PACKETS,
	PSP_REF_POLL_RX_BYTES,
	PSP_REF_POLL_RX_DROP_NO_ASSOC,
	PSP_REF_POLL_STATS
};

/**
 * struct psp_ref_tx_buf - what the driver keeps for a descriptor
 * @skb: to be freed at the completion
 * @bql: bytes told to the byte queue limits
 * @packets: packets on the wire
 * @bytes: bytes on the wire
 */
struct psp_ref_tx_buf {
	struct sk_buff	*skb;
	unsigned int	bql;
	unsigned int	packets;
	unsigned int	bytes;
};

/**
 * struct psp_ref_queue - a queue pair
 * @port: port
 * @index: number of the queue
 * @tx_prod: free-running index of the next descriptor to be written; under
 *	the stack's transmit lock
 * @tx: transmit ring
 * @tx_buf: one for each descriptor
 * @tx_stats: enum psp_ref_tx_stat; under the stack's transmit lock
 * @tx_cons: free-running index of the next completion; written by NAPI
 * @marks: marks of retired keys that @tx_cons has not reached, the oldest
 *	first; under @mark_lock, but NAPI looks whether it is empty without
 * @mark_lock: protects @marks; BH-safe
 * @napi: polls transmit completions and received frames
 * @rx: receive ring
 * @poll_stats: enum psp_ref_poll_stat; written by NAPI
 */
struct psp_ref_queue {
	struct psp_ref_port	*port;
	unsigned int		index;

	u32			tx_prod;
	struct psp_ref_txring	tx;
	struct psp_ref_tx_buf	*tx_buf;
	struct psp_ref_stats	tx_stats;

	u32			tx_cons ____cacheline_aligned_in_smp;
	struct list_head	marks;
	spinlock_t		mark_lock;	/* marks */
	struct napi_struct	napi;
	struct psp_ref_rxring	rx;
	struct psp_ref_stats	poll_stats;
};

/**
 * struct psp_ref_conf - what can be chosen about the rings
 * @nqueues: queue pairs in use
 * @tx_size: descriptors of a transmit ring, a power of two
 * @rx_size: completions of a receive ring, a power of two
 */
struct psp_ref_conf {
	unsigned int	nqueues;
	u32		tx_size;
	u32		rx_size;
};

/**
 * enum psp_ref_quiesce_fault - what to do wrong when a key has become quiet
 * @PSP_REF_QUIESCE_RIGHT: nothing
 * @PSP_REF_QUIESCE_EARLY: not wrong, but rare: call the core back before
 *	tx_key_retire has returned, if nothing is in flight
 * @PSP_REF_QUIESCE_TWICE: give the ticket back twice
 * @PSP_REF_QUIESCE_UNKNOWN: give another ticket back as well
 * @PSP_REF_QUIESCE_FAULTS: number of values
 */
enum psp_ref_quiesce_fault {
	PSP_REF_QUIESCE_RIGHT,
	PSP_REF_QUIESCE_EARLY,
	PSP_REF_QUIESCE_TWICE,
	PSP_REF_QUIESCE_UNKNOWN,
	PSP_REF_QUIESCE_FAULTS
};

/**
 * struct psp_ref_port - a port, the private part of its net device
 * @dev: net device
 * @hw: device
 * @caps: what the core is told that the PSP device can do
 * @psd: PSP device; NULL while there is none, and from the start of removal on
 * @psd_owned: the same, under rtnl_lock() until it is unregistered
 * @hw_gone: the port is being removed and its device will be reset, or has
 *	been: no key is added or deleted any more. Set under rtnl_lock() at the
 *	start of removal, read under &psp_dev.lock, which removal takes for the
 *	reset
 * @peer: port at the other end of the cable; changes under rtnl_lock()
 * @lower: real interface that is the wire, where there is no cable; likewise
 * @lower_away: @lower is on its way to another namespace and forgets all
 *	addresses; under the lock of the port's address lists
 * @debugfs: directory of the port
 * @delete_early: test knob: let keys be deleted whatever is in flight
 * @quiesce_fault: test knob, enum psp_ref_quiesce_fault
 * @id: number of the port, unique in the module
 * @nqueues: number of queue pairs, in use or not
 * @conf: rings there are, or will be when the port is opened; under
 *	rtnl_lock()
 * @tx_moder: interrupt moderation of transmit completions; under rtnl_lock()
 * @rx_moder: the same of received frames
 * @ring_lock: held by whoever allocates, frees, starts, stops or flushes
 *	rings, or must not be disturbed by it; inside &psp_dev.lock
 * @queue: queue pairs
 * @reset_work: starts the rings anew; holds a reference on @dev while pending
 * @tx_timeouts: how often that was done; written under rtnl_lock()
 */
struct psp_ref_port {
	struct net_device		*dev;
	struct psp_ref_hw		*hw;
	struct psp_dev_caps		caps;
	struct psp_dev __rcu		*psd;
	struct psp_dev			*psd_owned;
	bool				hw_gone;
	struct psp_ref_port __rcu	*peer;
	struct net_device __rcu		*lower;
	bool				lower_away;
	struct dentry			*debugfs;
	bool				delete_early;
	u32				quiesce_fault;
	int				id;
	unsigned int			nqueues;
	struct psp_ref_conf		conf;
	struct psp_ref_hw_moder		tx_moder;
	struct psp_ref_hw_moder		rx_moder;
	/* allocation, start, stop and flush of rings */
	struct mutex			ring_lock;
	struct psp_ref_queue		*queue;
	struct work_struct		reset_work;
	unsigned int			tx_timeouts;
};

/**
 * struct psp_ref_tx_key - the driver's part of a transmit key
 * @handle: key handle
 * @retire: for the end of the key
 */
struct psp_ref_tx_key {
	u32 handle;
	struct psp_ref_retire *retire;
};

/* psp_ref_main.c */
void psp_ref_dellink(struct net_device *dev, struct list_head *head);

/* psp_ref_netdev.c */
void psp_ref_setup(struct net_device *dev);
bool psp_ref_is_port(const struct net_device *dev);
void psp_ref_carrier_update(struct psp_ref_port *port);
void psp_ref_cable(struct psp_ref_port *port, struct psp_ref_port *peer);
void psp_ref_uncable(struct psp_ref_port *port);

/* psp_ref_lower.c */
int psp_ref_lower_check(const struct net_device *dev, struct net_device *lower,
			struct nlattr *tb[], struct netlink_ext_ack *extack);
void psp_ref_lower_inherit(struct net_device *dev, struct net_device *lower,
			   struct nlattr *tb[]);
int psp_ref_lower_attach(struct psp_ref_port *port, struct net_device *lower,
			 struct netlink_ext_ack *extack);
void psp_ref_lower_detach(struct psp_ref_port *port);
bool psp_ref_lower_has_carrier(const struct net_device *lower);
void psp_ref_lower_open(struct psp_ref_port *port);
void psp_ref_lower_stop(struct psp_ref_port *port);
void psp_ref_lower_change_rx_flags(struct psp_ref_port *port, int change);
void psp_ref_lower_set_rx_mode(struct psp_ref_port *port);
int psp_ref_lower_init(void);
void psp_ref_lower_exit(void);

/* psp_ref_rings.c */
int psp_ref_rings_open(struct psp_ref_port *port);
void psp_ref_rings_close(struct psp_ref_port *port);
int psp_ref_rings_change(struct psp_ref_port *port,
			 const struct psp_ref_conf *conf,
			 struct netlink_ext_ack *extack);
int psp_ref_rings_reset(struct psp_ref_port *port);

/* psp_ref_reset.c */
void psp_ref_tx_timeout(struct net_device *dev, unsigned int queue);
void psp_ref_reset_port_init(struct psp_ref_port *port);
int psp_ref_reset_init(void);
void psp_ref_reset_exit(void);

/* psp_ref_tx.c */
netdev_tx_t psp_ref_xmit(struct sk_buff *skb, struct net_device *dev);
void psp_ref_tx_clean(struct psp_ref_queue *q, int budget);
void psp_ref_tx_flush(struct psp_ref_queue *q);

/* psp_ref_retire.c */

/**
 * psp_ref_mark_is_reached() - has a ring completed all before a mark?
 * @cons: the ring's consumer
 * @pos: the mark, at most the ring's producer
 *
 * Both are free-running indices, which overflow: only the distance says which
 * is ahead.
 *
 * Return: true if it has.
 */
static inline bool psp_ref_mark_is_reached(u32 cons, u32 pos)
{
	return (s32)(cons - pos) >= 0;
}

struct psp_ref_retire *psp_ref_retire_alloc(struct psp_ref_port *port,
					    struct psp_dev *psd);
int psp_ref_retire(struct psp_ref_retire *retire, u32 ticket);
void psp_ref_retire_advance(struct psp_ref_queue *q, u32 cons);

/* psp_ref_rx.c */
int psp_ref_poll(struct napi_struct *napi, int budget);
void psp_ref_rx_flush(struct psp_ref_queue *q);
void psp_ref_irq(void *data, unsigned int queue);

/* psp_ref_psp.c */
int psp_ref_psp_register(struct psp_ref_port *port);
void psp_ref_psp_quiesce(struct psp_ref_port *port);
void psp_ref_psp_unregister(struct psp_ref_port *port);

/* psp_ref_ethtool.c */
extern const struct ethtool_ops psp_ref_ethtool_ops;

/* psp_ref_debugfs.c */
void psp_ref_debugfs_add(struct psp_ref_port *port);
void psp_ref_debugfs_del(struct psp_ref_port *port);
void psp_ref_debugfs_init(void);
void psp_ref_debugfs_exit(void);

#endif /* PSP_REF_H */
