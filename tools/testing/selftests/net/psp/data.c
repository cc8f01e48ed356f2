// SPDX-License-Identifier: GPL-2.0
/* Data over PSP: all of it arrives, in each version and IP family */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define BULK		(8 << 20)
#define STALL_MS	20000
#define TIMEOUT_S	120
#define MTU_FRAME	1514	/* Ethernet header and an MTU of 1500 */

FIXTURE(data)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_VARIANT(data)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(data, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(data, gcm128_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV6,
};

FIXTURE_VARIANT_ADD(data, gcm256_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_256,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(data, gcm256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GCM_256,
	.family = PSP_IPV6,
};

FIXTURE_VARIANT_ADD(data, gmac128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GMAC_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(data, gmac128_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GMAC_128,
	.family = PSP_IPV6,
};

FIXTURE_VARIANT_ADD(data, gmac256_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GMAC_256,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(data, gmac256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GMAC_256,
	.family = PSP_IPV6,
};

FIXTURE_VARIANT_ADD(data, gcm128_v4mapped)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_MAPPED,
};

FIXTURE_SETUP(data)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
}

FIXTURE_TEARDOWN(data)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/*
 * Both directions at once, and both are half-closed behind the last byte. Less
 * than eight megabytes on a slow kernel.
 */
TEST_F_TIMEOUT(data, eight_megabytes_arrive_each_way, TIMEOUT_S)
{
	const unsigned int bulk = psp_scaled(BULK);
	struct psp_conn *conn = &self->conn;
	struct psp_stats a, b;
	struct psp_xfer xfer[2];

	ASSERT_EQ(0, psp_conn_secure(conn, variant->version));
	psp_xfer_init(&xfer[0], &conn->a, &conn->b, bulk);
	psp_xfer_init(&xfer[1], &conn->b, &conn->a, bulk);
	xfer[0].close = true;
	xfer[1].close = true;
	ASSERT_EQ(0, psp_xfer_run(xfer, 2, STALL_MS));

	ASSERT_EQ(0, psp_nl_stats(&self->net.a.nl, self->net.a.dev_id, &a));
	ASSERT_EQ(0, psp_nl_stats(&self->net.b.nl, self->net.b.dev_id, &b));
	EXPECT_GE(psp_stat(&a, TX_BYTES), bulk);
	EXPECT_GE(psp_stat(&a, RX_BYTES), bulk);
	EXPECT_EQ(0, psp_stat(&a, RX_AUTH_FAIL) + psp_stat(&b, RX_AUTH_FAIL));
	EXPECT_EQ(0, psp_stat(&a, RX_ERROR) + psp_stat(&b, RX_ERROR));
	EXPECT_EQ(0, psp_stat(&a, RX_BAD) + psp_stat(&b, RX_BAD));
	EXPECT_EQ(0, psp_stat(&a, TX_ERROR) + psp_stat(&b, TX_ERROR));
}

/* The sending MSS of both ends, which must be the same; 0 if it is not */
static int data_mss(const struct psp_conn *conn)
{
	int mss = psp_tcp_mss(conn->a.fd);

	return mss == psp_tcp_mss(conn->b.fd) ? mss : 0;
}

TEST_F(data, mss_falls_by_40_at_tx_assoc_and_never_again)
{
	struct psp_conn *conn = &self->conn;
	int mss, i;

	ASSERT_EQ(0, psp_conn_ping(conn));
	mss = data_mss(conn);
	ASSERT_GT(mss, 1400);
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, variant->version));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, variant->version));
	EXPECT_EQ(mss, data_mss(conn));

	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_EQ(mss - 40, psp_tcp_mss(conn->a.fd));
	EXPECT_EQ(mss, psp_tcp_mss(conn->b.fd));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_EQ(mss - 40, data_mss(conn));

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_xfer_both(conn, 50000, STALL_MS));
		EXPECT_EQ(mss - 40, data_mss(conn));
		if (!psp_nl_rekeys(&self->net.a.nl))
			continue;
		ASSERT_EQ(0, psp_conn_rotate(conn));
		ASSERT_EQ(0, psp_conn_rekey(conn));
		EXPECT_EQ(mss - 40, data_mss(conn));
	}
}

/* IP options come and go: both calls compute the overhead anew */
static int data_touch_options(int fd, enum psp_family family)
{
	static const uint8_t nops[4] = { 1, 1, 1, 0 };
	uint8_t dstopts[8] = { 0, 0, 1, 4 };

	if (family != PSP_IPV6)
		return setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nops, 4) ||
		       setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0);
	return setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, dstopts, 8) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, NULL, 0);
}

