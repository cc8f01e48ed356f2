// SPDX-License-Identifier: GPL-2.0
/*
 * The device's knobs do what they say: a transmit engine that does not fetch,
 * or does not tell, and a key table that is small, slow, or quick to reuse.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
/* For what must not happen, and so has no event: far longer than it takes */
#define QUIET_MS	300
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128
#define SLOT_MASK	0x1ffff
#define HANDLES_MAX	64
#define AT_ONCE_MS	4000	/* on a host that is busy */
#define MANY		80	/* keys that take twice as long one by one */
#define MSG		"held"

FIXTURE(knob)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_SETUP(knob)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, STALL_MS));
}

FIXTURE_TEARDOWN(knob)
{
	psp_knob_set(&self->net.a, "tx_pause_fetch", "0");
	psp_knob_set(&self->net.a, "tx_hold_completions", "0");
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

static int knob_send(struct psp_side *side)
{
	return send(side->fd, MSG, sizeof(MSG), MSG_NOSIGNAL) == sizeof(MSG) ?
	       0 : -errno;
}

/* Poll until @fn of @fd gives @want */
static int knob_wait(int (*fn)(int fd), int fd, int want)
{
	uint64_t end = psp_now_ms() + STALL_MS;

	while (fn(fd) != want) {
		if (psp_now_ms() >= end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

/* Whether the byte queue limits of @end count any bytes: 1 or 0 */
static int knob_inflight(struct psp_end *end)
{
	return psp_sh(end->ns, "exit $(unshare -m sh -c 'mount -t sysfs s /sys"
		      " && cat /sys/class/net/%s/queues/tx-*/"
		      "byte_queue_limits/inflight' | "
		      "awk '{ n += $1 } END { print (NR == 2 ? (n > 0) : 2) }')",
		      end->ifname);
}

TEST_F(knob, segment_posted_while_fetching_is_paused_stays)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	int64_t frames;

	ASSERT_EQ(0, psp_knob_set(a, "tx_pause_fetch", "3"));
	EXPECT_EQ(3, psp_gauge(a, "tx_pause_fetch"));
	frames = psp_ethtool_stat(a, "hw_tx_frames");
	ASSERT_EQ(0, knob_send(&conn->a));
	poll(NULL, 0, QUIET_MS);
	EXPECT_EQ(frames, psp_ethtool_stat(a, "hw_tx_frames"));
	EXPECT_EQ(0, psp_tcp_inq(conn->b.fd));
	EXPECT_EQ(sizeof(MSG), psp_tcp_outq(conn->a.fd));

	ASSERT_EQ(0, psp_knob_set(a, "tx_pause_fetch", "0"));
	EXPECT_EQ(0, knob_wait(psp_tcp_inq, conn->b.fd, sizeof(MSG)));
	EXPECT_EQ(0, psp_tcp_drain(conn->a.fd, STALL_MS));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
}

TEST_F(knob, segment_whose_completion_is_held_is_sent_and_not_freed)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	int64_t packets;

	ASSERT_EQ(0, knob_wait(psp_tcp_wmem, conn->a.fd, 0));
	packets = psp_ethtool_stat(a, "tx_packets");
	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions", "3"));
	ASSERT_EQ(0, knob_send(&conn->a));
	EXPECT_EQ(0, knob_wait(psp_tcp_inq, conn->b.fd, sizeof(MSG)));
	EXPECT_EQ(0, psp_tcp_drain(conn->a.fd, STALL_MS));
	poll(NULL, 0, QUIET_MS);
	EXPECT_LT(0, psp_tcp_wmem(conn->a.fd));
	EXPECT_EQ(1, knob_inflight(a));
	EXPECT_EQ(packets, psp_ethtool_stat(a, "tx_packets"));

	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions", "0"));
	EXPECT_EQ(0, knob_wait(psp_tcp_wmem, conn->a.fd, 0));
	EXPECT_LT(packets, psp_ethtool_stat(a, "tx_packets"));
	EXPECT_EQ(0, knob_inflight(a));
}

TEST_F(knob, queues_that_are_not_named_go_on)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	int64_t q1;

	/* Queue 1 alone is used from here on */
	ASSERT_EQ(0, psp_sh(a->ns, "tc qdisc add dev psp0 clsact && "
			    "tc filter add dev psp0 egress matchall "
			    "action skbedit queue_mapping 1"));
	q1 = psp_ethtool_stat(a, "q1_hw_tx_frames");
	ASSERT_EQ(0, psp_knob_set(a, "tx_pause_fetch", "1"));
	ASSERT_EQ(0, psp_knob_set(a, "tx_hold_completions", "1"));
	EXPECT_EQ(0, psp_xfer_both(conn, 50000, STALL_MS));
	EXPECT_LT(q1, psp_ethtool_stat(a, "q1_hw_tx_frames"));
	EXPECT_EQ(0, knob_wait(psp_tcp_wmem, conn->a.fd, 0));
}

TEST_F(knob, values_out_of_range_are_refused)
{
	struct psp_end *a = &self->net.a;
	int64_t slots = psp_gauge(a, "tx_key_slots");

	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_pause_fetch", "4"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_hold_completions", "4"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_lose_doorbells", "4"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_pause_fetch", "%llu",
					1ULL << 32));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "key_reuse_lifo", "2"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_key_limit", "%lld",
					(long long)slots + 1));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "key_generations_left", "32767"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "mbox_latency_us", "100001"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_timeout_ms", "0"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_timeout_ms", "3600001"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "tx_time_out", "2"));

	EXPECT_EQ(0, psp_gauge(a, "tx_pause_fetch"));
	EXPECT_EQ(0, psp_gauge(a, "tx_hold_completions"));
	EXPECT_EQ(0, psp_gauge(a, "key_reuse_lifo"));
	EXPECT_EQ(slots, psp_gauge(a, "tx_key_limit"));
	EXPECT_EQ(0, psp_gauge(a, "mbox_latency_us"));
}

