// SPDX-License-Identifier: GPL-2.0
/*
 * The instant of the first tx-assoc: segments are judged before the socket is
 * locked, so plain data could be found good just before and be queued just
 * after. Against a flood of forged data in the window, no forged byte may be
 * read once tx-assoc has succeeded. A long way from there to the socket gives
 * the race its chance, even on few and slow CPUs.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "policy.h"

#define FLOOD_MS	8000	/* how long one test goes on */
#define FLOOD_MAX_MS	40000	/* and at most, on a busy host */
#define FLOOD_TIMEOUT_S	90
#define FLOOD_MIN	5	/* connections that have to come to a tx key */
#define FLOOD_BURST	16
#define FLOOD_RULES	400	/* between the judge and the socket */
#define FLOOD_AFTER	10	/* segments to be dropped after the tx key */

/**
 * struct flood - a thread that forges data for a socket as fast as it can
 * @thread: the thread
 * @forge: forges; its numbers are those of the beginning
 * @fd: the victim
 * @received: what the victim had received then
 * @stop: time to end
 * @err: first error
 */
struct flood {
	pthread_t thread;
	struct forge forge;
	int fd;
	uint64_t received;
	atomic_bool stop;
	int err;
};

FIXTURE(flood)
{
	struct policy p;
	struct flood flood;
	int won;
	int lost;
};

FIXTURE_VARIANT(flood)
{
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(flood, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(flood, ipv6)
{
	.family = PSP_IPV6,
};

/* Rules that match nothing, for each segment to be compared with one by one. Of
 * two hooks at the last priority, the one that was there first comes later.
 */
static int flood_slow(int ns)
{
	return psp_sh(ns, "nft -f - <<EOT\n"
		      "table inet slow {\n"
		      "chain in {\n"
		      "type filter hook input priority 2147483647;\n"
		      "$(yes 'tcp dport 1 drop' | head -n %d)\n"
		      "}\n"
		      "}\n"
		      "EOT\n", FLOOD_RULES);
}

FIXTURE_SETUP(flood)
{
	ASSERT_EQ(0, policy_open_net(&self->p, 0));
	ASSERT_EQ(0, flood_slow(self->p.net.a.ns));
}

FIXTURE_TEARDOWN(flood)
{
	policy_close(&self->p);
}

/* A few bytes at what the victim expects next, one by one, in order */
static int flood_burst(struct flood *flood, unsigned int num)
{
	struct forge_seg seg = { .flags = FORGE_ACK, .data = "F", .len = 1 };
	struct tcp_info info;
	int err;

	err = psp_tcp_info(flood->fd, &info);
	if (err)
		return err;
	seg.seq = info.tcpi_bytes_received - flood->received;
	for (; num && !err; num--, seg.seq++)
		err = forge_plain(&flood->forge, &seg);
	return err;
}

static void *flood_run(void *arg)
{
	struct flood *flood = arg;
	unsigned int seed = 1;

	while (!flood->err && !atomic_load(&flood->stop)) {
		flood->err = flood_burst(flood, 1 + rand_r(&seed) %
					 FLOOD_BURST);
		/* Let it come to a tx key now and then */
		if (rand_r(&seed) % 8 == 0)
			usleep(500);
	}
	return NULL;
}

static int flood_start(struct flood *flood, struct policy *p)
{
	struct tcp_info info;
	int err = psp_tcp_info(p->conn.a.fd, &info);

	if (err)
		return err;
	flood->forge = p->forge;
	flood->fd = p->conn.a.fd;
	flood->received = info.tcpi_bytes_received;
	flood->stop = false;
	flood->err = 0;
	return -pthread_create(&flood->thread, NULL, flood_run, flood);
}

/* Wait until it has begun to arrive */
static int flood_wait(const struct flood *flood)
{
	uint64_t end = psp_now_ms() + POLICY_MS;
	struct tcp_info info;

	do {
		if (psp_tcp_info(flood->fd, &info) || psp_now_ms() > end)
			return -ETIMEDOUT;
	} while (info.tcpi_bytes_received - flood->received < FLOOD_BURST);
	return 0;
}

static int flood_stop(struct flood *flood)
{
	atomic_store(&flood->stop, true);
	pthread_join(flood->thread, NULL);
	return flood->err;
}

static void drain(int fd)
{
	char buf[1024];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* Try until the queue happens to be empty all through tx-assoc */
static int win_tx_key(struct policy *p, int *lost)
{
	uint64_t end = psp_now_ms() + POLICY_MS;
	int err;

	do {
		drain(p->conn.a.fd);
		err = psp_conn_tx(&p->conn, &p->conn.a);
		*lost += err == -EBUSY;
	} while (err == -EBUSY && psp_now_ms() < end);
	return err;
}

/*
 * The receive queue shows itself. What is out of order does when the gap is
 * filled, byte by byte, with data that is authentic.
 */
static void expect_genuine_only(struct __test_metadata *_metadata,
				struct policy *p)
{
	int i;

	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	for (i = 0; i < FLOOD_BURST / 2; i++) {
		ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
		ASSERT_EQ(0, forge_psp_text(&p->forge, "g", p->version,
					    &p->conn.a.rx));
		ASSERT_EQ(0, policy_reads(p->conn.a.fd, "g"));
		ASSERT_TRUE(policy_is_quiet(p->conn.a.fd));
	}
}

static int wait_dropped(struct policy *p, int num)
{
	uint64_t end = psp_now_ms() + POLICY_MS;

	while (policy_drop_count(p, "plain-data") < num) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

static void one_round(struct __test_metadata *_metadata, struct policy *p,
		      struct flood *flood, int *lost)
{
	struct psp_conn *conn = &p->conn;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, p->version));
	ASSERT_EQ(0, flood_start(flood, p));
	EXPECT_EQ(0, flood_wait(flood));
	EXPECT_EQ(0, win_tx_key(p, lost));
	EXPECT_EQ(0, policy_mark(p));
	EXPECT_EQ(0, wait_dropped(p, FLOOD_AFTER));
	EXPECT_EQ(0, flood_stop(flood));
	expect_genuine_only(_metadata, p);
}

/*
 * Enough rounds, and one at least in which plain text was there in time to be
 * found: the CPU that floods may have been elsewhere. Mainline's PSP looks at
 * once, without a wait in which more comes.
 */
static bool seen_enough(struct policy *p, uint64_t start, int lost)
{
	uint64_t ms = psp_now_ms() - start;

	if (ms < FLOOD_MS)
		return false;
	return lost || ms >= FLOOD_MAX_MS || !psp_nl_rekeys(&p->net.a.nl);
}

TEST_F_TIMEOUT(flood, no_forged_byte_after_tx_assoc, FLOOD_TIMEOUT_S)
{
	uint64_t start = psp_now_ms();
	struct policy *p = &self->p;

	do {
		ASSERT_EQ(0, policy_connect(p, variant->family, NULL));
		one_round(_metadata, p, &self->flood, &self->lost);
		self->won++;
		forge_close(&p->forge);
		policy_abort(&p->conn);
	} while (!seen_enough(p, start, self->lost) && !_metadata->exit_code);
	TH_LOG("%d tx keys, %d refused for plain text in the queue", self->won,
	       self->lost);
	EXPECT_LE(FLOOD_MIN, self->won);
	if (psp_nl_rekeys(&p->net.a.nl))
		EXPECT_LT(0, self->lost);
}

TEST_HARNESS_MAIN
