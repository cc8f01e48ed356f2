// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tx keys: a &struct psp_assoc each, which drivers find through the socket's
 * state.
 *
 * DOC: the end of a tx key
 *
 * A device may still hold descriptors that name a key long after the last
 * socket has let go of it, so a key ends in steps:
 *
 * 1. psp_assoc_put() gives the last reference back. An RCU grace period later
 *    no transmit path can find the key any more: it is released.
 * 2. The worker asks the driver to retire it and hands it a ticket. A driver
 *    with nothing in flight says so; a driver without the operation has its
 *    key deleted at once.
 * 3. When the last descriptor has completed, the driver calls
 *    psp_tx_key_quiesced() with the ticket, in any context.
 * 4. The worker has the driver delete the key, wipes and frees it.
 *
 * psp_dev_unregister() deletes whatever the device still knows, whichever step
 * it has come to, and waits for nobody: the later steps then only free.
 *
 * A ticket is a number in &psp_dev.tickets, reserved when the key is made, so
 * that nothing on this way can fail. It stands for the key from step 2 to step
 * 3 only: what a driver says about any other number touches no memory.
 */
#include <kunit/visibility.h>
#include <linux/xarray.h>

#include "psp.h"
#include "psp_trace.h"

/* Give the memory back; the device knows nothing of the key (any more) */
static void psp_tx_key_free(struct psp_assoc *pas)
{
	psp_dev_put(pas->psd);
	kfree_sensitive(pas);
}

/* Leave a key to the worker. As soon as it is on the list a worker that is at
 * work already may free it, and with it the last other reference on the device:
 * the work item needs one of its own before.
 */
static void psp_tx_key_hand_over(struct psp_assoc *pas,
				 struct llist_head *list)
{
	struct psp_dev *psd = pas->psd;

	psp_dev_get(psd);
	llist_add(&pas->node, list);
	if (!queue_work(psp_wq, &psd->tx_key_work))
		psp_dev_put(psd);
}

/* A number that stands for no key yet: nothing can be found under it */
static int psp_tx_key_reserve_ticket(struct psp_dev *psd,
				     struct psp_assoc *pas)
{
	int err;

	lockdep_assert_held(&psd->lock);

	err = xa_alloc_cyclic_irq(&psd->tickets, &pas->ticket, NULL,
				  xa_limit_32b, &psd->next_ticket,
				  GFP_KERNEL_ACCOUNT);

	return err < 0 ? err : 0;
}

/* From now on the driver may give the ticket back. The place is reserved, so
 * this needs no memory.
 */
static void psp_tx_key_issue_ticket(struct psp_dev *psd,
				    struct psp_assoc *pas)
{
	lockdep_assert_held(&psd->lock);

	xa_store_irq(&psd->tickets, pas->ticket, pas, GFP_KERNEL);
}

/* The ticket is worth nothing any more. Returns whether it was issued and not
 * given back: then nobody but the caller knows of the key.
 */
static bool psp_tx_key_void_ticket(struct psp_dev *psd, struct psp_assoc *pas)
{
	bool issued = false;

	lockdep_assert_held(&psd->lock);

	xa_lock_irq(&psd->tickets);
	if (pas->ticket)
		issued = __xa_erase(&psd->tickets, pas->ticket);
	pas->ticket = 0;
	xa_unlock_irq(&psd->tickets);

	return issued;
}

/* Make the device forget a key, unless it is gone or has already */
static void psp_tx_key_delete(struct psp_dev *psd, struct psp_assoc *pas)
{
	lockdep_assert_held(&psd->lock);

	if (list_empty(&pas->list))
		return;

	trace_psp_tx_key_del(pas, pas->ticket);
	psd->ops->tx_key_del(psd, pas);
	list_del_init(&pas->list);
	memzero_explicit(&pas->tx, sizeof(pas->tx));

	psd->rekey.tx_keys--;
	psd->rekey.tx_keys_retired -= pas->retired;
	psd->rekey.tx_keys_deleted++;
}

