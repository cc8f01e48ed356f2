/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __NET_PSP_TYPES_H
#define __NET_PSP_TYPES_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct netlink_ext_ack;
struct psp_dev;
struct psp_drop_counters;

/* UDP destination port of every PSP packet */
#define PSP_DEFAULT_UDP_PORT	1000

/**
 * struct psphdr - PSP header as it stands on the wire
 * @nexthdr: IP protocol number of what follows the header
 * @hdrlen: length of the header in units of 8 bytes, beyond the first 8
 * @crypt_offset: bytes sent in the clear, in units of 4 (PSPHDR_CRYPT_OFFSET)
 * @verfl: version and flags (PSPHDR_VERFL_*)
 * @spi: security parameters index; bit 31 names the device key
 * @iv: initialisation vector, never repeated under one key
 * @vc: optional virtualization cookie, there if PSPHDR_VERFL_VIRT is set
 *
 * PSP Architecture Specification, "PSP Header".
 */
struct psphdr {
	u8	nexthdr;
	u8	hdrlen;
	u8	crypt_offset;
	u8	verfl;
	__be32	spi;
	__be64	iv;
	__be64	vc[];
};

/* Bytes added in front of the TCP header: UDP and PSP header */
#define PSP_ENCAP_HLEN (sizeof(struct udphdr) + sizeof(struct psphdr))

#define PSP_SPI_KEY_ID		GENMASK(30, 0)
#define PSP_SPI_KEY_PHASE	BIT(31)

#define PSPHDR_CRYPT_OFFSET	GENMASK(5, 0)

#define PSPHDR_VERFL_SAMPLE	BIT(7)
#define PSPHDR_VERFL_DROP	BIT(6)
#define PSPHDR_VERFL_VERSION	GENMASK(5, 2)
#define PSPHDR_VERFL_VIRT	BIT(1)
#define PSPHDR_VERFL_ONE	BIT(0)

/* psphdr.hdrlen of a header without and with a virtualization cookie */
#define PSP_HDRLEN_NOOPT	((sizeof(struct psphdr) - 8) / 8)
#define PSP_HDRLEN_VIRT		(PSP_HDRLEN_NOOPT + 1)

#define PSP_MAX_KEY		32

#define PSP_HDR_SIZE		16	/* header without optional fields */
#define PSP_TRL_SIZE		16	/* ICV behind the payload */

/* What PSP takes out of the room of a TCP segment */
#define PSP_OVERHEAD		(PSP_ENCAP_HLEN + PSP_TRL_SIZE)

/* psp_dev.generation has 7 bits */
#define PSP_GEN_VALID_MASK	0x7f

/**
 * struct psp_dev_config - configuration of a PSP device
 * @versions: mask of versions enabled for receiving, bit N for version N
 */
struct psp_dev_config {
	u32 versions;
};

/**
 * struct psp_dev_caps - what a PSP device can do
 * @versions: mask of supported versions, bit N for version N; never 0
 * @assoc_drv_spc: bytes that the driver needs in &psp_assoc.drv_data
 */
struct psp_dev_caps {
	u32 versions;
	u32 assoc_drv_spc;
};

/**
 * struct psp_key_parsed - an SPI and its key
 * @spi: SPI in network byte order
 * @key: key bytes; psp_key_size() tells how many are used
 */
struct psp_key_parsed {
	__be32 spi;
	u8 key[PSP_MAX_KEY];
};

/**
 * struct psp_assoc - a transmit key as drivers see it
 * @psd: device that the key was made for; a reference is held
 * @dev_id: id of @psd
 * @generation: generation of the device key when the object was made
 * @version: PSP version
 * @tx: SPI and key chosen by the peer; wiped once the device has forgotten it
 * @refcnt: references; the last psp_assoc_put() retires the key
 * @rcu: delays the release until no transmit path can hold the key
 * @node: link in &psp_dev.released_keys, later in &psp_dev.quiesced_keys
 * @ticket: number of the key in &psp_dev.tickets; under the lock of that
 * @retired: the driver was told that the key has no users; under &psp_dev.lock
 * @list: link in &psp_dev.tx_keys while the device knows the key; under
 *	&psp_dev.lock
 * @drv_data: space of &psp_dev_caps.assoc_drv_spc bytes for the driver
 *
 * Each tx-assoc makes a new object: it is immutable once published, so that a
 * rekey is the swap of one pointer. Drivers must not keep pointers to it
 * beyond the RCU section that they got it in, except between tx_key_add and
 * tx_key_del.
 */
