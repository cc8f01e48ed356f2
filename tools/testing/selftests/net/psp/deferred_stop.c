// SPDX-License-Identifier: GPL-2.0
/*
 * What ends a socket or stops the rings, while the device holds descriptors
 * with keys that are retired: nothing hangs, and no key stays behind. A few
 * keys and IPv4 will do: nothing here depends on how many or whose they are.
 */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "deferred.h"
#include "psp_slow.h"

#define REKEYS		8
#define TIMEOUT_S	90
/* No deletion may wait for what is held up, which is for ever */
#define SOON_MS		5000

FIXTURE(stop)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_VARIANT(stop)
{
	const char *knob;
};

FIXTURE_VARIANT_ADD(stop, fetch_paused)
{
	.knob = "tx_pause_fetch",
};

FIXTURE_VARIANT_ADD(stop, completions_held)
{
	.knob = "tx_hold_completions",
};

/* Retired keys whose descriptors the device still has */
static int stop_retire(struct psp_conn *conn, const char *knob)
{
	struct psp_end *a = conn->a.end;
	int i, err;

	err = psp_knob_set(a, knob, DEFERRED_ALL_QUEUES);
	if (!err && send(conn->a.fd, "x", 1, MSG_NOSIGNAL) != 1)
		err = -errno;
	for (i = 0; !err && i < REKEYS; i++)
		err = psp_conn_tx(conn, &conn->a);
	return err ? err : deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED,
					 REKEYS);
}

FIXTURE_SETUP(stop)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, DEFERRED_VERSION));
	ASSERT_EQ(0, psp_tcp_drain(conn->a.fd, DEFERRED_STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(conn->b.fd, DEFERRED_STALL_MS));
	ASSERT_EQ(0, stop_retire(conn, variant->knob));
}

FIXTURE_TEARDOWN(stop)
{
	psp_knob_set(&self->net.a, variant->knob, "0");
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* The rings were flushed: only the key of the living socket is left, and the
 * connection goes on.
 */
static int stop_goes_on(struct psp_conn *conn, const char *knob)
{
	struct psp_end *a = conn->a.end;
	char byte;
	int err;

	err = deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 0);
	if (!err && deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS) != 1)
		err = -ERANGE;
	if (!err)
		err = psp_knob_set(a, knob, "0");
	if (!err)
		err = psp_tcp_drain(conn->a.fd, DEFERRED_STALL_MS);
	if (!err && (recv(conn->b.fd, &byte, 1, 0) != 1 || byte != 'x'))
		err = -EIO;
	if (!err)
		err = psp_conn_ping(conn);
	if (!err && psp_gauge(a, "tx_stale_handle"))
		err = -EBADSLT;
	return err;
}

/* Nothing of the socket is left once the device has let go of it */
static int stop_all_go(struct psp_end *end, const char *knob)
{
	int err;

	err = deferred_stays(end, PSP_A_REKEY_STATS_TX_KEYS, REKEYS + 1);
	if (!err)
		err = psp_knob_set(end, knob, "0");
	if (!err)
		err = deferred_wait(end, PSP_A_REKEY_STATS_TX_KEYS, 0);
	if (!err && deferred_stat(end, PSP_A_REKEY_STATS_TX_KEYS_RETIRED))
		err = -ERANGE;
	if (!err && psp_gauge(end, "tx_keys"))
		err = -ERANGE;
	if (!err && psp_gauge(end, "tx_stale_handle"))
		err = -EBADSLT;
	return err;
}

TEST_F_TIMEOUT(stop, close, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, shutdown(conn->b.fd, SHUT_RDWR));
	close(conn->a.fd);
	close(conn->b.fd);
	conn->a.fd = -1;
	conn->b.fd = -1;
	EXPECT_EQ(0, stop_all_go(&self->net.a, variant->knob));
}

TEST_F_TIMEOUT(stop, abort, TIMEOUT_S)
{
	psp_conn_close(&self->conn);
	EXPECT_EQ(0, stop_all_go(&self->net.a, variant->knob));
}

