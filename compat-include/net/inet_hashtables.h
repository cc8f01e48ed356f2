/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lookups without a table argument: since 7.0 or so; drop when min has them.
 * Older kernels may have one table a namespace, which TCP finds like this.
 */
#ifndef _COMPAT_NET_INET_HASHTABLES_H
#define _COMPAT_NET_INET_HASHTABLES_H

#include <generated/compat-probes.h>
#include_next <net/inet_hashtables.h>

#ifndef COMPAT_HAS_INET_LOOKUP_NO_TABLE
static inline struct sock *
psp_compat_inet_lookup_established(struct net *net, const __be32 saddr,
				   const __be16 sport, const __be32 daddr,
				   const u16 hnum, const int dif,
				   const int sdif)
{
	return __inet_lookup_established(net, net->ipv4.tcp_death_row.hashinfo,
					 saddr, sport, daddr, hnum, dif, sdif);
}

#define __inet_lookup_established psp_compat_inet_lookup_established
#endif

#endif
