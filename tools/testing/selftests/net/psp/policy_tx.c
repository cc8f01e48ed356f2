// SPDX-License-Identifier: GPL-2.0
/*
 * Rows "tx" and "plain segments queued at tx-assoc" of the policy table: what
 * is on the wire, and when a socket may have its tx key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "policy.h"

FIXTURE(policy)
{
	struct policy p;
	struct wire wire;
};

FIXTURE_VARIANT(policy)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(policy, ipv4)
{
	.family = PSP_IPV4,
	.version = 0,
};

FIXTURE_VARIANT_ADD(policy, ipv6)
{
	.family = PSP_IPV6,
	.version = 1,
};

FIXTURE_SETUP(policy)
{
	ASSERT_EQ(0, policy_open(&self->p, variant->family, variant->version));
	ASSERT_EQ(0, wire_open(&self->wire, &self->p.conn));
}

FIXTURE_TEARDOWN(policy)
{
	wire_close(&self->wire);
	policy_close(&self->p);
}

/* The next segment with data from A */
static int next_data(struct wire *wire, struct wire_seg *seg)
{
	uint64_t end = psp_now_ms() + POLICY_MS;
	int ret;

	do {
		ret = wire_next(wire, seg, POLICY_MS);
	} while (ret > 0 && (!seg->from_a || !seg->len) && psp_now_ms() < end);
	return ret > 0 ? 0 : ret ?: -ETIMEDOUT;
}

/* A sends @text, and on the wire it is as it should be */
static void expect_sent(struct __test_metadata *_metadata, struct policy *p,
			struct wire *wire, const char *text, bool psp)
{
	struct wire_seg seg;

	wire_flush(wire);
	ASSERT_EQ(0, policy_send(p->conn.a.fd, text));
	ASSERT_EQ(0, next_data(wire, &seg));
	EXPECT_EQ(psp, seg.psp);
	if (psp)
		EXPECT_EQ(p->conn.a.tx.spi, seg.spi);
	ASSERT_EQ(strlen(text), seg.len);
	EXPECT_EQ(0, memcmp(text, seg.data, seg.len));
}

TEST_F(policy, tx__no_state_plain)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_sent(_metadata, &self->p, &self->wire, "in plain text", false);
}

TEST_F(policy, tx__rx_assoc_plain)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_sent(_metadata, &self->p, &self->wire, "in plain text", false);
	EXPECT_EQ(0, policy_reads(self->p.conn.b.fd, "in plain text"));
}

TEST_F(policy, tx__tx_key_psp)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	wire_key(&self->wire, &p->conn.a.tx);
	expect_sent(_metadata, p, &self->wire, "secured", true);
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "secured"));
}

TEST_F(policy, tx__psp_full_psp)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	wire_key(&self->wire, &p->conn.a.tx);
	wire_key(&self->wire, &p->conn.b.tx);
	expect_sent(_metadata, p, &self->wire, "secured", true);
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "secured"));
}

/* What was sent and not yet acknowledged at tx-assoc, and what goes on plain
 * in its retransmissions
 */
TEST_F(policy, tx_data_queued_before__tx_key_plain)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "before"));
	ASSERT_EQ(0, next_data(&self->wire, &seg));
	EXPECT_FALSE(seg.psp);

	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
	wire_key(&self->wire, &p->conn.a.tx);
	wire_flush(&self->wire);
	/* Retransmitted, with nobody to hear it: still plain */
	ASSERT_EQ(0, next_data(&self->wire, &seg));
	EXPECT_FALSE(seg.psp);
	ASSERT_EQ(6, seg.len);
	EXPECT_EQ(0, memcmp("before", seg.data, 6));

	expect_sent(_metadata, p, &self->wire, "behind", true);
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, false));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "beforebehind"));
	EXPECT_EQ(0, psp_tcp_drain(p->conn.a.fd, POLICY_MS));
}

/* @len bytes into the send queue: the 'a's were there before the key */
static int fill(int fd, char letter, size_t len)
{
	char buf[4096];
	ssize_t n;

	memset(buf, letter, sizeof(buf));
	for (; len; len -= n) {
		n = send(fd, buf, len < sizeof(buf) ? len : sizeof(buf),
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0)
			return -errno;
	}
	return 0;
}

/* Segments with 'a's are plain, those with 'z's are PSP, none has both */
static void expect_fence(struct __test_metadata *_metadata, struct wire *wire,
			 size_t plain, size_t psp)
{
	uint32_t first = 0, latch = 0;
	struct wire_seg seg;
	size_t seen = 0;
	bool any = false;

	while (seen < plain + psp) {
		ASSERT_EQ(0, next_data(wire, &seg));
		if (!any) {
			first = seg.seq;
			latch = first + plain;
			any = true;
		}
		ASSERT_EQ(seg.data[0], seg.data[seg.len - 1]);
		ASSERT_EQ(seg.psp, seg.data[0] == 'z');
		ASSERT_EQ(seg.psp, (int)(seg.seq - latch) >= 0);
		ASSERT_GE((int)(seg.seq + seg.len - first), 0);
		if (seg.seq + seg.len - first > seen)
			seen = seg.seq + seg.len - first;
	}
}

static int read_letters(int fd, char letter, size_t len)
{
	char buf[4096];
	int n, i;

	for (; len; len -= n) {
		n = policy_read(fd, buf, len < sizeof(buf) ? len : sizeof(buf));
		if (n <= 0)
			return n ?: -EPIPE;
		for (i = 0; i < n; i++)
			if (buf[i] != letter)
				return -EILSEQ;
	}
	return 0;
}

