// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOCAL_IN: applies the policy to what is about to reach TCP; and the ingress
 * hook of PSP devices.
 */
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>

#include "psp.h"

/**
 * struct psp_in - a TCP segment in LOCAL_IN
 * @skb: the packet
 * @net: namespace
 * @dev: device that delivers it
 * @tuple: addresses and ports, after local NAT
 * @iif: interface that it came in through first: psp_rcv.c checked the packet
 *	for that one, and a VRF puts itself in skb->dev
 * @seg: what the policy wants to know
 * @plain_syn: SYN without ACK
 * @psd: PSP device that a drop is counted for, as soon as one is known
 */
struct psp_in {
	struct sk_buff *skb;
	struct net *net;
	const struct net_device *dev;
	struct psp_tuple tuple;
	int iif;
	struct psp_policy_seg seg;
	bool plain_syn;
	const struct psp_dev *psd;
};

static bool psp_in_parse_tcp(struct psp_in *in, unsigned int off)
{
	const struct tcphdr *th;
	struct tcphdr _th;
	unsigned int hlen;

	th = skb_header_pointer(in->skb, off, sizeof(_th), &_th);
	if (!th)
		return false;
	hlen = off + th->doff * 4;
	if (th->doff < sizeof(_th) / 4 || in->skb->len < hlen)
		return false;

	in->tuple.lport = th->dest;
	in->tuple.rport = th->source;
	in->seg.authentic = in->skb->decrypted;
	in->seg.syn = th->syn;
	in->seg.fin = th->fin;
	in->seg.seq = ntohl(th->seq);
	in->seg.len = in->skb->len - hlen;
	in->plain_syn = th->syn && !th->ack && !th->rst;

	return true;
}

/* The device that received the packet, only to be compared with others */
static const struct net_device *psp_in_dev(const struct psp_in *in)
{
	if (likely(in->dev->ifindex == in->iif))
		return in->dev;

	return dev_get_by_index_rcu(in->net, in->iif);
}

/* Is the packet marked by a device of ours, rather than by TLS offload? */
static bool psp_in_is_from_psp_dev(struct psp_in *in)
{
	const struct net_device *dev = psp_in_dev(in);

	if (dev)
		in->psd = psp_dev_find_by_netdev_rcu(dev);

	return in->psd;
}

static bool psp_in_is_from(const struct psp_in *in, const struct psp_dev *psd)
{
	return psp_dev_is_registered(psd) &&
	       psp_dev_has_netdev_rcu(psd, psp_in_dev(in));
}

static enum psp_drop psp_in_check_no_state(struct psp_in *in,
					   const struct sock *sk)
{
	if (likely(!in->skb->decrypted))
		return PSP_DROP_NOT;

	if (sk && sk_fullsock(sk) && sk->sk_state != TCP_LISTEN &&
	    READ_ONCE(inet_csk(sk)->icsk_ulp_ops))
		return PSP_DROP_NOT;

	return psp_in_is_from_psp_dev(in) ? PSP_DROP_NO_STATE : PSP_DROP_NOT;
}

static enum psp_drop psp_in_check_state(struct psp_in *in,
					struct psp_sock *ps)
{
	enum psp_policy_state state;
	enum psp_drop reason;

	in->psd = ps->psd;
	if (in->seg.authentic && !psp_in_is_from(in, ps->psd))
		return PSP_DROP_RX_DEV;

	state = psp_sock_policy_state(ps);
	reason = psp_policy_rx(state, READ_ONCE(ps->rx_latch), &in->seg);
	if (!reason && in->seg.authentic &&
	    unlikely(!READ_ONCE(ps->peer_tx))) {
		WRITE_ONCE(ps->peer_tx, true);
		psp_state_check_full(ps);
	}

	return reason;
}

/* No socket, or a time-wait socket: the state may outlive the socket. A SYN may
 * take the pair over.
 */
static enum psp_drop psp_in_check_flow(struct psp_in *in)
{
	struct psp_sock *ps = NULL;

	if (!in->plain_syn || in->seg.authentic)
		ps = psp_flow_find_rcu(in->net, &in->tuple);

	return ps ? psp_in_check_state(in, ps) :
		    psp_in_check_no_state(in, NULL);
}

static enum psp_drop psp_in_check_sock(struct psp_in *in,
				       const struct sock *sk)
{
	struct psp_sock *ps;

	if (!sk || sk->sk_state == TCP_TIME_WAIT)
		return psp_in_check_flow(in);

	ps = sk_fullsock(sk) ? psp_sk_state(sk) : NULL;

	return ps ? psp_in_check_state(in, ps) : psp_in_check_no_state(in, sk);
}

