// SPDX-License-Identifier: GPL-2.0
/*
 * The sample driver under load. Keys are retired while descriptors name them,
 * links go down and the module goes, all in the midst of data and rekeys. What
 * goes wrong in the kernel then is seen by who reads its log.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "deferred.h"
#include "kselftest_harness.h"
#include "module.h"
#include "watch.h"

#define SAMPLE		"psp_sample"
#define STALL_MS	20000
#define TIMEOUT_S	120
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128
#define STEP		30000	/* bytes each way between two rekeys */
#define WAITS		20	/* keys that have to wait; fewer on slow ones */
#define BOUNCES		20
#define UNLOADS		10

FIXTURE(sample)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_xfer flood[2];
};

/* The module's devices are born where it is loaded */
static int sample_plug(struct psp_net *net)
{
	int err;

	snprintf(net->a.ifname, IFNAMSIZ, "sample0");
	snprintf(net->b.ifname, IFNAMSIZ, "sample1");
	err = psp_ns_enter(net->a.ns);
	if (!err)
		err = module_load(SAMPLE);
	return err ? err : psp_link_move(if_nametoindex(net->b.ifname),
					 net->b.ns);
}

static int sample_up(struct psp_end *end)
{
	int err = psp_end_open(end);

	return err ? err : psp_nl_dev_set(&end->nl, end->dev_id, 1 << VERSION);
}

static int sample_begin(struct psp_net *net, struct psp_conn *conn,
			struct psp_xfer *flood)
{
	int err = psp_net_open_plugged(net, sample_plug, sample_up);

	if (!err)
		err = psp_conn_open(conn, net, PSP_IPV4);
	if (!err)
		err = psp_conn_secure(conn, VERSION);
	psp_flood_start(conn, flood);
	return err;
}

FIXTURE_SETUP(sample)
{
	ASSERT_EQ(0, sample_begin(&self->net, &self->conn, self->flood));
	ASSERT_EQ(0, watch_trace(true));
}

FIXTURE_TEARDOWN(sample)
{
	EXPECT_EQ(0, watch_trace(false));
	psp_conn_close(&self->conn);
	if (module_is_loaded(SAMPLE))
		EXPECT_EQ(0, module_unload(SAMPLE));
	psp_net_close(&self->net);
}

/* Data both ways, and then A sends under a key in another slot */
static int sample_step(struct psp_conn *conn, struct psp_xfer *flood)
{
	int err = psp_flood_flow(flood, STEP, STALL_MS);

	return err ? err : psp_conn_tx(conn, &conn->a);
}

/* All that was sent arrives, and no key was missing when it was to be used */
static void sample_ends_well(struct __test_metadata *_metadata,
			     struct psp_net *net, struct psp_xfer *flood)
{
	struct psp_end *a = &net->a;

	ASSERT_EQ(0, psp_flood_end(flood, STALL_MS));
	EXPECT_EQ(0, deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS, 1));
	EXPECT_EQ(0, psp_end_stat(a, PSP_A_STATS_TX_ERROR));
	EXPECT_EQ(0, psp_end_refused(&net->b));
}

/* Said by the driver later, in answer to a question that it could not answer */
TEST_F_TIMEOUT(sample, keys_wait_for_their_descriptors, TIMEOUT_S)
{
	int waits = psp_scaled(WAITS);
	uint64_t end = psp_now_ms() + psp_slow_ms(STALL_MS);

	while (watch_traced("psp_tx_key_quiesced", "") < waits) {
		ASSERT_LT(psp_now_ms(), end);
		ASSERT_EQ(0, sample_step(&self->conn, self->flood));
	}
	sample_ends_well(_metadata, &self->net, self->flood);
}

TEST_F_TIMEOUT(sample, link_goes_down_under_load, TIMEOUT_S)
{
	struct psp_end *a = &self->net.a;
	int i, bounces = psp_scaled(BOUNCES);

	for (i = 0; i < bounces; i++) {
		ASSERT_EQ(0, sample_step(&self->conn, self->flood));
		ASSERT_EQ(0, psp_ns_enter(a->ns));
		ASSERT_EQ(0, psp_link_up(a->ifindex, false));
		ASSERT_EQ(0, psp_conn_tx(&self->conn, &self->conn.a));
		ASSERT_EQ(0, psp_link_up(a->ifindex, true));
		ASSERT_EQ(0, psp_ns_enter(self->net.home));
	}
	sample_ends_well(_metadata, &self->net, self->flood);
}

/**
 * struct sample_other - what goes on beside the data
 * @conn: connection; but for its sockets, the threads' own
 * @gone: the module is
 * @err: what unloading it gave
 */
struct sample_other {
	struct psp_conn *conn;
	atomic_bool gone;
	int err;
};

static void *sample_unload(void *arg)
{
	struct sample_other *other = arg;

	other->err = module_unload(SAMPLE);
	other->gone = true;
	return NULL;
}

/* Rekeys, and puts the link up whenever it is down */
static void *sample_meddle(void *arg)
{
	struct sample_other *other = arg;
	struct psp_side *a = &other->conn->a;

	if (psp_ns_enter(a->end->ns))
		return NULL;
	while (!other->gone) {
		psp_link_up(a->end->ifindex, true);
		psp_conn_tx(other->conn, a);
	}
	return NULL;
}

/* Unload the module in the midst of all that; returns what it gave */
static int sample_go(struct psp_conn *conn, struct psp_xfer *flood)
{
	struct sample_other other = { .conn = conn };
	pthread_t unload, meddle;
	int err;

	err = pthread_create(&meddle, NULL, sample_meddle, &other);
	if (err)
		return -err;
	psp_flood_flow(flood, STEP, STALL_MS);
	err = pthread_create(&unload, NULL, sample_unload, &other);
	other.gone = err;
	while (!other.gone)
		psp_xfer_step(flood, 2, 10);
	if (!err)
		pthread_join(unload, NULL);
	pthread_join(meddle, NULL);
	return err ? -err : other.err;
}

/* Nor do segments find the device open when its keys are gone */
TEST_F_TIMEOUT(sample, module_goes_under_load, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int unloads = psp_scaled(UNLOADS);

	for (;;) {
		ASSERT_EQ(0, sample_step(conn, self->flood));
		ASSERT_EQ(0, sample_go(conn, self->flood));
		EXPECT_EQ(-ENODEV, psp_conn_tx(conn, &conn->a));
		EXPECT_EQ(0, watch_traced("psp_drop", "reason=tx-dev"));
		if (!--unloads)
			break;
		psp_conn_close(conn);
		psp_net_close(&self->net);
		ASSERT_EQ(0, sample_begin(&self->net, conn, self->flood));
	}
}

TEST_HARNESS_MAIN