struct psp_assoc {
	struct psp_dev *psd;

	u16 dev_id;
	u8 generation;
	u8 version;

	struct psp_key_parsed tx;

	refcount_t refcnt;
	struct rcu_head rcu;
	struct llist_node node;
	u32 ticket;
	bool retired;
	struct list_head list;

	u8 drv_data[] __aligned(8);
};

/**
 * struct psp_dev_stats - statistics that the specification demands
 * @rx_packets: packets authenticated
 * @rx_bytes: bytes of @rx_packets, from behind the IV to the last byte of
 *	payload: neither the 16 bytes of PSP header nor the ICV count
 * @rx_auth_fail: packets with a wrong ICV
 * @rx_error: packets with bad lengths or framing
 * @rx_bad: packets of a version unknown or disabled, of an SPI without a
 *	usable device key, and any other
 * @tx_packets: packets sent
 * @tx_bytes: bytes of @tx_packets, counted like @rx_bytes
 * @tx_error: packets that could not be sent
 * @required: the same as an array; the core checks that all were filled in
 */
struct psp_dev_stats {
	union {
		struct {
			u64 rx_packets;
			u64 rx_bytes;
			u64 rx_auth_fail;
			u64 rx_error;
			u64 rx_bad;
			u64 tx_packets;
			u64 tx_bytes;
			u64 tx_error;
		};
		DECLARE_FLEX_ARRAY(u64, required);
	};
};

/**
 * struct psp_dev_ops - what a driver does for the core
 *
 * All but @tx_key_retire are mandatory. They are called in process context with
 * &psp_dev.lock held, may sleep and must not take rtnl_lock().
 */
struct psp_dev_ops {
	/**
	 * @set_config: change the configuration; &psp_dev.config holds the
	 * old one and is updated by the core afterwards
	 */
	int (*set_config)(struct psp_dev *psd, struct psp_dev_config *conf,
			  struct netlink_ext_ack *extack);

	/**
	 * @key_rotate: make a new device key, forget the one before the
	 * current one. &psp_dev.generation already has a new value, which the
	 * driver may replace by its own (0 if it has no such count)
	 */
	int (*key_rotate)(struct psp_dev *psd, struct netlink_ext_ack *extack);

	/**
	 * @rx_spi_alloc: give out an SPI never given out before under the
	 * current device key, and the key derived for it. -ENOSPC if there
	 * are none left
	 */
	int (*rx_spi_alloc)(struct psp_dev *psd, u32 version,
			    struct psp_key_parsed *assoc,
			    struct netlink_ext_ack *extack);

	/**
	 * @tx_key_add: install @pas->tx in the device; @pas is the object that
	 * @tx_key_del will be called with
	 */
	int (*tx_key_add)(struct psp_dev *psd, struct psp_assoc *pas,
			  struct netlink_ext_ack *extack);

	/**
	 * @tx_key_retire: optional; nobody can find @pas for sending any more,
	 * so no new descriptor will bear its key. 0: there is none in flight
	 * either. -EINPROGRESS: there are, or may be; the driver calls
	 * psp_tx_key_quiesced() with @ticket, from any context and even before
	 * this has returned, when the last of them has completed. @pas stays
	 * valid until @tx_key_del. Must not wait for descriptors. Any other
	 * value is warned about, and the key stays until the ticket comes back
	 * or the device is unregistered. For drivers whose descriptors name a
	 * key; without it keys are deleted at once
	 */
	int (*tx_key_retire)(struct psp_dev *psd, struct psp_assoc *pas,
			     u32 ticket);

	/**
	 * @tx_key_del: make the device forget @pas->tx. Called exactly once
	 * for each successful @tx_key_add: when the key has never been used,
	 * when it is retired and quiet, or from psp_dev_unregister(). A driver
	 * without @tx_key_retire must not return while the device may still
	 * read the key for a descriptor that was posted earlier
	 */
	void (*tx_key_del)(struct psp_dev *psd, struct psp_assoc *pas);

	/**
	 * @get_stats: fill in every member of @stats one by one
	 */
	void (*get_stats)(struct psp_dev *psd, struct psp_dev_stats *stats);
};

/**
 * struct psp_ingress - a hook of the core on what enters a network device
 * @ops: as registered
 * @hooked: it is registered; under &psp_dev.lock
 * @live: it is and will be for a grace period, so whatever is past it has met
 *	it; written under &psp_dev.lock, read under RCU
 */
