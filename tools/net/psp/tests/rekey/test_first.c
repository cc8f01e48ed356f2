// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* The first exchange of keys, and what can go wrong with it */
#include "one.h"

TEST(first_exchange)
{
	start(NULL);
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(1, a->sent[REKEY_MSG_OFFER]);
	CHECK_EQ(0, a->tx);
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 1);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, a->events[PSP_REKEY_EV_TX]);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_ESTABLISHED]);
	CHECK_EQ(1, b->events[PSP_REKEY_EV_ESTABLISHED]);
	CHECK_EQ(1, C(0, acks));
	CHECK_TRUE(fake_has_no_keys(a));
	CHECK_TRUE(fake_has_no_keys(b));
	fake_close(&w);
}

/* An end never answers in plain: its offer is the last that it says so */
TEST(first_offer_is_the_last_plain_message)
{
	start(NULL);
	a->full = true;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 1);
	/* A has B's offer, but its own is not out */
	CHECK_EQ(0, a->tx_calls);
	CHECK_EQ(0, a->events[PSP_REKEY_EV_TX]);
	a->full = false;
	psp_rekey_conn_writable(a->conn);
	fake_run(&w, 1);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, a->sent[REKEY_MSG_OFFER]);
	CHECK_EQ(1, a->sent[REKEY_MSG_ACK]);
	fake_close(&w);
}

/* Whichever way it went twice, the peer would find plain data behind the end */
TEST(first_offer_is_not_sent_again)
{
	start(NULL);
	a->full = true;
	CHECK_EQ(0, fake_add(a, KEEP));
	CHECK_EQ(0, psp_rekey_conn_resend(a->conn, 0));
	CHECK_EQ(-EBUSY, psp_rekey_conn_resend(a->conn, PSP_REKEY_OUT_OF_BAND));
	a->full = false;
	psp_rekey_conn_writable(a->conn);
	CHECK_EQ(-EBUSY, psp_rekey_conn_resend(a->conn, 0));
	CHECK_EQ(-EBUSY, psp_rekey_conn_resend(a->conn, PSP_REKEY_OUT_OF_BAND));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 1);
	CHECK_EQ(1, a->sent[REKEY_MSG_OFFER]);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_ESTABLISHED]);
	CHECK_EQ(1, b->events[PSP_REKEY_EV_ESTABLISHED]);
	fake_close(&w);
}

static void tell_early(struct fake_sock *sock)
{
	fake_deliver_one(sock->peer);
	CHECK_EQ(0, sock->tx);
}

/* The peer's offer is read while ours is being sent, and is not */
TEST(first_offer_of_the_peer_comes_meanwhile)
{
	start(NULL);
	w.latency = 0;
	a->full = true;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(0, fake_add(b, 0));
	a->on_full = tell_early;
	psp_rekey_conn_writable(a->conn);
	a->full = false;
	psp_rekey_conn_writable(a->conn);
	fake_run(&w, 1);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, a->events[PSP_REKEY_EV_ESTABLISHED]);
	fake_close(&w);
}

TEST(first_tx_waits_until_plain_data_is_read)
{
	start(NULL);
	a->plain = 1;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 50);
	CHECK_TRUE(a->tx_calls > 2);
	CHECK_EQ(0, a->tx);
	CHECK_EQ(0, a->sent[REKEY_MSG_LATER]);
	a->plain = 0;
	psp_rekey_conn_drained(a->conn);
	CHECK_TRUE(a->tx);
	fake_run(&w, 1);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

TEST(first_tx_gives_up_in_the_end)
{
	start(NULL);
	a->plain = 1;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 9900);
	CHECK_EQ(0, a->events[PSP_REKEY_EV_FAILED]);
	fake_run(&w, 300);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-EBUSY, a->event_err[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-ENOTCONN, psp_rekey_conn_input(a->conn, "", 0));
	CHECK_TRUE(fake_has_no_keys(a));
	CHECK_TRUE(a->tx_calls < 200);
	fake_close(&w);
}

