// SPDX-License-Identifier: GPL-2.0-only
/*
 * Headers on and off: pure packet work, no state.
 */
#include <kunit/visibility.h>
#include <linux/bitfield.h>
#include <linux/if_vlan.h>
#include <net/ip.h>
#include <net/psp.h>
#include <net/udp.h>

#include "psp.h"

/* One source port per connection, for its whole life, so that its packets stay
 * in one receive queue: sk_hash does not change, unlike sk_txhash.
 */
static __be16 psp_encap_sport(struct net *net, struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;
	int low, high;
	u32 hash;

	if (!sk || !sk->sk_hash)
		return udp_flow_src_port(net, skb, 0, 0, false);

	inet_get_local_port_range(net, &low, &high);
	/* What others can see of the hash should not tell its low bits */
	hash = sk->sk_hash ^ (sk->sk_hash << 16);

	return htons(low + reciprocal_scale(hash, high - low + 1));
}

static void psp_encap_write(struct sk_buff *skb, __be32 spi, u8 ver,
			    __be16 sport)
{
	struct udphdr *uh = udp_hdr(skb);
	struct psphdr *psph = (struct psphdr *)(uh + 1);

	uh->source = sport;
	uh->dest = htons(PSP_DEFAULT_UDP_PORT);
	udp_set_len(uh, skb->len - skb_transport_offset(skb));
	uh->check = 0;

	psph->nexthdr = IPPROTO_TCP;
	psph->hdrlen = PSP_HDRLEN_NOOPT;
	psph->crypt_offset = 0;
	psph->verfl = FIELD_PREP(PSPHDR_VERFL_VERSION, ver) |
		      FIELD_PREP(PSPHDR_VERFL_ONE, 1);
	psph->spi = spi;
	psph->iv = 0;
}

static void psp_encap_fix_ip(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		struct iphdr *iph = ip_hdr(skb);

		iph->protocol = IPPROTO_UDP;
		iph->tot_len = htons(skb->len - skb_network_offset(skb));
		ip_send_check(iph);
	} else {
		struct ipv6hdr *ip6h = ipv6_hdr(skb);

		ip6h->nexthdr = IPPROTO_UDP;
		ip6h->payload_len = htons(skb->len - skb_network_offset(skb) -
					  sizeof(*ip6h));
	}
}

/**
 * psp_dev_encapsulate() - put UDP and PSP headers in front of the TCP header
 * @net: network namespace, for the range of source ports
 * @skb: TCP segment, maybe GSO, with nothing between IP and TCP header
 * @spi: SPI of the tx key, network byte order
 * @ver: PSP version
 * @sport: UDP source port, or 0 to have one that is the connection's
 *
 * The outer lengths are those of the whole GSO segment without ICV, the IV is
 * zero: the device fills in what differs from packet to packet. After a failure
 * the packet must be dropped.
 *
 * Context: any.
 * Return: true on success, false if there is no memory, or the packet is none
 * that can be encapsulated.
 */
bool psp_dev_encapsulate(struct net *net, struct sk_buff *skb, __be32 spi,
			 u8 ver, __be16 sport)
{
	unsigned int hlen = skb_transport_offset(skb);

	if (skb->protocol != htons(ETH_P_IP) &&
	    skb->protocol != htons(ETH_P_IPV6))
		return false;

	if (!sport)
		sport = psp_encap_sport(net, skb);

	if (skb_cow_head(skb, PSP_ENCAP_HLEN))
		return false;

	skb_set_inner_ipproto(skb, IPPROTO_TCP);
	skb_set_inner_transport_header(skb, hlen);
	skb_push(skb, PSP_ENCAP_HLEN);
	memmove(skb->data, skb->data + PSP_ENCAP_HLEN, hlen);
	skb->mac_header -= PSP_ENCAP_HLEN;
	skb->network_header -= PSP_ENCAP_HLEN;
	skb->transport_header -= PSP_ENCAP_HLEN;
	skb->encapsulation = 1;

	psp_encap_write(skb, spi, ver, sport);
	psp_encap_fix_ip(skb);

	return true;
}
EXPORT_SYMBOL_GPL(psp_dev_encapsulate);

/* Fill in what the IP header tells. Returns the number of the next header, or
 * a negative errno.
 */
static int psp_encap_parse_ip(struct sk_buff *skb, __be16 proto,
			      struct psp_encap_info *info)
{
	if (proto == htons(ETH_P_IP)) {
		struct iphdr *iph;

		if (!pskb_may_pull(skb, info->l2_len + sizeof(*iph)))
			return -EINVAL;
		iph = (struct iphdr *)(skb->data + info->l2_len);
		if (iph->version != 4 || iph->ihl < 5 || ip_is_fragment(iph))
			return -EINVAL;
		info->l3_len = iph->ihl * 4;
		info->len = info->l2_len + ntohs(iph->tot_len);
		psp_tuple_set_rx4(&info->tuple, iph, 0, 0);
		return iph->protocol;
	}

