// SPDX-License-Identifier: GPL-2.0
/*
 * Segments that TCP sends to hear whether the peer is there: keepalives, window
 * probes, retransmissions. They are PSP, and so are the answers.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "life_fixture.h"

static int set(int fd, int level, int name, int val)
{
	return setsockopt(fd, level, name, &val, sizeof(val)) ? -errno : 0;
}

static int keep_alive(int fd, int probes)
{
	int err = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);

	if (!err)
		err = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	if (!err)
		err = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	return err ?: set(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

/* One before what is next, and without data: then the peer has to answer */
TEST_F(life, keepalive_probes_are_answered_under_psp)
{
	struct policy *p = &self->p;
	struct wire_seg seg;
	int i;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, keep_alive(p->conn.a.fd, 1));
	for (i = 0; i < 3; i++) {
		do {
			ASSERT_EQ(0, life_next(&self->wire, true, FORGE_ACK,
					       &seg));
			EXPECT_EQ(0, seg.len);
		} while (seg.seq + 1 != p->forge.ack);
		ASSERT_EQ(0, life_next(&self->wire, false, FORGE_ACK, &seg));
		EXPECT_EQ(p->forge.ack, seg.ack);
	}
	EXPECT_EQ(BPF_TCP_ESTABLISHED, policy_tcp_state(p->conn.a.fd));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* A probe that is forged is not answered, and a forged answer does not count */
TEST_F(life, keepalive_ends_a_connection_whose_peer_is_gone)
{
	const struct forge_seg ack = { .flags = FORGE_ACK };
	struct policy *p = &self->p;
	struct life_seen seen;
	int i;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, keep_alive(p->conn.a.fd, 2));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, forge_plain(&p->forge, &ack));
	ASSERT_EQ(0, life_poll(p->conn.a.fd, POLLIN));
	EXPECT_EQ(-ETIMEDOUT, policy_read(p->conn.a.fd, &i, 1));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 3));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(3, seen.plain);
	EXPECT_LT(0, seen.psp[FROM_A]);
}

/* B does not read until A has asked again and again, in vain */
static void fill_window(struct __test_metadata *_metadata, struct policy *p,
			int64_t *len)
{
	int64_t probes = psp_snmp(p->net.a.ns, "TcpExt", "TCPWinProbe");

	ASSERT_GE(probes, 0);
	ASSERT_EQ(0, set(p->conn.a.fd, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 19));
	*len = life_fill(p->conn.a.fd, 4);
	ASSERT_LT(0, *len);
	ASSERT_EQ(0, life_wait_snmp(&p->net.a, "TCPWinProbe", probes, 2));
	ASSERT_LT(0, psp_tcp_outq(p->conn.a.fd));
}

TEST_F(life, window_probes_are_answered_under_psp)
{
	struct policy *p = &self->p;
	int64_t len;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	fill_window(_metadata, p, &len);
	EXPECT_EQ(0, life_read(p->conn.b.fd, 4, len, false));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* The window opens when both ends have other keys */
TEST_F(life, window_opens_after_a_rekey)
{
	struct policy *p = &self->p;
	int64_t len;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	fill_window(_metadata, p, &len);
	ASSERT_EQ(0, life_rekey(p, &self->wire));
	EXPECT_EQ(0, life_read(p->conn.b.fd, 4, len, false));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* Data, retransmitted to nobody, until TCP_USER_TIMEOUT is over */
TEST_F(life, user_timeout_ends_a_connection_that_nobody_acknowledges)
{
	struct policy *p = &self->p;
	struct life_seen seen;
	char byte;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, set(p->conn.a.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 2000));
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "anybody there?"));
	ASSERT_EQ(0, life_poll(p->conn.a.fd, POLLIN));
	EXPECT_EQ(-ETIMEDOUT, policy_read(p->conn.a.fd, &byte, 1));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_LE(2, seen.psp[FROM_A]);
	EXPECT_EQ(0, seen.psp[FROM_B]);
}

/* The same for a peer whose window stays shut */
TEST_F(life, user_timeout_ends_a_connection_whose_window_stays_shut)
{
	struct policy *p = &self->p;
	struct life_seen seen;
	int64_t len;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	fill_window(_metadata, p, &len);
	ASSERT_EQ(0, set(p->conn.a.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1));
	ASSERT_EQ(0, life_poll(p->conn.a.fd, POLLHUP));
	EXPECT_EQ(BPF_TCP_CLOSE, policy_tcp_state(p->conn.a.fd));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_HARNESS_MAIN
