// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's knobs and gauges, for tests only.
 */

#include <linux/debugfs.h>

#include "psp_ref_hw_int.h"

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

/**
 * psp_ref_hw_debugfs() - add the device's files to a directory
 * @hw: device
 * @dir: directory, removed before the device
 */
void psp_ref_hw_debugfs(struct psp_ref_hw *hw, struct dentry *dir)
{
	psp_ref_wire_debugfs(&hw->wire, dir);
	debugfs_create_u32("tx_keys", 0400, dir, &hw->table.used);
	debugfs_create_u32("tx_key_slots", 0400, dir, &hw->table.size);
	debugfs_create_file("tx_stale_handle", 0400, dir, hw,
			    &psp_ref_stale_handle_fops);
}
