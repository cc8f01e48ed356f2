// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Callbacks that call back */
#include "one.h"

static void delete_on_event(struct fake_sock *sock, enum psp_rekey_event event)
{
	enum psp_rekey_event *when = sock->data;

	if (event != *when)
		return;
	psp_rekey_conn_del(sock->conn);
	sock->conn = NULL;
}

TEST(deleted_from_within_each_event)
{
	enum psp_rekey_event when;

	for (when = 0; when <= PSP_REKEY_EV_FAILED; when++) {
		start(&at_once);
		a->data = &when;
		b->data = &when;
		a->on_event = delete_on_event;
		CHECK_EQ(0, fake_add(a, KEEP));
		CHECK_EQ(0, fake_add(b, KEEP));
		fake_run(&w, 10);
		rotate_both();
		if (when == PSP_REKEY_EV_LATER)
			b->tx_err = -ENOSPC;
		if (when == PSP_REKEY_EV_REFUSED)
			b->tx_err = -EPERM;
		if (when == PSP_REKEY_EV_STUCK)
			rotate_both();
		if (when == PSP_REKEY_EV_FAILED)
			a->send_err = -EIO;
		fake_run(&w, 6000);
		CHECK_TRUE(!a->conn);
		CHECK_EQ(1, a->events[when]);
		CHECK_EQ(0, C(0, connections));
		CHECK_EQ(0, C(0, in_flight));
		CHECK_EQ(0, C(0, behind));
		fake_close(&w);
	}
}

/* It fails while its key is handed to the other channel */
static void fail_on_send(struct fake_sock *sock, const uint8_t *msg,
			 unsigned int flags)
{
	if (flags & PSP_REKEY_OUT_OF_BAND)
		rekey_conn_fail(sock->conn, -EIO);
}

TEST(failed_is_the_last_event)
{
	start_up(&at_once, KEEP);
	a->on_send = fail_on_send;
	rotate_both();
	rotate_both();
	fake_run(&w, 6000);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(0, a->events[PSP_REKEY_EV_STUCK]);
	fake_close(&w);
}

static void delete_on_send(struct fake_sock *sock, const uint8_t *msg,
			   unsigned int flags)
{
	uint8_t *type = sock->data;

	if (!sock->conn || msg[1] != *type)
		return;
	psp_rekey_conn_del(sock->conn);
	sock->conn = NULL;
}

/* Before psp_rekey_conn_add() has returned */
TEST(deleted_from_within_the_first_send)
{
	uint8_t type = REKEY_MSG_OFFER;

	start(&at_once);
	a->data = &type;
	a->on_send = delete_on_send;
	CHECK_EQ(-ECANCELED, fake_add(a, 0));
	CHECK_TRUE(!a->conn);
	CHECK_EQ(0, C(0, connections));
	fake_close(&w);
}

TEST(deleted_when_the_first_send_has_failed)
{
	enum psp_rekey_event when = PSP_REKEY_EV_FAILED;

	start(&at_once);
	a->data = &when;
	a->on_event = delete_on_event;
	a->send_err = -EPIPE;
	CHECK_EQ(-ECANCELED, fake_add(a, 0));
	CHECK_TRUE(!a->conn);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(0, C(0, connections));
	fake_close(&w);
}

/* It is the program's to delete */
TEST(failed_in_the_first_send)
{
	start(&at_once);
	a->send_err = -EPIPE;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-EPIPE, a->event_err[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-ENOTCONN, psp_rekey_conn_input(a->conn, "", 0));
	CHECK_EQ(1, C(0, connections));
	psp_rekey_conn_del(a->conn);
	CHECK_EQ(0, C(0, connections));
	fake_close(&w);
}

TEST(deleted_from_within_send)
{
	uint8_t type;

	for (type = REKEY_MSG_OFFER; type <= REKEY_MSG_REFUSE; type++) {
		start(&at_once);
		CHECK_EQ(0, fake_add(a, 0));
		CHECK_EQ(0, fake_add(b, 0));
		fake_run(&w, 10);
		a->data = &type;
		a->on_send = delete_on_send;
		if (type == REKEY_MSG_LATER)
			a->tx_err = -ENOSPC;
		if (type == REKEY_MSG_REFUSE)
			a->tx_err = -EPERM;
		rotate_both();
		fake_run(&w, 100);
		CHECK_TRUE(!a->conn);
		CHECK_EQ(0, C(0, connections));
		CHECK_EQ(0, C(0, in_flight));
		fake_close(&w);
	}
}

/* The peer's answer comes before send() has returned */
static void deliver_on_send(struct fake_sock *sock, const uint8_t *msg,
			    unsigned int flags)
{
	while (sock->conn && sock->peer->conn && fake_deliver_one(sock))
		;
}

TEST(messages_delivered_from_within_send)
{
	int i;

	start(&at_once);
	w.latency = 0;
	a->on_send = deliver_on_send;
	b->on_send = deliver_on_send;
	CHECK_EQ(0, fake_add(a, KEEP));
	CHECK_EQ(0, fake_add(b, KEEP));
	fake_run(&w, 10);
	for (i = 0; i < 10; i++) {
		rotate_both();
		fake_run(&w, 10);
		CHECK_TRUE(fake_is_fresh(&w, 0));
		CHECK_TRUE(fake_has_no_keys(a));
	}
	CHECK_EQ(10, C(0, rx_rekeys));
	fake_close(&w);
}

static void writable_on_send(struct fake_sock *sock, const uint8_t *msg,
			     unsigned int flags)
{
	if (sock->conn)
		psp_rekey_conn_writable(sock->conn);
}

static void make_room(struct fake_sock *sock)
{
	sock->full = false;
	psp_rekey_conn_writable(sock->conn);
}

/* It was full, and is not any more, before send() has said so */
TEST(writable_before_send_has_failed)
{
	start_up(&at_once, 0);
	a->full = true;
	a->on_full = make_room;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

TEST(writable_from_within_send)
{
	start_up(&at_once, 0);
	a->on_send = writable_on_send;
	rotate_both();
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(2, a->sent[REKEY_MSG_OFFER]);
	fake_close(&w);
}
