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
 */
#include <linux/hashtable.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "psp.h"

/* All associated devices, by address. Packet paths look here */
static DEFINE_HASHTABLE(psp_assoc_dev_table, 7);

/* Writers of psp_assoc_dev_table */
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

static void psp_assoc_dev_link(struct psp_assoc_dev *ad)
{
	spin_lock(&psp_assoc_dev_lock);
	hash_add_rcu(psp_assoc_dev_table, &ad->node,
		     (unsigned long)ad->netdev);
	spin_unlock(&psp_assoc_dev_lock);
}

static void psp_assoc_dev_unlink(struct psp_assoc_dev *ad)
{
	spin_lock(&psp_assoc_dev_lock);
	hash_del_rcu(&ad->node);
	spin_unlock(&psp_assoc_dev_lock);
}

/**
 * psp_assoc_dev_add() - associate a network device
 * @psd: PSP device, locked
 * @netdev: network device, registered
 *
 * Context: process context, rtnl_lock() held.
 * Return: 0, -EBUSY if the network device belongs to a PSP device already, or
 * -ENOMEM.
 */
int psp_assoc_dev_add(struct psp_dev *psd, struct net_device *netdev)
{
	struct psp_assoc_dev *ad;

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
	list_add_tail(&ad->list, &psd->assoc_devs);
	psd->n_assoc_devs++;
	psp_assoc_dev_link(ad);

	return 0;
}

/**
 * psp_assoc_dev_del() - end an association
 * @ad: association, of a device that is locked
 *
 * Context: process context. Packet paths may see it until a grace period has
 * passed.
 */
void psp_assoc_dev_del(struct psp_assoc_dev *ad)
{
	lockdep_assert_held(&ad->psd->lock);

	psp_assoc_dev_unlink(ad);
	list_del(&ad->list);
	ad->psd->n_assoc_devs--;
	netdev_put(ad->netdev, &ad->tracker);
	kfree_rcu(ad, rcu);
}

/**
 * psp_assoc_dev_del_all() - end all associations of a PSP device
 * @psd: PSP device, locked
 *
 * Context: process context.
 */
void psp_assoc_dev_del_all(struct psp_dev *psd)
{
	struct psp_assoc_dev *ad, *next;

	list_for_each_entry_safe(ad, next, &psd->assoc_devs, list)
		psp_assoc_dev_del(ad);
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

static void psp_assoc_dev_gone(struct psp_dev *psd,
			       const struct net_device *netdev)
{
	struct psp_assoc_dev *ad;

	mutex_lock(&psd->lock);
	ad = psp_assoc_dev_find(psd, dev_net(netdev), netdev->ifindex);
	if (ad) {
		/* The namespace that loses the device is to hear of it too */
		psp_nl_notify_dev(psd, PSP_CMD_DEV_CHANGE_NTF);
		psp_assoc_dev_del(ad);
	}
	mutex_unlock(&psd->lock);
}

static int psp_assoc_dev_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *netdev = netdev_notifier_info_to_dev(ptr);
	struct psp_dev *psd = NULL;
	struct psp_assoc_dev *ad;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;

	rcu_read_lock();
	ad = psp_assoc_dev_find_rcu(netdev);
	if (ad && psp_dev_tryget(ad->psd))
		psd = ad->psd;
	rcu_read_unlock();
	if (!psd)
		return NOTIFY_DONE;

	psp_assoc_dev_gone(psd, netdev);
	psp_dev_put(psd);

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
