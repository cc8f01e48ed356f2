/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ip_route_input() with a dscp_t: since 6.14, drop when min > 6.13.
 * ip4h_dscp(): since 6.13, drop when min > 6.12.
 */
#ifndef _COMPAT_NET_ROUTE_H
#define _COMPAT_NET_ROUTE_H

#include <generated/compat-probes.h>
#include_next <net/route.h>
#include <net/inet_dscp.h>

#ifndef COMPAT_HAS_IP4H_DSCP
static inline dscp_t ip4h_dscp(const struct iphdr *ip4h)
{
	return inet_dsfield_to_dscp(ip4h->tos);
}
#endif

#ifndef COMPAT_HAS_IP_ROUTE_INPUT_DSCP
static inline int psp_compat_ip_route_input(struct sk_buff *skb, __be32 dst,
					    __be32 src, dscp_t dscp,
					    struct net_device *devin)
{
	return ip_route_input(skb, dst, src, inet_dscp_to_dsfield(dscp), devin);
}

#define ip_route_input psp_compat_ip_route_input
#endif

#endif /* _COMPAT_NET_ROUTE_H */
