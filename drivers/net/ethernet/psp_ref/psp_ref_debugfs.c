// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: one directory for each port, named by the number in the port's bus
 * info, since ports in different namespaces may have the same name.
 */

#include <linux/debugfs.h>

#include "psp_ref.h"

static struct dentry *psp_ref_debugfs_root;

void psp_ref_debugfs_add(struct psp_ref_port *port)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", port->id);
	port->debugfs = debugfs_create_dir(name, psp_ref_debugfs_root);
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
