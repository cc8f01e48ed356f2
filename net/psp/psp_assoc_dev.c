// SPDX-License-Identifier: GPL-2.0-only
/*
 * Associated devices: network devices, of containers as a rule, that use the
 * PSP device of another one.
 *
 * An association ends with the network device, or when that moves to another
 * namespace: whoever has moved it there decides anew. Both come as
 * NETDEV_UNREGISTER, under rtnl_lock(), which is also held while associations
 * are made: so a device in the list is registered, and its namespace does not
 * change while the list is locked.
 *
 * DOC: the end of an association
 *
 * The hooks at both ends stand between plain text and the stack, so they must
 * outlast whatever relies on them:
 *
 * 1. Nothing new: the device is taken out of the table. From here on
 *    validation finds no way out, and LOCAL_IN nobody who vouches.
 * 2. synchronize_net(): what has met the ingress hook has been judged. What has
 *    found a way out has met the hook at the other end, but for segments that a
 *    busy CPU has still in its backlog, which nothing short of unregistering
 *    the device waits for. They will have lost their socket before they can be
 *    sent, and the stack drops them. If they are for an address of the host
 *    itself, though, it takes them as plain.
 * 3. The hooks are unregistered, the references given back.
 * 4. kfree_rcu(), for hook functions that still run.
 *
 * psp_dev_unregister() goes the same way with all associations at once, then
 * with the PSP device itself: psp_hook_dev_unregister() has LOCAL_IN and
 * validation think that there are no hooks, before there are none. Not before
 * that is the device taken out of psp_devs, where notifiers look for it.
 */
#include <kunit/visibility.h>
#include <linux/hashtable.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "psp.h"

/* All associated devices, by address. Packet paths look here */
static DEFINE_HASHTABLE(psp_assoc_dev_table, 7);

/* All associations with whatever they still have hooked. Notifiers look here */
static LIST_HEAD(psp_assoc_dev_list);

/* Writers of psp_assoc_dev_table, and psp_assoc_dev_list */
static DEFINE_SPINLOCK(psp_assoc_dev_lock);

/**
 * psp_assoc_dev_find_rcu() - look up the association of a network device
 * @netdev: network device
 *
 * Context: RCU read section.
 * Return: the association or NULL.
 */
struct psp_assoc_dev *psp_assoc_dev_find_rcu(const struct net_device *netdev)
{
	struct psp_assoc_dev *ad;

	hash_for_each_possible_rcu(psp_assoc_dev_table, ad, node,
				   (unsigned long)netdev)
		if (ad->netdev == netdev)
			return ad;

	return NULL;
}

static bool psp_assoc_dev_is_taken(const struct net_device *netdev)
{
	bool taken;

	rcu_read_lock();
	taken = psp_dev_find_by_netdev_rcu(netdev);
	rcu_read_unlock();

	return taken;
}

/* Association of a device of another namespace than the PSP device's: only they
 * carry packets for it
 */
static const struct psp_assoc_dev *
psp_assoc_dev_abroad_rcu(const struct psp_dev *psd,
			 const struct net_device *netdev)
{
	const struct psp_assoc_dev *ad = psp_assoc_dev_find_rcu(netdev);

	if (!ad || ad->psd != psd || psp_assoc_dev_is_at_home_rcu(ad))
		return NULL;

	return ad;
}

/**
 * psp_dev_has_netdev_rcu() - may marked packets come in by a network device?
 * @psd: PSP device, registered
 * @netdev: network device, or NULL
 *
 * Without its ingress hook a network device cannot vouch for anything: somebody
 * may have led a segment back into it.
 *
 * Context: RCU read section.
 * Return: true if it is the PSP device's own, or associated with it and in
 * another namespace, and has its hook.
 */
bool psp_dev_has_netdev_rcu(const struct psp_dev *psd,
			    const struct net_device *netdev)
{
	const struct psp_assoc_dev *ad;

	if (likely(psd->main_netdev == netdev))
		return READ_ONCE(psd->ingress.live);

	ad = psp_assoc_dev_abroad_rcu(psd, netdev);

	return ad && READ_ONCE(ad->ingress.live);
}
EXPORT_SYMBOL_IF_KUNIT(psp_dev_has_netdev_rcu);

/**
 * psp_dev_is_way_out_rcu() - may a marked segment leave by a network device?
 * @psd: PSP device of the segment's key, registered
 * @net: namespace of the segment's socket
 * @netdev: network device that is about to send it
 *
 * The PSP device's own network device encrypts it. An associated one hands it
 * over in plain text, so it must be one of a pair, whose other end takes it
 * from there (psp_container_forward()). A program of XDP at that end comes
 * first and may send it anywhere, past all checks: then it is no way out. Nor
 * is it without the hook there, as when the last state that held the hook has
 * gone while a reply (psp_reply.c) waited in a queue.
 *
 * Context: RCU read section.
 * Return: true if it may.
 */