TEST_F(knob, limit_is_answered_as_a_full_table_is)
{
	struct psp_end *a = &self->net.a;
	struct psp_conn *conn = &self->conn;

	if (!psp_nl_rekeys(&a->nl))
		SKIP(return, PSP_NO_REKEYING);
	ASSERT_EQ(1, psp_gauge(a, "tx_keys"));
	ASSERT_EQ(0, psp_knob_set(a, "tx_key_limit", "1"));
	EXPECT_EQ(-ENOSPC, psp_conn_tx(conn, &conn->a));
	EXPECT_TRUE(psp_ack_has_reason(&a->nl.ack));
	EXPECT_EQ(1, psp_gauge(a, "tx_keys"));
	EXPECT_EQ(0, psp_conn_ping(conn));

	ASSERT_EQ(0, psp_knob_set(a, "tx_key_limit", "2"));
	EXPECT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_EQ(0, psp_conn_ping(conn));
	EXPECT_EQ(0, psp_gauge_wait(a, "tx_keys", 1, STALL_MS));
}

/* The one handle in the table of @end that is not among the @n of @known */
static int64_t knob_new_handle(struct psp_end *end, const uint32_t *known,
			       int n)
{
	char buf[16 * HANDLES_MAX], *line, *save;
	uint32_t handle;
	int i;

	if (psp_knob_get(end, "tx_key_handles", buf, sizeof(buf)))
		return -EIO;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		handle = strtoul(line, NULL, 16);
		for (i = 0; i < n && known[i] != handle; i++)
			;
		if (i == n)
			return handle;
	}
	return -ENOENT;
}

/* Handles of a second key, and of a third one when the second is gone */
static int knob_two_handles(struct psp_net *net, uint32_t *first,
			    uint32_t *second, uint32_t *third)
{
	uint32_t *out[3] = { first, second, third };
	uint32_t known[3];
	struct psp_conn conn;
	int64_t handle;
	int i, err = 0;

	handle = knob_new_handle(&net->a, NULL, 0);
	for (i = 0; i < 3; i++) {
		if (i) {
			err = psp_conn_open(&conn, net, PSP_IPV4);
			if (!err)
				err = psp_conn_assoc(&conn, VERSION);
			if (err)
				return err;
			handle = knob_new_handle(&net->a, known, 1);
			psp_conn_close(&conn);
			err = psp_gauge_wait(&net->a, "tx_keys", 1, STALL_MS);
		}
		if (handle < 0 || err)
			return err ? err : (int)handle;
		known[i] = handle;
		*out[i] = handle;
	}
	return 0;
}

TEST_F(knob, slot_freed_last_is_used_next_if_told_so)
{
	uint32_t first, second, third;

	ASSERT_EQ(0, psp_knob_set(&self->net.a, "key_reuse_lifo", "1"));
	ASSERT_EQ(0, knob_two_handles(&self->net, &first, &second, &third));
	EXPECT_EQ(second & SLOT_MASK, third & SLOT_MASK);
	EXPECT_NE(second, third);
	EXPECT_NE(first & SLOT_MASK, second & SLOT_MASK);
}

TEST_F(knob, slot_freed_last_is_used_last_otherwise)
{
	uint32_t first, second, third;

	ASSERT_EQ(0, knob_two_handles(&self->net, &first, &second, &third));
	EXPECT_NE(second & SLOT_MASK, third & SLOT_MASK);
	EXPECT_NE(first & SLOT_MASK, third & SLOT_MASK);
}

/* How long the quickest of three tx rekeys of A takes; a key that is installed
 * once more counts
 */
static int knob_rekey_ms(struct psp_conn *conn)
{
	int i, ms, min_ms = STALL_MS;
	uint64_t start;

	for (i = 0; i < 3; i++) {
		start = psp_now_ms();
		if (psp_conn_tx(conn, &conn->a))
			return -EIO;
		ms = psp_now_ms() - start;
		if (ms < min_ms)
			min_ms = ms;
		/* Its predecessor is deleted by the same mailbox */
		if (psp_gauge_wait(conn->a.end, "tx_keys", 1, STALL_MS))
			return -ETIMEDOUT;
	}
	return min_ms;
}

