// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the PSP core: one file for each file whose pure parts they
 * test. What needs sockets and devices is tested by the kselftests.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <net/psp.h>
#include <uapi/linux/psp.h>

struct psp_key_size_case {
	const char *desc;
	u32 version;
	unsigned int size;
};

static const struct psp_key_size_case psp_key_size_cases[] = {
	{ "AES-GCM-128", PSP_VERSION_HDR0_AES_GCM_128, 16 },
	{ "AES-GCM-256", PSP_VERSION_HDR0_AES_GCM_256, 32 },
	{ "AES-GMAC-128", PSP_VERSION_HDR0_AES_GMAC_128, 16 },
	{ "AES-GMAC-256", PSP_VERSION_HDR0_AES_GMAC_256, 32 },
	{ "first unknown version", 4, 0 },
	{ "last version that a header can name", 15, 0 },
	{ "version beyond the header's field", 16, 0 },
	{ "largest number", U32_MAX, 0 },
};

KUNIT_ARRAY_PARAM_DESC(psp_key_size, psp_key_size_cases, desc);

static void psp_test_key_size(struct kunit *test)
{
	const struct psp_key_size_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, psp_key_size(c->version), c->size);
	KUNIT_EXPECT_LE(test, psp_key_size(c->version), PSP_MAX_KEY);
}

static struct kunit_case psp_main_cases[] = {
	KUNIT_CASE_PARAM(psp_test_key_size, psp_key_size_gen_params),
	{}
};

static struct kunit_suite psp_main_suite = {
	.name = "psp_main",
	.test_cases = psp_main_cases,
};

kunit_test_suite(psp_main_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the PSP core");
MODULE_LICENSE("GPL");