static unsigned int psp_in_verdict(const struct psp_in *in,
				   enum psp_drop reason)
{
	if (likely(!reason))
		return NF_ACCEPT;

	psp_drop_count(in->psd, in->skb, reason);
	return NF_DROP;
}

static struct sock *psp_in_lookup4(const struct psp_in *in)
{
	return __inet_lookup_established(in->net,
					 in->tuple.raddr.s6_addr32[0],
					 in->tuple.rport,
					 in->tuple.laddr.s6_addr32[0],
					 ntohs(in->tuple.lport),
					 inet_iif(in->skb), inet_sdif(in->skb));
}

/* The socket that TCP is going to find: what early demultiplexing or a rule
 * has attached, else the established one.
 */
static enum psp_drop psp_in_check(struct psp_in *in,
				  struct sock *(*lookup)(const struct psp_in *))
{
	struct sock *sk = in->skb->sk;
	enum psp_drop reason;

	if (sk)
		return psp_in_check_sock(in, sk);

	sk = lookup(in);
	reason = psp_in_check_sock(in, sk);
	if (sk)
		sock_gen_put(sk);

	return reason;
}

unsigned int psp_hook_in4(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct psp_in in = {
		.skb = skb, .net = state->net, .dev = state->in,
	};
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_TCP)
		return NF_ACCEPT;

	psp_tuple_set_rx4(&in.tuple, iph, 0, 0);
	in.iif = IPCB(skb)->iif;
	/* TCP drops what does not parse */
	if (!psp_in_parse_tcp(&in, ip_hdrlen(skb)))
		return NF_ACCEPT;

	return psp_in_verdict(&in, psp_in_check(&in, psp_in_lookup4));
}

#if IS_ENABLED(CONFIG_IPV6)
static struct sock *psp_in_lookup6(const struct psp_in *in)
{
	return __inet6_lookup_established(in->net, &in->tuple.raddr,
					  in->tuple.rport, &in->tuple.laddr,
					  ntohs(in->tuple.lport),
					  inet6_iif(in->skb),
					  inet6_sdif(in->skb));
}

/* nf_defrag_ipv6 puts fragments together before this hook. What it has left
 * alone would be put together behind the hook, or hides what it is part of.
 */
static enum psp_drop psp_in_check_headers(int proto, int flags)
{
	if (proto == -ENOENT)
		return PSP_DROP_RX_FRAGMENT;
	if (proto < 0)
		return PSP_DROP_RX_HEADERS;
	if ((flags & IP6_FH_F_FRAG) &&
	    (proto == IPPROTO_TCP || ipv6_ext_hdr(proto)))
		return PSP_DROP_RX_FRAGMENT;

	return PSP_DROP_NOT;
}

unsigned int psp_hook_in6(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct psp_in in = {
		.skb = skb, .net = state->net, .dev = state->in,
	};
	unsigned int off = 0;
	enum psp_drop reason;
	int proto, flags = 0;

	proto = ipv6_find_hdr(skb, &off, -1, NULL, &flags);
	reason = psp_in_check_headers(proto, flags);
	if (reason || proto != IPPROTO_TCP)
		return psp_in_verdict(&in, reason);

	psp_tuple_set_rx6(&in.tuple, ipv6_hdr(skb), 0, 0);
	in.iif = IP6CB(skb)->iif;
	if (!psp_in_parse_tcp(&in, off))
		return NF_ACCEPT;

	return psp_in_verdict(&in, psp_in_check(&in, psp_in_lookup6));
}
#endif

/**
 * psp_hook_ingress() - the ingress hook of a PSP device
 * @priv: the PSP device
 * @skb: packet that enters, as the driver or a redirection delivers it
 * @state: unused
 *
 * The mark of a packet that the driver has received means that it was
 * authenticated. The mark of a segment that a local socket wants to send means
 * that it is plain text: if somebody leads it back into the device, it still
 * has that socket, for ip_rcv() has not seen it yet, or tc says that it was
 * redirected.
 *
 * Return: NF_ACCEPT or NF_DROP.
 */
unsigned int psp_hook_ingress(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	if (likely(!skb->decrypted))
		return NF_ACCEPT;
	if (likely(!skb_is_redirected(skb) &&
		   (!skb->sk || skb_sk_is_prefetched(skb))))
		return NF_ACCEPT;

	psp_drop_count(priv, skb, PSP_DROP_REDIRECTED);
	return NF_DROP;
}
