// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receive engine: take a frame from the wire, and if it is PSP check its
 * framing, find or derive its key and open it; write the completion. Packets
 * that fail are counted, for one reason each, and dropped.
 */

#include <kunit/visibility.h>
#include <linux/bitfield.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/string.h>
#include <net/gso.h>

#include "psp_ref_hw_int.h"

/* Frames that wait in front of an engine before the wire pauses */
#define PSP_REF_BACKLOG		256

/* And if it does not pause: a lower device's burst while the engine sleeps */
#define PSP_REF_BACKLOG_MAX	1024

/* UDP and PSP header and ICV, nothing between */
#define PSP_REF_UDP_LEN_MIN	(PSP_ENCAP_HLEN + PSP_TRL_SIZE)

static struct psp_ref_hw_queue *psp_ref_rx_queue(struct psp_ref_hw *hw,
						 u32 hash)
{
	return &hw->queue[reciprocal_scale(hash, READ_ONCE(hw->nactive))];
}

/**
 * psp_ref_hw_rx_room() - may a frame come
 * @hw: receiving device
 * @hash: hash of the frame
 *
 * Return: false if the sender should wait for psp_ref_wire_resume().
 */
bool psp_ref_hw_rx_room(struct psp_ref_hw *hw, u32 hash)
{
	struct psp_ref_hw_queue *q = psp_ref_rx_queue(hw, hash);

	return !READ_ONCE(q->rx_on) ||
	       skb_queue_len_lockless(&q->backlog) < PSP_REF_BACKLOG;
}

/**
 * psp_ref_hw_rx_input() - a frame comes in from the wire
 * @hw: receiving device
 * @skb: frame; the device owns it if this succeeds
 * @hash: hash of the frame
 *
 * Context: any but hard interrupts.
 * Return: 0, or -ENETDOWN if the device does not run, or -ENOBUFS if too many
 * frames wait already, which does not happen to senders that ask
 * psp_ref_hw_rx_room().
 */
int psp_ref_hw_rx_input(struct psp_ref_hw *hw, struct sk_buff *skb, u32 hash)
{
	struct psp_ref_hw_queue *q = psp_ref_rx_queue(hw, hash);
	int err = -ENETDOWN;

	spin_lock_bh(&q->backlog.lock);
	if (q->rx_on && skb_queue_len(&q->backlog) >= PSP_REF_BACKLOG_MAX) {
		err = -ENOBUFS;
	} else if (q->rx_on) {
		skb->dev = hw->netdev;
		__skb_queue_tail(&q->backlog, skb);
		err = 0;
	}
	spin_unlock_bh(&q->backlog.lock);

	if (!err)
		wake_up(&q->rx_wait);

	return err;
}

static struct sk_buff *psp_ref_rx_fetch(struct psp_ref_hw_queue *q)
{
	struct sk_buff *skb;

	spin_lock_bh(&q->backlog.lock);
	skb = __skb_dequeue(&q->backlog);
	spin_unlock_bh(&q->backlog.lock);

	if (skb)
		psp_ref_wire_resume(q->hw);

	return skb;
}

static bool psp_ref_rx_ring_room(const struct psp_ref_rxring *ring)
{
	/* Pairs with the release in psp_ref_hw_rx_consumed() */
	return ring->prod - smp_load_acquire(&ring->cons) < ring->size;
}

static void psp_ref_rx_complete(struct psp_ref_hw_queue *q,
				const struct psp_ref_rxc *rxc)
{
	struct psp_ref_rxring *ring = q->rx;

	if (!psp_ref_rx_ring_room(ring)) {
		psp_ref_moder_flush(&q->rx_moder);
		wait_event_idle(q->rx_ring_wait, psp_ref_rx_ring_room(ring) ||
				kthread_should_stop());
	}
	if (!psp_ref_rx_ring_room(ring)) {
		kfree_skb(rxc->skb);
		return;
	}

	ring->comp[ring->prod & (ring->size - 1)] = *rxc;
	/* Pairs with the driver's acquire: the completion is whole */
	smp_store_release(&ring->prod, ring->prod + 1);
	psp_ref_moder_event(&q->rx_moder, 1);
}

/**
 * struct psp_ref_rx_psp - a PSP packet being received
 * @psph: its PSP header
 * @version: PSP version
 * @len: bytes between the 16 of @psph and the ICV
 */
struct psp_ref_rx_psp {
	struct psphdr	*psph;
	u8		version;
	unsigned int	len;
};

