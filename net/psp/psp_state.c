// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation and release of a socket's state.
 */
#include <linux/slab.h>
#include <linux/sock_diag.h>

#include "psp.h"
#include "psp_trace.h"

static u64 psp_state_cookie(struct sock *sk)
{
	__u32 cookie[2];

	/* What modules may call of sock_gen_cookie() */
	sock_diag_save_cookie(sk, cookie);

	return (u64)cookie[1] << 32 | cookie[0];
}

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
	ps->cookie = psp_state_cookie(sk);
	spin_lock_init(&ps->wire_lock);
	seqcount_spinlock_init(&ps->wire_seq, &ps->wire_lock);
	psp_tuple_from_sock(&ps->wire, sk);
	ps->hash = sk->sk_hash;
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
	struct psp_rx_assoc *cur = rcu_dereference_protected(ps->rx_cur, true);

	/* First of all: who finds it there may look at what it holds */
	psp_list_del(ps);
	psp_flow_unlink(ps);
	if (cur) {
		trace_psp_sock_free(ps, cur->key.spi);
		psp_epoch_sock_del(ps->psd, cur->key.epoch);
	}
	psp_rx_assoc_destroy(cur);
	psp_rx_assoc_destroy(rcu_dereference_protected(ps->rx_prev, true));
	psp_assoc_put(rcu_dereference_protected(ps->tx, true));
	psp_net_put(ps->net, ps->psd);
	call_rcu(&ps->rcu, psp_state_free_rcu);
}

/**
 * psp_state_check_full() - trace that a socket has come to its last state
 * @ps: state; the caller has set its mode or its peer_tx
 *
 * Context: any.
 */
void psp_state_check_full(struct psp_sock *ps)
{
	/* The two may be set at once: each writer then looks for the other's
	 * word, and one of them at least finds it.
	 */
	smp_mb();
	if (psp_sock_policy_state(ps) != PSP_POLICY_FULL ||
	    test_and_set_bit(0, &ps->full_told))
		return;

	rcu_read_lock();
	trace_psp_sock_full(ps, rcu_dereference(ps->rx_cur)->key.spi);
	rcu_read_unlock();
}
