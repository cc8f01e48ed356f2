// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSP Security Protocol: the registry of devices, and the module itself.
 */
#include <kunit/visibility.h>
#include <linux/module.h>

#include "psp.h"
#include "psp_trace.h"

/* Registered devices by id. An entry is gone as soon as the device is
 * unregistered; the memory lasts as long as references to it.
 */
static DEFINE_XARRAY_FLAGS(psp_devs, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);

/* Runs what must not run in a packet path or an RCU callback */
struct workqueue_struct *psp_wq;

static struct lock_class_key psp_dev_socks_key;

static bool psp_dev_ops_complete(const struct psp_dev_ops *ops)
{
	return ops->set_config && ops->key_rotate && ops->rx_spi_alloc &&
	       ops->tx_key_add && ops->tx_key_del && ops->get_stats;
}

/* Without an id, and not to be found yet */
static struct psp_dev *psp_dev_alloc(void)
{
	struct psp_dev *psd;

	psd = kzalloc(sizeof(*psd), GFP_KERNEL);
	if (!psd)
		return NULL;

	psd->drops = alloc_percpu(struct psp_drop_counters);
	if (!psd->drops) {
		kfree(psd);
		return NULL;
	}

	mutex_init(&psd->lock);
	refcount_set(&psd->refcnt, 1);
	spin_lock_init(&psd->epoch_lock);
	INIT_LIST_HEAD(&psd->assoc_devs);
	INIT_LIST_HEAD(&psd->tx_keys);
	xa_init_flags(&psd->tickets, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ |
				     XA_FLAGS_ACCOUNT);
	init_llist_head(&psd->released_keys);
	init_llist_head(&psd->quiesced_keys);
	INIT_WORK(&psd->tx_key_work, psp_tx_key_work);
	xa_init_flags(&psd->socks, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH |
				   XA_FLAGS_ACCOUNT);
	/* Unlike that of tickets it is never taken in hard interrupts */
	lockdep_set_class(&psd->socks.xa_lock, &psp_dev_socks_key);
	INIT_WORK(&psd->stale_work, psp_stale_work);

	return psd;
}

static void psp_dev_free_rcu(struct rcu_head *rcu)
{
	struct psp_dev *psd = container_of(rcu, struct psp_dev, rcu);

	free_percpu(psd->drops);
	kfree(psd);
}

/**
 * psp_dev_create() - register a PSP device
 * @netdev: network device that sends and receives the packets
 * @psd_ops: driver's operations; all but tx_key_retire are mandatory
 * @psd_caps: driver's capabilities
 * @priv_ptr: kept in &psp_dev.drv_priv
 *
 * The operations may be called before this function has returned.
 *
 * Context: process context. @netdev must be registered, or under rtnl_lock().
 * Return: the device, to be given back by psp_dev_unregister(), or an error
 * pointer: -EINVAL for a driver that lacks something, -ENOMEM, -EBUSY if there
 * are no ids left.
 */
struct psp_dev *
psp_dev_create(struct net_device *netdev, struct psp_dev_ops *psd_ops,
	       struct psp_dev_caps *psd_caps, void *priv_ptr)
{
	static u32 last_id;
	struct psp_dev *psd;
	int err;

	if (WARN_ON(!psd_caps->versions || !psp_dev_ops_complete(psd_ops)))
		return ERR_PTR(-EINVAL);

	psd = psp_dev_alloc();
	if (!psd)
		return ERR_PTR(-ENOMEM);

	psd->main_netdev = netdev;
	psd->ops = psd_ops;
	psd->caps = psd_caps;
	psd->drv_priv = priv_ptr;

	/* Nobody may use the device before it has been announced */
	mutex_lock(&psd->lock);
	err = xa_alloc_cyclic_bh(&psp_devs, &psd->id, psd, xa_limit_16b,
				 &last_id, GFP_KERNEL);
	if (err < 0)
		goto err_put_psd;

	trace_psp_dev_add(psd);
	psp_nl_notify_dev(psd, PSP_CMD_DEV_ADD_NTF);
	mutex_unlock(&psd->lock);

