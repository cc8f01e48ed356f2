// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOCAL_OUT: marks what has to leave under PSP.
 *
 * Sees each copy of a segment that TCP hands down, with GSO intact and, for
 * segments of a socket, under the lock of that socket (but for what a rule of
 * NFQUEUE at the first priority has held up). May see a segment twice (VRF):
 * all it does can be repeated.
 */
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <net/tcp.h>

#include "psp.h"

/* Length of the IP options, before PSP, that TCP allows for */
static unsigned int psp_out_options_len(const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ip_options_rcu *opt4;

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 &&
	    !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		const struct ipv6_txoptions *opt6;

		opt6 = rcu_dereference(inet6_sk(sk)->opt);
		return opt6 ? opt6->opt_flen + opt6->opt_nflen : 0;
	}
#endif
	opt4 = rcu_dereference(inet->inet_opt);
	return opt4 ? opt4->opt.optlen : 0;
}

/* connect() and socket options overwrite the overhead: put it back */
static void psp_out_keep_overhead(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	unsigned int len = psp_out_options_len(sk) + PSP_OVERHEAD;

	if (likely(icsk->icsk_ext_hdr_len == len))
		return;

	icsk->icsk_ext_hdr_len = len;
	icsk->icsk_sync_mss(sk, icsk->icsk_pmtu_cookie);
}

/* The peer that has used the keys knows them: they are no proof that anybody
 * else is at the other end, if the socket has been disconnected meanwhile.
 */
static bool psp_out_is_other_peer(const struct psp_sock *ps,
				  const struct psp_tuple *tuple)
{
	const struct psp_tuple *peer = &ps->flow_key.tuple;

	return READ_ONCE(ps->peer_tx) &&
	       (tuple->proto != peer->proto || tuple->rport != peer->rport ||
		!ipv6_addr_equal(&tuple->raddr, &peer->raddr));
}

/* Make the state known by the socket's tuple: a new connection may have a new
 * one. If that fails, replies could not find the state.
 */
static enum psp_drop psp_out_link_flow(struct psp_sock *ps, struct sock *sk)
{
	struct psp_tuple tuple;

	psp_tuple_from_sock(&tuple, sk);
	if (psp_out_is_other_peer(ps, &tuple))
		return PSP_DROP_TX_PEER;

	psp_flow_forget(ps->net, &tuple);
	psp_flow_unlink(ps);
	ps->hash = sk->sk_hash;

	return psp_flow_link(ps, &tuple) ? PSP_DROP_TX_REPLY : PSP_DROP_NOT;
}

/* Does a connection begin? Mostly by a SYN, but a socket in repair is told
 * that it has one.
 */
static bool psp_out_is_new_flow(const struct psp_sock *ps,
				const struct sock *sk,
				const struct tcphdr *th)
{
	return th->syn || !ps->flow_linked || ps->hash != sk->sk_hash;
}

static bool psp_out_is_plain(struct psp_sock *ps, const struct sock *sk,
			     const struct sk_buff *skb, const struct tcphdr *th)
{
	unsigned int hlen = skb_transport_offset(skb) + th->doff * 4;

	if (likely(!ps->tx_latched))
		return false;

	/* All of the plain part has arrived, or it was that of a connection
	 * that is over: never compare again
	 */
	if (!before(tcp_sk(sk)->snd_una, ps->tx_latch) ||
	    psp_sock_first_seq(sk) != ps->tx_first_seq) {
		WRITE_ONCE(ps->tx_latched, false);
		return false;
	}

	return psp_policy_tx_is_plain(true, ps->tx_latch, ntohl(th->seq),
				      skb->len > hlen || th->fin);
}

/* IP fragments what is too long for a route and may be fragmented, and builds
 * the fragments without the mark: they would leave in plain text. It is told
 * not to, as TCP would tell it on most sockets anyway; what is too long is
 * dropped, and TCP hears of the MTU. IPv6 does not fragment TCP.
 */
static void psp_out_mark(struct sk_buff *skb)
{
	struct iphdr *iph = ip_hdr(skb);

	skb->decrypted = 1;
	if (skb->protocol != htons(ETH_P_IP) || iph->frag_off & htons(IP_DF))
		return;

	iph->frag_off |= htons(IP_DF);
	ip_send_check(iph);
}

/* A segment of a socket with state */
static unsigned int psp_out_segment(struct psp_sock *ps, struct sock *sk,
				    struct sk_buff *skb,
				    const struct tcphdr *th)
{
	enum psp_drop reason = PSP_DROP_NOT;

	/* A SYN begins a new connection, with sequence numbers of its own */
	if (unlikely(th->syn))
		WRITE_ONCE(ps->tx_latched, false);
	if (unlikely(psp_out_is_new_flow(ps, sk, th)))
		reason = psp_out_link_flow(ps, sk);
	if (unlikely(reason)) {
		psp_drop_count(ps->psd, skb, reason);
		return NF_DROP;
	}

	if (ps->mode != PSP_SOCK_TX)
		return NF_ACCEPT;

	psp_out_keep_overhead(sk);
	if (!psp_out_is_plain(ps, sk, skb, th))
		psp_out_mark(skb);

	return NF_ACCEPT;
}

