// SPDX-License-Identifier: GPL-2.0
/*
 * TCP_REPAIR cannot be kept away from a socket with state. It lets a process
 * with CAP_NET_ADMIN give a socket that it has disconnected a connection
 * without a handshake, with sequence numbers of its own choice.
 */
#include <errno.h>
#include <unistd.h>

#include "life_fixture.h"

static int repair(int fd, int how)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &how, sizeof(how)) ?
	       -errno : 0;
}

static int set_seq(int fd, int queue, uint32_t seq)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue,
		       sizeof(queue)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, sizeof(seq)))
		return -errno;
	return 0;
}

/* Without a handshake nobody has offered a window */
static int set_window(int fd, uint32_t rcv)
{
	const struct tcp_repair_window window = {
		.snd_wl1 = rcv,
		.snd_wnd = 60000,
		.max_window = 60000,
		.rcv_wnd = 60000,
		.rcv_wup = rcv,
	};

	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window,
			  sizeof(window)) ? -errno : 0;
}

static int local_port(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		return -errno;
	return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

/* Nothing of what the socket has sent is still in the device */
static int wait_sent(int fd)
{
	uint64_t end = psp_now_ms() + LIFE_MS;

	while (psp_tcp_wmem(fd)) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

/* The socket of A loses its connection without a word, and gets another one */
static int reincarnate(struct policy *p, uint16_t from, uint16_t to,
		       uint32_t snd, uint32_t rcv)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct psp_conn *conn = &p->conn;
	struct sockaddr_storage addr;
	int fd = conn->a.fd, err;
	socklen_t len;

	err = repair(fd, TCP_REPAIR_ON);
	if (err)
		return err;
	if (connect(fd, &none, sizeof(none)))
		return -errno;
	err = wait_sent(fd);
	if (!err)
		err = set_seq(fd, TCP_SEND_QUEUE, snd);
	if (!err)
		err = set_seq(fd, TCP_RECV_QUEUE, rcv);
	if (err)
		return err;
	len = psp_addr(conn->a.end, conn->family, from, &addr);
	if (bind(fd, (struct sockaddr *)&addr, len))
		return -errno;
	len = psp_addr(conn->b.end, conn->family, to, &addr);
	if (connect(fd, (struct sockaddr *)&addr, len))
		return -errno;
	err = set_window(fd, rcv);
	return err ?: repair(fd, TCP_REPAIR_OFF_NO_WP);
}

/* Reading and writing sequence numbers harms nothing */
TEST_F(life, repair_on_and_off_leaves_the_connection_alone)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, repair(p->conn.a.fd, TCP_REPAIR_ON));
	EXPECT_EQ(-EPERM, set_seq(p->conn.a.fd, TCP_SEND_QUEUE, 1));
	/* With the window probe that this means */
	ASSERT_EQ(0, repair(p->conn.a.fd, TCP_REPAIR_OFF));
	EXPECT_EQ(0, psp_xfer_both(&p->conn, LIFE_BULK, LIFE_MS));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* Segments from A in plain text */
static int plain_from_a(struct wire *wire)
{
	struct wire_seg seg;
	int num = 0;

	while (wire_next(wire, &seg, 0) > 0)
		num += seg.from_a && !seg.psp;
	return num;
}

/* Plain text is on its way when A gets its tx key, and is never acknowledged:
 * its sequence numbers may be used again, but not for more plain text.
 */
TEST_F(life, repair_does_not_bring_back_numbers_that_were_plain)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->conn;
	int from = local_port(conn->a.fd), to = local_port(conn->b.fd);

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, p->version));
	ASSERT_EQ(0, life_cut(&p->net.a, true));
	ASSERT_EQ(0, policy_send(conn->a.fd, "before"));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));

	ASSERT_EQ(0, reincarnate(p, from, to, p->forge.ack, p->forge.seq));
	wire_key(&self->wire, &conn->a.tx);
	wire_flush(&self->wire);
	ASSERT_EQ(0, life_cut(&p->net.a, false));
	ASSERT_EQ(0, policy_send(conn->a.fd, "secret"));
	EXPECT_EQ(0, policy_reads(conn->b.fd, "secret"));
	EXPECT_EQ(0, plain_from_a(&self->wire));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_EQ(0, psp_conn_ping(conn));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* Replies that TCP sends without the socket find the state by the new ports */
TEST_F(life, repaired_socket_is_answered_for_under_psp)
{
	struct policy *p = &self->p;
	struct wire_seg seg;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	self->wire.a_port = 7005;
	ASSERT_EQ(0, reincarnate(p, 7005, local_port(p->conn.b.fd),
				 p->forge.ack, p->forge.seq));
	p->forge.dport = htons(7005);
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_RDWR));
	ASSERT_EQ(0, life_next(&self->wire, true, FORGE_FIN, &seg));

	/* All of A's stream has come, but there is nobody to read B's */
	p->forge.ack++;
	ASSERT_EQ(0, forge_psp_text(&p->forge, "too late", p->version,
				    &p->conn.a.rx));
	EXPECT_EQ(0, life_next(&self->wire, true, FORGE_RST, &seg));
}

/* Nor does it make the keys good for somebody else */
TEST_F(life, repaired_socket_stays_with_its_peer)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	self->wire.a_port = 0;
	self->wire.b_port = 0;
	ASSERT_EQ(0, reincarnate(p, 7006, 7007, p->forge.ack, p->forge.seq));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "nobody's business"));
	EXPECT_EQ(0, life_wait_drops(p, "tx-peer", 2));
	EXPECT_EQ(0, wire_tally(&self->wire));
	EXPECT_EQ(0, self->wire.count.plain + self->wire.count.psp);
}

TEST_HARNESS_MAIN
