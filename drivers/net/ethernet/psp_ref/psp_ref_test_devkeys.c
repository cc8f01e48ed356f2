// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device keys: phases, SPIs, and what a rotation forgets.
 */

#include <kunit/test.h>
#include <linux/string.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

#define PSP_REF_TEST_VERSION	PSP_VERSION_HDR0_AES_GCM_256

KUNIT_DEFINE_ACTION_WRAPPER(psp_ref_test_devkeys_destroy,
			    psp_ref_devkeys_destroy, struct psp_ref_devkeys *);

static int psp_ref_test_devkeys_init(struct kunit *test)
{
	struct psp_ref_devkeys *keys;
	int err;

	keys = kunit_kzalloc(test, sizeof(*keys), GFP_KERNEL);
	if (!keys)
		return -ENOMEM;
	test->priv = keys;

	err = psp_ref_devkeys_init(keys);
	if (err)
		return err;

	return kunit_add_action_or_reset(test, psp_ref_test_devkeys_destroy,
					 keys);
}

static void psp_ref_test_rotate(struct kunit *test, u8 generation)
{
	struct psp_ref_devkeys *keys = test->priv;
	u64 before = keys->epoch, epoch = 0;

	KUNIT_ASSERT_EQ(test, 0,
			psp_ref_devkeys_rotate(keys, generation, &epoch));
	KUNIT_EXPECT_EQ(test, epoch, before + 1);
}

static void psp_ref_test_spi_alloc(struct kunit *test,
				   struct psp_key_parsed *out)
{
	memset(out, 0, sizeof(*out));
	KUNIT_ASSERT_EQ(test, 0,
			psp_ref_devkeys_spi_alloc(test->priv,
						  PSP_REF_TEST_VERSION, out));
}

static int psp_ref_test_identify(struct kunit *test, u32 spi,
				 struct psp_ref_keyid *id)
{
	return psp_ref_devkeys_identify(test->priv, PSP_REF_TEST_VERSION,
					cpu_to_be32(spi), id);
}

/* The receiver derives the key that was given out with the SPI */
static void psp_ref_test_expect_derived(struct kunit *test,
					const struct psp_ref_keyid *id,
					const struct psp_key_parsed *key)
{
	u8 derived[PSP_MAX_KEY] = {};

	KUNIT_ASSERT_EQ(test, 0,
			psp_ref_devkeys_derive(test->priv, id, derived));
	/* Not KUNIT_EXPECT_MEMEQ(): keys are not printed */
	KUNIT_EXPECT_FALSE(test, memcmp(derived, key->key, sizeof(derived)));
}

static void psp_ref_test_phases(struct kunit *test)
{
	struct psp_key_parsed key;
	struct psp_ref_keyid id;
	unsigned int i;
	u32 spi;

	for (i = 0; i < 6; i++) {
		psp_ref_test_spi_alloc(test, &key);
		spi = be32_to_cpu(key.spi);
		KUNIT_EXPECT_EQ(test, spi >> 31, i % 2);

		KUNIT_ASSERT_EQ(test, 0, psp_ref_test_identify(test, spi, &id));
		KUNIT_EXPECT_EQ(test, id.epoch, i);
		KUNIT_EXPECT_EQ(test, id.spi, key.spi);
		KUNIT_EXPECT_EQ(test, id.version, PSP_REF_TEST_VERSION);
		KUNIT_EXPECT_EQ(test, id.generation, i ? 0x40 + i : 0);
		psp_ref_test_expect_derived(test, &id, &key);

		psp_ref_test_rotate(test, 0x41 + i);
	}
}

/* Before the first rotation there is no key of the other phase */
static void psp_ref_test_no_second_key(struct kunit *test)
{
	struct psp_ref_keyid id;

	KUNIT_EXPECT_EQ(test, 0, psp_ref_test_identify(test, 1, &id));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			psp_ref_test_identify(test, 0x80000001, &id));

	psp_ref_test_rotate(test, 1);
	KUNIT_EXPECT_EQ(test, 0, psp_ref_test_identify(test, 1, &id));
	KUNIT_EXPECT_EQ(test, 0, psp_ref_test_identify(test, 0x80000001, &id));
}

static void psp_ref_test_reserved_spis(struct kunit *test)
{
	struct psp_ref_keyid id;

	psp_ref_test_rotate(test, 1);
	KUNIT_EXPECT_EQ(test, -ENOKEY, psp_ref_test_identify(test, 0, &id));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			psp_ref_test_identify(test, 0x80000000, &id));
}

static void psp_ref_test_spi_wrap(struct kunit *test)
{
	struct psp_ref_devkeys *keys = test->priv;
	struct psp_key_parsed key;

	keys->next_spi = 0x7ffffffe;
	psp_ref_test_spi_alloc(test, &key);
	KUNIT_EXPECT_EQ(test, be32_to_cpu(key.spi), 0x7ffffffe);
	psp_ref_test_spi_alloc(test, &key);
	KUNIT_EXPECT_EQ(test, be32_to_cpu(key.spi), 0x7fffffff);
	psp_ref_test_spi_alloc(test, &key);
	KUNIT_EXPECT_EQ(test, be32_to_cpu(key.spi), 1);

	psp_ref_test_rotate(test, 1);
	keys->next_spi = 0x7fffffff;
	psp_ref_test_spi_alloc(test, &key);
	KUNIT_EXPECT_EQ(test, be32_to_cpu(key.spi), 0xffffffff);
	psp_ref_test_spi_alloc(test, &key);
	KUNIT_EXPECT_EQ(test, be32_to_cpu(key.spi), 0x80000001);
}

