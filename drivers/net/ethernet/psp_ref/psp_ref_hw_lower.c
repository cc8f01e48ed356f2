// SPDX-License-Identifier: GPL-2.0-only
/*
 * A real interface as the wire: frames leave through the queues of a lower
 * device, and what it receives comes in here.
 *
 * Other than a cable it has no flow control. A frame counts as sent once it is
 * in the lower device's queue, as with a router: nothing comes back from there
 * to wait for. The frames are the engine's own, so the sender's socket cannot
 * be charged for them any longer; it must not even be seen below, where
 * filters, queues and the check of marked packets would act on it. A callback
 * at the end of each frame would have to find its way from whatever device the
 * frame died in, and removal would have to wait for it. So the socket's share
 * of the queue is bounded by the port's rings, and what is behind them by the
 * lower device's queue discipline: it marks or drops, and TCP slows down.
 */

#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/rtnetlink.h>

#include "psp_ref_hw_int.h"

/* A wire carries a frame and nothing that one stack knows of it. The sender's
 * socket, which veth lets through, would wait for the receive engine.
 */
static void psp_ref_lower_strip(struct sk_buff *skb)
{
	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb_reset_redirect(skb);
	skb->priority = 0;
	skb->decrypted = 0;
}

/* The lower device's receive handler: softirq, under RCU. The port takes all
 * that was received, also while it is down; what the stack loops back below was
 * not.
 */
static rx_handler_result_t psp_ref_lower_rx(struct sk_buff **pskb)
{
	struct psp_ref_hw *hw;
	struct sk_buff *skb;

	if ((*pskb)->pkt_type == PACKET_LOOPBACK)
		return RX_HANDLER_PASS;

	hw = rcu_dereference((*pskb)->dev->rx_handler_data);
	skb = skb_share_check(*pskb, GFP_ATOMIC);
	if (!skb)
		return RX_HANDLER_CONSUMED;

	psp_ref_lower_strip(skb);
	skb_push(skb, skb->data - skb_mac_header(skb));
	psp_ref_wire_receive(hw, skb);

	return RX_HANDLER_CONSUMED;
}

/**
 * psp_ref_lower_xmit() - send a frame through the lower device
 * @hw: sending device
 * @lower: lower device
 * @skb: frame, from its Ethernet header on, that no socket owns and that is
 *	not marked; taken if this succeeds
 *
 * GSO units and unfinished checksums are finished on the way, as @lower needs.
 *
 * Context: process, under RCU.
 * Return: 0, also if the lower device's queue has refused the frame, or
 * -ENOLINK if there is no carrier.
 */
int psp_ref_lower_xmit(struct psp_ref_hw *hw, struct net_device *lower,
		       struct sk_buff *skb)
{
	int ret;

	if (!netif_running(lower) || !netif_carrier_ok(lower) ||
	    WARN_ON_ONCE(skb->sk || skb->decrypted))
		return -ENOLINK;

	if (skb_cow_head(skb, READ_ONCE(lower->needed_headroom))) {
		kfree_skb(skb);
		ret = NET_XMIT_DROP;
	} else {
		skb->dev = lower;
		ret = dev_queue_xmit(skb);
	}
	if (net_xmit_eval(ret))
		atomic64_inc(&hw->wire.refused);

	return 0;
}

/**
 * psp_ref_hw_attach() - make a real interface the wire
 * @hw: device without a cable
 * @lower: interface
 *
 * Context: rtnl_lock().
 * Return: 0, or -EBUSY if somebody else receives what @lower receives, or
 * -EINVAL if nobody may.
 */
int psp_ref_hw_attach(struct psp_ref_hw *hw, struct net_device *lower)
{
	int err;

	ASSERT_RTNL();

	err = netdev_rx_handler_register(lower, psp_ref_lower_rx, hw);
	if (!err)
		rcu_assign_pointer(hw->lower, lower);

	return err;
}

/**
 * psp_ref_hw_detach() - let go of the real interface, if there is one
 * @hw: device
 *
 * When this returns nothing comes in from it any more and nothing goes out.
 *
 * Context: rtnl_lock(); waits for a grace period.
 */
void psp_ref_hw_detach(struct psp_ref_hw *hw)
{
	struct net_device *lower = rtnl_dereference(hw->lower);

	if (!lower)
		return;

	RCU_INIT_POINTER(hw->lower, NULL);
	netdev_rx_handler_unregister(lower);
	synchronize_net();
}
