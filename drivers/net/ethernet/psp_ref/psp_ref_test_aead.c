// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sealing and opening: the published packet, other packets against nonce and
 * additional data laid out here, and damage of every kind.
 */

#include <crypto/aead.h>
#include <kunit/test.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

#define PSP_REF_TEST_PACKET_MAX	(PSP_HDR_SIZE + 252 + PSP_TRL_SIZE)

static const u8 psp_ref_test_bytes[32] = {
	0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88,
	0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00,
	0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
	0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78,
};

/**
 * struct psp_ref_aead_bench - what a test works with
 * @aead: engine's context
 * @packet: packet in work
 * @plain: packet before sealing
 * @sealed: packet after sealing
 */
struct psp_ref_aead_bench {
	struct psp_ref_aead	aead;
	u8			packet[PSP_REF_TEST_PACKET_MAX];
	u8			plain[PSP_REF_TEST_PACKET_MAX];
	u8			sealed[PSP_REF_TEST_PACKET_MAX];
};

static int psp_ref_test_aead_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct psp_ref_aead_bench),
				   GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void psp_ref_test_aead_exit(struct kunit *test)
{
	struct psp_ref_aead_bench *bench = test->priv;

	if (bench)
		psp_ref_aead_free(&bench->aead);
}

static int psp_ref_test_seal(struct kunit *test, const struct psp_ref_key *key,
			     u8 *packet, unsigned int len)
{
	struct psp_ref_aead_bench *bench = test->priv;

	return psp_ref_seal(&bench->aead, key, (struct psphdr *)packet, len);
}

static int psp_ref_test_open(struct kunit *test, const struct psp_ref_key *key,
			     u8 *packet, unsigned int len)
{
	struct psp_ref_aead_bench *bench = test->priv;

	return psp_ref_open(&bench->aead, key, (struct psphdr *)packet, len);
}

/**
 * struct psp_ref_aead_case - a packet
 * @desc: name of the test case
 * @version: PSP version
 * @offset: crypt offset, as it is in the header
 * @verfl: flags beside the version
 * @len: bytes between the 16 of header and the ICV
 * @clear: how many of them are not encrypted
 * @err: result of sealing and opening
 */
struct psp_ref_aead_case {
	const char	*desc;
	u8		version;
	u8		offset;
	u8		verfl;
	unsigned int	len;
	unsigned int	clear;
	int		err;
};

