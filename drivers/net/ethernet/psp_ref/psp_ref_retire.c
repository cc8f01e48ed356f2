// SPDX-License-Identifier: GPL-2.0-only
/*
 * When is the device done with a key? Ring marks: a key that is retired notes,
 * for each transmit ring, how far the producer has come. No descriptor behind
 * that mark can bear its handle, so when each ring has completed up to its mark
 * the handle is out of use.
 *
 * Nothing of this is on the way of a packet: ndo_start_xmit knows nothing of
 * it, and the poll loop looks whether a list is empty.
 */

#include <linux/netdevice.h>
#include <linux/slab.h>

#include "psp_ref.h"

/**
 * struct psp_ref_mark - how far a ring has to come
 * @node: link in &psp_ref_queue.marks, under &psp_ref_queue.mark_lock
 * @pos: free-running index that the ring's consumer has to reach
 * @retire: whose mark it is
 */
struct psp_ref_mark {
	struct list_head	node;
	u32			pos;
	struct psp_ref_retire	*retire;
};

/**
 * struct psp_ref_retire - what it takes to retire a key
 * @port: port
 * @psd: PSP device of @port; outlives the key
 * @ticket: what the core wants to be told
 * @left: rings that have not reached their mark, and one as long as not all
 *	rings have been looked at
 * @mark: one for each queue pair of @port
 *
 * Made together with the key, as its end must not fail for lack of memory.
 */
struct psp_ref_retire {
	struct psp_ref_port	*port;
	struct psp_dev		*psd;
	u32			ticket;
	refcount_t		left;
	struct psp_ref_mark	mark[];
};

/**
 * psp_ref_retire_alloc() - get the memory for the end of a key
 * @port: port whose device will hold the key
 * @psd: PSP device of @port
 *
 * Return: to be freed with kfree() when the key is deleted; NULL if there is
 * no memory.
 */
struct psp_ref_retire *psp_ref_retire_alloc(struct psp_ref_port *port,
					    struct psp_dev *psd)
{
	struct psp_ref_retire *retire;
	unsigned int i;

	retire = kzalloc(struct_size(retire, mark, port->nqueues),
			 GFP_KERNEL_ACCOUNT);
	if (!retire)
		return NULL;

	retire->port = port;
	retire->psd = psd;
	for (i = 0; i < port->nqueues; i++)
		retire->mark[i].retire = retire;

	return retire;
}

/* The transmit lock is taken for the sake of the doorbell, which may lag behind
 * the producer as long as the stack has more packets to come: a descriptor
 * that the device has not been told of would hold up the key for just as long.
 */
static u32 psp_ref_retire_producer(struct psp_ref_queue *q)
{
	struct netdev_queue *nq = netdev_get_tx_queue(q->port->dev, q->index);
	u32 prod;

	__netif_tx_lock_bh(nq);
	prod = q->tx_prod;
	if (q->tx.doorbell != prod)
		psp_ref_hw_tx_doorbell(q->port->hw, q->index, prod);
	__netif_tx_unlock_bh(nq);

	return prod;
}

/* The mark is linked before NAPI is scheduled: a poll that comes too early to
 * see it is followed by one that does.
 */
static void psp_ref_retire_ring(struct psp_ref_queue *q,
				struct psp_ref_mark *mark)
{
	lockdep_assert_held(&q->port->ring_lock);

	mark->pos = psp_ref_retire_producer(q);
	/* Pairs with the release in psp_ref_tx_clean() */
	if (psp_ref_mark_is_reached(smp_load_acquire(&q->tx_cons), mark->pos))
		return;

	refcount_inc(&mark->retire->left);
	spin_lock_bh(&q->mark_lock);
	list_add_tail(&mark->node, &q->marks);
	spin_unlock_bh(&q->mark_lock);

	local_bh_disable();
	napi_schedule(&q->napi);
	local_bh_enable();
}

/* The key, and @retire with it, may be gone as soon as the core is told */
static void psp_ref_retire_tell(const struct psp_ref_retire *retire)
{
	u32 fault = READ_ONCE(retire->port->quiesce_fault);
	struct psp_dev *psd = retire->psd;
	u32 ticket = retire->ticket;

	psp_tx_key_quiesced(psd, ticket);

	if (unlikely(fault == PSP_REF_QUIESCE_TWICE))
		psp_tx_key_quiesced(psd, ticket);
	else if (unlikely(fault == PSP_REF_QUIESCE_UNKNOWN))
		psp_tx_key_quiesced(psd, ~ticket);
}

static int psp_ref_retire_rings(struct psp_ref_retire *retire)
{
	struct psp_ref_port *port = retire->port;
	unsigned int i;

	refcount_set(&retire->left, 1);

	mutex_lock(&port->ring_lock);
	for (i = 0; i < port->nqueues; i++)
		psp_ref_retire_ring(&port->queue[i], &retire->mark[i]);
	mutex_unlock(&port->ring_lock);

	return refcount_dec_and_test(&retire->left) ? 0 : -EINPROGRESS;
}

/**
 * psp_ref_retire() - find out whether descriptors with a key are in flight
 * @retire: made for the key
 * @ticket: the core's name for it
 *
 * Context: process context, &psp_dev.lock held; an RCU grace period after the
 * key has lost its last user.
 * Return: 0 if there are none; -EINPROGRESS if there may be some, and
 * psp_tx_key_quiesced() is or will be called.
 */
int psp_ref_retire(struct psp_ref_retire *retire, u32 ticket)
{
	struct psp_ref_port *port = retire->port;
	int err;

	if (unlikely(READ_ONCE(port->delete_early)))
		return 0;

	retire->ticket = ticket;
	err = psp_ref_retire_rings(retire);
	if (!err && unlikely(READ_ONCE(port->quiesce_fault))) {
		psp_ref_retire_tell(retire);
		err = -EINPROGRESS;
	}

	return err;
}

/**
 * psp_ref_retire_advance() - a ring has come further
 * @q: queue with marks
 * @cons: its consumer: all descriptors before it have completed
 *
 * Context: NAPI but not netpoll, or the ring is stopped and
 * &psp_ref_port.ring_lock held.
 */
void psp_ref_retire_advance(struct psp_ref_queue *q, u32 cons)
{
	struct psp_ref_mark *mark, *next;
	LIST_HEAD(reached);

	/* Who was retired first is first in line, and has the lowest mark */
	spin_lock_bh(&q->mark_lock);
	list_for_each_entry_safe(mark, next, &q->marks, node) {
		if (!psp_ref_mark_is_reached(cons, mark->pos))
			break;
		list_move_tail(&mark->node, &reached);
	}
	spin_unlock_bh(&q->mark_lock);

	list_for_each_entry_safe(mark, next, &reached, node)
		if (refcount_dec_and_test(&mark->retire->left))
			psp_ref_retire_tell(mark->retire);
}
