// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tx keys: a &struct psp_assoc each, which drivers find through the socket's
 * state.
 */
#include "psp.h"

/* Give the memory back; the device knows nothing of the key (any more) */
static void psp_tx_key_free(struct psp_assoc *pas)
{
	psp_dev_put(pas->psd);
	kfree_sensitive(pas);
}

/* Make the device forget a key, unless it is gone or has already */
static void psp_tx_key_delete(struct psp_dev *psd, struct psp_assoc *pas)
{
	lockdep_assert_held(&psd->lock);

	if (list_empty(&pas->list))
		return;

	psd->ops->tx_key_del(psd, pas);
	list_del_init(&pas->list);
	memzero_explicit(&pas->tx, sizeof(pas->tx));
}

/**
 * psp_tx_key_create() - add a tx key to the device
 * @psd: device
 * @version: PSP version
 * @key: SPI and key chosen by the peer
 * @extack: for the reason of a failure
 *
 * Context: process context, &psp_dev.lock held.
 * Return: the key with one reference, or an error pointer.
 */
struct psp_assoc *psp_tx_key_create(struct psp_dev *psd, u8 version,
				    const struct psp_key_parsed *key,
				    struct netlink_ext_ack *extack)
{
	struct psp_assoc *pas;
	int err;

	lockdep_assert_held(&psd->lock);

	pas = kzalloc(struct_size(pas, drv_data, psd->caps->assoc_drv_spc),
		      GFP_KERNEL_ACCOUNT);
	if (!pas)
		return ERR_PTR(-ENOMEM);

	psp_dev_get(psd);
	pas->psd = psd;
	pas->dev_id = psd->id;
	pas->generation = psd->generation;
	pas->version = version;
	pas->tx = *key;
	refcount_set(&pas->refcnt, 1);
	INIT_LIST_HEAD(&pas->list);

	err = psd->ops->tx_key_add(psd, pas, extack);
	if (err) {
		psp_tx_key_free(pas);
		return ERR_PTR(err);
	}

	list_add_tail(&pas->list, &psd->tx_keys);
	return pas;
}

/**
 * psp_tx_key_destroy() - delete a tx key that no packet path has ever seen
 * @pas: key, with its one reference
 *
 * Context: process context, &psp_dev.lock held.
 */
void psp_tx_key_destroy(struct psp_assoc *pas)
{
	psp_tx_key_delete(pas->psd, pas);
	psp_tx_key_free(pas);
}

/* No transmit path can find the key any more: the worker may delete it */
static void psp_tx_key_retire_rcu(struct rcu_head *rcu)
{
	struct psp_assoc *pas = container_of(rcu, struct psp_assoc, rcu);
	struct psp_dev *psd = pas->psd;

	/* The work item outlives the keys that it finds, and they hold the
	 * only other references.
	 */
	psp_dev_get(psd);
	llist_add(&pas->retired, &psd->retired_keys);
	if (!queue_work(psp_wq, &psd->retire_work))
		psp_dev_put(psd);
}

/**
 * psp_tx_keys_retire_work() - delete the keys that have lost their users
 * @work: &psp_dev.retire_work; holds a reference on the device
 */
void psp_tx_keys_retire_work(struct work_struct *work)
{
	struct psp_dev *psd = container_of(work, struct psp_dev, retire_work);
	struct psp_assoc *pas, *next;
	struct llist_node *keys;

	mutex_lock(&psd->lock);
	keys = llist_del_all(&psd->retired_keys);
	llist_for_each_entry_safe(pas, next, keys, retired) {
		psp_tx_key_delete(psd, pas);
		psp_tx_key_free(pas);
	}
	mutex_unlock(&psd->lock);

	psp_dev_put(psd);
}

/**
 * psp_assoc_put() - release a reference on a tx key
 * @pas: key, or NULL
 *
 * With the last reference the key is retired: after an RCU grace period, in
 * process context, the driver is told to delete it.
 *
 * Context: any.
 */
void psp_assoc_put(struct psp_assoc *pas)
{
	if (pas && refcount_dec_and_test(&pas->refcnt))
		call_rcu(&pas->rcu, psp_tx_key_retire_rcu);
}

/**
 * psp_tx_keys_delete_all() - make a device that goes away forget its keys
 * @psd: device, locked
 *
 * The objects stay with their users, and are only memory from now on.
 */
void psp_tx_keys_delete_all(struct psp_dev *psd)
{
	struct psp_assoc *pas, *next;

	lockdep_assert_held(&psd->lock);

	list_for_each_entry_safe(pas, next, &psd->tx_keys, list)
		psp_tx_key_delete(psd, pas);
}
