// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device makes of a PSP packet: opened, or dropped for the right
 * reason, and no trace left by what nobody has authenticated.
 */

#include <kunit/test.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

/**
 * struct psp_ref_rx_bench - a device without interface, rings and cable
 * @hw: the device
 * @q: its only queue
 * @frame: packet in work
 * @plain: the packet before it was sealed
 * @aead: the sender's
 */
struct psp_ref_rx_bench {
	struct psp_ref_hw		*hw;
	struct psp_ref_hw_queue		*q;
	struct psp_ref_test_frame	frame;
	struct psp_ref_test_frame	plain;
	struct psp_ref_aead		aead;
};

static int psp_ref_test_rx_init(struct kunit *test)
{
	struct psp_ref_rx_bench *bench;
	struct psp_ref_hw *hw;
	int err;

	bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);
	hw = kunit_kzalloc(test, struct_size(hw, queue, 1), GFP_KERNEL);
	if (!bench || !hw)
		return -ENOMEM;

	hw->nqueues = 1;
	hw->versions = PSP_REF_VERSIONS;
	hw->queue[0].hw = hw;
	psp_ref_stats_init(&hw->queue[0].rx_stats);
	hw->cache = psp_ref_cache_create();
	if (!hw->cache)
		return -ENOMEM;

	err = psp_ref_devkeys_init(&hw->devkeys);
	if (err) {
		psp_ref_cache_destroy(hw->cache);
		return err;
	}

	bench->hw = hw;
	bench->q = &hw->queue[0];
	test->priv = bench;

	return 0;
}

static void psp_ref_test_rx_exit(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;

	if (!bench)
		return;

	psp_ref_key_put(bench->q->rx_spare);
	psp_ref_aead_free(&bench->q->rx_aead);
	psp_ref_aead_free(&bench->aead);
	psp_ref_cache_destroy(bench->hw->cache);
	psp_ref_devkeys_destroy(&bench->hw->devkeys);
}

/* Does the device keep derived keys, and how many? */
static unsigned int psp_ref_test_cached_keys(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_cache *cache = bench->hw->cache;
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(cache->entry); i++)
		n += !!cache->entry[i].key;

	return n;
}

static void psp_ref_test_rotate_hw(struct kunit *test, u8 generation)
{
	struct psp_ref_rx_bench *bench = test->priv;
	u64 epoch;

	KUNIT_ASSERT_EQ(test, 0,
			psp_ref_devkeys_rotate(&bench->hw->devkeys, generation,
					       &epoch));
	psp_ref_cache_expire(bench->hw->cache, epoch - 1);
}

/* Bytes between the 16 of PSP header and the ICV */
static unsigned int psp_ref_test_len(const struct psp_ref_test_frame *frame)
{
	return frame->end - frame->psp - PSP_HDR_SIZE - PSP_TRL_SIZE;
}

/* Make a packet under an SPI that the device gives out */
static void psp_ref_test_sealed(struct kunit *test, u8 version,
				const struct psp_ref_test_layout *layout)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_test_frame *frame = &bench->frame;
	struct psp_key_parsed alloc = {};
	struct psp_ref_key *key;
	struct psphdr *psph;

	KUNIT_ASSERT_EQ(test, 0,
			psp_ref_devkeys_spi_alloc(&bench->hw->devkeys, version,
						  &alloc));
	key = psp_ref_test_key(test, version, alloc.key);

	psp_ref_test_frame_make(frame, layout);
	psph = (struct psphdr *)(frame->data + frame->psp);
	psph->verfl |= version << 2;
	put_unaligned(alloc.spi, &psph->spi);
	bench->plain = *frame;

	KUNIT_ASSERT_EQ(test, 0, psp_ref_seal(&bench->aead, key, psph,
					      psp_ref_test_len(frame)));
}

static enum psp_ref_hw_rx_stat psp_ref_test_receive(struct kunit *test,
						    struct psp_ref_rxc *rxc)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_frame found;

	psp_ref_frame_parse(rxc->skb, &found);
	KUNIT_ASSERT_TRUE(test, found.psp);

	return psp_ref_rx_psp(bench->q, rxc, &found);
}

