// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the driver to the stack: which association does a packet belong to?
 *
 * What passes here may be marked by the driver (skb->decrypted), and the hooks
 * take the mark of a packet from that device as "authenticated for the
 * connection that its addresses and ports name". So the packet's tuple must be
 * the association's, and the socket must live in the namespace that the packet
 * is about to be delivered in: a key never speaks for another connection.
 */
#include <net/psp.h>

#include "psp.h"

/* The addresses and ports that the socket's segments bear on the wire */
static bool psp_rcv_tuple_matches(struct psp_sock *ps,
				  const struct psp_tuple *tuple)
{
	unsigned int seq;
	bool match;

	do {
		seq = read_seqcount_begin(&ps->wire_seq);
		match = psp_tuple_equal(&ps->wire, tuple);
	} while (read_seqcount_retry(&ps->wire_seq, seq));

	return match;
}

static enum psp_drop psp_rcv_match(const struct psp_dev *psd,
				   const struct sk_buff *skb,
				   const struct psp_encap_info *info,
				   u8 generation)
{
	const struct psp_rx_assoc *ra = NULL;

	if (psd)
		ra = psp_rx_assoc_find_rcu(psd, info->spi);
	if (!ra)
		return PSP_DROP_RX_NO_ASSOC;

	if (ra->version != info->version || ra->generation != generation)
		return PSP_DROP_RX_VERSION;

	/* The key of a connection that is over is not its successor's */
	if (ra->ps->net != dev_net(skb->dev) ||
	    READ_ONCE(ra->ps->forgotten) ||
	    !psp_rcv_tuple_matches(ra->ps, &info->tuple))
		return PSP_DROP_RX_TUPLE;

	return PSP_DROP_NOT;
}

/**
 * psp_dev_rcv() - hand a packet that the device has authenticated to the core
 * @skb: packet, skb->data at the Ethernet header, skb->mac_len and skb->dev
 *	set; the PSP header in place, the payload decrypted
 * @dev_id: &psp_dev.id
 * @generation: generation of the device key that the packet's key was derived
 *	from, as in &psp_dev.generation at the time
 * @strip_icv: the ICV is still there and is to be cut off
 *
 * Must be called before GRO. Only after a 0 may the driver set
 * &sk_buff.decrypted; on everything else that it receives it clears the bit.
 * skb->csum is not adjusted: CHECKSUM_COMPLETE is not supported.
 *
 * Context: softirq or BH disabled.
 * Return: 0 if an association matched: UDP and PSP header are gone. Otherwise
 * a negative errno, and the caller frees the packet.
 */
int psp_dev_rcv(struct sk_buff *skb, u16 dev_id, u8 generation, bool strip_icv)
{
	struct psp_encap_info info;
	const struct psp_dev *psd;
	enum psp_drop reason;
	int err;

	rcu_read_lock();
	psd = psp_dev_get_by_id_rcu(dev_id);
	err = psp_encap_parse(skb, &info, strip_icv);
	if (err)
		reason = PSP_DROP_RX_MALFORMED;
	else
		reason = psp_rcv_match(psd, skb, &info, generation);
	if (reason)
		psp_drop_count(psd, skb, reason);
	rcu_read_unlock();

	if (err)
		return err;
	if (reason)
		return -ENOENT;

	return psp_encap_strip(skb, &info, strip_icv);
}
EXPORT_SYMBOL_GPL(psp_dev_rcv);
