// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a secured connection: closes, and resets, which TCP may send
 * without the socket. Not one plain segment leaves.
 */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "policy.h"

FIXTURE(reply)
{
	struct policy p;
	struct wire wire;
};

FIXTURE_VARIANT(reply)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(reply, ipv4)
{
	.family = PSP_IPV4,
	.version = 0,
};

FIXTURE_VARIANT_ADD(reply, ipv6)
{
	.family = PSP_IPV6,
	.version = 1,
};

/* Both ends in "PSP full", and all that follows on the wire can be read */
FIXTURE_SETUP(reply)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_open(p, variant->family, variant->version));
	ASSERT_EQ(0, wire_open(&self->wire, &p->conn));
	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	wire_flush(&self->wire);
	wire_key(&self->wire, &p->conn.a.tx);
	wire_key(&self->wire, &p->conn.b.tx);
}

FIXTURE_TEARDOWN(reply)
{
	wire_close(&self->wire);
	policy_close(&self->p);
}

static void close_fd(int *fd)
{
	close(*fd);
	*fd = -1;
}

/* All that was on the wire since the start: under PSP, both ways */
static void expect_all_secured(struct __test_metadata *_metadata,
			       struct wire *wire)
{
	EXPECT_EQ(0, wire_tally(wire));
	EXPECT_EQ(0, wire->count.plain);
	EXPECT_LT(0, wire->count.psp_a);
	EXPECT_LT(wire->count.psp_a, wire->count.psp);
}

/* The next segment from A with all of @flags: it has to be under PSP */
static void expect_from_a(struct __test_metadata *_metadata, struct wire *wire,
			  uint8_t flags, struct wire_seg *seg)
{
	uint64_t end = psp_now_ms() + POLICY_MS;

	do {
		ASSERT_EQ(1, wire_next(wire, seg, POLICY_MS));
		ASSERT_TRUE(seg->psp);
		ASSERT_GT(end, psp_now_ms());
	} while (!seg->from_a || (seg->flags & flags) != flags);
}

TEST_F(reply, fin_both_ways_is_secured)
{
	struct policy *p = &self->p;
	struct wire_seg seg;
	char byte;

	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(p->conn.b.fd, &byte, 1));
	expect_from_a(_metadata, &self->wire, FORGE_FIN, &seg);
	ASSERT_EQ(0, shutdown(p->conn.b.fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(p->conn.a.fd, &byte, 1));
	EXPECT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	expect_all_secured(_metadata, &self->wire);
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(reply, simultaneous_close_is_secured)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_WR));
	ASSERT_EQ(0, shutdown(p->conn.b.fd, SHUT_WR));
	EXPECT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_CLOSE));
	EXPECT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	expect_all_secured(_metadata, &self->wire);
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* Sent by the socket itself, as it is closed with data to be read */
TEST_F(reply, rst_of_close_with_unread_data_is_secured)
{
	struct policy *p = &self->p;
	struct wire_seg seg;
	char byte;

	ASSERT_EQ(0, policy_send(p->conn.b.fd, "never read"));
	ASSERT_EQ(0, psp_tcp_drain(p->conn.b.fd, POLICY_MS));
	close_fd(&p->conn.a.fd);
	EXPECT_EQ(-ECONNRESET, policy_read(p->conn.b.fd, &byte, 1));
	expect_from_a(_metadata, &self->wire, FORGE_RST, &seg);
	expect_all_secured(_metadata, &self->wire);
}

/* Sent for a socket that still has its file, from TCP's control socket */
TEST_F(reply, rst_of_live_socket_is_secured)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_RDWR));
	ASSERT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_FIN_WAIT2));
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "too late"));
	expect_from_a(_metadata, &self->wire, FORGE_RST, &seg);
	EXPECT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	expect_all_secured(_metadata, &self->wire);
}

/* The same for one without a file */
TEST_F(reply, rst_of_orphan_is_secured)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_WR));
	ASSERT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_FIN_WAIT2));
	close_fd(&p->conn.a.fd);
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "too late"));
	expect_from_a(_metadata, &self->wire, FORGE_RST, &seg);
	EXPECT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	expect_all_secured(_metadata, &self->wire);
}

/* A has forgotten everything: its device drops what B sends, A is silent */
TEST_F(reply, dead_socket_sends_nothing_plain)
{
	const struct linger now = { .l_onoff = 1 };
	struct policy *p = &self->p;
	struct wire_seg seg;
	int refs = policy_state_refs(p), psp_a;

	if (!psp_nl_rekeys(&p->net.a.nl))
		SKIP(return, "mainline's PSP: resets of no socket are plain");
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	setsockopt(p->conn.a.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close_fd(&p->conn.a.fd);
	expect_from_a(_metadata, &self->wire, FORGE_RST, &seg);
	ASSERT_EQ(0, policy_wait_state_refs(p, refs - POLICY_STATE_REFS));

	ASSERT_EQ(0, wire_tally(&self->wire));
	psp_a = self->wire.count.psp_a;
	ASSERT_EQ(0, policy_mark(p));
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "anybody there?"));
	EXPECT_EQ(0, policy_dropped(p, "rx-no-assoc", 1));
	EXPECT_EQ(0, wire_tally(&self->wire));
	EXPECT_EQ(0, self->wire.count.plain);
	EXPECT_EQ(psp_a, self->wire.count.psp_a);
}

TEST_HARNESS_MAIN
