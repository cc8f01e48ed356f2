// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of Documentation/networking/psp.rst, cell by cell.
 *
 * Its row about packets with a wrong ICV, a stale SPI or one of another socket
 * is not the policy's: such packets end in the device or in psp_dev_rcv().
 */
#include <kunit/test.h>

#include "psp.h"

#define PSP_TEST_LATCH	0x80001000

static const char * const psp_policy_state_names[] = {
	[PSP_POLICY_NONE]	= "no state",
	[PSP_POLICY_RX]		= "rx assoc",
	[PSP_POLICY_TX_PENDING]	= "tx pending",
	[PSP_POLICY_TX]		= "tx key",
	[PSP_POLICY_FULL]	= "PSP full",
};

/**
 * struct psp_policy_row - a kind of segment and what becomes of it
 * @desc: name of the test case
 * @seg: the segment
 * @latch: rcv_nxt at the first tx-assoc
 * @want: by state of the socket
 */
struct psp_policy_row {
	const char *desc;
	struct psp_policy_seg seg;
	u32 latch;
	enum psp_drop want[ARRAY_SIZE(psp_policy_state_names)];
};

/* From left to right as in the table; tx pending is between its columns */
#define PSP_TEST_ROW(none, rx, pending, tx, full) {	\
	[PSP_POLICY_NONE] = PSP_DROP_##none,		\
	[PSP_POLICY_RX] = PSP_DROP_##rx,		\
	[PSP_POLICY_TX_PENDING] = PSP_DROP_##pending,	\
	[PSP_POLICY_TX] = PSP_DROP_##tx,		\
	[PSP_POLICY_FULL] = PSP_DROP_##full,		\
}

#define PSP_TEST_DATA \
	PSP_TEST_ROW(NOT, NOT, PLAIN_DATA, PLAIN_DATA, PLAIN_FULL)
#define PSP_TEST_CONTROL	PSP_TEST_ROW(NOT, NOT, NOT, NOT, PLAIN_FULL)
/* Until the tx-assoc is committed there is no latch */
#define PSP_TEST_LATCHED_FIN	PSP_TEST_ROW(NOT, NOT, PLAIN_DATA, NOT, \
					     PLAIN_FULL)
#define PSP_TEST_AUTHENTIC	PSP_TEST_ROW(NO_STATE, NOT, NOT, NOT, NOT)

static const struct psp_policy_row psp_policy_rows[] = {
	{
		.desc = "plain data",
		.seg = { .len = 1, .seq = PSP_TEST_LATCH + 1 },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain data at the latch",
		.seg = { .len = 1400, .seq = PSP_TEST_LATCH },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain data from before the latch",
		.seg = { .len = 1, .seq = PSP_TEST_LATCH - 1 },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain ACK or RST",
		.seg = { .seq = PSP_TEST_LATCH },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_CONTROL,
	}, {
		.desc = "plain ACK or RST off the latch",
		.seg = { .seq = PSP_TEST_LATCH - 1 },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_CONTROL,
	}, {
		.desc = "plain FIN at the latch",
		.seg = { .fin = true, .seq = PSP_TEST_LATCH },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_LATCHED_FIN,
	}, {
		.desc = "plain FIN behind the latch",
		.seg = { .fin = true, .seq = PSP_TEST_LATCH + 1 },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain FIN before the latch",
		.seg = { .fin = true, .seq = PSP_TEST_LATCH - 1 },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain FIN with data at the latch",
		.seg = { .fin = true, .len = 1, .seq = PSP_TEST_LATCH },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain FIN with data up to the latch",
		.seg = { .fin = true, .len = 1, .seq = PSP_TEST_LATCH - 1 },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain SYN",
		.seg = { .syn = true, .seq = PSP_TEST_LATCH + 1 },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain SYN and FIN at the latch",
		.seg = { .syn = true, .fin = true, .seq = PSP_TEST_LATCH },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "plain FIN at a latch of 0",
		.seg = { .fin = true, .seq = 0 },
		.latch = 0,
		.want = PSP_TEST_LATCHED_FIN,
	}, {
		.desc = "plain FIN at a latch before the wrap",
		.seg = { .fin = true, .seq = U32_MAX },
		.latch = U32_MAX,
		.want = PSP_TEST_LATCHED_FIN,
	}, {
		.desc = "plain FIN over the wrap from the latch",
		.seg = { .fin = true, .seq = 0 },
		.latch = U32_MAX,
		.want = PSP_TEST_DATA,
	}, {
		.desc = "PSP data",
		.seg = { .authentic = true, .len = 1, .seq = PSP_TEST_LATCH },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_AUTHENTIC,
	}, {
		.desc = "PSP data from before the latch",
		.seg = {
			.authentic = true, .len = 1, .seq = PSP_TEST_LATCH - 1,
		},
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_AUTHENTIC,
	}, {
		.desc = "PSP ACK or RST",
		.seg = { .authentic = true, .seq = PSP_TEST_LATCH },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_AUTHENTIC,
	}, {
		.desc = "PSP FIN",
		.seg = { .authentic = true, .fin = true },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_AUTHENTIC,
	}, {
		.desc = "PSP SYN",
		.seg = { .authentic = true, .syn = true },
		.latch = PSP_TEST_LATCH,
		.want = PSP_TEST_AUTHENTIC,
	},
};

