// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the stack to the descriptor, and from the completion back.
 *
 * Two rules make it safe to delete a key some time after its last user is
 * gone: within one psp_ref_xmit() the association is looked up, the descriptor
 * is written and the producer is advanced; and ring space is checked before
 * the headers are written, so that nothing is handed back for another try.
 */

#include <linux/etherdevice.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip.h>

#include "psp_ref.h"

static bool psp_ref_tx_has_room(const struct psp_ref_queue *q)
{
	/* Pairs with the release in psp_ref_tx_clean(): the slot is empty */
	return q->tx_prod - smp_load_acquire(&q->tx_cons) < q->tx.size;
}

static void psp_ref_tx_doorbell(struct psp_ref_queue *q)
{
	psp_ref_hw_tx_doorbell(q->port->hw, q->index, q->tx_prod);
}

static unsigned int psp_ref_skb_segs(const struct sk_buff *skb)
{
	return max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
}

/* Does each of its packets fit in the MTU once it has grown? */
static bool psp_ref_psp_fits(const struct sk_buff *skb, unsigned int tcp_end)
{
	unsigned int len = skb->len;

	if (skb_is_gso(skb))
		len = tcp_end + skb_shinfo(skb)->gso_size;

	return len + PSP_OVERHEAD <= READ_ONCE(skb->dev->mtu) + ETH_HLEN;
}

/* The association of a marked skb, if its key is in this port's device. The
 * core sees to that; a frame under somebody else's handle would be worse than
 * a frame lost.
 */
static struct psp_assoc *psp_ref_tx_assoc(struct psp_ref_port *port,
					  struct sk_buff *skb)
{
	struct psp_dev *psd = rcu_dereference_bh(port->psd);
	struct psp_assoc *pas = psp_skb_get_assoc_rcu(skb);

	return pas && pas->psd == psd ? pas : NULL;
}

static int psp_ref_tx_drop(struct psp_ref_queue *q, const struct sk_buff *skb,
			   enum psp_ref_tx_stat reason)
{
	psp_ref_stats_inc(&q->tx_stats, reason);
	psp_ref_stats_add(&q->tx_stats, PSP_REF_TX_DROP_PSP_FRAMES,
			  psp_ref_skb_segs(skb));
	return -EINVAL;
}

/* Write the PSP headers and the descriptor. The UDP header goes where TCP was,
 * the PSP header behind it; device keys and IVs are the device's business.
 */
static int psp_ref_tx_describe_psp(struct psp_ref_queue *q,
				   struct sk_buff *skb,
				   struct psp_ref_txd *txd)
{
	struct net_device *dev = q->port->dev;
	struct psp_ref_tx_key *key;
	struct psp_assoc *pas;
	unsigned int l4_off;

	pas = psp_ref_tx_assoc(q->port, skb);
	if (!pas)
		return psp_ref_tx_drop(q, skb, PSP_REF_TX_DROP_NO_ASSOC);

	l4_off = skb_transport_offset(skb);
	txd->hdr_len = skb_tcp_all_headers(skb);
	if (!psp_ref_psp_fits(skb, txd->hdr_len))
		return psp_ref_tx_drop(q, skb, PSP_REF_TX_DROP_TOO_BIG);

	if (!psp_dev_encapsulate(dev_net_rcu(dev), skb, pas->tx.spi,
				 pas->version, 0))
		return psp_ref_tx_drop(q, skb, PSP_REF_TX_DROP_ENCAP);

	key = psp_assoc_drv_data(pas);
	txd->key_handle = key->handle;
	txd->flags = PSP_REF_TXD_PSP;
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		txd->flags |= PSP_REF_TXD_CSUM;
	if (skb->protocol == htons(ETH_P_IPV6))
		txd->flags |= PSP_REF_TXD_IPV6;
	txd->mss = skb_shinfo(skb)->gso_size;
	txd->l3_off = skb_network_offset(skb);
	txd->l4_off = l4_off;
	txd->hdr_len += PSP_ENCAP_HLEN;

	return 0;
}

static void psp_ref_tx_count(struct psp_ref_tx_buf *buf,
			     const struct psp_ref_txd *txd)
{
	const struct sk_buff *skb = buf->skb;
	unsigned int hdr_len = txd->hdr_len;

	buf->bql = skb->len;
	buf->packets = psp_ref_skb_segs(skb);
	if (txd->flags & PSP_REF_TXD_PSP)
		buf->bytes = skb->len + buf->packets * PSP_TRL_SIZE;
	else
		buf->bytes = skb->len;

	if (buf->packets == 1)
		return;
	if (!hdr_len)
		hdr_len = skb_tcp_all_headers(skb);
	buf->bytes += (buf->packets - 1) * hdr_len;
}

static void psp_ref_tx_maybe_stop(struct psp_ref_queue *q,
				  struct netdev_queue *nq)
{
	if (likely(psp_ref_tx_has_room(q)))
		return;

	netif_tx_stop_queue(nq);

	/* Pairs with the barrier in psp_ref_tx_wake(): either it sees the
	 * queue stopped, or the room it has made is seen here.
	 */
	smp_mb();
	if (psp_ref_tx_has_room(q))
		netif_tx_start_queue(nq);
}

