// SPDX-License-Identifier: GPL-2.0
/*
 * TIME_WAIT: the policy table goes on to hold, and acknowledgments that TCP
 * sends without the socket are under PSP. A plain SYN may take the pair over.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "policy.h"

FIXTURE(timewait)
{
	struct policy p;
	struct wire wire;
};

FIXTURE_VARIANT(timewait)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(timewait, ipv4)
{
	.family = PSP_IPV4,
	.version = 0,
};

FIXTURE_VARIANT_ADD(timewait, ipv6)
{
	.family = PSP_IPV6,
	.version = 1,
};

FIXTURE_SETUP(timewait)
{
	ASSERT_EQ(0, policy_open(&self->p, variant->family, variant->version));
	ASSERT_EQ(0, wire_open(&self->wire, &self->p.conn));
}

FIXTURE_TEARDOWN(timewait)
{
	wire_close(&self->wire);
	policy_close(&self->p);
}

static void close_fd(int *fd)
{
	close(*fd);
	*fd = -1;
}

/* Time-wait sockets at A on the connection's port */
static int timewaits(const struct policy *p)
{
	return policy_timewaits(&p->net.a, ntohs(p->forge.dport));
}

static int wait_timewaits(const struct policy *p, int num)
{
	uint64_t end = psp_now_ms() + POLICY_MS;

	while (timewaits(p) != num) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

/*
 * A closes first, B later: afterwards A is in TIME_WAIT. Without its file, or
 * with it: that makes a difference in the kernel.
 */
static void enter_timewait(struct __test_metadata *_metadata,
			   struct policy *p, bool close_a, bool deaf_b)
{
	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_WR));
	ASSERT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_FIN_WAIT2));
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	if (close_a)
		close_fd(&p->conn.a.fd);
	if (deaf_b)
		ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, shutdown(p->conn.b.fd, SHUT_WR));
	ASSERT_EQ(0, wait_timewaits(p, 1));
	/* What A expects from now on */
	p->forge.seq++;
}

static void know_keys(struct policy *p, struct wire *wire)
{
	wire_key(wire, &p->conn.a.rx);
	wire_key(wire, &p->conn.b.rx);
	wire_flush(wire);
}

/* Both ends are done, and nobody says anything any more */
static void enter_quiet_timewait(struct __test_metadata *_metadata,
				 struct policy *p, struct wire *wire,
				 enum policy_column column)
{
	ASSERT_EQ(0, policy_reach(p, column));
	enter_timewait(_metadata, p, true, false);
	ASSERT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	ASSERT_EQ(0, policy_dropped_none(p));
	know_keys(p, wire);
}

/* The next segment from A, 0 if there is none for a while */
static int next_from_a(struct wire *wire, struct wire_seg *seg, int timeout_ms)
{
	int ret;

	do {
		ret = wire_next(wire, seg, timeout_ms);
	} while (ret > 0 && !seg->from_a);
	return ret;
}

/*
 * B does not hear that its FIN has been acknowledged, and sends it again and
 * again. The first acknowledgment may be the socket's, the later ones are not.
 */
static void expect_acks_secured(struct __test_metadata *_metadata,
				struct policy *p, struct wire *wire,
				bool close_a)
{
	struct wire_seg seg;
	int i = 0;

	know_keys(p, wire);
	enter_timewait(_metadata, p, close_a, true);
	while (i < 3) {
		ASSERT_EQ(1, next_from_a(wire, &seg, POLICY_MS));
		ASSERT_TRUE(seg.psp);
		i += !(seg.flags & FORGE_FIN) && seg.ack == p->forge.seq;
	}
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, false));
	EXPECT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(timewait, ack_is_secured)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
	expect_acks_secured(_metadata, &self->p, &self->wire, true);
}

TEST_F(timewait, ack_beside_open_file_is_secured)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
	expect_acks_secured(_metadata, &self->p, &self->wire, false);
}