/* Much more than the congestion window lets out was queued before: it goes
 * out later, and plain, though TCP would like to merge it with what follows.
 */
TEST_F(policy, tx_queue_filled_before__tx_key_splits_at_latch)
{
	const size_t before = 100001, behind = 50000;
	struct policy *p = &self->p;
	int size = 1 << 20;

	ASSERT_EQ(0, setsockopt(p->conn.a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
				sizeof(size)));
	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, fill(p->conn.a.fd, 'a', before));
	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
	wire_key(&self->wire, &p->conn.a.tx);
	ASSERT_EQ(0, fill(p->conn.a.fd, 'z', behind));
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, false));

	EXPECT_EQ(0, read_letters(p->conn.b.fd, 'a', before));
	EXPECT_EQ(0, read_letters(p->conn.b.fd, 'z', behind));
	expect_fence(_metadata, &self->wire, before, behind);
}

/* A acknowledges authentic data; the next segment of it without data */
static void expect_ack(struct __test_metadata *_metadata, struct policy *p,
		       struct wire *wire, struct wire_seg *seg)
{
	int ret;

	wire_key(wire, &p->conn.a.tx);
	wire_key(wire, &p->conn.a.rx);
	wire_flush(wire);
	ASSERT_EQ(0, forge_psp_text(&p->forge, "x", p->version, &p->conn.a.rx));
	ASSERT_EQ(0, policy_reads(p->conn.a.fd, "x"));
	do {
		ret = wire_next(wire, seg, POLICY_MS);
	} while (ret > 0 && (!seg->from_a || seg->len));
	ASSERT_EQ(1, ret);
	EXPECT_EQ(p->forge.seq + 1, seg->ack);
	EXPECT_TRUE(seg->psp);
}

/* Acknowledgments without data are under PSP from the tx key on */
TEST_F(policy, tx_ack__tx_key_psp)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	expect_ack(_metadata, p, &self->wire, &seg);
}

/* Even where plain data that was queued before has still to be sent */
TEST_F(policy, tx_ack_before_the_latch__tx_key_psp)
{
	const size_t before = 100001;
	struct policy *p = &self->p;
	struct wire_seg seg;
	int size = 1 << 20;

	ASSERT_EQ(0, setsockopt(p->conn.a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
				sizeof(size)));
	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, fill(p->conn.a.fd, 'a', before));
	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
	expect_ack(_metadata, p, &self->wire, &seg);
	EXPECT_GT(0, (int)(seg.seq - (p->forge.ack + before)));
}

/* A socket with unread plain data cannot have a tx key: it could not tell any
 * more that those bytes were not authenticated.
 */
static void expect_busy(struct __test_metadata *_metadata, struct policy *p)
{
	struct psp_conn *conn = &p->conn;

	EXPECT_REFUSED(&conn->a.end->nl, psp_conn_tx(conn, &conn->a), -EBUSY,
		       psp_blame(&conn->a.end->nl, "sock-fd"), "");
}

TEST_F(policy, plain_segments_queued__tx_assoc_busy)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "early"));
	ASSERT_EQ(0, psp_tcp_drain(p->conn.b.fd, POLICY_MS));
	expect_busy(_metadata, p);
	expect_busy(_metadata, p);

	/* Refused: all is as before, plain data still comes in and goes out */
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "early"));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
	EXPECT_EQ(0, policy_dropped_none(p));

	EXPECT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
	EXPECT_EQ(0, policy_complete(p));
}

TEST_F(policy, plain_segments_queued_out_of_order__tx_assoc_busy)
{
	const struct forge_seg later = {
		.seq = 1, .flags = FORGE_ACK, .data = "orged", .len = 5,
	};
	struct policy *p = &self->p;
	struct tcp_info info;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, forge_plain(&p->forge, &later));
	do {
		psp_nap();
		ASSERT_EQ(0, psp_tcp_info(p->conn.a.fd, &info));
	} while (!info.tcpi_rcv_ooopack);
	expect_busy(_metadata, p);

	ASSERT_EQ(0, forge_text(&p->forge, "f"));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "forged"));
	EXPECT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
}

TEST_F(policy, plain_fin_with_data_queued__tx_assoc_busy)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "last words"));
	ASSERT_EQ(0, shutdown(p->conn.b.fd, SHUT_WR));
	ASSERT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_CLOSE_WAIT));
	expect_busy(_metadata, p);
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "last words"));
	EXPECT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
}

TEST_F(policy, plain_fin_queued__tx_assoc_busy)
{
	struct policy *p = &self->p;
	char byte;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, shutdown(p->conn.b.fd, SHUT_WR));
	ASSERT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_CLOSE_WAIT));
	expect_busy(_metadata, p);
	EXPECT_EQ(0, policy_read(p->conn.a.fd, &byte, 1));
	EXPECT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
}

/* Authenticated data that came before the tx key may stay where it is */
TEST_F(policy, psp_segments_queued__tx_assoc_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.b));
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "secured"));
	ASSERT_EQ(0, psp_tcp_drain(p->conn.b.fd, POLICY_MS));

	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "secured"));
	EXPECT_EQ(0, policy_dropped_none(p));

	/* The peer was known already */
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
}

TEST_HARNESS_MAIN
