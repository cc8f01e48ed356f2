// SPDX-License-Identifier: GPL-2.0-only
/*
 * Derived keys of packets received lately: found under their very names, gone
 * with their device key, and the one not used for longest makes room.
 */

#include <kunit/test.h>
#include <linux/slab.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

KUNIT_DEFINE_ACTION_WRAPPER(psp_ref_test_cache_destroy, psp_ref_cache_destroy,
			    struct psp_ref_cache *);

static int psp_ref_test_cache_init(struct kunit *test)
{
	struct psp_ref_cache *cache = psp_ref_cache_create();

	if (!cache)
		return -ENOMEM;
	test->priv = cache;

	return kunit_add_action_or_reset(test, psp_ref_test_cache_destroy,
					 cache);
}

static struct psp_ref_key *psp_ref_test_cache_key(struct kunit *test)
{
	static const u8 bytes[16] = { 1 };

	return psp_ref_test_key(test, PSP_VERSION_HDR0_AES_GCM_128, bytes);
}

/* The cache gets a reference of its own */
static void psp_ref_test_cache_add(struct kunit *test,
				   const struct psp_ref_keyid *id,
				   struct psp_ref_key *key)
{
	refcount_inc(&key->ref);
	psp_ref_cache_add(test->priv, id, key);
}

static bool psp_ref_test_cached(struct kunit *test,
				const struct psp_ref_keyid *id)
{
	struct psp_ref_key *key = psp_ref_cache_get(test->priv, id);

	psp_ref_key_put(key);
	return key;
}

static void psp_ref_test_cache_life(struct kunit *test)
{
	struct psp_ref_keyid id = { .epoch = 3, .spi = cpu_to_be32(7) };
	struct psp_ref_key *key = psp_ref_test_cache_key(test), *got;

	KUNIT_EXPECT_NULL(test, psp_ref_cache_get(test->priv, &id));

	psp_ref_test_cache_add(test, &id, key);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 2);
	got = psp_ref_cache_get(test->priv, &id);
	KUNIT_EXPECT_PTR_EQ(test, got, key);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 3);
	psp_ref_key_put(got);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 2);
}

/* Epoch, SPI and version are the name; the generation is what is told of it */
static void psp_ref_test_cache_name(struct kunit *test)
{
	const struct psp_ref_keyid id = {
		.epoch = 3, .spi = cpu_to_be32(7), .version = 1,
		.generation = 9,
	};
	struct psp_ref_key *key = psp_ref_test_cache_key(test);
	struct psp_ref_keyid other;
	unsigned int bit;

	psp_ref_test_cache_add(test, &id, key);
	for (bit = 0; bit < 32; bit++) {
		other = id;
		other.spi ^= cpu_to_be32(BIT(bit));
		KUNIT_EXPECT_FALSE(test, psp_ref_test_cached(test, &other));
	}
	for (bit = 0; bit < 64; bit++) {
		other = id;
		other.epoch ^= BIT_ULL(bit);
		KUNIT_EXPECT_FALSE(test, psp_ref_test_cached(test, &other));
	}
	for (bit = 0; bit < 4; bit++) {
		other = id;
		other.version ^= BIT(bit);
		KUNIT_EXPECT_FALSE(test, psp_ref_test_cached(test, &other));
	}

	other = id;
	other.generation++;
	KUNIT_EXPECT_TRUE(test, psp_ref_test_cached(test, &other));
}

/* Two queues may derive the same key at the same time: one copy is enough */
static void psp_ref_test_cache_twice(struct kunit *test)
{
	struct psp_ref_keyid id = { .spi = cpu_to_be32(7) };
	struct psp_ref_key *first = psp_ref_test_cache_key(test);
	struct psp_ref_key *second = psp_ref_test_cache_key(test), *got;

	psp_ref_test_cache_add(test, &id, first);
	psp_ref_test_cache_add(test, &id, second);
	KUNIT_EXPECT_EQ(test, refcount_read(&first->ref), 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&second->ref), 1);
	got = psp_ref_cache_get(test->priv, &id);
	KUNIT_EXPECT_PTR_EQ(test, got, first);
	psp_ref_key_put(got);
}

static void psp_ref_test_cache_expiry(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_cache_key(test);
	struct psp_ref_keyid id[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(id); i++) {
		id[i] = (struct psp_ref_keyid){
			.epoch = i, .spi = cpu_to_be32(100 + i),
		};
		psp_ref_test_cache_add(test, &id[i], key);
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 5);

	psp_ref_cache_expire(test->priv, 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 3);
	for (i = 0; i < ARRAY_SIZE(id); i++)
		KUNIT_EXPECT_EQ(test, i >= 2,
				psp_ref_test_cached(test, &id[i]));

	/* An engine that was slow comes too late */
	psp_ref_test_cache_add(test, &id[1], key);
	KUNIT_EXPECT_FALSE(test, psp_ref_test_cached(test, &id[1]));
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 3);

	psp_ref_cache_expire(test->priv, 4);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 1);
}