TEST_F(knob, slow_mailbox_makes_tx_assoc_slow)
{
	struct psp_conn *conn = &self->conn;
	int ms;

	if (!psp_nl_rekeys(&self->net.a.nl))
		SKIP(return, PSP_NO_REKEYING);
	ms = knob_rekey_ms(conn);
	EXPECT_LE(0, ms);
	EXPECT_GT(100, ms);
	ASSERT_EQ(0, psp_knob_set(&self->net.a, "mbox_latency_us", "100000"));
	EXPECT_LE(100, knob_rekey_ms(conn));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

TEST_F_TIMEOUT(knob, port_with_many_keys_and_a_slow_mailbox_goes_at_once, 90)
{
	struct psp_conn conn[MANY];
	uint64_t start;
	int i;

	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, psp_conn_open(&conn[i], &self->net, PSP_IPV4));
		ASSERT_EQ(0, psp_conn_assoc(&conn[i], VERSION));
	}
	EXPECT_EQ(MANY + 1, psp_gauge(&self->net.a, "tx_keys"));
	ASSERT_EQ(0, psp_knob_set(&self->net.a, "mbox_latency_us", "100000"));

	/* Some keys are being deleted already */
	for (i = 0; i < MANY / 2; i++)
		psp_conn_close(&conn[i]);
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	start = psp_now_ms();
	EXPECT_EQ(0, psp_link_del(self->net.a.ifindex));
	EXPECT_GT(AT_ONCE_MS, psp_now_ms() - start);
	for (; i < MANY; i++)
		psp_conn_close(&conn[i]);
}

FIXTURE(stuck)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_xfer xfer[2];
};

FIXTURE_VARIANT(stuck)
{
	const char *knob;
};

FIXTURE_VARIANT_ADD(stuck, fetching_paused)
{
	.knob = "tx_pause_fetch",
};

FIXTURE_VARIANT_ADD(stuck, completions_held)
{
	.knob = "tx_hold_completions",
};

/* A port whose rings hold what they were given, and do not let it go */
FIXTURE_SETUP(stuck)
{
	uint64_t end;

	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
	psp_flood_start(&self->conn, self->xfer);
	ASSERT_EQ(0, psp_flood_flow(self->xfer, 100000, STALL_MS));
	ASSERT_EQ(0, psp_knob_set(&self->net.a, variant->knob, "3"));
	end = psp_now_ms() + STALL_MS;
	while (!psp_xfer_step(self->xfer, 2, QUIET_MS))
		ASSERT_GT(end, psp_now_ms());
	ASSERT_LT(0, psp_tcp_wmem(self->conn.a.fd));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
}

FIXTURE_TEARDOWN(stuck)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

TEST_F_TIMEOUT(stuck, port_closes_at_once_and_all_arrives_in_the_end, 90)
{
	struct psp_end *a = &self->net.a;
	uint64_t start = psp_now_ms();

	ASSERT_EQ(0, psp_link_up(a->ifindex, false));
	EXPECT_GT(AT_ONCE_MS, psp_now_ms() - start);
	EXPECT_EQ(0, knob_wait(psp_tcp_wmem, self->conn.a.fd, 0));
	ASSERT_EQ(0, psp_knob_set(a, variant->knob, "0"));
	ASSERT_EQ(0, psp_link_up(a->ifindex, true));
	EXPECT_EQ(0, psp_flood_end(self->xfer, STALL_MS));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
	EXPECT_EQ(0, knob_wait(psp_tcp_wmem, self->conn.a.fd, 0));
	EXPECT_EQ(0, knob_inflight(a));
}

TEST_F_TIMEOUT(stuck, rings_change_at_once_and_all_arrives_in_the_end, 90)
{
	struct psp_end *a = &self->net.a;
	uint64_t start = psp_now_ms();

	ASSERT_EQ(0, psp_tune_rings(a, 64, 64));
	EXPECT_GT(AT_ONCE_MS, psp_now_ms() - start);
	ASSERT_EQ(0, psp_knob_set(a, variant->knob, "0"));
	EXPECT_EQ(0, psp_flood_end(self->xfer, STALL_MS));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
	EXPECT_EQ(0, knob_wait(psp_tcp_wmem, self->conn.a.fd, 0));
	EXPECT_EQ(0, knob_inflight(a));
}

TEST_F(stuck, port_is_removed_at_once)
{
	uint64_t start = psp_now_ms();

	ASSERT_EQ(0, psp_link_del(self->net.a.ifindex));
	EXPECT_GT(AT_ONCE_MS, psp_now_ms() - start);
	EXPECT_EQ(0, knob_wait(psp_tcp_wmem, self->conn.a.fd, 0));
}

TEST_HARNESS_MAIN
