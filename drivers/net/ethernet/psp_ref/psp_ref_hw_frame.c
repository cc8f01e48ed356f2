// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's packet parser: is it PSP, and which queue is it for.
 */

#include <kunit/visibility.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/net.h>
#include <linux/once.h>
#include <net/ip.h>

#include "psp_ref_hw_int.h"

static u32 psp_ref_hash_seed(void)
{
	static u32 seed __read_mostly;

	get_random_once(&seed, sizeof(seed));
	return seed;
}

static void psp_ref_parse_ports(const struct sk_buff *skb, u8 proto,
				struct psp_ref_frame *frame)
{
	const struct udphdr *uh;
	struct udphdr buf;

	/* TCP has its ports in the same place */
	if (proto != IPPROTO_UDP && proto != IPPROTO_TCP)
		return;
	/* Behind the end of the IP packet there is nothing but padding */
	if (frame->l4_off + sizeof(buf) > frame->end)
		return;

	uh = skb_header_pointer(skb, frame->l4_off, sizeof(buf), &buf);
	if (!uh)
		return;

	frame->hash = jhash_2words((__force u16)uh->source,
				   (__force u16)uh->dest, frame->hash);
	frame->hash_type = PKT_HASH_TYPE_L4;
	frame->psp = proto == IPPROTO_UDP &&
		     uh->dest == htons(PSP_DEFAULT_UDP_PORT);
}

/* A header whose checksum is wrong is left to the stack to count and drop:
 * taking PSP headers off would hide it.
 */
static void psp_ref_parse_ipv4(const struct sk_buff *skb,
			       struct psp_ref_frame *frame)
{
	const struct iphdr *iph;
	u8 buf[60];

	iph = skb_header_pointer(skb, ETH_HLEN, sizeof(*iph), buf);
	if (!iph || iph->version != 4 || iph->ihl < 5)
		return;

	iph = skb_header_pointer(skb, ETH_HLEN, iph->ihl * 4, buf);
	if (!iph || ip_fast_csum(iph, iph->ihl) ||
	    ntohs(iph->tot_len) < iph->ihl * 4 ||
	    ntohs(iph->tot_len) > skb->len - ETH_HLEN)
		return;

	frame->l4_off = ETH_HLEN + iph->ihl * 4;
	frame->end = ETH_HLEN + ntohs(iph->tot_len);
	frame->hash = jhash_2words((__force u32)iph->saddr,
				   (__force u32)iph->daddr, frame->hash);
	frame->hash_type = PKT_HASH_TYPE_L3;
	if (!ip_is_fragment(iph))
		psp_ref_parse_ports(skb, iph->protocol, frame);
}

static void psp_ref_parse_ipv6(const struct sk_buff *skb,
			       struct psp_ref_frame *frame)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;

	ip6h = skb_header_pointer(skb, ETH_HLEN, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6 ||
	    ntohs(ip6h->payload_len) > skb->len - ETH_HLEN - sizeof(buf))
		return;

	frame->l4_off = ETH_HLEN + sizeof(buf);
	frame->end = frame->l4_off + ntohs(ip6h->payload_len);
	frame->hash = jhash2((const u32 *)&ip6h->saddr,
			     2 * sizeof(ip6h->saddr) / sizeof(u32),
			     frame->hash);
	frame->hash_type = PKT_HASH_TYPE_L3;
	psp_ref_parse_ports(skb, ip6h->nexthdr, frame);
}

/**
 * psp_ref_frame_parse() - look at the headers of a frame
 * @skb: frame from its Ethernet header on; need not be linear
 * @frame: what was found
 *
 * PSP is UDP to its port right behind the IP header, options of IPv4 included.
 * Fragments, IPv6 extension headers and VLAN tags are not looked behind, not
 * even if a lower device keeps the tag beside the frame.
 */
void psp_ref_frame_parse(const struct sk_buff *skb,
			 struct psp_ref_frame *frame)
{
	const struct ethhdr *eth;
	struct ethhdr buf;

	memset(frame, 0, sizeof(*frame));
	frame->hash = psp_ref_hash_seed();

	eth = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!eth || skb_vlan_tag_present(skb))
		return;

	if (eth->h_proto == htons(ETH_P_IP))
		psp_ref_parse_ipv4(skb, frame);
	else if (eth->h_proto == htons(ETH_P_IPV6))
		psp_ref_parse_ipv6(skb, frame);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_frame_parse);
