// SPDX-License-Identifier: GPL-2.0
/*
 * Segments may sit in a qdisc long after their socket has gone. The state lives
 * as long as they do: they leave under PSP, or not at all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "policy.h"
#include "watch.h"

#define LIFE_HOLD_MS	300	/* how long to see that nothing happens */

FIXTURE(life)
{
	struct policy p;
	struct wire wire;
	int refs;
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
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_open(p, variant->family, variant->version));
	ASSERT_EQ(0, wire_open(&self->wire, &p->conn));
	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	wire_key(&self->wire, &p->conn.a.tx);
	wire_key(&self->wire, &p->conn.b.tx);
	wire_flush(&self->wire);
	self->refs = policy_state_refs(p);
}

FIXTURE_TEARDOWN(life)
{
	watch_trace(false);
	wire_close(&self->wire);
	policy_close(&self->p);
}

/* What A sends stays in the qdisc of its port */
static int hold(const struct policy *p)
{
	return psp_sh(p->net.a.ns,
		      "tc qdisc add dev %s root plug limit 1000000",
		      p->net.a.ifname);
}

static int let_go(const struct policy *p)
{
	return psp_sh(p->net.a.ns,
		      "tc qdisc change dev %s root plug release_indefinite",
		      p->net.a.ifname);
}

static int throw_away(const struct policy *p)
{
	return psp_sh(p->net.a.ns, "tc qdisc del dev %s root",
		      p->net.a.ifname);
}

static bool is_queued(const struct policy *p)
{
	return !psp_sh(p->net.a.ns,
		       "tc -s qdisc show dev %s | grep -q 'backlog [1-9]'",
		       p->net.a.ifname);
}

static void abort_a(struct policy *p)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(p->conn.a.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(p->conn.a.fd);
	p->conn.a.fd = -1;
}

/* For a while, nothing leaves A, and no state goes */
static void expect_held(struct __test_metadata *_metadata, struct policy *p,
			struct wire *wire, int refs)
{
	uint64_t end = psp_now_ms() + LIFE_HOLD_MS;

	while (psp_now_ms() < end) {
		ASSERT_LE(refs, policy_state_refs(p));
		ASSERT_EQ(0, wire_tally(wire));
		ASSERT_EQ(0, wire->count.plain);
		ASSERT_EQ(0, wire->count.psp_a);
		psp_nap();
	}
}

/* From A, under PSP, comes a segment with all of @flags, and @text in it */
static void expect_secured(struct __test_metadata *_metadata,
			   struct wire *wire, uint8_t flags, const char *text)
{
	struct wire_seg seg;

	do {
		ASSERT_EQ(1, wire_next(wire, &seg, POLICY_MS));
		ASSERT_TRUE(seg.psp);
	} while (!seg.from_a || (seg.flags & flags) != flags ||
		 seg.len < strlen(text));
	EXPECT_EQ(0, memcmp(text, seg.data, strlen(text)));
}

TEST_F(life, queued_segments_of_aborted_socket_leave_secured)
{
	struct policy *p = &self->p;
	char byte;

	ASSERT_EQ(0, hold(p));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "queued"));
	abort_a(p);
	/* TCP has given its part of the state back */
	expect_held(_metadata, p, &self->wire, self->refs - 1);

	ASSERT_EQ(0, let_go(p));
	expect_secured(_metadata, &self->wire, 0, "queued");
	expect_secured(_metadata, &self->wire, FORGE_RST, "");
	EXPECT_EQ(0, policy_wait_state_refs(p, self->refs - POLICY_STATE_REFS));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "queued"));
	EXPECT_EQ(-ECONNRESET, policy_read(p->conn.b.fd, &byte, 1));
}