struct psp_ingress {
	struct nf_hook_ops ops;
	bool hooked;
	bool live;
};

/* Epochs of which the device still has the key: the current, the one before */
#define PSP_LIVE_EPOCHS		2

/**
 * struct psp_dev - a device that can do PSP
 * @main_netdev: network device that sends and receives the packets
 * @ops: driver's operations; NULL once the device is unregistered
 * @caps: driver's capabilities
 * @drv_priv: driver's pointer; NULL once the device is unregistered
 * @lock: instance lock. Taken inside rtnl_lock(), outside the socket lock and
 *	the driver's ring locks. Nothing below it takes rtnl_lock()
 * @refcnt: references to the memory; they do not keep the device registered
 * @id: number that user space knows the device by
 * @generation: driver's 7-bit count of device keys, compared for equality
 *	only; written under @lock
 * @config: current configuration; under @lock
 * @epoch: the core's own count of rotations; written under @lock and
 *	@epoch_lock, read with READ_ONCE()
 * @epoch_lock: protects @epoch_socks and the change of @epoch; BH-safe
 * @epoch_socks: sockets whose current rx association was made in an epoch,
 *	indexed by epoch % PSP_LIVE_EPOCHS; under @epoch_lock
 * @tx_keys: keys that the device knows; under @lock
 * @tickets: retired keys that the driver has to call back for, by ticket, and
 *	reserved places for all other keys; under its own irq-safe lock
 * @next_ticket: where to look for the next free ticket; under @lock
 * @ticket_warned: the driver gave back a ticket that was not out; under the
 *	lock of @tickets
 * @released_keys: keys that no transmit path can find, to be retired
 * @quiesced_keys: retired keys that the driver is done with, to be deleted
 * @tx_key_work: works off @released_keys and @quiesced_keys
 * @socks: states of sockets by &psp_sock.id; added to under @lock, walked under
 *	@lock and RCU, taken from under its own BH-safe lock
 * @next_sock: where to look for the next free id in @socks; under @lock
 * @stale_from: first epoch whose sockets are still to be announced as stale;
 *	under @lock, while @stale_pending
 * @stale_pending: @stale_work has not begun yet; under @lock
 * @stale_work: announces sockets that have become stale
 * @stats: counters of the core; under @lock
 * @stats.rotations: device key rotations
 * @stats.stales: sockets whose current rx association became stale
 * @rekey: counters of rekeying; under @lock
 * @rekey.rx_rekeys: rx associations that took the place of an older one
 * @rekey.tx_rekeys: the same of tx keys
 * @rekey.tx_keys: keys in the device
 * @rekey.tx_keys_retired: those of them that wait for their deletion
 * @rekey.tx_keys_deleted: keys deleted so far
 * @drops: packets that the core has dropped, by reason
 * @assoc_devs: associated network devices; changed under @lock
 * @n_assoc_devs: how many there are; under @lock
 * @users: states of sockets; the ingress hooks are registered while it is not
 *	0
 * @ingress: hook on what enters through @main_netdev; under @lock
 * @rcu: delays the release of the memory
 */
struct psp_dev {
	struct net_device *main_netdev;

	struct psp_dev_ops *ops;
	struct psp_dev_caps *caps;
	void *drv_priv;

	struct mutex lock;		/* most of this structure */
	refcount_t refcnt;

	u32 id;
	u8 generation;
	struct psp_dev_config config;

	u64 epoch;
	spinlock_t epoch_lock;		/* epoch, epoch_socks */
	unsigned int epoch_socks[PSP_LIVE_EPOCHS];

	struct list_head tx_keys;
	struct xarray tickets;
	u32 next_ticket;
	bool ticket_warned;
	struct llist_head released_keys;
	struct llist_head quiesced_keys;
	struct work_struct tx_key_work;

	struct xarray socks;
	u32 next_sock;
	u64 stale_from;
	bool stale_pending;
	struct work_struct stale_work;

	struct {
		unsigned long rotations;
		unsigned long stales;
	} stats;

	struct {
		u64 rx_rekeys;
		u64 tx_rekeys;
		u32 tx_keys;
		u32 tx_keys_retired;
		u64 tx_keys_deleted;
	} rekey;

	struct psp_drop_counters __percpu *drops;

	struct list_head assoc_devs;
	unsigned int n_assoc_devs;

	atomic_t users;
	struct psp_ingress ingress;

	struct rcu_head rcu;
};

#endif /* __NET_PSP_TYPES_H */