bool psp_dev_is_way_out_rcu(const struct psp_dev *psd, const struct net *net,
			    const struct net_device *netdev)
{
	const struct psp_assoc_dev *ad;
	struct net_device *peer;

	if (likely(psd->main_netdev == netdev))
		return true;

	ad = psp_assoc_dev_abroad_rcu(psd, netdev);
	if (!ad || !net_eq(dev_net_rcu(netdev), net))
		return false;

	/* It outlives this section: a grace period follows its notifiers */
	peer = READ_ONCE(ad->peer);

	return peer && READ_ONCE(ad->peer_ingress.live) &&
	       !dev_xdp_prog_count(peer);
}

static void psp_assoc_dev_link(struct psp_assoc_dev *ad)
{
	spin_lock(&psp_assoc_dev_lock);
	hash_add_rcu(psp_assoc_dev_table, &ad->node,
		     (unsigned long)ad->netdev);
	spin_unlock(&psp_assoc_dev_lock);
}

/* Does nothing if it is not linked */
static void psp_assoc_dev_unlink(struct psp_assoc_dev *ad)
{
	spin_lock(&psp_assoc_dev_lock);
	hash_del_rcu(&ad->node);
	spin_unlock(&psp_assoc_dev_lock);
}

/* The other end of a pair such as veth and netkit; their drivers want RCU */
static struct net_device *psp_assoc_dev_peer(struct net_device *netdev)
{
	struct net_device *peer = NULL;

	rcu_read_lock();
	if (netdev->netdev_ops->ndo_get_peer_dev)
		peer = netdev->netdev_ops->ndo_get_peer_dev(netdev);
	rcu_read_unlock();

	return peer;
}

static void psp_assoc_dev_list_add(struct psp_assoc_dev *ad)
{
	spin_lock(&psp_assoc_dev_lock);
	list_add_tail(&ad->all, &psp_assoc_dev_list);
	spin_unlock(&psp_assoc_dev_lock);

	list_add_tail(&ad->list, &ad->psd->assoc_devs);
	ad->psd->n_assoc_devs++;
}

static void psp_assoc_dev_list_del(struct psp_assoc_dev *ad)
{
	list_del(&ad->list);
	ad->psd->n_assoc_devs--;

	spin_lock(&psp_assoc_dev_lock);
	list_del(&ad->all);
	spin_unlock(&psp_assoc_dev_lock);
}

/* What packet paths cannot find, for a grace period or ever since */
static void psp_assoc_dev_free(struct psp_assoc_dev *ad)
{
	lockdep_assert_held(&ad->psd->lock);

	psp_hook_assoc_dev_unregister(ad);
	psp_assoc_dev_list_del(ad);
	netdev_put(ad->peer, &ad->peer_tracker);
	netdev_put(ad->netdev, &ad->tracker);
	kfree_rcu(ad, rcu);
}

/**
 * psp_assoc_dev_add() - associate a network device
 * @psd: PSP device, locked
 * @netdev: network device, registered
 *
 * Context: process context, rtnl_lock() held.
 * Return: 0, -EBUSY if the network device belongs to a PSP device already, or
 * another negative errno.
 */
int psp_assoc_dev_add(struct psp_dev *psd, struct net_device *netdev)
{
	struct psp_assoc_dev *ad;
	int err;

	ASSERT_RTNL();
	lockdep_assert_held(&psd->lock);

	if (psp_assoc_dev_is_taken(netdev))
		return -EBUSY;

	ad = kzalloc(sizeof(*ad), GFP_KERNEL_ACCOUNT);
	if (!ad)
		return -ENOMEM;

	ad->psd = psd;
	ad->netdev = netdev;
	netdev_hold(netdev, &ad->tracker, GFP_KERNEL);
	ad->peer = psp_assoc_dev_peer(netdev);
	netdev_hold(ad->peer, &ad->peer_tracker, GFP_KERNEL);
	psp_assoc_dev_list_add(ad);

	err = psp_net_hook_dev(psd);
	if (err) {
		psp_assoc_dev_free(ad);
		return err;
	}

	/* From here on packet paths take it for a way in and out */
	psp_assoc_dev_link(ad);
	return 0;
}

/**
 * psp_assoc_dev_del() - end an association
 * @ad: association, of a device that is locked
 *
 * Context: process context, waits for a grace period.
 */
void psp_assoc_dev_del(struct psp_assoc_dev *ad)
{
	lockdep_assert_held(&ad->psd->lock);

	psp_assoc_dev_unlink(ad);
	synchronize_net();
	psp_assoc_dev_free(ad);
}

/**
 * psp_assoc_dev_del_all() - end all associations of a PSP device
 * @psd: PSP device, locked
 *
 * Context: process context, waits for a grace period.
 */
void psp_assoc_dev_del_all(struct psp_dev *psd)
{
	struct psp_assoc_dev *ad, *next;

	if (list_empty(&psd->assoc_devs))
		return;

	list_for_each_entry(ad, &psd->assoc_devs, list)
		psp_assoc_dev_unlink(ad);
	synchronize_net();
	list_for_each_entry_safe(ad, next, &psd->assoc_devs, list)
		psp_assoc_dev_free(ad);
}

/**
 * psp_assoc_dev_find() - look up an association by interface index
 * @psd: PSP device, locked
 * @net: namespace of the network device
 * @ifindex: its index there
 *
 * Return: the association or NULL.
 */
