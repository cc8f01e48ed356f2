// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Rotations that nobody told of, and ends that went stale by them */
#include "one.h"

TEST(silent_rotation_is_found_by_looking)
{
	start_up(NULL, 0);
	fake_rotate(&w.end[0], FAKE_SILENT);
	fake_run(&w, 11100);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, missed));
	CHECK_EQ(0, C(1, missed));
	fake_close(&w);
}

TEST(lost_notification_is_found_at_once)
{
	start_up(&at_once, 0);
	fake_rotate(&w.end[0], FAKE_LOST);
	fake_run(&w, 5);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, missed));
	CHECK_EQ(1, C(0, lost));
	fake_close(&w);
}

TEST(notification_that_comes_late_was_not_missed)
{
	start_up(&at_once, 0);
	w.end[0].rotations++;
	w.end[0].lost = true;
	fake_run(&w, 5);
	CHECK_EQ(1, C(0, missed));
	w.end[0].ntfs++;
	fake_run(&w, 5);
	CHECK_EQ(0, C(0, missed));
	CHECK_EQ(1, C(0, rotations));
	fake_close(&w);
}

TEST(count_that_cannot_be_read_is_read_later)
{
	start_up(&at_once, 0);
	w.end[0].looks_failing = 1;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 5);
	CHECK_EQ(1, C(0, kernel_errors));
	fake_run(&w, 10000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

/* Between reading the count and making the key */
TEST(rotation_just_before_the_first_key)
{
	start(&at_once);
	w.end[0].rotate_next = true;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 500);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, rotations));
	CHECK_EQ(0, C(0, behind));
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 11000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(1, C(0, rx_rekeys));
	fake_close(&w);
}

/* Behind it: the key is one rotation old, and there is a newer one */
TEST(rotation_just_after_the_first_key)
{
	start(&at_once);
	w.end[0].rotate_after = true;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(1, C(0, behind));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 500);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(1, C(0, rx_rekeys));
	fake_close(&w);
}

TEST(count_that_cannot_be_read_behind_the_first_key)
{
	start(&at_once);
	w.end[0].rotate_next = true;
	w.end[0].looks_failing_at = 2;
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(1, C(0, kernel_errors));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 500);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(1, C(0, rotations));
	fake_close(&w);
}

TEST(rotation_just_before_a_rekey)
{
	start_up(&at_once, 0);
	w.end[0].rotate_next = true;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, rx_busy));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(0, C(0, in_flight));
	CHECK_EQ(2, C(0, rotations));
	fake_close(&w);
}

/* There is a new key, and nobody knows it: the peer must not count as safe */
static void lose_a_key(int err)
{
	start_up(&at_once, 0);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	a->rx_lost = err;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 30000);
	CHECK_EQ(1, C(0, behind));
	CHECK_EQ(0, C(0, in_flight));
	CHECK_EQ(1, C(0, rx_busy));
	CHECK_EQ(1, C(0, rx_rekeys));
	CHECK_TRUE(fake_hears(a));
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	fake_close(&w);
}

TEST(key_that_the_kernel_made_and_nobody_got)
{
	lose_a_key(-ENOBUFS);
	lose_a_key(-ENOMEM);
	lose_a_key(-EPROTO);
}

/* The older key is acknowledged when the newer one has been lost */
TEST(key_that_nobody_got_while_one_is_on_its_way)
{
	start_up(&at_once, 0);
	w.latency = 500000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	a->rx_lost = -ENOBUFS;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 5000);
	CHECK_EQ(1, C(0, rx_rekeys));
	CHECK_EQ(1, C(0, behind));
	CHECK_EQ(0, C(0, in_flight));
	CHECK_TRUE(fake_hears(a));
	fake_close(&w);
}

/* No key was made: the next one is as good */
TEST(rx_assoc_without_memory)
{
	start_up(&at_once, 0);
	a->rx_err = -ENOMEM;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	a->rx_err = 0;
	fake_run(&w, 1000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	fake_close(&w);
}

/* One end alone: its new key gets through, and the peer is heard again */
TEST(one_end_stale_comes_back_in_band)
{
	start_up(NULL, 0);
	fake_rotate(&w.end[0], FAKE_SILENT);
	fake_rotate(&w.end[0], FAKE_TOLD);
	CHECK_TRUE(!fake_hears(a));
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, stuck));
	fake_close(&w);
}

static void both_stale(unsigned int flags)
{
	start_up(NULL, flags);
	rotate_both();
	rotate_both();
	CHECK_TRUE(!fake_hears(a));
	CHECK_TRUE(!fake_hears(b));
	fake_run(&w, 4900);
	CHECK_EQ(0, C(0, stuck));
	CHECK_TRUE(!fake_hears(a));
	CHECK_TRUE(!fake_hears(b));
	fake_run(&w, 200);
	CHECK_EQ(1, C(0, stuck));
	CHECK_EQ(1, C(1, stuck));
	CHECK_EQ(1, a->events[PSP_REKEY_EV_STUCK]);
}

