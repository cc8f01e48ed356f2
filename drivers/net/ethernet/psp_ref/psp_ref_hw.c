// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device as the driver sees it: made, started, stopped, told by mailbox.
 */

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "psp_ref_hw_int.h"

static void psp_ref_hw_queue_init(struct psp_ref_hw *hw, unsigned int i)
{
	struct psp_ref_hw_queue *q = &hw->queue[i];

	q->hw = hw;
	q->index = i;
	init_waitqueue_head(&q->tx_wait);
	init_waitqueue_head(&q->rx_wait);
	init_waitqueue_head(&q->rx_ring_wait);
	skb_queue_head_init(&q->backlog);
	psp_ref_moder_init(&q->tx_moder, q, &hw->tx_moder);
	psp_ref_moder_init(&q->rx_moder, q, &hw->rx_moder);
	psp_ref_stats_init(&q->tx_stats);
	psp_ref_stats_init(&q->rx_stats);
}

/**
 * psp_ref_hw_create() - make a device
 * @netdev: interface it will be seen as
 * @id: number of the port
 * @nqueues: queue pairs, up to PSP_REF_MAX_QUEUES
 *
 * It has a device key, receives no PSP version yet, and does not run.
 *
 * Return: device or an ERR_PTR().
 */
struct psp_ref_hw *psp_ref_hw_create(struct net_device *netdev, int id,
				     unsigned int nqueues)
{
	struct psp_ref_hw *hw;
	unsigned int i;
	int err;

	hw = kvzalloc(struct_size(hw, queue, nqueues), GFP_KERNEL);
	if (!hw)
		return ERR_PTR(-ENOMEM);

	hw->netdev = netdev;
	hw->id = id;
	hw->nqueues = nqueues;
	mutex_init(&hw->mbox_lock);
	psp_ref_wire_init(hw);
	for (i = 0; i < nqueues; i++)
		psp_ref_hw_queue_init(hw, i);

	err = psp_ref_devkeys_init(&hw->devkeys);
	if (err)
		goto err_free;

	err = psp_ref_table_init(&hw->table);
	if (err)
		goto err_destroy_devkeys;

	hw->cache = psp_ref_cache_create();
	if (!hw->cache) {
		err = -ENOMEM;
		goto err_destroy_table;
	}

	return hw;

err_destroy_table:
	psp_ref_table_destroy(&hw->table);
err_destroy_devkeys:
	psp_ref_devkeys_destroy(&hw->devkeys);
err_free:
	kvfree(hw);
	return ERR_PTR(err);
}

/**
 * psp_ref_hw_destroy() - wipe all keys and free the device
 * @hw: device that does not run, without a cable since a grace period
 */
void psp_ref_hw_destroy(struct psp_ref_hw *hw)
{
	psp_ref_cache_destroy(hw->cache);
	psp_ref_table_destroy(&hw->table);
	psp_ref_devkeys_destroy(&hw->devkeys);
	kvfree(hw);
}

static void psp_ref_queue_set_rx(struct psp_ref_hw_queue *q, bool on)
{
	spin_lock_bh(&q->backlog.lock);
	WRITE_ONCE(q->rx_on, on);
	spin_unlock_bh(&q->backlog.lock);
}

static void psp_ref_engine_stop(struct task_struct **engine)
{
	if (*engine)
		kthread_stop(*engine);
	*engine = NULL;
}

static void psp_ref_queue_stop(struct psp_ref_hw_queue *q)
{
	psp_ref_engine_stop(&q->tx_engine);
	psp_ref_engine_stop(&q->rx_engine);
	psp_ref_moder_stop(&q->tx_moder);
	psp_ref_moder_stop(&q->rx_moder);
	__skb_queue_purge(&q->backlog);
	psp_ref_aead_free(&q->tx_aead);
	psp_ref_aead_free(&q->rx_aead);
	psp_ref_key_put(q->rx_spare);
	q->rx_spare = NULL;
}

/**
 * psp_ref_hw_stop() - stop all engines
 * @hw: device
 *
 * Nothing is written to the rings after this, and no interrupt is raised.
 * Descriptors without a completion will not get one.
 */
