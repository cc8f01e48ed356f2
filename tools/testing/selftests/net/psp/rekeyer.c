// SPDX-License-Identifier: GPL-2.0
/*
 * libpsp's rekey helper with the real modules: connections of two hosts whose
 * devices are rotated, again and again, while data goes both ways.
 */
#include "rekeyer_fixture.h"

#define SOON_MS		30000
#define TIMEOUT_S	120

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

	ASSERT_EQ(0, rk_open(app, &self->net, 20, &config));
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

	ASSERT_EQ(0, rk_open(app, &self->net, 4, &config));
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

TEST_HARNESS_MAIN
