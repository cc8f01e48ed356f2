/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As net/inet_hashtables.h: lookups without a table argument.
 */
#ifndef _COMPAT_NET_INET6_HASHTABLES_H
#define _COMPAT_NET_INET6_HASHTABLES_H

#include <generated/compat-probes.h>
#include_next <net/inet6_hashtables.h>

#ifndef COMPAT_HAS_INET_LOOKUP_NO_TABLE
#define __inet6_lookup_established(net, ...)				\
	__inet6_lookup_established(net,					\
				   (net)->ipv4.tcp_death_row.hashinfo,	\
				   __VA_ARGS__)
#endif

#endif
