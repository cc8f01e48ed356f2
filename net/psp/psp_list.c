// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sockets of a device, to be walked by who wants to know about all of them.
 *
 * Each state gets a number when it is made and keeps it, so a walk can stop
 * anywhere and go on later: what lives as long as the walk is seen once, no
 * matter what comes and goes meanwhile.
 *
 * A state may be freed in any context, so the lock of the device does not keep
 * it: walkers hold that, for what is changed under it, and RCU.
 */
#include "psp.h"

/**
 * psp_list_add() - give a state a number
 * @ps: new state
 *
 * Nobody sees the state before the device is unlocked.
 *
 * Context: process context, &psp_dev.lock of its device held.
 * Return: 0, or -ENOMEM or -EBUSY.
 */
int psp_list_add(struct psp_sock *ps)
{
	struct psp_dev *psd = ps->psd;
	int err;

	lockdep_assert_held(&psd->lock);

	err = xa_alloc_cyclic_bh(&psd->socks, &ps->id, ps, xa_limit_31b,
				 &psd->next_sock, GFP_KERNEL_ACCOUNT);

	return err < 0 ? err : 0;
}

/**
 * psp_list_del() - undo psp_list_add()
 * @ps: state, with a number or not
 *
 * Context: any. Walkers may see the state until an RCU grace period has passed.
 */
void psp_list_del(struct psp_sock *ps)
{
	if (ps->id)
		xa_erase_bh(&ps->psd->socks, ps->id);
}

/**
 * psp_list_get_sk() - get the socket of a state
 * @ps: state
 *
 * Context: RCU read section.
 * Return: the socket, to be given to sock_put(); NULL if it is being destroyed.
 */
struct sock *psp_list_get_sk(const struct psp_sock *ps)
{
	struct sock *sk = rcu_dereference(ps->sk);

	if (!sk || !refcount_inc_not_zero(&sk->sk_refcnt))
		return NULL;

	/* The memory may have become another socket's before we had it */
	if (unlikely(rcu_access_pointer(ps->sk) != sk)) {
		sock_put(sk);
		return NULL;
	}

	return sk;
}