TEST(both_ends_stale_come_back_by_another_channel)
{
	both_stale(KEEP);
	CHECK_EQ(0, a->event_err[PSP_REKEY_EV_STUCK]);
	CHECK_EQ(1, C(0, out_of_band));
	fake_run(&w, 100);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, recovered));
	CHECK_EQ(1, C(1, recovered));
	CHECK_TRUE(fake_has_no_keys(a));
	rotate_both();
	fake_run(&w, 1100);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, out_of_band));
	fake_close(&w);
}

TEST(both_ends_stale_without_another_channel_is_an_error)
{
	start_up(NULL, KEEP);
	a->no_beside = true;
	b->no_beside = true;
	rotate_both();
	rotate_both();
	fake_run(&w, 5100);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_STUCK]);
	CHECK_EQ(-EKEYEXPIRED, a->event_err[PSP_REKEY_EV_STUCK]);
	CHECK_EQ(0, a->events[PSP_REKEY_EV_FAILED]);
	/* In band it goes on to try */
	CHECK_EQ(2, a->sent[REKEY_MSG_OFFER]);
	rotate_both();
	fake_run(&w, 100);
	CHECK_EQ(2, a->events[PSP_REKEY_EV_STUCK]);
	CHECK_EQ(3, a->sent[REKEY_MSG_OFFER]);
	fake_close(&w);
}

/* What waits for the connection does not keep the other channel waiting */
TEST(both_ends_stale_with_full_sockets)
{
	start_up(&at_once, KEEP);
	a->full = true;
	b->full = true;
	rotate_both();
	rotate_both();
	fake_run(&w, 5200);
	CHECK_EQ(1, C(0, out_of_band));
	CHECK_TRUE(fake_hears(a) && fake_hears(b));
	a->full = false;
	b->full = false;
	psp_rekey_conn_writable(a->conn);
	psp_rekey_conn_writable(b->conn);
	fake_run(&w, 10);
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(1, C(0, recovered));
	fake_close(&w);
}

/* Nor the other way round */
TEST(both_ends_stale_with_another_channel_that_is_full)
{
	start_up(&at_once, KEEP);
	a->full_beside = true;
	rotate_both();
	rotate_both();
	fake_run(&w, 5200);
	CHECK_EQ(0, C(0, out_of_band));
	CHECK_EQ(1, C(1, out_of_band));
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(0, C(1, behind));
	CHECK_EQ(1, C(1, recovered));
	fake_close(&w);
}

/* The copy that waits for the connection does not depend on the other one */
TEST(other_channel_that_loses_the_key)
{
	start_up(&at_once, 0);
	a->full = true;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_EQ(0, psp_rekey_conn_resend(a->conn, PSP_REKEY_OUT_OF_BAND));
	CHECK_EQ(1, C(0, out_of_band));
	fake_drop_beside(a);
	CHECK_TRUE(!fake_has_no_keys(a));
	a->full = false;
	psp_rekey_conn_writable(a->conn);
	CHECK_TRUE(fake_has_no_keys(a));
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	fake_close(&w);
}

TEST(both_ends_stale_with_keys_gone_is_an_error)
{
	both_stale(0);
	CHECK_EQ(-EKEYEXPIRED, a->event_err[PSP_REKEY_EV_STUCK]);
	CHECK_EQ(0, C(0, out_of_band));
	/* A newer key can be made after the next rotation */
	rotate_both();
	fake_run(&w, 100);
	CHECK_EQ(1, C(0, out_of_band));
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, recovered));
	fake_close(&w);
}

/* One end has the other channel: that is enough for both if they are idle */
TEST(both_ends_stale_and_one_has_another_channel)
{
	start_up(NULL, KEEP);
	b->no_beside = true;
	rotate_both();
	rotate_both();
	fake_run(&w, 5200);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

TEST(resend_by_the_application)
{
	start_up(&at_once, KEEP);
	CHECK_EQ(-EALREADY, psp_rekey_conn_resend(a->conn, 0));
	rotate_both();
	rotate_both();
	fake_run(&w, 10);
	CHECK_EQ(0, psp_rekey_conn_resend(a->conn, PSP_REKEY_OUT_OF_BAND));
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);

	start_up(&at_once, 0);
	rotate_both();
	rotate_both();
	fake_run(&w, 10);
	CHECK_EQ(-ENOKEY, psp_rekey_conn_resend(a->conn, 0));
	fake_close(&w);
}