/* The packet in work comes in, linear up to a byte */
static enum psp_ref_hw_rx_stat psp_ref_test_rx_one(struct kunit *test,
						   struct psp_ref_rxc *rxc,
						   unsigned int linear)
{
	struct psp_ref_rx_bench *bench = test->priv;

	*rxc = (struct psp_ref_rxc){
		.skb = psp_ref_test_skb(test, &bench->frame, bench->frame.len,
					linear),
	};

	return psp_ref_test_receive(test, rxc);
}

static enum psp_ref_hw_rx_stat psp_ref_test_verdict(struct kunit *test)
{
	struct psp_ref_rxc rxc;

	return psp_ref_test_rx_one(test, &rxc, PSP_REF_TEST_FRAME_MAX);
}

static const struct psp_ref_test_layout psp_ref_rx_layouts[] = {
	{ .desc = "IPv4", .payload = 40 },
	{ .desc = "IPv4, nothing in it" },
	{ .desc = "IPv4 with options", .options = 12, .payload = 40 },
	{ .desc = "IPv4, cookie", .cookie = true, .payload = 40 },
	{ .desc = "IPv4, cookie and nothing else", .cookie = true },
	{ .desc = "IPv4, Ethernet padding", .payload = 1, .padding = 18 },
	{ .desc = "IPv6", .ipv6 = true, .payload = 40 },
	{ .desc = "IPv6, cookie", .ipv6 = true, .cookie = true, .payload = 40 },
	{ .desc = "IPv6, Ethernet padding", .ipv6 = true, .padding = 3 },
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_rx, psp_ref_rx_layouts, desc);

static void psp_ref_test_expect_opened(struct kunit *test,
				       const struct psp_ref_rxc *rxc)
{
	struct psp_ref_rx_bench *bench = test->priv;
	const struct psp_ref_test_frame *plain = &bench->plain;

	KUNIT_EXPECT_EQ(test, rxc->flags, PSP_REF_RXC_PSP);
	KUNIT_EXPECT_TRUE(test, rxc->skb->ip_summed == CHECKSUM_NONE);
	KUNIT_ASSERT_EQ(test, rxc->skb->len, plain->end);
	KUNIT_ASSERT_EQ(test, skb_headlen(rxc->skb), plain->end);
	KUNIT_EXPECT_MEMEQ(test, rxc->skb->data, plain->data,
			   plain->end - PSP_TRL_SIZE);
}

/* All versions, in one piece and in two; the second comes from the cache */
static void psp_ref_test_rx_good(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_rxc rxc;
	u64 bytes = 0;
	u8 version;

	for (version = 0; version < 4; version++) {
		psp_ref_test_sealed(test, version, test->param_value);
		KUNIT_ASSERT_EQ(test, PSP_REF_HW_RX_PSP_PACKETS,
				psp_ref_test_rx_one(test, &rxc,
						    bench->frame.len));
		psp_ref_test_expect_opened(test, &rxc);
		KUNIT_EXPECT_EQ(test, psp_ref_test_cached_keys(test),
				version + 1);

		KUNIT_ASSERT_EQ(test, PSP_REF_HW_RX_PSP_PACKETS,
				psp_ref_test_rx_one(test, &rxc, 20));
		psp_ref_test_expect_opened(test, &rxc);
		KUNIT_EXPECT_EQ(test, psp_ref_test_cached_keys(test),
				version + 1);
		bytes += 2 * psp_ref_test_len(&bench->frame);
	}
	KUNIT_EXPECT_EQ(test, bytes,
			psp_ref_stats_read(&bench->q->rx_stats,
					   PSP_REF_HW_RX_PSP_BYTES));
}

/* Somebody else may look at the same bytes: a tap, or the sender */
static void psp_ref_test_rx_clone(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_rxc rxc = {};
	struct sk_buff *skb;

	psp_ref_test_sealed(test, 0, &psp_ref_rx_layouts[0]);
	skb = psp_ref_test_skb(test, &bench->frame, bench->frame.len,
			       bench->frame.len);
	rxc.skb = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rxc.skb);

	KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_PSP_PACKETS,
			psp_ref_test_receive(test, &rxc));
	KUNIT_EXPECT_MEMEQ(test, skb->data, bench->frame.data,
			   bench->frame.len);
	kfree_skb(rxc.skb);
}