/* SPIs do not start again at a rotation */
static void psp_ref_test_spi_runs_on(struct kunit *test)
{
	struct psp_key_parsed key;
	u32 i;

	for (i = 1; i < 100; i++) {
		psp_ref_test_spi_alloc(test, &key);
		KUNIT_EXPECT_EQ(test, be32_to_cpu(key.spi) & 0x7fffffff, i);
		if (i % 10 == 0)
			psp_ref_test_rotate(test, 1);
	}
}

/* All 2^31 - 1 are given out once, then none until the next rotation */
static void psp_ref_test_spi_exhausted(struct kunit *test)
{
	struct psp_ref_devkeys *keys = test->priv;
	struct psp_key_parsed key, first;

	psp_ref_test_spi_alloc(test, &first);
	keys->next_spi = 0x7fffffff;
	keys->spis_used = 0x7ffffffe;
	psp_ref_test_spi_alloc(test, &key);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			psp_ref_devkeys_spi_alloc(keys, PSP_REF_TEST_VERSION,
						  &key));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			psp_ref_devkeys_spi_alloc(keys, PSP_REF_TEST_VERSION,
						  &key));

	psp_ref_test_rotate(test, 1);
	psp_ref_test_spi_alloc(test, &key);
	KUNIT_EXPECT_NE(test, key.spi, first.spi);
}

static void psp_ref_test_spi_bad_version(struct kunit *test)
{
	struct psp_key_parsed key;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			psp_ref_devkeys_spi_alloc(test->priv, 4, &key));
}

/* The key before the current one is still there, the one before it is not */
static void psp_ref_test_rotation_forgets(struct kunit *test)
{
	struct psp_key_parsed key;
	struct psp_ref_keyid id, again;
	u8 derived[PSP_MAX_KEY] = {};
	u32 spi;

	psp_ref_test_spi_alloc(test, &key);
	spi = be32_to_cpu(key.spi);
	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_identify(test, spi, &id));

	psp_ref_test_rotate(test, 1);
	psp_ref_test_expect_derived(test, &id, &key);
	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_identify(test, spi, &again));
	KUNIT_EXPECT_EQ(test, again.epoch, id.epoch);
	KUNIT_EXPECT_EQ(test, again.generation, id.generation);

	psp_ref_test_rotate(test, 2);
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			psp_ref_devkeys_derive(test->priv, &id, derived));

	/* The SPI now names the new key of the same phase */
	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_identify(test, spi, &again));
	KUNIT_EXPECT_EQ(test, again.epoch, id.epoch + 2);
	KUNIT_EXPECT_EQ(test, again.generation, 2);
	KUNIT_ASSERT_EQ(test, 0,
			psp_ref_devkeys_derive(test->priv, &again, derived));
	KUNIT_EXPECT_TRUE(test, memcmp(derived, key.key, sizeof(derived)));
}

/* Two devices do not have the same key */
static void psp_ref_test_devkeys_differ(struct kunit *test)
{
	struct psp_ref_keyid id;
	struct psp_ref_devkeys *other;
	u8 a[PSP_MAX_KEY], b[PSP_MAX_KEY];

	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_EQ(test, 0, psp_ref_devkeys_init(other));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test,
						  psp_ref_test_devkeys_destroy,
						  other));

	KUNIT_ASSERT_EQ(test, 0, psp_ref_test_identify(test, 1, &id));
	KUNIT_ASSERT_EQ(test, 0, psp_ref_devkeys_derive(test->priv, &id, a));
	KUNIT_ASSERT_EQ(test, 0, psp_ref_devkeys_derive(other, &id, b));
	KUNIT_EXPECT_TRUE(test, memcmp(a, b, sizeof(a)));
}

static struct kunit_case psp_ref_devkeys_test_cases[] = {
	KUNIT_CASE(psp_ref_test_phases),
	KUNIT_CASE(psp_ref_test_no_second_key),
	KUNIT_CASE(psp_ref_test_reserved_spis),
	KUNIT_CASE(psp_ref_test_spi_wrap),
	KUNIT_CASE(psp_ref_test_spi_runs_on),
	KUNIT_CASE(psp_ref_test_spi_exhausted),
	KUNIT_CASE(psp_ref_test_spi_bad_version),
	KUNIT_CASE(psp_ref_test_rotation_forgets),
	KUNIT_CASE(psp_ref_test_devkeys_differ),
	{}
};

static struct kunit_suite psp_ref_devkeys_suite = {
	.name = "psp_ref_devkeys",
	.init = psp_ref_test_devkeys_init,
	.test_cases = psp_ref_devkeys_test_cases,
};

kunit_test_suite(psp_ref_devkeys_suite);
