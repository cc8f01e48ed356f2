// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rx associations: entries of a table, looked up for each packet.
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
	ra->born = psp_list_now();
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
