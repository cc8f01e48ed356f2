// SPDX-License-Identifier: GPL-2.0
/*
 * Rings come and go below connections that do not notice: sizes and number of
 * rings, MTU, down and up, offloads, all under data both ways.
 */
#include <errno.h>
#include <poll.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define TIMEOUT_S	120
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128
#define SOME		50000

FIXTURE(ring)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_xfer xfer[2];
};

FIXTURE_VARIANT(ring)
{
	bool psp;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(ring, psp_ipv4)
{
	.psp = true,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(ring, psp_ipv6)
{
	.psp = true,
	.family = PSP_IPV6,
};

FIXTURE_VARIANT_ADD(ring, plain_ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
	if (variant->psp)
		ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
	psp_flood_start(&self->conn, self->xfer);
	ASSERT_EQ(0, psp_flood_flow(self->xfer, SOME, STALL_MS));
}

FIXTURE_TEARDOWN(ring)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* All bytes that were sent arrive, and no packet had a key that was wrong */
static int ring_end(struct psp_net *net, struct psp_xfer *xfer)
{
	struct psp_end *ends[] = { &net->a, &net->b };
	struct psp_stats stats;
	int i, err;

	err = psp_flood_flow(xfer, SOME, STALL_MS);
	if (!err)
		err = psp_flood_end(xfer, STALL_MS);
	for (i = 0; !err && i < 2; i++) {
		err = psp_nl_stats(&ends[i]->nl, ends[i]->dev_id, &stats);
		if (!err && (psp_gauge(ends[i], "tx_stale_handle") ||
			     psp_stat(&stats, RX_AUTH_FAIL) ||
			     psp_stat(&stats, RX_BAD) ||
			     psp_stat(&stats, RX_ERROR) ||
			     psp_stat(&stats, TX_ERROR)))
			err = -EBADMSG;
	}
	return err;
}

TEST_F_TIMEOUT(ring, sizes_change, TIMEOUT_S)
{
	static const uint32_t sizes[] = { 64, 4096, 128, 512, 64 };
	struct psp_end *a = &self->net.a;
	struct ethtool_ringparam ring;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, psp_tune_rings(a, sizes[i], sizes[4 - i]));
		ASSERT_EQ(0, psp_tune_get_rings(a, &ring));
		EXPECT_EQ(sizes[i], ring.tx_pending);
		EXPECT_EQ(sizes[4 - i], ring.rx_pending);
		ASSERT_EQ(0, psp_flood_flow(self->xfer, SOME, STALL_MS));
	}
	EXPECT_EQ(0, ring_end(&self->net, self->xfer));
}

TEST_F_TIMEOUT(ring, queues_go_and_come_back, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;
	struct ethtool_channels ch;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, psp_tune_channels(a, 1 + i % 2));
		ASSERT_EQ(0, psp_tune_get_channels(a, &ch));
		EXPECT_EQ(2, ch.max_combined);
		EXPECT_EQ(1 + i % 2, ch.combined_count);
		ASSERT_EQ(0, psp_flood_flow(self->xfer, SOME, STALL_MS));
	}
	EXPECT_EQ(0, ring_end(&self->net, self->xfer));
}

static int ring_mtu(struct psp_end *end, int mtu)
{
	int err = psp_ns_enter(end->ns);

	return err ? err : psp_link_mtu(end->ifindex, mtu);
}

/* Of both ends: a port drops what is longer than its own MTU */
TEST_F_TIMEOUT(ring, mtu_changes, TIMEOUT_S)
{
	static const int mtus[] = { 1400, 1280, 1500, 1350 };
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, ring_mtu(&self->net.a, mtus[i]));
		ASSERT_EQ(0, ring_mtu(&self->net.b, mtus[i]));
		ASSERT_EQ(0, psp_flood_flow(self->xfer, SOME, STALL_MS));
	}
	EXPECT_EQ(0, psp_flood_end(self->xfer, STALL_MS));
	EXPECT_EQ(0, psp_gauge(&self->net.a, "tx_stale_handle"));
	EXPECT_EQ(0, psp_gauge(&self->net.b, "tx_stale_handle"));
}

TEST_F_TIMEOUT(ring, port_goes_down_and_up, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;
	int i;

	ASSERT_EQ(0, psp_ns_enter(a->ns));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, psp_link_up(a->ifindex, false));
		ASSERT_EQ(0, psp_link_up(a->ifindex, true));
		/* Closing the port has taken it away */
		psp_link_addr6(a->ifindex, &a->v6, 64);
		ASSERT_EQ(0, psp_flood_flow(self->xfer, SOME, STALL_MS));
	}
	EXPECT_EQ(0, ring_end(&self->net, self->xfer));
}

TEST_F_TIMEOUT(ring, offloads_are_turned_off_and_on, TIMEOUT_S)
{
	static const uint32_t cmds[] = {
		ETHTOOL_STSO, ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM,
	};
	struct psp_end *a = &self->net.a;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_tune_offload(a, cmds[i], false));
		ASSERT_EQ(0, psp_flood_flow(self->xfer, SOME, STALL_MS));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_tune_offload(a, cmds[i], true));
		ASSERT_EQ(0, psp_flood_flow(self->xfer, SOME, STALL_MS));
	}
	EXPECT_EQ(0, ring_end(&self->net, self->xfer));
}

