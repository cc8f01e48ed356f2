// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a loadable core attaches to a stack that does not know it.
 *
 * Mainline's hooks, what stands in for them here, and what is weaker:
 *
 * sk->psp_assoc
 *	the ULP slot, see psp_ulp.c. No other ULP, sockmap or listen() beside.
 * psp_enqueue_set_decrypted() when TCP queues a segment
 *	LOCAL_OUT, at the first priority: marks each copy that is sent, so
 *	retransmissions are judged afresh. Copies made by later rules bear the
 *	mark and die in validation. A rule that is registered later at the same
 *	priority comes first: its copies have no socket and die here.
 * psp_sk_rx_policy_check() in the socket's receive path
 *	LOCAL_IN, after all other hooks, without the socket lock: the first
 *	tx-assoc needs a grace period (psp_sock.c). A rule of NFQUEUE whose
 *	verdict is NF_STOP passes it by.
 * SKB_EXT_PSP on received packets
 *	skb->decrypted, which GRO and coalescing keep apart, set after the check
 *	of psp_rcv.c; LOCAL_IN checks the interface it came in through. A mark
 *	set for sending and led back into a PSP device is told by its sender's
 *	socket, or by the redirection, in the ingress hook of the device. A tc
 *	rule that mirrors to the ingress of a PSP device can still forge packets
 *	between two sockets of its own host.
 * psp_twsk_*(), psp_reply_set_decrypted()
 *	the flow table (psp_flow.c) and a socket per reply (psp_reply.c).
 * psp_sk_overhead() in MSS calculations
 *	icsk_ext_hdr_len, looked after by LOCAL_OUT.
 * netdev->psp_dev
 *	a search of all devices, in slow paths only; a table of the associated
 *	devices.
 * SKB_EXT_PSP across namespaces
 *	psp_container.c: a packet for a container's association never enters the
 *	namespace of the PSP device.
 *
 * IPv6 reassembles behind LOCAL_IN: nf_defrag_ipv6 does it in PRE_ROUTING for
 * every namespace with PSP sockets.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netfilter_netdev.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

#include "psp.h"

static const struct nf_hook_ops psp_hook_ops[] = {
	{
		.hook		= psp_hook_out4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= NF_IP_PRI_FIRST,
	},
	{
		.hook		= psp_hook_in4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP_PRI_LAST,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.hook		= psp_hook_out6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= NF_IP6_PRI_FIRST,
	},
	{
		.hook		= psp_hook_in6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP6_PRI_LAST,
	},
#endif
};

/**
 * psp_hook_net_register() - see all packets of a network namespace
 * @net: the namespace
 *
 * Returns after a grace period: no packet is on its way past the hooks.
 *
 * Context: process context, may sleep; &psp_net.lock held.
 * Return: 0 or a negative errno.
 */
int psp_hook_net_register(struct net *net)
{
	int err;

#if IS_ENABLED(CONFIG_IPV6)
	err = nf_defrag_ipv6_enable(net);
	if (err)
		return err;
#endif

	err = nf_register_net_hooks(net, psp_hook_ops,
				    ARRAY_SIZE(psp_hook_ops));
	if (err)
		goto err_disable_defrag;

	synchronize_net();
	return 0;

err_disable_defrag:
#if IS_ENABLED(CONFIG_IPV6)
	nf_defrag_ipv6_disable(net);
#endif
	return err;
}

/**
 * psp_hook_net_unregister() - undo psp_hook_net_register()
 * @net: the namespace
 *
 * Context: process context, may sleep; &psp_net.lock held.
 */
void psp_hook_net_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, psp_hook_ops, ARRAY_SIZE(psp_hook_ops));
#if IS_ENABLED(CONFIG_IPV6)
	nf_defrag_ipv6_disable(net);
#endif
}

/* After all rules that may redirect the packet; and what takes packets before
 * what drops them, if somebody has associated both ends of a pair
 */
enum {
	PSP_HOOK_PRI_FORWARD = INT_MAX - 1,
	PSP_HOOK_PRI_INGRESS = INT_MAX,
};

static int psp_hook_ingress_register(struct psp_ingress *ingress,
				     struct net_device *netdev,
				     nf_hookfn *hook, int priority, void *priv)
{
	struct nf_hook_ops *ops = &ingress->ops;
	int err;

	if (ingress->hooked)
		return 0;

	ops->hook = hook;
	ops->priv = priv;
	ops->pf = NFPROTO_NETDEV;
	ops->hooknum = NF_NETDEV_INGRESS;
	ops->priority = priority;
	ops->dev = netdev;

	err = nf_register_net_hook(dev_net(netdev), ops);
	ingress->hooked = !err;

	return err;
}

/**
 * psp_hook_ingress_unregister() - undo the registration of an ingress hook
 * @ingress: the hook, registered or not
 *
 * Context: process context, may sleep; &psp_dev.lock held. The network device
 * is still in the namespace that the hook was registered in. For a grace period
 * nothing has been able to enter through it, or nobody to rely on the hook.
 */
void psp_hook_ingress_unregister(struct psp_ingress *ingress)
{
	if (!ingress->hooked)
		return;

	WRITE_ONCE(ingress->live, false);
	nf_unregister_net_hook(dev_net(ingress->ops.dev), &ingress->ops);
	ingress->hooked = false;
}

static int psp_hook_assoc_dev_register(struct psp_assoc_dev *ad)
{
	int err;

	err = psp_hook_ingress_register(&ad->ingress, ad->netdev,
					psp_container_ingress,
					PSP_HOOK_PRI_INGRESS, ad->psd);
	if (err || !ad->peer || ad->peer_moving)
		return err;

	return psp_hook_ingress_register(&ad->peer_ingress, ad->peer,
					 psp_container_forward,
					 PSP_HOOK_PRI_FORWARD, ad);
}