KUNIT_ARRAY_PARAM_DESC(psp_policy_rx, psp_policy_rows, desc);

static void psp_test_policy_rx(struct kunit *test)
{
	const struct psp_policy_row *row = test->param_value;
	enum psp_policy_state state;

	for (state = 0; state < ARRAY_SIZE(row->want); state++)
		KUNIT_EXPECT_EQ_MSG(test, row->want[state],
				    psp_policy_rx(state, row->latch, &row->seg),
				    "in state %s",
				    psp_policy_state_names[state]);
}

/**
 * struct psp_policy_tx_case - a segment of a socket with a tx key
 * @desc: name of the test case
 * @latched: part of the plain stream is not acknowledged yet
 * @has_data: the segment has payload or a FIN
 * @plain: it goes out in plain text
 * @latch: first sequence number of the PSP part
 * @seq: sequence number of the segment
 */
struct psp_policy_tx_case {
	const char *desc;
	bool latched;
	bool has_data;
	bool plain;
	u32 latch;
	u32 seq;
};

static const struct psp_policy_tx_case psp_policy_tx_cases[] = {
	{ "last byte before the latch", true, true, true, 1000, 999 },
	{ "first byte of the PSP part", true, true, false, 1000, 1000 },
	{ "further on in the PSP part", true, true, false, 1000, 2400 },
	{ "far before the latch", true, true, true, 0x90000000, 0x20000000 },
	{ "far behind the latch", true, true, false, 0x20000000, 0x90000000 },
	{ "before a latch of 0", true, true, true, 0, U32_MAX },
	{ "at a latch of 0", true, true, false, 0, 0 },
	{ "before the wrap and the latch", true, true, true, 5, 0xfffffff0 },
	{ "over the wrap from the latch", true, true, false, 0xfffffff0, 5 },
	{ "at a latch before the wrap", true, true, false, U32_MAX, U32_MAX },
	{ "ACK or probe before the latch", true, false, false, 1000, 999 },
	{ "ACK at the latch", true, false, false, 1000, 1000 },
	{ "old data, all acknowledged", false, true, false, 1000, 999 },
	{ "new data, never latched", false, true, false, 0, U32_MAX },
	{ "ACK, never latched", false, false, false, 1000, 999 },
};

KUNIT_ARRAY_PARAM_DESC(psp_policy_tx, psp_policy_tx_cases, desc);

static void psp_test_policy_tx(struct kunit *test)
{
	const struct psp_policy_tx_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, c->plain,
			psp_policy_tx_is_plain(c->latched, c->latch, c->seq,
					       c->has_data));
}

/**
 * struct psp_policy_state_case - what a socket's state is in the table
 * @desc: name of the test case
 * @mode: how far the socket has come
 * @peer_tx: the peer has sent an authenticated packet
 * @want: column of the table
 */
struct psp_policy_state_case {
	const char *desc;
	enum psp_sock_mode mode;
	bool peer_tx;
	enum psp_policy_state want;
};

static const struct psp_policy_state_case psp_policy_state_cases[] = {
	{ "rx assoc", PSP_SOCK_RX, false, PSP_POLICY_RX },
	{ "rx assoc, peer sends PSP", PSP_SOCK_RX, true, PSP_POLICY_RX },
	{ "tx pending", PSP_SOCK_TX_PENDING, false, PSP_POLICY_TX_PENDING },
	{ "tx pending, peer sends PSP", PSP_SOCK_TX_PENDING, true,
	  PSP_POLICY_TX_PENDING },
	{ "tx key", PSP_SOCK_TX, false, PSP_POLICY_TX },
	{ "tx key, peer sends PSP", PSP_SOCK_TX, true, PSP_POLICY_FULL },
};

KUNIT_ARRAY_PARAM_DESC(psp_policy_state, psp_policy_state_cases, desc);

static void psp_test_policy_state(struct kunit *test)
{
	const struct psp_policy_state_case *c = test->param_value;
	struct psp_sock *ps;

	ps = kunit_kzalloc(test, sizeof(*ps), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ps);
	ps->peer_tx = c->peer_tx;
	psp_sock_set_mode(ps, c->mode);

	KUNIT_EXPECT_EQ(test, c->want, psp_sock_policy_state(ps));
}

static struct kunit_case psp_policy_cases[] = {
	KUNIT_CASE_PARAM(psp_test_policy_rx, psp_policy_rx_gen_params),
	KUNIT_CASE_PARAM(psp_test_policy_tx, psp_policy_tx_gen_params),
	KUNIT_CASE_PARAM(psp_test_policy_state, psp_policy_state_gen_params),
	{}
};

static struct kunit_suite psp_policy_suite = {
	.name = "psp_policy",
	.test_cases = psp_policy_cases,
};

kunit_test_suite(psp_policy_suite);
