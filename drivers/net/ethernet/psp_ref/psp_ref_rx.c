// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the receive completion to the stack: the poll loop.
 */

#include <linux/etherdevice.h>

#include "psp_ref.h"

/* Taken before the headers are stripped: what was on the wire */
static void psp_ref_rx_count(struct psp_ref_queue *q,
			     const struct sk_buff *skb)
{
	unsigned int packets = 1;

	if (skb_is_gso(skb))
		packets = max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);

	psp_ref_stats_add(&q->poll_stats, PSP_REF_POLL_RX_PACKETS, packets);
	psp_ref_stats_add(&q->poll_stats, PSP_REF_POLL_RX_BYTES, skb->len);
}

/* The core finds the association, or says that there is none. It has taken the
 * packet if that is for a container.
 */
static int psp_ref_rx_psp(struct psp_ref_port *port, struct sk_buff *skb,
			  u8 generation)
{
	struct psp_dev *psd = rcu_dereference_bh(port->psd);

	if (!psd)
		return -ENODEV;

	return psp_dev_rcv_netns(skb, psd->id, generation, true);
}

static void psp_ref_rx_one(struct psp_ref_queue *q,
			   const struct psp_ref_rxc *rxc)
{
	struct net_device *dev = q->port->dev;
	struct sk_buff *skb = rxc->skb;
	int err;

	skb->dev = dev;
	skb->decrypted = 0;
	skb_reset_mac_header(skb);
	skb->mac_len = ETH_HLEN;
	skb_record_rx_queue(skb, q->index);
	psp_ref_rx_count(q, skb);

	if (rxc->flags & PSP_REF_RXC_PSP) {
		if (dev->features & NETIF_F_RXCSUM)
			skb->ip_summed = CHECKSUM_UNNECESSARY;

		err = psp_ref_rx_psp(q->port, skb, rxc->generation);
		if (err == PSP_RCV_DELIVERED)
			return;
		if (err)
			goto drop;

		skb->decrypted = 1;
	}

	skb->protocol = eth_type_trans(skb, dev);
	napi_gro_receive(&q->napi, skb);
	return;

drop:
	psp_ref_stats_inc(&q->poll_stats, PSP_REF_POLL_RX_DROP_NO_ASSOC);
	dev_kfree_skb_any(skb);
}

static int psp_ref_rx_poll(struct psp_ref_queue *q, int budget)
{
	/* Pairs with the device's release in psp_ref_rx_complete() */
	u32 end = smp_load_acquire(&q->rx.prod);
	u32 cons = q->rx.cons;
	struct psp_ref_rxc *rxc;
	int done = 0;

	for (; cons != end && done < budget; cons++, done++) {
		rxc = &q->rx.comp[cons & (q->rx.size - 1)];
		psp_ref_rx_one(q, rxc);
		rxc->skb = NULL;
	}

	if (done)
		psp_ref_hw_rx_consumed(q->port->hw, q->index, cons);

	return done;
}

int psp_ref_poll(struct napi_struct *napi, int budget)
{
	struct psp_ref_queue *q = container_of(napi, struct psp_ref_queue,
					       napi);
	int done;

	psp_ref_tx_clean(q, budget);

	/* Netpoll wants nothing but transmit completions, and may have
	 * interrupts disabled. The interrupt for them is still to come.
	 */
	if (!budget)
		return 0;

	if (unlikely(!list_empty(&q->marks)))
		psp_ref_retire_advance(q, q->tx_cons);

	done = psp_ref_rx_poll(q, budget);
	if (done < budget)
		napi_complete_done(napi, done);

	return done;
}

/* The device never masks its interrupts: NAPI remembers those that come while
 * it polls.
 */
void psp_ref_irq(void *data, unsigned int queue)
{
	struct psp_ref_port *port = data;

	local_bh_disable();
	napi_schedule(&port->queue[queue].napi);
	local_bh_enable();
}

/* The ring is stopped: drop what was not taken */
void psp_ref_rx_flush(struct psp_ref_queue *q)
{
	lockdep_assert_held(&q->port->ring_lock);

	for (; q->rx.cons != q->rx.prod; q->rx.cons++)
		dev_kfree_skb(q->rx.comp[q->rx.cons & (q->rx.size - 1)].skb);
}
