// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key table: a handle is good from add to del, and never again.
 */

#include <kunit/test.h>
#include <linux/slab.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

#define PSP_REF_TEST_SLOT(handle)	((handle) & \
					 ((1U << PSP_REF_SLOT_BITS) - 1))
#define PSP_REF_TEST_GEN(handle)	((handle) >> PSP_REF_SLOT_BITS)
#define PSP_REF_TEST_GEN_MAX		(U32_MAX >> PSP_REF_SLOT_BITS)

KUNIT_DEFINE_ACTION_WRAPPER(psp_ref_test_table_destroy, psp_ref_table_destroy,
			    struct psp_ref_table *);

static int psp_ref_test_table_init(struct kunit *test)
{
	struct psp_ref_table *table;
	int err;

	table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	test->priv = table;

	err = psp_ref_table_init(table);
	if (err)
		return err;

	return kunit_add_action_or_reset(test, psp_ref_test_table_destroy,
					 table);
}

static struct psp_ref_key *psp_ref_test_any_key(struct kunit *test)
{
	static const u8 bytes[16] = { 1 };

	return psp_ref_test_key(test, PSP_VERSION_HDR0_AES_GCM_128, bytes);
}

/* The table gets a reference of its own */
static u32 psp_ref_test_add(struct kunit *test, struct psp_ref_key *key)
{
	u32 handle = PSP_REF_NO_KEY;

	refcount_inc(&key->ref);
	KUNIT_ASSERT_EQ(test, 0, psp_ref_table_add(test->priv, key, &handle));

	return handle;
}

static void psp_ref_test_expect_key(struct kunit *test, u32 handle,
				    const struct psp_ref_key *want)
{
	struct psp_ref_key *key = psp_ref_table_get(test->priv, handle);

	KUNIT_EXPECT_PTR_EQ(test, key, want);
	psp_ref_key_put(key);
}

static void psp_ref_test_table_life(struct kunit *test)
{
	struct psp_ref_key *a = psp_ref_test_any_key(test);
	struct psp_ref_key *b = psp_ref_test_any_key(test);
	struct psp_ref_table *table = test->priv;
	u32 ha, hb;

	ha = psp_ref_test_add(test, a);
	hb = psp_ref_test_add(test, b);
	KUNIT_EXPECT_NE(test, ha, hb);
	KUNIT_EXPECT_EQ(test, table->used, 2);
	psp_ref_test_expect_key(test, ha, a);
	psp_ref_test_expect_key(test, hb, b);
	KUNIT_EXPECT_EQ(test, refcount_read(&a->ref), 2);

	KUNIT_EXPECT_EQ(test, 0, psp_ref_table_del(table, ha));
	KUNIT_EXPECT_EQ(test, table->used, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&a->ref), 1);
	psp_ref_test_expect_key(test, ha, NULL);
	psp_ref_test_expect_key(test, hb, b);

	KUNIT_EXPECT_EQ(test, -ENOENT, psp_ref_table_del(table, ha));
	KUNIT_EXPECT_EQ(test, table->used, 1);
}

/* An engine that has fetched a key goes on with it */
static void psp_ref_test_table_del_in_use(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test), *fetched;
	u32 handle = psp_ref_test_add(test, key);

	fetched = psp_ref_table_get(test->priv, handle);
	KUNIT_ASSERT_PTR_EQ(test, fetched, key);
	KUNIT_EXPECT_EQ(test, 0, psp_ref_table_del(test->priv, handle));
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 2);
	psp_ref_key_put(fetched);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 1);
}

/* Every bit of a handle counts, and "no key" is no handle */
static void psp_ref_test_table_bad_handles(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	struct psp_ref_table *table = test->priv;
	u32 handle = psp_ref_test_add(test, key);
	unsigned int bit;

	KUNIT_EXPECT_NE(test, handle, PSP_REF_NO_KEY);
	for (bit = 0; bit < 32; bit++) {
		psp_ref_test_expect_key(test, handle ^ BIT(bit), NULL);
		KUNIT_EXPECT_EQ(test, -ENOENT,
				psp_ref_table_del(table, handle ^ BIT(bit)));
	}
	psp_ref_test_expect_key(test, PSP_REF_NO_KEY, NULL);
	psp_ref_test_expect_key(test, U32_MAX, NULL);
	/* One slot more than there are */
	psp_ref_test_expect_key(test, (handle - PSP_REF_TEST_SLOT(handle)) |
				table->size, NULL);
	psp_ref_test_expect_key(test, handle, key);
}

