// SPDX-License-Identifier: GPL-2.0-only
/*
 * By which network devices marked packets may come in.
 */
#include <kunit/test.h>

#include "psp.h"

/**
 * struct psp_way_in_case - a PSP device and a packet
 * @desc: name of the test case
 * @live: the PSP device's ingress hook is at work
 * @own: the packet comes in by the PSP device's own network device
 * @want: its mark counts
 */
struct psp_way_in_case {
	const char *desc;
	bool live;
	bool own;
	bool want;
};

static const struct psp_way_in_case psp_way_in_cases[] = {
	{ "own device", .live = true, .own = true, .want = true },
	{ "own device without its hook", .own = true },
	{ "other device", .live = true },
	{ "other device, no hook" },
};

KUNIT_ARRAY_PARAM_DESC(psp_way_in, psp_way_in_cases, desc);

static void psp_test_way_in(struct kunit *test)
{
	const struct psp_way_in_case *c = test->param_value;
	struct net_device *netdev, *other;
	struct psp_dev *psd;

	psd = kunit_kzalloc(test, sizeof(*psd), GFP_KERNEL);
	netdev = kunit_kzalloc(test, sizeof(*netdev), GFP_KERNEL);
	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, psd);
	KUNIT_ASSERT_NOT_NULL(test, netdev);
	KUNIT_ASSERT_NOT_NULL(test, other);
	psd->main_netdev = netdev;
	psd->ingress.live = c->live;

	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, c->want,
			psp_dev_has_netdev_rcu(psd, c->own ? netdev : other));
	/* A network device that is not known is none of ours */
	KUNIT_EXPECT_FALSE(test, psp_dev_has_netdev_rcu(psd, NULL));
	rcu_read_unlock();
}

static struct kunit_case psp_assoc_dev_cases[] = {
	KUNIT_CASE_PARAM(psp_test_way_in, psp_way_in_gen_params),
	{}
};

static struct kunit_suite psp_assoc_dev_suite = {
	.name = "psp_assoc_dev",
	.test_cases = psp_assoc_dev_cases,
};

kunit_test_suite(psp_assoc_dev_suite);
