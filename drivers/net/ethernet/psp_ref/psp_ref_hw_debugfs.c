// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's knobs and gauges, for tests only.
 */

#include <linux/debugfs.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/time.h>

#include "psp_ref_hw_int.h"

/* Commands hold a mutex while they take their time */
#define PSP_REF_MBOX_LATENCY_MAX	(100 * USEC_PER_MSEC)

static int psp_ref_stale_handle_get(void *data, u64 *val)
{
	struct psp_ref_hw *hw = data;
	unsigned int i;

	*val = 0;
	for (i = 0; i < hw->nqueues; i++)
		*val += psp_ref_hw_tx_stat(hw, i, PSP_REF_HW_TX_STALE_HANDLE);

	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_stale_handle_fops, psp_ref_stale_handle_get,
			 NULL, "%llu\n");

/* A mask of queues, which the transmit engines look at when they wake up */
static int psp_ref_tx_mask_set(struct psp_ref_hw *hw, u32 *mask, u64 val)
{
	unsigned int i;

	if (val >= BIT_ULL(hw->nqueues))
		return -EINVAL;

	WRITE_ONCE(*mask, val);
	for (i = 0; i < hw->nqueues; i++)
		wake_up(&hw->queue[i].tx_wait);

	return 0;
}

static int psp_ref_lose_doorbells_get(void *data, u64 *val)
{
	struct psp_ref_hw *hw = data;

	*val = READ_ONCE(hw->tx_lose_doorbells);
	return 0;
}

static int psp_ref_lose_doorbells_set(void *data, u64 val)
{
	struct psp_ref_hw *hw = data;

	return psp_ref_tx_mask_set(hw, &hw->tx_lose_doorbells, val);
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_lose_doorbells_fops,
			 psp_ref_lose_doorbells_get,
			 psp_ref_lose_doorbells_set, "%llu\n");

static int psp_ref_pause_fetch_get(void *data, u64 *val)
{
	struct psp_ref_hw *hw = data;

	*val = READ_ONCE(hw->tx_pause_fetch);
	return 0;
}

static int psp_ref_pause_fetch_set(void *data, u64 val)
{
	struct psp_ref_hw *hw = data;

	return psp_ref_tx_mask_set(hw, &hw->tx_pause_fetch, val);
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_pause_fetch_fops, psp_ref_pause_fetch_get,
			 psp_ref_pause_fetch_set, "%llu\n");

static int psp_ref_hold_completions_get(void *data, u64 *val)
{
	struct psp_ref_hw *hw = data;

	*val = READ_ONCE(hw->tx_hold_completions);
	return 0;
}

static int psp_ref_hold_completions_set(void *data, u64 val)
{
	struct psp_ref_hw *hw = data;

	return psp_ref_tx_mask_set(hw, &hw->tx_hold_completions, val);
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_hold_completions_fops,
			 psp_ref_hold_completions_get,
			 psp_ref_hold_completions_set, "%llu\n");

static int psp_ref_reuse_lifo_get(void *data, u64 *val)
{
	struct psp_ref_table *table = data;

	*val = READ_ONCE(table->lifo);
	return 0;
}

