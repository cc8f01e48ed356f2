// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bad cable, for tests: frames are lost, doubled, held back or damaged on
 * their way. At most one of these happens to a frame.
 */

#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <net/gso.h>

#include "psp_ref_hw_int.h"

/* Up to so many frames overtake one that was held back */
#define PSP_REF_OVERTAKE_MAX	4

/* It is not held for longer than this if none comes */
#define PSP_REF_HOLD_JIFFIES	msecs_to_jiffies(10)

static bool psp_ref_impair_hit(u32 rate)
{
	return rate && get_random_u32_below(PSP_REF_IMPAIR_SCALE) < rate;
}

static void psp_ref_impair_count(struct psp_ref_wire *wire, u64 *counter)
{
	spin_lock(&wire->lock);
	(*counter)++;
	spin_unlock(&wire->lock);
}

/* Turn a bit over behind the IP header; in PSP packets behind the PSP header,
 * so that it is the ICV that must find it. Other frames, ARP say, have no
 * checksum that would: they stay whole.
 */
static bool psp_ref_flip_bit(struct sk_buff *skb)
{
	struct psp_ref_frame frame;
	unsigned int start;
	u32 bit;

	psp_ref_frame_parse(skb, &frame);
	start = frame.l4_off + (frame.psp ? PSP_ENCAP_HLEN : 0);
	if (!frame.l4_off || start >= frame.end || skb_linearize_cow(skb))
		return false;

	bit = get_random_u32_below((frame.end - start) * BITS_PER_BYTE);
	skb->data[start + bit / BITS_PER_BYTE] ^= BIT(bit % BITS_PER_BYTE);

	return true;
}

static unsigned int psp_ref_list_len(const struct sk_buff *skb)
{
	unsigned int n = 0;

	for (; skb; skb = skb->next)
		n++;

	return n;
}

/* Whoever receives a GSO unit or an unfinished checksum trusts the sender, and
 * could not notice any damage: make real frames of it first.
 */
static struct sk_buff *psp_ref_make_real(struct sk_buff *skb)
{
	struct sk_buff *segs;

	if (skb_is_gso(skb)) {
		segs = skb_gso_segment(skb, 0);
		if (IS_ERR_OR_NULL(segs))
			return skb;
		consume_skb(skb);
		return segs;
	}

	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb_checksum_help(skb);

	return skb;
}

static void psp_ref_impair_corrupt(struct psp_ref_wire *wire,
				   struct sk_buff *skb,
				   struct sk_buff_head *out)
{
	struct sk_buff *next;
	u32 victim;

	skb = psp_ref_make_real(skb);
	victim = get_random_u32_below(psp_ref_list_len(skb));

	skb_list_walk_safe(skb, skb, next) {
		skb_mark_not_on_list(skb);
		if (!victim-- && skb->ip_summed != CHECKSUM_PARTIAL &&
		    psp_ref_flip_bit(skb))
			psp_ref_impair_count(wire, &wire->corrupted);
		__skb_queue_tail(out, skb);
	}
}

static void psp_ref_impair_duplicate(struct psp_ref_wire *wire,
				     struct sk_buff *skb,
				     struct sk_buff_head *out)
{
	struct sk_buff *copy = skb_copy(skb, GFP_KERNEL);

	__skb_queue_tail(out, skb);
	if (!copy)
		return;

	__skb_queue_tail(out, copy);
	psp_ref_impair_count(wire, &wire->duplicated);
}

/* Hold the frame back, unless there is one already */
static void psp_ref_impair_hold(struct psp_ref_wire *wire,
				struct sk_buff *skb, struct sk_buff_head *out)
{
	spin_lock(&wire->lock);
	if (wire->held) {
		__skb_queue_tail(out, skb);
	} else {
		WRITE_ONCE(wire->held, skb);
		wire->held_for = 1 + get_random_u32_below(PSP_REF_OVERTAKE_MAX);
		wire->reordered++;
		schedule_delayed_work(&wire->release, PSP_REF_HOLD_JIFFIES);
	}
	spin_unlock(&wire->lock);
}

/* Let the held frame follow those that have overtaken it */
static void psp_ref_impair_release(struct psp_ref_wire *wire,
				   struct sk_buff_head *out)
{
	if (!READ_ONCE(wire->held) || skb_queue_empty(out))
		return;

	spin_lock(&wire->lock);
	if (wire->held && !--wire->held_for) {
		__skb_queue_tail(out, wire->held);
		WRITE_ONCE(wire->held, NULL);
	}
	spin_unlock(&wire->lock);
}

/**
 * psp_ref_impair() - let something happen to a frame
 * @wire: direction of the cable
 * @skb: frame, from its Ethernet header on
 * @out: gets the frames that are to be delivered now, in this order
 */
void psp_ref_impair(struct psp_ref_wire *wire, struct sk_buff *skb,
		    struct sk_buff_head *out)
{
	if (psp_ref_impair_hit(READ_ONCE(wire->loss))) {
		psp_ref_impair_count(wire, &wire->lost);
		kfree_skb(skb);
	} else if (psp_ref_impair_hit(READ_ONCE(wire->corrupt))) {
		psp_ref_impair_corrupt(wire, skb, out);
	} else if (psp_ref_impair_hit(READ_ONCE(wire->duplicate))) {
		psp_ref_impair_duplicate(wire, skb, out);
	} else if (psp_ref_impair_hit(READ_ONCE(wire->reorder))) {
		psp_ref_impair_hold(wire, skb, out);
	} else {
		__skb_queue_tail(out, skb);
	}

	psp_ref_impair_release(wire, out);
}

static struct sk_buff *psp_ref_impair_take_held(struct psp_ref_wire *wire)
{
	struct sk_buff *skb;

	spin_lock(&wire->lock);
	skb = wire->held;
	WRITE_ONCE(wire->held, NULL);
	spin_unlock(&wire->lock);

	return skb;
}

static void psp_ref_impair_work(struct work_struct *work)
{
	struct psp_ref_wire *wire = container_of(to_delayed_work(work),
						 struct psp_ref_wire, release);
	struct psp_ref_hw *hw = container_of(wire, struct psp_ref_hw, wire);
	struct sk_buff *skb = psp_ref_impair_take_held(wire);

	if (skb)
		psp_ref_wire_deliver(hw, skb);
}

/**
 * psp_ref_impair_init() - start with a good cable
 * @wire: direction of the cable
 */
void psp_ref_impair_init(struct psp_ref_wire *wire)
{
	spin_lock_init(&wire->lock);
	INIT_DELAYED_WORK(&wire->release, psp_ref_impair_work);
}

/**
 * psp_ref_impair_stop() - drop the frame held back
 * @wire: direction of the cable; nobody sends any more
 */
void psp_ref_impair_stop(struct psp_ref_wire *wire)
{
	cancel_delayed_work_sync(&wire->release);
	kfree_skb(psp_ref_impair_take_held(wire));
}
