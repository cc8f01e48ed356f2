// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key derivation: the published answers, and the input block byte by byte.
 */

#include <crypto/hash.h>
#include <kunit/test.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

static const u8 psp_ref_test_devkeys[2][32] = {
	{
		0x34, 0x44, 0x8a, 0x06, 0x42, 0x92, 0x60, 0x1b,
		0x11, 0xa0, 0x97, 0x8f, 0x56, 0xa2, 0xd3, 0x4c,
		0xf3, 0xfc, 0x35, 0xed, 0xe1, 0xa6, 0xbc, 0x04,
		0xf8, 0xdb, 0x3e, 0x52, 0x43, 0xa2, 0xb0, 0xca,
	}, {
		0x56, 0x39, 0x52, 0x56, 0x5d, 0x3a, 0x78, 0xae,
		0x77, 0x3e, 0xc1, 0xb7, 0x79, 0xf2, 0xf2, 0xd9,
		0x9f, 0x4a, 0x7f, 0x53, 0xa6, 0xfb, 0xb9, 0xb0,
		0x7d, 0x5b, 0x71, 0xf3, 0x93, 0x64, 0xd7, 0x39,
	},
};

/**
 * struct psp_ref_kdf_case - a derivation
 * @desc: name of the test case
 * @spi: SPI
 * @version: PSP version
 * @size: bytes of key
 * @devkey: number of the device key
 */
struct psp_ref_kdf_case {
	const char	*desc;
	u32		spi;
	u8		version;
	u8		size;
	u8		devkey;
};

static const struct psp_ref_kdf_case psp_ref_kdf_cases[] = {
	{ "GCM-128, key 1", 0x9a345678, 0, 16, 1 },
	{ "GCM-256, key 1", 0x9a345678, 1, 32, 1 },
	{ "GMAC-128, key 1", 0x9a345678, 2, 16, 1 },
	{ "GMAC-256, key 1", 0x9a345678, 3, 32, 1 },
	{ "GCM-128, key 0", 0x1a345678, 0, 16, 0 },
	{ "GCM-256, key 0", 0x1a345678, 1, 32, 0 },
	{ "GMAC-128, key 0", 0x1a345678, 2, 16, 0 },
	{ "GMAC-256, key 0", 0x1a345678, 3, 32, 0 },
	{ "lowest SPI", 1, 1, 32, 0 },
	{ "highest SPI of phase 0", 0x7fffffff, 1, 32, 0 },
	{ "lowest SPI of phase 1", 0x80000001, 1, 32, 1 },
	{ "highest SPI", 0xffffffff, 3, 32, 1 },
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_kdf, psp_ref_kdf_cases, desc);

KUNIT_DEFINE_ACTION_WRAPPER(psp_ref_test_free_shash, crypto_free_shash,
			    struct crypto_shash *);

static struct crypto_shash *psp_ref_test_cmac(struct kunit *test, u8 devkey)
{
	struct crypto_shash *cmac;
	int err;

	cmac = psp_ref_cmac_alloc(psp_ref_test_devkeys[devkey]);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cmac);
	err = kunit_add_action_or_reset(test, psp_ref_test_free_shash, cmac);
	KUNIT_ASSERT_EQ(test, err, 0);

	return cmac;
}

/* One CMAC over a block that is put together here from the specification */
static void psp_ref_test_half(struct kunit *test, struct crypto_shash *cmac,
			      const struct psp_ref_kdf_case *c, u8 counter,
			      u8 *out)
{
	u8 block[16] = {
		0, 0, 0, counter, 'P', 'v', '0', 0, 0, 0, 0, 0, 0, 0, 0, 128,
	};

	block[6] += c->version;
	put_unaligned_be32(c->spi, block + 8);
	if (c->size == 32)
		put_unaligned_be16(256, block + 14);

	KUNIT_ASSERT_EQ(test, 0, crypto_shash_tfm_digest(cmac, block,
							 sizeof(block), out));
}

/* As many bytes as the version asks for, and none behind them */
static void psp_ref_test_kdf_block(struct kunit *test)
{
	const struct psp_ref_kdf_case *c = test->param_value;
	struct crypto_shash *cmac = psp_ref_test_cmac(test, c->devkey);
	u8 got[48], want[48];

	memset(got, 0x5a, sizeof(got));
	memset(want, 0x5a, sizeof(want));
	psp_ref_test_half(test, cmac, c, 1, want);
	if (c->size == 32)
		psp_ref_test_half(test, cmac, c, 2, want + 16);

	KUNIT_ASSERT_EQ(test, 0, psp_ref_kdf(cmac, c->version,
					     cpu_to_be32(c->spi), got));
	KUNIT_EXPECT_MEMEQ(test, got, want, sizeof(got));
}

/**
 * struct psp_ref_kdf_answer - a derivation that has been published
 * @desc: name of the test case
 * @spi: SPI
 * @version: PSP version
 * @key: derived key
 */
struct psp_ref_kdf_answer {
	const char	*desc;
	u32		spi;
	u8		version;
	u8		key[32];
};

