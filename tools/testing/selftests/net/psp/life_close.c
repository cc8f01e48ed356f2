// SPDX-License-Identifier: GPL-2.0
/* How connections end: each FIN is PSP, and nothing said before it is lost */
#include <errno.h>
#include <unistd.h>

#include "life_fixture.h"

/* One side has said all that it has to say, and goes on to listen */
static void half_close(struct __test_metadata *_metadata, struct policy *p,
		       struct wire *wire, struct psp_side *first)
{
	struct psp_side *second = psp_conn_peer(&p->conn, first);
	struct life_seen seen;
	char byte;

	ASSERT_EQ(0, life_secure(p, wire));
	ASSERT_EQ(0, shutdown(first->fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(second->fd, &byte, 1));
	EXPECT_EQ(BPF_TCP_CLOSE_WAIT, policy_tcp_state(second->fd));
	ASSERT_EQ(0, psp_xfer_one(second, first, LIFE_BULK, LIFE_MS));
	EXPECT_EQ(BPF_TCP_FIN_WAIT2, policy_tcp_state(first->fd));
	ASSERT_EQ(0, shutdown(second->fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(first->fd, &byte, 1));
	EXPECT_EQ(0, policy_wait_state(second->fd, BPF_TCP_CLOSE));

	ASSERT_EQ(0, life_look(wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_LT(0, seen.fin[FROM_A]);
	EXPECT_LT(0, seen.fin[FROM_B]);
	EXPECT_EQ(0, seen.rst[FROM_A] + seen.rst[FROM_B]);
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(life, caller_closes_first_and_hears_the_rest)
{
	half_close(_metadata, &self->p, &self->wire, &self->p.conn.a);
}

TEST_F(life, callee_closes_first_and_hears_the_rest)
{
	half_close(_metadata, &self->p, &self->wire, &self->p.conn.b);
}

/* Neither hears the other's FIN at once */
TEST_F(life, lost_fin_is_sent_again_under_psp)
{
	struct policy *p = &self->p;
	struct life_seen seen;
	char byte;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, life_cut(&p->net.a, true));
	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_WR));
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "after the FIN"));
	while (psp_tcp_retrans(p->conn.a.fd) < 2)
		psp_nap();
	EXPECT_EQ(BPF_TCP_ESTABLISHED, policy_tcp_state(p->conn.b.fd));
	ASSERT_EQ(0, life_cut(&p->net.a, false));

	EXPECT_EQ(0, policy_read(p->conn.b.fd, &byte, 1));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "after the FIN"));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_LE(2, seen.fin[FROM_A]);
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* The state lives as long as the socket has something to do, and no longer */
TEST_F(life, orphan_with_data_queued_finishes_in_the_background)
{
	struct policy *p = &self->p;
	int refs = policy_state_refs(p);
	int64_t len;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	len = life_fill(p->conn.a.fd, 1);
	ASSERT_LT(psp_scaled(LIFE_BULK / 4), len);
	ASSERT_LT(0, psp_tcp_outq(p->conn.a.fd));
	life_close(&p->conn.a);
	EXPECT_EQ(refs + 2 * POLICY_STATE_REFS, policy_state_refs(p));

	EXPECT_EQ(0, life_read(p->conn.b.fd, 1, len, true));
	life_close(&p->conn.b);
	EXPECT_EQ(0, policy_wait_state_refs(p, refs));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* An orphan has nobody who could rekey it: the peer may, both ways within what
 * one rotation allows
 */
TEST_F(life, orphan_hears_a_peer_that_was_rekeyed)
{
	struct policy *p = &self->p;
	struct psp_key old;
	int64_t len;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	old = p->conn.b.tx;
	len = life_fill(p->conn.a.fd, 1);
	ASSERT_LT(0, psp_tcp_outq(p->conn.a.fd));
	life_close(&p->conn.a);
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	ASSERT_EQ(0, psp_nl_tx_assoc(&p->net.b.nl, p->net.b.dev_id, p->version,
				     p->conn.b.fd, &old));
	EXPECT_EQ(0, life_read(p->conn.b.fd, 1, len, true));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* Nobody reads any more once the last byte has been written */
static void close_under_loss(struct __test_metadata *_metadata,
			     struct policy *p, struct wire *wire,
			     struct psp_side *first)
{
	struct psp_side *second = psp_conn_peer(&p->conn, first);
	int64_t len;

	ASSERT_EQ(0, life_secure(p, wire));
	ASSERT_EQ(0, psp_wire_harm(&p->net.a, "loss", 5));
	ASSERT_EQ(0, psp_wire_harm(&p->net.b, "loss", 5));
	len = life_fill(first->fd, 7);
	ASSERT_LT(psp_scaled(LIFE_BULK / 4), len);
	life_close(first);
	EXPECT_EQ(0, life_read(second->fd, 7, len, true));
	ASSERT_EQ(0, life_cut(&p->net.a, false));
	ASSERT_EQ(0, life_cut(&p->net.b, false));
	EXPECT_TRUE(life_is_secured(p, wire));
}

TEST_F(life, caller_closes_with_data_in_flight_under_loss)
{
	close_under_loss(_metadata, &self->p, &self->wire, &self->p.conn.a);
}

TEST_F(life, callee_closes_with_data_in_flight_under_loss)
{
	close_under_loss(_metadata, &self->p, &self->wire, &self->p.conn.b);
}

/* Data that was queued before the tx key, then the end of the stream: the FIN
 * may go with the last of it, and then as plain as that. Nothing gets lost.
 */
TEST_F(life, fin_behind_data_of_before_the_tx_key)
{
	struct policy *p = &self->p;
	struct psp_side *a = &p->conn.a, *b = &p->conn.b;
	int64_t len;
	char byte;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, b, p->version));
	ASSERT_EQ(0, forge_deafen(b->fd, true));
	len = life_fill(a->fd, 3);
	ASSERT_LT(0, len);
	ASSERT_EQ(0, psp_conn_tx(&p->conn, a));
	ASSERT_EQ(0, shutdown(a->fd, SHUT_WR));
	ASSERT_EQ(0, forge_deafen(b->fd, false));
	EXPECT_EQ(0, life_read(b->fd, 3, len, true));
	EXPECT_EQ(0, policy_wait_state(a->fd, BPF_TCP_FIN_WAIT2));
	ASSERT_EQ(0, psp_conn_tx(&p->conn, b));
	ASSERT_EQ(0, policy_send(b->fd, "under PSP"));
	EXPECT_EQ(0, policy_reads(a->fd, "under PSP"));
	ASSERT_EQ(0, shutdown(b->fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(a->fd, &byte, 1));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_HARNESS_MAIN
