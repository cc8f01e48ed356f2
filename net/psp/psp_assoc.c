// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rx associations and tx keys.
 *
 * An rx association is an entry in a table, looked up for each packet. A tx
 * key is a &struct psp_assoc that drivers find through the socket's state.
 */
#include <linux/rhashtable.h>

#include "psp.h"

static const struct rhashtable_params psp_rx_params = {
	.head_offset = offsetof(struct psp_rx_assoc, node),
	.key_offset = offsetof(struct psp_rx_assoc, key),
	.key_len = sizeof(struct psp_rx_key),
	.automatic_shrinking = true,
};

static struct rhashtable psp_rx_table;

int __init psp_assoc_init(void)
{
	return rhashtable_init(&psp_rx_table, &psp_rx_params);
}

void psp_assoc_exit(void)
{
	rhashtable_destroy(&psp_rx_table);
}

/**
 * psp_rx_assoc_create() - get an SPI from the device and accept its packets
 * @ps: state of the socket; packets that bear its tuple are accepted from now
 * @version: PSP version
 * @key: filled in with SPI and key, which the caller has to wipe
 * @extack: for the reason of a failure
 *
 * Context: process context, &psp_dev.lock of @ps->psd held.
 * Return: the association, to be given to psp_rx_assoc_destroy(), or an error
 * pointer.
 */
struct psp_rx_assoc *psp_rx_assoc_create(struct psp_sock *ps, u8 version,
					 struct psp_key_parsed *key,
					 struct netlink_ext_ack *extack)
{
	struct psp_dev *psd = ps->psd;
	struct psp_rx_assoc *ra;
	int err;

	lockdep_assert_held(&psd->lock);

	ra = kzalloc(sizeof(*ra), GFP_KERNEL_ACCOUNT);
	if (!ra)
		return ERR_PTR(-ENOMEM);

	err = psd->ops->rx_spi_alloc(psd, version, key, extack);
	if (err)
		goto err_free_ra;

	ra->key.psd = psd;
	ra->key.epoch = psd->epoch;
	ra->key.spi = key->spi;
	ra->generation = psd->generation;
	ra->version = version;
	ra->ps = ps;

	err = rhashtable_lookup_insert_fast(&psp_rx_table, &ra->node,
					    psp_rx_params);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cannot register the device's SPI");
		goto err_wipe_key;
	}

	return ra;

err_wipe_key:
	memzero_explicit(key, sizeof(*key));
err_free_ra:
	kfree(ra);
	return ERR_PTR(err);
}

/**
 * psp_rx_assoc_destroy() - no longer accept the packets of an SPI
 * @ra: association, or NULL
 *
 * Context: any. Receive paths may see it until an RCU grace period has passed.
 */
void psp_rx_assoc_destroy(struct psp_rx_assoc *ra)
{
	if (!ra)
		return;

	rhashtable_remove_fast(&psp_rx_table, &ra->node, psp_rx_params);
	kfree_rcu(ra, rcu);
}

/**
 * psp_rx_assoc_find_rcu() - look up the rx association of a packet
 * @psd: device that received the packet
 * @spi: SPI of the packet
 *
 * An SPI is looked for in the epochs that the device still holds keys of, the
 * newest first. The bit in the SPI that names the device key keeps the two
 * apart, so that no packet matches both.
 *
 * Context: RCU read section.
 * Return: the association or NULL.
 */
struct psp_rx_assoc *psp_rx_assoc_find_rcu(const struct psp_dev *psd,
					   __be32 spi)
{
	struct psp_rx_key key = { .psd = psd, .spi = spi };
	u64 now = READ_ONCE(psd->epoch);
	struct psp_rx_assoc *ra;

	for (key.epoch = now;
	     psp_epoch_is_live(now, key.epoch) && key.epoch <= now;
	     key.epoch--) {
		ra = rhashtable_lookup(&psp_rx_table, &key, psp_rx_params);
		if (ra)
			return ra;
	}

	return NULL;
}

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