static const struct psp_ref_aead_case psp_ref_aead_cases[] = {
	{ "GCM-128", 0, 0, 0, 100, 0 },
	{ "GCM-256", 1, 0, 0, 100, 0 },
	{ "GCM-128, nothing in it", 0, 0, 0, 0, 0 },
	{ "GCM-128, one byte", 0, 0, 0, 1, 0 },
	{ "GCM-256, one byte more than a block", 1, 0, 0, 17, 0 },
	{ "GCM-128, 4 bytes in the clear", 0, 1, 0, 100, 4 },
	{ "GCM-256, 20 bytes in the clear", 1, 5, 0, 100, 20 },
	{ "GCM-128, all but one in the clear", 0, 5, 0, 21, 20 },
	{ "GCM-128, all in the clear", 0, 5, 0, 20, 20 },
	{ "GCM-256, the largest offset", 1, 63, 0, 252, 252 },
	{ "GCM-128, reserved bits beside it", 0, 0xc5, 0, 100, 20 },
	{ "GCM-128, cookie", 0, 2, PSPHDR_VERFL_VIRT, 100, 8 },
	{ "GCM-256, cookie and more", 1, 7, PSPHDR_VERFL_VIRT, 100, 28 },
	{ "GCM-128, S and D bits", 0, 0,
	  PSPHDR_VERFL_SAMPLE | PSPHDR_VERFL_DROP, 100, 0 },
	{ "GMAC-128", 2, 0, 0, 100, 100 },
	{ "GMAC-256", 3, 0, 0, 100, 100 },
	{ "GMAC-128, nothing in it", 2, 0, 0, 0, 0 },
	{ "GMAC-256, one byte", 3, 0, 0, 1, 1 },
	{ "GMAC-128, crypt offset", 2, 5, 0, 100, 100 },
	{ "GMAC-256, cookie", 3, 2, PSPHDR_VERFL_VIRT, 100, 100 },
	{ "GCM-128, one byte short of its offset", 0, 5, 0, 19, 0, -EINVAL },
	{ "GCM-256, offset and nothing in it", 1, 1, 0, 0, 0, -EINVAL },
	{ "GCM-128, short of the largest offset", 0, 63, 0, 251, 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_aead, psp_ref_aead_cases, desc);

static void psp_ref_test_make_packet(u8 *packet,
				     const struct psp_ref_aead_case *c)
{
	static const u8 spi_and_iv[12] = {
		0x9a, 0x34, 0x56, 0x78, 0x81, 2, 3, 4, 5, 6, 7, 0x88,
	};
	unsigned int i;

	packet[0] = 6;
	packet[1] = c->verfl & PSPHDR_VERFL_VIRT ? 2 : 1;
	packet[2] = c->offset;
	packet[3] = c->version << 2 | c->verfl | 1;
	memcpy(packet + 4, spi_and_iv, sizeof(spi_and_iv));
	for (i = 0; i < c->len; i++)
		packet[PSP_HDR_SIZE + i] = i;
}

/* The cipher alone, told what is nonce, additional data and plain text */
static void psp_ref_test_reference(struct kunit *test, u8 *packet,
				   const struct psp_ref_aead_case *c)
{
	unsigned int aad = 16 + c->clear;
	DECLARE_CRYPTO_WAIT(wait);
	struct aead_request *req;
	struct crypto_aead *tfm;
	struct scatterlist sg;
	u8 *nonce;
	int err;

	nonce = kunit_kzalloc(test, 12, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, nonce);
	memcpy(nonce, packet + 4, 12);

	tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tfm);
	crypto_aead_setkey(tfm, psp_ref_test_bytes, c->version & 1 ? 32 : 16);
	crypto_aead_setauthsize(tfm, 16);
	req = aead_request_alloc(tfm, GFP_KERNEL);
	if (req) {
		sg_init_one(&sg, packet, 16 + c->len + 16);
		aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP,
					  crypto_req_done, &wait);
		aead_request_set_ad(req, aad);
		aead_request_set_crypt(req, &sg, &sg, 16 + c->len - aad, nonce);
		err = crypto_wait_req(crypto_aead_encrypt(req), &wait);
		aead_request_free(req);
	}
	crypto_free_aead(tfm);
	KUNIT_ASSERT_NOT_NULL(test, req);
	KUNIT_ASSERT_EQ(test, err, 0);
}

static void psp_ref_test_aead_packet(struct kunit *test)
{
	const struct psp_ref_aead_case *c = test->param_value;
	struct psp_ref_aead_bench *bench = test->priv;
	struct psp_ref_key *key;

	key = psp_ref_test_key(test, c->version, psp_ref_test_bytes);
	psp_ref_test_make_packet(bench->plain, c);
	memcpy(bench->packet, bench->plain, sizeof(bench->packet));

	KUNIT_ASSERT_EQ(test, c->err,
			psp_ref_test_seal(test, key, bench->packet, c->len));
	if (c->err) {
		KUNIT_EXPECT_MEMEQ(test, bench->packet, bench->plain,
				   sizeof(bench->packet));
		KUNIT_EXPECT_EQ(test, c->err,
				psp_ref_test_open(test, key, bench->packet,
						  c->len));
		return;
	}

	memcpy(bench->sealed, bench->plain, sizeof(bench->sealed));
	psp_ref_test_reference(test, bench->sealed, c);
	KUNIT_EXPECT_MEMEQ(test, bench->packet, bench->sealed,
			   sizeof(bench->packet));
	KUNIT_EXPECT_MEMEQ(test, bench->packet, bench->plain, 16 + c->clear);
	if (c->len - c->clear >= 16)
		KUNIT_EXPECT_MEMNEQ(test, bench->packet + 16 + c->clear,
				    bench->plain + 16 + c->clear,
				    c->len - c->clear);
	KUNIT_EXPECT_MEMEQ(test, bench->aead.nonce, bench->plain + 4, 12);

	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_open(test, key, bench->packet,
						   c->len));
	KUNIT_EXPECT_MEMEQ(test, bench->packet, bench->plain, 16 + c->len);
}

