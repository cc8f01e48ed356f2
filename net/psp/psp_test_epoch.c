// SPDX-License-Identifier: GPL-2.0-only
/*
 * How old a device key may be, and which sockets a rotation makes stale.
 */
#include <kunit/test.h>

#include "psp.h"

struct psp_epoch_live_case {
	const char *desc;
	u64 now;
	u64 epoch;
	bool live;
};

static const struct psp_epoch_live_case psp_epoch_live_cases[] = {
	{ "first key of a device", 0, 0, true },
	{ "current key", 7, 7, true },
	{ "previous key", 7, 6, true },
	{ "key before the previous one", 7, 5, false },
	{ "previous key after the first rotation", 1, 0, true },
	{ "first key after two rotations", 2, 0, false },
	{ "current key, many rotations", 1ULL << 40, 1ULL << 40, true },
	{ "128 rotations behind", 128, 0, false },
	{ "2^32 rotations behind", 1ULL << 32, 0, false },
	{ "2^32 + 1 rotations behind", (1ULL << 32) + 1, 0, false },
	{ "last epoch there is", U64_MAX, U64_MAX - 1, true },
	{ "as old as can be", U64_MAX, 0, false },
};

KUNIT_ARRAY_PARAM_DESC(psp_epoch_live, psp_epoch_live_cases, desc);

static void psp_test_epoch_live(struct kunit *test)
{
	const struct psp_epoch_live_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, c->live, psp_epoch_is_live(c->now, c->epoch));
}

/**
 * struct psp_epoch_count_case - what sockets and rotations add up to
 * @desc: name of the test case
 * @ops: "+N" a socket's current rx association is of epoch N, "-N" it is not
 *	any more, "R" the device key is rotated
 * @stales: sockets that have become stale
 * @current_socks: count of the current epoch afterwards
 */
struct psp_epoch_count_case {
	const char *desc;
	const char *ops;
	unsigned long stales;
	unsigned int current_socks;
};

static const struct psp_epoch_count_case psp_epoch_count_cases[] = {
	{ "no sockets", "R R R R", 0, 0 },
	{ "sockets, no rotation", "+0 +0 +0", 0, 3 },
	{ "one rotation makes nobody stale", "+0 +0 R", 0, 0 },
	{ "two rotations do", "+0 +0 R R", 2, 0 },
	{ "a socket is stale once", "+0 R R R R R", 1, 0 },
	{ "closed before", "+0 +0 -0 R R", 1, 0 },
	{ "closed after the first rotation", "+0 +0 R -0 R", 1, 0 },
	{ "closed when stale", "+0 R R -0 R R", 1, 0 },
	{ "rekeyed in time", "+0 R +1 -0 R", 0, 0 },
	{ "rekeyed in time, then not", "+0 R +1 -0 R R", 1, 0 },
	{ "rekeyed when stale", "+0 R R +2 -0", 1, 1 },
	{ "rekeyed when stale, stale again", "+0 R R +2 -0 R R", 2, 0 },
	{ "stale one leaves, its slot is used", "+0 R R +2 +2 -0", 1, 2 },
	{ "of two epochs", "+0 +0 R +1 R", 2, 0 },
	{ "of two epochs, both stale", "+0 +0 R +1 R R", 3, 0 },
	{ "counted too late", "R R +0 R R", 0, 0 },
	{ "previous key at the time", "R +0 R", 1, 0 },
};

KUNIT_ARRAY_PARAM_DESC(psp_epoch_count, psp_epoch_count_cases, desc);

static void psp_epoch_run(struct psp_dev *psd, const char *ops)
{
	for (; *ops; ops++) {
		switch (*ops) {
		case '+':
			psp_epoch_sock_add(psd, *++ops - '0');
			break;
		case '-':
			psp_epoch_sock_del(psd, *++ops - '0');
			break;
		case 'R':
			psp_epoch_advance(psd);
			break;
		}
	}
}

static unsigned long psp_epoch_rotations(const char *ops)
{
	unsigned long n = 0;

	for (; *ops; ops++)
		n += *ops == 'R';

	return n;
}

static void psp_test_epoch_count(struct kunit *test)
{
	const struct psp_epoch_count_case *c = test->param_value;
	unsigned long rotations = psp_epoch_rotations(c->ops);
	struct psp_dev *psd;

	psd = kunit_kzalloc(test, sizeof(*psd), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, psd);
	mutex_init(&psd->lock);
	spin_lock_init(&psd->epoch_lock);

	mutex_lock(&psd->lock);
	psp_epoch_run(psd, c->ops);
	mutex_unlock(&psd->lock);

	KUNIT_EXPECT_EQ(test, psd->epoch, rotations);
	KUNIT_EXPECT_EQ(test, psd->stats.rotations, rotations);
	KUNIT_EXPECT_EQ(test, psd->stats.stales, c->stales);
	KUNIT_EXPECT_EQ(test, c->current_socks,
			psd->epoch_socks[psd->epoch % PSP_LIVE_EPOCHS]);
}

static struct kunit_case psp_epoch_cases[] = {
	KUNIT_CASE_PARAM(psp_test_epoch_live, psp_epoch_live_gen_params),
	KUNIT_CASE_PARAM(psp_test_epoch_count, psp_epoch_count_gen_params),
	{}
};

static struct kunit_suite psp_epoch_suite = {
	.name = "psp_epoch",
	.test_cases = psp_epoch_cases,
};

kunit_test_suite(psp_epoch_suite);