void psp_ref_hw_stop(struct psp_ref_hw *hw)
{
	unsigned int i;

	for (i = 0; i < hw->nqueues; i++)
		psp_ref_queue_set_rx(&hw->queue[i], false);
	psp_ref_wire_resume(hw);

	for (i = 0; i < hw->nqueues; i++)
		psp_ref_queue_stop(&hw->queue[i]);
	psp_ref_wire_stop(hw);
}

/**
 * psp_ref_hw_reset() - make the device forget its transmit keys
 * @hw: device that does not run
 *
 * Keys are wiped and no handle is valid any more: quick, unlike a mailbox
 * command for each of them. Device keys stay. Process context, may sleep.
 */
void psp_ref_hw_reset(struct psp_ref_hw *hw)
{
	mutex_lock(&hw->mbox_lock);
	psp_ref_table_clear(&hw->table);
	mutex_unlock(&hw->mbox_lock);
}

static int psp_ref_queue_prepare(struct psp_ref_hw_queue *q)
{
	struct task_struct *task;

	task = kthread_create(psp_ref_hw_tx_engine, q, "psp_ref%d-tx%u",
			      q->hw->id, q->index);
	if (IS_ERR(task))
		return PTR_ERR(task);
	q->tx_engine_new = task;

	task = kthread_create(psp_ref_hw_rx_engine, q, "psp_ref%d-rx%u",
			      q->hw->id, q->index);
	if (IS_ERR(task))
		return PTR_ERR(task);
	q->rx_engine_new = task;

	return 0;
}

static void psp_ref_hw_unprepare(struct psp_ref_hw *hw)
{
	unsigned int i;

	for (i = 0; i < hw->nqueues; i++) {
		psp_ref_engine_stop(&hw->queue[i].tx_engine_new);
		psp_ref_engine_stop(&hw->queue[i].rx_engine_new);
	}
}

/**
 * psp_ref_hw_prepare() - get what is needed to start
 * @hw: device; may run
 * @n: queue pairs to be started, at most
 *
 * psp_ref_hw_start() must follow.
 *
 * Return: 0, or a negative error.
 */
int psp_ref_hw_prepare(struct psp_ref_hw *hw, unsigned int n)
{
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		err = psp_ref_queue_prepare(&hw->queue[i]);
		if (err) {
			psp_ref_hw_unprepare(hw);
			return err;
		}
	}

	return 0;
}

static void psp_ref_queue_start(struct psp_ref_hw_queue *q,
				const struct psp_ref_hw_queue_setup *setup)
{
	q->tx = setup->tx;
	q->rx = setup->rx;
	q->tx_head = q->tx->doorbell;
	psp_ref_iv_reset(&q->iv);

	swap(q->tx_engine, q->tx_engine_new);
	swap(q->rx_engine, q->rx_engine_new);
	wake_up_process(q->tx_engine);
	wake_up_process(q->rx_engine);
	psp_ref_queue_set_rx(q, true);
}

/**
 * psp_ref_hw_start() - start the engines
 * @hw: device that is prepared and does not run
 * @setup: rings of each queue
 * @n: queue pairs to start, not more than were prepared
 * @irq: raises an interrupt; called in process or softirq context
 * @data: for @irq
 */
void psp_ref_hw_start(struct psp_ref_hw *hw,
		      const struct psp_ref_hw_queue_setup *setup,
		      unsigned int n, psp_ref_irq_t irq, void *data)
{
	unsigned int i;

	hw->irq = irq;
	hw->irq_data = data;
	WRITE_ONCE(hw->nactive, n);

	for (i = 0; i < n; i++)
		psp_ref_queue_start(&hw->queue[i], &setup[i]);
	psp_ref_hw_unprepare(hw);
}

/**
 * psp_ref_hw_tx_doorbell() - tell the device of new descriptors
 * @hw: device
 * @queue: queue
 * @prod: free-running index of the next descriptor to be written
 */
void psp_ref_hw_tx_doorbell(struct psp_ref_hw *hw, unsigned int queue,
			    u32 prod)
{
	struct psp_ref_hw_queue *q = &hw->queue[queue];

	if (unlikely(READ_ONCE(hw->tx_lose_doorbells) & BIT(queue)))
		return;

	/* Pairs with the acquire in psp_ref_tx_pending() */
	smp_store_release(&q->tx->doorbell, prod);
	if (wq_has_sleeper(&q->tx_wait))
		wake_up(&q->tx_wait);
}