static int psp_ref_reuse_lifo_set(void *data, u64 val)
{
	struct psp_ref_table *table = data;

	if (val > 1)
		return -EINVAL;

	WRITE_ONCE(table->lifo, val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_reuse_lifo_fops, psp_ref_reuse_lifo_get,
			 psp_ref_reuse_lifo_set, "%llu\n");

static int psp_ref_key_limit_get(void *data, u64 *val)
{
	struct psp_ref_table *table = data;

	*val = READ_ONCE(table->limit);
	return 0;
}

static int psp_ref_key_limit_set(void *data, u64 val)
{
	struct psp_ref_table *table = data;

	if (val > table->size)
		return -EINVAL;

	WRITE_ONCE(table->limit, val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_key_limit_fops, psp_ref_key_limit_get,
			 psp_ref_key_limit_set, "%llu\n");

static int psp_ref_generations_set(void *data, u64 val)
{
	return psp_ref_table_set_left(data, val);
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_generations_fops, NULL,
			 psp_ref_generations_set, "%llu\n");

static int psp_ref_mbox_latency_get(void *data, u64 *val)
{
	struct psp_ref_hw *hw = data;

	*val = READ_ONCE(hw->mbox_latency_us);
	return 0;
}

static int psp_ref_mbox_latency_set(void *data, u64 val)
{
	struct psp_ref_hw *hw = data;

	if (val > PSP_REF_MBOX_LATENCY_MAX)
		return -EINVAL;

	WRITE_ONCE(hw->mbox_latency_us, val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_mbox_latency_fops, psp_ref_mbox_latency_get,
			 psp_ref_mbox_latency_set, "%llu\n");

/* The slots of the key table, one by one; the position is the slot */
static void *psp_ref_handles_start(struct seq_file *seq, loff_t *pos)
{
	struct psp_ref_table *table = seq->private;

	return *pos < table->size ? pos : NULL;
}

static void *psp_ref_handles_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return psp_ref_handles_start(seq, pos);
}

static void psp_ref_handles_stop(struct seq_file *seq, void *v)
{
}

static int psp_ref_handles_show(struct seq_file *seq, void *v)
{
	const loff_t *pos = v;
	u32 handle;

	handle = psp_ref_table_handle(seq->private, *pos);
	if (handle != PSP_REF_NO_KEY)
		seq_printf(seq, "%08x\n", handle);

	return 0;
}

static const struct seq_operations psp_ref_handles_sops = {
	.start	= psp_ref_handles_start,
	.next	= psp_ref_handles_next,
	.stop	= psp_ref_handles_stop,
	.show	= psp_ref_handles_show,
};

DEFINE_SEQ_ATTRIBUTE(psp_ref_handles);

static int psp_ref_next_spi_get(void *data, u64 *val)
{
	struct psp_ref_devkeys *keys = data;

	mutex_lock(&keys->lock);
	*val = keys->next_spi;
	mutex_unlock(&keys->lock);

	return 0;
}

static int psp_ref_next_spi_set(void *data, u64 val)
{
	struct psp_ref_devkeys *keys = data;

	if (!val || val > PSP_SPI_KEY_ID)
		return -EINVAL;

	mutex_lock(&keys->lock);
	keys->next_spi = val;
	mutex_unlock(&keys->lock);

	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_next_spi_fops, psp_ref_next_spi_get,
			 psp_ref_next_spi_set, "%llu\n");

static int psp_ref_spis_used_get(void *data, u64 *val)
{
	struct psp_ref_devkeys *keys = data;

	mutex_lock(&keys->lock);
	*val = keys->spis_used;
	mutex_unlock(&keys->lock);

	return 0;
}

static int psp_ref_spis_used_set(void *data, u64 val)
{
	struct psp_ref_devkeys *keys = data;

	if (val > PSP_SPI_KEY_ID)
		return -EINVAL;

	mutex_lock(&keys->lock);
	keys->spis_used = val;
	mutex_unlock(&keys->lock);

	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_spis_used_fops, psp_ref_spis_used_get,
			 psp_ref_spis_used_set, "%llu\n");

static void psp_ref_wire_debugfs(struct psp_ref_wire *wire, struct dentry *dir)
{
	debugfs_create_u32("wire_loss", 0600, dir, &wire->loss);
	debugfs_create_u32("wire_duplicate", 0600, dir, &wire->duplicate);
	debugfs_create_u32("wire_reorder", 0600, dir, &wire->reorder);
	debugfs_create_u32("wire_corrupt", 0600, dir, &wire->corrupt);
	debugfs_create_u64("wire_lost", 0400, dir, &wire->lost);
	debugfs_create_u64("wire_duplicated", 0400, dir, &wire->duplicated);
	debugfs_create_u64("wire_reordered", 0400, dir, &wire->reordered);
	debugfs_create_u64("wire_corrupted", 0400, dir, &wire->corrupted);
	debugfs_create_u32("wire_tap", 0600, dir, &wire->tap);
}

static void psp_ref_table_debugfs(struct psp_ref_table *table,
				  struct dentry *dir)
{
	debugfs_create_u32("tx_keys", 0400, dir, &table->used);
	debugfs_create_u32("tx_key_slots", 0400, dir, &table->size);
	debugfs_create_file("tx_key_handles", 0400, dir, table,
			    &psp_ref_handles_fops);
	debugfs_create_file("tx_key_limit", 0600, dir, table,
			    &psp_ref_key_limit_fops);
	debugfs_create_file("key_reuse_lifo", 0600, dir, table,
			    &psp_ref_reuse_lifo_fops);
	debugfs_create_file("key_generations_left", 0200, dir, table,
			    &psp_ref_generations_fops);
}

/**
 * psp_ref_hw_debugfs() - add the device's files to a directory
 * @hw: device
 * @dir: directory, removed before the device
 */
void psp_ref_hw_debugfs(struct psp_ref_hw *hw, struct dentry *dir)
{
	psp_ref_wire_debugfs(&hw->wire, dir);
	psp_ref_table_debugfs(&hw->table, dir);
	debugfs_create_file("tx_pause_fetch", 0600, dir, hw,
			    &psp_ref_pause_fetch_fops);
	debugfs_create_file("tx_lose_doorbells", 0600, dir, hw,
			    &psp_ref_lose_doorbells_fops);
	debugfs_create_file("tx_hold_completions", 0600, dir, hw,
			    &psp_ref_hold_completions_fops);
	debugfs_create_file("tx_stale_handle", 0400, dir, hw,
			    &psp_ref_stale_handle_fops);
	debugfs_create_file("mbox_latency_us", 0600, dir, hw,
			    &psp_ref_mbox_latency_fops);
	debugfs_create_file("next_spi", 0600, dir, &hw->devkeys,
			    &psp_ref_next_spi_fops);
	debugfs_create_file("spis_used", 0600, dir, &hw->devkeys,
			    &psp_ref_spis_used_fops);
}
