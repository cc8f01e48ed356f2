/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mainline's PSP lacks of ours, for drivers on kernels that have it
 * (CONFIG_INET_PSP=y): drop when they have tx_key_retire. On other kernels the
 * next net/psp.h is our own, and there is nothing to add.
 *
 * Mainline calls tx_key_del a grace period after the last user of a key has
 * gone, and leaves it to the driver to wait until no descriptor has the key.
 * Main code gets operations of our own with tx_key_retire; to create a device
 * makes the kernel's out of them. compat/psp_retire.c, a part of the driver's
 * module, waits for the ticket in tx_key_del. What differs from the original:
 *
 *  - it waits with &psp_dev.lock held, so that requests for the device wait as
 *    well; rings that are flushed end it, as they have to in any case;
 *  - a ticket that is not out is ignored without a warning;
 *  - a driver that has got tx_key_retire wrong (other errors) gets tx_key_del
 *    at once.
 */
#ifndef _COMPAT_NET_PSP_H
#define _COMPAT_NET_PSP_H

#include <generated/compat-probes.h>
#include_next <net/psp.h>

#ifndef COMPAT_HAS_PSP_TX_KEY_RETIRE

#define PSP_HDRLEN_VIRT		(PSP_HDRLEN_NOOPT + 1)
#define PSP_OVERHEAD		(PSP_ENCAP_HLEN + PSP_TRL_SIZE)

/**
 * struct psp_compat_psp_dev_ops - stands for struct psp_dev_ops
 * @kernel: made by psp_dev_create()
 * @set_config: see struct psp_dev_ops, as for all that follow
 * @key_rotate: makes a new device key
 * @rx_spi_alloc: gives out an SPI and its key
 * @tx_key_add: installs a transmit key
 * @tx_key_retire: the key will not be used in new descriptors any more
 * @tx_key_del: removes a transmit key
 * @get_stats: fills in the statistics
 */
struct psp_compat_psp_dev_ops {
	struct psp_dev_ops kernel;
	int (*set_config)(struct psp_dev *psd, struct psp_dev_config *conf,
			  struct netlink_ext_ack *extack);
	int (*key_rotate)(struct psp_dev *psd, struct netlink_ext_ack *extack);
	int (*rx_spi_alloc)(struct psp_dev *psd, u32 version,
			    struct psp_key_parsed *assoc,
			    struct netlink_ext_ack *extack);
	int (*tx_key_add)(struct psp_dev *psd, struct psp_assoc *pas,
			  struct netlink_ext_ack *extack);
	int (*tx_key_retire)(struct psp_dev *psd, struct psp_assoc *pas,
			     u32 ticket);
	void (*tx_key_del)(struct psp_dev *psd, struct psp_assoc *pas);
	void (*get_stats)(struct psp_dev *psd, struct psp_dev_stats *stats);
};

/* compat/psp_retire.c */
void psp_compat_tx_key_del(struct psp_dev *psd, struct psp_assoc *pas);
void psp_tx_key_quiesced(struct psp_dev *psd, u32 ticket);

/* All devices of a driver share @ops, and those that exist may be using them.
 * So no member may change its value, not even for a moment.
 */
static inline void psp_compat_ops_fill(struct psp_compat_psp_dev_ops *ops)
{
	WRITE_ONCE(ops->kernel.set_config, ops->set_config);
	WRITE_ONCE(ops->kernel.key_rotate, ops->key_rotate);
	WRITE_ONCE(ops->kernel.rx_spi_alloc, ops->rx_spi_alloc);
	WRITE_ONCE(ops->kernel.tx_key_add, ops->tx_key_add);
	WRITE_ONCE(ops->kernel.tx_key_del, psp_compat_tx_key_del);
	WRITE_ONCE(ops->kernel.get_stats, ops->get_stats);
}

static inline struct psp_dev *
psp_compat_psp_dev_create(struct net_device *netdev,
			  struct psp_compat_psp_dev_ops *ops,
			  struct psp_dev_caps *caps, void *priv)
{
	psp_compat_ops_fill(ops);

	return psp_dev_create(netdev, &ops->kernel, caps, priv);
}

/* Mainline receives for the namespace of the driver's device only */
#define PSP_RCV_DELIVERED	1

static inline int psp_dev_rcv_netns(struct sk_buff *skb, u16 dev_id,
				    u8 generation, bool strip_icv)
{
	return psp_dev_rcv(skb, dev_id, generation, strip_icv);
}

#define psp_dev_ops psp_compat_psp_dev_ops
#define psp_dev_create psp_compat_psp_dev_create

#endif /* COMPAT_HAS_PSP_TX_KEY_RETIRE */

#endif /* _COMPAT_NET_PSP_H */