	return psd;

err_put_psd:
	mutex_unlock(&psd->lock);
	psp_dev_put(psd);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(psp_dev_create);

/**
 * psp_dev_unregister() - unregister a PSP device
 * @psd: device made by psp_dev_create()
 *
 * Deletes the keys that the device still holds, those of live sockets too: the
 * sockets keep their state, and what they send is dropped from now on. The
 * driver must have stopped its rings, and will not be called again once this
 * has returned. The pointer must not be used after.
 *
 * Context: process context; may hold rtnl_lock().
 */
void psp_dev_unregister(struct psp_dev *psd)
{
	mutex_lock(&psd->lock);
	trace_psp_dev_del(psd);
	psp_nl_notify_dev(psd, PSP_CMD_DEV_DEL_NTF);
	/* In this order: see "the end of an association". Notifiers look for
	 * the device in psp_devs, to unhook network devices that move.
	 */
	psp_assoc_dev_del_all(psd);
	psp_hook_dev_unregister(psd);
	xa_erase_bh(&psp_devs, psd->id);
	psp_tx_keys_delete_all(psd);
	WRITE_ONCE(psd->ops, NULL);
	psd->drv_priv = NULL;
	mutex_unlock(&psd->lock);

	/* The packet paths may still hold pointers to the device, which must
	 * not lead to @psd->main_netdev when that is gone.
	 */
	synchronize_net();
	psp_dev_put(psd);
}
EXPORT_SYMBOL_GPL(psp_dev_unregister);

/**
 * psp_key_size() - length of the keys of a PSP version
 * @version: PSP version
 *
 * Return: bytes, 0 for an unknown version.
 */
unsigned int psp_key_size(u32 version)
{
	switch (version) {
	case PSP_VERSION_HDR0_AES_GCM_128:
	case PSP_VERSION_HDR0_AES_GMAC_128:
		return 16;
	case PSP_VERSION_HDR0_AES_GCM_256:
	case PSP_VERSION_HDR0_AES_GMAC_256:
		return 32;
	default:
		return 0;
	}
}
EXPORT_SYMBOL_GPL(psp_key_size);

/**
 * psp_dev_put() - release a reference on a device
 * @psd: device
 *
 * Context: any.
 */
void psp_dev_put(struct psp_dev *psd)
{
	if (refcount_dec_and_test(&psd->refcnt))
		call_rcu(&psd->rcu, psp_dev_free_rcu);
}
EXPORT_SYMBOL_IF_KUNIT(psp_dev_put);

/**
 * psp_dev_get_by_id_rcu() - look up a registered device
 * @id: its id
 *
 * Context: RCU read section; no reference is taken.
 * Return: the device or NULL.
 */
struct psp_dev *psp_dev_get_by_id_rcu(u32 id)
{
	return xa_load(&psp_devs, id);
}

/**
 * psp_dev_find_by_netdev_rcu() - look up the PSP device of a network device
 * @netdev: network device, the PSP device's own or an associated one
 *
 * Context: RCU read section; no reference is taken. For slow paths: hosts have
 * few PSP devices, but this looks at each of them.
 * Return: the device or NULL.
 */
struct psp_dev *psp_dev_find_by_netdev_rcu(const struct net_device *netdev)
{
	struct psp_assoc_dev *ad;
	struct psp_dev *psd;
	unsigned long id;

	xa_for_each(&psp_devs, id, psd)
		if (psd->main_netdev == netdev)
			return psd;

	ad = psp_assoc_dev_find_rcu(netdev);

	return ad ? ad->psd : NULL;
}

/**
 * psp_dev_get_next() - walk all devices
 * @id: where to begin; set to the id of the device found
 *
 * Return: the device with the lowest id not below @id, referenced, or NULL.
 */
struct psp_dev *psp_dev_get_next(unsigned long *id)
{
	struct psp_dev *psd;

	rcu_read_lock();
	psd = xa_find(&psp_devs, id, ULONG_MAX, XA_PRESENT);
	while (psd && !psp_dev_tryget(psd))
		psd = xa_find_after(&psp_devs, id, ULONG_MAX, XA_PRESENT);
	rcu_read_unlock();

	return psd;
}

/**
 * psp_dev_lock_by_id() - look up a device and lock it
 * @id: its id
 *
 * Return: the device, registered, locked and referenced, or -ENODEV.
 */
struct psp_dev *psp_dev_lock_by_id(u32 id)
{
	struct psp_dev *psd;

	rcu_read_lock();
	psd = psp_dev_get_by_id_rcu(id);
	if (psd && !psp_dev_tryget(psd))
		psd = NULL;
	rcu_read_unlock();
	if (!psd)
		return ERR_PTR(-ENODEV);

	mutex_lock(&psd->lock);
	if (!psp_dev_is_registered(psd)) {
		mutex_unlock(&psd->lock);
		psp_dev_put(psd);
		return ERR_PTR(-ENODEV);
	}

	return psd;
}

static int __init psp_init(void)
{
	int err;

	psp_wq = alloc_workqueue("psp", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!psp_wq)
		return -ENOMEM;

	psp_xmit_init();

	err = psp_assoc_init();
	if (err)
		goto err_destroy_wq;

	err = psp_flow_init();
	if (err)
		goto err_exit_assoc;

	err = psp_reply_init();
	if (err)
		goto err_exit_flow;

	err = psp_net_init();
	if (err)
		goto err_exit_reply;

	err = psp_hook_init();
	if (err)
		goto err_exit_net;

	err = psp_assoc_dev_init();
	if (err)
		goto err_exit_hook;

	err = psp_nl_init();
	if (err)
		goto err_exit_assoc_dev;

	psp_drop_init();
	return 0;

err_exit_assoc_dev:
	psp_assoc_dev_exit();
err_exit_hook:
	psp_hook_exit();
err_exit_net:
	psp_net_exit();
err_exit_reply:
	psp_reply_exit();
err_exit_flow:
	psp_flow_exit();
err_exit_assoc:
	psp_assoc_exit();
err_destroy_wq:
	destroy_workqueue(psp_wq);
	return err;
}

/* No socket has state and no driver is left: both hold the module. What may
 * be left are states of dead sockets, and callbacks that are about to return.
 */
static void __exit psp_exit(void)
{
	psp_drop_exit();
	psp_nl_exit();
	psp_assoc_dev_exit();
	psp_hook_exit();
	psp_net_exit();
	/* The last return from psp_ulp_destruct(), in a task or in softirq */
	synchronize_rcu_tasks();
	synchronize_rcu();
	/* States are freed by RCU, their keys by RCU and then by a work item */
	rcu_barrier();
	rcu_barrier();
	destroy_workqueue(psp_wq);
	rcu_barrier();
	psp_reply_exit();
	psp_flow_exit();
	psp_assoc_exit();
	WARN_ON(!xa_empty(&psp_devs));
}

module_init(psp_init);
module_exit(psp_exit);

MODULE_DESCRIPTION("PSP Security Protocol");
MODULE_LICENSE("GPL");
