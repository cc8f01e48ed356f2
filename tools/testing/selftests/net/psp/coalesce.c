// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt moderation: completions come together as long as they are told to,
 * and no longer.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "psp_slow.h"

#define STALL_MS	20000
#define SLACK_MS	200	/* of a host that is busy */
#define LONG_MS		10
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128
#define ROUNDS		10

static const struct psp_moder each = { .frames = 1 };
static const struct psp_moder late = {
	.usecs = LONG_MS * 1000,
	.frames = 4096,
};

FIXTURE(coalesce)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_SETUP(coalesce)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, STALL_MS));
}

FIXTURE_TEARDOWN(coalesce)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* @a's completions are those of its data alone: only @b sends bare ACKs */
static int coalesce_send_one(struct psp_conn *conn)
{
	char byte = 0;
	int err;

	if (send(conn->a.fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	err = psp_tcp_drain(conn->a.fd, STALL_MS);
	if (!err && recv(conn->b.fd, &byte, 1, 0) != 1)
		err = -errno;
	return err;
}

/* Milliseconds from a send until its buffer is freed */
static int coalesce_free_ms(struct psp_conn *conn)
{
	uint64_t start = psp_now_ms();
	char byte = 0;
	int ms;

	if (send(conn->a.fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	while (psp_tcp_wmem(conn->a.fd) || psp_tcp_outq(conn->a.fd)) {
		if (psp_now_ms() - start > STALL_MS)
			return -ETIMEDOUT;
		psp_nap();
	}
	ms = psp_now_ms() - start;
	/* The interrupt for the ACK, which shares the poll, must not be that
	 * of the next round
	 */
	poll(NULL, 0, 3 * LONG_MS);
	return ms;
}

/* Milliseconds from a send by A until B is woken by it */
static int coalesce_wake_ms(struct psp_conn *conn)
{
	struct pollfd pfd = { .fd = conn->b.fd, .events = POLLIN };
	uint64_t start = psp_now_ms();
	char byte = 0;
	int ms;

	if (send(conn->a.fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	if (poll(&pfd, 1, STALL_MS) != 1)
		return -ETIMEDOUT;
	ms = psp_now_ms() - start;
	if (recv(conn->b.fd, &byte, 1, 0) != 1)
		return -errno;
	/* The ACK has gone, and B's completion of it with its interrupt */
	psp_tcp_drain(conn->a.fd, STALL_MS);
	poll(NULL, 0, 3 * LONG_MS);
	return ms;
}

struct coalesce_times {
	int min;
	int median;
};

static int compare_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * Each round may be longer for a busy host, and shorter where it made TCP send
 * something twice: the second one's interrupt then serves the round after it.
 */
static int coalesce_times(struct psp_conn *conn, int (*fn)(struct psp_conn *),
			  struct coalesce_times *times)
{
	int i, ms[ROUNDS];

	for (i = 0; i < ROUNDS; i++) {
		ms[i] = fn(conn);
		if (ms[i] < 0)
			return ms[i];
	}
	qsort(ms, ROUNDS, sizeof(*ms), compare_int);
	times->min = ms[0];
	times->median = ms[ROUNDS / 2];
	return 0;
}

TEST_F(coalesce, settings_are_told)
{
	struct psp_moder moder = { .usecs = 20, .frames = 30 };
	struct psp_end *a = &self->net.a;
	struct ethtool_coalesce coal;

	ASSERT_EQ(0, psp_tune_get_moder(a, &coal));
	EXPECT_EQ(1000, coal.tx_coalesce_usecs);
	EXPECT_EQ(16, coal.tx_max_coalesced_frames);
	EXPECT_EQ(1, coal.use_adaptive_tx_coalesce);
	EXPECT_EQ(1000, coal.rx_coalesce_usecs);
	EXPECT_EQ(16, coal.rx_max_coalesced_frames);
	EXPECT_EQ(1, coal.use_adaptive_rx_coalesce);

	ASSERT_EQ(0, psp_tune_tx(a, &moder));
	ASSERT_EQ(0, psp_tune_get_moder(a, &coal));
	EXPECT_EQ(20, coal.tx_coalesce_usecs);
	EXPECT_EQ(30, coal.tx_max_coalesced_frames);
	EXPECT_EQ(0, coal.use_adaptive_tx_coalesce);
	EXPECT_EQ(16, coal.rx_max_coalesced_frames);
}

TEST_F(coalesce, what_could_hold_a_completion_for_ever_is_refused)
{
	static const struct psp_moder bad[] = {
		{ .usecs = 0, .frames = 2 },
		{ .usecs = 0, .frames = 0 },
		{ .usecs = 0, .frames = 16, .adaptive = true },
		{ .usecs = 10001, .frames = 1 },
		{ .usecs = 10, .frames = 4097 },
	};
	struct psp_end *a = &self->net.a;
	struct ethtool_coalesce coal;
	int i;

	for (i = 0; i < 5; i++) {
		EXPECT_EQ(-EINVAL, psp_tune_tx(a, &bad[i]));
		EXPECT_NE('\0', *a->nl.ack.msg);
		EXPECT_EQ(-EINVAL, psp_tune_rx(a, &bad[i]));
		EXPECT_NE('\0', *a->nl.ack.msg);
	}
	ASSERT_EQ(0, psp_tune_get_moder(a, &coal));
	EXPECT_EQ(1000, coal.tx_coalesce_usecs);
	EXPECT_EQ(1000, coal.rx_coalesce_usecs);
}

TEST_F(coalesce, each_completion_has_its_interrupt_if_told_so)
{
	struct psp_end *a = &self->net.a;
	int64_t frames, irqs;
	int i;

	ASSERT_EQ(0, psp_tune_tx(a, &each));
	frames = psp_ethtool_stat(a, "hw_tx_frames");
	irqs = psp_ethtool_stat(a, "hw_tx_interrupts");
	for (i = 0; i < ROUNDS; i++)
		ASSERT_EQ(0, coalesce_send_one(&self->conn));
	frames = psp_ethtool_stat(a, "hw_tx_frames") - frames;
	irqs = psp_ethtool_stat(a, "hw_tx_interrupts") - irqs;
	EXPECT_LE(ROUNDS, frames);
	EXPECT_EQ(frames, irqs);
}

TEST_F(coalesce, completions_come_together_under_load)
{
	struct psp_end *a = &self->net.a;
	int64_t frames, irqs;

	ASSERT_EQ(0, psp_tune_tx(a, &late));
	ASSERT_EQ(0, psp_tune_rx(a, &late));
	frames = psp_ethtool_stat(a, "hw_rx_frames");
	irqs = psp_ethtool_stat(a, "hw_rx_interrupts");
	ASSERT_EQ(0, psp_xfer_both(&self->conn, 1 << 20, STALL_MS));
	frames = psp_ethtool_stat(a, "hw_rx_frames") - frames;
	irqs = psp_ethtool_stat(a, "hw_rx_interrupts") - irqs;
	EXPECT_LT(0, irqs);
	EXPECT_LT(3 * irqs, frames);
}

TEST_F(coalesce, transmit_completion_waits_for_its_time_and_no_longer)
{
	struct psp_conn *conn = &self->conn;
	struct coalesce_times times;

	ASSERT_EQ(0, psp_tune_tx(&self->net.a, &each));
	ASSERT_EQ(0, coalesce_times(conn, coalesce_free_ms, &times));
	EXPECT_GT(psp_slow_ms(LONG_MS), times.min);
	ASSERT_EQ(0, psp_tune_tx(&self->net.a, &late));
	/* Received ACKs have interrupts of their own, and share the poll */
	ASSERT_EQ(0, psp_tune_rx(&self->net.a, &late));
	ASSERT_EQ(0, coalesce_times(conn, coalesce_free_ms, &times));
	EXPECT_LE(LONG_MS, times.median);
	EXPECT_GT(LONG_MS + SLACK_MS, times.min);
}

TEST_F(coalesce, received_frame_waits_for_its_time_and_no_longer)
{
	struct psp_conn *conn = &self->conn;
	struct coalesce_times times;

	ASSERT_EQ(0, psp_tune_rx(&self->net.b, &each));
	ASSERT_EQ(0, coalesce_times(conn, coalesce_wake_ms, &times));
	EXPECT_GT(psp_slow_ms(LONG_MS), times.min);
	ASSERT_EQ(0, psp_tune_rx(&self->net.b, &late));
	ASSERT_EQ(0, coalesce_times(conn, coalesce_wake_ms, &times));
	EXPECT_LE(LONG_MS - 1, times.median);
	EXPECT_GT(LONG_MS + SLACK_MS, times.min);
}

TEST_F(coalesce, adaptive_does_not_wait_while_there_is_nothing_to_do)
{
	struct coalesce_times times;
	struct psp_moder moder = late;

	moder.adaptive = true;
	ASSERT_EQ(0, psp_tune_rx(&self->net.b, &moder));
	ASSERT_EQ(0, coalesce_times(&self->conn, coalesce_wake_ms, &times));
	EXPECT_GT(psp_slow_ms(LONG_MS), times.min);
}

TEST_F_TIMEOUT(coalesce, settings_change_under_traffic, 60)
{
	static const struct psp_moder moders[] = {
		{ .frames = 1 },
		{ .usecs = 10000 },
		{ .usecs = 50, .frames = 64 },
		{ .usecs = 1000, .frames = 16, .adaptive = true },
	};
	struct psp_xfer xfer[2];
	int i;

	psp_flood_start(&self->conn, xfer);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, psp_tune_tx(&self->net.a, &moders[i]));
		ASSERT_EQ(0, psp_tune_rx(&self->net.a, &moders[3 - i]));
		ASSERT_EQ(0, psp_flood_flow(xfer, 50000, STALL_MS));
	}
	EXPECT_EQ(0, psp_flood_end(xfer, STALL_MS));
}

TEST_HARNESS_MAIN
