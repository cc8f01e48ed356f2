// SPDX-License-Identifier: GPL-2.0
/*
 * First tx-assocs that meet: the device is unlocked while one of them waits
 * for segments that are on their way, so that others may come in between.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define ROUNDS		10
#define STALL_MS	20000
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128

/**
 * struct racer - a thread that gives a socket of end A its tx key
 * @thread: the thread
 * @start: where both wait for each other
 * @nl: its own netlink socket
 * @dev_id: device
 * @fd: the socket
 * @key: the key
 * @err: what tx-assoc said
 */
struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	struct psp_nl nl;
	uint32_t dev_id;
	int fd;
	const struct psp_key *key;
	int err;
};

FIXTURE(race)
{
	struct psp_net net;
	struct psp_conn conn[2];
	struct racer racer[2];
	pthread_barrier_t start;
};

FIXTURE_SETUP(race)
{
	int i;

	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, pthread_barrier_init(&self->start, NULL, 2));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	for (i = 0; i < 2; i++) {
		self->racer[i].start = &self->start;
		self->racer[i].dev_id = self->net.a.dev_id;
		ASSERT_EQ(0, psp_nl_open(&self->racer[i].nl));
	}
}

FIXTURE_TEARDOWN(race)
{
	psp_nl_close(&self->racer[0].nl);
	psp_nl_close(&self->racer[1].nl);
	pthread_barrier_destroy(&self->start);
	psp_net_close(&self->net);
}

static void *race_run(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(racer->start);
	racer->err = psp_nl_tx_assoc(&racer->nl, racer->dev_id, VERSION,
				     racer->fd, racer->key);
	return NULL;
}

/* A's socket of each of the two connections, which may be the same */
static int race(struct racer *racer, struct psp_conn *conn[2])
{
	int i, err;

	for (i = 0; i < 2; i++) {
		racer[i].fd = conn[i]->a.fd;
		racer[i].key = &conn[i]->b.rx;
		err = pthread_create(&racer[i].thread, NULL, race_run,
				     &racer[i]);
		if (err)
			return -err;
	}
	pthread_join(racer[0].thread, NULL);
	pthread_join(racer[1].thread, NULL);
	return 0;
}

/* Up to where A may have its tx key */
static int race_prepare(struct psp_net *net, struct psp_conn *conn)
{
	int err = psp_conn_open(conn, net, PSP_IPV4);

	if (!err)
		err = psp_conn_rx(conn, &conn->a, VERSION);
	return err ? err : psp_conn_rx(conn, &conn->b, VERSION);
}

TEST_F(race, two_first_tx_assocs_on_one_socket)
{
	struct psp_conn *conn = &self->conn[0];
	struct psp_conn *both[2] = { conn, conn };
	struct racer *loser;
	int i, met = 0;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, race_prepare(&self->net, conn));
		ASSERT_EQ(0, race(self->racer, both));
		loser = &self->racer[!self->racer[0].err];
		EXPECT_EQ(-EBUSY, self->racer[0].err + self->racer[1].err);
		EXPECT_EQ(-EBUSY, loser->err);
		EXPECT_STREQ(psp_blame(&loser->nl, "sock-fd"),
			     loser->nl.ack.bad);
		met += !strcmp("Tx key is just being set", loser->nl.ack.msg);

		EXPECT_EQ(1, psp_gauge(&self->net.a, "tx_keys"));
		EXPECT_EQ(0, psp_conn_tx(conn, &conn->b));
		EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
		psp_conn_close(conn);
		EXPECT_EQ(0, psp_gauge_wait(&self->net.a, "tx_keys", 0,
					    STALL_MS));
	}
	/* Not all of them one after the other; mainline's PSP never unlocks */
	if (psp_nl_rekeys(&self->net.a.nl))
		EXPECT_LT(0, met);
}

TEST_F(race, first_tx_assocs_on_two_sockets)
{
	struct psp_conn *both[2] = { &self->conn[0], &self->conn[1] };
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, race_prepare(&self->net, both[0]));
		ASSERT_EQ(0, race_prepare(&self->net, both[1]));
		ASSERT_EQ(0, race(self->racer, both));
		for (j = 0; j < 2; j++) {
			EXPECT_EQ(0, self->racer[j].err);
			EXPECT_EQ(0, psp_conn_tx(both[j], &both[j]->b));
			EXPECT_EQ(0, psp_xfer_both(both[j], 20000, STALL_MS));
		}
		psp_conn_close(both[0]);
		psp_conn_close(both[1]);
	}
}

TEST_HARNESS_MAIN
