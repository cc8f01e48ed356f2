// SPDX-License-Identifier: GPL-2.0-only
/*
 * Initialisation vectors: none comes twice, whatever queues and clock do.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/sort.h>
#include <linux/timekeeping.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

#define PSP_REF_TEST_BLOCK	BIT(20)
#define PSP_REF_TEST_QUEUES	3
#define PSP_REF_TEST_TAKES	3000

/* What psp_ref_test_clock() tells */
static u64 psp_ref_test_time;

static u64 psp_ref_test_clock(void)
{
	return psp_ref_test_time;
}

static int psp_ref_test_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Three queues in turn, each of them reset now and then */
static void psp_ref_test_iv_unique(struct kunit *test)
{
	struct psp_ref_iv queue[PSP_REF_TEST_QUEUES] = {};
	struct psp_ref_iv *iv;
	unsigned int i;
	u64 *taken;

	taken = kunit_kcalloc(test, PSP_REF_TEST_TAKES, sizeof(*taken),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, taken);

	for (i = 0; i < PSP_REF_TEST_TAKES; i++) {
		iv = &queue[i % PSP_REF_TEST_QUEUES];
		if (i % 50 == 0)
			psp_ref_iv_reset(iv);
		taken[i] = psp_ref_iv_next(iv);
	}

	sort(taken, PSP_REF_TEST_TAKES, sizeof(*taken), psp_ref_test_compare,
	     NULL);
	for (i = 1; i < PSP_REF_TEST_TAKES; i++)
		KUNIT_EXPECT_NE(test, taken[i - 1], taken[i]);
}

/* A block from its first to its last IV, and over its end */
static void psp_ref_test_iv_block(struct kunit *test)
{
	struct psp_ref_iv iv = {}, other = {};
	u64 first, next;
	unsigned int i;

	first = psp_ref_iv_next(&iv);
	KUNIT_EXPECT_EQ(test, first % PSP_REF_TEST_BLOCK, 0);
	for (i = 1; i < PSP_REF_TEST_BLOCK; i++)
		KUNIT_ASSERT_EQ(test, psp_ref_iv_next(&iv), first + i);

	/* Somebody else may be first */
	next = psp_ref_iv_next(&other);
	KUNIT_EXPECT_GE(test, next, first + PSP_REF_TEST_BLOCK);
	first = psp_ref_iv_next(&iv);
	KUNIT_EXPECT_GE(test, first, next + PSP_REF_TEST_BLOCK);
	KUNIT_EXPECT_EQ(test, first % PSP_REF_TEST_BLOCK, 0);
	KUNIT_EXPECT_EQ(test, psp_ref_iv_next(&iv), first + 1);
}

/* What is left of a block is lost: its IVs may have been used up to anywhere */
static void psp_ref_test_iv_reset(struct kunit *test)
{
	struct psp_ref_iv iv = {};
	u64 before, after;

	before = psp_ref_iv_next(&iv);
	psp_ref_iv_reset(&iv);
	after = psp_ref_iv_next(&iv);
	KUNIT_EXPECT_GE(test, after, before + PSP_REF_TEST_BLOCK);
}

/* The numbers are those of the clock and do not run ahead of it, so that a
 * module loaded next does not repeat them.
 */
static void psp_ref_test_iv_clock(struct kunit *test)
{
	struct psp_ref_iv iv = {};
	u64 before, block;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		before = ktime_get_real_ns() >> 18;
		psp_ref_iv_reset(&iv);
		block = psp_ref_iv_next(&iv) / PSP_REF_TEST_BLOCK;
		KUNIT_EXPECT_GE(test, block, before);
		KUNIT_EXPECT_LE(test, block, ktime_get_real_ns() >> 18);
	}
}

static void psp_ref_test_iv_clock_set(struct kunit *test, s64 by, int ticks)
{
	struct psp_ref_iv iv = {};
	u64 last, next;
	unsigned int i;

	last = psp_ref_iv_next(&iv);
	psp_ref_test_time = psp_ref_iv_clock() + by;
	kunit_activate_static_stub(test, psp_ref_iv_clock, psp_ref_test_clock);

	for (i = 0; i < 100; i++) {
		psp_ref_iv_reset(&iv);
		next = psp_ref_iv_next(&iv);
		KUNIT_EXPECT_GE(test, next, last + PSP_REF_TEST_BLOCK);
		last = next;
		psp_ref_test_time += ticks;
	}
	kunit_deactivate_static_stub(test, psp_ref_iv_clock);
}

static void psp_ref_test_iv_clock_stands(struct kunit *test)
{
	psp_ref_test_iv_clock_set(test, 0, 0);
}

static void psp_ref_test_iv_clock_set_back(struct kunit *test)
{
	/* About an hour */
	psp_ref_test_iv_clock_set(test, -13733000, 1);
}

static void psp_ref_test_iv_clock_runs_back(struct kunit *test)
{
	psp_ref_test_iv_clock_set(test, 0, -1000);
}

/* A clock that is at the start of time, as on machines without a battery */
static void psp_ref_test_iv_clock_zero(struct kunit *test)
{
	psp_ref_test_iv_clock_set(test, -(s64)psp_ref_iv_clock(), 0);
}

static struct kunit_case psp_ref_iv_test_cases[] = {
	KUNIT_CASE(psp_ref_test_iv_unique),
	KUNIT_CASE_SLOW(psp_ref_test_iv_block),
	KUNIT_CASE(psp_ref_test_iv_reset),
	KUNIT_CASE(psp_ref_test_iv_clock),
	KUNIT_CASE(psp_ref_test_iv_clock_stands),
	KUNIT_CASE(psp_ref_test_iv_clock_set_back),
	KUNIT_CASE(psp_ref_test_iv_clock_runs_back),
	KUNIT_CASE(psp_ref_test_iv_clock_zero),
	{}
};

static struct kunit_suite psp_ref_iv_suite = {
	.name = "psp_ref_iv",
	.test_cases = psp_ref_iv_test_cases,
};

kunit_test_suite(psp_ref_iv_suite);
