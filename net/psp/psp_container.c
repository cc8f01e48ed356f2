// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between a PSP device and the containers that use it by associated devices.
 *
 * The stack cannot carry the packets of PSP from one namespace to the other.
 * Outwards, ip_rcv() takes a segment away from its socket, and the stack drops
 * a marked segment that has none. Inwards, the mark of a packet that goes
 * through the host says that it was authenticated, but not for whom. So the
 * core itself moves both across: Documentation/networking/psp_container.rst
 * tells why that is safe.
 */
#include <linux/etherdevice.h>
#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "psp.h"

/* Packet that is being delivered to an associated device on this CPU */
static DEFINE_PER_CPU(const struct sk_buff *, psp_container_delivers);

/* Is it a segment of a socket of the container, for this PSP device? */
static bool psp_container_is_its_own(const struct psp_assoc_dev *ad,
				     struct sk_buff *skb)
{
	const struct psp_assoc *pas = psp_skb_get_assoc_rcu(skb);

	return pas && pas->psd == ad->psd &&
	       net_eq(sock_net(skb->sk), dev_net_rcu(ad->netdev));
}

/* As ip_rcv_finish() does: rules, reverse path filter and forwarding switch
 * of the host apply
 */
static bool psp_container_route4(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
	IPCB(skb)->iif = skb->dev->ifindex;
	if (ip_route_input(skb, iph->daddr, iph->saddr, ip4h_dscp(iph),
			   skb->dev))
		return false;

	return skb_rtable(skb)->rt_type == RTN_UNICAST;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *psp_container_lookup6(struct net *net,
					       struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct flowi6 fl6 = {
		.flowi6_iif = skb->dev->ifindex,
		.flowi6_mark = skb->mark,
		.flowi6_proto = ip6h->nexthdr,
		.flowlabel = ip6_flowinfo(ip6h),
		.daddr = ip6h->daddr,
		.saddr = ip6h->saddr,
	};

	return ip6_route_input_lookup(net, skb->dev, &fl6, skb, 0);
}

static bool psp_container_route6(struct sk_buff *skb)
{
	struct net *net = dev_net_rcu(skb->dev);
	const struct rt6_info *rt;
	struct dst_entry *dst;

	if (!READ_ONCE(net->ipv6.devconf_all->forwarding))
		return false;

	memset(IP6CB(skb), 0, sizeof(struct inet6_skb_parm));
	IP6CB(skb)->iif = skb->dev->ifindex;
	dst = psp_container_lookup6(net, skb);
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
	rt = container_of(dst, struct rt6_info, dst);

	return !dst->error &&
	       !(rt->rt6i_flags & (RTF_LOCAL | RTF_ANYCAST | RTF_REJECT));
}
#endif

static bool psp_container_route(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return psp_container_route4(skb);
#if IS_ENABLED(CONFIG_IPV6)
	if (skb->protocol == htons(ETH_P_IPV6))
		return psp_container_route6(skb);
#endif
	return false;
}

/* Does the host's way for the segment lead out by the PSP device? */
static bool psp_container_find_way(const struct psp_assoc_dev *ad,
				   struct sk_buff *skb)
{
	const struct net_device *out = ad->psd->main_netdev;
	struct net_device *in;

	if (!net_eq(dev_net_rcu(skb->dev), dev_net_rcu(out)))
		return false;

	in = psp_forward_dev_rcu(skb);
	if (!in)
		return false;

	/* As bridges do. ICMP errors are for what is addressed to the host */
	skb->dev = in;
	skb->pkt_type = PACKET_HOST;

	/* The next look at it is that of validation, at the device */
	return psp_forward_is_sound(skb) && psp_container_route(skb) &&
	       dst_dev_rcu(skb_dst(skb)) == out;
}

static bool psp_container_age(struct sk_buff *skb, struct net_device *out)
{
	if (skb_cow(skb, LL_RESERVED_SPACE(out)))
		return false;

	if (skb->protocol == htons(ETH_P_IP))
		ip_decrease_ttl(ip_hdr(skb));
	else
		ipv6_hdr(skb)->hop_limit--;

	return true;
}

/**
 * psp_container_forward() - the ingress hook of an associated device's peer
 * @priv: the association
 * @skb: packet that the container has sent
 * @state: for the network device
 *
 * Takes marked segments, which still have the container's socket, and sends
 * them by the PSP device, or drops them: there is no other way for them.
 *
 * Return: NF_ACCEPT or NF_STOLEN.
 */
unsigned int psp_container_forward(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	const struct psp_assoc_dev *ad = priv;
	const struct psp_dev *psd = ad->psd;
	struct net_device *out;

	if (likely(!skb->decrypted))
		return NF_ACCEPT;

	if (!psp_dev_is_registered(psd))
		goto drop;
	if (psp_assoc_dev_is_at_home_rcu(ad))
		return NF_ACCEPT;
	if (!psp_container_is_its_own(ad, skb) ||
	    !psp_container_find_way(ad, skb))
		goto drop;
	/* The sender knows, and no administrator has to */
	if (psp_forward_is_too_big(skb))
		goto drop_silently;

	out = psd->main_netdev;
	if (!psp_container_age(skb, out))
		goto drop;

	/* There are no ICMP errors about such packets. They would quote plain
	 * text, as when no neighbour answers
	 */
	skb->pkt_type = PACKET_OUTGOING;
	skb_dst(skb)->output(dev_net_rcu(out), NULL, skb);
	return NF_STOLEN;

drop:
	skb->dev = state->in;
	psp_xmit_drop(psd, skb->dev, skb, PSP_DROP_TX_DEV);
	return NF_STOLEN;

drop_silently:
	skb->dev = state->in;
	psp_drop_count(psd, skb, PSP_DROP_TX_DEV);
	kfree_skb(skb);
	return NF_STOLEN;
}

/**
 * psp_container_dev_rcu() - network device by which a container receives
 * @ps: state of a socket of another namespace than the PSP device's
 *
 * Context: RCU read section.
 * Return: the device that the socket last sent by, if it is still associated
 * and in the socket's namespace, and up; else NULL.
 */
struct net_device *psp_container_dev_rcu(const struct psp_sock *ps)
{
	const struct psp_assoc_dev *ad;

	ad = psp_assoc_dev_find_rcu(READ_ONCE(ps->via));
	if (!ad || ad->psd != ps->psd ||
	    !net_eq(dev_net_rcu(ad->netdev), ps->net) ||
	    !(READ_ONCE(ad->netdev->flags) & IFF_UP))
		return NULL;

	return ad->netdev;
}

/**
 * psp_container_deliver() - receive an authenticated packet in a container
 * @netdev: associated device that the association was found to receive by
 * @skb: packet without PSP, skb->data at the Ethernet header; it is consumed
 *
 * It goes into the stack as if @netdev had received it, and past GRO: the
 * packets in there are not known to whom takes @netdev away. Nor does it change
 * to another CPU, so that psp_container_ingress() knows it.
 *
 * Context: softirq, RCU read section.
 */
void psp_container_deliver(struct net_device *netdev, struct sk_buff *skb)
{
	struct ethhdr *eth = (struct ethhdr *)skb->data;

	/* Addressed to the PSP device, and so to whom it stands for */
	if (ether_addr_equal(eth->h_dest, skb->dev->dev_addr))
		ether_addr_copy(eth->h_dest, netdev->dev_addr);

	skb->dev = netdev;
	skb->decrypted = 1;
	skb->protocol = eth_type_trans(skb, netdev);
	skb_set_queue_mapping(skb, 0);
	this_cpu_write(psp_container_delivers, skb);
	netif_receive_skb_core(skb);
	this_cpu_write(psp_container_delivers, NULL);
}

/**
 * psp_container_ingress() - the ingress hook of an associated device
 * @priv: the PSP device
 * @skb: packet that enters
 * @state: unused
 *
 * Only what psp_container_deliver() is delivering was authenticated for a
 * socket of the container. Any other mark is that of a segment led back, or of
 * a packet that was received for a socket of the host and then led here.
 *
 * Return: NF_ACCEPT or NF_DROP.
 */
unsigned int psp_container_ingress(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	if (likely(!skb->decrypted) ||
	    likely(this_cpu_read(psp_container_delivers) == skb))
		return NF_ACCEPT;

	psp_drop_count(priv, skb, PSP_DROP_REDIRECTED);
	return NF_DROP;
}