/* A crypt offset made too large by the damage is refused for that. */
static bool psp_ref_test_is_noticed(int err, unsigned int at)
{
	return err == -EBADMSG ||
	       (at == offsetof(struct psphdr, crypt_offset) && err == -EINVAL);
}

/* One bit of each byte, all eight bits in turn */
static void psp_ref_test_aead_damage(struct kunit *test)
{
	const struct psp_ref_aead_case *c = test->param_value;
	struct psp_ref_aead_bench *bench = test->priv;
	struct psp_ref_key *key;
	unsigned int at;
	int err;

	if (c->err)
		return;

	key = psp_ref_test_key(test, c->version, psp_ref_test_bytes);
	psp_ref_test_make_packet(bench->sealed, c);
	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_seal(test, key, bench->sealed,
						   c->len));

	for (at = 0; at < 16 + c->len + 16; at++) {
		memcpy(bench->packet, bench->sealed, sizeof(bench->packet));
		bench->packet[at] ^= BIT(at % 8);
		err = psp_ref_test_open(test, key, bench->packet, c->len);
		KUNIT_EXPECT_TRUE_MSG(test, psp_ref_test_is_noticed(err, at),
				      "byte %u: %d", at, err);
	}
}

/* The packet of the PSP Architecture Specification */
#define PSP_REF_TEST_LEN	37

static const u8 psp_ref_test_vector[16 + PSP_REF_TEST_LEN + 16] = {
	0x04, 0x01, 0x05, 0x01, 0x11, 0x22, 0x33, 0x44,
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x45, 0x00, 0x00, 0x25, 0x00, 0x01, 0x00, 0x00,
	0x40, 0x11, 0x7c, 0xc5, 0x7f, 0x00, 0x00, 0x01,
	0x7f, 0x00, 0x00, 0x01,
	0x8e, 0x3e, 0x2b, 0x13, 0x45, 0xc7, 0x6b, 0xf9,
	0x5c, 0xda, 0xc3, 0x9b, 0x86, 0x17, 0x62, 0xa0,
	0xcf,
	0xdf, 0xfb, 0xbe, 0xbb, 0xc6, 0x31, 0x3a, 0x2b,
	0x9d, 0xe0, 0x64, 0x75, 0x9c, 0xdd, 0x71, 0xc9,
};

static const u8 psp_ref_test_vector_udp[] = {
	0x04, 0xd2, 0x16, 0x2e, 0x00, 0x11, 0xa0, 0xc4,
	'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A',
};

static void psp_ref_test_aead_vector(struct kunit *test)
{
	struct psp_ref_aead_bench *bench = test->priv;
	struct psp_ref_key *key;

	key = psp_ref_test_key(test, PSP_VERSION_HDR0_AES_GCM_128,
			       psp_ref_test_bytes);
	memcpy(bench->packet, psp_ref_test_vector, sizeof(psp_ref_test_vector));

	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_open(test, key, bench->packet,
						   PSP_REF_TEST_LEN));
	KUNIT_EXPECT_MEMEQ(test, bench->packet, psp_ref_test_vector, 16 + 20);
	KUNIT_EXPECT_MEMEQ(test, bench->packet + 16 + 20,
			   psp_ref_test_vector_udp,
			   sizeof(psp_ref_test_vector_udp));

	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_seal(test, key, bench->packet,
						   PSP_REF_TEST_LEN));
	KUNIT_EXPECT_MEMEQ(test, bench->packet, psp_ref_test_vector,
			   sizeof(psp_ref_test_vector));
}

