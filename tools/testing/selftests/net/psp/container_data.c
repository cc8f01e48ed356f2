// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets in a container reach another machine under PSP: across the host by
 * the core's own means, or led by BPF.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "container.h"
#include "psp_wire.h"

#define STALL_MS	20000
#define TIMEOUT_S	90
#define BULK		(512 << 10)

FIXTURE(data)
{
	struct container c;
	struct psp_conn conn;
};

FIXTURE_VARIANT(data)
{
	enum psp_family family;
	bool bpf;
};

FIXTURE_VARIANT_ADD(data, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(data, ipv6)
{
	.family = PSP_IPV6,
};

FIXTURE_VARIANT_ADD(data, mapped)
{
	.family = PSP_MAPPED,
};

FIXTURE_VARIANT_ADD(data, ipv4_by_bpf)
{
	.family = PSP_IPV4,
	.bpf = true,
};

FIXTURE_VARIANT_ADD(data, ipv6_by_bpf)
{
	.family = PSP_IPV6,
	.bpf = true,
};

/* With BPF at work, nothing else is to get through */
static int use_bpf(struct container *c)
{
	int err;

	err = psp_ns_enter(c->net.a.ns);
	if (!err)
		err = psp_sysctl("net/ipv4/ip_forward", "0");
	if (!err)
		err = psp_sysctl("net/ipv6/conf/all/forwarding", "0");
	if (!err)
		err = container_redirect(c);
	return psp_ns_enter(c->net.home) ?: err;
}

FIXTURE_SETUP(data)
{
	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	ASSERT_EQ(0, container_open(&self->c));
	ASSERT_EQ(0, container_assoc(&self->c));
	if (variant->bpf)
		ASSERT_EQ(0, use_bpf(&self->c));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->c.pair,
				   variant->family));
}

FIXTURE_TEARDOWN(data)
{
	psp_conn_close(&self->conn);
	container_close(&self->c);
}

TEST_F_TIMEOUT(data, flows_under_psp_in_every_version, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	uint32_t version;

	for (version = 0; version < PSP_VERSIONS; version++) {
		if (version)
			ASSERT_EQ(0, psp_conn_open(conn, &self->c.pair,
						   variant->family));
		ASSERT_EQ(0, psp_conn_secure(conn, version));
		EXPECT_EQ(0, psp_xfer_both(conn, BULK / 8, STALL_MS));
		psp_conn_close(conn);
	}
}

/* Segments with data on the cable, by kind; true if there was nothing else */
static bool only_psp(struct psp_tap *tap, int *psp)
{
	static struct psp_frame frame;
	bool only = true;

	*psp = 0;
	while (psp_tap_next(tap, &frame, 0) > 0) {
		*psp += frame.psp;
		only &= frame.psp || frame.proto != IPPROTO_TCP;
	}
	return only;
}

TEST_F_TIMEOUT(data, nothing_plain_on_the_wire, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_stats a, b;
	struct psp_tap tap;
	int psp;

	ASSERT_EQ(0, psp_tap_open(&tap, &self->c.net.a));
	ASSERT_EQ(0, psp_conn_ping(conn));
	EXPECT_FALSE(only_psp(&tap, &psp));

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, psp_tcp_drain(conn->a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(conn->b.fd, STALL_MS));
	psp_tap_flush(&tap);
	ASSERT_EQ(0, psp_xfer_both(conn, BULK / 8, STALL_MS));
	EXPECT_TRUE(only_psp(&tap, &psp));
	EXPECT_LE(2 * BULK / 8 / 1460, psp);
	psp_tap_close(&tap);

	/* And the container may see it for itself */
	ASSERT_EQ(0, psp_nl_stats(&self->c.pair.a.nl, self->c.pair.a.dev_id,
				  &a));
	ASSERT_EQ(0, psp_nl_stats(&self->c.pair.b.nl, self->c.pair.b.dev_id,
				  &b));
	EXPECT_LT(psp / 4, psp_stat(&a, TX_PACKETS));
	EXPECT_LT(psp / 4, psp_stat(&b, TX_PACKETS));
	EXPECT_EQ(0, psp_stat(&a, RX_AUTH_FAIL));
	EXPECT_EQ(0, psp_stat(&b, RX_AUTH_FAIL));
}

TEST_F_TIMEOUT(data, rekey_while_data_flows, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_xfer xfer[2];
	int i;

	ASSERT_EQ(0, psp_conn_secure(conn, 1));
	psp_flood_start(conn, xfer);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_flood_flow(xfer, BULK / 8, STALL_MS));
		/* Not the container's to do: see container_dev.c */
		ASSERT_EQ(0, psp_nl_rotate(&self->c.net.a.nl,
					   self->c.net.a.dev_id));
		ASSERT_EQ(0, psp_nl_rotate(&self->c.net.b.nl,
					   self->c.net.b.dev_id));
		ASSERT_EQ(0, psp_flood_flow(xfer, BULK / 8, STALL_MS));
		ASSERT_EQ(0, psp_conn_rekey(conn));
		ASSERT_EQ(0, psp_flood_flow(xfer, BULK / 8, STALL_MS));
	}
	EXPECT_EQ(0, psp_flood_end(xfer, STALL_MS));
}

/* The container listens: its socket may not have sent anything of its own */
TEST_F_TIMEOUT(data, container_accepts, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	uint16_t port = 0;
	int listener, fd;

	psp_conn_close(conn);
	listener = psp_tcp_listen(&self->c.pair.a, variant->family, &port);
	ASSERT_GE(listener, 0);
	conn->a.fd = psp_tcp_socket(&self->c.pair.b, variant->family);
	ASSERT_GE(conn->a.fd, 0);
	conn->b.end = &self->c.pair.a;
	ASSERT_EQ(0, psp_conn_finish(conn, listener, port));
	close(listener);
	fd = conn->a.fd;
	conn->a.fd = conn->b.fd;
	conn->b.fd = fd;
	conn->b.end = &self->c.pair.b;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	EXPECT_EQ(0, psp_xfer_both(conn, BULK, STALL_MS));
}

/* The last acknowledgment is that of a time-wait socket, or of the container */
static void expect_closes(struct __test_metadata *_metadata,
			  struct psp_conn *conn, struct psp_side *first)
{
	struct psp_side *last = psp_conn_peer(conn, first);
	struct psp_xfer there, back;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	psp_xfer_init(&there, first, last, BULK / 8);
	there.close = true;
	ASSERT_EQ(0, psp_xfer_run(&there, 1, STALL_MS));
	psp_xfer_init(&back, last, first, BULK / 8);
	back.close = true;
	ASSERT_EQ(0, psp_xfer_run(&back, 1, STALL_MS));
	EXPECT_EQ(0, psp_tcp_drain(last->fd, STALL_MS));
}

TEST_F_TIMEOUT(data, container_closes_first, TIMEOUT_S)
{
	expect_closes(_metadata, &self->conn, &self->conn.a);
}

TEST_F_TIMEOUT(data, other_end_closes_first, TIMEOUT_S)
{
	expect_closes(_metadata, &self->conn, &self->conn.b);
}

TEST_F_TIMEOUT(data, container_resets, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	const struct linger now = { .l_onoff = 1 };
	struct pollfd pfd = { .events = POLLIN };
	char c;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	setsockopt(conn->a.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(conn->a.fd);
	conn->a.fd = -1;
	pfd.fd = conn->b.fd;
	ASSERT_EQ(1, poll(&pfd, 1, STALL_MS));
	ASSERT_EQ(-1, recv(conn->b.fd, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_HARNESS_MAIN