struct psp_assoc_dev *psp_assoc_dev_find(struct psp_dev *psd,
					 const struct net *net, int ifindex)
{
	struct psp_assoc_dev *ad;

	lockdep_assert_held(&psd->lock);

	list_for_each_entry(ad, &psd->assoc_devs, list)
		if (ad->netdev->ifindex == ifindex &&
		    net_eq(dev_net(ad->netdev), net))
			return ad;

	return NULL;
}

/**
 * psp_assoc_dev_first_in() - has a namespace an associated device?
 * @psd: PSP device, locked
 * @net: the namespace
 *
 * Return: the association that was made first there, or NULL.
 */
struct psp_assoc_dev *psp_assoc_dev_first_in(const struct psp_dev *psd,
					     const struct net *net)
{
	struct psp_assoc_dev *ad;

	lockdep_assert_held(&psd->lock);

	list_for_each_entry(ad, &psd->assoc_devs, list)
		if (net_eq(dev_net(ad->netdev), net))
			return ad;

	return NULL;
}

/**
 * psp_assoc_dev_count_in() - how many associated devices has a namespace?
 * @psd: PSP device, locked
 * @net: the namespace
 *
 * Return: their number.
 */
unsigned int psp_assoc_dev_count_in(const struct psp_dev *psd,
				    const struct net *net)
{
	struct psp_assoc_dev *ad;
	unsigned int num = 0;

	lockdep_assert_held(&psd->lock);

	list_for_each_entry(ad, &psd->assoc_devs, list)
		num += net_eq(dev_net(ad->netdev), net);

	return num;
}

/* For good, or for another namespace */
static void psp_assoc_dev_gone(struct psp_assoc_dev *ad)
{
	/* The namespace that loses the device is to hear of it too */
	psp_nl_notify_dev(ad->psd, PSP_CMD_DEV_CHANGE_NTF);
	psp_assoc_dev_del(ad);
}

/* Without a peer, @ad->netdev is no way out any more. The peer is down, and
 * @ad->netdev has not been able to send to it for a grace period.
 */
static void psp_assoc_dev_peer_gone(struct psp_assoc_dev *ad)
{
	struct net_device *peer = ad->peer;

	psp_hook_ingress_unregister(&ad->peer_ingress);
	if (peer->reg_state == NETREG_REGISTERED) {
		ad->peer_moving = true;
		return;
	}

	WRITE_ONCE(ad->peer, NULL);
	netdev_put(peer, &ad->peer_tracker);
}

static void psp_assoc_dev_peer_back(struct psp_assoc_dev *ad)
{
	ad->peer_moving = false;
	if (psp_net_hook_dev(ad->psd))
		psp_assoc_dev_gone(ad);
}

static void psp_assoc_dev_handle(struct psp_dev *psd,
				 const struct net_device *end,
				 unsigned long event)
{
	struct psp_assoc_dev *ad, *next;

	lockdep_assert_held(&psd->lock);

	list_for_each_entry_safe(ad, next, &psd->assoc_devs, list) {
		if (ad->peer == end && event == NETDEV_REGISTER)
			psp_assoc_dev_peer_back(ad);
		else if (ad->peer == end)
			psp_assoc_dev_peer_gone(ad);
		else if (ad->netdev == end && event == NETDEV_UNREGISTER)
			psp_assoc_dev_gone(ad);
	}
}

/* Is a network device an end of one of a PSP device's associations? */
static bool psp_assoc_dev_concerns(const struct psp_dev *psd,
				   const struct net_device *end)
{
	const struct psp_assoc_dev *ad;
	bool found = false;

	spin_lock(&psp_assoc_dev_lock);
	list_for_each_entry(ad, &psp_assoc_dev_list, all) {
		found = ad->psd == psd &&
			(ad->netdev == end || READ_ONCE(ad->peer) == end);
		if (found)
			break;
	}
	spin_unlock(&psp_assoc_dev_lock);

	return found;
}

static int psp_assoc_dev_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *end = netdev_notifier_info_to_dev(ptr);
	struct psp_dev *psd;
	unsigned long id;

	if (event != NETDEV_UNREGISTER && event != NETDEV_REGISTER)
		return NOTIFY_DONE;

	/* The two ends of a pair may be associated with different devices */
	for (id = 0; (psd = psp_dev_get_next(&id)); id++) {
		/* Under rtnl_lock(), associations end but none begins. All
		 * other devices of the host need not wait for this one's lock
		 */
		if (psp_assoc_dev_concerns(psd, end)) {
			mutex_lock(&psd->lock);
			psp_assoc_dev_handle(psd, end, event);
			mutex_unlock(&psd->lock);
		}
		psp_dev_put(psd);
	}

	return NOTIFY_DONE;
}

static struct notifier_block psp_assoc_dev_notifier = {
	.notifier_call = psp_assoc_dev_event,
};

int __init psp_assoc_dev_init(void)
{
	return register_netdevice_notifier(&psp_assoc_dev_notifier);
}

void psp_assoc_dev_exit(void)
{
	unregister_netdevice_notifier(&psp_assoc_dev_notifier);
}
