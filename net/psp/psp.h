/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internal interface of the PSP core, file by file.
 */
#ifndef __PSP_PSP_H
#define __PSP_PSP_H

#include <linux/netlink.h>
#include <linux/rhashtable-types.h>
#include <linux/seqlock.h>
#include <linux/tcp.h>
#include <linux/xarray.h>
#include <net/netns/generic.h>
#include <net/psp.h>
#include <net/sock.h>

#include "psp_policy.h"
#include "psp_tuple.h"

/**
 * DOC: PSP locking
 *
 * The locks, outermost first:
 *
 *  - rtnl_lock(): held by the core's callers when a device comes, goes or
 *    moves, and taken by the core only to make and end associations of
 *    network devices;
 *  - &psp_dev.lock: everything about one device, its associated devices, the
 *    chain of rx associations and the tx key of its sockets (together with the
 *    socket lock);
 *  - lock_sock(): the state of one socket;
 *  - &psp_net.lock: whether the hooks of a network namespace are registered;
 *  - spin locks: &psp_dev.epoch_lock, the lock of &psp_dev.tickets (taken in
 *    hard interrupts too) and of &psp_dev.socks, &psp_sock.wire_lock,
 *    &psp_net.linger_lock, the buckets of the hash tables, the writers of the
 *    table of psp_assoc_dev.c and its list.
 *
 * The packet paths take none of the sleeping locks: they find devices in
 * psp_devs, associated devices in the table of psp_assoc_dev.c, rx associations
 * in that of psp_assoc.c and sockets' states in the ULP slot or in the table of
 * psp_flow.c, all under RCU.
 */

struct nf_hook_state;
struct psp_net;
struct psp_sock;

/* psp_main.c: the registry of devices */
extern struct workqueue_struct *psp_wq;

struct psp_dev *psp_dev_get_by_id_rcu(u32 id);
struct psp_dev *psp_dev_find_by_netdev_rcu(const struct net_device *netdev);
struct psp_dev *psp_dev_get_next(unsigned long *id);
struct psp_dev *psp_dev_lock_by_id(u32 id);
void psp_dev_put(struct psp_dev *psd);

static inline bool psp_dev_tryget(struct psp_dev *psd)
{
	return refcount_inc_not_zero(&psd->refcnt);
}

static inline void psp_dev_get(struct psp_dev *psd)
{
	refcount_inc(&psd->refcnt);
}

/* Still true when seen under psd->lock; a hint everywhere else */
static inline bool psp_dev_is_registered(const struct psp_dev *psd)
{
	return READ_ONCE(psd->ops);
}

/* psp_assoc_dev.c: associated devices */

/**
 * struct psp_assoc_dev - a network device that uses another one's PSP device
 * @node: link in the table of all associated devices
 * @list: link in &psp_dev.assoc_devs; under &psp_dev.lock
 * @all: link in the list of all associations; under the lock of that
 * @psd: PSP device; it outlives the association by an RCU grace period
 * @netdev: network device; a reference is held
 * @tracker: of that reference
 * @peer: other end if @netdev is one of a pair, else NULL; a reference is
 *	held. Written under &psp_dev.lock and rtnl_lock(), read under RCU
 * @peer_tracker: of that reference
 * @peer_moving: @peer is between two namespaces; under &psp_dev.lock
 * @ingress: hook on what enters through @netdev; under &psp_dev.lock
 * @peer_ingress: hook on what @netdev has sent to @peer; same lock
 * @rcu: delays the release
 */
struct psp_assoc_dev {
	struct hlist_node node;
	struct list_head list;
	struct list_head all;
	struct psp_dev *psd;
	struct net_device *netdev;
	netdevice_tracker tracker;
	struct net_device *peer;
	netdevice_tracker peer_tracker;
	bool peer_moving;
	struct psp_ingress ingress;
	struct psp_ingress peer_ingress;
	struct rcu_head rcu;
};

int psp_assoc_dev_init(void);
void psp_assoc_dev_exit(void);

int psp_assoc_dev_add(struct psp_dev *psd, struct net_device *netdev);
void psp_assoc_dev_del(struct psp_assoc_dev *ad);
void psp_assoc_dev_del_all(struct psp_dev *psd);
struct psp_assoc_dev *psp_assoc_dev_find(struct psp_dev *psd,
					 const struct net *net, int ifindex);
struct psp_assoc_dev *psp_assoc_dev_first_in(const struct psp_dev *psd,
					     const struct net *net);
