/* SPDX-License-Identifier: GPL-2.0 */
/* The scene of leak.h for each IP family, and words for shell commands */
#ifndef LEAK_FIXTURE_H
#define LEAK_FIXTURE_H

#include "kselftest_harness.h"
#include "leak.h"

/* An emulated CPU on a busy host is slow */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

FIXTURE(leak)
{
	struct leak leak;
};

/*
 * @family: kind of sockets
 * @v: "4" or "6"
 * @nft: family of nft tables, and of addresses in their rules
 * @a, @b: addresses of the ends
 * @near, @far: addresses of the way around
 * @host: length of a prefix that is a host's
 */
FIXTURE_VARIANT(leak)
{
	enum psp_family family;
	const char *v;
	const char *nft;
	const char *a;
	const char *b;
	const char *near;
	const char *far;
	int host;
};

FIXTURE_VARIANT_ADD(leak, ipv4)
{
	.family = PSP_IPV4,
	.v = "4",
	.nft = "ip",
	.a = "10.0.0.1",
	.b = "10.0.0.2",
	.near = "10.9.0.1",
	.far = "10.9.0.2",
	.host = 32,
};

FIXTURE_VARIANT_ADD(leak, ipv6)
{
	.family = PSP_IPV6,
	.v = "6",
	.nft = "ip6",
	.a = "fd00::1",
	.b = "fd00::2",
	.near = "fd09::1",
	.far = "fd09::2",
	.host = 128,
};

FIXTURE_SETUP(leak)
{
	ASSERT_EQ(0, leak_open(&self->leak, variant->family));
}

FIXTURE_TEARDOWN(leak)
{
	leak_close(&self->leak);
}

/* A shell script on the host of end A that must succeed */
#define ON_A(fmt, ...)							\
	ASSERT_EQ(0, leak_sh(self->leak.net.a.ns, fmt, ##__VA_ARGS__))

/* The same beside the cable */
#define ASIDE(fmt, ...)							\
	ASSERT_EQ(0, leak_sh(self->leak.aside, fmt, ##__VA_ARGS__))

#endif /* LEAK_FIXTURE_H */