	if (proto == htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6h;

		if (!pskb_may_pull(skb, info->l2_len + sizeof(*ip6h)))
			return -EINVAL;
		ip6h = (struct ipv6hdr *)(skb->data + info->l2_len);
		if (ip6h->version != 6)
			return -EINVAL;
		info->l3_len = sizeof(*ip6h);
		info->len = info->l2_len + sizeof(*ip6h) +
			    ntohs(ip6h->payload_len);
		psp_tuple_set_rx6(&info->tuple, ip6h, 0, 0);
		return ip6h->nexthdr;
	}

	return -EINVAL;
}

static int psp_encap_parse_psp(struct sk_buff *skb, unsigned int off,
			       struct psp_encap_info *info)
{
	const struct psphdr *psph;
	const struct udphdr *uh;

	if (!pskb_may_pull(skb, off + PSP_ENCAP_HLEN))
		return -EINVAL;

	uh = (struct udphdr *)(skb->data + off);
	psph = (struct psphdr *)(uh + 1);
	/* The ICV ends where UDP ends: nothing behind it is authenticated */
	if (uh->dest != htons(PSP_DEFAULT_UDP_PORT) ||
	    ntohs(uh->len) != info->len - off ||
	    psph->nexthdr != IPPROTO_TCP)
		return -EINVAL;

	info->psp_len = (psph->hdrlen + 1) * 8;
	if (info->psp_len < sizeof(*psph))
		return -EINVAL;

	info->spi = psph->spi;
	info->version = FIELD_GET(PSPHDR_VERFL_VERSION, psph->verfl);

	return 0;
}

static int psp_encap_parse_tcp(struct sk_buff *skb, unsigned int off,
			       struct psp_encap_info *info)
{
	const struct tcphdr *th;

	if (!pskb_may_pull(skb, off + sizeof(*th)))
		return -EINVAL;

	th = (struct tcphdr *)(skb->data + off);
	info->tuple.lport = th->dest;
	info->tuple.rport = th->source;

	return 0;
}

/**
 * psp_encap_parse() - find out what a decrypted PSP packet is
 * @skb: packet, data at the Ethernet header
 * @info: filled in
 * @has_icv: the ICV is still behind the payload
 *
 * Changes nothing but where the packet's bytes are.
 *
 * Return: 0, or -EINVAL for anything but a whole TCP segment in PSP in UDP.
 */
int psp_encap_parse(struct sk_buff *skb, struct psp_encap_info *info,
		    bool has_icv)
{
	int l2_len = 0, proto, err;
	unsigned int off;
	__be16 l3_proto;

	if (!pskb_may_pull(skb, ETH_HLEN))
		return -EINVAL;

	l3_proto = __vlan_get_protocol(skb,
				       ((struct ethhdr *)skb->data)->h_proto,
				       &l2_len);
	if (!l3_proto)
		return -EINVAL;
	info->l2_len = l2_len;

	proto = psp_encap_parse_ip(skb, l3_proto, info);
	if (proto != IPPROTO_UDP)
		return -EINVAL;

	off = info->l2_len + info->l3_len;
	err = psp_encap_parse_psp(skb, off, info);
	if (err)
		return err;

	off += sizeof(struct udphdr) + info->psp_len;
	if (info->len > skb->len ||
	    info->len < off + sizeof(struct tcphdr) +
			(has_icv ? PSP_TRL_SIZE : 0))
		return -EINVAL;

	return psp_encap_parse_tcp(skb, off, info);
}
EXPORT_SYMBOL_IF_KUNIT(psp_encap_parse);

/**
 * psp_encap_strip() - make a PSP packet the TCP segment that it holds
 * @skb: packet that psp_encap_parse() has accepted
 * @info: what it said
 * @strip_icv: cut the ICV off as well
 *
 * Return: 0 or -ENOMEM, and then the packet must be dropped.
 */
int psp_encap_strip(struct sk_buff *skb, const struct psp_encap_info *info,
		    bool strip_icv)
{
	unsigned int hlen = info->l2_len + info->l3_len;
	unsigned int encap = sizeof(struct udphdr) + info->psp_len;
	unsigned int icv = strip_icv ? PSP_TRL_SIZE : 0;
	unsigned int l3_total = info->len - info->l2_len - encap - icv;

	if (skb_ensure_writable(skb, hlen + encap) ||
	    pskb_trim(skb, info->len - icv))
		return -ENOMEM;

	if (info->tuple.proto == htons(ETH_P_IP)) {
		struct iphdr *iph = (struct iphdr *)(skb->data + info->l2_len);

		iph->protocol = IPPROTO_TCP;
		iph->tot_len = htons(l3_total);
		ip_send_check(iph);
	} else {
		struct ipv6hdr *ip6h;

		ip6h = (struct ipv6hdr *)(skb->data + info->l2_len);
		ip6h->nexthdr = IPPROTO_TCP;
		ip6h->payload_len = htons(l3_total - sizeof(*ip6h));
	}

	memmove(skb->data + encap, skb->data, hlen);
	skb_pull(skb, encap);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(psp_encap_strip);