/* A key that an engine works with stays until it is done */
static void psp_ref_test_cache_expiry_in_use(struct kunit *test)
{
	struct psp_ref_keyid id = { .spi = cpu_to_be32(7) };
	struct psp_ref_key *key = psp_ref_test_cache_key(test), *got;

	psp_ref_test_cache_add(test, &id, key);
	got = psp_ref_cache_get(test->priv, &id);
	psp_ref_cache_expire(test->priv, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 2);
	psp_ref_key_put(got);
	KUNIT_EXPECT_FALSE(test, psp_ref_test_cached(test, &id));
}

/* Keys that share the set of SPI 1: found by looking where they get to */
static void psp_ref_test_cache_same_set(struct kunit *test,
					struct psp_ref_key *key,
					struct psp_ref_keyid *id,
					unsigned int n)
{
	struct psp_ref_cache *cache = test->priv;
	unsigned int set = 0, i, found = 0;
	u32 spi;

	for (spi = 1; found < n; spi++) {
		id[found] = (struct psp_ref_keyid){ .spi = cpu_to_be32(spi) };
		psp_ref_test_cache_add(test, &id[found], key);
		for (i = 0; i < ARRAY_SIZE(cache->entry); i++)
			if (cache->entry[i].key)
				break;
		KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(cache->entry));
		if (spi == 1)
			set = i / PSP_REF_CACHE_WAYS;
		if (i / PSP_REF_CACHE_WAYS == set)
			found++;

		/* Empty it for the next try */
		psp_ref_cache_expire(cache, 1);
		psp_ref_cache_expire(cache, 0);
	}
}

/* Fill a set, use all but one of its keys, add one more */
static void psp_ref_test_cache_victim_is(struct kunit *test,
					 unsigned int victim)
{
	struct psp_ref_keyid id[PSP_REF_CACHE_WAYS + 1];
	struct psp_ref_key *key = psp_ref_test_cache_key(test);
	struct psp_ref_cache *cache = test->priv;
	unsigned int i;

	psp_ref_test_cache_same_set(test, key, id, ARRAY_SIZE(id));
	/* The clock of uses wraps in between */
	cache->clock = U32_MAX - 2;

	for (i = 0; i < PSP_REF_CACHE_WAYS; i++)
		psp_ref_test_cache_add(test, &id[i], key);
	for (i = 0; i < PSP_REF_CACHE_WAYS; i++)
		if (i != victim)
			KUNIT_EXPECT_TRUE(test,
					  psp_ref_test_cached(test, &id[i]));
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref),
			1 + PSP_REF_CACHE_WAYS);

	psp_ref_test_cache_add(test, &id[PSP_REF_CACHE_WAYS], key);
	for (i = 0; i <= PSP_REF_CACHE_WAYS; i++)
		KUNIT_EXPECT_EQ(test, i != victim,
				psp_ref_test_cached(test, &id[i]));
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref),
			1 + PSP_REF_CACHE_WAYS);
	psp_ref_cache_expire(cache, 1);
	psp_ref_cache_expire(cache, 0);
}

static void psp_ref_test_cache_victim(struct kunit *test)
{
	unsigned int victim;

	for (victim = 0; victim < PSP_REF_CACHE_WAYS; victim++)
		psp_ref_test_cache_victim_is(test, victim);
}

/* Two caches do not agree on which SPIs share a set */
static void psp_ref_test_cache_seed(struct kunit *test)
{
	struct psp_ref_cache *cache = test->priv, *other;
	u32 seed, same = 0, i;

	seed = cache->seed;
	for (i = 0; i < 8; i++) {
		other = psp_ref_cache_create();
		KUNIT_ASSERT_NOT_NULL(test, other);
		same += other->seed == seed;
		psp_ref_cache_destroy(other);
	}
	KUNIT_EXPECT_LT(test, same, 8);
}

static struct kunit_case psp_ref_cache_test_cases[] = {
	KUNIT_CASE(psp_ref_test_cache_life),
	KUNIT_CASE(psp_ref_test_cache_name),
	KUNIT_CASE(psp_ref_test_cache_twice),
	KUNIT_CASE(psp_ref_test_cache_expiry),
	KUNIT_CASE(psp_ref_test_cache_expiry_in_use),
	KUNIT_CASE(psp_ref_test_cache_victim),
	KUNIT_CASE(psp_ref_test_cache_seed),
	{}
};

static struct kunit_suite psp_ref_cache_suite = {
	.name = "psp_ref_cache",
	.init = psp_ref_test_cache_init,
	.test_cases = psp_ref_cache_test_cases,
};

kunit_test_suite(psp_ref_cache_suite);