unsigned int psp_assoc_dev_count_in(const struct psp_dev *psd,
				    const struct net *net);
struct psp_assoc_dev *psp_assoc_dev_find_rcu(const struct net_device *netdev);
bool psp_dev_has_netdev_rcu(const struct psp_dev *psd,
			    const struct net_device *netdev);
bool psp_dev_is_way_out_rcu(const struct psp_dev *psd, const struct net *net,
			    const struct net_device *netdev);

/**
 * psp_assoc_dev_is_at_home_rcu() - is it in the namespace of its PSP device?
 * @ad: association with a PSP device that is registered
 *
 * Context: RCU read section.
 * Return: true if it is: then packets need not be carried.
 */
static inline bool
psp_assoc_dev_is_at_home_rcu(const struct psp_assoc_dev *ad)
{
	return net_eq(dev_net_rcu(ad->netdev),
		      dev_net_rcu(ad->psd->main_netdev));
}

/**
 * psp_dev_check_owner() - may a network namespace change a device?
 * @psd: device, locked
 * @net: namespace of the caller
 *
 * Return: 0, or -ENOENT if the device is in another namespace.
 */
static inline int psp_dev_check_owner(const struct psp_dev *psd,
				      const struct net *net)
{
	lockdep_assert_held(&psd->lock);

	return net_eq(dev_net(psd->main_netdev), net) ? 0 : -ENOENT;
}

/**
 * psp_dev_check_access() - may a network namespace use a device?
 * @psd: device, locked
 * @net: namespace of the caller
 *
 * Return: 0, or -ENOENT if the device is none of the namespace's business:
 * neither the device itself nor an associated one is there.
 */
static inline int psp_dev_check_access(const struct psp_dev *psd,
				       const struct net *net)
{
	if (!psp_dev_check_owner(psd, net) || psp_assoc_dev_first_in(psd, net))
		return 0;

	return -ENOENT;
}

/* psp_assoc.c: rx associations */

/**
 * struct psp_rx_key - how the receive path names an rx association
 * @psd: device
 * @epoch: epoch of the device when the SPI was given out
 * @spi: SPI in network byte order
 * @zero: keeps the key free of padding
 */
struct psp_rx_key {
	const struct psp_dev *psd;
	u64 epoch;
	__be32 spi;
	u32 zero;
};

/**
 * struct psp_rx_assoc - an SPI whose packets a socket accepts
 * @node: link in the table of all rx associations
 * @key: device, epoch and SPI
 * @generation: generation of the device key, as the device reported it
 * @version: PSP version
 * @born: when it was made, see psp_list_now()
 * @ps: socket's state; it outlives the association by an RCU grace period
 * @rcu: delays the release
 * @packets: packets accepted. Statistics: the receive path writes it without a
 *	lock, so some are missed where two CPUs receive under one SPI at once.
 *	In a cache line of its own: all lookups in the table read the rest
 */
struct psp_rx_assoc {
	struct rhash_head node;
	struct psp_rx_key key;
	u8 generation;
	u8 version;
	u32 born;
	struct psp_sock *ps;
	struct rcu_head rcu;
	unsigned long packets ____cacheline_aligned_in_smp;
};

int psp_assoc_init(void);
void psp_assoc_exit(void);

struct psp_rx_assoc *psp_rx_assoc_create(struct psp_sock *ps, u8 version,
					 struct psp_key_parsed *key,
					 struct netlink_ext_ack *extack);
void psp_rx_assoc_destroy(struct psp_rx_assoc *ra);
struct psp_rx_assoc *psp_rx_assoc_find_rcu(const struct psp_dev *psd,
					   __be32 spi);

/* psp_tx_key.c: tx keys */
struct psp_assoc *psp_tx_key_create(struct psp_dev *psd, u8 version,
				    const struct psp_key_parsed *key,
				    struct netlink_ext_ack *extack);
void psp_tx_key_destroy(struct psp_assoc *pas);
void psp_assoc_put(struct psp_assoc *pas);
void psp_tx_keys_delete_all(struct psp_dev *psd);
void psp_tx_key_work(struct work_struct *work);

/* psp_drop.c: counts and traces; psp_drop.h */
void psp_drop_init(void);
void psp_drop_exit(void);

/* psp_epoch.c: how old a device key is */
void psp_epoch_sock_add(struct psp_dev *psd, u64 epoch);
void psp_epoch_sock_del(struct psp_dev *psd, u64 epoch);
void psp_epoch_advance(struct psp_dev *psd);

