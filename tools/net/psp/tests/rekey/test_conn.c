// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* One connection and its rekeys: peers, channels and devices that fail */
#include "one.h"

TEST(rotation_rekeys_one_direction)
{
	uint32_t tx;

	start_up(NULL, 0);
	tx = a->tx;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 1100);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(tx, a->tx);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_RX_REKEYED]);
	CHECK_EQ(1, b->events[PSP_REKEY_EV_TX_REKEYED]);
	CHECK_EQ(0, b->events[PSP_REKEY_EV_RX_REKEYED]);
	CHECK_EQ(1, C(0, rx_rekeys));
	CHECK_EQ(1, C(1, tx_rekeys));
	CHECK_EQ(0, C(0, behind));
	CHECK_TRUE(C(0, max_us) > 0);
	CHECK_TRUE(fake_has_no_keys(a));
	CHECK_TRUE(fake_has_no_keys(b));
	fake_close(&w);
}

TEST(both_ends_rekey_at_once)
{
	int i;

	start_up(NULL, 0);
	for (i = 1; i <= 20; i++) {
		rotate_both();
		fake_run(&w, 1100);
		CHECK_TRUE(fake_is_fresh(&w, 0));
		CHECK_EQ(i, C(0, rx_rekeys));
		CHECK_EQ(i, C(1, rx_rekeys));
	}
	fake_close(&w);
}

TEST(no_message_without_a_rotation)
{
	start_up(NULL, 0);
	fake_run(&w, 100000);
	CHECK_EQ(1, a->sent[REKEY_MSG_OFFER]);
	CHECK_EQ(1, a->rx_calls);
	CHECK_TRUE(w.end[0].looks >= 10);
	fake_close(&w);
}

TEST(rotation_during_a_rekey)
{
	start_up(&at_once, 0);
	w.latency = 500000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_EQ(2, a->sent[REKEY_MSG_OFFER]);
	/* The offer on its way is old; B's answer to it is not the end */
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_process(&w);
	CHECK_EQ(3, a->sent[REKEY_MSG_OFFER]);
	fake_run(&w, 995);
	CHECK_EQ(1, C(0, acks_old));
	CHECK_EQ(1, C(0, behind));
	fake_run(&w, 1000);
	CHECK_EQ(1, C(0, overruns));
	CHECK_EQ(1, C(0, rx_rekeys));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(0, C(0, in_flight));
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

/* The answer to an offer that is old shows that the peer can be heard */
TEST(old_acknowledgment_is_a_sign_of_life)
{
	start_up(&at_once, 0);
	w.latency = 500000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 494);
	/* B has answered the first of the two, and stops there */
	b->full = true;
	fake_run(&w, 10000);
	CHECK_EQ(1, C(0, acks_old));
	CHECK_EQ(1, C(0, behind));
	CHECK_EQ(0, C(0, stuck));
	fake_close(&w);
}

TEST(channel_that_is_full_is_left_alone)
{
	unsigned int i, calls;

	start_up(&at_once, 0);
	b->full = true;
	fake_rotate(&w.end[1], FAKE_TOLD);
	fake_run(&w, 10);
	calls = b->send_calls;
	for (i = 0; i < 10; i++) {
		fake_rotate(&w.end[0], FAKE_TOLD);
		fake_run(&w, 10);
	}
	CHECK_EQ(calls, b->send_calls);
	CHECK_EQ(11, a->sent[REKEY_MSG_OFFER]);
	b->full = false;
	psp_rekey_conn_writable(b->conn);
	fake_run(&w, 10);
	CHECK_EQ(calls + 2, b->send_calls);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

/* What was not sent yet is replaced, not queued behind */
TEST(rotation_while_the_channel_is_full)
{
	start_up(&at_once, 0);
	a->full = true;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_EQ(1, a->sent[REKEY_MSG_OFFER]);
	a->full = false;
	psp_rekey_conn_writable(a->conn);
	fake_run(&w, 10);
	CHECK_EQ(2, a->sent[REKEY_MSG_OFFER]);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_TRUE(fake_has_no_keys(a));
	fake_close(&w);
}

TEST(slow_peer_gives_up_its_place_and_completes_late)
{
	start_up(&at_once, 0);
	b->full = true;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 1900);
	CHECK_EQ(1, C(0, in_flight));
	fake_run(&w, 200);
	CHECK_EQ(0, C(0, in_flight));
	CHECK_EQ(1, C(0, late));
	CHECK_EQ(0, C(0, late_done));
	CHECK_EQ(1, C(0, behind));
	b->full = false;
	psp_rekey_conn_writable(b->conn);
	fake_run(&w, 10);
	CHECK_EQ(1, C(0, late_done));
	CHECK_EQ(1, C(0, rx_rekeys));
	CHECK_EQ(0, C(0, behind));
	fake_close(&w);
}

