// SPDX-License-Identifier: GPL-2.0
/*
 * Rekeying too late, and rekeying often: device keys live for two rotations,
 * what is sent under an older one is lost, but the connection is not.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define TIMEOUT_S	90
#define REFUSED		3	/* a few, retransmissions among them */

FIXTURE(stale)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_end *a;
	struct psp_end *b;
};

FIXTURE_VARIANT(stale)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(stale, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(stale, gmac256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GMAC_256,
	.family = PSP_IPV6,
};

FIXTURE_SETUP(stale)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, STALL_MS));
	self->a = &self->net.a;
	self->b = &self->net.b;
}

FIXTURE_TEARDOWN(stale)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

static int stale_rotate(struct psp_end *end, int times)
{
	int err = 0;

	while (!err && times--)
		err = psp_nl_rotate(&end->nl, end->dev_id);
	return err;
}

TEST_F(stale, one_rotation_changes_nothing)
{
	ASSERT_EQ(0, psp_conn_rotate(&self->conn));
	EXPECT_EQ(0, psp_xfer_both(&self->conn, 100000, STALL_MS));
	EXPECT_EQ(0, psp_end_refused(self->a) + psp_end_refused(self->b));
}

TEST_F(stale, two_rotations_without_rekey_stop_rx)
{
	struct psp_xfer xfer;

	ASSERT_EQ(0, stale_rotate(self->b, 2));
	psp_xfer_init(&xfer, &self->conn.a, &self->conn.b, 20000);
	ASSERT_EQ(0, psp_xfer_step(&xfer, 1, STALL_MS));
	EXPECT_EQ(0, psp_end_wait_refused(self->b, REFUSED, STALL_MS));
	EXPECT_EQ(0, psp_tcp_inq(self->conn.b.fd));
	EXPECT_EQ(20000, psp_tcp_outq(self->conn.a.fd));
}

/* The other direction works meanwhile, if only until its window is full: the
 * acknowledgments are among what is lost.
 */
TEST_F(stale, late_rx_rekey_loses_no_byte)
{
	struct psp_conn *conn = &self->conn;
	struct psp_xfer xfer[2];

	ASSERT_EQ(0, stale_rotate(self->b, 2));
	psp_xfer_init(&xfer[0], &conn->a, &conn->b, 200000);
	psp_xfer_init(&xfer[1], &conn->b, &conn->a, 200000);
	ASSERT_EQ(0, psp_xfer_until(&xfer[1], 1, 5000, STALL_MS));
	ASSERT_EQ(0, psp_xfer_step(&xfer[0], 1, STALL_MS));
	ASSERT_EQ(0, psp_end_wait_refused(self->b, REFUSED, STALL_MS));
	EXPECT_EQ(0, xfer[0].rcvd);

	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->a));
	EXPECT_EQ(0, psp_xfer_run(xfer, 2, STALL_MS));
}

TEST_F(stale, both_ends_come_back_with_keys_from_another_channel)
{
	struct psp_conn *conn = &self->conn;
	struct psp_xfer xfer[2];

	ASSERT_EQ(0, stale_rotate(self->a, 3));
	ASSERT_EQ(0, stale_rotate(self->b, 2));
	psp_xfer_init(&xfer[0], &conn->a, &conn->b, 200000);
	psp_xfer_init(&xfer[1], &conn->b, &conn->a, 200000);
	ASSERT_EQ(0, psp_xfer_step(xfer, 2, STALL_MS));
	ASSERT_EQ(0, psp_end_wait_refused(self->a, REFUSED, STALL_MS));
	ASSERT_EQ(0, psp_end_wait_refused(self->b, REFUSED, STALL_MS));
	EXPECT_EQ(0, xfer[0].rcvd + xfer[1].rcvd);

	ASSERT_EQ(0, psp_conn_rekey(conn));
	EXPECT_EQ(0, psp_xfer_run(xfer, 2, STALL_MS));
}