/* From the SPI on there is nothing but the ICV to notice damage, save that the
 * highest byte may name a phase that has no key yet.
 */
static bool psp_ref_test_verdict_fits(enum psp_ref_hw_rx_stat verdict,
				      unsigned int at)
{
	if (at == offsetof(struct psphdr, spi) &&
	    verdict == PSP_REF_HW_RX_BAD)
		return true;
	if (at < offsetof(struct psphdr, spi))
		return verdict != PSP_REF_HW_RX_PSP_PACKETS;

	return verdict == PSP_REF_HW_RX_AUTH_FAIL;
}

/* A flipped bit in each byte from the PSP header on: never opened, and nothing
 * is kept
 */
static void psp_ref_test_rx_damage(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_test_frame *frame = &bench->frame;
	enum psp_ref_hw_rx_stat verdict;
	unsigned int at;
	u8 *packet;

	psp_ref_test_sealed(test, 1, test->param_value);
	packet = frame->data + frame->psp;
	for (at = 0; at < frame->end - frame->psp; at++) {
		packet[at] ^= BIT(at % 8);
		verdict = psp_ref_test_verdict(test);
		KUNIT_EXPECT_TRUE_MSG(test,
				      psp_ref_test_verdict_fits(verdict, at),
				      "byte %u: %d", at, verdict);
		packet[at] ^= BIT(at % 8);
	}
	KUNIT_EXPECT_EQ(test, psp_ref_test_cached_keys(test), 0);
	KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_PSP_PACKETS,
			psp_ref_test_verdict(test));
}

/**
 * struct psp_ref_rx_case - a packet that must not be opened
 * @desc: name of the test case
 * @layout: the packet before
 * @at: byte that is changed, from the UDP header on
 * @set: its new value, unless
 * @add: something is added to it
 * @verdict: why it is dropped
 */
struct psp_ref_rx_case {
	const char			*desc;
	struct psp_ref_test_layout	layout;
	unsigned int			at;
	u8				set;
	int				add;
	enum psp_ref_hw_rx_stat		verdict;
};

#define PSP_REF_TEST_PLAIN	{ .payload = 40 }
#define PSP_REF_TEST_COOKIE	{ .payload = 40, .cookie = true }
#define PSP_REF_TEST_SHORT	{ .payload = 7 }
#define PSP_REF_TEST_UDP(off)	.at = (off)
#define PSP_REF_TEST_PSP(off)	.at = sizeof(struct udphdr) + (off)
#define PSP_REF_TEST_ERROR	.verdict = PSP_REF_HW_RX_ERROR
#define PSP_REF_TEST_BAD	.verdict = PSP_REF_HW_RX_BAD

