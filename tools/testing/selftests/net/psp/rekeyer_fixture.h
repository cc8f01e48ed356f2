/* SPDX-License-Identifier: GPL-2.0 */
/* What tests of libpsp's rekey helper begin and end with */
#ifndef REKEYER_FIXTURE_H
#define REKEYER_FIXTURE_H

#include "kselftest_harness.h"
#include "rekeyer_app.h"

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
	printf("# measured: %u connections, %u ms, %llu bytes, ", app->num,
	       (unsigned int)ms, (unsigned long long)bytes);
	printf("rekeys %llu + %llu, late %llu + %llu\n",
	       (unsigned long long)a.rx_rekeys,
	       (unsigned long long)b.rx_rekeys, (unsigned long long)a.late,
	       (unsigned long long)b.late);
	printf("# measured: from a rotation to the last connection rekeyed ");
	printf("%llu + %llu ms at most\n",
	       (unsigned long long)a.max_us / 1000,
	       (unsigned long long)b.max_us / 1000);
}

#endif /* REKEYER_FIXTURE_H */
