/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PSP_TUPLE_H
#define __PSP_TUPLE_H

#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ipv6.h>
#include <net/sock.h>

/**
 * struct psp_tuple - addresses and ports of a connection, seen from this host
 * @proto: ETH_P_IP or ETH_P_IPV6
 * @lport: local port
 * @rport: remote port
 * @zero: keeps the structure free of padding
 * @laddr: local address; IPv4 in the first word, the rest 0
 * @raddr: remote address
 *
 * All in network byte order, comparable and hashable byte by byte. All zero:
 * not known yet, matches no packet.
 */
struct psp_tuple {
	__be16 proto;
	__be16 lport;
	__be16 rport;
	u16 zero;
	struct in6_addr laddr;
	struct in6_addr raddr;
};

/**
 * struct psp_flow_key - a connection in a network namespace
 * @net: the namespace
 * @tuple: the connection
 */
struct psp_flow_key {
	const struct net *net;
	struct psp_tuple tuple;
};

static inline bool psp_tuple_equal(const struct psp_tuple *a,
				   const struct psp_tuple *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline void psp_tuple_set4(struct psp_tuple *tuple, __be32 laddr,
				  __be32 raddr, __be16 lport, __be16 rport)
{
	memset(tuple, 0, sizeof(*tuple));
	tuple->proto = htons(ETH_P_IP);
	tuple->laddr.s6_addr32[0] = laddr;
	tuple->raddr.s6_addr32[0] = raddr;
	tuple->lport = lport;
	tuple->rport = rport;
}

static inline void psp_tuple_set6(struct psp_tuple *tuple,
				  const struct in6_addr *laddr,
				  const struct in6_addr *raddr,
				  __be16 lport, __be16 rport)
{
	tuple->proto = htons(ETH_P_IPV6);
	tuple->zero = 0;
	tuple->laddr = *laddr;
	tuple->raddr = *raddr;
	tuple->lport = lport;
	tuple->rport = rport;
}

/* Turn the network header's view into the one of struct psp_tuple */
static inline void psp_tuple_set_rx4(struct psp_tuple *tuple,
				     const struct iphdr *iph,
				     __be16 source, __be16 dest)
{
	psp_tuple_set4(tuple, iph->daddr, iph->saddr, dest, source);
}

static inline void psp_tuple_set_rx6(struct psp_tuple *tuple,
				     const struct ipv6hdr *ip6h,
				     __be16 source, __be16 dest)
{
	psp_tuple_set6(tuple, &ip6h->daddr, &ip6h->saddr, dest, source);
}

static inline void psp_tuple_set_tx4(struct psp_tuple *tuple,
				     const struct iphdr *iph,
				     __be16 source, __be16 dest)
{
	psp_tuple_set4(tuple, iph->saddr, iph->daddr, source, dest);
}

static inline void psp_tuple_set_tx6(struct psp_tuple *tuple,
				     const struct ipv6hdr *ip6h,
				     __be16 source, __be16 dest)
{
	psp_tuple_set6(tuple, &ip6h->saddr, &ip6h->daddr, source, dest);
}

/**
 * psp_tuple_from_sock() - addresses and ports as the socket has them
 * @tuple: filled in; all zero for a socket that is not connected
 * @sk: TCP socket, locked
 *
 * Uses inet_sport, which survives the return of the port to the bind table.
 */
static inline void psp_tuple_from_sock(struct psp_tuple *tuple,
				       const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	memset(tuple, 0, sizeof(*tuple));
	if (!inet->inet_dport)
		return;

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 &&
	    !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		psp_tuple_set6(tuple, &sk->sk_v6_rcv_saddr, &sk->sk_v6_daddr,
			       inet->inet_sport, inet->inet_dport);
		return;
	}
#endif
	psp_tuple_set4(tuple, inet->inet_rcv_saddr, inet->inet_daddr,
		       inet->inet_sport, inet->inet_dport);
}

#endif /* __PSP_TUPLE_H */
