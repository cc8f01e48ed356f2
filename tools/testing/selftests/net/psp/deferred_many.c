// SPDX-License-Identifier: GPL-2.0
/*
 * A device with thousands of retired keys goes away quickly: nobody waits for a
 * descriptor, and the table is not emptied key by key.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "deferred.h"
#include "psp_slow.h"

#define KEYS		2000		/* fewer on a slow kernel */
#define TIMEOUT_S	180
/* Deleting them one by one would take KEYS times as long as this */
#define LATENCY_US	"100000"
#define SOON_MS		5000

FIXTURE(many)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_SETUP(many)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, DEFERRED_VERSION));
}

FIXTURE_TEARDOWN(many)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

TEST_F_TIMEOUT(many, retired_keys_do_not_hold_up_the_device, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	int i, keys = psp_scaled(KEYS);
	uint64_t start;

	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions",
				  DEFERRED_ALL_QUEUES));
	ASSERT_EQ(1, send(conn->a.fd, "x", 1, MSG_NOSIGNAL));
	for (i = 0; i < keys; i++)
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, keys));

	ASSERT_EQ(0, psp_knob_set(a, "mbox_latency_us", LATENCY_US));
	ASSERT_EQ(0, psp_ns_enter(a->ns));
	start = psp_now_ms();
	ASSERT_EQ(0, psp_link_del(a->ifindex));
	EXPECT_GT(psp_slow_ms(SOON_MS), psp_now_ms() - start);
	ASSERT_EQ(0, psp_ns_enter(self->net.home));
	EXPECT_EQ(-ENODEV, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS));
}

TEST_HARNESS_MAIN
