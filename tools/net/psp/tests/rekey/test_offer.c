// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Messages that come twice, late, or from another program */
#include <string.h>

#include "one.h"

TEST(refused_key_is_offered_again_if_kept)
{
	start_up(&at_once, KEEP);
	b->tx_err = -EPERM;
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 3000);
	CHECK_TRUE(b->sent[REKEY_MSG_REFUSE] >= 3);
	CHECK_TRUE(b->sent[REKEY_MSG_REFUSE] <= 8);
	CHECK_EQ(b->sent[REKEY_MSG_REFUSE], C(0, refused));
	CHECK_EQ(-ECONNREFUSED, a->event_err[PSP_REKEY_EV_REFUSED]);
	CHECK_TRUE(fake_hears(a));
	b->tx_err = 0;
	fake_run(&w, 10000);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	CHECK_TRUE(fake_has_no_keys(a));
	fake_close(&w);
}

/* The copy of a message that took the slow way must not set the key back */
TEST(old_offer_after_a_newer_one_is_ignored)
{
	struct fake_msg *old;
	uint8_t msg[PSP_REKEY_MSG_MAX];
	uint32_t tx;

	start_up(&at_once, 0);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_process(&w);
	w.now += 1000;
	fake_process(&w);
	old = TAILQ_FIRST(&a->out);
	CHECK_TRUE(old);
	memcpy(msg, old->buf, sizeof(msg));
	fake_run(&w, 10);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	CHECK_TRUE(fake_is_fresh(&w, 0));
	tx = b->tx;
	CHECK_EQ(0, psp_rekey_conn_input(b->conn, msg, 32));
	CHECK_EQ(tx, b->tx);
	CHECK_TRUE(fake_has_no_keys(b));
	fake_close(&w);
}

TEST(same_offer_twice_is_acknowledged_twice)
{
	uint8_t msg[PSP_REKEY_MSG_MAX];
	unsigned int calls;

	start(NULL);
	CHECK_EQ(0, fake_add(a, 0));
	memcpy(msg, TAILQ_FIRST(&a->out)->buf, sizeof(msg));
	CHECK_EQ(0, fake_add(b, 0));
	fake_run(&w, 1);
	calls = b->tx_calls;
	CHECK_EQ(0, psp_rekey_conn_input(b->conn, msg, 32));
	CHECK_EQ(2, b->sent[REKEY_MSG_ACK]);
	CHECK_EQ(calls, b->tx_calls);
	fake_run(&w, 1);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_ESTABLISHED]);
	CHECK_EQ(0, C(0, rx_rekeys));
	fake_close(&w);
}

TEST(offer_of_another_psp_version_is_refused)
{
	struct rekey_msg msg = {
		.type = REKEY_MSG_OFFER,
		.version = FAKE_VERSION + 1,
		.key = { .spi = 5, .len = 32 },
	};
	uint8_t buf[PSP_REKEY_MSG_MAX];
	uint32_t tx;

	start_up(NULL, 0);
	tx = b->tx;
	msg.seq = 2;
	CHECK_EQ(0, psp_rekey_conn_input(b->conn, buf,
					 rekey_msg_put(&msg, buf)));
	CHECK_EQ(1, b->sent[REKEY_MSG_REFUSE]);
	CHECK_EQ(REKEY_WHY_VERSION, b->conn->tx.answer.reason);
	msg.seq = 3;
	msg.version = FAKE_VERSION;
	CHECK_EQ(0, psp_rekey_conn_input(b->conn, buf,
					 rekey_msg_put(&msg, buf)));
	CHECK_EQ(REKEY_WHY_MALFORMED, b->conn->tx.answer.reason);
	msg.seq = 4;
	msg.key.len = 16;
	msg.key.spi = 0x80000000;
	CHECK_EQ(0, psp_rekey_conn_input(b->conn, buf,
					 rekey_msg_put(&msg, buf)));
	CHECK_EQ(3, b->sent[REKEY_MSG_REFUSE]);
	CHECK_EQ(tx, b->tx);
	CHECK_TRUE(fake_has_no_keys(b));
	fake_close(&w);
}