/**
 * psp_ref_hw_rx_consumed() - tell the device that completions were taken
 * @hw: device
 * @queue: queue
 * @cons: free-running index of the next completion to be taken
 */
void psp_ref_hw_rx_consumed(struct psp_ref_hw *hw, unsigned int queue,
			    u32 cons)
{
	struct psp_ref_hw_queue *q = &hw->queue[queue];

	/* Pairs with the acquire in psp_ref_rx_ring_room() */
	smp_store_release(&q->rx->cons, cons);
	if (wq_has_sleeper(&q->rx_ring_wait))
		wake_up(&q->rx_ring_wait);
}

/* Test only: the key table of a device takes its time */
static void psp_ref_mbox_wait(struct psp_ref_hw *hw)
{
	u32 us = READ_ONCE(hw->mbox_latency_us);

	if (us)
		fsleep(us);
}

static int psp_ref_mbox_key_add(struct psp_ref_hw *hw,
				struct psp_ref_mbox *cmd)
{
	struct psp_ref_key *key;
	int err;

	key = psp_ref_key_alloc(cmd->version, cmd->key.key);
	if (IS_ERR(key))
		return PTR_ERR(key);

	err = psp_ref_table_add(&hw->table, key, &cmd->handle);
	if (err)
		psp_ref_key_put(key);

	return err;
}

/* Packets under the key before the current one stay welcome, and so do the
 * keys derived for them: an epoch after a rotation has one predecessor.
 */
static int psp_ref_mbox_rotate(struct psp_ref_hw *hw,
			       const struct psp_ref_mbox *cmd)
{
	u64 epoch;
	int err;

	err = psp_ref_devkeys_rotate(&hw->devkeys, cmd->generation, &epoch);
	if (err)
		return err;

	psp_ref_cache_expire(hw->cache, epoch - 1);
	return 0;
}

/**
 * psp_ref_hw_mbox() - have the device carry out a command
 * @hw: device; need not run
 * @cmd: command, gets the answer
 *
 * Process context, may sleep.
 *
 * Return: 0 or a negative error.
 */
int psp_ref_hw_mbox(struct psp_ref_hw *hw, struct psp_ref_mbox *cmd)
{
	int err = -EOPNOTSUPP;

	mutex_lock(&hw->mbox_lock);
	switch (cmd->op) {
	case PSP_REF_MBOX_KEY_ADD:
		psp_ref_mbox_wait(hw);
		err = psp_ref_mbox_key_add(hw, cmd);
		break;
	case PSP_REF_MBOX_KEY_DEL:
		psp_ref_mbox_wait(hw);
		err = psp_ref_table_del(&hw->table, cmd->handle);
		break;
	case PSP_REF_MBOX_ROTATE:
		err = psp_ref_mbox_rotate(hw, cmd);
		break;
	case PSP_REF_MBOX_SPI_ALLOC:
		err = psp_ref_devkeys_spi_alloc(&hw->devkeys, cmd->version,
						&cmd->key);
		break;
	case PSP_REF_MBOX_VERSIONS:
		WRITE_ONCE(hw->versions, cmd->versions);
		err = 0;
		break;
	}
	mutex_unlock(&hw->mbox_lock);

	return err;
}

/**
 * psp_ref_hw_tx_stat() - read a counter of a transmit engine
 * @hw: device
 * @queue: queue
 * @stat: counter
 *
 * Return: count since the device was made.
 */
u64 psp_ref_hw_tx_stat(struct psp_ref_hw *hw, unsigned int queue,
		       enum psp_ref_hw_tx_stat stat)
{
	return psp_ref_stats_read(&hw->queue[queue].tx_stats, stat);
}

/**
 * psp_ref_hw_rx_stat() - read a counter of a receive engine
 * @hw: device
 * @queue: queue
 * @stat: counter
 *
 * Return: count since the device was made.
 */
u64 psp_ref_hw_rx_stat(struct psp_ref_hw *hw, unsigned int queue,
		       enum psp_ref_hw_rx_stat stat)
{
	return psp_ref_stats_read(&hw->queue[queue].rx_stats, stat);
}
