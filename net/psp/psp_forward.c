// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a router asks of a packet before it sends it on, and what it tells the
 * sender otherwise. The ingress hook of an associated device's peer takes
 * packets before the stack has looked at them, and acts in its place.
 */
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "psp.h"

/* TCP finds the socket, and the segment meant, by as much of the header */
#define PSP_FORWARD_QUOTE	8

/* Options would have to be looked at, and some be changed. The lookup of the
 * route judges the addresses.
 */
static bool psp_forward_is_sound4(struct sk_buff *skb)
{
	const struct iphdr *iph;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return false;

	iph = ip_hdr(skb);

	return iph->version == 4 && iph->ihl == 5 && iph->ttl > 1 &&
	       ntohs(iph->tot_len) == skb->len && !ip_fast_csum(iph, 5);
}

#if IS_ENABLED(CONFIG_IPV6)
/* Neither a group, nor nobody, nor for one link only. Mapped IPv4 is not
 * unicast either.
 */
static bool psp_forward_addr6(const struct in6_addr *addr)
{
	int type = ipv6_addr_type(addr);

	return (type & IPV6_ADDR_UNICAST) &&
	       !(type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL));
}

static bool psp_forward_is_sound6(struct sk_buff *skb)
{
	const struct inet6_dev *idev = __in6_dev_get(skb->dev);
	const struct ipv6hdr *ip6h;

	if (!idev || READ_ONCE(idev->cnf.disable_ipv6) ||
	    !pskb_may_pull(skb, sizeof(*ip6h)))
		return false;

	ip6h = ipv6_hdr(skb);

	return ip6h->version == 6 && ip6h->hop_limit > 1 &&
	       ntohs(ip6h->payload_len) + sizeof(*ip6h) == skb->len &&
	       psp_forward_addr6(&ip6h->saddr) &&
	       psp_forward_addr6(&ip6h->daddr);
}
#endif

/**
 * psp_forward_dev_rcu() - by which network device does a packet come in?
 * @skb: packet that enters, with its Ethernet header
 *
 * A port of a bridge hands on what is addressed to the bridge. What has a tag
 * of a VLAN is for a device of that VLAN, and would keep the tag on its way.
 *
 * Context: RCU read section.
 * Return: that device, or NULL if the packet is for another hardware address,
 * or for whom cannot be told from here.
 */
struct net_device *psp_forward_dev_rcu(const struct sk_buff *skb)
{
	bool is_for_port = skb->pkt_type == PACKET_HOST;
	struct net_device *master;

	if (skb_vlan_tag_present(skb))
		return NULL;

	master = netdev_master_upper_dev_get_rcu(skb->dev);
	if (likely(!master) || netif_is_l3_master(master))
		return is_for_port ? skb->dev : NULL;
	if (!netif_is_bridge_master(master) || !netif_running(master))
		return NULL;
	if (!is_for_port &&
	    !ether_addr_equal(eth_hdr(skb)->h_dest, master->dev_addr))
		return NULL;

	return master;
}

/**
 * psp_forward_is_sound() - would a router look for a way for this packet?
 * @skb: packet that enters, skb->data at the IP header
 *
 * Stricter than the stack where TCP never needs it: no IPv4 options, nothing
 * behind the end of the packet, nothing beyond 64 KiB.
 *
 * Context: RCU read section.
 * Return: true if the IP header is right.
 */
bool psp_forward_is_sound(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return psp_forward_is_sound4(skb);
#if IS_ENABLED(CONFIG_IPV6)
	if (skb->protocol == htons(ETH_P_IPV6))
		return psp_forward_is_sound6(skb);
#endif
	return false;
}

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