TEST(other_message_versions_and_types)
{
	uint8_t msg[] = { 2, 1, 0, 9, 0, 0, 0, 77, 0 };

	start_up(NULL, 0);
	CHECK_EQ(-EPROTONOSUPPORT,
		 psp_rekey_conn_input(b->conn, msg, sizeof(msg)));
	CHECK_EQ(1, b->sent[REKEY_MSG_REFUSE]);
	/* A refusal is never answered, or two ends would go on for ever */
	fake_run(&w, 10);
	CHECK_EQ(0, a->sent[REKEY_MSG_REFUSE]);
	msg[0] = REKEY_MSG_VERSION;
	msg[1] = 99;
	CHECK_EQ(0, psp_rekey_conn_input(b->conn, msg, sizeof(msg)));
	CHECK_EQ(1, b->sent[REKEY_MSG_REFUSE]);
	CHECK_EQ(2, C(1, messages_bad));
	fake_close(&w);
}

/* What is refused is an offer; the number of an answer is one of ours */
TEST(other_message_version_of_an_answer_is_not_refused)
{
	static const uint8_t types[] = { REKEY_MSG_ACK, REKEY_MSG_LATER, 99 };
	uint8_t msg[] = { 2, 2, 0, 8, 0, 0, 0, 1 };
	unsigned int i;

	start_up(NULL, 0);
	for (i = 0; i < sizeof(types); i++) {
		msg[1] = types[i];
		CHECK_EQ(-EPROTONOSUPPORT,
			 psp_rekey_conn_input(b->conn, msg, sizeof(msg)));
	}
	CHECK_EQ(0, b->sent[REKEY_MSG_REFUSE]);
	CHECK_EQ(0, C(1, refusals));
	fake_close(&w);
}

/* There is nothing that could come after it */
TEST(first_offer_of_another_message_version_ends_it)
{
	uint8_t msg[] = { 2, 1, 0, 9, 0, 0, 0, 1, 0 };

	start(NULL);
	CHECK_EQ(0, fake_add(a, 0));
	CHECK_EQ(-EPROTONOSUPPORT,
		 psp_rekey_conn_input(a->conn, msg, sizeof(msg)));
	CHECK_EQ(1, a->events[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(-EPROTONOSUPPORT, a->event_err[PSP_REKEY_EV_FAILED]);
	CHECK_EQ(0, a->sent[REKEY_MSG_REFUSE]);
	CHECK_TRUE(fake_has_no_keys(a));
	fake_close(&w);
}

/* A copy of it took the slow way */
TEST(later_after_the_acknowledgment_is_ignored)
{
	struct rekey_msg msg = {
		.type = REKEY_MSG_LATER,
		.reason = REKEY_WHY_BUSY,
	};
	uint8_t buf[PSP_REKEY_MSG_MAX];

	start_up(&at_once, 0);
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_run(&w, 10);
	msg.seq = a->conn->rx.now.seq;
	CHECK_EQ(0, psp_rekey_conn_input(a->conn, buf,
					 rekey_msg_put(&msg, buf)));
	CHECK_EQ(0, a->events[PSP_REKEY_EV_LATER]);
	CHECK_EQ(0, C(0, deferred));
	fake_close(&w);
}

TEST(sequence_numbers_wrap)
{
	int i;

	start_up(&at_once, 0);
	a->conn->rx.now.seq = UINT32_MAX - 2;
	b->conn->tx.seq = UINT32_MAX - 2;
	for (i = 0; i < 8; i++) {
		fake_rotate(&w.end[0], FAKE_TOLD);
		fake_run(&w, 10);
		CHECK_TRUE(fake_is_fresh(&w, 0));
	}
	CHECK_EQ(6, a->conn->rx.now.seq);
	fake_close(&w);
}
