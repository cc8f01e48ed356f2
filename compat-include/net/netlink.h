/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_NET_NETLINK_H
#define _COMPAT_NET_NETLINK_H

#include <generated/compat-probes.h>
#include_next <net/netlink.h>

/* Since 6.7, drop when min > 6.6 */
#ifndef COMPAT_HAS_NLA_PUT_UINT
static inline int psp_compat_nla_put_uint(struct sk_buff *skb, int attrtype,
					  u64 value)
{
	if (value <= U32_MAX)
		return nla_put_u32(skb, attrtype, value);

	return nla_put(skb, attrtype, sizeof(value), &value);
}

#define nla_put_uint psp_compat_nla_put_uint
#endif

#endif /* _COMPAT_NET_NETLINK_H */
