// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transmit engine: fetch a descriptor, fetch its key by handle, cut the
 * buffer into segments, finish their headers, seal them, send them, write the
 * completion.
 */

#include <linux/etherdevice.h>
#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "psp_ref_hw_int.h"

/**
 * struct psp_ref_seg - one wire packet of a descriptor's buffer
 * @txd: the descriptor
 * @data: the packet, from its Ethernet header on
 * @index: number of the segment
 * @off: offset of its payload in the whole payload
 * @len: length of its payload
 * @last: the segment is the last one
 */
struct psp_ref_seg {
	const struct psp_ref_txd	*txd;
	u8				*data;
	unsigned int			index;
	unsigned int			off;
	unsigned int			len;
	bool				last;
};

static struct udphdr *psp_ref_seg_udp(const struct psp_ref_seg *seg)
{
	return (struct udphdr *)(seg->data + seg->txd->l4_off);
}

static struct psphdr *psp_ref_seg_psp(const struct psp_ref_seg *seg)
{
	return (struct psphdr *)(psp_ref_seg_udp(seg) + 1);
}

static struct tcphdr *psp_ref_seg_tcp(const struct psp_ref_seg *seg)
{
	return (struct tcphdr *)(psp_ref_seg_psp(seg) + 1);
}

/* TCP header and payload: what PSP encrypts */
static unsigned int psp_ref_seg_tcp_len(const struct psp_ref_seg *seg)
{
	return seg->txd->hdr_len - seg->txd->l4_off - PSP_ENCAP_HLEN +
	       seg->len;
}

static void psp_ref_seg_fix_ipv4(const struct psp_ref_seg *seg, u16 l4_len)
{
	struct iphdr *iph = (struct iphdr *)(seg->data + seg->txd->l3_off);

	iph->tot_len = htons(iph->ihl * 4 + l4_len);
	iph->id = htons(ntohs(iph->id) + seg->index);
	ip_send_check(iph);
}

static void psp_ref_seg_fix_ipv6(const struct psp_ref_seg *seg, u16 l4_len)
{
	struct ipv6hdr *ip6h;

	ip6h = (struct ipv6hdr *)(seg->data + seg->txd->l3_off);
	ip6h->payload_len = htons(l4_len);
}

static void psp_ref_seg_fix_outer(const struct psp_ref_seg *seg)
{
	u16 l4_len = PSP_OVERHEAD + psp_ref_seg_tcp_len(seg);

	if (seg->txd->flags & PSP_REF_TXD_IPV6)
		psp_ref_seg_fix_ipv6(seg, l4_len);
	else
		psp_ref_seg_fix_ipv4(seg, l4_len);

	psp_ref_seg_udp(seg)->len = htons(l4_len);
	psp_ref_seg_udp(seg)->check = 0;
}

/* The addresses are those of the outer header, TCP knows no others */
static void psp_ref_seg_checksum(const struct psp_ref_seg *seg)
{
	const void *l3 = seg->data + seg->txd->l3_off;
	struct tcphdr *th = psp_ref_seg_tcp(seg);
	u32 len = psp_ref_seg_tcp_len(seg);
	const struct ipv6hdr *ip6h = l3;
	const struct iphdr *iph = l3;
	__wsum sum;

	th->check = 0;
	sum = csum_partial(th, len, 0);
	if (seg->txd->flags & PSP_REF_TXD_IPV6)
		th->check = csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len,
					    IPPROTO_TCP, sum);
	else
		th->check = csum_tcpudp_magic(iph->saddr, iph->daddr, len,
					      IPPROTO_TCP, sum);
}

/* What the first segment says of the start belongs to it alone, and what the
 * last one says of the end.
 */
static void psp_ref_seg_fix_tcp(const struct psp_ref_seg *seg)
{
	struct tcphdr *th = psp_ref_seg_tcp(seg);

	if (seg->txd->mss) {
		th->seq = htonl(ntohl(th->seq) + seg->off);
		if (seg->index)
			th->cwr = 0;
		if (!seg->last) {
			th->fin = 0;
			th->psh = 0;
		}
	}

	if (seg->txd->flags & PSP_REF_TXD_CSUM)
		psp_ref_seg_checksum(seg);
}