/**
 * psp_epoch_is_live() - does the device still hold the key of an epoch?
 * @now: epoch of the device
 * @epoch: epoch asked for, not after @now
 *
 * Return: true if it does.
 */
static inline bool psp_epoch_is_live(u64 now, u64 epoch)
{
	return now - epoch < PSP_LIVE_EPOCHS;
}

/* psp_sock.c: the state of a socket */

/**
 * enum psp_sock_mode - how far a socket has come
 * @PSP_SOCK_RX: has an rx association only, sends plain text
 * @PSP_SOCK_TX_PENDING: first tx-assoc under way: no plain data any more
 * @PSP_SOCK_TX: has a tx key and sends PSP
 */
enum psp_sock_mode {
	PSP_SOCK_RX,
	PSP_SOCK_TX_PENDING,
	PSP_SOCK_TX,
};

/**
 * struct psp_sock - PSP state of a socket
 * @sk: the socket; NULL once it is destroyed. Under RCU
 * @net: namespace of the socket; valid as long as the state can be found
 * @psd: device; a reference is held
 * @version: PSP version, for the life of the state
 * @via: associated device that its segments were last seen to leave by, for
 *	sockets of other namespaces than the PSP device's. To be looked up only,
 *	never dereferenced
 * @mode: &enum psp_sock_mode; written under the socket lock, read with
 *	psp_sock_mode()
 * @peer_tx: the peer has sent an authenticated packet; only ever set
 * @tx_latched: segments that start before @tx_latch go plain; written under the
 *	socket lock
 * @tx_latch: first sequence number that goes out under PSP; socket lock
 * @tx_first_seq: psp_sock_first_seq() of the connection that @tx_latch belongs
 *	to; socket lock
 * @rx_latch: rcv_nxt at the first tx-assoc; valid from PSP_SOCK_TX on
 * @id: index in &psp_dev.socks, 0 if not there
 * @cookie: cookie of the socket
 * @tx_born: when @tx was set, see psp_list_now(); &psp_dev.lock
 * @rx_rekeys: rx associations that took the place of an older one; same lock
 * @tx_rekeys: the same of tx keys; same lock
 * @full_told: bit 0: that the state is full has been traced
 * @rx_cur: current rx association; replaced under &psp_dev.lock and the socket
 *	lock, read under RCU
 * @rx_prev: the one before it, or NULL; same rules
 * @tx: tx key; same rules
 * @sk_destruct: destructor of the socket, chained
 * @wire_lock: writers of @wire
 * @wire_seq: lets readers see a whole @wire; under @wire_lock
 * @wire: addresses and ports that the socket's segments bear when they leave
 *	the device: not the socket's own under local NAT
 * @flow: how replies without the socket find the state; see psp_flow.c
 * @flow_key: key of @flow; written under the socket lock
 * @flow_linked: @flow is in the table; under the socket lock while @sk lives
 * @forgotten: a new connection has taken over the tuple
 * @hash: sk_hash of the socket when @flow_key was set, or when it was
 *	destroyed; socket lock
 * @bound_dev_if: interface that the socket was bound to when it was destroyed
 * @linger: link in &psp_net.lingering, under its linger_lock
 * @rcu: delays the release
 *
 * Attached to the socket's ULP slot by the first rx-assoc, freed when the
 * socket is destroyed and no time-wait socket speaks for it any more.
 */
struct psp_sock {
	struct sock __rcu *sk;
	struct net *net;
	struct psp_dev *psd;
	const struct net_device *via;
	u8 version;
	u8 mode;
	bool peer_tx;
	bool tx_latched;
	u32 tx_latch;
	u32 tx_first_seq;
	u32 rx_latch;

	u32 id;
	u64 cookie;
	u32 tx_born;
	u32 rx_rekeys;
	u32 tx_rekeys;
	unsigned long full_told;

	struct psp_rx_assoc __rcu *rx_cur;
	struct psp_rx_assoc __rcu *rx_prev;
	struct psp_assoc __rcu *tx;

	void (*sk_destruct)(struct sock *sk);

	spinlock_t wire_lock;		/* writers of wire */
	seqcount_spinlock_t wire_seq;
	struct psp_tuple wire;

	struct rhlist_head flow;
	struct psp_flow_key flow_key;
	bool flow_linked;
	bool forgotten;
	u32 hash;
	int bound_dev_if;
	struct list_head linger;

	struct rcu_head rcu;
};

