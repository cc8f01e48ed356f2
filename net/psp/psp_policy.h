/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PSP_POLICY_H
#define __PSP_POLICY_H

#include <linux/types.h>

#include "psp_drop.h"

/**
 * enum psp_policy_state - columns of the policy table of psp.rst
 * @PSP_POLICY_NONE: socket without PSP state
 * @PSP_POLICY_RX: rx association, no tx key
 * @PSP_POLICY_TX_PENDING: first tx-assoc under way
 * @PSP_POLICY_TX: tx key, nothing authenticated received yet
 * @PSP_POLICY_FULL: tx key, and the peer is known to have one too
 */
enum psp_policy_state {
	PSP_POLICY_NONE,
	PSP_POLICY_RX,
	PSP_POLICY_TX_PENDING,
	PSP_POLICY_TX,
	PSP_POLICY_FULL,
};

/**
 * struct psp_policy_seg - what the policy wants to know of a segment
 * @authentic: came under PSP with an association of this very connection
 * @syn: SYN flag
 * @fin: FIN flag
 * @len: bytes of payload
 * @seq: sequence number of the segment, host byte order
 */
struct psp_policy_seg {
	bool authentic;
	bool syn;
	bool fin;
	u32 len;
	u32 seq;
};

enum psp_drop psp_policy_rx(enum psp_policy_state state, u32 rx_latch,
			    const struct psp_policy_seg *seg);

bool psp_policy_tx_is_plain(bool latched, u32 latch, u32 seq, bool has_data);

#endif /* __PSP_POLICY_H */
