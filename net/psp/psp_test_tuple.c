// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and ports: the same connection gives the same bytes, wherever they
 * were taken from.
 */
#include <kunit/test.h>
#include <linux/string.h>
#include <linux/tcp.h>

#include "psp.h"

#define PSP_TEST_LADDR4	cpu_to_be32(0xc0000201)
#define PSP_TEST_RADDR4	cpu_to_be32(0xc6336402)
#define PSP_TEST_LPORT	cpu_to_be16(40000)
#define PSP_TEST_RPORT	cpu_to_be16(443)

static const struct in6_addr psp_test_laddr6 = {
	.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [8] = 1, 2, 3, 4, 5, 6, 7, 8 },
};

static const struct in6_addr psp_test_raddr6 = {
	.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [8] = 8, 7, 6, 5, 4, 3, 2, 1 },
};

/* Set from both directions, into memory that held something else */
static void psp_test_tuple_both_ways(struct kunit *test, bool ipv6,
				     struct psp_tuple *sent,
				     struct psp_tuple *got)
{
	struct ipv6hdr out6 = {
		.saddr = psp_test_laddr6, .daddr = psp_test_raddr6,
	};
	struct ipv6hdr in6 = {
		.saddr = psp_test_raddr6, .daddr = psp_test_laddr6,
	};
	struct iphdr out4 = {
		.saddr = PSP_TEST_LADDR4, .daddr = PSP_TEST_RADDR4,
	};
	struct iphdr in4 = {
		.saddr = PSP_TEST_RADDR4, .daddr = PSP_TEST_LADDR4,
	};

	memset(sent, 0xff, sizeof(*sent));
	memset(got, 0x55, sizeof(*got));
	if (ipv6) {
		psp_tuple_set_tx6(sent, &out6, PSP_TEST_LPORT, PSP_TEST_RPORT);
		psp_tuple_set_rx6(got, &in6, PSP_TEST_RPORT, PSP_TEST_LPORT);
	} else {
		psp_tuple_set_tx4(sent, &out4, PSP_TEST_LPORT, PSP_TEST_RPORT);
		psp_tuple_set_rx4(got, &in4, PSP_TEST_RPORT, PSP_TEST_LPORT);
	}
}

static void psp_test_tuple_directions(struct kunit *test)
{
	struct psp_tuple sent, got;

	psp_test_tuple_both_ways(test, false, &sent, &got);
	KUNIT_EXPECT_MEMEQ(test, &sent, &got, sizeof(sent));
	KUNIT_EXPECT_TRUE(test, psp_tuple_equal(&sent, &got));
	KUNIT_EXPECT_EQ(test, sent.proto, htons(ETH_P_IP));
	KUNIT_EXPECT_EQ(test, sent.laddr.s6_addr32[0], PSP_TEST_LADDR4);
	KUNIT_EXPECT_EQ(test, sent.raddr.s6_addr32[0], PSP_TEST_RADDR4);
	KUNIT_EXPECT_EQ(test, sent.lport, PSP_TEST_LPORT);
	KUNIT_EXPECT_EQ(test, sent.rport, PSP_TEST_RPORT);

	psp_test_tuple_both_ways(test, true, &sent, &got);
	KUNIT_EXPECT_MEMEQ(test, &sent, &got, sizeof(sent));
	KUNIT_EXPECT_TRUE(test, psp_tuple_equal(&sent, &got));
	KUNIT_EXPECT_EQ(test, sent.proto, htons(ETH_P_IPV6));
	KUNIT_EXPECT_MEMEQ(test, &sent.laddr, &psp_test_laddr6, 16);
	KUNIT_EXPECT_MEMEQ(test, &sent.raddr, &psp_test_raddr6, 16);
	KUNIT_EXPECT_EQ(test, sent.lport, PSP_TEST_LPORT);
	KUNIT_EXPECT_EQ(test, sent.rport, PSP_TEST_RPORT);
}

/* Tuples are compared and hashed byte by byte: every byte belongs to a member,
 * and every bit of it counts.
 */