/* How often the link of @end has come or gone */
static int ring_link_changes(struct psp_end *end)
{
	return psp_sh(end->ns, "exit $(unshare -m sh -c 'mount -t sysfs s /sys"
		      " && cat /sys/class/net/%s/carrier_changes')",
		      end->ifname);
}

TEST_F_TIMEOUT(ring, link_stays_when_rings_change, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;
	int changes = ring_link_changes(a);

	ASSERT_LT(0, changes);
	ASSERT_EQ(0, psp_tune_rings(a, 64, 64));
	ASSERT_EQ(0, psp_tune_channels(a, 1));
	EXPECT_EQ(changes, ring_link_changes(a));
	EXPECT_EQ(0, ring_end(&self->net, self->xfer));
}

FIXTURE(port)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_SETUP(port)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
}

FIXTURE_TEARDOWN(port)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

#define EXPECT_TUNE_REFUSED(end, call)				\
do {								\
	EXPECT_EQ(-EINVAL, (call));				\
	EXPECT_NE('\0', *(end)->nl.ack.msg);			\
} while (0)

TEST_F(port, sizes_and_numbers_that_cannot_be_are_refused)
{
	struct psp_end *a = &self->net.a;
	struct ethtool_ringparam ring;
	struct ethtool_channels ch;

	EXPECT_TUNE_REFUSED(a, psp_tune_rings(a, 63, 64));
	EXPECT_TUNE_REFUSED(a, psp_tune_rings(a, 64, 0));
	EXPECT_TUNE_REFUSED(a, psp_tune_rings(a, 4097, 64));
	EXPECT_TUNE_REFUSED(a, psp_tune_rings(a, 64, 4097));
	EXPECT_TUNE_REFUSED(a, psp_tune_channels(a, 0));
	EXPECT_TUNE_REFUSED(a, psp_tune_channels(a, 3));

	ASSERT_EQ(0, psp_tune_get_rings(a, &ring));
	EXPECT_EQ(256, ring.tx_pending);
	EXPECT_EQ(512, ring.rx_pending);
	ASSERT_EQ(0, psp_tune_get_channels(a, &ch));
	EXPECT_EQ(2, ch.combined_count);
	EXPECT_EQ(0, psp_xfer_both(&self->conn, SOME, STALL_MS));
}

TEST_F(port, other_sizes_are_rounded_up)
{
	struct psp_end *a = &self->net.a;
	struct ethtool_ringparam ring;

	ASSERT_EQ(0, psp_tune_rings(a, 65, 1000));
	ASSERT_EQ(0, psp_tune_get_rings(a, &ring));
	EXPECT_EQ(128, ring.tx_pending);
	EXPECT_EQ(1024, ring.rx_pending);
	EXPECT_EQ(4096, ring.tx_max_pending);
	EXPECT_EQ(4096, ring.rx_max_pending);
}

TEST_F(port, rings_chosen_while_it_is_closed_are_there_when_it_opens)
{
	struct psp_end *a = &self->net.a;
	struct ethtool_ringparam ring;
	struct ethtool_channels ch;

	ASSERT_EQ(0, psp_ns_enter(a->ns));
	ASSERT_EQ(0, psp_link_up(a->ifindex, false));
	ASSERT_EQ(0, psp_tune_rings(a, 64, 64));
	ASSERT_EQ(0, psp_tune_channels(a, 1));
	ASSERT_EQ(0, psp_link_up(a->ifindex, true));
	ASSERT_EQ(0, psp_tune_get_rings(a, &ring));
	EXPECT_EQ(64, ring.tx_pending);
	ASSERT_EQ(0, psp_tune_get_channels(a, &ch));
	EXPECT_EQ(1, ch.combined_count);
	EXPECT_EQ(0, psp_xfer_both(&self->conn, SOME, STALL_MS));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
}

/* 16 connections would use both queues, were there two */
TEST_F(port, queue_out_of_use_neither_sends_nor_receives)
{
	struct psp_end *a = &self->net.a;
	struct psp_conn conn[16];
	int64_t tx, rx;
	int i;

	ASSERT_EQ(0, psp_tune_channels(a, 1));
	tx = psp_ethtool_stat(a, "q1_hw_tx_frames");
	rx = psp_ethtool_stat(a, "q1_hw_rx_frames");
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, psp_conn_open(&conn[i], &self->net, PSP_IPV4));
	EXPECT_EQ(tx, psp_ethtool_stat(a, "q1_hw_tx_frames"));
	EXPECT_EQ(rx, psp_ethtool_stat(a, "q1_hw_rx_frames"));

	ASSERT_EQ(0, psp_tune_channels(a, 2));
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(0, psp_conn_ping(&conn[i]));
		psp_conn_close(&conn[i]);
	}
	EXPECT_LT(rx, psp_ethtool_stat(a, "q1_hw_rx_frames"));
}

TEST_F(port, there_are_sixteen_queues_at_most)
{
	struct psp_end wide = self->net.a;
	struct ethtool_channels ch;

	snprintf(wide.ifname, sizeof(wide.ifname), "wide");
	ASSERT_EQ(0, psp_sh(wide.ns, "ip link add wide numtxqueues 32 "
			    "numrxqueues 32 type psp_ref && "
			    "ip link set wide up"));
	ASSERT_EQ(0, psp_tune_get_channels(&wide, &ch));
	EXPECT_EQ(16, ch.max_combined);
	EXPECT_EQ(16, ch.combined_count);
	EXPECT_EQ(0, psp_sh(wide.ns, "ip link del wide"));
}

TEST_HARNESS_MAIN
