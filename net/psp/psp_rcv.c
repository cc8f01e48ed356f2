// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the driver to the stack: which association does a packet belong to?
 *
 * What passes here may be marked by the driver (skb->decrypted), and the hooks
 * take the mark of a packet from that device as "authenticated for the
 * connection that its addresses and ports name". So the packet's tuple must be
 * the association's, and the packet must be delivered in the namespace that the
 * socket lives in: a key never speaks for another connection.
 */
#include <linux/if_vlan.h>
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

/**
 * struct psp_rcv - a packet on its way from the driver to the stack
 * @skb: the packet
 * @info: where things are in it
 * @psd: device, or NULL
 * @ra: association that the packet is for; under RCU
 * @generation: generation of the device key, by the driver
 * @strip_icv: the ICV is still there
 * @container: associated device to deliver it to, or NULL for the driver's own;
 *	under RCU
 */
struct psp_rcv {
	struct sk_buff *skb;
	struct psp_encap_info info;
	const struct psp_dev *psd;
	struct psp_rx_assoc *ra;
	u8 generation;
	bool strip_icv;
	struct net_device *container;
};

/* A packet with a tag is for a device on top of @skb->dev: no container's */
static bool psp_rcv_is_tagged(const struct psp_rcv *rcv)
{
	return skb_vlan_tag_present(rcv->skb) || rcv->info.l2_len != ETH_HLEN;
}

/* Who may receive under the key: the namespace of the driver's device, or else
 * the container that the association is of, and nobody but that one.
 */
static enum psp_drop psp_rcv_find_namespace(struct psp_rcv *rcv,
					    const struct psp_sock *ps)
{
	if (likely(net_eq(ps->net, dev_net_rcu(rcv->skb->dev))))
		return PSP_DROP_NOT;

	rcv->container = psp_container_dev_rcu(ps);

	return !rcv->container || psp_rcv_is_tagged(rcv) ? PSP_DROP_RX_DEV :
							    PSP_DROP_NOT;
}

static enum psp_drop psp_rcv_match(struct psp_rcv *rcv)
{
	struct psp_rx_assoc *ra = NULL;

	if (rcv->psd)
		ra = psp_rx_assoc_find_rcu(rcv->psd, rcv->info.spi);
	if (!ra)
		return PSP_DROP_RX_NO_ASSOC;

	if (ra->version != rcv->info.version ||
	    ra->generation != rcv->generation)
		return PSP_DROP_RX_VERSION;

	/* The key of a connection that is over is not its successor's */
	if (READ_ONCE(ra->ps->forgotten) ||
	    !psp_rcv_tuple_matches(ra->ps, &rcv->info.tuple))
		return PSP_DROP_RX_TUPLE;

	rcv->ra = ra;

	return psp_rcv_find_namespace(rcv, ra->ps);
}

/* One flow's packets come in on one CPU */
static void psp_rcv_count(const struct psp_rcv *rcv)
{
	WRITE_ONCE(rcv->ra->packets, rcv->ra->packets + 1);
}

/* Find the association, take the headers off */
static int psp_rcv_accept(struct psp_rcv *rcv, u16 dev_id)
{
	enum psp_drop reason;
	int err;

	rcv->psd = psp_dev_get_by_id_rcu(dev_id);
	err = psp_encap_parse(rcv->skb, &rcv->info, rcv->strip_icv);
	if (err)
		reason = PSP_DROP_RX_MALFORMED;
	else
		reason = psp_rcv_match(rcv);
	if (!reason)
		return psp_encap_strip(rcv->skb, &rcv->info, rcv->strip_icv);

	psp_drop_count(rcv->psd, rcv->skb, reason);

	return err ?: -ENOENT;
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
 * Packets for containers are refused: see psp_dev_rcv_netns().
 *
 * Context: softirq or BH disabled.
 * Return: 0 if an association matched: UDP and PSP header are gone. Otherwise
 * a negative errno, and the caller frees the packet.
 */
int psp_dev_rcv(struct sk_buff *skb, u16 dev_id, u8 generation, bool strip_icv)
{
	struct psp_rcv rcv = {
		.skb = skb, .generation = generation, .strip_icv = strip_icv,
	};
	int err;

	rcu_read_lock();
	err = psp_rcv_accept(&rcv, dev_id);
	if (!err && rcv.container) {
		psp_drop_count(rcv.psd, skb, PSP_DROP_RX_DEV);
		err = -ENOENT;
	}
	if (!err)
		psp_rcv_count(&rcv);
	rcu_read_unlock();

	return err;
}
EXPORT_SYMBOL_GPL(psp_dev_rcv);

/**
 * psp_dev_rcv_netns() - the same, also for associations of other namespaces
 * @skb: packet, in which all that the driver knows of it, such as the result of
 *	checksum offload, must have been set
 * @dev_id: &psp_dev.id
 * @generation: as for psp_dev_rcv()
 * @strip_icv: as for psp_dev_rcv()
 *
 * Packets for sockets that use the device by an associated one are delivered by
 * the core, straight to that one: if they went through the namespace of the
 * driver's device, their mark could be taken for that of a connection there.
 *
 * Context: softirq, BH disabled.
 * Return: as psp_dev_rcv(), or PSP_RCV_DELIVERED: the packet was received, and
 * is no longer the driver's.
 */
int psp_dev_rcv_netns(struct sk_buff *skb, u16 dev_id, u8 generation,
		      bool strip_icv)
{
	struct psp_rcv rcv = {
		.skb = skb, .generation = generation, .strip_icv = strip_icv,
	};
	int err;

	rcu_read_lock();
	err = psp_rcv_accept(&rcv, dev_id);
	if (!err)
		psp_rcv_count(&rcv);
	if (!err && unlikely(rcv.container)) {
		psp_container_deliver(rcv.container, skb);
		err = PSP_RCV_DELIVERED;
	}
	rcu_read_unlock();

	return err;
}
EXPORT_SYMBOL_GPL(psp_dev_rcv_netns);