int psp_sock_check(struct sock *sk, struct netlink_ext_ack *extack);
int psp_sock_set_rx(struct sock *sk, struct psp_dev *psd, u8 version,
		    struct psp_key_parsed *key,
		    struct netlink_ext_ack *extack);
int psp_sock_set_tx(struct sock *sk, struct psp_dev *psd, u8 version,
		    const struct psp_key_parsed *key, const struct net *caller,
		    struct netlink_ext_ack *extack);

/* psp_ulp.c: where the state hangs on the socket, and for how long */
struct psp_sock *psp_sk_state(const struct sock *sk);
int psp_ulp_check(const struct sock *sk, struct netlink_ext_ack *extack);
int psp_ulp_attach(struct sock *sk, struct psp_sock *ps,
		   struct netlink_ext_ack *extack);

/* psp_state.c: allocation and release of the state */
struct psp_sock *psp_state_alloc(struct sock *sk, struct psp_dev *psd,
				 u8 version);
void psp_state_free(struct psp_sock *ps);
void psp_state_check_full(struct psp_sock *ps);

/**
 * psp_sock_first_seq() - where the stream that a socket sends began
 * @sk: TCP socket, locked
 *
 * Tells a connection from the one before it on the same socket.
 *
 * Return: sequence number, the same for the life of a connection.
 */
static inline u32 psp_sock_first_seq(const struct sock *sk)
{
	return tcp_sk(sk)->snd_una - (u32)tcp_sk(sk)->bytes_acked;
}

static inline enum psp_sock_mode psp_sock_mode(const struct psp_sock *ps)
{
	/* Pairs with psp_sock_set_mode(): what belongs to it is there too */
	return smp_load_acquire(&ps->mode);
}

static inline void psp_sock_set_mode(struct psp_sock *ps,
				     enum psp_sock_mode mode)
{
	/* Key and latches first, for psp_sock_mode() */
	smp_store_release(&ps->mode, mode);
}

/**
 * psp_sock_policy_state() - column of the policy table that a socket is in
 * @ps: state
 *
 * Return: the column.
 */
static inline enum psp_policy_state
psp_sock_policy_state(const struct psp_sock *ps)
{
	switch (psp_sock_mode(ps)) {
	case PSP_SOCK_RX:
		return PSP_POLICY_RX;
	case PSP_SOCK_TX_PENDING:
		return PSP_POLICY_TX_PENDING;
	default:
		return READ_ONCE(ps->peer_tx) ? PSP_POLICY_FULL :
						PSP_POLICY_TX;
	}
}

/* psp_list.c: the sockets of a device */

/* States to look at before the device is unlocked for others */
#define PSP_LIST_BATCH	64

int psp_list_add(struct psp_sock *ps);
void psp_list_del(struct psp_sock *ps);
struct sock *psp_list_get_sk(const struct psp_sock *ps);

/* Seconds of a clock that goes on in suspend; wraps, for differences only */
static inline u32 psp_list_now(void)
{
	return ktime_get_boottime_seconds();
}

/**
 * psp_sock_is_visible() - may a namespace be told about a socket?
 * @ps: state of the socket
 * @net: a namespace that may use the socket's device (psp_dev_check_access())
 *
 * The namespace of a device sees all sockets that use it, others their own.
 *
 * Return: true if it may.
 */
static inline bool psp_sock_is_visible(const struct psp_sock *ps,
				       const struct net *net)
{
	lockdep_assert_held(&ps->psd->lock);

	return dev_net(ps->psd->main_netdev) == net || ps->net == net;
}

/* psp_stale.c: sockets that a rotation has left without a key */
void psp_stale_announce(struct psp_dev *psd);
void psp_stale_work(struct work_struct *work);

/* psp_rcv.c: from the driver to the stack; psp_dev_rcv*() */

/* psp_container.c: between a PSP device and the containers that use it */
unsigned int psp_container_forward(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state);
unsigned int psp_container_ingress(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state);
struct net_device *psp_container_dev_rcu(const struct psp_sock *ps);
void psp_container_deliver(struct net_device *netdev, struct sk_buff *skb);

/* psp_forward.c: what a router has to look at */
struct net_device *psp_forward_dev_rcu(const struct sk_buff *skb);
bool psp_forward_is_sound(struct sk_buff *skb);
bool psp_forward_is_too_big(struct sk_buff *skb);

/* psp_encap.c: headers on and off */