static void psp_ref_tx_post(struct psp_ref_queue *q, struct sk_buff *skb,
			    const struct psp_ref_txd *txd)
{
	struct netdev_queue *nq = netdev_get_tx_queue(q->port->dev, q->index);
	u32 slot = q->tx_prod & (q->tx.size - 1);
	bool kick;

	q->tx.desc[slot] = *txd;
	q->tx_buf[slot].skb = skb;
	psp_ref_tx_count(&q->tx_buf[slot], txd);
	skb_tx_timestamp(skb);

	kick = __netdev_tx_sent_queue(nq, q->tx_buf[slot].bql,
				      netdev_xmit_more());
	WRITE_ONCE(q->tx_prod, q->tx_prod + 1);
	psp_ref_tx_maybe_stop(q, nq);

	if (kick || netif_xmit_stopped(nq))
		psp_ref_tx_doorbell(q);
}

/* The stack calls this in an RCU read section with bottom halves disabled. It
 * begins before the association is looked up and ends after the producer was
 * advanced: who waits for a grace period finds every descriptor posted.
 */
netdev_tx_t psp_ref_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct psp_ref_queue *q = &port->queue[skb_get_queue_mapping(skb)];
	struct psp_ref_txd txd = { .skb = skb };

	if (unlikely(!psp_ref_tx_has_room(q))) {
		psp_ref_tx_maybe_stop(q, netdev_get_tx_queue(dev, q->index));
		return NETDEV_TX_BUSY;
	}

	if (skb->decrypted && psp_ref_tx_describe_psp(q, skb, &txd))
		goto drop;

	psp_ref_tx_post(q, skb, &txd);
	return NETDEV_TX_OK;

drop:
	dev_kfree_skb_any(skb);
	if (!netdev_xmit_more())
		psp_ref_tx_doorbell(q);
	return NETDEV_TX_OK;
}

/* A queue stops when the ring is full; it goes on when a good part is free, but
 * not when the port is about to stop.
 */
static void psp_ref_tx_wake(struct psp_ref_queue *q, struct netdev_queue *nq)
{
	u32 used;

	/* Pairs with the barrier in psp_ref_tx_maybe_stop() */
	smp_mb();
	used = READ_ONCE(q->tx_prod) - q->tx_cons;
	if (netif_tx_queue_stopped(nq) && used <= q->tx.size / 2 &&
	    netif_running(q->port->dev))
		netif_tx_wake_queue(nq);
}

static void psp_ref_tx_done(struct psp_ref_queue *q,
			    const struct psp_ref_txc *txc,
			    const struct psp_ref_tx_buf *buf)
{
	if (txc->status != PSP_REF_TX_OK) {
		psp_ref_stats_inc(&q->poll_stats, PSP_REF_POLL_TX_DROPPED);
		return;
	}

	psp_ref_stats_add(&q->poll_stats, PSP_REF_POLL_TX_PACKETS,
			  buf->packets);
	psp_ref_stats_add(&q->poll_stats, PSP_REF_POLL_TX_BYTES, buf->bytes);
}

/* Take all completions that there are */
void psp_ref_tx_clean(struct psp_ref_queue *q, int budget)
{
	struct netdev_queue *nq = netdev_get_tx_queue(q->port->dev, q->index);
	/* Pairs with the device's release in psp_ref_tx_work() */
	u32 end = smp_load_acquire(&q->tx.comp_prod);
	unsigned int packets = 0, bytes = 0;
	struct psp_ref_tx_buf *buf;
	u32 cons = q->tx_cons;
	u32 slot;

	if (cons == end)
		return;

	for (; cons != end; cons++) {
		slot = cons & (q->tx.size - 1);
		buf = &q->tx_buf[slot];
		WARN_ON_ONCE(q->tx.comp[slot].index != cons);

		psp_ref_tx_done(q, &q->tx.comp[slot], buf);
		packets++;
		bytes += buf->bql;
		napi_consume_skb(buf->skb, budget);
		buf->skb = NULL;
	}

	/* Pairs with the acquires in psp_ref_tx_has_room() and
	 * psp_ref_retire_ring()
	 */
	smp_store_release(&q->tx_cons, cons);
	netdev_tx_completed_queue(nq, packets, bytes);
	psp_ref_tx_wake(q, nq);
}

/* The ring is stopped: the device is done with all descriptors */
void psp_ref_tx_flush(struct psp_ref_queue *q)
{
	struct psp_ref_tx_buf *buf;
	u32 cons = q->tx_cons;

	lockdep_assert_held(&q->port->ring_lock);

	for (; cons != q->tx_prod; cons++) {
		buf = &q->tx_buf[cons & (q->tx.size - 1)];
		dev_kfree_skb(buf->skb);
		buf->skb = NULL;
		psp_ref_stats_inc(&q->poll_stats, PSP_REF_POLL_TX_DROPPED);
	}

	WRITE_ONCE(q->tx_cons, cons);
	q->tx.doorbell = cons;
	q->tx.comp_prod = cons;
	netdev_tx_reset_queue(netdev_get_tx_queue(q->port->dev, q->index));
	/* No key has to wait for descriptors that are not there */
	psp_ref_retire_advance(q, cons);
}