/* Counted is each socket that was left behind, when that happened */
TEST_F(stale, events_count_sockets_left_behind)
{
	struct psp_conn more[2];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, psp_conn_open(&more[i], &self->net,
					   variant->family));
		ASSERT_EQ(0, psp_conn_secure(&more[i], variant->version));
	}
	ASSERT_EQ(0, stale_rotate(self->b, 1));
	EXPECT_EQ(0, psp_end_stat(self->b, PSP_A_STATS_STALE_EVENTS));
	ASSERT_EQ(0, psp_conn_rekey_dir(&self->conn, &self->conn.a));
	ASSERT_EQ(0, stale_rotate(self->b, 1));
	EXPECT_EQ(2, psp_end_stat(self->b, PSP_A_STATS_STALE_EVENTS));
	ASSERT_EQ(0, stale_rotate(self->b, 1));
	EXPECT_EQ(3, psp_end_stat(self->b, PSP_A_STATS_STALE_EVENTS));
	ASSERT_EQ(0, stale_rotate(self->b, 1));
	EXPECT_EQ(3, psp_end_stat(self->b, PSP_A_STATS_STALE_EVENTS));
	EXPECT_EQ(4, psp_end_stat(self->b, PSP_A_STATS_KEY_ROTATIONS));
	EXPECT_EQ(0, psp_end_stat(self->a, PSP_A_STATS_STALE_EVENTS));
	EXPECT_EQ(0, psp_end_stat(self->a, PSP_A_STATS_KEY_ROTATIONS));
	for (i = 0; i < 2; i++)
		psp_conn_close(&more[i]);
}

static int stale_module_users(void)
{
	FILE *file = fopen("/sys/module/psp/refcnt", "re");
	int n = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &n) != 1)
		n = -1;
	fclose(file);
	return n;
}

TEST_F(stale, closed_sockets_are_not_left_behind)
{
	struct linger linger = { .l_onoff = 1 };
	uint64_t deadline = psp_now_ms() + STALL_MS;
	int users = stale_module_users();

	ASSERT_EQ(0, setsockopt(self->conn.a.fd, SOL_SOCKET, SO_LINGER,
				&linger, sizeof(linger)));
	psp_conn_close(&self->conn);
	/* Each of the two holds the module twice until it is destroyed */
	while (stale_module_users() > users - 4) {
		ASSERT_LT(psp_now_ms(), deadline);
		psp_nap();
	}
	ASSERT_EQ(0, stale_rotate(self->b, 3));
	EXPECT_EQ(0, psp_end_stat(self->b, PSP_A_STATS_STALE_EVENTS));
	EXPECT_EQ(3, psp_end_stat(self->b, PSP_A_STATS_KEY_ROTATIONS));
}

/* Fewer on a slow kernel */
TEST_F_TIMEOUT(stale, hundred_rotations_during_one_transfer, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int i, num = psp_scaled(100);
	struct psp_xfer xfer[2];

	psp_flood_start(conn, xfer);
	for (i = 0; i < num; i++) {
		ASSERT_EQ(0, psp_conn_rotate(conn));
		ASSERT_EQ(0, psp_conn_rekey(conn));
		ASSERT_EQ(0, psp_flood_flow(xfer, 20000, STALL_MS));
	}
	EXPECT_EQ(0, psp_flood_end(xfer, STALL_MS));
	EXPECT_EQ(num, psp_end_stat(self->a, PSP_A_STATS_KEY_ROTATIONS));
	EXPECT_EQ(num, psp_end_stat(self->b, PSP_A_STATS_KEY_ROTATIONS));
	EXPECT_EQ(0, psp_end_stat(self->a, PSP_A_STATS_STALE_EVENTS));
	EXPECT_EQ(0, psp_end_stat(self->b, PSP_A_STATS_STALE_EVENTS));
	/* Replaced tx keys leave the device, soon */
	EXPECT_EQ(0, psp_gauge_wait(self->a, "tx_keys", 1, STALL_MS));
	EXPECT_EQ(0, psp_gauge_wait(self->b, "tx_keys", 1, STALL_MS));
}

TEST_HARNESS_MAIN
