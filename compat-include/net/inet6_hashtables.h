/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As net/inet_hashtables.h: lookups without a table argument.
 */
#ifndef _COMPAT_NET_INET6_HASHTABLES_H
#define _COMPAT_NET_INET6_HASHTABLES_H

#include <generated/compat-probes.h>
#include_next <net/inet6_hashtables.h>

#ifndef COMPAT_HAS_INET_LOOKUP_NO_TABLE
static inline struct sock *
psp_compat_inet6_lookup_established(struct net *net,
				    const struct in6_addr *saddr,
				    const __be16 sport,
				    const struct in6_addr *daddr,
				    const u16 hnum, const int dif,
				    const int sdif)
{
	return __inet6_lookup_established(net,
					  net->ipv4.tcp_death_row.hashinfo,
					  saddr, sport, daddr, hnum, dif,
					  sdif);
}

#define __inet6_lookup_established psp_compat_inet6_lookup_established
#endif

#endif
