// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for the device below the sample driver. It derives keys from a
 * device key as PSP devices do, so that it keeps nothing for receiving, and
 * finds out whether a packet was sent under the right key. But it does not
 * encrypt, and what is on its wire is not PSP.
 */
#include <linux/bitfield.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/string.h>

#include "psp_sample.h"

#define SAMPLE_L2	sizeof(struct ethhdr)

/* The key of an SPI, from the device key that the SPI's phase names */
static void sample_derive(const struct sample_hw *hw, u32 spi,
			  siphash_key_t *key)
{
	const siphash_key_t *from;

	from = &hw->device_key[FIELD_GET(PSP_SPI_KEY_PHASE, spi)];
	key->key[0] = siphash_2u64(spi, 0, from);
	key->key[1] = siphash_2u64(spi, 1, from);
}

void sample_hw_rotate(struct sample_hw *hw, u8 generation)
{
	spin_lock_bh(&hw->lock);
	hw->phase ^= 1;
	get_random_bytes(&hw->device_key[hw->phase], sizeof(siphash_key_t));
	hw->generation[hw->phase] = generation;
	hw->spis_used = 0;
	spin_unlock_bh(&hw->lock);
}

int sample_hw_spi_alloc(struct sample_hw *hw, struct psp_key_parsed *key)
{
	siphash_key_t derived;
	int err = -ENOSPC;
	u32 spi;

	spin_lock_bh(&hw->lock);
	if (hw->spis_used < PSP_SPI_KEY_ID) {
		hw->spis_used++;
		spi = hw->next_spi | FIELD_PREP(PSP_SPI_KEY_PHASE, hw->phase);
		hw->next_spi = hw->next_spi % PSP_SPI_KEY_ID + 1;
		sample_derive(hw, spi, &derived);
		key->spi = cpu_to_be32(spi);
		memcpy(key->key, &derived, sizeof(derived));
		err = 0;
	}
	spin_unlock_bh(&hw->lock);
	memzero_explicit(&derived, sizeof(derived));

	return err;
}

int sample_hw_key_add(struct sample_hw *hw, const u8 *key, u32 *slot)
{
	int err = -ENOSPC;

	spin_lock_bh(&hw->lock);
	*slot = ffz(hw->key_used);
	if (*slot < SAMPLE_KEYS) {
		hw->key_used |= BIT(*slot);
		memcpy(&hw->key[*slot], key, sizeof(hw->key[*slot]));
		err = 0;
	}
	spin_unlock_bh(&hw->lock);

	return err;
}

void sample_hw_key_del(struct sample_hw *hw, u32 slot)
{
	spin_lock_bh(&hw->lock);
	memzero_explicit(&hw->key[slot], sizeof(hw->key[slot]));
	hw->key_used &= ~BIT(slot);
	spin_unlock_bh(&hw->lock);
}

/* Where is the UDP header? 0 if this is not PSP */
static unsigned int sample_find_psp(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = (void *)(skb->data + SAMPLE_L2);
	const struct iphdr *iph = (void *)(skb->data + SAMPLE_L2);
	const struct udphdr *uh;
	unsigned int off = 0;

	if (skb->len < SAMPLE_L2 + sizeof(*ip6h) + PSP_ENCAP_HLEN)
		return 0;
	if (iph->version == 4 && iph->ihl == 5 && iph->protocol == IPPROTO_UDP)
		off = SAMPLE_L2 + sizeof(*iph);
	else if (iph->version == 6 && ip6h->nexthdr == IPPROTO_UDP)
		off = SAMPLE_L2 + sizeof(*ip6h);

	uh = (void *)(skb->data + off);
	return off && uh->dest == htons(PSP_DEFAULT_UDP_PORT) ? off : 0;
}

/* From the PSP header to the ICV */
static u64 sample_mac(const struct sk_buff *skb, unsigned int off,
		      const siphash_key_t *key)
{
	off += sizeof(struct udphdr);
	return siphash(skb->data + off, skb->len - PSP_TRL_SIZE - off, key);
}

/* The core's lengths are without the ICV */
static void sample_grow(struct sk_buff *skb, unsigned int off)
{
	struct ipv6hdr *ip6h = (void *)(skb->data + SAMPLE_L2);
	struct iphdr *iph = (void *)(skb->data + SAMPLE_L2);
	struct udphdr *uh = (void *)(skb->data + off);

	skb_put_zero(skb, PSP_TRL_SIZE);
	be16_add_cpu(&uh->len, PSP_TRL_SIZE);
	if (iph->version == 6) {
		be16_add_cpu(&ip6h->payload_len, PSP_TRL_SIZE);
		return;
	}
	be16_add_cpu(&iph->tot_len, PSP_TRL_SIZE);
	iph->check = 0;
	iph->check = ip_fast_csum(iph, iph->ihl);
}

