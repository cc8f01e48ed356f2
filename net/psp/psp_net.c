// SPDX-License-Identifier: GPL-2.0-only
/*
 * What exists once per network namespace: the hooks, registered while any
 * socket has state, and the states of dead sockets that a time-wait socket
 * still speaks for.
 */
#include <linux/slab.h>
#include <net/inet_hashtables.h>
#include <net/inet6_hashtables.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/tcp.h>

#include "psp.h"

/* How often to look whether a time-wait socket is gone */
#define PSP_LINGER_INTERVAL	HZ

/* How long the hooks stay after the last user: applications may come and go in
 * a loop, and registering waits for a grace period
 */
#define PSP_IDLE_DELAY		HZ

static unsigned int psp_net_id __read_mostly;

static struct psp_net *psp_net(const struct net *net)
{
	return net_generic(net, psp_net_id);
}

static bool psp_net_is_idle(struct psp_net *pn)
{
	return !atomic_read(&pn->users);
}

static int psp_net_hook(struct psp_net *pn)
{
	int err = 0;

	mutex_lock(&pn->lock);
	if (!pn->hooked) {
		err = psp_hook_net_register(pn->net);
		pn->hooked = !err;
	}
	mutex_unlock(&pn->lock);

	return err;
}

/**
 * psp_net_get() - use a namespace: register the hooks if need be
 * @net: network namespace
 * @psd: device that a socket of @net is going to use, locked
 *
 * When this returns, every packet that enters or leaves passes the hooks.
 *
 * Context: process context, may sleep.
 * Return: 0, and psp_net_put() has to be called, or a negative errno.
 */
int psp_net_get(struct net *net, struct psp_dev *psd)
{
	struct psp_net *pn = psp_net(net);
	int err;

	lockdep_assert_held(&psd->lock);

	atomic_inc(&psd->users);
	atomic_inc(&pn->users);
	err = psp_net_hook(pn);
	if (err)
		goto err_put;

	err = psp_hook_dev_register(psd);
	if (err)
		goto err_put;

	return 0;

err_put:
	psp_net_put(net, psd);
	return err;
}

/**
 * psp_net_hook_dev() - one of a PSP device's network devices has come: hook it
 * @psd: device, locked
 *
 * Does nothing if the device is not in use.
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int psp_net_hook_dev(struct psp_dev *psd)
{
	return atomic_read(&psd->users) ? psp_hook_dev_register(psd) : 0;
}

/**
 * psp_net_put() - undo psp_net_get()
 * @net: network namespace
 * @psd: device
 *
 * Context: any.
 */
void psp_net_put(struct net *net, struct psp_dev *psd)
{
	struct psp_net *pn = psp_net(net);

	atomic_dec(&psd->users);
	if (atomic_dec_and_test(&pn->users))
		mod_delayed_work(psp_wq, &pn->idle_work, PSP_IDLE_DELAY);
}

static void psp_net_idle_devs(void)
{
	struct psp_dev *psd;
	unsigned long id;

	for (id = 0; (psd = psp_dev_get_next(&id)); id++) {
		mutex_lock(&psd->lock);
		if (psp_dev_is_registered(psd) && !atomic_read(&psd->users))
			psp_hook_dev_unregister(psd);
		mutex_unlock(&psd->lock);
		psp_dev_put(psd);
	}
}

/* A use that begins now either is seen here, or finds the hooks gone under the
 * same locks and registers them again.
 */
static void psp_net_idle_work(struct work_struct *work)
{
	struct psp_net *pn = container_of(to_delayed_work(work),
					  struct psp_net, idle_work);

	psp_net_idle_devs();

	mutex_lock(&pn->lock);
	if (pn->hooked && psp_net_is_idle(pn)) {
		psp_hook_net_unregister(pn->net);
		pn->hooked = false;
	}
	mutex_unlock(&pn->lock);
}

static struct sock *psp_net_lookup4(struct net *net,
				    const struct psp_tuple *tuple, int dif)
{
	return __inet_lookup_established(net, tuple->raddr.s6_addr32[0],
					 tuple->rport,
					 tuple->laddr.s6_addr32[0],
					 ntohs(tuple->lport), dif, 0);
}

