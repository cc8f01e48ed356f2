// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: one directory for each port, named by the number in the port's bus
 * info, since ports in different namespaces may have the same name.
 */

#include <linux/debugfs.h>

#include "psp_ref.h"

/* An hour: nobody waits for longer */
#define PSP_REF_TX_TIMEOUT_MS_MAX	(3600 * MSEC_PER_SEC)

static struct dentry *psp_ref_debugfs_root;

static int psp_ref_quiesce_fault_get(void *data, u64 *val)
{
	struct psp_ref_port *port = data;

	*val = port->quiesce_fault;
	return 0;
}

static int psp_ref_quiesce_fault_set(void *data, u64 val)
{
	struct psp_ref_port *port = data;

	if (val >= PSP_REF_QUIESCE_FAULTS)
		return -EINVAL;

	WRITE_ONCE(port->quiesce_fault, val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_quiesce_fault_fops, psp_ref_quiesce_fault_get,
			 psp_ref_quiesce_fault_set, "%llu\n");

/* The stack's own watchdog takes its time, and warns of it on some kernels */
static int psp_ref_time_out_set(void *data, u64 val)
{
	struct psp_ref_port *port = data;

	if (val >= port->nqueues)
		return -EINVAL;

	psp_ref_tx_timeout(port->dev, val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_time_out_fops, NULL, psp_ref_time_out_set,
			 "%llu\n");

static int psp_ref_tx_timeout_ms_get(void *data, u64 *val)
{
	struct psp_ref_port *port = data;

	*val = jiffies_to_msecs(port->dev->watchdog_timeo);
	return 0;
}

/* The watchdog compares it in each round, which is when a new value counts */
static int psp_ref_tx_timeout_ms_set(void *data, u64 val)
{
	struct psp_ref_port *port = data;

	if (!val || val > PSP_REF_TX_TIMEOUT_MS_MAX)
		return -EINVAL;

	WRITE_ONCE(port->dev->watchdog_timeo, msecs_to_jiffies(val));
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(psp_ref_tx_timeout_ms_fops, psp_ref_tx_timeout_ms_get,
			 psp_ref_tx_timeout_ms_set, "%llu\n");

void psp_ref_debugfs_add(struct psp_ref_port *port)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", port->id);
	port->debugfs = debugfs_create_dir(name, psp_ref_debugfs_root);
	debugfs_create_bool("delete_early", 0600, port->debugfs,
			    &port->delete_early);
	debugfs_create_file("quiesce_fault", 0600, port->debugfs, port,
			    &psp_ref_quiesce_fault_fops);
	debugfs_create_file("tx_time_out", 0200, port->debugfs, port,
			    &psp_ref_time_out_fops);
	debugfs_create_file("tx_timeout_ms", 0600, port->debugfs, port,
			    &psp_ref_tx_timeout_ms_fops);
	psp_ref_hw_debugfs(port->hw, port->debugfs);
}

void psp_ref_debugfs_del(struct psp_ref_port *port)
{
	debugfs_remove_recursive(port->debugfs);
	port->debugfs = NULL;
}

void psp_ref_debugfs_init(void)
{
	psp_ref_debugfs_root = debugfs_create_dir(PSP_REF_DRV_NAME, NULL);
}

void psp_ref_debugfs_exit(void)
{
	debugfs_remove_recursive(psp_ref_debugfs_root);
}
