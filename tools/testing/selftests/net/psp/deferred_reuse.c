// SPDX-License-Identifier: GPL-2.0
/*
 * Slots of the key table that are used again at once: a handle that lived too
 * short would lead to another flow's key. Meanwhile flows change their queues,
 * and the generations of the slots come to their end and begin anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "deferred.h"
#include "psp_slow.h"

#define FLOWS		8
#define QUEUES		4
#define SPARE_SLOTS	4
#define REKEYS		120	/* of each flow; fewer on a slow kernel */
#define MOVES		8	/* how often flows change their queues */
#define TIMEOUT_S	120
/* A handle whose generation is one of the upper half */
#define HANDLE_LATE	0x80000000

FIXTURE(reuse)
{
	struct psp_net net;
	struct psp_conn conn[FLOWS];
	struct psp_xfer xfer[FLOWS];
	int rekeys[FLOWS];
	int full;			/* no slot was free */
};

FIXTURE_SETUP(reuse)
{
	int i;

	ASSERT_EQ(0, psp_net_open_queues(&self->net, QUEUES));
	ASSERT_EQ(0, psp_knob_set(&self->net.a, "key_reuse_lifo", "1"));
	ASSERT_EQ(0, psp_knob_set(&self->net.a, "tx_key_limit", "%d",
				  FLOWS + SPARE_SLOTS));
	/* A slot is used more than twice as often as that */
	ASSERT_EQ(0, psp_knob_set(&self->net.a, "key_generations_left", "%d",
				  psp_scaled(REKEYS) / 4));
	for (i = 0; i < FLOWS; i++) {
		ASSERT_EQ(0, psp_conn_open(&self->conn[i], &self->net,
					   i % 2 ? PSP_IPV6 : PSP_IPV4));
		ASSERT_EQ(0, psp_conn_secure(&self->conn[i],
					     i % PSP_VERSIONS));
		psp_xfer_init(&self->xfer[i], &self->conn[i].a,
			      &self->conn[i].b, 1ULL << 40);
	}
}

FIXTURE_TEARDOWN(reuse)
{
	int i;

	for (i = 0; i < FLOWS; i++)
		psp_conn_close(&self->conn[i]);
	psp_net_close(&self->net);
}

/* Rekey the flows in turn until the table is full. The number of them, or
 * -errno.
 */
static int reuse_rekey(struct psp_conn *conn, int *rekeys, int want, int *full)
{
	int i, err, n = 0;

	for (i = 0; i < FLOWS; i++) {
		if (rekeys[i] == want)
			continue;
		err = psp_conn_tx(&conn[i], &conn[i].a);
		if (err == -ENOSPC) {
			++*full;
			break;
		}
		if (err)
			return err;
		rekeys[i]++;
		n++;
	}
	return n;
}

/* All CPUs send by one queue, @round tells which: flows follow when they have
 * nothing in flight.
 */
static int reuse_move(struct psp_end *end, int round)
{
	return psp_sh(end->ns,
		      "unshare -m sh -c 'mount -t sysfs none /sys && "
		      "cd /sys/class/net/%s/queues && "
		      "for q in tx-*; do echo 0 > $q/xps_cpus || exit 1; done;"
		      "echo 3 > tx-%d/xps_cpus'", end->ifname,
		      round % QUEUES) ? -EIO : 0;
}

/* Keep the flows busy until each has been rekeyed @want times */
static int reuse_run(struct psp_conn *conn, struct psp_xfer *xfer, int *rekeys,
		     int want, int *full)
{
	uint64_t deadline = psp_now_ms() + DEFERRED_STALL_MS;
	int left = FLOWS * want, i, n, err;

	for (i = 0; i < FLOWS; i++)
		left -= rekeys[i];
	while (left) {
		err = psp_xfer_step(xfer, FLOWS, DEFERRED_STALL_MS);
		if (err)
			return err;
		n = reuse_rekey(conn, rekeys, want, full);
		if (n < 0)
			return n;
		left -= n;
		if (n)
			deadline = psp_now_ms() + DEFERRED_STALL_MS;
		else
			psp_nap();
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
	}
	return 0;
}

/* How many of the handles have generations of the upper half? */
static int reuse_late(struct psp_end *end)
{
	uint32_t handles[DEFERRED_MAX_HANDLES];
	int n = deferred_handles(end, handles), late = 0;

	if (n != FLOWS)
		return n < 0 ? n : -ERANGE;
	while (n--)
		late += handles[n] >= HANDLE_LATE;
	return late;
}

TEST_F_TIMEOUT(reuse, eight_busy_flows_share_four_spare_slots, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a, *b = &self->net.b;
	int i, rekeys = psp_scaled(REKEYS);
	struct psp_stats stats;
	char counter[32];

	ASSERT_EQ(FLOWS, reuse_late(a));
	for (i = 1; i <= MOVES; i++) {
		ASSERT_EQ(0, reuse_move(a, i));
		ASSERT_EQ(0, reuse_run(self->conn, self->xfer, self->rekeys,
				       rekeys * i / MOVES, &self->full));
	}
	for (i = 0; i < FLOWS; i++) {
		EXPECT_LT(0, self->xfer[i].rcvd);
		self->xfer[i].len = self->xfer[i].sent;
	}
	EXPECT_EQ(0, psp_xfer_run(self->xfer, FLOWS, DEFERRED_STALL_MS));

	EXPECT_LT(0, self->full);
	for (i = 0; i < QUEUES; i++) {
		snprintf(counter, sizeof(counter), "q%d_hw_tx_psp_packets", i);
		EXPECT_LT(0, psp_ethtool_stat(a, counter));
	}
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS_RETIRED, 0));
	EXPECT_EQ(FLOWS, deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS));
	EXPECT_EQ(0, reuse_late(a));
	EXPECT_EQ(FLOWS * rekeys,
		  deferred_stat(a, PSP_A_REKEY_STATS_TX_REKEYS));
	EXPECT_EQ(FLOWS * rekeys,
		  deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED));
	ASSERT_EQ(0, psp_nl_stats(&b->nl, b->dev_id, &stats));
	EXPECT_EQ(0, psp_stat(&stats, RX_AUTH_FAIL));
	EXPECT_EQ(0, psp_stat(&stats, RX_BAD));
}

TEST_HARNESS_MAIN
