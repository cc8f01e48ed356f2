// SPDX-License-Identifier: GPL-2.0
/*
 * libpsp's rekey helper with the real modules: connections of two hosts whose
 * devices are rotated, again and again, while data goes both ways.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "rekeyer_app.h"

#define SOON_MS		30000
#define TIMEOUT_S	120
#define MANY		1000
#define MANY_ROUNDS	30
#define MANY_ROUND_MS	2000
#define MANY_OPEN_MS	3000
#define MANY_TIMEOUT_S	280

FIXTURE(rekeyer)
{
	struct psp_net net;
	struct rk_app app;
};

FIXTURE_SETUP(rekeyer)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
}

FIXTURE_TEARDOWN(rekeyer)
{
	rk_close(&self->app);
	psp_net_close(&self->net);
}

/* Nobody was stale at any time, and nothing was lost */
static void rekeyer_check_clean(struct __test_metadata *_metadata,
				struct rk_app *app, unsigned int rotations)
{
	struct psp_rekey_counters c;
	int i;

	EXPECT_EQ(0, rk_broken(app));
	EXPECT_EQ(0, rk_events(app, PSP_REKEY_EV_STUCK));
	EXPECT_EQ(0, rk_events(app, PSP_REKEY_EV_FAILED));
	EXPECT_EQ(0, rk_events(app, PSP_REKEY_EV_REFUSED));
	for (i = 0; i < 2; i++) {
		c = rk_counters(&app->host[i]);
		EXPECT_EQ(rotations, c.rotations);
		EXPECT_EQ(rotations * app->num, c.rx_rekeys);
		EXPECT_EQ(rotations * app->num, c.tx_rekeys);
		EXPECT_EQ(0, c.missed);
		EXPECT_EQ(0, c.overruns);
		EXPECT_EQ(0, c.behind);
		EXPECT_EQ(0, psp_end_refused(app->host[i].end));
		EXPECT_EQ(0, psp_end_stat(app->host[i].end,
					  PSP_A_STATS_STALE_EVENTS));
	}
}

static void rekeyer_report(struct rk_app *app, uint64_t ms)
{
	struct psp_rekey_counters a = rk_counters(&app->host[0]);
	struct psp_rekey_counters b = rk_counters(&app->host[1]);
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < 2 * app->num; i++)
		bytes += app->host[i & 1].sides[i / 2].got;
	printf("# %u connections, %u ms, %llu bytes; rekeys %llu + %llu, ",
	       app->num, (unsigned int)ms, (unsigned long long)bytes,
	       (unsigned long long)a.rx_rekeys,
	       (unsigned long long)b.rx_rekeys);
	printf("late %llu + %llu; from a rotation to the last connection ",
	       (unsigned long long)a.late, (unsigned long long)b.late);
	printf("rekeyed at most %llu ms + %llu ms\n",
	       (unsigned long long)a.max_us / 1000,
	       (unsigned long long)b.max_us / 1000);
}

TEST_F_TIMEOUT(rekeyer, data_goes_on_through_rotations, TIMEOUT_S)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 50,
		.slow_ms = SOON_MS,
	};
	struct rk_app *app = &self->app;
	uint64_t start;
	int i;

	ASSERT_EQ(0, rk_open(app, &self->net, 20, 0, &config));
	app->pause_ms = 50;
	ASSERT_EQ(0, rk_run(app, SOON_MS, rk_is_established));
	start = psp_now_ms();
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, rk_rotate(app));
		ASSERT_EQ(0, rk_run(app, 100, NULL));
		ASSERT_EQ(0, rk_run(app, SOON_MS, rk_is_caught_up));
	}
	app->pause_ms = 0;
	EXPECT_EQ(0, rk_run(app, SOON_MS, rk_is_drained));
	rekeyer_report(app, psp_now_ms() - start);
	rekeyer_check_clean(_metadata, app, 20);
}

/* All connections of both hosts were stuck, and came to life again */
static bool rekeyer_is_recovered(struct rk_app *app)
{
	return rk_counters(&app->host[0]).recovered == app->num &&
	       rk_counters(&app->host[1]).recovered == app->num;
}

/* Two rotations in a row: no packet passes in either direction any more */
TEST_F_TIMEOUT(rekeyer, both_ends_stale_come_back_by_another_channel,
	       TIMEOUT_S)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = 50,
		.stuck_ms = 300,
	};
	struct rk_app *app = &self->app;
	int i;

	ASSERT_EQ(0, rk_open(app, &self->net, 4, 0, &config));
	app->pause_ms = 100;
	app->has_beside = true;
	ASSERT_EQ(0, rk_run(app, SOON_MS, rk_is_established));
	ASSERT_EQ(0, rk_rotate(app));
	ASSERT_EQ(0, rk_rotate(app));
	EXPECT_EQ(0, rk_run(app, SOON_MS, rekeyer_is_recovered));
	EXPECT_EQ(0, rk_run(app, SOON_MS, rk_is_caught_up));
	app->pause_ms = 0;
	EXPECT_EQ(0, rk_run(app, SOON_MS, rk_is_drained));
	EXPECT_EQ(0, rk_broken(app));
	EXPECT_EQ(0, rk_events(app, PSP_REKEY_EV_FAILED));
	for (i = 0; i < 2; i++) {
		struct psp_rekey_counters c = rk_counters(&app->host[i]);

		EXPECT_EQ(4, c.stuck);
		EXPECT_EQ(4, c.recovered);
		EXPECT_EQ(0, c.behind);
		EXPECT_LT(0, psp_end_refused(app->host[i].end));
	}
}

/*
 * As many connections as can be opened within three seconds: that takes about
 * what all their rekeys take, and tells how fast the machine is. A host that
 * has other things to do may still need longer for a round: whoever rotates
 * waits until nobody is behind. How often that was is told.
 */
TEST_F_TIMEOUT(rekeyer, many_connections_rotated_every_two_seconds,
	       MANY_TIMEOUT_S)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = MANY_ROUND_MS / 4,
		.slow_ms = SOON_MS,
	};
	unsigned int i, rounds = psp_scaled(MANY_ROUNDS), waited = 0;
	struct rk_app *app = &self->app;
	uint64_t start;

	start = psp_now_ms();
	ASSERT_EQ(0, rk_open(app, &self->net, psp_scaled(MANY),
			     MANY_OPEN_MS, &config));
	ASSERT_EQ(0, rk_run(app, SOON_MS, rk_is_established));
	printf("# %u connections established in %u ms\n", app->num,
	       (unsigned int)(psp_now_ms() - start));
	app->pause_ms = MANY_ROUND_MS;
	start = psp_now_ms();
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, rk_rotate(app));
		ASSERT_EQ(0, rk_run(app, MANY_ROUND_MS, NULL));
		waited += !rk_is_caught_up(app);
		ASSERT_EQ(0, rk_run(app, SOON_MS, rk_is_caught_up));
	}
	printf("# %u of %u rotations took longer than %u ms\n", waited, rounds,
	       MANY_ROUND_MS);
	app->pause_ms = 0;
	EXPECT_EQ(0, rk_run(app, SOON_MS, rk_is_drained));
	rekeyer_report(app, psp_now_ms() - start);
	rekeyer_check_clean(_metadata, app, rounds);
}

TEST_HARNESS_MAIN
