// SPDX-License-Identifier: GPL-2.0
/*
 * Rekeying on a bad wire. The harm is done by the wire itself, behind the
 * device: a queue that delays would orphan the segments, and the stack drops
 * marked segments without a socket.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define TIMEOUT_S	90
#define BURST		3000

FIXTURE(wire)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_VARIANT(wire)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(wire, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(wire, gcm256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GCM_256,
	.family = PSP_IPV6,
};

FIXTURE_SETUP(wire)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, STALL_MS));
}

FIXTURE_TEARDOWN(wire)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

static int wire_harm_both(struct psp_net *net, const char *harm,
			  double percent)
{
	int err = psp_wire_harm(&net->a, harm, percent);

	return err ? err : psp_wire_harm(&net->b, harm, percent);
}

/* A transfer both ways with a full rekey every 50 kB */
static int wire_rekey_in_flow(struct psp_conn *conn, int times)
{
	struct psp_xfer xfer[2];
	int err = 0;

	psp_flood_start(conn, xfer);
	while (!err && times--) {
		err = psp_flood_flow(xfer, 50000, STALL_MS);
		if (!err)
			err = psp_conn_rotate(conn);
		if (!err)
			err = psp_conn_rekey(conn);
	}
	if (!err)
		err = psp_flood_flow(xfer, 50000, STALL_MS);
	return err ? err : psp_flood_end(xfer, STALL_MS);
}

TEST_F_TIMEOUT(wire, rekey_with_5_percent_loss, TIMEOUT_S)
{
	ASSERT_EQ(0, wire_harm_both(&self->net, "loss", 5));
	EXPECT_EQ(0, wire_rekey_in_flow(&self->conn, 6));
	EXPECT_GT(psp_tcp_retrans(self->conn.a.fd) +
		  psp_tcp_retrans(self->conn.b.fd), 0);
}

TEST_F_TIMEOUT(wire, rekey_with_5_percent_duplicates, TIMEOUT_S)
{
	ASSERT_EQ(0, wire_harm_both(&self->net, "duplicate", 5));
	EXPECT_EQ(0, wire_rekey_in_flow(&self->conn, 6));
}

TEST_F_TIMEOUT(wire, rekey_with_5_percent_out_of_order, TIMEOUT_S)
{
	ASSERT_EQ(0, wire_harm_both(&self->net, "reorder", 5));
	EXPECT_EQ(0, wire_rekey_in_flow(&self->conn, 6));
}

TEST_F_TIMEOUT(wire, rekey_with_all_of_it_and_damage, TIMEOUT_S)
{
	ASSERT_EQ(0, wire_harm_both(&self->net, "loss", 2));
	ASSERT_EQ(0, wire_harm_both(&self->net, "duplicate", 2));
	ASSERT_EQ(0, wire_harm_both(&self->net, "reorder", 2));
	ASSERT_EQ(0, wire_harm_both(&self->net, "corrupt", 2));
	EXPECT_EQ(0, wire_rekey_in_flow(&self->conn, 6));
}

/* Frames of @end on the wire: waits for one, returns how many bore @spi less
 * the others, so a negative number if most had another SPI
 */
static int wire_count(struct psp_tap *tap, struct psp_end *end, uint32_t spi,
		      int timeout_ms)
{
	static struct psp_frame frame;
	int n = 0;

	while (psp_tap_next(tap, &frame, n ? 0 : timeout_ms) > 0)
		if (frame.psp && psp_frame_from(&frame, end))
			n += frame.spi == spi ? 1 : -1;
	return n;
}

/*
 * All that A sends is lost. It is rekeyed, the wire gets well, B receives
 * everything: by retransmissions only, and they bear the new SPI.
 */
TEST_F_TIMEOUT(wire, retransmissions_go_out_under_the_new_key, TIMEOUT_S)
{
	static struct psp_frame frame;
	struct psp_conn *conn = &self->conn;
	struct psp_xfer xfer;
	struct psp_tap tap;
	int fresh = 0;

	ASSERT_EQ(0, psp_tap_open(&tap, &self->net.a));
	ASSERT_EQ(0, psp_wire_harm(&self->net.a, "loss", 100));
	psp_xfer_init(&xfer, &conn->a, &conn->b, BURST);
	ASSERT_EQ(0, psp_xfer_step(&xfer, 1, STALL_MS));
	ASSERT_EQ(BURST, xfer.sent);
	ASSERT_GT(wire_count(&tap, &self->net.a, conn->a.tx.spi, STALL_MS), 0);

	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->a));
	ASSERT_EQ(0, psp_tcp_inq(conn->b.fd));
	ASSERT_EQ(0, psp_wire_harm(&self->net.a, "loss", 0));
	ASSERT_EQ(0, psp_xfer_run(&xfer, 1, STALL_MS));

	while (psp_tap_next(&tap, &frame, 0) > 0) {
		if (!frame.psp || !psp_frame_from(&frame, &self->net.a))
			continue;
		if (frame.spi == conn->b.rx.spi)
			fresh++;
		else	/* sent before the swap */
			EXPECT_EQ(0, fresh);
	}
	EXPECT_GT(fresh, 0);
	EXPECT_GT(psp_tcp_retrans(conn->a.fd), 0);
	psp_tap_close(&tap);
}

/* The same, but the old key is not even valid any more */
TEST_F_TIMEOUT(wire, loss_outlives_the_old_key, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_xfer xfer[2];
	int i;

	ASSERT_EQ(0, wire_harm_both(&self->net, "loss", 100));
	psp_xfer_init(&xfer[0], &conn->a, &conn->b, BURST);
	psp_xfer_init(&xfer[1], &conn->b, &conn->a, BURST);
	ASSERT_EQ(0, psp_xfer_step(xfer, 2, STALL_MS));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_conn_rotate(conn));
		ASSERT_EQ(0, psp_conn_rekey(conn));
	}
	ASSERT_EQ(0, wire_harm_both(&self->net, "loss", 0));
	EXPECT_EQ(0, psp_xfer_run(xfer, 2, STALL_MS));
}

TEST_HARNESS_MAIN