static struct sock *psp_net_lookup6(struct net *net,
				    const struct psp_tuple *tuple, int dif)
{
#if IS_ENABLED(CONFIG_IPV6)
	return __inet6_lookup_established(net, &tuple->raddr, tuple->rport,
					  &tuple->laddr, ntohs(tuple->lport),
					  dif, 0);
#else
	return NULL;
#endif
}

/* Does a time-wait socket stand where the socket of a state stood? */
static bool psp_net_in_timewait(const struct psp_sock *ps)
{
	const struct psp_tuple *tuple = &ps->flow_key.tuple;
	struct sock *sk;
	bool found;

	if (!ps->flow_linked)
		return false;

	/* The lookup looks at sockets that it holds no reference on yet */
	rcu_read_lock();
	if (tuple->proto == htons(ETH_P_IP))
		sk = psp_net_lookup4(ps->net, tuple, ps->bound_dev_if);
	else
		sk = psp_net_lookup6(ps->net, tuple, ps->bound_dev_if);
	found = sk && sk->sk_state == TCP_TIME_WAIT;
	if (sk)
		sock_gen_put(sk);
	rcu_read_unlock();

	return found;
}

/**
 * psp_net_linger() - the socket of a state has been destroyed
 * @ps: its state; freed now, or when the connection's time-wait is over
 *
 * Context: any.
 */
void psp_net_linger(struct psp_sock *ps)
{
	struct psp_net *pn = psp_net(ps->net);

	if (!psp_net_in_timewait(ps)) {
		psp_state_free(ps);
		return;
	}

	spin_lock_bh(&pn->linger_lock);
	list_add_tail(&ps->linger, &pn->lingering);
	spin_unlock_bh(&pn->linger_lock);
	queue_delayed_work(psp_wq, &pn->linger_work, PSP_LINGER_INTERVAL);
}

static void psp_net_linger_work(struct work_struct *work)
{
	struct psp_net *pn = container_of(to_delayed_work(work),
					  struct psp_net, linger_work);
	struct psp_sock *ps, *next;
	LIST_HEAD(lingering);

	spin_lock_bh(&pn->linger_lock);
	list_splice_init(&pn->lingering, &lingering);
	spin_unlock_bh(&pn->linger_lock);

	list_for_each_entry_safe(ps, next, &lingering, linger) {
		if (psp_net_in_timewait(ps))
			continue;
		list_del(&ps->linger);
		psp_state_free(ps);
		cond_resched();
	}

	if (list_empty(&lingering))
		return;

	spin_lock_bh(&pn->linger_lock);
	list_splice(&lingering, &pn->lingering);
	spin_unlock_bh(&pn->linger_lock);
	queue_delayed_work(psp_wq, &pn->linger_work, PSP_LINGER_INTERVAL);
}

static void psp_net_free_lingering(struct psp_net *pn)
{
	struct psp_sock *ps, *next;

	cancel_delayed_work_sync(&pn->linger_work);
	list_for_each_entry_safe(ps, next, &pn->lingering, linger) {
		list_del(&ps->linger);
		psp_state_free(ps);
	}
}

static int __net_init psp_net_ns_init(struct net *net)
{
	struct psp_net *pn = psp_net(net);

	pn->net = net;
	mutex_init(&pn->lock);
	INIT_DELAYED_WORK(&pn->idle_work, psp_net_idle_work);
	spin_lock_init(&pn->linger_lock);
	INIT_LIST_HEAD(&pn->lingering);
	INIT_DELAYED_WORK(&pn->linger_work, psp_net_linger_work);

	return 0;
}

/* No socket of the namespace is left. Time-wait sockets may be, but there is
 * no device any more that they could hear or speak through.
 */
static void __net_exit psp_net_ns_exit(struct net *net)
{
	struct psp_net *pn = psp_net(net);

	psp_net_free_lingering(pn);
	flush_delayed_work(&pn->idle_work);
	mutex_destroy(&pn->lock);
}

static struct pernet_operations psp_net_ops = {
	.init = psp_net_ns_init,
	.exit = psp_net_ns_exit,
	.id = &psp_net_id,
	.size = sizeof(struct psp_net),
};

int __init psp_net_init(void)
{
	return register_pernet_subsys(&psp_net_ops);
}

void psp_net_exit(void)
{
	unregister_pernet_subsys(&psp_net_ops);
}