/* Make the packet that goes on the wire, under the key of the descriptor */
static bool sample_seal(struct sample_hw *hw, struct sk_buff *skb, u32 slot)
{
	unsigned int off = sample_find_psp(skb);
	bool good;
	u64 mac;

	spin_lock(&hw->lock);
	good = off && hw->key_used & BIT(slot);
	if (good) {
		sample_grow(skb, off);
		mac = sample_mac(skb, off, &hw->key[slot]);
		memcpy(skb_tail_pointer(skb) - PSP_TRL_SIZE, &mac, sizeof(mac));
		hw->stats.tx_packets++;
		hw->stats.tx_bytes += skb->len - off - PSP_ENCAP_HLEN;
	} else {
		hw->stats.tx_error++;
	}
	spin_unlock(&hw->lock);

	return good;
}

/* Is the key right? Then the driver is told which device key it was made of */
static bool sample_open_packet(struct sample_hw *hw, struct sk_buff *skb,
			       unsigned int off, u8 *generation)
{
	const struct psphdr *psph = (void *)(skb->data + off +
					     sizeof(struct udphdr));
	u32 spi = be32_to_cpu(psph->spi);
	bool good = false;
	siphash_key_t key;
	u64 mac;

	spin_lock(&hw->lock);
	if (skb->len < off + PSP_OVERHEAD) {
		hw->stats.rx_error++;
		goto out_unlock;
	}
	if (!(hw->versions &
	      BIT(FIELD_GET(PSPHDR_VERFL_VERSION, psph->verfl)))) {
		hw->stats.rx_bad++;
		goto out_unlock;
	}
	sample_derive(hw, spi, &key);
	mac = sample_mac(skb, off, &key);
	good = !memcmp(skb_tail_pointer(skb) - PSP_TRL_SIZE, &mac, sizeof(mac));
	*generation = hw->generation[FIELD_GET(PSP_SPI_KEY_PHASE, spi)];
	if (good) {
		hw->stats.rx_packets++;
		hw->stats.rx_bytes += skb->len - off - PSP_ENCAP_HLEN -
				      PSP_TRL_SIZE;
	} else {
		hw->stats.rx_auth_fail++;
	}
	memzero_explicit(&key, sizeof(key));
out_unlock:
	spin_unlock(&hw->lock);

	return good;
}

/* At the other end of the wire */
static void sample_hw_receive(struct sample_hw *hw, struct sk_buff *skb)
{
	unsigned int off = sample_find_psp(skb);
	u8 generation = 0;

	if (off && !sample_open_packet(hw, skb, off, &generation))
		kfree_skb(skb);
	else
		sample_received(hw->port, skb, off, generation);
}

/* A packet of its own goes on the wire: the sender's has its socket */
static void sample_hw_transmit(struct sample_hw *hw,
			       const struct sample_desc *desc)
{
	struct sk_buff *skb;

	skb = skb_copy_expand(desc->skb, NET_SKB_PAD + NET_IP_ALIGN,
			      PSP_TRL_SIZE, GFP_ATOMIC);
	if (!skb) {
		spin_lock(&hw->lock);
		hw->stats.tx_error += desc->key != SAMPLE_NO_KEY;
		spin_unlock(&hw->lock);
		return;
	}

	skb_scrub_packet(skb, true);
	skb->encapsulation = 0;
	if (desc->key != SAMPLE_NO_KEY && !sample_seal(hw, skb, desc->key))
		kfree_skb(skb);
	else
		sample_hw_receive(hw->peer, skb);
}

static void sample_hw_work(struct work_struct *work)
{
	struct sample_hw *hw = container_of(work, struct sample_hw, work);
	const struct sample_desc *desc;
	u32 end;

	local_bh_disable();
	/* Pairs with the release in sample_xmit(). What is posted later has a
	 * doorbell of its own, and this run comes to an end.
	 */
	end = smp_load_acquire(&hw->prod);
	while (hw->cons != end) {
		desc = &hw->ring[hw->cons % SAMPLE_RING];
		sample_hw_transmit(hw, desc);
		consume_skb(desc->skb);
		/* Pairs with the acquires of the driver */
		smp_store_release(&hw->cons, hw->cons + 1);
	}
	sample_tx_completed(hw->port);
	local_bh_enable();
}

void sample_hw_doorbell(struct sample_hw *hw)
{
	schedule_work(&hw->work);
}

void sample_hw_flush(struct sample_hw *hw)
{
	flush_work(&hw->work);
	flush_work(&hw->peer->work);
}

void sample_hw_init(struct sample_hw *hw, struct sample_hw *peer, void *port)
{
	spin_lock_init(&hw->lock);
	INIT_WORK(&hw->work, sample_hw_work);
	hw->next_spi = 1;
	get_random_bytes(hw->device_key, sizeof(hw->device_key));
	hw->peer = peer;
	hw->port = port;
}
