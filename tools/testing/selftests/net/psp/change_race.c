// SPDX-License-Identifier: GPL-2.0
/*
 * A rotation of the device key meets what is done with the device and its
 * sockets at the same time. Whichever comes first, keys are good for one more
 * rotation, so that each connection must work afterwards.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "psp_slow.h"

#define ROUNDS		100		/* fewer on a slow kernel */
#define STALL_MS	20000
#define TIMEOUT_S	120
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128

/**
 * struct rotor - rotates the device key of end A when told to
 * @nl: its own netlink socket
 * @dev_id: device
 * @start: where it waits for the other side
 * @err: what key-rotate said
 */
struct rotor {
	struct psp_nl nl;
	uint32_t dev_id;
	pthread_barrier_t start;
	int err;
};

FIXTURE(rotation)
{
	struct psp_net net;
	struct psp_conn conn;
	struct rotor rotor;
};

FIXTURE_SETUP(rotation)
{
	struct rotor *rotor = &self->rotor;

	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, pthread_barrier_init(&rotor->start, NULL, 2));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_nl_open(&rotor->nl));
	rotor->dev_id = self->net.a.dev_id;
}

FIXTURE_TEARDOWN(rotation)
{
	psp_nl_close(&self->rotor.nl);
	pthread_barrier_destroy(&self->rotor.start);
	psp_net_close(&self->net);
}

static void *rotor_run(void *arg)
{
	struct rotor *rotor = arg;

	pthread_barrier_wait(&rotor->start);
	rotor->err = psp_nl_rotate(&rotor->nl, rotor->dev_id);
	return NULL;
}

/* @act while the device key is rotated; returns what @act did */
static int rotor_race(struct rotor *rotor, struct psp_conn *conn,
		      int (*act)(struct psp_conn *conn))
{
	pthread_t thread;
	int err;

	err = pthread_create(&thread, NULL, rotor_run, rotor);
	if (err)
		return -err;
	pthread_barrier_wait(&rotor->start);
	err = act(conn);
	pthread_join(thread, NULL);
	return err;
}

static int act_rx(struct psp_conn *conn)
{
	return psp_conn_rx(conn, &conn->a, VERSION);
}

static int act_tx(struct psp_conn *conn)
{
	return psp_conn_tx(conn, &conn->a);
}

static int act_close(struct psp_conn *conn)
{
	psp_conn_close(conn);
	return 0;
}

/* Remove the port, and make another one */
static int act_replug(struct psp_conn *conn)
{
	char *a = (char *)conn->a.end;

	return psp_net_replug((struct psp_net *)(a - offsetof(struct psp_net,
							      a)));
}

/*
 * A socket keeps its keys until its last segment has left the ring, and until
 * then a rotation may well leave it behind. assoc-get does not show it any
 * more by then; its tx key is the last of it to go.
 */
static int rotation_ended(struct psp_end *end)
{
	return psp_gauge_wait(end, "tx_keys", 0, STALL_MS);
}

/* Nothing that has ended is counted as left behind */
static int rotation_nobody_is_stale(struct psp_end *end)
{
	struct psp_stats stats;
	int i, err;

	err = rotation_ended(end);
	for (i = 0; !err && i < 3; i++)
		err = psp_nl_rotate(&end->nl, end->dev_id);
	if (!err)
		err = psp_nl_stats(&end->nl, end->dev_id, &stats);
	return err ? err : psp_stat(&stats, STALE_EVENTS);
}

TEST_F_TIMEOUT(rotation, meets_rx_assoc, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int i, rounds = psp_scaled(ROUNDS);

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
		ASSERT_EQ(0, rotor_race(&self->rotor, conn, act_rx));
		ASSERT_EQ(0, self->rotor.err);
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, VERSION));
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
		EXPECT_EQ(0, psp_conn_ping(conn));
		psp_conn_close(conn);
		ASSERT_EQ(0, rotation_ended(&self->net.a));
	}
	EXPECT_EQ(0, rotation_nobody_is_stale(&self->net.a));
}

TEST_F_TIMEOUT(rotation, meets_tx_assoc, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int i, rounds = psp_scaled(ROUNDS);

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV6));
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, VERSION));
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, VERSION));
		ASSERT_EQ(0, rotor_race(&self->rotor, conn, act_tx));
		ASSERT_EQ(0, self->rotor.err);
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
		EXPECT_EQ(0, psp_conn_ping(conn));
		psp_conn_close(conn);
		ASSERT_EQ(0, rotation_ended(&self->net.a));
	}
	EXPECT_EQ(0, rotation_nobody_is_stale(&self->net.a));
}

TEST_F_TIMEOUT(rotation, meets_rx_rekey, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	int i, rounds = psp_scaled(ROUNDS);

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, VERSION));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, psp_nl_rotate(&a->nl, a->dev_id));
		/* Both keys of the socket may be those before the last now */
		ASSERT_EQ(0, rotor_race(&self->rotor, conn, act_rx));
		ASSERT_EQ(0, self->rotor.err);
		ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
		EXPECT_EQ(0, psp_conn_ping(conn));
	}
	psp_conn_close(conn);
}

TEST_F_TIMEOUT(rotation, meets_tx_rekey, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int i, rounds = psp_scaled(ROUNDS);

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV6));
	ASSERT_EQ(0, psp_conn_secure(conn, VERSION));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, rotor_race(&self->rotor, conn, act_tx));
		ASSERT_EQ(0, self->rotor.err);
		ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->b));
		EXPECT_EQ(0, psp_conn_ping(conn));
	}
	psp_conn_close(conn);
	EXPECT_EQ(0, rotation_nobody_is_stale(&self->net.a));
}

TEST_F_TIMEOUT(rotation, meets_close, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int i, rounds = psp_scaled(ROUNDS);

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
		ASSERT_EQ(0, psp_conn_secure(conn, VERSION));
		ASSERT_EQ(0, rotor_race(&self->rotor, conn, act_close));
		ASSERT_EQ(0, self->rotor.err);
		ASSERT_EQ(0, rotation_ended(&self->net.a));
	}
	EXPECT_EQ(0, rotation_nobody_is_stale(&self->net.a));
}

TEST_F_TIMEOUT(rotation, meets_removal, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->net.a;
	int i, rounds = psp_scaled(ROUNDS);

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
		ASSERT_EQ(0, psp_conn_secure(conn, VERSION));
		self->rotor.dev_id = a->dev_id;
		ASSERT_EQ(0, rotor_race(&self->rotor, conn, act_replug));
		if (self->rotor.err)
			EXPECT_EQ(-ENODEV, self->rotor.err);
		psp_conn_close(conn);
	}
}

TEST_HARNESS_MAIN
