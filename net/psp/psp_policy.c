// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy: which segments may pass, as a function of the socket's state.
 *
 * Pure functions, so that the table in Documentation/networking/psp.rst can be
 * compared with them line by line.
 */
#include <kunit/visibility.h>
#include <net/tcp.h>

#include "psp_policy.h"

/* Does the segment take up sequence space that must have been authenticated?
 * The peer may have closed before it had its tx key: a bare FIN right where
 * the plain part of the stream ends is let through.
 */
static bool psp_policy_is_data(const struct psp_policy_seg *seg,
			       bool have_latch, u32 rx_latch)
{
	if (seg->len || seg->syn)
		return true;

	return seg->fin && !(have_latch && seg->seq == rx_latch);
}

/**
 * psp_policy_rx() - may a socket have this segment?
 * @state: state of the socket
 * @rx_latch: rcv_nxt at the first tx-assoc, if @state is beyond it
 * @seg: the segment
 *
 * Return: PSP_DROP_NOT if it may, else why not.
 */
enum psp_drop psp_policy_rx(enum psp_policy_state state, u32 rx_latch,
			    const struct psp_policy_seg *seg)
{
	if (seg->authentic)
		return state == PSP_POLICY_NONE ? PSP_DROP_NO_STATE :
						  PSP_DROP_NOT;

	switch (state) {
	case PSP_POLICY_NONE:
	case PSP_POLICY_RX:
		return PSP_DROP_NOT;
	case PSP_POLICY_TX_PENDING:
	case PSP_POLICY_TX:
		if (psp_policy_is_data(seg, state == PSP_POLICY_TX, rx_latch))
			return PSP_DROP_PLAIN_DATA;
		return PSP_DROP_NOT;
	case PSP_POLICY_FULL:
		break;
	}

	return PSP_DROP_PLAIN_FULL;
}
EXPORT_SYMBOL_IF_KUNIT(psp_policy_rx);

/**
 * psp_policy_tx_is_plain() - does a segment belong to the stream's plain part?
 * @latched: some of the plain part is not acknowledged yet
 * @latch: first sequence number of the PSP part
 * @seq: sequence number of the segment
 * @has_data: the segment has payload or a FIN
 *
 * No segment has bytes of both parts: the queues were fenced at the latch.
 *
 * Return: true if it goes out in plain text, from a socket that has a tx key.
 */
bool psp_policy_tx_is_plain(bool latched, u32 latch, u32 seq, bool has_data)
{
	return latched && has_data && before(seq, latch);
}
EXPORT_SYMBOL_IF_KUNIT(psp_policy_tx_is_plain);
