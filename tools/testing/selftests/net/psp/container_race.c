// SPDX-License-Identifier: GPL-2.0
/*
 * The association of a container's device ends while a socket of the container
 * is about to get its first tx key: the PSP device is unlocked in between.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "kselftest_harness.h"
#include "container.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	90

#define VERSION		PSP_VERSION_HDR0_AES_GCM_128

/**
 * struct racer - a thread that gives a socket of the container its tx key
 * @start: where both wait for each other
 * @nl: its own netlink socket, in the container
 * @dev_id: device
 * @fd: the socket
 * @key: the key
 * @err: what tx-assoc said
 */
struct racer {
	pthread_barrier_t start;
	struct psp_nl nl;
	uint32_t dev_id;
	int fd;
	struct psp_key key;
	int err;
};

FIXTURE(race)
{
	struct container c;
	struct psp_conn conn;	/* from the container to end B */
	struct racer racer;
};

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, container_open(&self->c));
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(0, psp_nl_open(&self->racer.nl));
	ASSERT_EQ(0, psp_ns_enter(self->c.net.home));
	ASSERT_EQ(0, pthread_barrier_init(&self->racer.start, NULL, 2));
	self->racer.dev_id = self->c.net.a.dev_id;
}

FIXTURE_TEARDOWN(race)
{
	pthread_barrier_destroy(&self->racer.start);
	psp_nl_close(&self->racer.nl);
	container_close(&self->c);
}

static void *race_run(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(&racer->start);
	racer->err = psp_nl_tx_assoc(&racer->nl, racer->dev_id, VERSION,
				     racer->fd, &racer->key);
	return NULL;
}

/* Both at once; the container is associated again afterwards */
static int race(struct racer *racer, struct container *c,
		const struct psp_conn *conn)
{
	pthread_t thread;
	int err;

	racer->fd = conn->a.fd;
	racer->key = conn->b.rx;
	err = pthread_create(&thread, NULL, race_run, racer);
	if (err)
		return -err;
	pthread_barrier_wait(&racer->start);
	err = container_disassoc(c);
	pthread_join(thread, NULL);
	return err ? err : container_assoc(c);
}

/* Who comes too late is refused at once, who comes early enough has a key */
TEST_F(race, association_ends_during_the_first_tx_assoc)
{
	uint64_t end = psp_now_ms() + psp_slow_ms(CONTAINER_MS) * 2;
	struct psp_conn *conn = &self->conn;
	struct racer *racer = &self->racer;
	struct container *c = &self->c;
	bool met = false;

	ASSERT_EQ(0, container_assoc(c));
	while (!met && psp_now_ms() < end) {
		ASSERT_EQ(0, psp_conn_open(conn, &c->pair, PSP_IPV4));
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, VERSION));
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, VERSION));
		ASSERT_EQ(0, race(racer, c, conn));
		if (racer->err) {
			ASSERT_EQ(-ENOENT, racer->err);
			met = strstr(racer->nl.ack.msg, "meanwhile");
			EXPECT_EQ(0, psp_gauge(&c->net.a, "tx_keys"));
			EXPECT_EQ(0, psp_conn_tx(conn, &conn->a));
		}
		EXPECT_EQ(0, psp_conn_tx(conn, &conn->b));
		EXPECT_EQ(0, psp_xfer_both(conn, 20000, CONTAINER_MS));
		psp_conn_close(conn);
		ASSERT_EQ(0, psp_gauge_wait(&c->net.a, "tx_keys", 0,
					    psp_slow_ms(CONTAINER_MS)));
	}
	EXPECT_TRUE(met);
}

TEST_HARNESS_MAIN