TEST_F(timewait, ack_after_rekey_is_secured)
{
	struct policy *p = &self->p;

	if (!psp_nl_rekeys(&p->net.a.nl))
		SKIP(return, PSP_NO_REKEYING);
	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, psp_conn_rekey(&p->conn));
	ASSERT_EQ(0, psp_conn_ping(&p->conn));
	expect_acks_secured(_metadata, p, &self->wire, true);
}

/* Without PSP a forged reset ends TIME_WAIT, and forged data are answered */
TEST_F(timewait, rx_plain_rst__no_state_accepted)
{
	const struct forge_seg rst = { .flags = FORGE_RST };
	struct policy *p = &self->p;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_NO_STATE);
	ASSERT_EQ(0, forge_plain(&p->forge, &rst));
	EXPECT_EQ(0, wait_timewaits(p, 0));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* Not answered: nothing from A on the wire before the drop was counted, and
 * nothing after it. Mainline's PSP gives no reason for a drop in TIME_WAIT.
 */
static void expect_no_answer(struct __test_metadata *_metadata,
			     struct policy *p, struct wire *wire,
			     const char *reason)
{
	struct wire_seg seg;

	if (psp_nl_rekeys(&p->net.a.nl))
		EXPECT_EQ(0, policy_dropped(p, reason, 1));
	EXPECT_EQ(0, next_from_a(wire, &seg, 100));
	EXPECT_EQ(1, timewaits(p));
}

TEST_F(timewait, rx_plain_rst__psp_full_dropped)
{
	const struct forge_seg rst = { .flags = FORGE_RST };
	struct policy *p = &self->p;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_PSP_FULL);
	ASSERT_EQ(0, forge_plain(&p->forge, &rst));
	expect_no_answer(_metadata, p, &self->wire, "plain-full");
}

TEST_F(timewait, rx_psp_rst__psp_full_accepted)
{
	const struct forge_seg rst = { .flags = FORGE_RST };
	struct policy *p = &self->p;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_PSP_FULL);
	ASSERT_EQ(0, forge_psp(&p->forge, &rst, p->version, &p->conn.a.rx));
	EXPECT_EQ(0, wait_timewaits(p, 0));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(timewait, rx_plain_data__no_state_accepted)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_NO_STATE);
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	ASSERT_EQ(1, next_from_a(&self->wire, &seg, POLICY_MS));
	EXPECT_EQ(p->forge.seq, seg.ack);
}

TEST_F(timewait, rx_plain_data__psp_full_dropped)
{
	struct policy *p = &self->p;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_PSP_FULL);
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	expect_no_answer(_metadata, p, &self->wire, "plain-full");
}

/* One before the window: without PSP this would be answered as well */
TEST_F(timewait, rx_plain_ack__psp_full_dropped)
{
	const struct forge_seg ack = { .seq = -1, .flags = FORGE_ACK };
	struct policy *p = &self->p;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_PSP_FULL);
	ASSERT_EQ(0, forge_plain(&p->forge, &ack));
	expect_no_answer(_metadata, p, &self->wire, "plain-full");
}

/* B has no tx key, and closes in plain text. A hears it, and answers under
 * PSP; forged data are another matter.
 */
TEST_F(timewait, rx_plain_fin_at_latched_rcv_nxt__tx_key_accepted)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	know_keys(p, &self->wire);
	enter_timewait(_metadata, p, true, true);
	do {
		ASSERT_EQ(1, next_from_a(&self->wire, &seg, POLICY_MS));
		ASSERT_TRUE(seg.psp);
	} while (seg.ack != p->forge.seq);
	wire_flush(&self->wire);

	/* Again: B does not hear */
	ASSERT_EQ(1, next_from_a(&self->wire, &seg, POLICY_MS));
	EXPECT_TRUE(seg.psp);
	EXPECT_EQ(p->forge.seq, seg.ack);
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, false));
	EXPECT_EQ(0, policy_wait_state(p->conn.b.fd, BPF_TCP_CLOSE));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(timewait, rx_plain_data__tx_key_dropped)
{
	struct policy *p = &self->p;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_TX_KEY);
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	expect_no_answer(_metadata, p, &self->wire, "plain-data");
}

