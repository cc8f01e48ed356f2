/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM psp

#if !defined(__PSP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __PSP_TRACE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include "psp_drop.h"

TRACE_EVENT(psp_drop,
	TP_PROTO(const struct sk_buff *skb, enum psp_drop reason),

	TP_ARGS(skb, reason),

	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__array(char, reason, 16)
		__field(int, ifindex)
	),

	TP_fast_assign(
		__entry->skbaddr = skb;
		strscpy(__entry->reason, psp_drop_name(reason),
			sizeof(__entry->reason));
		__entry->ifindex = skb->dev ? skb->dev->ifindex : 0;
	),

	TP_printk("ifindex=%d skbaddr=%p reason=%s",
		  __entry->ifindex, __entry->skbaddr, __entry->reason)
);

#endif /* __PSP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE psp_trace
#include <trace/define_trace.h>
