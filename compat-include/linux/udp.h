/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * udp_set_len(): since 7.1 or so; drop when min has it.
 */
#ifndef _COMPAT_LINUX_UDP_H
#define _COMPAT_LINUX_UDP_H

#include <generated/compat-probes.h>
#include_next <linux/udp.h>

#ifndef COMPAT_HAS_UDP_SET_LEN
/* A length that does not fit is sent as 0, as for IPv6 jumbograms */
static inline void udp_set_len(struct udphdr *uh, unsigned int len)
{
	uh->len = len <= U16_MAX ? htons(len) : 0;
}
#endif

#endif