/* A cookie makes the header 8 bytes longer, and is never encrypted */
static bool psp_ref_rx_framing_ok(const struct psp_ref_rx_psp *rx)
{
	unsigned int clear = 4 * FIELD_GET(PSPHDR_CRYPT_OFFSET,
					   rx->psph->crypt_offset);
	bool cookie = rx->psph->verfl & PSPHDR_VERFL_VIRT;

	if (!(rx->psph->verfl & PSPHDR_VERFL_ONE) || clear > rx->len)
		return false;
	if (cookie)
		return rx->psph->hdrlen == PSP_HDRLEN_VIRT &&
		       clear >= sizeof(rx->psph->vc[0]);

	return rx->psph->hdrlen == PSP_HDRLEN_NOOPT;
}

/* Return: PSP_REF_HW_RX_PSP_PACKETS, or the reason to drop */
static enum psp_ref_hw_rx_stat
psp_ref_rx_check(struct psp_ref_hw *hw, struct sk_buff *skb,
		 const struct psp_ref_frame *frame, struct psp_ref_rx_psp *rx)
{
	const struct udphdr *uh = (void *)(skb->data + frame->l4_off);
	unsigned int udp_len = ntohs(uh->len);

	if (udp_len != frame->end - frame->l4_off ||
	    udp_len < PSP_REF_UDP_LEN_MIN)
		return PSP_REF_HW_RX_ERROR;

	rx->psph = (struct psphdr *)(uh + 1);
	rx->version = FIELD_GET(PSPHDR_VERFL_VERSION, rx->psph->verfl);
	rx->len = udp_len - PSP_REF_UDP_LEN_MIN;

	/* The framing of versions to come is not ours to judge */
	if (!(READ_ONCE(hw->versions) & BIT(rx->version)))
		return PSP_REF_HW_RX_BAD;
	if (!psp_ref_rx_framing_ok(rx))
		return PSP_REF_HW_RX_ERROR;

	return PSP_REF_HW_RX_PSP_PACKETS;
}

/* Derive a key into the engine's spare key object. It gets into the cache only
 * if it opens the packet.
 */
static struct psp_ref_key *psp_ref_rx_derive(struct psp_ref_hw_queue *q,
					     const struct psp_ref_keyid *id)
{
	struct psp_ref_key *key = q->rx_spare;
	u8 bytes[PSP_MAX_KEY];
	int err;

	if (!key) {
		key = psp_ref_key_alloc(id->version, NULL);
		if (IS_ERR(key))
			return NULL;
		q->rx_spare = key;
	}

	err = psp_ref_devkeys_derive(&q->hw->devkeys, id, bytes);
	if (!err)
		err = psp_ref_key_set(key, id->version, bytes);
	memzero_explicit(bytes, sizeof(bytes));

	return err ? NULL : key;
}

/* The spare key object is kept for the next packet, the key is not: it may be
 * one that somebody uses, and must not outlive its device key.
 */
static void psp_ref_rx_forget(struct psp_ref_hw_queue *q, u8 version)
{
	static const u8 zero[PSP_MAX_KEY];

	if (psp_ref_key_set(q->rx_spare, version, zero)) {
		psp_ref_key_put(q->rx_spare);
		q->rx_spare = NULL;
	}
}

static int psp_ref_rx_open_derived(struct psp_ref_hw_queue *q,
				   const struct psp_ref_keyid *id,
				   const struct psp_ref_rx_psp *rx)
{
	struct psp_ref_key *key = psp_ref_rx_derive(q, id);
	int err;

	if (!key)
		return -ENOKEY;

	err = psp_ref_open(&q->rx_aead, key, rx->psph, rx->len);
	if (err) {
		psp_ref_rx_forget(q, id->version);
		return err;
	}

	psp_ref_cache_add(q->hw->cache, id, key);
	q->rx_spare = NULL;
	return 0;
}

static int psp_ref_rx_open(struct psp_ref_hw_queue *q,
			   const struct psp_ref_keyid *id,
			   const struct psp_ref_rx_psp *rx)
{
	struct psp_ref_key *key;
	int err;

	key = psp_ref_cache_get(q->hw->cache, id);
	if (!key)
		return psp_ref_rx_open_derived(q, id, rx);

	err = psp_ref_open(&q->rx_aead, key, rx->psph, rx->len);
	psp_ref_key_put(key);

	return err;
}

