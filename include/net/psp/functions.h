/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __NET_PSP_FUNCTIONS_H
#define __NET_PSP_FUNCTIONS_H

#include <linux/skbuff.h>
#include <net/psp/types.h>

struct net;

/* Driver-facing API */
struct psp_dev *
psp_dev_create(struct net_device *netdev, struct psp_dev_ops *psd_ops,
	       struct psp_dev_caps *psd_caps, void *priv_ptr);
void psp_dev_unregister(struct psp_dev *psd);
bool psp_dev_encapsulate(struct net *net, struct sk_buff *skb, __be32 spi,
			 u8 ver, __be16 sport);
int psp_dev_rcv(struct sk_buff *skb, u16 dev_id, u8 generation, bool strip_icv);
int psp_dev_rcv_netns(struct sk_buff *skb, u16 dev_id, u8 generation,
		      bool strip_icv);
struct psp_assoc *psp_skb_get_assoc_rcu(struct sk_buff *skb);
void psp_tx_key_quiesced(struct psp_dev *psd, u32 ticket);
unsigned int psp_key_size(u32 version);

/* psp_dev_rcv_netns(): the core has delivered the packet, and owns it */
#define PSP_RCV_DELIVERED	1

/**
 * psp_assoc_drv_data() - driver's space in a transmit key
 * @pas: transmit key
 *
 * Return: &psp_dev_caps.assoc_drv_spc bytes, zeroed before tx_key_add.
 */
static inline void *psp_assoc_drv_data(struct psp_assoc *pas)
{
	return pas->drv_data;
}

#endif /* __NET_PSP_FUNCTIONS_H */
