// SPDX-License-Identifier: GPL-2.0
/*
 * A connection lives through rotations of the device keys: the rules of
 * rekeying, one by one, on a good wire.
 */
#include <errno.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define TIMEOUT_S	90
#define PHASE_BIT	0x80000000U

FIXTURE(rekey)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_VARIANT(rekey)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(rekey, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(rekey, gmac256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GMAC_256,
	.family = PSP_IPV6,
};

FIXTURE_SETUP(rekey)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
}

FIXTURE_TEARDOWN(rekey)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* SPIs of the newest PSP packets that have crossed the wire: older ones may
 * have been under way in the device while the key was changed.
 */
static void rekey_wire_spis(struct psp_tap *tap, struct psp_net *net,
			    uint32_t *from_a, uint32_t *from_b)
{
	static struct psp_frame frame;
	int timeout_ms = STALL_MS;

	*from_a = 0;
	*from_b = 0;
	for (; psp_tap_next(tap, &frame, timeout_ms) > 0; timeout_ms = 100) {
		if (frame.psp && psp_frame_from(&frame, &net->a))
			*from_a = frame.spi;
		if (frame.psp && psp_frame_from(&frame, &net->b))
			*from_b = frame.spi;
	}
}

TEST_F_TIMEOUT(rekey, both_ends_while_data_flows_both_ways, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_key old_a = conn->a.rx, old_b = conn->b.rx;
	struct psp_xfer xfer[2];

	psp_flood_start(conn, xfer);
	ASSERT_EQ(0, psp_flood_flow(xfer, 200000, STALL_MS));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_flood_flow(xfer, 200000, STALL_MS));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, variant->version));
	ASSERT_EQ(0, psp_flood_flow(xfer, 200000, STALL_MS));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, variant->version));
	ASSERT_EQ(0, psp_flood_flow(xfer, 200000, STALL_MS));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, psp_flood_flow(xfer, 200000, STALL_MS));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(0, psp_flood_flow(xfer, 200000, STALL_MS));
	ASSERT_EQ(0, psp_flood_end(xfer, STALL_MS));

	EXPECT_EQ(PHASE_BIT, (old_a.spi ^ conn->a.rx.spi) & PHASE_BIT);
	EXPECT_EQ(PHASE_BIT, (old_b.spi ^ conn->b.rx.spi) & PHASE_BIT);
	EXPECT_EQ(0, psp_end_refused(&self->net.a));
	EXPECT_EQ(0, psp_end_refused(&self->net.b));
	EXPECT_EQ(0, psp_end_stat(&self->net.a, PSP_A_STATS_STALE_EVENTS));
	EXPECT_EQ(0, psp_end_stat(&self->net.b, PSP_A_STATS_STALE_EVENTS));
}

struct rekey_thread {
	struct psp_conn *conn;
	struct psp_side *side;
	pthread_barrier_t *barrier;
	int err;
};

static void *rekey_thread(void *arg)
{
	struct rekey_thread *t = arg;

	t->err = psp_conn_rx(t->conn, t->side, t->conn->version);
	pthread_barrier_wait(t->barrier);
	if (!t->err)
		t->err = psp_conn_tx(t->conn, t->side);
	return NULL;
}

TEST_F_TIMEOUT(rekey, both_ends_at_the_same_time, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct rekey_thread t[2] = {
		{ .conn = conn, .side = &conn->a },
		{ .conn = conn, .side = &conn->b },
	};
	pthread_barrier_t barrier;
	struct psp_xfer xfer[2];
	pthread_t thread[2];
	int round, i;

	pthread_barrier_init(&barrier, NULL, 2);
	psp_flood_start(conn, xfer);
	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, psp_flood_flow(xfer, 100000, STALL_MS));
		ASSERT_EQ(0, psp_conn_rotate(conn));
		for (i = 0; i < 2; i++) {
			t[i].barrier = &barrier;
			ASSERT_EQ(0, pthread_create(&thread[i], NULL,
						    rekey_thread, &t[i]));
		}
		ASSERT_EQ(0, psp_flood_flow(xfer, 100000, STALL_MS));
		for (i = 0; i < 2; i++) {
			pthread_join(thread[i], NULL);
			EXPECT_EQ(0, t[i].err);
		}
	}
	EXPECT_EQ(0, psp_flood_end(xfer, STALL_MS));
}

/* A's packets still bear the SPI that B had before its rx rekey */
TEST_F(rekey, rx_alone_and_previous_spi_is_accepted)
{
	struct psp_conn *conn = &self->conn;
	struct psp_tap tap;
	uint32_t from_a, from_b;

	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, variant->version));
	ASSERT_NE(conn->a.tx.spi, conn->b.rx.spi);
	ASSERT_EQ(0, psp_tap_open(&tap, &self->net.a));
	EXPECT_EQ(0, psp_xfer_both(conn, 200000, STALL_MS));
	rekey_wire_spis(&tap, &self->net, &from_a, &from_b);
	EXPECT_EQ(conn->a.tx.spi, from_a);
	EXPECT_EQ(0, psp_end_refused(&self->net.b));
	psp_tap_close(&tap);
}

