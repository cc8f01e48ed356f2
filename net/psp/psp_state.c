// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation and release of a socket's state.
 */
#include <linux/slab.h>

#include "psp.h"

/* Until a segment leaves: the device of the route, or any of the namespace's */
static const struct net_device *psp_state_via(struct sock *sk,
					      const struct psp_dev *psd)
{
	const struct net_device *via = NULL;
	const struct psp_assoc_dev *ad;
	struct dst_entry *dst;

	rcu_read_lock();
	dst = __sk_dst_get(sk);
	ad = dst ? psp_assoc_dev_find_rcu(dst_dev_rcu(dst)) : NULL;
	if (ad && ad->psd == psd)
		via = ad->netdev;
	rcu_read_unlock();
	if (via)
		return via;

	ad = psp_assoc_dev_first_in(psd, sock_net(sk));

	return ad ? ad->netdev : NULL;
}

/**
 * psp_state_alloc() - make the state of a socket
 * @sk: socket, locked
 * @psd: device, locked; the state takes a reference
 * @version: PSP version
 *
 * The caller holds a use of the namespace (psp_net_get()), which it hands over
 * to the state.
 *
 * Return: the state, to be given to psp_state_free(), or NULL.
 */
struct psp_sock *psp_state_alloc(struct sock *sk, struct psp_dev *psd,
				 u8 version)
{
	struct psp_sock *ps;

	ps = kzalloc(sizeof(*ps), GFP_KERNEL_ACCOUNT);
	if (!ps)
		return NULL;

	psp_dev_get(psd);
	ps->psd = psd;
	ps->version = version;
	ps->net = sock_net(sk);
	ps->via = psp_state_via(sk, psd);
	RCU_INIT_POINTER(ps->sk, sk);
	spin_lock_init(&ps->wire_lock);
	seqcount_spinlock_init(&ps->wire_seq, &ps->wire_lock);
	psp_tuple_from_sock(&ps->wire, sk);
	INIT_LIST_HEAD(&ps->linger);

	return ps;
}

static void psp_state_free_rcu(struct rcu_head *rcu)
{
	struct psp_sock *ps = container_of(rcu, struct psp_sock, rcu);

	psp_dev_put(ps->psd);
	kfree(ps);
}

/**
 * psp_state_free() - give a state and all that it holds back
 * @ps: state, no longer reachable through a socket
 *
 * Context: any. Packet paths may see it until an RCU grace period has passed.
 */
void psp_state_free(struct psp_sock *ps)
{
	psp_flow_unlink(ps);
	if (ps->rx_cur)
		psp_epoch_sock_del(ps->psd, ps->rx_cur->key.epoch);
	psp_rx_assoc_destroy(ps->rx_cur);
	psp_rx_assoc_destroy(ps->rx_prev);
	psp_assoc_put(rcu_dereference_protected(ps->tx, true));
	psp_net_put(ps->net, ps->psd);
	call_rcu(&ps->rcu, psp_state_free_rcu);
}