static void psp_ref_test_table_full(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	struct psp_ref_table *table = test->priv;
	u32 i, handle, first, unset = 0x12345;

	first = psp_ref_test_add(test, key);
	for (i = 1; i < table->size; i++)
		psp_ref_test_add(test, key);
	KUNIT_EXPECT_EQ(test, table->used, table->size);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), table->size + 1);

	/* Nothing is taken, nothing is given */
	handle = unset;
	KUNIT_EXPECT_EQ(test, -ENOSPC, psp_ref_table_add(table, key, &handle));
	KUNIT_EXPECT_EQ(test, handle, unset);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), table->size + 1);

	KUNIT_EXPECT_EQ(test, 0, psp_ref_table_del(table, first));
	handle = psp_ref_test_add(test, key);
	KUNIT_EXPECT_EQ(test, PSP_REF_TEST_SLOT(handle),
			PSP_REF_TEST_SLOT(first));
	KUNIT_EXPECT_NE(test, handle, first);
}

/* A test may have the table take fewer keys than it has slots for */
static void psp_ref_test_table_limit(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	struct psp_ref_table *table = test->priv;
	u32 handle[3];

	table->limit = 2;
	handle[0] = psp_ref_test_add(test, key);
	handle[1] = psp_ref_test_add(test, key);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			psp_ref_table_add(table, key, &handle[2]));

	/* Those that are there stay */
	table->limit = 1;
	psp_ref_test_expect_key(test, handle[1], key);
	KUNIT_EXPECT_EQ(test, 0, psp_ref_table_del(table, handle[0]));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			psp_ref_table_add(table, key, &handle[2]));

	table->limit = 2;
	psp_ref_test_add(test, key);
}

static void psp_ref_test_table_clear(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	struct psp_ref_table *table = test->priv;
	u32 handle[8], i;

	for (i = 0; i < ARRAY_SIZE(handle); i++)
		handle[i] = psp_ref_test_add(test, key);

	psp_ref_table_clear(table);
	KUNIT_EXPECT_EQ(test, table->used, 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&key->ref), 1);
	for (i = 0; i < ARRAY_SIZE(handle); i++)
		psp_ref_test_expect_key(test, handle[i], NULL);

	/* All slots can be used again, none under its old handle */
	for (i = 0; i < table->size; i++)
		psp_ref_test_add(test, key);
	for (i = 0; i < ARRAY_SIZE(handle); i++)
		psp_ref_test_expect_key(test, handle[i], NULL);
}

static void psp_ref_test_table_slots(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	u32 handle = psp_ref_test_add(test, key);
	u32 slot = PSP_REF_TEST_SLOT(handle);

	KUNIT_EXPECT_EQ(test, handle, psp_ref_table_handle(test->priv, slot));
	KUNIT_EXPECT_EQ(test, 0, psp_ref_table_del(test->priv, handle));
	KUNIT_EXPECT_EQ(test, PSP_REF_NO_KEY,
			psp_ref_table_handle(test->priv, slot));
}

/* With the knob it is the slot freed last: stale handles meet a used slot */
static void psp_ref_test_table_lifo(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	struct psp_ref_table *table = test->priv;
	u32 old, new, i;

	table->lifo = true;
	old = psp_ref_test_add(test, key);
	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test, 0, psp_ref_table_del(table, old));
		new = psp_ref_test_add(test, key);
		KUNIT_EXPECT_EQ(test, PSP_REF_TEST_SLOT(new),
				PSP_REF_TEST_SLOT(old));
		psp_ref_test_expect_key(test, old, NULL);
		psp_ref_test_expect_key(test, new, key);
		old = new;
	}
}

