// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Many connections: spread, bounds, counters, and what a step costs */
#include <errno.h>
#include <string.h>

#include "cases.h"
#include "fake.h"

#define MANY	10000

static struct fake_world w;

static void up(unsigned int num, const struct psp_rekey_pool_config *config)
{
	unsigned int i;

	fake_open(&w, num, config);
	for (i = 0; i < num; i++)
		fake_up(&w, i, 0);
}

static bool all_fresh(void)
{
	unsigned int i;

	for (i = 0; i < w.num; i++) {
		if (!fake_is_fresh(&w, i))
			return false;
	}
	return true;
}

TEST(timers_fire_in_order)
{
	static struct rekey_timer timer[500];
	struct rekey_heap heap = { 0 };
	struct rekey_timer *top;
	uint64_t last = 0;
	unsigned int i, num = 500;

	w.seed = 1;
	CHECK_EQ(0, rekey_heap_reserve(&heap, num));
	for (i = 0; i < 5000; i++) {
		struct rekey_timer *t = &timer[fake_random(&w, num)];

		if (fake_random(&w, 3))
			rekey_timer_arm(&heap, t, fake_random(&w, 1000));
		else
			rekey_timer_cancel(&heap, t);
	}
	for (num = 0, i = 0; i < 500; i++)
		num += rekey_timer_is_armed(&timer[i]);
	CHECK_EQ(num, heap.num);
	for (; (top = rekey_heap_top(&heap)); num--) {
		CHECK_TRUE(top->at >= last);
		last = top->at;
		rekey_timer_cancel(&heap, top);
		CHECK_TRUE(!rekey_timer_is_armed(top));
	}
	CHECK_EQ(0, num);
	rekey_heap_free(&heap);
}

TEST(rekeys_are_spread_over_the_window)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1000,
	};
	unsigned int tenth, before, done[10] = { 0 };

	up(1000, &config);
	before = w.end[0].rx_assocs;
	fake_rotate(&w.end[0], FAKE_TOLD);
	for (tenth = 0; tenth < 10; tenth++) {
		fake_run(&w, 100);
		done[tenth] = w.end[0].rx_assocs - before;
		before = w.end[0].rx_assocs;
	}
	for (tenth = 0; tenth < 10; tenth++) {
		CHECK_TRUE(done[tenth] > 60);
		CHECK_TRUE(done[tenth] < 140);
	}
	fake_run(&w, 10);
	CHECK_TRUE(all_fresh());
	CHECK_TRUE(fake_counters(&w.end[0]).max_us > 950000);
	CHECK_TRUE(fake_counters(&w.end[0]).max_us < 1010000);
	fake_close(&w);
}

/* 2^32 us and a bit: not at once */
TEST(rekeys_are_spread_over_a_very_long_window)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 4294968,
	};

	up(100, &config);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10000);
	CHECK_TRUE(fake_counters(&w.end[0]).behind > 90);
	fake_run(&w, 4294968);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

TEST(no_more_than_so_many_in_flight)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = 5,
	};
	struct psp_rekey_counters c;

	up(100, &config);
	w.latency = 10000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 5);
	c = fake_counters(&w.end[0]);
	CHECK_EQ(5, c.in_flight);
	CHECK_EQ(95, c.waiting);
	CHECK_EQ(100, c.behind);
	/* Twenty rounds of there and back */
	fake_run(&w, 380);
	CHECK_TRUE(fake_counters(&w.end[0]).behind);
	fake_run(&w, 40);
	CHECK_TRUE(all_fresh());
	CHECK_EQ(5, w.end[0].flight_max);
	CHECK_EQ(0, fake_counters(&w.end[0]).behind);
	CHECK_EQ(100, fake_counters(&w.end[0]).rx_rekeys);
	fake_close(&w);
}

/* Peers that are dead give their places to the living */
TEST(slow_peers_do_not_hold_up_the_others)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = 5,
		.slow_ms = 100,
	};
	unsigned int i, fresh = 0;

	up(100, &config);
	for (i = 0; i < 100; i += 2)
		w.end[1].socks[i].full = true;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 1100);
	for (i = 0; i < 100; i++)
		fresh += fake_is_fresh(&w, i) && i % 2;
	CHECK_EQ(50, fresh);
	CHECK_EQ(50, fake_counters(&w.end[0]).late);
	CHECK_EQ(50, fake_counters(&w.end[0]).behind);
	CHECK_EQ(0, fake_counters(&w.end[0]).in_flight);
	for (i = 0; i < 100; i += 2) {
		w.end[1].socks[i].full = false;
		psp_rekey_conn_writable(w.end[1].socks[i].conn);
	}
	fake_run(&w, 10);
	CHECK_EQ(50, fake_counters(&w.end[0]).late_done);
	CHECK_EQ(0, fake_counters(&w.end[0]).behind);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

