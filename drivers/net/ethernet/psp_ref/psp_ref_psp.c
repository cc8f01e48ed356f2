// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the PSP core asks of the driver: mailbox commands, mostly.
 */

#include <linux/moduleparam.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "psp_ref.h"

static unsigned int versions = PSP_REF_VERSIONS;

/* A PSP device without a version is none */
static int psp_ref_set_versions(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, PSP_REF_VERSIONS);
}

static const struct kernel_param_ops psp_ref_versions_ops = {
	.set	= psp_ref_set_versions,
	.get	= param_get_uint,
};

module_param_cb(versions, &psp_ref_versions_ops, &versions, 0644);
MODULE_PARM_DESC(versions,
		 "Mask of the PSP versions of new ports (default: all)");

static int psp_ref_set_config(struct psp_dev *psd, struct psp_dev_config *conf,
			      struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = psd->drv_priv;
	struct psp_ref_mbox cmd = {
		.op = PSP_REF_MBOX_VERSIONS,
		.versions = conf->versions,
	};

	lockdep_assert_held(&psd->lock);
	return psp_ref_hw_mbox(port->hw, &cmd);
}

static int psp_ref_key_rotate(struct psp_dev *psd,
			      struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = psd->drv_priv;
	struct psp_ref_mbox cmd = {
		.op = PSP_REF_MBOX_ROTATE,
		.generation = psd->generation,
	};
	int err;

	lockdep_assert_held(&psd->lock);
	err = psp_ref_hw_mbox(port->hw, &cmd);
	if (err)
		NL_SET_ERR_MSG(extack, "Device could not make a new key");

	return err;
}

static int psp_ref_rx_spi_alloc(struct psp_dev *psd, u32 version,
				struct psp_key_parsed *assoc,
				struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = psd->drv_priv;
	struct psp_ref_mbox cmd = {
		.op = PSP_REF_MBOX_SPI_ALLOC,
		.version = version,
	};
	int err;

	lockdep_assert_held(&psd->lock);
	err = psp_ref_hw_mbox(port->hw, &cmd);
	if (!err)
		*assoc = cmd.key;
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack,
			       "All SPIs of this device key are given out");
	memzero_explicit(&cmd, sizeof(cmd));

	return err;
}

static int psp_ref_hw_key_add(struct psp_ref_port *port,
			      const struct psp_assoc *pas, u32 *handle,
			      struct netlink_ext_ack *extack)
{
	struct psp_ref_mbox cmd = {
		.op = PSP_REF_MBOX_KEY_ADD,
		.version = pas->version,
		.key = pas->tx,
	};
	int err = -ENODEV;

	if (!READ_ONCE(port->hw_gone))
		err = psp_ref_hw_mbox(port->hw, &cmd);
	if (!err)
		*handle = cmd.handle;
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack, "Key table of the device is full");
	else if (err == -ENODEV)
		NL_SET_ERR_MSG(extack, "Device is being removed");
	memzero_explicit(&cmd, sizeof(cmd));

	return err;
}

static int psp_ref_tx_key_add(struct psp_dev *psd, struct psp_assoc *pas,
			      struct netlink_ext_ack *extack)
{
	struct psp_ref_tx_key *key = psp_assoc_drv_data(pas);
	struct psp_ref_port *port = psd->drv_priv;
	int err;

	lockdep_assert_held(&psd->lock);

	key->retire = psp_ref_retire_alloc(port, psd);
	if (!key->retire)
		return -ENOMEM;

	err = psp_ref_hw_key_add(port, pas, &key->handle, extack);
	if (err)
		kfree(key->retire);

	return err;
}

static int psp_ref_tx_key_retire(struct psp_dev *psd, struct psp_assoc *pas,
				 u32 ticket)
{
	struct psp_ref_tx_key *key = psp_assoc_drv_data(pas);

	lockdep_assert_held(&psd->lock);

	return psp_ref_retire(key->retire, ticket);
}

static void psp_ref_tx_key_del(struct psp_dev *psd, struct psp_assoc *pas)
{
	struct psp_ref_tx_key *key = psp_assoc_drv_data(pas);
	struct psp_ref_port *port = psd->drv_priv;
	struct psp_ref_mbox cmd = {
		.op = PSP_REF_MBOX_KEY_DEL,
		.handle = key->handle,
	};

	lockdep_assert_held(&psd->lock);
	if (!READ_ONCE(port->hw_gone))
		WARN_ON_ONCE(psp_ref_hw_mbox(port->hw, &cmd));
	key->handle = PSP_REF_NO_KEY;
	kfree(key->retire);
}