/* The slot that has been free for longest comes next, so that a handle kept
 * for too long meets an empty slot for as long as can be.
 */
static void psp_ref_test_table_order(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	static const unsigned int freed[] = { 5, 2, 7, 0 };
	struct psp_ref_table *table = test->priv;
	u32 handle[8], i, again;

	for (i = 0; i < ARRAY_SIZE(handle); i++)
		handle[i] = psp_ref_test_add(test, key);
	for (i = 0; i < ARRAY_SIZE(freed); i++)
		KUNIT_ASSERT_EQ(test, 0,
				psp_ref_table_del(table, handle[freed[i]]));

	/* All that were never used come first */
	for (i = ARRAY_SIZE(handle); i < table->size; i++) {
		again = psp_ref_test_add(test, key);
		KUNIT_EXPECT_EQ(test, PSP_REF_TEST_GEN(again), 1);
	}
	for (i = 0; i < ARRAY_SIZE(freed); i++) {
		again = psp_ref_test_add(test, key);
		KUNIT_EXPECT_EQ(test, PSP_REF_TEST_SLOT(again),
				PSP_REF_TEST_SLOT(handle[freed[i]]));
		KUNIT_EXPECT_EQ(test, PSP_REF_TEST_GEN(again), 2);
		psp_ref_test_expect_key(test, handle[freed[i]], NULL);
	}
}

/* Leave one free slot, and use it as often as there are generations: no old
 * handle is ever good, and none is "no key"
 */
static void psp_ref_test_table_reuse(struct kunit *test)
{
	struct psp_ref_key *key = psp_ref_test_any_key(test);
	struct psp_ref_table *table = test->priv;
	u32 i, first, last, handle;

	first = psp_ref_test_add(test, key);
	for (i = 1; i < table->size; i++)
		psp_ref_test_add(test, key);

	last = first;
	for (i = 1; i < PSP_REF_TEST_GEN_MAX; i++) {
		KUNIT_ASSERT_EQ(test, 0, psp_ref_table_del(table, last));
		handle = psp_ref_test_add(test, key);
		KUNIT_ASSERT_NE(test, handle, PSP_REF_NO_KEY);
		KUNIT_ASSERT_NE(test, handle, first);
		KUNIT_ASSERT_NE(test, handle, last);
		KUNIT_ASSERT_NULL(test, psp_ref_table_get(table, last));
		KUNIT_ASSERT_NULL(test, psp_ref_table_get(table, first));
		last = handle;
	}

	/* Only now does the count of the slot start again, from 1 */
	KUNIT_EXPECT_EQ(test, PSP_REF_TEST_GEN(last), PSP_REF_TEST_GEN_MAX);
	KUNIT_ASSERT_EQ(test, 0, psp_ref_table_del(table, last));
	KUNIT_EXPECT_EQ(test, psp_ref_test_add(test, key), first);
	KUNIT_EXPECT_EQ(test, PSP_REF_TEST_GEN(first), 1);
}

static struct kunit_case psp_ref_table_test_cases[] = {
	KUNIT_CASE(psp_ref_test_table_life),
	KUNIT_CASE(psp_ref_test_table_del_in_use),
	KUNIT_CASE(psp_ref_test_table_bad_handles),
	KUNIT_CASE(psp_ref_test_table_full),
	KUNIT_CASE(psp_ref_test_table_limit),
	KUNIT_CASE(psp_ref_test_table_clear),
	KUNIT_CASE(psp_ref_test_table_slots),
	KUNIT_CASE(psp_ref_test_table_order),
	KUNIT_CASE(psp_ref_test_table_lifo),
	KUNIT_CASE(psp_ref_test_table_reuse),
	{}
};

static struct kunit_suite psp_ref_table_suite = {
	.name = "psp_ref_table",
	.init = psp_ref_test_table_init,
	.test_cases = psp_ref_table_test_cases,
};

kunit_test_suite(psp_ref_table_suite);