static struct sk_buff *psp_ref_seg_alloc(struct psp_ref_hw_queue *q,
					 struct psp_ref_seg *seg)
{
	const struct psp_ref_txd *txd = seg->txd;
	unsigned int len = txd->hdr_len + seg->len;
	struct sk_buff *skb;

	skb = netdev_alloc_skb_ip_align(q->hw->netdev, len + PSP_TRL_SIZE);
	if (!skb)
		return NULL;

	seg->data = skb_put(skb, len + PSP_TRL_SIZE);
	if (skb_copy_bits(txd->skb, 0, seg->data, txd->hdr_len) ||
	    skb_copy_bits(txd->skb, txd->hdr_len + seg->off,
			  seg->data + txd->hdr_len, seg->len)) {
		kfree_skb(skb);
		return NULL;
	}

	skb_reset_mac_header(skb);
	skb_set_network_header(skb, txd->l3_off);
	skb_set_transport_header(skb, txd->l4_off);
	skb->protocol = txd->skb->protocol;

	return skb;
}

static int psp_ref_tx_segment(struct psp_ref_hw_queue *q,
			      const struct psp_ref_key *key,
			      struct psp_ref_seg *seg)
{
	unsigned int len = psp_ref_seg_tcp_len(seg);
	struct sk_buff *skb;
	int err;

	skb = psp_ref_seg_alloc(q, seg);
	if (!skb) {
		psp_ref_stats_inc(&q->tx_stats, PSP_REF_HW_TX_NO_MEMORY);
		return -ENOMEM;
	}

	psp_ref_seg_fix_outer(seg);
	psp_ref_seg_fix_tcp(seg);
	psp_ref_seg_psp(seg)->iv = cpu_to_be64(psp_ref_iv_next(&q->iv));

	err = psp_ref_seal(&q->tx_aead, key, psp_ref_seg_psp(seg), len);
	if (err) {
		kfree_skb(skb);
		return err;
	}

	psp_ref_wire_send(q->hw, skb);
	psp_ref_stats_inc(&q->tx_stats, PSP_REF_HW_TX_FRAMES);
	psp_ref_stats_inc(&q->tx_stats, PSP_REF_HW_TX_PSP_PACKETS);
	psp_ref_stats_add(&q->tx_stats, PSP_REF_HW_TX_PSP_BYTES, len);
	return 0;
}

static enum psp_ref_tx_status psp_ref_tx_segments(struct psp_ref_hw_queue *q,
						  const struct psp_ref_key *key,
						  const struct psp_ref_txd *txd)
{
	unsigned int left = txd->skb->len - txd->hdr_len;
	enum psp_ref_tx_status status = PSP_REF_TX_OK;
	struct psp_ref_seg seg = { .txd = txd };

	do {
		seg.len = txd->mss ? min_t(unsigned int, left, txd->mss) : left;
		left -= seg.len;
		seg.last = !left;

		if (psp_ref_tx_segment(q, key, &seg)) {
			psp_ref_stats_inc(&q->tx_stats,
					  PSP_REF_HW_TX_PSP_FAILED);
			status = PSP_REF_TX_ERROR;
		}

		seg.off += seg.len;
		seg.index++;
	} while (left);

	return status;
}

static enum psp_ref_tx_status psp_ref_tx_psp(struct psp_ref_hw_queue *q,
					     const struct psp_ref_txd *txd)
{
	enum psp_ref_tx_status status;
	struct psp_ref_key *key;

	key = psp_ref_table_get(&q->hw->table, txd->key_handle);
	if (!key) {
		psp_ref_stats_inc(&q->tx_stats, PSP_REF_HW_TX_STALE_HANDLE);
		return PSP_REF_TX_STALE;
	}

	status = psp_ref_tx_segments(q, key, txd);
	psp_ref_key_put(key);

	return status;
}