TEST(first_exchange_has_a_deadline)
{
	start(NULL);
	CHECK_EQ(0, fake_add(a, KEEP));
	fake_run(&w, 29900);
	CHECK_EQ(0, a->events[PSP_REKEY_EV_FAILED]);
	fake_run(&w, 200);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-ETIMEDOUT, a->event_err[PSP_REKEY_EV_FAILED]);
	CHECK_TRUE(fake_has_no_keys(a));
	fake_close(&w);
}

TEST(first_tx_waits_for_room_in_the_device)
{
	start(NULL);
	a->tx_err = -ENOSPC;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 50);
	CHECK_EQ(0, a->sent[REKEY_MSG_LATER]);
	a->tx_err = 0;
	fake_run(&w, 200);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

TEST(first_rx_error_is_told_at_once)
{
	start(NULL);
	a->rx_err = -EOPNOTSUPP;
	CHECK_EQ(-EOPNOTSUPP, fake_add(a, 0));
	CHECK_EQ(0, C(0, connections));
	a->rx_err = 0;
	CHECK_EQ(0, fake_add(a, 0));
	fake_close(&w);
}

TEST(bad_configurations_are_refused)
{
	struct psp_rekey_conn_config config = {
		.size = sizeof(config),
		.dev_id = FAKE_DEV,
		.version = 2,
	};
	struct psp_rekey_conn_ops ops = { 0 };
	struct psp_rekey_conn *conn;

	start(NULL);
	CHECK_EQ(-EINVAL, psp_rekey_conn_add(w.end[0].pool, &config, &conn));
	config.ops = &ops;
	CHECK_EQ(-EINVAL, psp_rekey_conn_add(w.end[0].pool, &config, &conn));
	/* Version 2 would show the next key to all who listen */
	ops.send = (void *)start;
	CHECK_EQ(-EINVAL, psp_rekey_conn_add(w.end[0].pool, &config, &conn));
	config.version = 4;
	config.flags = PSP_REKEY_SECRET_CHANNEL;
	CHECK_EQ(-EINVAL, psp_rekey_conn_add(w.end[0].pool, &config, &conn));
	fake_close(&w);
}

/* What a newer program says and this library does not know must be 0 */
TEST(configurations_of_other_sizes)
{
	struct {
		struct psp_rekey_conn_config c;
		uint64_t more;
	} conn = { .c = {
		.size = sizeof(conn),
		.fd = 1000,
		.dev_id = FAKE_DEV,
		.ops = &fake_conn_ops,
	} };
	struct {
		struct psp_rekey_pool_config c;
		uint64_t more;
	} pool = { .c = { .size = sizeof(pool) }, .more = 1 };
	struct psp_rekey_pool *p;

	CHECK_EQ(-E2BIG, rekey_pool_new(&p, &pool.c, NULL, NULL));
	start(&at_once);
	a->send_err = -EPIPE;
	conn.c.data = a;
	conn.more = 1;
	CHECK_EQ(-E2BIG, psp_rekey_conn_add(w.end[0].pool, &conn.c, &a->conn));
	conn.c.size = REKEY_CONN_CONFIG_MIN - 1;
	CHECK_EQ(-EINVAL, psp_rekey_conn_add(w.end[0].pool, &conn.c, &a->conn));
	conn.c.size = sizeof(conn);
	conn.more = 0;
	CHECK_EQ(0, psp_rekey_conn_add(w.end[0].pool, &conn.c, &a->conn));
	fake_close(&w);
}

TEST(first_exchange_over_two_rotations_is_an_error)
{
	start(&at_once);
	CHECK_EQ(0, fake_add(a, 0));
	rotate_both();
	rotate_both();
	fake_run(&w, 10);
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 6000);
	/* A's first key was dead before B could use it: nothing can be done */
	CHECK_EQ(1, a->events[PSP_REKEY_EV_STUCK]);
	CHECK_EQ(-EKEYEXPIRED, a->event_err[PSP_REKEY_EV_STUCK]);
	fake_close(&w);
}