/* Those whose peers cannot be heard any more go before those who can wait */
TEST(who_is_cut_off_goes_first)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = 1,
	};
	unsigned int i, done = 0;

	up(20, &config);
	/* All but the last one have a newer key */
	w.end[0].socks[19].rx_err = -ENOSPC;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 20);
	w.end[0].socks[19].rx_err = 0;
	CHECK_EQ(1, fake_counters(&w.end[0]).behind);
	w.latency = 1000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 4);
	CHECK_EQ(w.end[0].rotations, w.end[0].socks[19].rx[0].epoch);
	for (i = 0; i < 19; i++)
		done += w.end[0].socks[i].rx[0].epoch == w.end[0].rotations;
	/* A round trip takes 2 ms, and there is one place */
	CHECK_TRUE(done <= 2);
	fake_run(&w, 100);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

/* And before those who wait for a place already */
TEST(who_is_cut_off_does_not_queue_up)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = 1,
	};
	struct fake_sock *last;

	up(20, &config);
	last = &w.end[0].socks[19];
	last->rx_err = -ENOSPC;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 20);
	CHECK_EQ(1, fake_counters(&w.end[0]).behind);
	w.latency = 20000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 4);
	CHECK_EQ(18, fake_counters(&w.end[0]).waiting);
	last->rx_err = 0;
	fake_run(&w, 200);
	CHECK_EQ(w.end[0].rotations, last->rx[0].epoch);
	CHECK_TRUE(fake_counters(&w.end[0]).waiting > 10);
	fake_run(&w, 1000);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

/* Those who have waited since the last rotation are in the queue before */
TEST(who_is_cut_off_in_the_queue_is_ahead)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = 1,
	};
	unsigned int i, cut = 0;

	up(20, &config);
	w.latency = 20000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 420);
	/* Half of them have their keys, and come behind the other half */
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	for (i = 0; i < 20; i++)
		cut += !fake_hears(&w.end[0].socks[i]);
	CHECK_TRUE(cut > 5 && cut < 15);
	fake_run(&w, cut * 40 + 60);
	for (i = 0; i < 20; i++)
		CHECK_TRUE(fake_hears(&w.end[0].socks[i]));
	fake_run(&w, 1000);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

TEST(connections_come_and_go_meanwhile)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 50,
		.in_flight_max = 4,
	};
	unsigned int round, i, e;

	fake_open(&w, 50, &config);
	for (round = 0; round < 400; round++) {
		i = fake_random(&w, 50);
		e = fake_random(&w, 2);
		if (w.end[e].socks[i].conn) {
			for (e = 0; e < 2; e++) {
				psp_rekey_conn_del(w.end[e].socks[i].conn);
				w.end[e].socks[i].conn = NULL;
			}
		} else if (!w.end[e].socks[i].rx[0].spi) {
			CHECK_EQ(0, fake_add(&w.end[0].socks[i], 0));
			CHECK_EQ(0, fake_add(&w.end[1].socks[i], 0));
		} else {
			/* The same ports, another connection */
			for (e = 0; e < 2; e++) {
				struct fake_sock *s = &w.end[e].socks[i];

				memset(s->rx, 0, sizeof(s->rx));
				s->tx = 0;
				s->heard = false;
				CHECK_TRUE(TAILQ_EMPTY(&s->out));
			}
		}
		if (!fake_random(&w, 5))
			fake_rotate(&w.end[fake_random(&w, 2)], FAKE_TOLD);
		fake_run(&w, 100);
	}
	fake_run(&w, 1000);
	for (i = 0; i < 50; i++)
		CHECK_TRUE(!w.end[0].socks[i].conn || fake_is_fresh(&w, i));
	CHECK_EQ(0, fake_counters(&w.end[0]).behind);
	CHECK_EQ(0, fake_counters(&w.end[0]).in_flight);
	CHECK_EQ(0, fake_counters(&w.end[0]).failed);
	fake_close(&w);
}

