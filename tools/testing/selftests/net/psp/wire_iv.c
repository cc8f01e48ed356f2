// SPDX-License-Identifier: GPL-2.0
/*
 * Two packets under one key must never bear the same IV, whatever happens to
 * ports, rings and keys meanwhile: all (SPI, IV) pairs of a capture differ.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define BYTES		200000	/* each way, each time */
#define PAIRS_MAX	20000
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128

struct pair {
	uint32_t spi;
	uint64_t iv;
};

/**
 * struct capture - what was seen on the wire
 * @tap: at B, which stays
 * @frame: last frame seen
 * @pair: of all PSP packets
 * @pairs: their number
 */
struct capture {
	struct psp_tap tap;
	struct psp_frame frame;
	struct pair pair[PAIRS_MAX];
	int pairs;
};

FIXTURE(iv)
{
	struct psp_net net;
	struct psp_conn conn;
	struct capture cap;
};

FIXTURE_SETUP(iv)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_tap_open(&self->cap.tap, &self->net.b));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
	ASSERT_EQ(0, psp_xfer_both(&self->conn, BYTES, STALL_MS));
}

FIXTURE_TEARDOWN(iv)
{
	psp_tap_close(&self->cap.tap);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* What was sent up to now; the number of packets under @spi among it */
static int iv_collect(struct capture *cap, uint32_t spi)
{
	struct psp_frame *frame = &cap->frame;
	int num = 0;

	while (cap->pairs < PAIRS_MAX &&
	       psp_tap_next(&cap->tap, frame, 200) > 0) {
		if (!frame->psp)
			continue;
		cap->pair[cap->pairs].spi = frame->spi;
		cap->pair[cap->pairs].iv = frame->iv;
		cap->pairs++;
		num += frame->spi == spi;
	}
	return num;
}

/* The same, waiting until there is something under @spi */
static int iv_await(struct capture *cap, uint32_t spi)
{
	uint64_t deadline = psp_now_ms() + STALL_MS;
	int num;

	do {
		num = iv_collect(cap, spi);
	} while (!num && psp_now_ms() < deadline);
	return num;
}

static int pair_compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->spi != y->spi)
		return x->spi < y->spi ? -1 : 1;
	return x->iv < y->iv ? -1 : x->iv > y->iv;
}

static int iv_repeated(struct capture *cap)
{
	int i, num = 0;

	qsort(cap->pair, cap->pairs, sizeof(*cap->pair), pair_compare);
	for (i = 1; i < cap->pairs; i++)
		num += !pair_compare(&cap->pair[i - 1], &cap->pair[i]);
	return num;
}

#define EXPECT_DISTINCT()						\
do {									\
	EXPECT_GT(PAIRS_MAX, self->cap.pairs);				\
	EXPECT_EQ(0, iv_repeated(&self->cap)) {				\
		TH_LOG("of %d packets", self->cap.pairs);		\
	}								\
} while (0)

static int iv_down_up(struct psp_end *end)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int err;

	err = psp_ns_enter(end->ns);
	if (!err)
		err = psp_link_up(end->ifindex, false);
	if (!err)
		err = psp_link_up(end->ifindex, true);
	psp_ns_enter(home);
	close(home);
	return err;
}

TEST_F(iv, distinct_across_resize)
{
	static const uint32_t sizes[] = { 64, 1024, 128 };
	struct psp_conn *conn = &self->conn;
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_LT(BYTES / 1500, iv_collect(&self->cap, conn->b.rx.spi));
		ASSERT_EQ(0, psp_tune_rings(&self->net.a, sizes[i], sizes[i]));
		ASSERT_EQ(0, psp_tune_channels(&self->net.a, 1 + i % 2));
		ASSERT_EQ(0, psp_xfer_both(conn, BYTES, STALL_MS));
	}
	EXPECT_LT(BYTES / 1500, iv_collect(&self->cap, conn->b.rx.spi));
	EXPECT_DISTINCT();
}

TEST_F(iv, distinct_across_down_and_up)
{
	struct psp_conn *conn = &self->conn;
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_LT(BYTES / 1500, iv_collect(&self->cap, conn->b.rx.spi));
		ASSERT_EQ(0, iv_down_up(&self->net.a));
		ASSERT_EQ(0, iv_down_up(&self->net.b));
		ASSERT_EQ(0, psp_xfer_both(conn, BYTES, STALL_MS));
	}
	EXPECT_LT(BYTES / 1500, iv_collect(&self->cap, conn->b.rx.spi));
	EXPECT_DISTINCT();
}

TEST_F(iv, distinct_across_tx_rekeys_with_the_same_key)
{
	struct psp_conn *conn = &self->conn;
	int i;

	if (!psp_nl_rekeys(&self->net.a.nl))
		SKIP(return, PSP_NO_REKEYING);
	for (i = 0; i < 3; i++) {
		EXPECT_LT(BYTES / 1500, iv_collect(&self->cap, conn->b.rx.spi));
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
		ASSERT_EQ(0, psp_xfer_both(conn, BYTES, STALL_MS));
	}
	EXPECT_LT(BYTES / 1500, iv_collect(&self->cap, conn->b.rx.spi));
	EXPECT_DISTINCT();
}

/* Have one side send under @key, which its peer does not take from it */
static int iv_send_under(struct psp_conn *conn, struct psp_side *side,
			 const struct psp_key *key)
{
	char data[8192] = { };
	int err;

	err = psp_conn_rx(conn, side, VERSION);
	if (!err)
		err = psp_nl_tx_assoc(&side->end->nl, side->end->dev_id,
				      VERSION, side->fd, key);
	if (!err && send(side->fd, data, sizeof(data), 0) < 0)
		err = -errno;
	return err;
}

TEST_F(iv, distinct_for_two_sockets_with_one_key)
{
	struct psp_conn other;

	EXPECT_LT(0, iv_collect(&self->cap, self->conn.b.rx.spi));
	ASSERT_EQ(0, psp_conn_open(&other, &self->net, PSP_IPV4));
	ASSERT_EQ(0, iv_send_under(&other, &other.a, &self->conn.b.rx));
	EXPECT_LT(0, iv_await(&self->cap, self->conn.b.rx.spi));
	EXPECT_DISTINCT();
	psp_conn_close(&other);
}

TEST_F(iv, distinct_for_two_ports_with_one_key)
{
	struct psp_conn other;

	EXPECT_LT(0, iv_collect(&self->cap, self->conn.b.rx.spi));
	ASSERT_EQ(0, psp_conn_open(&other, &self->net, PSP_IPV4));
	ASSERT_EQ(0, iv_send_under(&other, &other.b, &self->conn.b.rx));
	EXPECT_LT(0, iv_await(&self->cap, self->conn.b.rx.spi));
	EXPECT_DISTINCT();
	psp_conn_close(&other);
}

TEST_F(iv, distinct_across_deletion_and_remaking_of_the_port)
{
	struct psp_key key = self->conn.b.rx;
	struct psp_conn other;
	int i;

	EXPECT_LT(BYTES / 1500, iv_collect(&self->cap, key.spi));
	psp_conn_close(&self->conn);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_net_replug(&self->net));
		ASSERT_EQ(0, psp_conn_open(&other, &self->net, PSP_IPV4));
		ASSERT_EQ(0, iv_send_under(&other, &other.a, &key));
		EXPECT_LT(0, iv_await(&self->cap, key.spi));
		psp_conn_close(&other);
	}
	EXPECT_DISTINCT();
}

TEST_HARNESS_MAIN
