// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a router asks of a packet before it sends it on, and what it tells the
 * sender otherwise. The ingress hook of an associated device's peer takes
 * packets before the stack has looked at them, and acts in its place.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "psp.h"

/* TCP finds the socket, and the segment meant, by as much of the header */
#define PSP_FORWARD_QUOTE	8

static bool psp_forward_fits(const struct sk_buff *skb, unsigned int mtu)
{
	if (skb_is_gso(skb))
		return skb_gso_validate_network_len(skb, mtu - PSP_OVERHEAD);

	return skb->len + PSP_OVERHEAD <= mtu;
}

/* The stack quotes as much as there is. The error may go anywhere, for the
 * sender has chosen the address, and is seen on its way: so there are the
 * headers only.
 */
static void psp_forward_tell_too_big(struct sk_buff *skb, unsigned int mtu)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	unsigned int l3_len = v4 ? ip_hdrlen(skb) : sizeof(struct ipv6hdr);
	struct sk_buff *quote;

	quote = skb_clone(skb, GFP_ATOMIC);
	if (!quote)
		return;
	if (pskb_trim(quote, l3_len + PSP_FORWARD_QUOTE))
		goto out_free;

	if (v4)
		icmp_send(quote, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			  htonl(mtu));
	else
		icmpv6_send(quote, ICMPV6_PKT_TOOBIG, 0, mtu);

out_free:
	consume_skb(quote);
}

/**
 * psp_forward_is_too_big() - does a segment not fit into the way it has to go?
 * @skb: marked segment with its route, skb->data at the IP header
 *
 * If so, its sender has been told. What the stack or the driver would find out
 * later, they would tell with plain text of the segment in it, or not at all.
 *
 * Context: softirq, RCU read section.
 * Return: true if it does not fit.
 */
bool psp_forward_is_too_big(struct sk_buff *skb)
{
	unsigned int mtu = dst_mtu(skb_dst(skb));

	if (likely(psp_forward_fits(skb, mtu)))
		return false;

	psp_forward_tell_too_big(skb, mtu);

	return true;
}
