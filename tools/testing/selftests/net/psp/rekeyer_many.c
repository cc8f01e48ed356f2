// SPDX-License-Identifier: GPL-2.0
/*
 * What a server with many connections asks of libpsp's rekey helper: each
 * rotation finds all of them under the key of the last one. It takes a machine
 * that is fast enough; an emulated one has the clock for it, see qemu/counted.
 */
#include "rekeyer_fixture.h"

#define OPEN_MS		60000
#define DRAIN_MS	30000
#define TIMEOUT_S	280
#define CONNS		1000
#define ROUNDS		30
#define ROUND_MS	2000

TEST_F_TIMEOUT(rekeyer, thousand_connections_rotated_every_two_seconds,
	       TIMEOUT_S)
{
	const struct psp_rekey_pool_config config = {
		.size = sizeof(config),
		.window_ms = ROUND_MS / 4,
		.slow_ms = ROUND_MS,
	};
	unsigned int i, rounds = psp_scaled(ROUNDS);
	struct rk_app *app = &self->app;
	uint64_t start = psp_now_ms();

	ASSERT_EQ(0, rk_open(app, &self->net, psp_scaled(CONNS), &config));
	ASSERT_EQ(0, rk_run(app, OPEN_MS, rk_is_established));
	printf("# measured: %u connections established in %u ms\n",
	       app->num, (unsigned int)(psp_now_ms() - start));
	app->pause_ms = ROUND_MS;
	start = psp_now_ms();
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, rk_rotate(app));
		ASSERT_EQ(0, rk_run(app, ROUND_MS, NULL));
		/* Or else the next rotation leaves somebody stale */
		ASSERT_TRUE(rk_is_caught_up(app));
	}
	app->pause_ms = 0;
	EXPECT_EQ(0, rk_run(app, DRAIN_MS, rk_is_drained));
	rekeyer_report(app, psp_now_ms() - start);
	rekeyer_check_clean(_metadata, app, rounds);
}

TEST_HARNESS_MAIN
