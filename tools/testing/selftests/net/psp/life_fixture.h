/* SPDX-License-Identifier: GPL-2.0 */
/* A connection for each IP family, and its wire */
#ifndef LIFE_FIXTURE_H
#define LIFE_FIXTURE_H

#include "kselftest_harness.h"
#include "life.h"

/* An emulated CPU on a busy host is slow */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	90

FIXTURE(life)
{
	struct policy p;
	struct wire wire;
};

FIXTURE_VARIANT(life)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(life, ipv4)
{
	.family = PSP_IPV4,
	.version = 0,
};

FIXTURE_VARIANT_ADD(life, ipv6)
{
	.family = PSP_IPV6,
	.version = 1,
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, policy_open(&self->p, variant->family, variant->version));
	ASSERT_EQ(0, wire_open(&self->wire, &self->p.conn));
}

FIXTURE_TEARDOWN(life)
{
	wire_close(&self->wire);
	policy_close(&self->p);
}

#endif /* LIFE_FIXTURE_H */