TEST_F_TIMEOUT(stop, link_down, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;
	uint64_t start = psp_now_ms();

	ASSERT_EQ(0, psp_ns_enter(a->ns));
	ASSERT_EQ(0, psp_link_up(a->ifindex, false));
	EXPECT_GT(psp_slow_ms(SOON_MS), psp_now_ms() - start);
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 0));
	ASSERT_EQ(0, psp_link_up(a->ifindex, true));
	/* IPv4 only: the address stays, the neighbour does not */
	ASSERT_EQ(0, psp_link_neigh(a->ifindex, AF_INET, &self->net.b.v4,
				    self->net.b.mac));
	ASSERT_EQ(0, psp_ns_enter(self->net.home));
	EXPECT_EQ(0, stop_goes_on(&self->conn, variant->knob));
}

/* What the stack does about a queue that stays full */
TEST_F_TIMEOUT(stop, transmit_timeout, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;

	EXPECT_EQ(0, psp_ethtool_stat(a, "tx_timeouts"));
	ASSERT_EQ(0, psp_knob_set(a, "tx_time_out", "0"));
	EXPECT_EQ(0, stop_goes_on(&self->conn, variant->knob));
	EXPECT_EQ(1, psp_ethtool_stat(a, "tx_timeouts"));
}

TEST_F_TIMEOUT(stop, fewer_channels, TIMEOUT_S)
{
	ASSERT_EQ(0, psp_tune_channels(&self->net.a, 1));
	EXPECT_EQ(0, stop_goes_on(&self->conn, variant->knob));
}

TEST_F_TIMEOUT(stop, other_ring_sizes, TIMEOUT_S)
{
	ASSERT_EQ(0, psp_tune_rings(&self->net.a, 128, 128));
	EXPECT_EQ(0, stop_goes_on(&self->conn, variant->knob));
}

/* The device keeps its rings, and the keys stay until they have moved on */
TEST_F_TIMEOUT(stop, other_mtu, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, psp_ns_enter(a->ns));
	ASSERT_EQ(0, psp_link_mtu(a->ifindex, 1400));
	ASSERT_EQ(0, psp_ns_enter(self->net.home));
	EXPECT_EQ(0, deferred_stays(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED,
				    REKEYS));
	ASSERT_EQ(0, psp_knob_set(a, variant->knob, "0"));
	EXPECT_EQ(0, stop_goes_on(&self->conn, variant->knob));
}

TEST_F_TIMEOUT(stop, move_to_another_namespace, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;
	struct psp_end moved = *a;

	moved.ns = psp_ns_new();
	ASSERT_LE(0, moved.ns);
	ASSERT_EQ(0, psp_ns_enter(a->ns));
	ASSERT_EQ(0, psp_link_move(a->ifindex, moved.ns));
	ASSERT_EQ(0, psp_ns_enter(moved.ns));
	ASSERT_EQ(0, psp_nl_open(&moved.nl));
	EXPECT_EQ(0, deferred_wait(&moved, PSP_A_REKEY_STATS_TX_KEYS_RETIRED,
				   0));
	EXPECT_EQ(1, deferred_stat(&moved, PSP_A_REKEY_STATS_TX_KEYS));
	/* Back, for those who come after */
	ASSERT_EQ(0, psp_link_move(moved.ifindex, a->ns));
	ASSERT_EQ(0, psp_ns_enter(self->net.home));
	psp_nl_close(&moved.nl);
	close(moved.ns);
}

/* The socket lives on and fails closed; its keys went with the device */
TEST_F_TIMEOUT(stop, device_removed, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;
	uint64_t start = psp_now_ms();

	ASSERT_EQ(0, psp_ns_enter(a->ns));
	ASSERT_EQ(0, psp_link_del(a->ifindex));
	ASSERT_EQ(0, psp_ns_enter(self->net.home));
	EXPECT_GT(psp_slow_ms(SOON_MS), psp_now_ms() - start);
	EXPECT_EQ(-ENODEV, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS));
	EXPECT_EQ(-ENODEV, psp_conn_tx(&self->conn, &self->conn.a));
}

TEST_HARNESS_MAIN