/* TCP's own sockets, one per CPU, from which it answers for others */
static bool psp_out_is_control_sock(const struct sock *sk)
{
	return sk->sk_kern_sock && sk->sk_type == SOCK_RAW &&
	       sk->sk_protocol == IPPROTO_TCP;
}

/* Does TCP answer for a connection without its socket? It does so from its
 * control sockets, and newer kernels from the listener or time-wait socket.
 */
static bool psp_out_is_reply(const struct sock *sk)
{
	return sk->sk_state == TCP_TIME_WAIT || sk->sk_state == TCP_LISTEN ||
	       (sk_fullsock(sk) && psp_out_is_control_sock(sk));
}

/* Does TCP begin a connection with it, rather than somebody's raw socket? */
static bool psp_out_is_new(const struct sock *sk, const struct tcphdr *th)
{
	return th->syn && (!sk_fullsock(sk) || sk_is_tcp(sk));
}

/* Most of what other sockets send is none of our business */
static bool psp_out_is_of_interest(const struct sock *sk,
				   const struct tcphdr *th)
{
	return !sk || psp_out_is_new(sk, th) || psp_out_is_reply(sk);
}

static unsigned int psp_out_reply(struct sk_buff *skb, struct psp_sock *ps)
{
	if (psp_reply_set_owner(skb, ps))
		return NF_ACCEPT;

	psp_drop_count(ps->psd, skb, PSP_DROP_TX_REPLY);
	return NF_DROP;
}

/* TCP has not made this: it is the answer of a REJECT rule, to be sent as it is
 * for what it answers may be forged; or the copy that a rule made of a segment
 * before this hook could mark it.
 */
static unsigned int psp_out_orphan(struct sk_buff *skb,
				   const struct psp_sock *ps,
				   const struct tcphdr *th)
{
	if (th->rst || th->syn)
		return NF_ACCEPT;

	psp_drop_count(ps->psd, skb, PSP_DROP_TX_COPY);
	return NF_DROP;
}

/* A segment of no socket with state */
static unsigned int psp_out_other(struct sk_buff *skb, const struct sock *sk,
				  struct net *net,
				  const struct psp_tuple *tuple,
				  const struct tcphdr *th)
{
	struct psp_sock *ps;

	if (sk && th->syn) {
		psp_flow_forget(net, tuple);
		return NF_ACCEPT;
	}

	ps = psp_flow_find_rcu(net, tuple);
	if (!ps || psp_sock_mode(ps) != PSP_SOCK_TX)
		return NF_ACCEPT;

	return sk ? psp_out_reply(skb, ps) : psp_out_orphan(skb, ps, th);
}

static struct psp_sock *psp_out_state(const struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	return sk && sk_fullsock(sk) ? psp_sk_state(sk) : NULL;
}

/* TCP header, if there is a whole one behind @off; TCP builds it linear */
static const struct tcphdr *psp_out_tcp(const struct sk_buff *skb,
					unsigned int off)
{
	if (off != skb_transport_offset(skb) ||
	    skb_headlen(skb) < off + sizeof(struct tcphdr))
		return NULL;

	return tcp_hdr(skb);
}

/* TCP of a shape that it does not send by itself: not without knowing more */
static unsigned int psp_out_unparsed(const struct sk_buff *skb,
				     const struct psp_sock *ps)
{
	if (!ps || psp_sock_mode(ps) != PSP_SOCK_TX)
		return NF_ACCEPT;

	psp_drop_count(ps->psd, skb, PSP_DROP_TX_HEADERS);
	return NF_DROP;
}

static void psp_out_tuple(const struct sk_buff *skb, u8 pf,
			  const struct tcphdr *th, struct psp_tuple *tuple)
{
	if (pf == NFPROTO_IPV4)
		psp_tuple_set_tx4(tuple, ip_hdr(skb), th->source, th->dest);
	else
		psp_tuple_set_tx6(tuple, ipv6_hdr(skb), th->source, th->dest);
}

/* TCP whose header is at @off, or at a place unknown if that is not positive */
static unsigned int psp_hook_out(struct sk_buff *skb,
				 const struct nf_hook_state *state, int off)
{
	const struct sock *sk = skb->sk ?: state->sk;
	struct psp_sock *ps = psp_out_state(skb);
	const struct tcphdr *th;
	struct psp_tuple tuple;

	th = off > 0 ? psp_out_tcp(skb, off) : NULL;
	if (unlikely(!th))
		return psp_out_unparsed(skb, ps);
	if (ps)
		return psp_out_segment(ps, skb->sk, skb, th);
	if (!psp_out_is_of_interest(sk, th))
		return NF_ACCEPT;

	psp_out_tuple(skb, state->pf, th, &tuple);
	return psp_out_other(skb, sk, state->net, &tuple, th);
}

unsigned int psp_hook_out4(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	if (ip_hdr(skb)->protocol != IPPROTO_TCP)
		return NF_ACCEPT;

	return psp_hook_out(skb, state, ip_hdrlen(skb));
}

#if IS_ENABLED(CONFIG_IPV6)
unsigned int psp_hook_out6(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	u8 proto = ipv6_hdr(skb)->nexthdr;
	__be16 frag_off;
	int off;

	off = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &proto, &frag_off);
	if (proto != IPPROTO_TCP)
		return NF_ACCEPT;

	return psp_hook_out(skb, state, frag_off ? 0 : off);
}
#endif