/* Its first key is as new as the rotation that nobody has looked at yet */
TEST(connection_added_after_a_rotation)
{
	fake_open(&w, 2, NULL);
	fake_up(&w, 0, 0);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_up(&w, 1, 0);
	fake_run(&w, 2000);
	CHECK_EQ(1, w.end[0].socks[1].rx_calls);
	CHECK_EQ(0, fake_counters(&w.end[0]).rx_busy);
	CHECK_EQ(0, fake_counters(&w.end[0]).missed);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

static void add_another(struct fake_sock *sock, enum psp_rekey_event event)
{
	struct fake_sock *next = sock + 1;

	if (event != PSP_REKEY_EV_ESTABLISHED || sock->fd - 1000 == 99)
		return;
	CHECK_EQ(0, fake_add(next, 0));
	CHECK_EQ(0, fake_add(next->peer, 0));
}

TEST(connections_added_from_within_events)
{
	unsigned int i;

	fake_open(&w, 100, NULL);
	for (i = 0; i < 100; i++)
		w.end[0].socks[i].on_event = add_another;
	CHECK_EQ(0, fake_add(&w.end[0].socks[0], 0));
	CHECK_EQ(0, fake_add(w.end[0].socks[0].peer, 0));
	fake_run(&w, 100);
	CHECK_EQ(100, fake_counters(&w.end[0]).connections);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

/* One process() does a batch and no more: the event loop gets its turn */
TEST(a_call_does_a_batch)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = MANY,
	};
	unsigned int before;

	up(1000, &config);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_process(&w);
	w.now += 1000;
	before = w.end[0].rx_assocs;
	psp_rekey_pool_process(w.end[0].pool);
	CHECK_TRUE(w.end[0].rx_assocs - before <= 64);
	CHECK_EQ(0, psp_rekey_pool_timeout(w.end[0].pool));
	fake_run(&w, 10);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

/* The same for keys of peers that are tried again */
TEST(a_call_retries_a_batch)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = MANY,
	};
	unsigned int i, before = 0, after = 0;

	up(300, &config);
	for (i = 0; i < 300; i++)
		w.end[1].socks[i].tx_err = -ENOSPC;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 40);
	for (i = 0; i < 300; i++)
		before += w.end[1].socks[i].tx_calls;
	w.now += 100000;
	psp_rekey_pool_process(w.end[1].pool);
	for (i = 0; i < 300; i++)
		after += w.end[1].socks[i].tx_calls;
	CHECK_EQ(64, after - before);
	fake_close(&w);
}

/* The same where many places become free at once */
TEST(a_call_fills_a_batch_of_places)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1,
		.in_flight_max = 500,
	};
	unsigned int before, i;

	up(1000, &config);
	w.latency = 0;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_process(&w);
	w.now += 2000;
	fake_process(&w);
	CHECK_EQ(500, fake_counters(&w.end[0]).waiting);
	for (i = 0; i < 1000; i++) {
		fake_deliver_one(&w.end[0].socks[i]);
		fake_deliver_one(&w.end[1].socks[i]);
	}
	CHECK_EQ(0, fake_counters(&w.end[0]).in_flight);
	before = w.end[0].rx_assocs;
	psp_rekey_pool_process(w.end[0].pool);
	CHECK_EQ(64, w.end[0].rx_assocs - before);
	CHECK_EQ(0, psp_rekey_pool_timeout(w.end[0].pool));
	fake_run(&w, 10);
	CHECK_TRUE(all_fresh());
	fake_close(&w);
}

TEST(counters_of_other_sizes)
{
	struct {
		struct psp_rekey_counters c;
		uint64_t more;
	} larger = { .more = 1 };
	struct psp_rekey_counters c = { .rotations = 77 };

	up(1, NULL);
	larger.c.size = sizeof(larger);
	psp_rekey_pool_counters(w.end[0].pool, &larger.c);
	CHECK_EQ(0, larger.more);
	CHECK_EQ(1, larger.c.connections);
	c.size = 2 * sizeof(uint64_t);
	psp_rekey_pool_counters(w.end[0].pool, &c);
	CHECK_EQ(1, c.connections);
	CHECK_EQ(77, c.rotations);
	fake_close(&w);
}

/* What a server runs: nobody may be left behind, and nobody is ever cut off */
TEST(ten_thousand_connections_rotated_every_two_seconds)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 1000,
		.in_flight_max = 64,
	};
	struct psp_rekey_counters c;
	unsigned int round;

	up(MANY, &config);
	w.latency = 1000;
	for (round = 1; round <= 5; round++) {
		fake_rotate(&w.end[0], FAKE_TOLD);
		fake_rotate(&w.end[1], FAKE_TOLD);
		fake_run(&w, 2000);
		CHECK_TRUE(all_fresh());
		c = fake_counters(&w.end[0]);
		CHECK_EQ(round * MANY, c.rx_rekeys);
		CHECK_EQ(0, c.behind);
	}
	CHECK_EQ(0, c.overruns);
	CHECK_EQ(0, c.late);
	CHECK_EQ(0, c.retries);
	CHECK_EQ(0, c.rx_busy);
	CHECK_TRUE(w.end[0].flight_max <= 64);
	CHECK_TRUE(c.max_us < 1500000);
	/* No walk but the one for a rotation, so no look but for that */
	CHECK_TRUE(w.end[0].looks < 2 * MANY + 20);
	fake_close(&w);
}
