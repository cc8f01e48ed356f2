// SPDX-License-Identifier: GPL-2.0
/*
 * A tx key stays in the device until the last descriptor that names it has
 * completed, however long that takes, and not much longer.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "deferred.h"
#include "watch.h"

#define REKEYS		64
#define TIMEOUT_S	120

FIXTURE(deferred)
{
	struct psp_net net;
	struct psp_conn conn;
	uint32_t handle;		/* of A's first key */
};

FIXTURE_VARIANT(deferred)
{
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(deferred, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(deferred, ipv6)
{
	.family = PSP_IPV6,
};

FIXTURE_SETUP(deferred)
{
	uint32_t handles[DEFERRED_MAX_HANDLES];
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(conn, &self->net, variant->family));
	ASSERT_EQ(0, deferred_no_limits(&self->net.a));
	ASSERT_EQ(0, psp_conn_secure(conn, DEFERRED_VERSION));
	ASSERT_EQ(0, psp_tcp_drain(conn->a.fd, DEFERRED_STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(conn->b.fd, DEFERRED_STALL_MS));
	ASSERT_EQ(1, deferred_handles(&self->net.a, handles));
	self->handle = handles[0];
}

FIXTURE_TEARDOWN(deferred)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* A segment under A's first key waits in the ring, and A has another key */
static int deferred_post_and_rekey(struct psp_conn *conn)
{
	int err;

	err = psp_conn_rotate(conn);
	if (!err)
		err = psp_conn_rx(conn, &conn->b, DEFERRED_VERSION);
	if (!err)
		err = psp_knob_set(conn->a.end, "tx_pause_fetch",
				   DEFERRED_ALL_QUEUES);
	if (!err && send(conn->a.fd, "x", 1, MSG_NOSIGNAL) != 1)
		err = -errno;
	if (!err)
		err = psp_conn_tx(conn, &conn->a);
	return err;
}

/* Does a packet under @spi leave A, until @conn's byte has arrived at B? */
static int deferred_spi_leaves(struct psp_tap *tap, struct psp_conn *conn,
			       uint32_t spi)
{
	static struct psp_frame frame;
	uint64_t deadline = psp_now_ms() + DEFERRED_STALL_MS;
	int left = 0;

	while (psp_tcp_inq(conn->b.fd) != 1 ||
	       psp_tcp_outq(conn->a.fd) != 0) {
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
	while (psp_tap_next(tap, &frame, 0) > 0)
		left += frame.psp && frame.spi == spi &&
			psp_frame_from(&frame, conn->a.end);
	return left;
}

TEST_F(deferred, key_stays_while_a_descriptor_waits_to_be_fetched)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	uint32_t spi = conn->a.tx.spi;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_tap_open(&tap, a));
	ASSERT_EQ(0, deferred_post_and_rekey(conn));
	EXPECT_EQ(0, deferred_stays(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 1));
	EXPECT_EQ(2, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS));
	EXPECT_TRUE(deferred_has_handle(a, self->handle));

	ASSERT_EQ(0, psp_knob_set(a, "tx_pause_fetch", "0"));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 0));
	EXPECT_EQ(1, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS));
	EXPECT_FALSE(deferred_has_handle(a, self->handle));
	EXPECT_EQ(1, deferred_spi_leaves(&tap, conn, spi));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
	psp_tap_close(&tap);
}

/* The test above can fail: a driver that says "nothing in flight" too early
 * loses the segment, and the device notices.
 */
TEST_F(deferred, key_deleted_without_waiting_makes_one_stale_handle)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	uint32_t spi = conn->a.tx.spi;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_tap_open(&tap, a));
	ASSERT_EQ(0, psp_knob_set(a, "delete_early", "1"));
	ASSERT_EQ(0, deferred_post_and_rekey(conn));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED, 1));
	EXPECT_EQ(0, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED));
	EXPECT_FALSE(deferred_has_handle(a, self->handle));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));

	ASSERT_EQ(0, psp_knob_set(a, "tx_pause_fetch", "0"));
	EXPECT_EQ(0, deferred_spi_leaves(&tap, conn, spi));
	EXPECT_EQ(1, psp_gauge(a, "tx_stale_handle"));
	psp_tap_close(&tap);
}

/* A doorbell may lag behind the ring: a key that waits for a descriptor that
 * the device has never been told of would wait for the next packet.
 */