static u64 psp_ref_sum_tx(struct psp_ref_port *port,
			  enum psp_ref_hw_tx_stat stat)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < port->nqueues; i++)
		sum += psp_ref_hw_tx_stat(port->hw, i, stat);

	return sum;
}

static u64 psp_ref_sum_rx(struct psp_ref_port *port,
			  enum psp_ref_hw_rx_stat stat)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < port->nqueues; i++)
		sum += psp_ref_hw_rx_stat(port->hw, i, stat);

	return sum;
}

/* Lost by the driver, by the device, or under a handle that was not valid */
static u64 psp_ref_sum_tx_error(struct psp_ref_port *port)
{
	unsigned int i;
	u64 sum;

	sum = psp_ref_sum_tx(port, PSP_REF_HW_TX_PSP_FAILED) +
	      psp_ref_sum_tx(port, PSP_REF_HW_TX_STALE_HANDLE);
	for (i = 0; i < port->nqueues; i++)
		sum += psp_ref_stats_read(&port->queue[i].tx_stats,
					  PSP_REF_TX_DROP_PSP_FRAMES);

	return sum;
}

static void psp_ref_get_stats(struct psp_dev *psd, struct psp_dev_stats *stats)
{
	struct psp_ref_port *port = psd->drv_priv;

	lockdep_assert_held(&psd->lock);
	stats->rx_packets = psp_ref_sum_rx(port, PSP_REF_HW_RX_PSP_PACKETS);
	stats->rx_bytes = psp_ref_sum_rx(port, PSP_REF_HW_RX_PSP_BYTES);
	stats->rx_auth_fail = psp_ref_sum_rx(port, PSP_REF_HW_RX_AUTH_FAIL);
	stats->rx_error = psp_ref_sum_rx(port, PSP_REF_HW_RX_ERROR);
	stats->rx_bad = psp_ref_sum_rx(port, PSP_REF_HW_RX_BAD);
	stats->tx_packets = psp_ref_sum_tx(port, PSP_REF_HW_TX_PSP_PACKETS);
	stats->tx_bytes = psp_ref_sum_tx(port, PSP_REF_HW_TX_PSP_BYTES);
	stats->tx_error = psp_ref_sum_tx_error(port);
}

static struct psp_dev_ops psp_ref_psp_ops = {
	.set_config	= psp_ref_set_config,
	.key_rotate	= psp_ref_key_rotate,
	.rx_spi_alloc	= psp_ref_rx_spi_alloc,
	.tx_key_add	= psp_ref_tx_key_add,
	.tx_key_retire	= psp_ref_tx_key_retire,
	.tx_key_del	= psp_ref_tx_key_del,
	.get_stats	= psp_ref_get_stats,
};

/* A new PSP device receives no version until it is configured, and is of
 * generation 0: so does and is a new device here.
 */
int psp_ref_psp_register(struct psp_ref_port *port)
{
	struct psp_dev *psd;

	ASSERT_RTNL();

	port->caps = (struct psp_dev_caps) {
		.versions = READ_ONCE(versions),
		.assoc_drv_spc = sizeof(struct psp_ref_tx_key),
	};
	psd = psp_dev_create(port->dev, &psp_ref_psp_ops, &port->caps, port);
	if (IS_ERR(psd))
		return PTR_ERR(psd);

	port->psd_owned = psd;
	rcu_assign_pointer(port->psd, psd);

	return 0;
}

/* From here on nothing is sent or received as PSP any more. Removal goes on
 * with a grace period and the end of the rings before the core is told. It
 * takes the lock of the PSP device on its way: who is deleting keys under it
 * stops asking the device, which is slow, as soon as the flag is seen. The
 * rings may find such keys in the device until the reset.
 */
void psp_ref_psp_quiesce(struct psp_ref_port *port)
{
	ASSERT_RTNL();

	WRITE_ONCE(port->hw_gone, true);
	RCU_INIT_POINTER(port->psd, NULL);
}

/* The rings are stopped. One reset takes all keys out of the device, so that
 * it does not matter how many there are; the core goes through its own. Behind
 * the lock there is nobody who has not seen that the device is gone.
 */
static void psp_ref_psp_reset(struct psp_ref_port *port, struct psp_dev *psd)
{
	WRITE_ONCE(port->hw_gone, true);

	mutex_lock(&psd->lock);
	psp_ref_hw_reset(port->hw);
	mutex_unlock(&psd->lock);
}

void psp_ref_psp_unregister(struct psp_ref_port *port)
{
	struct psp_dev *psd = port->psd_owned;

	ASSERT_RTNL();

	if (!psd)
		return;

	RCU_INIT_POINTER(port->psd, NULL);
	port->psd_owned = NULL;
	psp_ref_psp_reset(port, psd);
	psp_dev_unregister(psd);
}
