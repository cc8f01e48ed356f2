// SPDX-License-Identifier: GPL-2.0
/*
 * Rows "rx plain ..." of the policy table: segments in plain text that seem to
 * come from the peer, with the right sequence numbers, in each column.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "policy.h"

FIXTURE(policy)
{
	struct policy p;
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
}

FIXTURE_TEARDOWN(policy)
{
	policy_close(&self->p);
}

/* The forged bytes have not been let in: the same place in the stream, and
 * the one behind it, can still be taken by what the peer really sends.
 */
static void expect_untouched(struct __test_metadata *_metadata,
			     struct policy *p)
{
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(BPF_TCP_ESTABLISHED, policy_tcp_state(p->conn.a.fd));
	EXPECT_EQ(0, policy_send(p->conn.b.fd, "genuine"));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "genuine"));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(BPF_TCP_ESTABLISHED, policy_tcp_state(p->conn.a.fd));
}

static void expect_data_accepted(struct __test_metadata *_metadata,
				 struct policy *p)
{
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "forged"));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(policy, rx_plain_data__no_state_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_data_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_data__rx_assoc_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_data_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_data__tx_key_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-data", 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	ASSERT_EQ(0, policy_complete(p));
	expect_untouched(_metadata, p);
}

TEST_F(policy, rx_plain_data_out_of_order__tx_key_dropped)
{
	struct forge_seg seg = {
		.seq = 1, .flags = FORGE_ACK, .data = "forged", .len = 6,
	};
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, forge_plain(&p->forge, &seg));
	EXPECT_EQ(0, policy_dropped(p, "plain-data", 1));
	ASSERT_EQ(0, policy_complete(p));
	expect_untouched(_metadata, p);
}

TEST_F(policy, rx_plain_data__psp_full_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	expect_untouched(_metadata, p);
}

/* A rekey is no event in the table: it opens nothing, not even for a moment */
TEST_F(policy, rx_plain_segments_after_rekey__psp_full_dropped)
{
	const struct forge_seg ack = { .flags = FORGE_ACK };
	const struct forge_seg rst = { .flags = FORGE_RST };
	struct policy *p = &self->p;

	if (!psp_nl_rekeys(&p->net.a.nl))
		SKIP(return, PSP_NO_REKEYING);
	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.a, p->version));
	ASSERT_EQ(0, forge_plain(&p->forge, &ack));
	ASSERT_EQ(0, forge_plain(&p->forge, &rst));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 3));

	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.a));
	ASSERT_EQ(0, forge_plain(&p->forge, &ack));
	ASSERT_EQ(0, forge_plain(&p->forge, &rst));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 6));
	expect_untouched(_metadata, p);
}

/* B hears nothing, so what A has sent is acknowledged by nobody else. The
 * forged acknowledgment takes it all.
 */
static void forge_the_ack(struct __test_metadata *_metadata, struct policy *p)
{
	const struct forge_seg seg = { .flags = FORGE_ACK };

	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "unheard"));
	EXPECT_EQ(1, psp_tcp_unacked(p->conn.a.fd));
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	ASSERT_EQ(0, forge_plain(&p->forge, &seg));
}

static void expect_ack_accepted(struct __test_metadata *_metadata,
				struct policy *p)
{
	forge_the_ack(_metadata, p);
	EXPECT_EQ(0, psp_tcp_drain(p->conn.a.fd, POLICY_MS));
	EXPECT_EQ(0, psp_tcp_unacked(p->conn.a.fd));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(policy, rx_plain_ack__no_state_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_ack_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_ack__rx_assoc_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_ack_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_ack__tx_key_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_TX_KEY));
	expect_ack_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_ack__psp_full_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	forge_the_ack(_metadata, p);
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	EXPECT_EQ(1, psp_tcp_unacked(p->conn.a.fd));

	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, false));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "unheard"));
	EXPECT_EQ(0, psp_tcp_drain(p->conn.a.fd, POLICY_MS));
}

static void forge_the_rst(struct __test_metadata *_metadata, struct policy *p)
{
	const struct forge_seg seg = { .flags = FORGE_RST };

	ASSERT_EQ(0, forge_plain(&p->forge, &seg));
}