/* Return: PSP_REF_HW_RX_PSP_PACKETS, or the reason to drop */
VISIBLE_IF_KUNIT enum psp_ref_hw_rx_stat
psp_ref_rx_psp(struct psp_ref_hw_queue *q, struct psp_ref_rxc *rxc,
	       const struct psp_ref_frame *frame)
{
	enum psp_ref_hw_rx_stat verdict;
	struct psp_ref_rx_psp rx;
	struct psp_ref_keyid id;
	int err;

	/* A sender, or a tap, may still look at the same bytes */
	if (skb_linearize_cow(rxc->skb) || pskb_trim(rxc->skb, frame->end))
		return PSP_REF_HW_RX_BAD;

	verdict = psp_ref_rx_check(q->hw, rxc->skb, frame, &rx);
	if (verdict != PSP_REF_HW_RX_PSP_PACKETS)
		return verdict;

	if (psp_ref_devkeys_identify(&q->hw->devkeys, rx.version,
				     rx.psph->spi, &id))
		return PSP_REF_HW_RX_BAD;

	err = psp_ref_rx_open(q, &id, &rx);
	if (err)
		return err == -EBADMSG ? PSP_REF_HW_RX_AUTH_FAIL :
					 PSP_REF_HW_RX_BAD;

	rxc->skb->ip_summed = CHECKSUM_NONE;
	rxc->flags |= PSP_REF_RXC_PSP;
	rxc->generation = id.generation;
	psp_ref_stats_add(&q->rx_stats, PSP_REF_HW_RX_PSP_BYTES, rx.len);

	return PSP_REF_HW_RX_PSP_PACKETS;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_rx_psp);

static bool psp_ref_rx_too_long(const struct psp_ref_hw *hw,
				const struct sk_buff *skb)
{
	return !skb_is_gso(skb) &&
	       skb->len > READ_ONCE(hw->netdev->mtu) + VLAN_ETH_HLEN;
}

static void psp_ref_rx_frame(struct psp_ref_hw_queue *q, struct sk_buff *skb,
			     const struct psp_ref_frame *frame)
{
	struct psp_ref_rxc rxc = { .skb = skb };
	enum psp_ref_hw_rx_stat verdict;

	if (psp_ref_rx_too_long(q->hw, skb)) {
		psp_ref_stats_inc(&q->rx_stats, PSP_REF_HW_RX_TOO_LONG);
		goto drop;
	}

	if (frame->psp) {
		verdict = psp_ref_rx_psp(q, &rxc, frame);
		psp_ref_stats_inc(&q->rx_stats, verdict);
		if (verdict != PSP_REF_HW_RX_PSP_PACKETS)
			goto drop;
	}

	psp_ref_rx_complete(q, &rxc);
	return;

drop:
	kfree_skb(skb);
}

/* PSP packets that are UDP to the lower device, whose GRO has put them together
 * into one: take them apart. Nobody has to know of the UDP checksum.
 */
static void psp_ref_rx_super(struct psp_ref_hw_queue *q, struct sk_buff *skb)
{
	struct psp_ref_frame frame;
	struct sk_buff *segs, *next;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	segs = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segs)) {
		psp_ref_stats_inc(&q->rx_stats, PSP_REF_HW_RX_BAD);
		kfree_skb(skb);
		return;
	}

	consume_skb(skb);
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		psp_ref_frame_parse(skb, &frame);
		psp_ref_rx_frame(q, skb, &frame);
	}
}

/* Captures on a lower device share the head of its frames, and the port's GRO
 * takes heads apart without asking who else looks at them.
 */
static void psp_ref_rx_one(struct psp_ref_hw_queue *q, struct sk_buff *skb)
{
	struct psp_ref_frame frame;

	psp_ref_stats_inc(&q->rx_stats, PSP_REF_HW_RX_FRAMES);
	if (skb_unclone(skb, GFP_KERNEL)) {
		psp_ref_stats_inc(&q->rx_stats, PSP_REF_HW_RX_BAD);
		kfree_skb(skb);
		return;
	}

	psp_ref_frame_parse(skb, &frame);
	if (frame.psp && skb_is_gso(skb))
		psp_ref_rx_super(q, skb);
	else
		psp_ref_rx_frame(q, skb, &frame);
}

/**
 * psp_ref_hw_rx_engine() - thread of a receive engine
 * @data: queue
 *
 * Return: 0.
 */
int psp_ref_hw_rx_engine(void *data)
{
	struct psp_ref_hw_queue *q = data;
	struct sk_buff *skb;

	while (!kthread_should_stop()) {
		wait_event_idle(q->rx_wait,
				!skb_queue_empty_lockless(&q->backlog) ||
				kthread_should_stop());

		while (!kthread_should_stop()) {
			skb = psp_ref_rx_fetch(q);
			if (!skb)
				break;
			psp_ref_rx_one(q, skb);
			cond_resched();
		}
		psp_ref_moder_idle(&q->rx_moder);
	}

	return 0;
}