static struct psp_assoc *psp_tx_key_alloc(struct psp_dev *psd, u8 version,
					  const struct psp_key_parsed *key)
{
	struct psp_assoc *pas;

	pas = kzalloc(struct_size(pas, drv_data, psd->caps->assoc_drv_spc),
		      GFP_KERNEL_ACCOUNT);
	if (!pas)
		return NULL;

	psp_dev_get(psd);
	pas->psd = psd;
	pas->dev_id = psd->id;
	pas->generation = psd->generation;
	pas->version = version;
	pas->tx = *key;
	refcount_set(&pas->refcnt, 1);
	INIT_LIST_HEAD(&pas->list);

	return pas;
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

	pas = psp_tx_key_alloc(psd, version, key);
	if (!pas)
		return ERR_PTR(-ENOMEM);

	err = psp_tx_key_reserve_ticket(psd, pas);
	if (err)
		goto err_free_key;

	err = psd->ops->tx_key_add(psd, pas, extack);
	if (err)
		goto err_void_ticket;

	list_add_tail(&pas->list, &psd->tx_keys);
	psd->rekey.tx_keys++;
	trace_psp_tx_key_add(pas, pas->ticket);

	return pas;

err_void_ticket:
	psp_tx_key_void_ticket(psd, pas);
err_free_key:
	psp_tx_key_free(pas);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(psp_tx_key_create);

/**
 * psp_tx_key_destroy() - delete a tx key that no packet path has ever seen
 * @pas: key, with its one reference
 *
 * Context: process context, &psp_dev.lock held.
 */
void psp_tx_key_destroy(struct psp_assoc *pas)
{
	psp_tx_key_delete(pas->psd, pas);
	psp_tx_key_void_ticket(pas->psd, pas);
	psp_tx_key_free(pas);
}
EXPORT_SYMBOL_IF_KUNIT(psp_tx_key_destroy);

/* No transmit path can find the key any more */
static void psp_tx_key_release_rcu(struct rcu_head *rcu)
{
	struct psp_assoc *pas = container_of(rcu, struct psp_assoc, rcu);

	trace_psp_tx_key_release(pas, pas->ticket);
	psp_tx_key_hand_over(pas, &pas->psd->released_keys);
}

/**
 * psp_assoc_put() - release a reference on a tx key
 * @pas: key, or NULL
 *
 * The last reference is the beginning of the key's end, see above.
 *
 * Context: any.
 */
void psp_assoc_put(struct psp_assoc *pas)
{
	if (pas && refcount_dec_and_test(&pas->refcnt))
		call_rcu(&pas->rcu, psp_tx_key_release_rcu);
}
EXPORT_SYMBOL_IF_KUNIT(psp_assoc_put);

/* The key that a ticket stands for; NULL, and a line in the log for the first
 * time, if it is not out.
 */
static struct psp_assoc *psp_tx_key_take_ticket(struct psp_dev *psd,
						u32 ticket)
{
	struct psp_assoc *pas;
	unsigned long flags;
	bool warn = false;

	xa_lock_irqsave(&psd->tickets, flags);
	pas = xa_load(&psd->tickets, ticket);
	if (pas) {
		__xa_erase(&psd->tickets, ticket);
		pas->ticket = 0;
	} else {
		warn = !psd->ticket_warned;
		psd->ticket_warned = true;
	}
	xa_unlock_irqrestore(&psd->tickets, flags);

	if (warn)
		netdev_warn(psd->main_netdev,
			    "PSP: driver gave back tx key ticket %u, which is not out\n",
			    ticket);
	return pas;
}

/**
 * psp_tx_key_quiesced() - the device is done with a retired key
 * @psd: device
 * @ticket: what tx_key_retire was given with the key
 *
 * To be called once, after tx_key_retire has returned -EINPROGRESS or while it
 * is about to, when no descriptor that was posted with the key can make the
 * device read it again. The core calls tx_key_del soon after. A ticket that is
 * not out, because it never was or came back before, is told in the log and
 * has no other effect.
 *
 * Context: any, hard interrupts included; not after psp_dev_unregister() has
 * returned.
 */
void psp_tx_key_quiesced(struct psp_dev *psd, u32 ticket)
{
	struct psp_assoc *pas;

	pas = psp_tx_key_take_ticket(psd, ticket);
	if (!pas)
		return;

	trace_psp_tx_key_quiesced(pas, ticket);
	psp_tx_key_hand_over(pas, &psd->quiesced_keys);
}
EXPORT_SYMBOL_GPL(psp_tx_key_quiesced);

/* Ask the driver whether a key is out of use. Returns true if it may be deleted
 * now: the caller has it for itself. Otherwise the ticket has it, or the
 * driver has given that back already and the worker will find the key.
 */
static bool psp_tx_key_retire(struct psp_dev *psd, struct psp_assoc *pas)
{
	int err;

	lockdep_assert_held(&psd->lock);

	pas->retired = true;
	psd->rekey.tx_keys_retired++;
	if (!psd->ops->tx_key_retire)
		return true;

	trace_psp_tx_key_retire(pas, pas->ticket);
	psp_tx_key_issue_ticket(psd, pas);
	err = psd->ops->tx_key_retire(psd, pas, pas->ticket);
	if (!err)
		return psp_tx_key_void_ticket(psd, pas);

	if (err != -EINPROGRESS)
		netdev_warn(psd->main_netdev,
			    "PSP: driver cannot retire a tx key (%d), it stays in the device\n",
			    err);
	return false;
}

/* Last step of a key that the worker has for itself */
static void psp_tx_key_finish(struct psp_dev *psd, struct psp_assoc *pas)
{
	psp_tx_key_delete(psd, pas);
	psp_tx_key_void_ticket(psd, pas);
	psp_tx_key_free(pas);
}

static void psp_tx_key_released(struct psp_dev *psd, struct psp_assoc *pas)
{
	/* The device may have gone, and the key with it */
	if (list_empty(&pas->list) || psp_tx_key_retire(psd, pas))
		psp_tx_key_finish(psd, pas);
}

/* The device is unlocked after each key: many may end at once, and who asks for
 * a new one should not have to wait for all of them.
 */
static void psp_tx_keys_work_off(struct psp_dev *psd, struct llist_head *list,
				 void (*step)(struct psp_dev *psd,
					      struct psp_assoc *pas))
{
	struct psp_assoc *pas, *next;
	struct llist_node *keys;

	keys = llist_reverse_order(llist_del_all(list));
	llist_for_each_entry_safe(pas, next, keys, node) {
		mutex_lock(&psd->lock);
		step(psd, pas);
		mutex_unlock(&psd->lock);
		cond_resched();
	}
}

/**
 * psp_tx_key_work() - take keys that are at their end one step on
 * @work: &psp_dev.tx_key_work; holds a reference on the device
 */
void psp_tx_key_work(struct work_struct *work)
{
	struct psp_dev *psd = container_of(work, struct psp_dev, tx_key_work);

	psp_tx_keys_work_off(psd, &psd->released_keys, psp_tx_key_released);
	psp_tx_keys_work_off(psd, &psd->quiesced_keys, psp_tx_key_finish);

	psp_dev_put(psd);
}

/**
 * psp_tx_keys_delete_all() - make a device that goes away forget its keys
 * @psd: device, locked
 *
 * The objects stay with their users, or with the worker, and are only memory
 * from now on. Those that wait for the driver to give back their ticket are
 * freed: it will not.
 */
void psp_tx_keys_delete_all(struct psp_dev *psd)
{
	struct psp_assoc *pas, *next;

	lockdep_assert_held(&psd->lock);

	list_for_each_entry_safe(pas, next, &psd->tx_keys, list) {
		psp_tx_key_delete(psd, pas);
		if (psp_tx_key_void_ticket(psd, pas))
			psp_tx_key_free(pas);
		cond_resched();
	}
}