static const struct psp_ref_rx_case psp_ref_rx_cases[] = {
	{ "UDP one byte too long", PSP_REF_TEST_PLAIN, PSP_REF_TEST_UDP(5),
	  .add = 1, PSP_REF_TEST_ERROR },
	{ "UDP one byte too short", PSP_REF_TEST_PLAIN, PSP_REF_TEST_UDP(5),
	  .add = -1, PSP_REF_TEST_ERROR },
	{ "UDP of length 0", PSP_REF_TEST_PLAIN, PSP_REF_TEST_UDP(5),
	  .set = 0, PSP_REF_TEST_ERROR },
	{ "PSP header of 8 bytes", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(1),
	  .set = 0, PSP_REF_TEST_ERROR },
	{ "PSP header of 24 bytes, no cookie", PSP_REF_TEST_PLAIN,
	  PSP_REF_TEST_PSP(1), .set = 2, PSP_REF_TEST_ERROR },
	{ "PSP header, the longest", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(1),
	  .set = 255, PSP_REF_TEST_ERROR },
	{ "cookie, PSP header of 16 bytes", PSP_REF_TEST_COOKIE,
	  PSP_REF_TEST_PSP(1), .set = 1, PSP_REF_TEST_ERROR },
	{ "cookie, PSP header of 32 bytes", PSP_REF_TEST_COOKIE,
	  PSP_REF_TEST_PSP(1), .set = 3, PSP_REF_TEST_ERROR },
	{ "cookie encrypted", PSP_REF_TEST_COOKIE, PSP_REF_TEST_PSP(2),
	  .set = 0, PSP_REF_TEST_ERROR },
	{ "half of the cookie encrypted", PSP_REF_TEST_COOKIE,
	  PSP_REF_TEST_PSP(2), .set = 1, PSP_REF_TEST_ERROR },
	{ "crypt offset beyond the end", PSP_REF_TEST_PLAIN,
	  PSP_REF_TEST_PSP(2), .set = 11, PSP_REF_TEST_ERROR },
	{ "crypt offset up to the end", PSP_REF_TEST_PLAIN,
	  PSP_REF_TEST_PSP(2), .set = 10,
	  .verdict = PSP_REF_HW_RX_AUTH_FAIL },
	{ "crypt offset within the ICV", PSP_REF_TEST_SHORT,
	  PSP_REF_TEST_PSP(2), .set = 2, PSP_REF_TEST_ERROR },
	{ "cookie bit without room for a cookie", PSP_REF_TEST_SHORT,
	  PSP_REF_TEST_PSP(3), .set = 3, PSP_REF_TEST_ERROR },
	{ "last bit of the flags is 0", PSP_REF_TEST_PLAIN,
	  PSP_REF_TEST_PSP(3), .set = 0, PSP_REF_TEST_ERROR },
	{ "version 4", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(3),
	  .set = 4 << 2 | 1, PSP_REF_TEST_BAD },
	{ "version 15", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(3),
	  .set = 15 << 2 | 1, PSP_REF_TEST_BAD },
	{ "version 4, framing of its own", PSP_REF_TEST_PLAIN,
	  PSP_REF_TEST_PSP(3), .set = 4 << 2, PSP_REF_TEST_BAD },
	{ "another version", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(3),
	  .set = 2 << 2 | 1, .verdict = PSP_REF_HW_RX_AUTH_FAIL },
	{ "S bit set on the way", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(3),
	  .set = 0x81, .verdict = PSP_REF_HW_RX_AUTH_FAIL },
	{ "SPI of a phase without a key", PSP_REF_TEST_PLAIN,
	  PSP_REF_TEST_PSP(4), .set = 0x80, PSP_REF_TEST_BAD },
	{ "SPI 0", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(7), .set = 0,
	  PSP_REF_TEST_BAD },
	{ "another SPI", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(7), .set = 9,
	  .verdict = PSP_REF_HW_RX_AUTH_FAIL },
	{ "next header changed", PSP_REF_TEST_PLAIN, PSP_REF_TEST_PSP(0),
	  .set = 17, .verdict = PSP_REF_HW_RX_AUTH_FAIL },
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_rx_case, psp_ref_rx_cases, desc);

static void psp_ref_test_rx_case(struct kunit *test)
{
	const struct psp_ref_rx_case *c = test->param_value;
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_rxc rxc;
	u8 *byte;

	psp_ref_test_sealed(test, 0, &c->layout);
	byte = bench->frame.data + bench->frame.l4 + c->at;
	*byte = c->add ? *byte + c->add : c->set;

	KUNIT_EXPECT_EQ(test, c->verdict,
			psp_ref_test_rx_one(test, &rxc, bench->frame.len));
	KUNIT_EXPECT_EQ(test, rxc.flags, 0);
	KUNIT_EXPECT_EQ(test, psp_ref_test_cached_keys(test), 0);
	KUNIT_EXPECT_EQ(test, 0,
			psp_ref_stats_read(&bench->q->rx_stats,
					   PSP_REF_HW_RX_PSP_BYTES));
}

/* Lengths that agree, down to nothing: no packet is too short to be judged */
static void psp_ref_test_rx_short(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_test_frame *frame = &bench->frame;
	unsigned int len;

	psp_ref_test_sealed(test, 0, &psp_ref_rx_layouts[0]);
	for (len = 8; len < frame->end - frame->l4; len++) {
		frame->data[frame->l4 + 5] = len;
		frame->data[frame->l3 + 3] = len + 20;
		psp_ref_test_frame_fix_csum(frame);
		KUNIT_EXPECT_EQ_MSG(test, psp_ref_test_verdict(test),
				    len < 8 + 16 + 16 ? PSP_REF_HW_RX_ERROR :
							PSP_REF_HW_RX_AUTH_FAIL,
				    "UDP of %u bytes", len);
	}
}

