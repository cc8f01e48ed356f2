/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PSP_DROP_H
#define __PSP_DROP_H

#include <linux/types.h>
#include <uapi/linux/psp.h>

/**
 * enum psp_drop - why the core drops a packet
 * @PSP_DROP_NOT: it does not
 * @PSP_DROP_PLAIN_DATA: plain data, but the socket has a tx key
 * @PSP_DROP_PLAIN_FULL: plain segment of any kind, but the peer is known to
 *	use PSP
 * @PSP_DROP_NO_STATE: authenticated packet for a socket without PSP state
 * @PSP_DROP_RX_DEV: marked packet that came in through another device than the
 *	one that its socket's keys belong to
 * @PSP_DROP_RX_FRAGMENT: IPv6 fragment that escaped reassembly and may be TCP
 * @PSP_DROP_RX_HEADERS: IPv6 headers that do not parse
 * @PSP_DROP_REDIRECTED: segment of a local socket, led back into a PSP device
 * @PSP_DROP_RX_MALFORMED: the driver's packet does not parse
 * @PSP_DROP_RX_NO_ASSOC: SPI unknown, given up or too old
 * @PSP_DROP_RX_VERSION: version or generation is not the association's
 * @PSP_DROP_RX_TUPLE: addresses or ports are another connection's
 * @PSP_DROP_TX_DEV: marked segment about to leave through another device
 * @PSP_DROP_TX_HEADERS: marked segment with something between IP and TCP
 * @PSP_DROP_TX_COPY: copy of a segment, made before it could be marked
 * @PSP_DROP_TX_REPLY: no memory to secure a reset or an acknowledgment, or to
 *	be able to later
 * @PSP_DROP_TX_PEER: connection to a peer other than the one of the keys
 * @PSP_DROP_MAX: number of reasons
 *
 * The numbers are those by which rekey-stats-get reports them.
 */
enum psp_drop {
	PSP_DROP_NOT,
	PSP_DROP_PLAIN_DATA = PSP_A_DROPS_PLAIN_DATA,
	PSP_DROP_PLAIN_FULL = PSP_A_DROPS_PLAIN_FULL,
	PSP_DROP_NO_STATE = PSP_A_DROPS_NO_STATE,
	PSP_DROP_RX_DEV = PSP_A_DROPS_RX_DEV,
	PSP_DROP_RX_FRAGMENT = PSP_A_DROPS_RX_FRAGMENT,
	PSP_DROP_RX_HEADERS = PSP_A_DROPS_RX_HEADERS,
	PSP_DROP_REDIRECTED = PSP_A_DROPS_REDIRECTED,
	PSP_DROP_RX_MALFORMED = PSP_A_DROPS_RX_MALFORMED,
	PSP_DROP_RX_NO_ASSOC = PSP_A_DROPS_RX_NO_ASSOC,
	PSP_DROP_RX_VERSION = PSP_A_DROPS_RX_VERSION,
	PSP_DROP_RX_TUPLE = PSP_A_DROPS_RX_TUPLE,
	PSP_DROP_TX_DEV = PSP_A_DROPS_TX_DEV,
	PSP_DROP_TX_HEADERS = PSP_A_DROPS_TX_HEADERS,
	PSP_DROP_TX_COPY = PSP_A_DROPS_TX_COPY,
	PSP_DROP_TX_REPLY = PSP_A_DROPS_TX_REPLY,
	PSP_DROP_TX_PEER = PSP_A_DROPS_TX_PEER,
	PSP_DROP_MAX
};

/* Room for the name of a reason in a trace, end of string included */
#define PSP_DROP_NAME_SIZE	16

struct psp_dev;
struct sk_buff;

/**
 * struct psp_drop_counters - drops by reason
 * @count: counter of each &enum psp_drop
 */
struct psp_drop_counters {
	u64 count[PSP_DROP_MAX];
};

const char *psp_drop_name(enum psp_drop reason);
void psp_drop_count(const struct psp_dev *psd, const struct sk_buff *skb,
		    enum psp_drop reason);
u64 psp_drop_read(const struct psp_drop_counters __percpu *counters,
		  enum psp_drop reason);

#endif /* __PSP_DROP_H */
