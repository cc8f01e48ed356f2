/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM psp

#if !defined(__PSP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __PSP_TRACE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include <net/psp/types.h>

#include "psp.h"
#include "psp_drop.h"

TRACE_EVENT(psp_drop,
	TP_PROTO(const struct sk_buff *skb, enum psp_drop reason),

	TP_ARGS(skb, reason),

	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__array(char, reason, PSP_DROP_NAME_SIZE)
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

DECLARE_EVENT_CLASS(psp_tx_key,
	TP_PROTO(const struct psp_assoc *pas, u32 ticket),

	TP_ARGS(pas, ticket),

	TP_STRUCT__entry(
		__field(u32, dev_id)
		__field(u32, spi)
		__field(u32, ticket)
	),

	TP_fast_assign(
		__entry->dev_id = pas->dev_id;
		__entry->spi = be32_to_cpu(pas->tx.spi);
		__entry->ticket = ticket;
	),

	TP_printk("dev_id=%u spi=0x%08x ticket=%u",
		  __entry->dev_id, __entry->spi, __entry->ticket)
);

/* In this order; without retire and quiesced where a driver does without them.
 * What comes after the device has gone bears no SPI any more.
 */
DEFINE_EVENT(psp_tx_key, psp_tx_key_add,
	TP_PROTO(const struct psp_assoc *pas, u32 ticket),
	TP_ARGS(pas, ticket)
);

DEFINE_EVENT(psp_tx_key, psp_tx_key_release,
	TP_PROTO(const struct psp_assoc *pas, u32 ticket),
	TP_ARGS(pas, ticket)
);

DEFINE_EVENT(psp_tx_key, psp_tx_key_retire,
	TP_PROTO(const struct psp_assoc *pas, u32 ticket),
	TP_ARGS(pas, ticket)
);

DEFINE_EVENT(psp_tx_key, psp_tx_key_quiesced,
	TP_PROTO(const struct psp_assoc *pas, u32 ticket),
	TP_ARGS(pas, ticket)
);

DEFINE_EVENT(psp_tx_key, psp_tx_key_del,
	TP_PROTO(const struct psp_assoc *pas, u32 ticket),
	TP_ARGS(pas, ticket)
);

DECLARE_EVENT_CLASS(psp_dev,
	TP_PROTO(const struct psp_dev *psd),

	TP_ARGS(psd),

	TP_STRUCT__entry(
		__field(u32, dev_id)
		__field(int, ifindex)
		__field(u64, epoch)
		__field(u8, generation)
	),

	TP_fast_assign(
		__entry->dev_id = psd->id;
		__entry->ifindex = psd->main_netdev->ifindex;
		__entry->epoch = psd->epoch;
		__entry->generation = psd->generation;
	),

	TP_printk("dev_id=%u ifindex=%d epoch=%llu generation=%u",
		  __entry->dev_id, __entry->ifindex, __entry->epoch,
		  __entry->generation)
);

DEFINE_EVENT(psp_dev, psp_dev_add,
	TP_PROTO(const struct psp_dev *psd),
	TP_ARGS(psd)
);

DEFINE_EVENT(psp_dev, psp_dev_rotate,
	TP_PROTO(const struct psp_dev *psd),
	TP_ARGS(psd)
);

DEFINE_EVENT(psp_dev, psp_dev_del,
	TP_PROTO(const struct psp_dev *psd),
	TP_ARGS(psd)
);

DECLARE_EVENT_CLASS(psp_sock,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),

	TP_ARGS(ps, spi),

	TP_STRUCT__entry(
		__field(u32, dev_id)
		__field(u32, spi)
		__field(u64, cookie)
	),

	TP_fast_assign(
		__entry->dev_id = ps->psd->id;
		__entry->spi = be32_to_cpu(spi);
		__entry->cookie = ps->cookie;
	),

	TP_printk("dev_id=%u cookie=%llu spi=0x%08x",
		  __entry->dev_id, __entry->cookie, __entry->spi)
);

/* The SPI is the tx key's in the events of tx keys, otherwise that of the
 * current rx association
 */
DEFINE_EVENT(psp_sock, psp_sock_rx_set,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

DEFINE_EVENT(psp_sock, psp_sock_rx_rekey,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

/* The first tx-assoc is under way; then tx_set, or tx_undo if it fails */
DEFINE_EVENT(psp_sock, psp_sock_tx_pending,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

DEFINE_EVENT(psp_sock, psp_sock_tx_undo,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

DEFINE_EVENT(psp_sock, psp_sock_tx_set,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

DEFINE_EVENT(psp_sock, psp_sock_tx_rekey,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

/* There is a tx key, and the peer's first authenticated packet has come */
DEFINE_EVENT(psp_sock, psp_sock_full,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

DEFINE_EVENT(psp_sock, psp_sock_stale,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

DEFINE_EVENT(psp_sock, psp_sock_free,
	TP_PROTO(const struct psp_sock *ps, __be32 spi),
	TP_ARGS(ps, spi)
);

#endif /* __PSP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE psp_trace
#include <trace/define_trace.h>
