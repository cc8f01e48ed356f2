// SPDX-License-Identifier: GPL-2.0
/*
 * Drops that the tests of the policy do not come by: counted and traced.
 * policy_dropped() looks at the trace for all others.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "policy.h"
#include "watch.h"

FIXTURE(trace_drop)
{
	struct policy p;
	int fd;
};

FIXTURE_SETUP(trace_drop)
{
	self->fd = -1;
	ASSERT_EQ(0, policy_open(&self->p, PSP_IPV6, WATCH_VERSION));
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
}

FIXTURE_TEARDOWN(trace_drop)
{
	if (self->fd >= 0)
		close(self->fd);
	policy_close(&self->p);
}

/* Destination options between IP and TCP */
TEST_F(trace_drop, of_a_header_before_tcp)
{
	uint8_t options[8] = { 0, 0, 1, 4 };
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_expect_log("PSP: "));
	ASSERT_EQ(0, setsockopt(p->conn.a.fd, IPPROTO_IPV6, IPV6_DSTOPTS,
				options, sizeof(options)));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "behind options"));
	EXPECT_EQ(0, policy_dropped_some(p, "tx-headers", 1));
}

/* A rule that comes before every other hook */
TEST_F(trace_drop, of_an_unmarked_copy)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, psp_sh(p->net.a.ns,
			    "nft 'add table ip6 t;"
			    "add chain ip6 t c { type filter hook output priority -2147483648; };"
			    "add rule ip6 t c ip6 daddr fd00::2 tcp dport != 0 dup to fd00::2 device %s'",
			    p->net.a.ifname));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "copied"));
	EXPECT_EQ(0, policy_dropped_some(p, "tx-copy", 1));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "copied"));
}

/* The second of two extension headers is not there */
TEST_F(trace_drop, of_ipv6_that_does_not_parse)
{
	uint8_t options[8] = { IPPROTO_DSTOPTS, 20, 1, 4 };
	struct policy *p = &self->p;

	ASSERT_EQ(0, forge_ip(&p->forge, IPPROTO_DSTOPTS, options,
			      sizeof(options)));
	EXPECT_EQ(0, policy_dropped(p, "rx-headers", 1));
}

/* A good ICV, but no TCP inside */
TEST_F(trace_drop, of_a_packet_of_another_protocol)
{
	const struct forge_seg seg = { .flags = FORGE_ACK };
	struct seal_hdr hdr = { .nexthdr = IPPROTO_UDP };
	uint8_t tcp[256], psp[FORGE_PSP_MAX];
	struct policy *p = &self->p;
	size_t len;
	int n;

	hdr.version = p->version;
	hdr.iv = 0x7000;
	len = forge_tcp(&p->forge, &seg, tcp);
	n = seal_packet(&p->conn.a.rx, &hdr, tcp, len, psp);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, forge_udp(&p->forge, psp, n));
	EXPECT_EQ(0, policy_dropped(p, "rx-malformed", 1));
}

/* The device gives the same SPI to a socket of another version */
TEST_F(trace_drop, of_a_packet_of_another_version)
{
	struct policy *p = &self->p;
	struct psp_end *a = &p->net.a;
	struct psp_key old, new;
	char next[32];

	ASSERT_EQ(0, psp_knob_get(a, "next_spi", next, sizeof(next)));
	self->fd = psp_tcp_socket(a, PSP_IPV6);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, psp_nl_rx_assoc(&a->nl, a->dev_id, WATCH_VERSION,
				     self->fd, &old));
	close(self->fd);
	ASSERT_EQ(0, watch_wait_traced("psp_sock_free", ""));

	ASSERT_EQ(0, psp_knob_set(a, "next_spi", "%s", next));
	self->fd = psp_tcp_socket(a, PSP_IPV6);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, psp_nl_rx_assoc(&a->nl, a->dev_id, WATCH_VERSION + 1,
				     self->fd, &new));
	ASSERT_EQ(old.spi, new.spi);
	ASSERT_EQ(0, forge_psp_text(&p->forge, "old", WATCH_VERSION, &old));
	EXPECT_EQ(0, policy_dropped(p, "rx-version", 1));
}

TEST_HARNESS_MAIN