/* What a stack knows of a packet and a wire does not carry */
static void psp_ref_tx_strip_metadata(struct sk_buff *skb)
{
	skb_scrub_packet(skb, true);
	skb_set_queue_mapping(skb, 0);
	skb_reset_redirect(skb);
	skb->priority = 0;
	skb->decrypted = 0;
	skb_set_dst_pending_confirm(skb, 0);
	/* A checksum over all of the frame is not one from the IP header on */
	skb_forward_csum(skb);
}

/* The copy has a head of its own and shares the pages of payload, which nobody
 * writes to: the receiver's GRO may take it apart as it likes.
 */
static enum psp_ref_tx_status psp_ref_tx_plain(struct psp_ref_hw_queue *q,
					       const struct psp_ref_txd *txd)
{
	struct sk_buff *skb = pskb_copy((struct sk_buff *)txd->skb, GFP_KERNEL);

	if (!skb) {
		psp_ref_stats_inc(&q->tx_stats, PSP_REF_HW_TX_NO_MEMORY);
		return PSP_REF_TX_ERROR;
	}

	psp_ref_tx_strip_metadata(skb);
	psp_ref_wire_send(q->hw, skb);
	psp_ref_stats_inc(&q->tx_stats, PSP_REF_HW_TX_FRAMES);

	return PSP_REF_TX_OK;
}

static void psp_ref_tx_one(struct psp_ref_hw_queue *q)
{
	struct psp_ref_txring *ring = q->tx;
	u32 slot = q->tx_head & (ring->size - 1);
	const struct psp_ref_txd *txd = &ring->desc[slot];
	enum psp_ref_tx_status status;

	if (txd->flags & PSP_REF_TXD_PSP)
		status = psp_ref_tx_psp(q, txd);
	else
		status = psp_ref_tx_plain(q, txd);

	ring->comp[slot] = (struct psp_ref_txc) {
		.index = q->tx_head,
		.key_handle = txd->key_handle,
		.status = status,
	};
	q->tx_head++;
}

static bool psp_ref_tx_pending(const struct psp_ref_hw_queue *q)
{
	/* Pairs with the driver's release in psp_ref_hw_tx_doorbell() */
	return smp_load_acquire(&q->tx->doorbell) != q->tx_head;
}

static bool psp_ref_tx_may_fetch(const struct psp_ref_hw_queue *q)
{
	return !(READ_ONCE(q->hw->tx_pause_fetch) & BIT(q->index)) &&
	       psp_ref_tx_pending(q);
}

static bool psp_ref_tx_may_publish(const struct psp_ref_hw_queue *q)
{
	return !(READ_ONCE(q->hw->tx_hold_completions) & BIT(q->index)) &&
	       q->tx->comp_prod != q->tx_head;
}

static bool psp_ref_tx_has_work(const struct psp_ref_hw_queue *q)
{
	return psp_ref_tx_may_fetch(q) || psp_ref_tx_may_publish(q);
}

static void psp_ref_tx_work(struct psp_ref_hw_queue *q)
{
	u32 n;

	if (psp_ref_tx_may_fetch(q))
		psp_ref_tx_one(q);
	if (!psp_ref_tx_may_publish(q))
		return;

	n = q->tx_head - q->tx->comp_prod;
	/* Pairs with the driver's acquire: the completions are whole, and the
	 * device is done with descriptors and buffers.
	 */
	smp_store_release(&q->tx->comp_prod, q->tx_head);
	psp_ref_moder_event(&q->tx_moder, n);
}

/**
 * psp_ref_hw_tx_engine() - thread of a transmit engine
 * @data: queue
 *
 * Return: 0.
 */
int psp_ref_hw_tx_engine(void *data)
{
	struct psp_ref_hw_queue *q = data;

	while (!kthread_should_stop()) {
		wait_event_idle(q->tx_wait, psp_ref_tx_has_work(q) ||
				kthread_should_stop());

		while (psp_ref_tx_has_work(q) && !kthread_should_stop()) {
			psp_ref_tx_work(q);
			cond_resched();
		}
		psp_ref_moder_idle(&q->tx_moder);
	}

	return 0;
}