TEST(peer_without_room_goes_on_to_try)
{
	start_up(&at_once, 0);
	b->tx_err = -ENOSPC;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 5000);
	CHECK_EQ(1, b->sent[REKEY_MSG_LATER]);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_LATER]);
	CHECK_EQ(1, C(0, deferred));
	CHECK_EQ(0, C(0, in_flight));
	CHECK_TRUE(C(1, retries) >= 5);
	CHECK_TRUE(C(1, retries) <= 10);
	/* The old key works meanwhile, and the new one then does */
	CHECK_TRUE(fake_hears(a));
	b->tx_err = 0;
	fake_run(&w, 10000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, rx_rekeys));
	CHECK_TRUE(fake_has_no_keys(b));
	fake_close(&w);
}

TEST(refused_key_that_is_not_kept_waits_for_a_rotation)
{
	start_up(&at_once, 0);
	b->tx_err = -EPERM;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 30000);
	CHECK_EQ(1, C(0, refused));
	CHECK_EQ(2, a->sent[REKEY_MSG_OFFER]);
	CHECK_EQ(0, C(0, in_flight));
	CHECK_TRUE(fake_hears(a));
	b->tx_err = 0;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

TEST(own_device_without_spis_is_asked_again)
{
	start_up(&at_once, 0);
	a->rx_err = -ENOSPC;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 5000);
	CHECK_TRUE(C(0, retries) >= 5);
	CHECK_TRUE(C(0, retries) <= 10);
	CHECK_EQ(0, C(0, in_flight));
	a->rx_err = 0;
	fake_run(&w, 10000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

/* The socket's route goes over another device for a while */
TEST(route_that_comes_back)
{
	start_up(&at_once, 0);
	a->rx_err = -EINVAL;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 1000);
	CHECK_EQ(0, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_TRUE(C(0, kernel_errors) >= 2);
	a->rx_err = 0;
	fake_run(&w, 10000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}

/* The same at the peer: its key is good, and not made a second time */
TEST(route_of_the_peer_that_comes_back)
{
	start_up(&at_once, 0);
	b->tx_err = -EINVAL;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 1000);
	CHECK_EQ(1, b->sent[REKEY_MSG_LATER]);
	CHECK_EQ(0, b->sent[REKEY_MSG_REFUSE]);
	CHECK_EQ(1, C(0, behind));
	b->tx_err = 0;
	fake_run(&w, 10000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(2, a->sent[REKEY_MSG_OFFER]);
	CHECK_TRUE(fake_has_no_keys(b));
	fake_close(&w);
}

TEST(device_that_is_gone_ends_it)
{
	start_up(&at_once, 0);
	a->rx_err = -ENODEV;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-ENODEV, a->event_err[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(0, C(0, in_flight));
	CHECK_EQ(0, C(0, behind));
	CHECK_EQ(1, C(0, failed));
	fake_close(&w);
}

/* Nobody rotates a device that is gone: it is found by looking */
TEST(device_that_is_gone_without_a_rotation)
{
	start_up(&at_once, 0);
	w.end[0].looks_err = -ENODEV;
	fake_run(&w, 10100);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-ENODEV, a->event_err[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(0, C(0, in_flight));
	CHECK_EQ(1, a->rx_calls);
	fake_run(&w, 20000);
	CHECK_EQ(1, C(0, failed));
	fake_close(&w);
}

TEST(broken_channel_ends_it)
{
	start_up(&at_once, 0);
	a->send_err = -EPIPE;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_EQ(-EPIPE, a->event_err[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(0, C(0, in_flight));
	CHECK_TRUE(fake_has_no_keys(a));
	fake_close(&w);
}

/* The kernel answers the same: -EBUSY */
TEST(rekey_too_early_is_tried_again)
{
	start(&at_once);
	CHECK_EQ(0, fake_add(a, 0));
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 5);
	CHECK_EQ(1, C(0, rx_busy));
	CHECK_EQ(0, C(0, in_flight));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 300);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(1, C(0, rx_rekeys));
	fake_close(&w);
}

/* The pauses have grown, and end when the socket is ready */
TEST(rekey_too_early_does_not_wait_for_long)
{
	start(&at_once);
	CHECK_EQ(0, fake_add(a, 0));
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 8000);
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 5);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_EQ(0, C(0, behind));
	fake_close(&w);
}

TEST(kept_key_is_wiped_when_acknowledged)
{
	start_up(&at_once, KEEP);
	CHECK_TRUE(fake_has_no_keys(a));
	w.latency = 100000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 50);
	CHECK_TRUE(!fake_has_no_keys(a));
	fake_run(&w, 200);
	CHECK_TRUE(fake_has_no_keys(a));
	fake_close(&w);
}

TEST(key_not_kept_is_wiped_when_sent)
{
	start_up(&at_once, 0);
	w.latency = 100000;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 50);
	CHECK_EQ(2, a->sent[REKEY_MSG_OFFER]);
	CHECK_TRUE(fake_has_no_keys(a));
	fake_run(&w, 200);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	fake_close(&w);
}