TEST_F(rekey, one_direction_alone_leaves_the_other_as_it_was)
{
	struct psp_conn *conn = &self->conn;
	struct psp_tap tap;
	uint32_t from_a, from_b;

	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_tap_open(&tap, &self->net.a));
	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->a));
	ASSERT_EQ(0, psp_tcp_drain(conn->a.fd, STALL_MS));
	psp_tap_flush(&tap);
	EXPECT_EQ(0, psp_xfer_both(conn, 200000, STALL_MS));
	rekey_wire_spis(&tap, &self->net, &from_a, &from_b);
	EXPECT_EQ(conn->b.rx.spi, from_a);
	EXPECT_EQ(conn->a.rx.spi, from_b);
	psp_tap_close(&tap);
}

/* The chain ends at the previous one, and what the peer sends under an older
 * SPI is lost until it changes its key, but not for ever.
 */
TEST_F(rekey, spi_before_the_previous_is_dropped)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *b = &self->net.b;
	struct psp_xfer xfer;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, psp_nl_rotate(&b->nl, b->dev_id));
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, variant->version));
	}
	psp_xfer_init(&xfer, &conn->a, &conn->b, 50000);
	ASSERT_EQ(0, psp_xfer_step(&xfer, 1, STALL_MS));
	ASSERT_EQ(0, psp_end_wait_refused(b, 1, STALL_MS));
	EXPECT_EQ(0, psp_tcp_inq(conn->b.fd));

	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_EQ(0, psp_xfer_run(&xfer, 1, STALL_MS));
}

TEST_F(rekey, tx_alone_with_the_key_in_use_is_allowed)
{
	struct psp_conn *conn = &self->conn;
	struct psp_xfer xfer[2];
	int i;

	psp_flood_start(conn, xfer);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, psp_flood_flow(xfer, 50000, STALL_MS));
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	}
	EXPECT_EQ(0, psp_flood_end(xfer, STALL_MS));
	EXPECT_EQ(0, psp_end_refused(&self->net.b));
}

/* The receiver knows both, so there is no order between them */
TEST_F(rekey, tx_may_go_back_to_the_previous_spi)
{
	struct psp_conn *conn = &self->conn;
	struct psp_key old = conn->a.tx;
	struct psp_xfer xfer[2];

	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->a));
	psp_flood_start(conn, xfer);
	ASSERT_EQ(0, psp_flood_flow(xfer, 100000, STALL_MS));
	ASSERT_EQ(0, psp_nl_tx_assoc(&self->net.a.nl, self->net.a.dev_id,
				     variant->version, conn->a.fd, &old));
	ASSERT_EQ(0, psp_flood_flow(xfer, 100000, STALL_MS));
	EXPECT_EQ(0, psp_flood_end(xfer, STALL_MS));
	EXPECT_EQ(0, psp_end_refused(&self->net.b));
}

/* What is handed to the device after the swap bears the new SPI */
TEST_F(rekey, tx_is_an_instant)
{
	static struct psp_frame frame;
	struct psp_conn *conn = &self->conn;
	uint32_t old = conn->a.tx.spi;
	unsigned int olds = 0, news = 0;
	struct psp_xfer xfer[2];
	struct psp_tap tap;

	ASSERT_EQ(0, psp_tap_open(&tap, &self->net.a));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	psp_flood_start(conn, xfer);
	ASSERT_EQ(0, psp_flood_flow(xfer, 100000, STALL_MS));
	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->a));
	ASSERT_EQ(0, psp_flood_flow(xfer, 100000, STALL_MS));
	ASSERT_EQ(0, psp_flood_end(xfer, STALL_MS));
	while (psp_tap_next(&tap, &frame, 0) > 0) {
		if (!frame.psp || !psp_frame_from(&frame, &self->net.a))
			continue;
		if (frame.spi == old) {
			EXPECT_EQ(0, news);
			olds++;
		} else {
			EXPECT_EQ(conn->b.rx.spi, frame.spi);
			news++;
		}
	}
	EXPECT_GT(olds, 0);
	EXPECT_GT(news, 0);
	psp_tap_close(&tap);
}

TEST_F(rekey, half_closed_connection_can_be_rekeyed)
{
	struct psp_conn *conn = &self->conn;
	struct psp_xfer xfer;

	psp_xfer_init(&xfer, &conn->b, &conn->a, 1000);
	xfer.close = true;
	ASSERT_EQ(0, psp_xfer_run(&xfer, 1, STALL_MS));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rekey(conn));
	psp_xfer_init(&xfer, &conn->a, &conn->b, 100000);
	xfer.close = true;
	EXPECT_EQ(0, psp_xfer_run(&xfer, 1, STALL_MS));
}

TEST_HARNESS_MAIN
