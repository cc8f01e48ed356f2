// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the device side of the reference NIC, one file for each part
 * of it. Known answers that the module checks whenever it is loaded are in
 * psp_ref_hw_selftest.c.
 */

#include <kunit/test.h>
#include <linux/module.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

KUNIT_DEFINE_ACTION_WRAPPER(psp_ref_test_key_put, psp_ref_key_put,
			    struct psp_ref_key *);

/**
 * psp_ref_test_key() - make a key object
 * @test: test that holds a reference until it ends
 * @version: PSP version
 * @bytes: the key
 *
 * Return: key object.
 */
struct psp_ref_key *psp_ref_test_key(struct kunit *test, u8 version,
				     const u8 *bytes)
{
	struct psp_ref_key *key;
	int err;

	key = psp_ref_key_alloc(version, bytes);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	err = kunit_add_action_or_reset(test, psp_ref_test_key_put, key);
	KUNIT_ASSERT_EQ(test, err, 0);

	return key;
}

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the PSP reference NIC");
MODULE_LICENSE("GPL");