/**
 * struct psp_encap_info - where things are in a received packet
 * @l2_len: length of the Ethernet header, VLAN tags included
 * @l3_len: length of the IP header
 * @psp_len: length of the PSP header, cookie included
 * @len: length of the packet without Ethernet padding
 * @spi: SPI in network byte order
 * @version: PSP version
 * @tuple: addresses, and the ports of the TCP header inside
 */
struct psp_encap_info {
	unsigned int l2_len;
	unsigned int l3_len;
	unsigned int psp_len;
	unsigned int len;
	__be32 spi;
	u8 version;
	struct psp_tuple tuple;
};

int psp_encap_parse(struct sk_buff *skb, struct psp_encap_info *info,
		    bool has_icv);
int psp_encap_strip(struct sk_buff *skb, const struct psp_encap_info *info,
		    bool strip_icv);

/* psp_xmit.c: the last look at a segment before the driver gets it */
void psp_xmit_init(void);
struct sk_buff *psp_validate_xmit(struct sock *sk, struct net_device *dev,
				  struct sk_buff *skb);
struct sk_buff *psp_xmit_drop(const struct psp_dev *psd,
			      const struct net_device *dev,
			      struct sk_buff *skb, enum psp_drop reason);
struct sk_buff *psp_validate_xmit_reply(struct sock *sk, struct net_device *dev,
					struct sk_buff *skb);

/* psp_reply.c: segments that TCP sends without the socket */
int psp_reply_init(void);
void psp_reply_exit(void);
bool psp_reply_set_owner(struct sk_buff *skb, struct psp_sock *ps);
struct psp_assoc *psp_reply_assoc(const struct sock *sk);

/* psp_flow.c: from addresses and ports to the state */
int psp_flow_init(void);
void psp_flow_exit(void);
int psp_flow_link(struct psp_sock *ps, const struct psp_tuple *tuple);
void psp_flow_unlink(struct psp_sock *ps);
struct psp_sock *psp_flow_find_rcu(const struct net *net,
				   const struct psp_tuple *tuple);
void psp_flow_forget(const struct net *net, const struct psp_tuple *tuple);

/* psp_net.c: what exists once per network namespace */

/**
 * struct psp_net - PSP in a network namespace
 * @net: the namespace
 * @users: states of sockets; the hooks are registered while it is not 0
 * @lock: protects @hooked
 * @hooked: hooks are registered
 * @idle_work: unregisters the hooks after the last user
 * @linger_lock: protects @lingering; BH-safe
 * @lingering: states of dead sockets that a time-wait socket still speaks for
 * @linger_work: looks which of @lingering have had their time
 */
struct psp_net {
	struct net *net;
	atomic_t users;
	struct mutex lock;		/* hooked */
	bool hooked;
	struct delayed_work idle_work;
	spinlock_t linger_lock;		/* lingering */
	struct list_head lingering;
	struct delayed_work linger_work;
};

int psp_net_init(void);
void psp_net_exit(void);
int psp_net_get(struct net *net, struct psp_dev *psd);
void psp_net_put(struct net *net, struct psp_dev *psd);
int psp_net_hook_dev(struct psp_dev *psd);
void psp_net_linger(struct psp_sock *ps);

/* psp_hook.c: how the core attaches to the stack */
int psp_hook_init(void);
void psp_hook_exit(void);
int psp_hook_net_register(struct net *net);
void psp_hook_net_unregister(struct net *net);
int psp_hook_dev_register(struct psp_dev *psd);
void psp_hook_dev_unregister(struct psp_dev *psd);
void psp_hook_assoc_dev_unregister(struct psp_assoc_dev *ad);
void psp_hook_ingress_unregister(struct psp_ingress *ingress);

/* psp_hook_in.c, psp_hook_out.c: the netfilter hook functions */
unsigned int psp_hook_in4(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);
unsigned int psp_hook_in6(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);
unsigned int psp_hook_ingress(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int psp_hook_out4(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state);
unsigned int psp_hook_out6(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state);

/* psp_nl.c: the netlink family */
int psp_nl_init(void);
void psp_nl_exit(void);
void psp_nl_notify_dev(struct psp_dev *psd, u32 cmd);

/* psp_nl_sock.c: what is told about sockets */
size_t psp_nl_sock_keys_size(void);
int psp_nl_put_sock_keys(struct sk_buff *msg, const struct psp_sock *ps);
bool psp_nl_stale_wanted(struct psp_dev *psd);
void psp_nl_notify_stale(struct psp_dev *psd, struct net *net, u64 cookie,
			 __be32 spi);

#endif /* __PSP_PSP_H */
