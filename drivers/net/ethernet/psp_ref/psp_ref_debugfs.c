// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: one directory for each port, named by the number in the port's bus
 * info, since ports in different namespaces may have the same name.
 */

#include <linux/debugfs.h>

#include "psp_ref.h"

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

void psp_ref_debugfs_add(struct psp_ref_port *port)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", port->id);
	port->debugfs = debugfs_create_dir(name, psp_ref_debugfs_root);
	debugfs_create_bool("delete_early", 0600, port->debugfs,
			    &port->delete_early);
	debugfs_create_file("quiesce_fault", 0600, port->debugfs, port,
			    &psp_ref_quiesce_fault_fops);
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