static void psp_test_tuple_every_bit(struct kunit *test)
{
	struct psp_tuple sent, got;
	u8 *bytes = (u8 *)&got;
	unsigned int bit;

	KUNIT_EXPECT_EQ(test, sizeof(struct psp_tuple),
			3 * sizeof(__be16) + sizeof(u16) +
			2 * sizeof(struct in6_addr));
	KUNIT_EXPECT_EQ(test, sizeof(struct psp_flow_key),
			sizeof(void *) + sizeof(struct psp_tuple));

	psp_test_tuple_both_ways(test, true, &sent, &got);
	for (bit = 0; bit < 8 * sizeof(got); bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_FALSE(test, psp_tuple_equal(&sent, &got));
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_EXPECT_TRUE(test, psp_tuple_equal(&sent, &got));
}

/* The two ends of a connection on one host are two connections */
static void psp_test_tuple_ends_differ(struct kunit *test)
{
	struct psp_tuple a, b;

	psp_tuple_set4(&a, PSP_TEST_LADDR4, PSP_TEST_RADDR4, PSP_TEST_LPORT,
		       PSP_TEST_RPORT);
	psp_tuple_set4(&b, PSP_TEST_RADDR4, PSP_TEST_LADDR4, PSP_TEST_RPORT,
		       PSP_TEST_LPORT);
	KUNIT_EXPECT_FALSE(test, psp_tuple_equal(&a, &b));
}

/**
 * struct psp_tuple_sock_case - what a socket's tuple is
 * @desc: name of the test case
 * @family: of the socket
 * @connected: it is
 * @mapped: an AF_INET6 socket that talks IPv4
 * @proto: of the tuple, host byte order; 0 if it is all zero
 */
struct psp_tuple_sock_case {
	const char *desc;
	sa_family_t family;
	bool connected;
	bool mapped;
	u16 proto;
};

static const struct psp_tuple_sock_case psp_tuple_sock_cases[] = {
	{ "IPv4", AF_INET, true, false, ETH_P_IP },
	{ "IPv4, not connected", AF_INET, false, false, 0 },
#if IS_ENABLED(CONFIG_IPV6)
	{ "IPv6", AF_INET6, true, false, ETH_P_IPV6 },
	{ "IPv6, not connected", AF_INET6, false, false, 0 },
	{ "IPv4 in IPv6", AF_INET6, true, true, ETH_P_IP },
#endif
};

KUNIT_ARRAY_PARAM_DESC(psp_tuple_sock, psp_tuple_sock_cases, desc);

/* Nothing but memory that looks like a socket */
static struct sock *psp_test_sock(struct kunit *test,
				  const struct psp_tuple_sock_case *c)
{
	struct tcp_sock *tp;
	struct inet_sock *inet;
	struct sock *sk;

	tp = kunit_kzalloc(test, sizeof(*tp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tp);
	sk = (struct sock *)tp;
	inet = inet_sk(sk);

	sk->sk_family = c->family;
	inet->inet_sport = PSP_TEST_LPORT;
	inet->inet_rcv_saddr = PSP_TEST_LADDR4;
#if IS_ENABLED(CONFIG_IPV6)
	sk->sk_v6_rcv_saddr = psp_test_laddr6;
#endif
	if (!c->connected)
		return sk;

	inet->inet_dport = PSP_TEST_RPORT;
	inet->inet_daddr = PSP_TEST_RADDR4;
#if IS_ENABLED(CONFIG_IPV6)
	sk->sk_v6_daddr = psp_test_raddr6;
	if (c->mapped)
		ipv6_addr_set_v4mapped(PSP_TEST_RADDR4, &sk->sk_v6_daddr);
#endif
	return sk;
}

static void psp_test_tuple_sock(struct kunit *test)
{
	const struct psp_tuple_sock_case *c = test->param_value;
	struct sock *sk = psp_test_sock(test, c);
	struct psp_tuple tuple, want, unused;

	memset(&want, 0, sizeof(want));
	if (c->proto)
		psp_test_tuple_both_ways(test, c->proto == ETH_P_IPV6, &want,
					 &unused);

	memset(&tuple, 0xaa, sizeof(tuple));
	psp_tuple_from_sock(&tuple, sk);
	KUNIT_EXPECT_MEMEQ(test, &tuple, &want, sizeof(tuple));
}

static struct kunit_case psp_tuple_cases[] = {
	KUNIT_CASE(psp_test_tuple_directions),
	KUNIT_CASE(psp_test_tuple_every_bit),
	KUNIT_CASE(psp_test_tuple_ends_differ),
	KUNIT_CASE_PARAM(psp_test_tuple_sock, psp_tuple_sock_gen_params),
	{}
};

static struct kunit_suite psp_tuple_suite = {
	.name = "psp_tuple",
	.test_cases = psp_tuple_cases,
};

kunit_test_suite(psp_tuple_suite);
