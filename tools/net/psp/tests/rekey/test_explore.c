// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * Both ends at once, in whatever order: rotations, messages and time are put
 * one after the other in all ways, or by chance. When all is quiet each end
 * must send under a key that the other accepts, unless both are stale and there
 * is no other channel.
 */
#include <errno.h>
#include <string.h>

#include "cases.h"
#include "fake.h"

static const struct psp_rekey_pool_config config = {
	.size = sizeof(config),
	.window_ms = 1,
	.in_flight_max = 1,
	.slow_ms = 50,
	.look_ms = 1000,
	.stuck_ms = 500,
	.retry_min_ms = 10,
	.retry_max_ms = 100,
};

static struct fake_world w;

enum {
	DO_ROTATE,
	DO_MESSAGE = 2,
	DO_TIME = 4,
	DO_EXHAUSTIVE,

	DO_SILENT = DO_EXHAUSTIVE,
	DO_LOST = 7,
	DO_FULL = 9,
	DO_NO_ROOM = 11,
	DO_NO_SPI = 13,
	DO_BESIDE = 15,
	DO_NUM = 17,
};

static void flip_full(struct fake_sock *sock)
{
	sock->full = !sock->full;
	if (!sock->full)
		psp_rekey_conn_writable(sock->conn);
}

static void act(unsigned int what)
{
	struct fake_sock *sock = &w.end[what & 1].socks[0];
	struct fake_sock *other = &w.end[!(what & 1)].socks[0];

	switch (what) {
	case DO_ROTATE ... DO_ROTATE + 1:
		fake_rotate(sock->end, FAKE_TOLD);
		break;
	case DO_MESSAGE ... DO_MESSAGE + 1:
		fake_deliver_one(sock);
		break;
	case DO_TIME:
		w.now += 1000;
		break;
	case DO_SILENT ... DO_SILENT + 1:
		fake_rotate(other->end, FAKE_SILENT);
		break;
	case DO_LOST ... DO_LOST + 1:
		fake_rotate(other->end, FAKE_LOST);
		break;
	case DO_FULL ... DO_FULL + 1:
		flip_full(sock);
		break;
	case DO_NO_ROOM ... DO_NO_ROOM + 1:
		sock->tx_err = sock->tx_err ? 0 : -ENOSPC;
		break;
	case DO_NO_SPI ... DO_NO_SPI + 1:
		sock->rx_err = sock->rx_err ? 0 : -ENOMEM;
		break;
	case DO_BESIDE ... DO_BESIDE + 1:
		fake_deliver_beside(sock);
		break;
	}
	fake_process(&w);
}

/* Nothing goes wrong any more */
static void be_quiet(void)
{
	int e;

	for (e = 0; e < 2; e++) {
		struct fake_sock *sock = &w.end[e].socks[0];

		sock->tx_err = 0;
		sock->rx_err = 0;
		sock->full = false;
		psp_rekey_conn_writable(sock->conn);
	}
	fake_run(&w, 3000);
}

static void begin(unsigned int flags, bool established)
{
	fake_open(&w, 1, &config);
	w.latency = 0;
	if (established) {
		fake_up(&w, 0, flags);
	} else {
		CHECK_EQ(0, fake_add(&w.end[0].socks[0], flags));
		CHECK_EQ(0, fake_add(&w.end[1].socks[0], flags));
	}
}

static void end(bool other_channel)
{
	bool a = fake_hears(&w.end[0].socks[0]);
	bool b = fake_hears(&w.end[1].socks[0]);

	if (other_channel || a || b) {
		CHECK_TRUE(a && b);
		CHECK_TRUE(fake_is_fresh(&w, 0));
		CHECK_EQ(0, fake_counters(&w.end[0]).behind);
		CHECK_EQ(0, fake_counters(&w.end[1]).behind);
		CHECK_TRUE(fake_has_no_keys(&w.end[0].socks[0]));
		CHECK_TRUE(fake_has_no_keys(&w.end[1].socks[0]));
	} else {
		CHECK_TRUE(w.end[0].socks[0].events[PSP_REKEY_EV_STUCK]);
		CHECK_TRUE(w.end[1].socks[0].events[PSP_REKEY_EV_STUCK]);
	}
	CHECK_EQ(0, fake_counters(&w.end[0]).in_flight);
	CHECK_EQ(0, fake_counters(&w.end[1]).in_flight);
	CHECK_EQ(0, fake_counters(&w.end[0]).failed);
	CHECK_EQ(0, fake_counters(&w.end[1]).failed);
	fake_close(&w);
}

/* All sequences of @depth steps: rotations, messages, time, of either end */
static void explore_all(unsigned int depth, unsigned int flags,
			bool other_channel)
{
	unsigned int num = 1, i, n, code;

	for (n = 0; n < depth; n++)
		num *= DO_EXHAUSTIVE;
	for (i = 0; i < num; i++) {
		begin(flags, true);
		w.end[0].socks[0].no_beside = !other_channel;
		w.end[1].socks[0].no_beside = !other_channel;
		for (n = 0, code = i; n < depth; n++) {
			act(code % DO_EXHAUSTIVE);
			code /= DO_EXHAUSTIVE;
		}
		be_quiet();
		end(other_channel);
	}
}

TEST(explore_all_orders_with_another_channel)
{
	explore_all(check_many(7, 4), PSP_REKEY_KEEP_OFFER, true);
}

TEST(explore_all_orders_in_band_only)
{
	explore_all(check_many(7, 4), 0, false);
}

static void explore_random(unsigned int runs, unsigned int steps,
			   unsigned int flags, bool other_channel)
{
	unsigned int run, n;
	uint64_t seed;

	for (run = 0; run < runs; run++) {
		begin(flags, true);
		seed = run + 1;
		w.end[0].socks[0].no_beside = !other_channel;
		w.end[1].socks[0].no_beside = !other_channel;
		for (n = 0; n < steps; n++) {
			w.seed = seed;
			seed = seed * 6364136223846793005ULL + n + 1;
			fake_random(&w, 1);
			act(fake_random(&w, DO_NUM));
		}
		be_quiet();
		end(other_channel);
	}
}

TEST(explore_random_faults_with_another_channel)
{
	explore_random(check_many(20000, 200), 60, PSP_REKEY_KEEP_OFFER,
		       true);
}

TEST(explore_random_faults_in_band_only)
{
	explore_random(check_many(20000, 200), 60, 0, false);
}

/* First exchange: rotations would make it fail, but no order of the rest may */
TEST(explore_first_exchange)
{
	static const uint8_t acts[] = {
		DO_MESSAGE, DO_MESSAGE + 1, DO_TIME, DO_FULL, DO_FULL + 1,
		DO_NO_ROOM, DO_NO_ROOM + 1,
	};
	unsigned int run, n, runs = check_many(20000, 200);

	for (run = 0; run < runs; run++) {
		begin(0, false);
		w.seed = run + 1;
		for (n = 0; n < 30; n++)
			act(acts[fake_random(&w, sizeof(acts))]);
		be_quiet();
		CHECK_EQ(1, w.end[0].socks[0].events[PSP_REKEY_EV_ESTABLISHED]);
		CHECK_EQ(1, w.end[1].socks[0].events[PSP_REKEY_EV_ESTABLISHED]);
		end(false);
	}
}
