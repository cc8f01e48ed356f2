// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Messages, byte by byte; and what is none */
#include <errno.h>
#include <string.h>

#include "cases.h"
#include "fake.h"

static const uint8_t offer[32] = {
	1, 1, 0, 32, 0x01, 0x02, 0x03, 0x04,
	0, 0, 0, 0, 0x81, 0x82, 0x83, 0x84,
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
};

static const uint8_t ack[] = { 1, 2, 0, 8, 0, 0, 0, 9 };
static const uint8_t later[] = { 1, 3, 0, 12, 0, 0, 0, 9, 0, 4, 0, 0 };
static const uint8_t refuse[] = { 1, 4, 0, 12, 0, 0, 0, 9, 0, 3, 0, 0 };

static void check_both_ways(const uint8_t *bytes, size_t len)
{
	uint8_t buf[PSP_REKEY_MSG_MAX];
	struct rekey_msg msg;

	CHECK_EQ(0, rekey_msg_get(&msg, bytes, len));
	CHECK_EQ(len, rekey_msg_put(&msg, buf));
	CHECK_TRUE(!memcmp(bytes, buf, len));
	CHECK_EQ(len, psp_rekey_msg_len(bytes, len));
}

TEST(message_format)
{
	struct rekey_msg msg;

	check_both_ways(offer, sizeof(offer));
	check_both_ways(ack, sizeof(ack));
	check_both_ways(later, sizeof(later));
	check_both_ways(refuse, sizeof(refuse));

	CHECK_EQ(0, rekey_msg_get(&msg, offer, sizeof(offer)));
	CHECK_EQ(REKEY_MSG_OFFER, msg.type);
	CHECK_EQ(0x01020304, msg.seq);
	CHECK_EQ(0x81828384, msg.key.spi);
	CHECK_EQ(16, msg.key.len);
	CHECK_EQ(0x1f, msg.key.key[15]);
	CHECK_EQ(0, rekey_msg_get(&msg, refuse, sizeof(refuse)));
	CHECK_EQ(REKEY_WHY_VERSION, msg.reason);
}

TEST(message_of_256_bits)
{
	uint8_t bytes[48];

	memset(bytes, 0x5a, sizeof(bytes));
	memcpy(bytes, offer, 16);
	bytes[3] = sizeof(bytes);
	bytes[8] = 1;
	check_both_ways(bytes, sizeof(bytes));
}

static void check_each_length(const uint8_t *bytes, size_t len)
{
	uint8_t buf[PSP_REKEY_MSG_MAX + 1] = { 0 };
	struct rekey_msg msg;
	size_t cut;

	memcpy(buf, bytes, len);
	for (cut = 0; cut < sizeof(buf); cut++) {
		if (cut == len)
			continue;
		CHECK_EQ(-EBADMSG, rekey_msg_get(&msg, buf, cut));
		/* Where the header agrees, the length is wrong for the type */
		if (bytes[1] == REKEY_MSG_OFFER || cut < PSP_REKEY_MSG_MIN)
			continue;
		buf[3] = cut;
		CHECK_EQ(-EBADMSG, rekey_msg_get(&msg, buf, cut));
		buf[3] = len;
	}
}

TEST(message_of_each_wrong_length)
{
	uint8_t buf[PSP_REKEY_MSG_MAX + 1] = { 0 };
	struct rekey_msg msg;

	check_each_length(offer, sizeof(offer));
	check_each_length(ack, sizeof(ack));
	check_each_length(later, sizeof(later));
	check_each_length(refuse, sizeof(refuse));

	memcpy(buf, offer, sizeof(offer));
	buf[3] = 15;
	CHECK_EQ(-EBADMSG, rekey_msg_get(&msg, buf, 15));
	buf[3] = 49;
	CHECK_EQ(-EBADMSG, rekey_msg_get(&msg, buf, 49));
}

TEST(message_bytes_that_must_be_zero)
{
	static const uint8_t at[] = { 9, 10, 11 };
	uint8_t buf[sizeof(offer)];
	struct rekey_msg msg;
	unsigned int i;

	for (i = 0; i < sizeof(at); i++) {
		memcpy(buf, offer, sizeof(buf));
		buf[at[i]] = 1;
		CHECK_EQ(-EBADMSG, rekey_msg_get(&msg, buf, sizeof(buf)));
	}
	memcpy(buf, refuse, sizeof(refuse));
	buf[11] = 1;
	CHECK_EQ(-EBADMSG, rekey_msg_get(&msg, buf, sizeof(refuse)));
}

TEST(message_of_other_versions_and_types)
{
	uint8_t buf[sizeof(offer)];
	struct rekey_msg msg;

	memcpy(buf, offer, sizeof(buf));
	buf[0] = 2;
	CHECK_EQ(-EPROTONOSUPPORT, rekey_msg_get(&msg, buf, sizeof(buf)));
	CHECK_EQ(0x01020304, msg.seq);
	buf[0] = REKEY_MSG_VERSION;
	buf[1] = 5;
	CHECK_EQ(-EOPNOTSUPP, rekey_msg_get(&msg, buf, sizeof(buf)));
	memcpy(buf, refuse, sizeof(refuse));
	buf[0] = 200;
	CHECK_EQ(0, rekey_msg_get(&msg, buf, sizeof(refuse)));
}

TEST(message_length_in_a_stream)
{
	uint8_t buf[] = { 1, 1, 0, 7 };

	CHECK_EQ(0, psp_rekey_msg_len(offer, 0));
	CHECK_EQ(0, psp_rekey_msg_len(offer, 3));
	CHECK_EQ(32, psp_rekey_msg_len(offer, 4));
	CHECK_EQ(-EBADMSG, psp_rekey_msg_len(buf, 4));
}

/* Random bytes, random changes to real messages: no crash, no plain lost key */
TEST(input_fuzz)
{
	static const uint8_t *const seeds[] = { offer, ack, later, refuse };
	static const size_t lens[] = { 32, 8, 12, 12 };
	struct fake_world w;
	unsigned int i, n, pick;
	uint8_t buf[64];
	size_t len;

	fake_open(&w, 1, NULL);
	fake_up(&w, 0, PSP_REKEY_KEEP_OFFER);
	for (i = 0; i < 300000; i++) {
		struct fake_sock *sock = &w.end[i & 1].socks[0];

		pick = fake_random(&w, 4);
		len = lens[pick];
		memcpy(buf, seeds[pick], len);
		for (n = fake_random(&w, 4); n; n--)
			buf[fake_random(&w, len)] = fake_random(&w, 256);
		if (!fake_random(&w, 8))
			len = fake_random(&w, sizeof(buf));
		/* Sequence numbers near the real ones hit more */
		if (fake_random(&w, 2))
			memset(buf + 4, 0, 3);
		sock->tx_err = fake_random(&w, 3) ? 0 : -ENOSPC;
		psp_rekey_conn_input(sock->conn, buf, len);
		if (!fake_random(&w, 50)) {
			fake_rotate(sock->end, FAKE_TOLD);
			fake_process(&w);
		}
		w.now += fake_random(&w, 10000);
	}
	CHECK_TRUE(!w.end[0].socks[0].events[PSP_REKEY_EV_FAILED]);
	/* The fuzz has made up keys: the fake kernel has seen that */
	CHECK_TRUE(w.bad_keys);
	w.bad_keys = 0;
	fake_close(&w);
}