/**
 * psp_hook_assoc_dev_unregister() - no longer look at an associated device
 * @ad: association, of a device that is locked
 *
 * Context: process context, may sleep.
 */
void psp_hook_assoc_dev_unregister(struct psp_assoc_dev *ad)
{
	lockdep_assert_held(&ad->psd->lock);

	psp_hook_ingress_unregister(&ad->ingress);
	psp_hook_ingress_unregister(&ad->peer_ingress);
}

static int psp_hook_dev_register_all(struct psp_dev *psd)
{
	struct psp_assoc_dev *ad;
	int err;

	err = psp_hook_ingress_register(&psd->ingress, psd->main_netdev,
					psp_hook_ingress, PSP_HOOK_PRI_INGRESS,
					psd);
	if (err)
		return err;

	list_for_each_entry(ad, &psd->assoc_devs, list) {
		err = psp_hook_assoc_dev_register(ad);
		if (err)
			return err;
	}

	return 0;
}

static bool psp_hook_dev_is_hooked(const struct psp_dev *psd)
{
	const struct psp_assoc_dev *ad;

	list_for_each_entry(ad, &psd->assoc_devs, list)
		if (ad->ingress.hooked || ad->peer_ingress.hooked)
			return true;

	return psd->ingress.hooked;
}

static bool psp_hook_dev_is_live(const struct psp_dev *psd)
{
	const struct psp_assoc_dev *ad;

	list_for_each_entry(ad, &psd->assoc_devs, list)
		if (ad->ingress.live != ad->ingress.hooked ||
		    ad->peer_ingress.live != ad->peer_ingress.hooked)
			return false;

	return psd->ingress.live == psd->ingress.hooked;
}

/* What is past a hook that has just been registered may not have met it */
static void psp_hook_dev_go_live(struct psp_dev *psd)
{
	struct psp_assoc_dev *ad;

	if (psp_hook_dev_is_live(psd))
		return;

	synchronize_net();
	WRITE_ONCE(psd->ingress.live, psd->ingress.hooked);
	list_for_each_entry(ad, &psd->assoc_devs, list) {
		WRITE_ONCE(ad->ingress.live, ad->ingress.hooked);
		WRITE_ONCE(ad->peer_ingress.live, ad->peer_ingress.hooked);
	}
}

/**
 * psp_hook_dev_register() - look at what enters through a device
 * @psd: device, locked
 *
 * The same for its associated devices. What is registered already stays.
 *
 * Context: process context, waits for a grace period if anything is new.
 * Return: 0 or a negative errno.
 */
int psp_hook_dev_register(struct psp_dev *psd)
{
	int err;

	lockdep_assert_held(&psd->lock);

	err = psp_hook_dev_register_all(psd);
	psp_hook_dev_go_live(psd);

	return err;
}

/* From here on nobody vouches for what enters, and nothing is sent to a peer */
static void psp_hook_dev_go_dead(struct psp_dev *psd)
{
	struct psp_assoc_dev *ad;

	WRITE_ONCE(psd->ingress.live, false);
	list_for_each_entry(ad, &psd->assoc_devs, list) {
		WRITE_ONCE(ad->ingress.live, false);
		WRITE_ONCE(ad->peer_ingress.live, false);
	}
	synchronize_net();
}

/**
 * psp_hook_dev_unregister() - undo psp_hook_dev_register(), if it was done
 * @psd: device, locked
 *
 * Context: process context, waits for a grace period. The device is still in
 * the namespace that it was registered in.
 */
void psp_hook_dev_unregister(struct psp_dev *psd)
{
	struct psp_assoc_dev *ad;

	lockdep_assert_held(&psd->lock);

	if (!psp_hook_dev_is_hooked(psd))
		return;

	psp_hook_dev_go_dead(psd);
	psp_hook_ingress_unregister(&psd->ingress);
	list_for_each_entry(ad, &psd->assoc_devs, list)
		psp_hook_assoc_dev_unregister(ad);
}

/* Without its hook the device would vouch for what is led back to it, and so no
 * mark counts that comes in by it, until the next rx-assoc has hooked it
 */
static void psp_hook_dev_again(struct psp_dev *psd)
{
	if (psp_net_hook_dev(psd))
		netdev_err(psd->main_netdev,
			   "PSP: cannot hook into ingress, packets under PSP are dropped\n");
}

/* The hook of a device belongs to the namespace that the device is in: it goes
 * when the device leaves, for good or for another one.
 */
static int psp_hook_netdev_event(struct notifier_block *nb,
				 unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct psp_dev *psd;

	if (event != NETDEV_UNREGISTER && event != NETDEV_REGISTER)
		return NOTIFY_DONE;

	rcu_read_lock();
	psd = psp_dev_find_by_netdev_rcu(dev);
	if (psd && (psd->main_netdev != dev || !psp_dev_tryget(psd)))
		psd = NULL;
	rcu_read_unlock();
	if (!psd)
		return NOTIFY_DONE;

	mutex_lock(&psd->lock);
	if (event == NETDEV_UNREGISTER)
		psp_hook_ingress_unregister(&psd->ingress);
	else if (psp_dev_is_registered(psd))
		psp_hook_dev_again(psd);
	mutex_unlock(&psd->lock);
	psp_dev_put(psd);

	return NOTIFY_DONE;
}

static struct notifier_block psp_hook_netdev_notifier = {
	.notifier_call = psp_hook_netdev_event,
};

int __init psp_hook_init(void)
{
	return register_netdevice_notifier(&psp_hook_netdev_notifier);
}

void psp_hook_exit(void)
{
	unregister_netdevice_notifier(&psp_hook_netdev_notifier);
}
