// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire: a cable to another port, or a real interface, or nothing yet. What
 * is the same for all of them is here, and what is the cable's;
 * psp_ref_hw_lower.c has the real interface.
 *
 * A cable has flow control as Ethernet has with pause frames: an engine waits
 * while the other end has no room, and nothing is lost unless somebody asks for
 * it.
 */

#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/rtnetlink.h>

#include "psp_ref_hw_int.h"

/* Test only: give a copy of the frame to the interface that was named. The wire
 * itself is refused, and any port: it could be one of this cable. No clone: GRO
 * at the other end takes pages out of frames without asking who else looks at
 * them.
 */
static void psp_ref_tap(struct psp_ref_hw *hw, struct sk_buff *skb)
{
	u32 ifindex = READ_ONCE(hw->wire.tap);
	struct net_device *dev;
	struct sk_buff *copy;

	if (!ifindex)
		return;

	dev = dev_get_by_index_rcu(dev_net_rcu(hw->netdev), ifindex);
	if (!dev || dev->netdev_ops == hw->netdev->netdev_ops ||
	    dev == rcu_access_pointer(hw->lower))
		return;

	copy = pskb_copy(skb, GFP_ATOMIC);
	if (!copy)
		return;

	copy->dev = dev;
	dev_queue_xmit(copy);
}

static void psp_ref_tap_both_ends(struct psp_ref_hw *hw, struct sk_buff *skb)
{
	struct psp_ref_hw *peer;

	rcu_read_lock();
	psp_ref_tap(hw, skb);
	peer = rcu_dereference(hw->peer);
	if (peer)
		psp_ref_tap(peer, skb);
	rcu_read_unlock();
}

/* Without a port at the other end there is nothing to wait for either */
static bool psp_ref_wire_has_room(struct psp_ref_hw *hw, u32 hash)
{
	struct psp_ref_hw *peer;
	bool room;

	rcu_read_lock();
	peer = rcu_dereference(hw->peer);
	room = !peer || psp_ref_hw_rx_room(peer, hash);
	rcu_read_unlock();

	return room;
}

/**
 * psp_ref_wire_deliver() - hand a frame to the other end
 * @hw: sending device
 * @skb: frame, from its Ethernet header on
 */
void psp_ref_wire_deliver(struct psp_ref_hw *hw, struct sk_buff *skb)
{
	struct net_device *lower;
	struct psp_ref_hw *peer;
	int err = -ENOLINK;

	rcu_read_lock();
	peer = rcu_dereference(hw->peer);
	lower = rcu_dereference(hw->lower);
	if (peer)
		err = psp_ref_hw_rx_input(peer, skb, skb_get_hash_raw(skb));
	else if (lower)
		err = psp_ref_lower_xmit(hw, lower, skb);
	rcu_read_unlock();

	if (err) {
		atomic64_inc(&hw->wire.no_link);
		kfree_skb(skb);
	}
}

/* Whoever gets the frame next goes by the hash, and so do copies of it */
static u32 psp_ref_wire_hash(struct sk_buff *skb)
{
	struct psp_ref_frame frame;

	psp_ref_frame_parse(skb, &frame);
	skb_set_hash(skb, frame.hash, frame.hash_type);

	return frame.hash;
}

/**
 * psp_ref_wire_send() - put a frame on the wire
 * @hw: sending device
 * @skb: frame, from its Ethernet header on, with all header offsets set
 *
 * Called by transmit engines, whom it may keep waiting.
 */
void psp_ref_wire_send(struct psp_ref_hw *hw, struct sk_buff *skb)
{
	struct sk_buff_head out;
	u32 hash;

	skb->dev = NULL;
	psp_ref_tap_both_ends(hw, skb);
	psp_ref_wire_hash(skb);

	__skb_queue_head_init(&out);
	psp_ref_impair(&hw->wire, skb, &out);

	while ((skb = __skb_dequeue(&out))) {
		hash = skb_get_hash_raw(skb);
		wait_event_idle(hw->wire.pause_wait,
				psp_ref_wire_has_room(hw, hash) ||
				kthread_should_stop());
		psp_ref_wire_deliver(hw, skb);
	}
}

/**
 * psp_ref_wire_receive() - a frame comes in that nobody could hold back
 * @hw: receiving device
 * @skb: frame, from its Ethernet header on, that has a device; taken
 *
 * Context: any but hard interrupts, under RCU.
 */
void psp_ref_wire_receive(struct psp_ref_hw *hw, struct sk_buff *skb)
{
	int err;

	psp_ref_tap(hw, skb);
	err = psp_ref_hw_rx_input(hw, skb, psp_ref_wire_hash(skb));
	if (!err)
		return;

	if (err == -ENOBUFS)
		atomic64_inc(&hw->wire.no_room);
	kfree_skb(skb);
}

/**
 * psp_ref_wire_resume() - tell the other end that there is room again
 * @hw: receiving device
 */
void psp_ref_wire_resume(struct psp_ref_hw *hw)
{
	struct psp_ref_hw *peer;

	rcu_read_lock();
	peer = rcu_dereference(hw->peer);
	if (peer && wq_has_sleeper(&peer->wire.pause_wait))
		wake_up_all(&peer->wire.pause_wait);
	rcu_read_unlock();
}

/**
 * psp_ref_hw_connect() - plug a cable in at both ends
 * @a: a device without a cable
 * @b: another
 */
void psp_ref_hw_connect(struct psp_ref_hw *a, struct psp_ref_hw *b)
{
	ASSERT_RTNL();

	rcu_assign_pointer(a->peer, b);
	rcu_assign_pointer(b->peer, a);
}

/**
 * psp_ref_hw_disconnect() - take the cable away, if there is one
 * @hw: one end
 *
 * Both devices must outlive a grace period.
 */
void psp_ref_hw_disconnect(struct psp_ref_hw *hw)
{
	struct psp_ref_hw *peer = rtnl_dereference(hw->peer);

	if (!peer)
		return;

	RCU_INIT_POINTER(hw->peer, NULL);
	RCU_INIT_POINTER(peer->peer, NULL);
	wake_up_all(&hw->wire.pause_wait);
	wake_up_all(&peer->wire.pause_wait);
}

/**
 * psp_ref_wire_init() - prepare the outgoing side of a device
 * @hw: device
 */
void psp_ref_wire_init(struct psp_ref_hw *hw)
{
	init_waitqueue_head(&hw->wire.pause_wait);
	psp_ref_impair_init(&hw->wire);
}

/**
 * psp_ref_wire_stop() - drop what is still on its way out
 * @hw: device whose engines have stopped
 */
void psp_ref_wire_stop(struct psp_ref_hw *hw)
{
	psp_ref_impair_stop(&hw->wire);
}

/**
 * psp_ref_hw_no_link() - frames lost because the other end was not there
 * @hw: device
 *
 * Return: count since the device was made.
 */
u64 psp_ref_hw_no_link(struct psp_ref_hw *hw)
{
	return atomic64_read(&hw->wire.no_link);
}

/**
 * psp_ref_hw_refused() - frames that the lower device's queue refused
 * @hw: device
 *
 * Return: count since the device was made.
 */
u64 psp_ref_hw_refused(struct psp_ref_hw *hw)
{
	return atomic64_read(&hw->wire.refused);
}

/**
 * psp_ref_hw_no_room() - frames received that found a receive engine too far
 * behind
 * @hw: device
 *
 * Return: count since the device was made.
 */
u64 psp_ref_hw_no_room(struct psp_ref_hw *hw)
{
	return atomic64_read(&hw->wire.no_room);
}