TEST_F(deferred, end_of_a_key_rings_the_doorbell_that_lags)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	uint32_t spi = conn->a.tx.spi;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, DEFERRED_VERSION));
	ASSERT_EQ(0, psp_tap_open(&tap, a));
	ASSERT_EQ(0, psp_knob_set(a, "tx_lose_doorbells",
				  DEFERRED_ALL_QUEUES));
	ASSERT_EQ(1, send(conn->a.fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, psp_tcp_inq(conn->b.fd));

	/* Not for long: any other packet would ring it too */
	ASSERT_EQ(0, psp_knob_set(a, "tx_lose_doorbells", "0"));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED, 1));
	EXPECT_EQ(0, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED));
	EXPECT_EQ(1, deferred_spi_leaves(&tap, conn, spi));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
	psp_tap_close(&tap);
}

TEST_F(deferred, key_without_descriptors_goes_at_once)
{
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, psp_conn_tx(&self->conn, &self->conn.a));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED, 1));
	EXPECT_EQ(0, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED));
	EXPECT_EQ(1, deferred_stat(a, PSP_A_REKEY_STATS_TX_REKEYS));
	EXPECT_FALSE(deferred_has_handle(a, self->handle));
}

TEST_F_TIMEOUT(deferred, keys_stay_while_completions_are_held, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	uint32_t handles[DEFERRED_MAX_HANDLES];
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions",
				  DEFERRED_ALL_QUEUES));
	ASSERT_EQ(0, deferred_message(conn, &conn->a));
	ASSERT_EQ(0, deferred_rekey(conn, &conn->a, REKEYS));
	EXPECT_EQ(0, deferred_stays(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED,
				    REKEYS));
	EXPECT_EQ(REKEYS + 1, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS));
	EXPECT_EQ(REKEYS + 1, deferred_handles(a, handles));
	EXPECT_TRUE(deferred_has_handle(a, self->handle));

	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions", "0"));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 0));
	EXPECT_EQ(1, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS));
	EXPECT_EQ(REKEYS, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED));
	EXPECT_EQ(1, deferred_handles(a, handles));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

TEST_F(deferred, each_step_is_traced)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, watch_trace(true));
	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions",
				  DEFERRED_ALL_QUEUES));
	ASSERT_EQ(0, deferred_message(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 1));
	EXPECT_EQ(1, watch_traced("psp_tx_key_add", ""));
	EXPECT_EQ(1, watch_traced("psp_tx_key_release", ""));
	EXPECT_EQ(1, watch_traced("psp_tx_key_retire", ""));
	EXPECT_EQ(0, watch_traced("psp_tx_key_quiesced", ""));
	EXPECT_EQ(0, watch_traced("psp_tx_key_del", ""));

	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions", "0"));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 0));
	EXPECT_EQ(1, watch_traced("psp_tx_key_quiesced", ""));
	EXPECT_EQ(1, watch_traced("psp_tx_key_del", ""));
	EXPECT_EQ(0, watch_trace(false));
}

/* Completions come one by one and late, but they do come */
TEST_F(deferred, coalescing_does_not_hold_a_key)
{
	const struct psp_moder moder = { .usecs = 10000, .frames = 256 };
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, psp_tune_tx(a, &moder));
	ASSERT_EQ(0, deferred_message(conn, &conn->a));
	ASSERT_EQ(0, deferred_rekey(conn, &conn->a, 8));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED, 8));
	EXPECT_EQ(0, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED));
}

/* A mark is about a ring, not about a key: what was posted after it does not
 * count, what was posted before it does, whosever it is.
 */
TEST_F(deferred, key_waits_for_what_was_posted_before_it_was_retired)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	struct psp_conn other;

	ASSERT_EQ(0, psp_conn_open(&other, &self->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&other, DEFERRED_VERSION));
	ASSERT_EQ(0, psp_tcp_drain(other.a.fd, DEFERRED_STALL_MS));
	ASSERT_EQ(0, psp_conn_tx(&other, &other.a));
	ASSERT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED, 1));
	ASSERT_EQ(0, deferred_message(conn, &conn->a));
	EXPECT_EQ(1, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED));

	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions",
				  DEFERRED_ALL_QUEUES));
	ASSERT_EQ(0, deferred_message(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(&other, &other.a));
	EXPECT_EQ(0, deferred_stays(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 1));
	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions", "0"));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 0));
	psp_conn_close(&other);
}

TEST_HARNESS_MAIN