/* A socket that is going to call from @port */
static int socket_at(const struct psp_end *end, enum psp_family family,
		     uint16_t port)
{
	struct sockaddr_storage addr;
	socklen_t len = psp_addr(end, family, port, &addr);
	int fd = psp_tcp_socket(end, family);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, len)) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* The same pair again, with @from connecting and @to listening. The kernel may
 * want the pair to be a second old.
 */
static int connect_again(struct policy *p, enum psp_family family,
			 struct psp_conn *conn, uint16_t from, uint16_t to)
{
	uint64_t end = psp_now_ms() + POLICY_MS;
	int listener, err;

	*conn = p->conn;
	conn->family = family;
	listener = psp_tcp_listen(conn->b.end, family, &to);
	if (listener < 0)
		return listener;
	do {
		conn->a.fd = socket_at(conn->a.end, family, from);
		if (conn->a.fd < 0)
			return conn->a.fd;
		err = psp_conn_finish(conn, listener, to);
		if (err == -EADDRNOTAVAIL)
			close(conn->a.fd);
		psp_nap();
	} while (err == -EADDRNOTAVAIL && psp_now_ms() < end);
	close(listener);
	return err;
}

/* Nothing of the old connection sticks to the new one: plain text passes both
 * ways, the old keys are good for nothing, and new ones can be had.
 */
static void expect_new_connection(struct __test_metadata *_metadata,
				  struct policy *p, struct psp_conn *conn,
				  const struct psp_key *old)
{
	char byte;

	EXPECT_EQ(0, psp_conn_ping(conn));
	EXPECT_EQ(0, policy_dropped_none(p));
	ASSERT_EQ(0, forge_sync(&p->forge, conn->a.fd));
	ASSERT_EQ(0, forge_psp_text(&p->forge, "forged", p->version, old));
	EXPECT_EQ(0, psp_conn_ping(conn));
	EXPECT_EQ(-1, recv(conn->a.fd, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(0, psp_conn_secure(conn, p->version));
	policy_abort(conn);
}

static int reuse_timewait(struct policy *p)
{
	int err = psp_ns_enter(p->net.a.ns);

	if (!err)
		err = psp_sysctl("net/ipv4/tcp_tw_reuse", "1");
	return psp_ns_enter(p->net.home) ?: err;
}

/* A, in TIME_WAIT, calls again from the same port */
TEST_F(timewait, pair_taken_over_by_own_syn)
{
	struct policy *p = &self->p;
	struct psp_conn again;

	ASSERT_EQ(0, reuse_timewait(p));
	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_PSP_FULL);
	ASSERT_EQ(0, connect_again(p, variant->family, &again,
				   ntohs(p->forge.dport),
				   ntohs(p->forge.sport)));
	EXPECT_EQ(0, timewaits(p));
	expect_new_connection(_metadata, p, &again, &p->conn.a.rx);
}

static void swap_sides(struct psp_conn *conn)
{
	struct psp_side side = conn->a;

	conn->a = conn->b;
	conn->b = side;
}

/* The two ends change roles: B called, and A has to answer */
TEST_F(timewait, pair_taken_over_by_peers_syn)
{
	struct policy *p = &self->p;
	struct psp_conn again;

	enter_quiet_timewait(_metadata, p, &self->wire, POLICY_PSP_FULL);
	ASSERT_EQ(1, timewaits(p));
	swap_sides(&p->conn);
	ASSERT_EQ(0, connect_again(p, variant->family, &again,
				   ntohs(p->forge.sport),
				   ntohs(p->forge.dport)));
	EXPECT_EQ(0, timewaits(p));
	swap_sides(&p->conn);
	swap_sides(&again);
	expect_new_connection(_metadata, p, &again, &p->conn.a.rx);
}

TEST_HARNESS_MAIN