TEST_F(life, queued_segments_of_closed_socket_leave_secured)
{
	struct policy *p = &self->p;
	char byte;

	ASSERT_EQ(0, hold(p));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "queued"));
	close(p->conn.a.fd);
	p->conn.a.fd = -1;
	expect_held(_metadata, p, &self->wire, self->refs);

	ASSERT_EQ(0, let_go(p));
	expect_secured(_metadata, &self->wire, 0, "queued");
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "queued"));
	EXPECT_EQ(0, policy_read(p->conn.b.fd, &byte, 1));
	expect_secured(_metadata, &self->wire, FORGE_FIN, "");
}

TEST_F(life, queued_segments_thrown_away_release_state)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, hold(p));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "queued"));
	abort_a(p);
	/* TCP has given its part of the state back */
	expect_held(_metadata, p, &self->wire, self->refs - 1);

	ASSERT_EQ(0, throw_away(p));
	EXPECT_EQ(0, policy_wait_state_refs(p, self->refs - POLICY_STATE_REFS));
	EXPECT_EQ(0, wire_tally(&self->wire));
	EXPECT_EQ(0, self->wire.count.plain);
	EXPECT_EQ(0, self->wire.count.psp_a);
}

/* A rekey while segments wait: they leave under the new key, not under none */
TEST_F(life, queued_segments_leave_under_key_of_rekey)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	if (!psp_nl_rekeys(&p->net.a.nl))
		SKIP(return, PSP_NO_REKEYING);
	ASSERT_EQ(0, hold(p));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "queued"));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, psp_conn_rekey(&p->conn));
	wire_key(&self->wire, &p->conn.a.tx);
	wire_key(&self->wire, &p->conn.b.tx);
	ASSERT_EQ(0, let_go(p));
	do {
		ASSERT_EQ(1, wire_next(&self->wire, &seg, POLICY_MS));
		ASSERT_TRUE(seg.psp);
	} while (!seg.from_a);
	EXPECT_EQ(p->conn.a.tx.spi, seg.spi);
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "queued"));
}

static int wait_timewaits(const struct policy *p, int num)
{
	uint64_t end = psp_now_ms() + POLICY_MS;

	while (policy_timewaits(&p->net.a, ntohs(p->forge.dport)) != num) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

/* An acknowledgment of a connection in TIME_WAIT waits; then there is no such
 * connection any more, and not even its state, which goes when we look next at
 * what lingers; mainline's goes with the connection.
 */
TEST_F(life, queued_reply_outlives_timewait)
{
	const struct forge_seg rst = { .flags = FORGE_RST };
	struct policy *p = &self->p;
	char spi[32];

	snprintf(spi, sizeof(spi), "spi=0x%08x", p->conn.a.rx.spi);
	if (psp_nl_rekeys(&p->net.a.nl))
		ASSERT_EQ(0, watch_trace(true));
	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_WR));
	ASSERT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_FIN_WAIT2));
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	close(p->conn.a.fd);
	p->conn.a.fd = -1;
	ASSERT_EQ(0, shutdown(p->conn.b.fd, SHUT_WR));
	ASSERT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	ASSERT_EQ(0, wait_timewaits(p, 1));
	wire_flush(&self->wire);

	ASSERT_EQ(0, hold(p));
	p->forge.seq++;
	self->refs = policy_state_refs(p);
	ASSERT_EQ(0, forge_psp_text(&p->forge, "late", p->version,
				    &p->conn.a.rx));
	while (!is_queued(p))
		psp_nap();
	ASSERT_EQ(0, forge_psp(&p->forge, &rst, p->version, &p->conn.a.rx));
	ASSERT_EQ(0, wait_timewaits(p, 0));
	if (psp_nl_rekeys(&p->net.a.nl))
		ASSERT_EQ(0, watch_wait_traced("psp_sock_free", spi));
	ASSERT_EQ(0, let_go(p));
	expect_secured(_metadata, &self->wire, FORGE_ACK, "");
	/* Keys are what is counted of mainline's PSP, and this was the last */
	if (!psp_nl_rekeys(&p->net.a.nl))
		self->refs = 0;
	EXPECT_EQ(0, policy_wait_state_refs(p, self->refs));
}

TEST_HARNESS_MAIN