TEST_F(data, ip_option_calls_do_not_undo_the_overhead)
{
	struct psp_conn *conn = &self->conn;
	int mss;

	ASSERT_EQ(0, psp_conn_secure(conn, variant->version));
	mss = data_mss(conn);
	ASSERT_EQ(0, data_touch_options(conn->a.fd, variant->family));
	ASSERT_EQ(0, data_touch_options(conn->b.fd, variant->family));
	ASSERT_EQ(0, psp_xfer_both(conn, 50000, STALL_MS));
	/* Mainline's TCP over IPv6 goes on without the room of old options */
	if (psp_nl_rekeys(&self->net.a.nl))
		EXPECT_EQ(mss, data_mss(conn));
	EXPECT_GE(mss, psp_tcp_mss(conn->a.fd));
	EXPECT_GE(mss, psp_tcp_mss(conn->b.fd));
}

TEST_F(data, no_frame_is_plain_or_longer_than_the_mtu)
{
	static struct psp_frame frame;
	struct psp_conn *conn = &self->conn;
	unsigned int longest = 0;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_secure(conn, variant->version));
	ASSERT_EQ(0, psp_tcp_drain(conn->a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tap_open(&tap, &self->net.a));
	ASSERT_EQ(0, psp_xfer_both(conn, 200000, STALL_MS));
	while (psp_tap_next(&tap, &frame, 0) > 0) {
		EXPECT_NE(IPPROTO_TCP, frame.proto);
		if (!frame.psp)
			continue;
		EXPECT_EQ(variant->version, frame.version);
		if (frame.len > longest)
			longest = frame.len;
	}
	EXPECT_EQ(MTU_FRAME, longest);
	psp_tap_close(&tap);
}

FIXTURE(flow)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_SETUP(flow)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
}

FIXTURE_TEARDOWN(flow)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

TEST_F(flow, goes_on_one_way_when_the_other_is_closed)
{
	struct psp_side *side[2] = { &self->conn.a, &self->conn.b };
	struct psp_xfer xfer;
	int i;

	for (i = 0; i < 2; i++) {
		psp_xfer_init(&xfer, side[i], side[!i], 10000);
		xfer.close = true;
		ASSERT_EQ(0, psp_xfer_run(&xfer, 1, STALL_MS));
		if (!i)
			ASSERT_EQ(0, psp_xfer_one(side[1], side[0], 1 << 20,
						  STALL_MS));
	}
}

TEST_F(flow, ends_with_a_reset_when_the_peer_aborts)
{
	struct pollfd pfd = { .fd = self->conn.b.fd, .events = POLLIN };
	struct linger linger = { .l_onoff = 1 };
	char byte;

	ASSERT_EQ(0, setsockopt(self->conn.a.fd, SOL_SOCKET, SO_LINGER,
				&linger, sizeof(linger)));
	close(self->conn.a.fd);
	self->conn.a.fd = -1;
	ASSERT_EQ(1, poll(&pfd, 1, STALL_MS));
	EXPECT_EQ(-1, recv(self->conn.b.fd, &byte, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_F(flow, survives_small_writes)
{
	struct psp_xfer xfer[2];
	uint64_t len;

	psp_xfer_init(&xfer[0], &self->conn.a, &self->conn.b, 0);
	psp_xfer_init(&xfer[1], &self->conn.b, &self->conn.a, 0);
	for (len = 1; len < 3000; len += 97) {
		xfer[0].len += len;
		xfer[1].len += 3000 - len;
		ASSERT_EQ(0, psp_xfer_run(xfer, 2, STALL_MS));
	}
}

TEST_F(flow, survives_an_mtu_that_falls)
{
	int mss = psp_tcp_mss(self->conn.a.fd);

	ASSERT_EQ(0, psp_xfer_both(&self->conn, 100000, STALL_MS));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_mtu(self->net.a.ifindex, 1400));
	ASSERT_EQ(0, psp_xfer_one(&self->conn.a, &self->conn.b, 100000,
				  STALL_MS));
	EXPECT_EQ(mss - 100, psp_tcp_mss(self->conn.a.fd));
}

TEST_F(flow, source_port_stays_the_same)
{
	static struct psp_frame frame;
	uint16_t port[2] = { 0, 0 };
	struct psp_tap tap;
	int i, from_a;

	ASSERT_EQ(0, psp_tap_open(&tap, &self->net.a));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_xfer_both(&self->conn, 50000, STALL_MS));
		if (!psp_nl_rekeys(&self->net.a.nl))
			continue;
		ASSERT_EQ(0, psp_conn_rotate(&self->conn));
		ASSERT_EQ(0, psp_conn_rekey(&self->conn));
	}
	while (psp_tap_next(&tap, &frame, 0) > 0) {
		if (!frame.psp)
			continue;
		from_a = psp_frame_from(&frame, &self->net.a);
		if (!port[from_a])
			port[from_a] = frame.sport;
		EXPECT_EQ(port[from_a], frame.sport);
	}
	EXPECT_NE(0, port[0]);
	EXPECT_NE(0, port[1]);
	psp_tap_close(&tap);
}

TEST_HARNESS_MAIN