static void psp_ref_test_aead_every_bit(struct kunit *test)
{
	struct psp_ref_aead_bench *bench = test->priv;
	struct psp_ref_key *key;
	unsigned int bit;
	int err;

	key = psp_ref_test_key(test, PSP_VERSION_HDR0_AES_GCM_128,
			       psp_ref_test_bytes);
	for (bit = 0; bit < 8 * sizeof(psp_ref_test_vector); bit++) {
		memcpy(bench->packet, psp_ref_test_vector,
		       sizeof(psp_ref_test_vector));
		bench->packet[bit / 8] ^= BIT(bit % 8);
		err = psp_ref_test_open(test, key, bench->packet,
					PSP_REF_TEST_LEN);
		KUNIT_EXPECT_TRUE_MSG(test,
				      psp_ref_test_is_noticed(err, bit / 8),
				      "bit %u: %d", bit, err);
	}
}

/* Each bit of the key counts, and a packet sealed for one algorithm is not
 * opened by the other.
 */
static void psp_ref_test_aead_other_key(struct kunit *test)
{
	struct psp_ref_aead_bench *bench = test->priv;
	struct psp_ref_key *key;
	unsigned int bit;
	u8 bytes[32];

	key = psp_ref_test_key(test, PSP_VERSION_HDR0_AES_GCM_128,
			       psp_ref_test_bytes);
	for (bit = 0; bit < 128; bit++) {
		memcpy(bytes, psp_ref_test_bytes, sizeof(bytes));
		bytes[bit / 8] ^= BIT(bit % 8);
		KUNIT_ASSERT_EQ(test, 0, psp_ref_key_set(key, 0, bytes));
		memcpy(bench->packet, psp_ref_test_vector,
		       sizeof(psp_ref_test_vector));
		KUNIT_EXPECT_EQ(test, -EBADMSG,
				psp_ref_test_open(test, key, bench->packet,
						  PSP_REF_TEST_LEN));
	}

	KUNIT_ASSERT_EQ(test, 0,
			psp_ref_key_set(key, PSP_VERSION_HDR0_AES_GMAC_128,
					psp_ref_test_bytes));
	memcpy(bench->packet, psp_ref_test_vector, sizeof(psp_ref_test_vector));
	KUNIT_EXPECT_EQ(test, -EBADMSG,
			psp_ref_test_open(test, key, bench->packet,
					  PSP_REF_TEST_LEN));
}

/* An engine has one context for packets of all versions, in any order */
static void psp_ref_test_aead_shared_context(struct kunit *test)
{
	struct psp_ref_aead_bench *bench = test->priv;
	struct psp_ref_aead_case c = { .len = 100 };
	struct psp_ref_key *key[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(key); i++)
		key[i] = psp_ref_test_key(test, i, psp_ref_test_bytes);

	for (i = 0; i < 16; i++) {
		c.version = (i * 7) % 4;
		c.clear = c.version >= 2 ? c.len : 0;
		psp_ref_test_make_packet(bench->packet, &c);
		psp_ref_test_make_packet(bench->sealed, &c);
		psp_ref_test_reference(test, bench->sealed, &c);
		KUNIT_ASSERT_EQ(test, 0,
				psp_ref_test_seal(test, key[c.version],
						  bench->packet, c.len));
		KUNIT_EXPECT_MEMEQ(test, bench->packet, bench->sealed,
				   16 + c.len + 16);
	}
}

static struct kunit_case psp_ref_aead_test_cases[] = {
	KUNIT_CASE(psp_ref_test_aead_vector),
	KUNIT_CASE(psp_ref_test_aead_every_bit),
	KUNIT_CASE_PARAM(psp_ref_test_aead_packet, psp_ref_aead_gen_params),
	KUNIT_CASE_PARAM(psp_ref_test_aead_damage, psp_ref_aead_gen_params),
	KUNIT_CASE(psp_ref_test_aead_other_key),
	KUNIT_CASE(psp_ref_test_aead_shared_context),
	{}
};

static struct kunit_suite psp_ref_aead_suite = {
	.name = "psp_ref_aead",
	.init = psp_ref_test_aead_init,
	.exit = psp_ref_test_aead_exit,
	.test_cases = psp_ref_aead_test_cases,
};

kunit_test_suite(psp_ref_aead_suite);