static void expect_rst_accepted(struct __test_metadata *_metadata,
				struct policy *p)
{
	char byte;

	forge_the_rst(_metadata, p);
	EXPECT_EQ(-ECONNRESET, policy_read(p->conn.a.fd, &byte, 1));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(policy, rx_plain_rst__no_state_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_rst_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_rst__rx_assoc_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_rst_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_rst__tx_key_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_TX_KEY));
	expect_rst_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_rst__psp_full_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	forge_the_rst(_metadata, p);
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	expect_untouched(_metadata, p);
}

static void forge_the_fin(struct __test_metadata *_metadata, struct policy *p,
			  int seq)
{
	const struct forge_seg seg = {
		.seq = seq, .flags = FORGE_FIN | FORGE_ACK,
	};

	ASSERT_EQ(0, forge_plain(&p->forge, &seg));
}

static void expect_fin_accepted(struct __test_metadata *_metadata,
				struct policy *p)
{
	char byte;

	forge_the_fin(_metadata, p, 0);
	EXPECT_EQ(0, policy_read(p->conn.a.fd, &byte, 1));
	EXPECT_EQ(BPF_TCP_CLOSE_WAIT, policy_tcp_state(p->conn.a.fd));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(policy, rx_plain_fin_at_rcv_nxt__no_state_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_fin_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_fin_at_rcv_nxt__rx_assoc_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_fin_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_fin_at_latched_rcv_nxt__tx_key_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_TX_KEY));
	expect_fin_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_fin_at_latched_rcv_nxt__psp_full_dropped)
{
	struct policy *p = &self->p;

	/* Only an acknowledgment under PSP: rcv_nxt is the latch still */
	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.b));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "first"));
	ASSERT_EQ(0, psp_tcp_drain(p->conn.a.fd, POLICY_MS));

	forge_the_fin(_metadata, p, 0);
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "first"));
	expect_untouched(_metadata, p);
}

/* A FIN one byte ahead, then the byte: TCP puts the two in order */
static void expect_later_fin_accepted(struct __test_metadata *_metadata,
				      struct policy *p)
{
	char byte;

	forge_the_fin(_metadata, p, 1);
	ASSERT_EQ(0, forge_text(&p->forge, "x"));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "x"));
	EXPECT_EQ(0, policy_read(p->conn.a.fd, &byte, 1));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(policy, rx_plain_fin_elsewhere__no_state_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_later_fin_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_fin_elsewhere__rx_assoc_accepted)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_later_fin_accepted(_metadata, &self->p);
}

TEST_F(policy, rx_plain_fin_elsewhere__tx_key_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	forge_the_fin(_metadata, p, 7);
	EXPECT_EQ(0, policy_dropped(p, "plain-data", 1));
	ASSERT_EQ(0, psp_conn_tx(&p->conn, &p->conn.b));
	expect_untouched(_metadata, p);
}

TEST_F(policy, rx_plain_fin_elsewhere__psp_full_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	forge_the_fin(_metadata, p, 7);
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	expect_untouched(_metadata, p);
}

/* What is let through at the latch is a bare FIN */
TEST_F(policy, rx_plain_fin_with_data_at_latch__tx_key_dropped)
{
	const struct forge_seg seg = {
		.flags = FORGE_FIN | FORGE_ACK, .data = "forged", .len = 6,
	};
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, forge_plain(&p->forge, &seg));
	EXPECT_EQ(0, policy_dropped(p, "plain-data", 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	ASSERT_EQ(0, policy_complete(p));
	expect_untouched(_metadata, p);
}

/* A SYN in the window takes up sequence space, and is answered */
TEST_F(policy, rx_plain_syn__tx_key_dropped)
{
	const struct forge_seg seg = { .flags = FORGE_SYN };
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, forge_plain(&p->forge, &seg));
	EXPECT_EQ(0, policy_dropped(p, "plain-data", 1));
	ASSERT_EQ(0, policy_complete(p));
	expect_untouched(_metadata, p);
}

/* Not forged: the peer closes before it has got its tx key */
TEST_F(policy, rx_plain_close_of_peer__tx_key_accepted)
{
	struct policy *p = &self->p;
	char byte;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, shutdown(p->conn.b.fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(p->conn.a.fd, &byte, 1));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_HARNESS_MAIN