static void psp_ref_test_rx_version_disabled(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;
	u8 version;

	for (version = 0; version < 4; version++) {
		psp_ref_test_sealed(test, version, &psp_ref_rx_layouts[0]);
		bench->hw->versions = PSP_REF_VERSIONS & ~BIT(version);
		KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_BAD,
				psp_ref_test_verdict(test));
		bench->hw->versions = BIT(version);
		KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_PSP_PACKETS,
				psp_ref_test_verdict(test));
		bench->hw->versions = 0;
		KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_BAD,
				psp_ref_test_verdict(test));
	}
}

/* However many SPIs somebody invents, the keys in use stay in the cache */
static void psp_ref_test_rx_forged_spis(struct kunit *test)
{
	struct psp_ref_rx_bench *bench = test->priv;
	struct psp_ref_test_frame good;
	struct psp_ref_keyid id = {};
	struct psp_ref_key *key, *still;
	unsigned int i;
	u8 *spi;

	psp_ref_test_sealed(test, 0, &psp_ref_rx_layouts[0]);
	good = bench->frame;
	spi = bench->frame.data + bench->frame.psp + 4;
	id.spi = get_unaligned((__be32 *)spi);
	KUNIT_ASSERT_EQ(test, PSP_REF_HW_RX_PSP_PACKETS,
			psp_ref_test_verdict(test));
	key = psp_ref_cache_get(bench->hw->cache, &id);
	KUNIT_ASSERT_NOT_NULL(test, key);

	for (i = 2; i < 2000; i++) {
		put_unaligned_be32(i, spi);
		KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_AUTH_FAIL,
				psp_ref_test_verdict(test));
	}
	KUNIT_EXPECT_EQ(test, psp_ref_test_cached_keys(test), 1);
	still = psp_ref_cache_get(bench->hw->cache, &id);
	KUNIT_EXPECT_PTR_EQ(test, still, key);
	psp_ref_key_put(still);
	psp_ref_key_put(key);

	bench->frame = good;
	KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_PSP_PACKETS,
			psp_ref_test_verdict(test));
}

/* A packet lives as long as its device key: current, previous, gone */
static void psp_ref_test_rx_rotation(struct kunit *test)
{
	struct psp_ref_rxc rxc;
	u8 version;

	for (version = 0; version < 4; version++) {
		psp_ref_test_rotate_hw(test, 0x10 + version);
		psp_ref_test_sealed(test, version, &psp_ref_rx_layouts[0]);
		psp_ref_test_rx_one(test, &rxc, PSP_REF_TEST_FRAME_MAX);
		psp_ref_test_expect_opened(test, &rxc);
		KUNIT_EXPECT_EQ(test, rxc.generation, 0x10 + version);

		psp_ref_test_rotate_hw(test, 0x20);
		psp_ref_test_rx_one(test, &rxc, PSP_REF_TEST_FRAME_MAX);
		psp_ref_test_expect_opened(test, &rxc);
		KUNIT_EXPECT_EQ(test, rxc.generation, 0x10 + version);

		psp_ref_test_rotate_hw(test, 0x30);
		KUNIT_EXPECT_EQ(test, PSP_REF_HW_RX_AUTH_FAIL,
				psp_ref_test_verdict(test));
	}
}

static struct kunit_case psp_ref_rx_test_cases[] = {
	KUNIT_CASE_PARAM(psp_ref_test_rx_good, psp_ref_rx_gen_params),
	KUNIT_CASE(psp_ref_test_rx_clone),
	KUNIT_CASE_PARAM(psp_ref_test_rx_damage, psp_ref_rx_gen_params),
	KUNIT_CASE_PARAM(psp_ref_test_rx_case, psp_ref_rx_case_gen_params),
	KUNIT_CASE(psp_ref_test_rx_short),
	KUNIT_CASE(psp_ref_test_rx_version_disabled),
	KUNIT_CASE(psp_ref_test_rx_forged_spis),
	KUNIT_CASE(psp_ref_test_rx_rotation),
	{}
};

static struct kunit_suite psp_ref_rx_suite = {
	.name = "psp_ref_rx",
	.init = psp_ref_test_rx_init,
	.exit = psp_ref_test_rx_exit,
	.test_cases = psp_ref_rx_test_cases,
};

kunit_test_suite(psp_ref_rx_suite);
