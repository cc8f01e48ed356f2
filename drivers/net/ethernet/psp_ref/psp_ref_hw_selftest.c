// SPDX-License-Identifier: GPL-2.0-only
/*
 * Known answers, from the PSP Architecture Specification as far as it gives
 * them. A device that gets one of them wrong does not come up.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/hash.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "psp_ref_hw_int.h"

static const u8 psp_ref_test_devkey[2][32] = {
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
 * struct psp_ref_kdf_test - a derivation and its result
 * @spi: SPI; its phase bit chooses the device key
 * @version: PSP version
 * @key: derived key
 */
struct psp_ref_kdf_test {
	u32	spi;
	u8	version;
	u8	key[32];
};

static const struct psp_ref_kdf_test psp_ref_kdf_tests[] = {
	{
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GCM_128,
		.key = {
			0x39, 0x46, 0xda, 0x25, 0x54, 0xea, 0xe4, 0x6a,
			0xd1, 0xef, 0x77, 0xa6, 0x43, 0x72, 0xed, 0xc4,
		},
	}, {
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GCM_256,
		.key = {
			0xfa, 0x00, 0xf6, 0x09, 0xdf, 0x60, 0x20, 0x28,
			0x9a, 0x1c, 0x93, 0xd6, 0x02, 0x70, 0x81, 0xa6,
			0x37, 0xad, 0x45, 0xb2, 0x4a, 0x55, 0x76, 0xb3,
			0x6e, 0x6f, 0x49, 0xdd, 0x43, 0x11, 0x4d, 0x80,
		},
	}, {
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GMAC_128,
		.key = {
			0xc4, 0x2b, 0x1b, 0x69, 0x40, 0x4d, 0x83, 0x38,
			0x32, 0x9b, 0x8a, 0xb3, 0x92, 0xe8, 0x7b, 0xb8,
		},
	}, {
		.spi = 0x9a345678,
		.version = PSP_VERSION_HDR0_AES_GMAC_256,
		.key = {
			0x1d, 0x53, 0x68, 0xa6, 0xbc, 0xc9, 0x9c, 0x72,
			0xdf, 0xb6, 0xf2, 0x55, 0xfa, 0x2c, 0x48, 0x01,
			0xac, 0x30, 0x38, 0x20, 0xe9, 0x4e, 0x47, 0x55,
			0x73, 0xad, 0x01, 0xdf, 0x8f, 0x4d, 0x47, 0x5a,
		},
	}, {
		.spi = 0x1a345678,
		.version = PSP_VERSION_HDR0_AES_GCM_128,
		.key = {
			0x3f, 0xe9, 0xb9, 0x06, 0x02, 0xa4, 0x1c, 0xe1,
			0x7e, 0x20, 0x97, 0x18, 0x10, 0xe9, 0xa6, 0xa0,
		},
	}, {
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

/* One packet: PSP header, an IP packet with its IP header left in the clear,
 * ICV
 */
#define PSP_REF_TEST_PLAIN_LEN	37
#define PSP_REF_TEST_CLEAR_LEN	20

static const u8 psp_ref_test_key[16] = {
	0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88,
	0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00,
};

static const u8 psp_ref_test_header[PSP_HDR_SIZE] = {
	0x04, 0x01, 0x05, 0x01, 0x11, 0x22, 0x33, 0x44,
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
};

static const u8 psp_ref_test_plain[PSP_REF_TEST_PLAIN_LEN] = {
	0x45, 0x00, 0x00, 0x25, 0x00, 0x01, 0x00, 0x00,
	0x40, 0x11, 0x7c, 0xc5, 0x7f, 0x00, 0x00, 0x01,
	0x7f, 0x00, 0x00, 0x01, 0x04, 0xd2, 0x16, 0x2e,
	0x00, 0x11, 0xa0, 0xc4, 0x41, 0x41, 0x41, 0x41,
	0x41, 0x41, 0x41, 0x41, 0x41,
};

/* What replaces the bytes behind the IP header, and the ICV */
static const u8 psp_ref_test_sealed[PSP_REF_TEST_PLAIN_LEN -
				    PSP_REF_TEST_CLEAR_LEN + PSP_TRL_SIZE] = {
	0x8e, 0x3e, 0x2b, 0x13, 0x45, 0xc7, 0x6b, 0xf9,
	0x5c, 0xda, 0xc3, 0x9b, 0x86, 0x17, 0x62, 0xa0,
	0xcf, 0xdf, 0xfb, 0xbe, 0xbb, 0xc6, 0x31, 0x3a,
	0x2b, 0x9d, 0xe0, 0x64, 0x75, 0x9c, 0xdd, 0x71,
	0xc9,
};

static int psp_ref_test_one_kdf(struct crypto_shash **cmac,
				const struct psp_ref_kdf_test *test)
{
	u8 key[32] = {};
	int err;

	err = psp_ref_kdf(cmac[!!(test->spi & PSP_SPI_KEY_PHASE)],
			  test->version, cpu_to_be32(test->spi), key);
	if (err)
		return err;

	return memcmp(key, test->key, sizeof(key)) ? -EBADMSG : 0;
}

static int psp_ref_test_kdf(void)
{
	struct crypto_shash *cmac[2];
	int err, i;

	cmac[0] = psp_ref_cmac_alloc(psp_ref_test_devkey[0]);
	if (IS_ERR(cmac[0]))
		return PTR_ERR(cmac[0]);

	cmac[1] = psp_ref_cmac_alloc(psp_ref_test_devkey[1]);
	if (IS_ERR(cmac[1])) {
		err = PTR_ERR(cmac[1]);
		goto out_free_cmac0;
	}

	for (i = 0, err = 0; i < ARRAY_SIZE(psp_ref_kdf_tests) && !err; i++)
		err = psp_ref_test_one_kdf(cmac, &psp_ref_kdf_tests[i]);

	crypto_free_shash(cmac[1]);
out_free_cmac0:
	crypto_free_shash(cmac[0]);
	return err;
}

/**
 * struct psp_ref_test - what sealing and opening the packet takes
 * @aead: context, not on the stack since it holds the nonce
 * @key: key
 * @packet: the packet
 */
struct psp_ref_test {
	struct psp_ref_aead	aead;
	struct psp_ref_key	*key;
	u8			packet[PSP_HDR_SIZE + PSP_REF_TEST_PLAIN_LEN +
				       PSP_TRL_SIZE];
};

static int psp_ref_test_seal(struct psp_ref_test *test)
{
	u8 *packet = test->packet;
	u8 *plain = packet + PSP_HDR_SIZE;
	u8 *sealed = plain + PSP_REF_TEST_CLEAR_LEN;
	int err;

	memcpy(packet, psp_ref_test_header, PSP_HDR_SIZE);
	memcpy(plain, psp_ref_test_plain, PSP_REF_TEST_PLAIN_LEN);

	err = psp_ref_seal(&test->aead, test->key, (struct psphdr *)packet,
			   PSP_REF_TEST_PLAIN_LEN);
	if (err)
		return err;

	if (memcmp(packet, psp_ref_test_header, PSP_HDR_SIZE) ||
	    memcmp(plain, psp_ref_test_plain, PSP_REF_TEST_CLEAR_LEN) ||
	    memcmp(sealed, psp_ref_test_sealed, sizeof(psp_ref_test_sealed)))
		return -EBADMSG;

	return 0;
}

static int psp_ref_test_reopen(struct psp_ref_test *test)
{
	return psp_ref_open(&test->aead, test->key,
			    (struct psphdr *)test->packet,
			    PSP_REF_TEST_PLAIN_LEN);
}

/* A bit turned over must be noticed wherever it is: in the header, in the
 * clear part, in the encrypted part, in the ICV
 */
static int psp_ref_test_damage(struct psp_ref_test *test)
{
	static const u8 where[] = {
		0, PSP_HDR_SIZE, PSP_HDR_SIZE + PSP_REF_TEST_CLEAR_LEN,
		PSP_HDR_SIZE + PSP_REF_TEST_PLAIN_LEN,
	};
	int err, i;

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		err = psp_ref_test_seal(test);
		if (err)
			return err;

		test->packet[where[i]] ^= 0x80;
		err = psp_ref_test_reopen(test);
		if (err != -EBADMSG)
			return err ?: -EINVAL;
	}

	return 0;
}

static int psp_ref_test_open(struct psp_ref_test *test)
{
	int err;

	err = psp_ref_test_seal(test);
	if (!err)
		err = psp_ref_test_reopen(test);
	if (err)
		return err;

	return memcmp(test->packet + PSP_HDR_SIZE, psp_ref_test_plain,
		      PSP_REF_TEST_PLAIN_LEN) ? -EBADMSG : 0;
}

static int psp_ref_test_aead(void)
{
	struct psp_ref_test *test;
	int err;

	test = kzalloc(sizeof(*test), GFP_KERNEL);
	if (!test)
		return -ENOMEM;

	test->key = psp_ref_key_alloc(PSP_VERSION_HDR0_AES_GCM_128,
				      psp_ref_test_key);
	if (IS_ERR(test->key)) {
		err = PTR_ERR(test->key);
		goto out_free_test;
	}

	err = psp_ref_test_open(test);
	if (!err)
		err = psp_ref_test_damage(test);

	psp_ref_aead_free(&test->aead);
	psp_ref_key_put(test->key);
out_free_test:
	kfree(test);
	return err;
}

/**
 * psp_ref_hw_selftest() - compare with known answers
 *
 * Return: 0, or a negative error if the device must not be used.
 */
int psp_ref_hw_selftest(void)
{
	int err;

	err = psp_ref_test_kdf();
	if (err) {
		pr_err("key derivation gives a wrong answer (%d)\n", err);
		return err;
	}

	err = psp_ref_test_aead();
	if (err)
		pr_err("packet encryption gives a wrong answer (%d)\n", err);

	return err;
}