static const struct psp_ref_kdf_answer psp_ref_kdf_answers[] = {
	{
		.desc = "SPI 9a345678, AES-GCM-128",
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GCM_128,
		.key = {
			0x39, 0x46, 0xda, 0x25, 0x54, 0xea, 0xe4, 0x6a,
			0xd1, 0xef, 0x77, 0xa6, 0x43, 0x72, 0xed, 0xc4,
		},
	}, {
		.desc = "SPI 9a345678, AES-GCM-256",
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GCM_256,
		.key = {
			0xfa, 0x00, 0xf6, 0x09, 0xdf, 0x60, 0x20, 0x28,
			0x9a, 0x1c, 0x93, 0xd6, 0x02, 0x70, 0x81, 0xa6,
			0x37, 0xad, 0x45, 0xb2, 0x4a, 0x55, 0x76, 0xb3,
			0x6e, 0x6f, 0x49, 0xdd, 0x43, 0x11, 0x4d, 0x80,
		},
	}, {
		.desc = "SPI 9a345678, AES-GMAC-128",
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GMAC_128,
		.key = {
			0xc4, 0x2b, 0x1b, 0x69, 0x40, 0x4d, 0x83, 0x38,
			0x32, 0x9b, 0x8a, 0xb3, 0x92, 0xe8, 0x7b, 0xb8,
		},
	}, {
		.desc = "SPI 9a345678, AES-GMAC-256",
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GMAC_256,
		.key = {
			0x1d, 0x53, 0x68, 0xa6, 0xbc, 0xc9, 0x9c, 0x72,
			0xdf, 0xb6, 0xf2, 0x55, 0xfa, 0x2c, 0x48, 0x01,
			0xac, 0x30, 0x38, 0x20, 0xe9, 0x4e, 0x47, 0x55,
			0x73, 0xad, 0x01, 0xdf, 0x8f, 0x4d, 0x47, 0x5a,
		},
	}, {
		.desc = "SPI 1a345678, AES-GCM-128",
		.spi = 0x1a345678,
		.version = PSP_VERSION_HDR0_AES_GCM_128,
		.key = {
			0x3f, 0xe9, 0xb9, 0x06, 0x02, 0xa4, 0x1c, 0xe1,
			0x7e, 0x20, 0x97, 0x18, 0x10, 0xe9, 0xa6, 0xa0,
		},
	}, {
		.desc = "SPI 1a345678, AES-GCM-256",
		.spi = 0x1a345678,
		.version = PSP_VERSION_HDR0_AES_GCM_256,
		.key = {
			0x18, 0x4e, 0xec, 0xc1, 0x10, 0xd0, 0xec, 0xfc,
			0xf8, 0x5e, 0x6f, 0x7c, 0x9e, 0xed, 0xab, 0x4d,
			0x21, 0x12, 0x2f, 0xb2, 0xd2, 0xb8, 0xc3, 0x44,
			0xaf, 0x3a, 0x1c, 0x38, 0xd0, 0xb6, 0xad, 0xfd,
		},
	},
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_kdf_answer, psp_ref_kdf_answers, desc);

static void psp_ref_test_kdf_answer(struct kunit *test)
{
	const struct psp_ref_kdf_answer *c = test->param_value;
	struct crypto_shash *cmac = psp_ref_test_cmac(test, c->spi >> 31);
	u8 key[32] = {};

	KUNIT_ASSERT_EQ(test, 0, psp_ref_kdf(cmac, c->version,
					     cpu_to_be32(c->spi), key));
	KUNIT_EXPECT_MEMEQ(test, key, c->key, sizeof(key));
}

/* Nothing is derived for a version that nobody knows the key size of */
static void psp_ref_test_kdf_version(struct kunit *test)
{
	struct crypto_shash *cmac = psp_ref_test_cmac(test, 0);
	u8 key[32], want[32];
	unsigned int version;

	memset(key, 0x5a, sizeof(key));
	memset(want, 0x5a, sizeof(want));
	for (version = 4; version <= U8_MAX; version++)
		KUNIT_EXPECT_EQ(test, -EINVAL,
				psp_ref_kdf(cmac, version, cpu_to_be32(1),
					    key));
	KUNIT_EXPECT_MEMEQ(test, key, want, sizeof(key));
}

/* Device key, version and each bit of the SPI make another key */
static void psp_ref_test_kdf_differs(struct kunit *test)
{
	struct crypto_shash *cmac = psp_ref_test_cmac(test, 0);
	struct crypto_shash *other = psp_ref_test_cmac(test, 1);
	const u32 spi = 0x1a345678;
	u8 first[32] = {}, key[32];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, psp_ref_kdf(cmac, 1, cpu_to_be32(spi),
					     first));
	KUNIT_EXPECT_MEMNEQ(test, first, first + 16, 16);

	for (i = 0; i < 32; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				psp_ref_kdf(cmac, 1,
					    cpu_to_be32(spi ^ BIT(i)), key));
		KUNIT_EXPECT_MEMNEQ(test, first, key, 16);
		KUNIT_EXPECT_MEMNEQ(test, first + 16, key + 16, 16);
	}

	for (i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		KUNIT_ASSERT_EQ(test, 0, psp_ref_kdf(cmac, i, cpu_to_be32(spi),
						     key));
		KUNIT_EXPECT_MEMNEQ(test, first, key, 16);
	}

	KUNIT_ASSERT_EQ(test, 0, psp_ref_kdf(other, 1, cpu_to_be32(spi), key));
	KUNIT_EXPECT_MEMNEQ(test, first, key, 16);
	KUNIT_EXPECT_MEMNEQ(test, first + 16, key + 16, 16);
}

static struct kunit_case psp_ref_kdf_test_cases[] = {
	KUNIT_CASE_PARAM(psp_ref_test_kdf_answer,
			 psp_ref_kdf_answer_gen_params),
	KUNIT_CASE_PARAM(psp_ref_test_kdf_block, psp_ref_kdf_gen_params),
	KUNIT_CASE(psp_ref_test_kdf_version),
	KUNIT_CASE(psp_ref_test_kdf_differs),
	{}
};

static struct kunit_suite psp_ref_kdf_suite = {
	.name = "psp_ref_kdf",
	.test_cases = psp_ref_kdf_test_cases,
};

kunit_test_suite(psp_ref_kdf_suite);
