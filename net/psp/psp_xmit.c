// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last look at a segment before the driver gets it, and the driver's way
 * to the key.
 *
 * A marked segment (skb->decrypted) may leave through the device of its
 * socket's association only, and only if nothing has been put between IP and
 * TCP since the mark. Everything else that bears the mark is dropped: plain
 * text never leaves, whatever routes, tunnels and rules do. On its way out of a
 * container it passes here twice: at the associated device, and at the PSP
 * device.
 */
#include <linux/ratelimit.h>
#include <net/psp.h>
#include <net/tcp.h>

#include "psp.h"

/* Addresses and ports of a TCP segment with nothing between IP and TCP */
static bool psp_xmit_tuple(const struct sk_buff *skb, struct psp_tuple *tuple)
{
	unsigned int off = skb_network_offset(skb);
	const __be16 *ports;
	__be16 _ports[2];

	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *iph;
		struct iphdr _iph;

		iph = skb_header_pointer(skb, off, sizeof(_iph), &_iph);
		if (!iph || iph->version != 4 || ip_is_fragment(iph) ||
		    iph->protocol != IPPROTO_TCP)
			return false;
		off += iph->ihl * 4;
		psp_tuple_set_tx4(tuple, iph, 0, 0);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip6h;
		struct ipv6hdr _ip6h;

		ip6h = skb_header_pointer(skb, off, sizeof(_ip6h), &_ip6h);
		if (!ip6h || ip6h->version != 6 ||
		    ip6h->nexthdr != IPPROTO_TCP)
			return false;
		off += sizeof(*ip6h);
		psp_tuple_set_tx6(tuple, ip6h, 0, 0);
	} else {
		return false;
	}

	/* The driver encapsulates at the transport header */
	if (off != skb_transport_offset(skb))
		return false;

	ports = skb_header_pointer(skb, off, sizeof(_ports), _ports);
	if (!ports)
		return false;
	tuple->lport = ports[0];
	tuple->rport = ports[1];

	return true;
}

/* Local NAT may have changed the tuple: what comes back will bear it */
static void psp_xmit_learn_tuple(struct psp_sock *ps,
				 const struct psp_tuple *tuple)
{
	if (likely(psp_tuple_equal(&ps->wire, tuple)))
		return;

	spin_lock_bh(&ps->wire_lock);
	write_seqcount_begin(&ps->wire_seq);
	ps->wire = *tuple;
	write_seqcount_end(&ps->wire_seq);
	spin_unlock_bh(&ps->wire_lock);
}

/* What comes back to a container comes back by the device that it sends by */
static void psp_xmit_learn_dev(struct psp_sock *ps,
			       const struct net_device *dev)
{
	if (likely(dev == ps->psd->main_netdev || dev == READ_ONCE(ps->via)))
		return;

	WRITE_ONCE(ps->via, dev);
}

static enum psp_drop psp_xmit_check(const struct psp_dev *psd,
				    const struct net_device *dev,
				    const struct sk_buff *skb,
				    struct psp_tuple *tuple)
{
	if (!psp_dev_is_registered(psd) ||
	    !psp_dev_is_way_out_rcu(psd, sock_net(skb->sk), dev))
		return PSP_DROP_TX_DEV;
	if (!psp_xmit_tuple(skb, tuple))
		return PSP_DROP_TX_HEADERS;

	return PSP_DROP_NOT;
}

/* Does not tell, at a higher level, how many lines it has swallowed */
static DEFINE_RATELIMIT_STATE(psp_xmit_ratelimit, DEFAULT_RATELIMIT_INTERVAL,
			      DEFAULT_RATELIMIT_BURST);

void __init psp_xmit_init(void)
{
	ratelimit_set_flags(&psp_xmit_ratelimit, RATELIMIT_MSG_ON_RELEASE);
}

/**
 * psp_xmit_drop() - drop a segment that must not leave
 * @psd: PSP device of its key
 * @dev: network device that it is at
 * @skb: segment; it is consumed
 * @reason: why
 *
 * Whoever wonders why a connection hangs finds a line in the log.
 *
 * Return: NULL.
 */
struct sk_buff *psp_xmit_drop(const struct psp_dev *psd,
			      const struct net_device *dev,
			      struct sk_buff *skb, enum psp_drop reason)
{
	if (__ratelimit(&psp_xmit_ratelimit))
		netdev_notice(dev, "PSP: dropped a segment that must not leave here in plain text (%s)\n",
			      psp_drop_name(reason));
	psp_drop_count(psd, skb, reason);
	kfree_skb(skb);

	return NULL;
}

/* A fragment may have been a marked segment, and the mark is lost. Plain text
 * that is still to be sent again is the only exception.
 */
static bool psp_xmit_is_part(const struct psp_sock *ps,
			     const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) &&
	       ip_is_fragment(ip_hdr(skb)) &&
	       psp_sock_mode(ps) == PSP_SOCK_TX && !READ_ONCE(ps->tx_latched);
}

/**
 * psp_validate_xmit() - sk_validate_xmit_skb of sockets with PSP state
 * @sk: the socket
 * @dev: device that is about to send
 * @skb: segment, marked or not
 *
 * Return: @skb, or NULL if it was dropped.
 */
struct sk_buff *psp_validate_xmit(struct sock *sk, struct net_device *dev,
				  struct sk_buff *skb)
{
	struct psp_sock *ps = psp_sk_state(sk);
	struct psp_tuple tuple;
	enum psp_drop reason;

	reason = psp_xmit_check(ps->psd, dev, skb, &tuple);
	if (likely(!reason)) {
		psp_xmit_learn_tuple(ps, &tuple);
		psp_xmit_learn_dev(ps, dev);
		return skb;
	}

	if (!skb->decrypted && !psp_xmit_is_part(ps, skb))
		return skb;

	return psp_xmit_drop(ps->psd, dev, skb, reason);
}

/**
 * psp_validate_xmit_reply() - the same for segments that TCP sends without
 * @sk: socket made by psp_reply_set_owner()
 * @dev: device that is about to send
 * @skb: reset or acknowledgment
 *
 * Return: @skb, or NULL if it was dropped.
 */
struct sk_buff *psp_validate_xmit_reply(struct sock *sk, struct net_device *dev,
					struct sk_buff *skb)
{
	const struct psp_dev *psd = psp_reply_assoc(sk)->psd;
	struct psp_tuple tuple;
	enum psp_drop reason;

	reason = psp_xmit_check(psd, dev, skb, &tuple);
	if (likely(!reason))
		return skb;

	return psp_xmit_drop(psd, dev, skb, reason);
}

/**
 * psp_skb_get_assoc_rcu() - tx key of a segment
 * @skb: what the driver has been given to send
 *
 * A packet that is not marked (skb->decrypted clear) goes out as it is. A
 * marked one for which there is no key must be dropped, never sent in plain.
 *
 * Context: RCU read section, in which the driver also has to write the
 * descriptor and move its producer index on.
 * Return: the key or NULL. No reference is taken.
 */
struct psp_assoc *psp_skb_get_assoc_rcu(struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;
	struct psp_assoc *pas = NULL;
	struct psp_sock *ps;

	if (!skb->decrypted || !sk || !sk_fullsock(sk))
		return NULL;

	ps = psp_sk_state(sk);
	if (likely(ps))
		pas = rcu_dereference(ps->tx);
	else if (sk->sk_validate_xmit_skb == psp_validate_xmit_reply)
		pas = psp_reply_assoc(sk);

	return pas && psp_dev_is_registered(pas->psd) ? pas : NULL;
}
EXPORT_SYMBOL_GPL(psp_skb_get_assoc_rcu);
