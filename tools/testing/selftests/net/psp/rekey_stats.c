// SPDX-License-Identifier: GPL-2.0
/*
 * The counters that mainline does not have: rekey-stats-get.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "policy.h"
#include "psp_lib.h"

#define NO_SUCH_DEV	999999
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128
#define MAX_DEVS	8

FIXTURE(rekey_stats)
{
	struct policy p;
	struct psp_end *a;
	struct psp_end *b;
	struct psp_rekey_stats stats;
};

FIXTURE_SETUP(rekey_stats)
{
	ASSERT_EQ(0, policy_open(&self->p, PSP_IPV4, VERSION));
	self->a = &self->p.net.a;
	self->b = &self->p.net.b;
	if (!psp_nl_rekeys(&self->a->nl))
		SKIP(return, PSP_NO_REKEYING);
}

FIXTURE_TEARDOWN(rekey_stats)
{
	policy_close(&self->p);
}

static uint64_t all_attrs(int max)
{
	return (2ULL << max) - 2;
}

TEST_F(rekey_stats, tells_everything_and_nothing_else)
{
	struct psp_rekey_stats *stats = &self->stats;
	int i;

	ASSERT_EQ(0, psp_nl_rekey_stats(&self->a->nl, self->a->dev_id, stats));
	EXPECT_EQ(all_attrs(PSP_A_REKEY_STATS_MAX), stats->attrs);
	EXPECT_EQ(all_attrs(PSP_A_DROPS_MAX), stats->drop_attrs);
	EXPECT_EQ(self->a->dev_id, stats->val[PSP_A_REKEY_STATS_DEV_ID]);
	for (i = PSP_A_REKEY_STATS_RX_REKEYS; i < PSP_A_REKEY_STATS_DROPS; i++)
		EXPECT_EQ(0, stats->val[i]);
	for (i = 1; i <= PSP_A_DROPS_MAX; i++)
		EXPECT_EQ(0, stats->drops[i]);
}

TEST_F(rekey_stats, refusals)
{
	struct psp_rekey_stats *stats = &self->stats;
	struct psp_nl *nl = &self->a->nl;

	EXPECT_REFUSED(nl, psp_nl_rekey_stats(nl, 0, stats), -ERANGE, "dev-id",
		       "");
	EXPECT_REFUSED(nl, psp_nl_rekey_stats(nl, NO_SUCH_DEV, stats), -ENODEV,
		       "", "");
	EXPECT_REFUSED(nl, psp_nl_rekey_stats(nl, self->b->dev_id, stats),
		       -ENOENT, "", "");

	psp_nl_start(nl, PSP_CMD_REKEY_STATS_GET);
	EXPECT_REFUSED(nl, psp_nl_do(nl), -EINVAL, "", "dev-id");
}

TEST_F(rekey_stats, dump_lists_the_devices_of_the_namespace)
{
	struct psp_rekey_stats stats[MAX_DEVS];

	ASSERT_EQ(1, psp_nl_rekey_stats_dump(&self->a->nl, stats, MAX_DEVS));
	EXPECT_EQ(self->a->dev_id, stats[0].val[PSP_A_REKEY_STATS_DEV_ID]);
	EXPECT_EQ(all_attrs(PSP_A_REKEY_STATS_MAX), stats[0].attrs);
}

TEST_F(rekey_stats, count_rekeys_of_each_direction)
{
	struct psp_conn *conn = &self->p.conn;
	struct psp_rekey_stats *stats = &self->stats;

	ASSERT_EQ(0, psp_conn_secure(conn, VERSION));
	ASSERT_EQ(0, psp_nl_rekey_stats(&self->a->nl, self->a->dev_id, stats));
	EXPECT_EQ(0, stats->val[PSP_A_REKEY_STATS_RX_REKEYS]);
	EXPECT_EQ(0, stats->val[PSP_A_REKEY_STATS_TX_REKEYS]);
	EXPECT_EQ(1, stats->val[PSP_A_REKEY_STATS_TX_KEYS]);

	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, VERSION));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(0, psp_nl_rekey_stats(&self->a->nl, self->a->dev_id, stats));
	EXPECT_EQ(1, stats->val[PSP_A_REKEY_STATS_RX_REKEYS]);
	EXPECT_EQ(0, stats->val[PSP_A_REKEY_STATS_TX_REKEYS]);
	ASSERT_EQ(0, psp_nl_rekey_stats(&self->b->nl, self->b->dev_id, stats));
	EXPECT_EQ(0, stats->val[PSP_A_REKEY_STATS_RX_REKEYS]);
	EXPECT_EQ(1, stats->val[PSP_A_REKEY_STATS_TX_REKEYS]);
}

/* A refused rekey is none */
TEST_F(rekey_stats, do_not_count_what_was_refused)
{
	struct psp_conn *conn = &self->p.conn;
	struct psp_rekey_stats *stats = &self->stats;

	ASSERT_EQ(0, psp_conn_secure(conn, VERSION));
	ASSERT_EQ(-EBUSY, psp_conn_rx(conn, &conn->a, VERSION));
	ASSERT_EQ(-EINVAL, psp_nl_tx_assoc(&self->a->nl, self->a->dev_id,
					   VERSION + 1, conn->a.fd,
					   &conn->a.tx));
	ASSERT_EQ(0, psp_nl_rekey_stats(&self->a->nl, self->a->dev_id, stats));
	EXPECT_EQ(0, stats->val[PSP_A_REKEY_STATS_RX_REKEYS]);
	EXPECT_EQ(0, stats->val[PSP_A_REKEY_STATS_TX_REKEYS]);
	EXPECT_EQ(1, stats->val[PSP_A_REKEY_STATS_TX_KEYS]);
	EXPECT_EQ(0, stats->val[PSP_A_REKEY_STATS_TX_KEYS_DELETED]);
}

TEST_F(rekey_stats, drops_are_those_of_the_device)
{
	const struct forge_seg ack = { .seq = 6, .flags = FORGE_ACK };
	struct psp_rekey_stats *stats = &self->stats;
	int i;

	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
	ASSERT_EQ(0, forge_plain(&self->p.forge, &ack));
	ASSERT_EQ(0, policy_dropped(&self->p, "plain-full", 1));

	ASSERT_EQ(0, psp_nl_rekey_stats(&self->a->nl, self->a->dev_id, stats));
	for (i = 1; i <= PSP_A_DROPS_MAX; i++)
		EXPECT_EQ(i == PSP_A_DROPS_PLAIN_FULL, stats->drops[i]);
	ASSERT_EQ(0, psp_nl_rekey_stats(&self->b->nl, self->b->dev_id, stats));
	EXPECT_EQ(0, stats->drops[PSP_A_DROPS_PLAIN_FULL]);
}

TEST_HARNESS_MAIN
