// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of drop reasons.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "psp.h"

/* One reason, one name, all of it in the trace */
static void psp_test_drop_names(struct kunit *test)
{
	enum psp_drop a, b;

	for (a = PSP_DROP_NOT; a < PSP_DROP_MAX; a++)
		KUNIT_ASSERT_NOT_NULL_MSG(test, psp_drop_name(a),
					  "reason %d has no name", a);

	for (a = PSP_DROP_NOT; a < PSP_DROP_MAX; a++) {
		KUNIT_EXPECT_GT(test, strlen(psp_drop_name(a)), 0);
		KUNIT_EXPECT_LT_MSG(test, strlen(psp_drop_name(a)),
				    PSP_DROP_NAME_SIZE, "%s",
				    psp_drop_name(a));
		/* A line of debugfs is a name and a number */
		KUNIT_EXPECT_NULL(test, strpbrk(psp_drop_name(a), " \t\n"));

		for (b = a + 1; b < PSP_DROP_MAX; b++)
			KUNIT_EXPECT_STRNEQ(test, psp_drop_name(a),
					    psp_drop_name(b));
	}
}

static struct kunit_case psp_drop_cases[] = {
	KUNIT_CASE(psp_test_drop_names),
	{}
};

static struct kunit_suite psp_drop_suite = {
	.name = "psp_drop",
	.test_cases = psp_drop_cases,
};

kunit_test_suite(psp_drop_suite);
