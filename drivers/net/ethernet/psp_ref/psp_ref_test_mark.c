// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks of retired keys, on rings whose indices overflow.
 */

#include <kunit/test.h>

#include "psp_ref.h"

/**
 * struct psp_ref_test_mark - a ring and a mark
 * @desc: name of the case
 * @cons: consumer
 * @pos: mark
 * @reached: what is to be found
 */
struct psp_ref_test_mark {
	const char	*desc;
	u32		cons;
	u32		pos;
	bool		reached;
};

static const struct psp_ref_test_mark psp_ref_test_marks[] = {
	{ "nothing was ever posted", 0, 0, true },
	{ "one descriptor in flight", 7, 8, false },
	{ "just completed", 8, 8, true },
	{ "long passed", 9000, 8, true },
	{ "whole ring in flight", 100, 100 + 4096, false },
	{ "mark behind the overflow", 0xfffffffe, 2, false },
	{ "consumer at the overflow", 0xffffffff, 0, false },
	{ "consumer just over it", 0, 0, true },
	{ "mark before, consumer behind the overflow", 5, 0xfffffff0, true },
	{ "mark before the overflow, not reached", 0xffffffe0, 0xfffffff0,
	  false },
	{ "first mark of a new ring", PSP_REF_RING_START,
	  PSP_REF_RING_START + 1, false },
	{ "passed by almost half of all indices", 0x7fffffff, 0, true },
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_test_mark, psp_ref_test_marks, desc);

static void psp_ref_test_mark_reached(struct kunit *test)
{
	const struct psp_ref_test_mark *mark = test->param_value;

	KUNIT_EXPECT_EQ(test, psp_ref_mark_is_reached(mark->cons, mark->pos),
			mark->reached);
}

/* A ring goes round the overflow descriptor by descriptor */
static void psp_ref_test_mark_once(struct kunit *test)
{
	const u32 pos = 10;
	unsigned int reached = 0;
	u32 cons;

	for (cons = (u32)-20; cons != pos + 20; cons++)
		reached += psp_ref_mark_is_reached(cons, pos);

	KUNIT_EXPECT_EQ(test, reached, 20);
}

static struct kunit_case psp_ref_test_mark_cases[] = {
	KUNIT_CASE_PARAM(psp_ref_test_mark_reached,
			 psp_ref_test_mark_gen_params),
	KUNIT_CASE(psp_ref_test_mark_once),
	{}
};

static struct kunit_suite psp_ref_test_mark_suite = {
	.name = "psp_ref_mark",
	.test_cases = psp_ref_test_mark_cases,
};

kunit_test_suite(psp_ref_test_mark_suite);
