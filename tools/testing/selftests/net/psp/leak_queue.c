// SPDX-License-Identifier: GPL-2.0
/*
 * Segments wait in a netfilter queue for a program's verdict. Whatever has
 * become of the route and of the connection meanwhile, those of a PSP
 * connection leave under PSP or not at all.
 */
#include <sys/socket.h>

#include "leak_fixture.h"

#define QUEUE	9

#define QUEUE_IN(hook, type)						\
	ON_A("nft -f - <<EOT\n"						\
	     "table %s leak {\n"					\
	     "chain wait {\n"						\
	     "type " type " hook " hook " priority filter;\n"		\
	     "%s daddr %s queue to 9\n"					\
	     "}\n"							\
	     "}\n"							\
	     "EOT\n", variant->nft, variant->nft, variant->b)

static void leak_queued(struct __test_metadata *_metadata, struct leak *leak,
			bool gso)
{
	struct leak_nfq nfq;

	ASSERT_EQ(0, leak_nfq_open(&nfq, leak->net.a.ns, QUEUE, gso));
	leak->nfq = &nfq;
	EXPECT_EQ(0, leak_exchange(leak, LEAK_BYTES));
	EXPECT_WIRE_SHOWS(leak);
	EXPECT_NO_LEAK(leak);
	EXPECT_GT(nfq.open, 0);
	EXPECT_GT(nfq.secret, 0);
	leak->nfq = NULL;
	leak_nfq_close(&nfq);
}

TEST_F(leak, nfqueue_in_output)
{
	QUEUE_IN("output", "filter");
	leak_queued(_metadata, &self->leak, false);
}

TEST_F(leak, nfqueue_of_gso_segments_in_output)
{
	QUEUE_IN("output", "filter");
	leak_queued(_metadata, &self->leak, true);
}

TEST_F(leak, nfqueue_in_postrouting)
{
	QUEUE_IN("postrouting", "filter");
	leak_queued(_metadata, &self->leak, false);
}

/* Send, and wait until the queue holds segments of both */
static void leak_hold(struct __test_metadata *_metadata, struct leak *leak,
		      struct leak_nfq *nfq)
{
	uint64_t end = psp_now_ms() + LEAK_MS;

	ASSERT_EQ(0, leak_nfq_open(nfq, leak->net.a.ns, QUEUE, true));
	leak_reset(leak);
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	while (!nfq->open || !nfq->secret) {
		ASSERT_LE(0, leak_nfq_poll(nfq, leak));
		ASSERT_LT(psp_now_ms(), end);
		psp_nap();
	}
}

/* The program's verdict bears a mark, and the mark chooses another route */
TEST_F(leak, rerouted_by_the_verdict_of_nfqueue)
{
	struct leak *leak = &self->leak;
	struct leak_nfq nfq;
	int64_t drops;

	ON_A("ip -%s rule add fwmark 7 lookup 77\n"
	     "ip route add %s/%d via %s dev leak0 table 77",
	     variant->v, variant->b, variant->host, variant->far);
	QUEUE_IN("output", "route");
	leak_hold(_metadata, leak, &nfq);
	drops = leak_drops(&leak->net);
	ASSERT_EQ(0, leak_nfq_accept(&nfq, 7));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	ASSERT_EQ(0, leak_wait_drops(leak, drops));
	EXPECT_NO_LEAK(leak);

	leak->nfq = &nfq;
	ASSERT_EQ(0, leak_collect(leak));
	EXPECT_NO_LEAK(leak);
	leak_nfq_close(&nfq);
}

static void leak_abort(struct leak_flow *flow)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int *fd = &flow->conn.a.fd;

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(*fd);
	*fd = -1;
}

/* The verdict comes when the connection is gone */
TEST_F(leak, aborted_while_held_by_nfqueue)
{
	struct leak *leak = &self->leak;
	struct leak_nfq nfq;
	uint64_t psp;

	QUEUE_IN("output", "filter");
	leak_hold(_metadata, leak, &nfq);
	leak_look(leak);
	psp = leak->wire.psp;
	leak_abort(&leak->open);
	leak_abort(&leak->secret);
	ASSERT_LE(0, leak_nfq_poll(&nfq, leak));
	ASSERT_EQ(0, leak_nfq_accept(&nfq, 0));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->wire.open, 1));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->wire.psp, psp + 1));
	leak_wait_quiet(leak, 200);
	EXPECT_NO_LEAK(leak);
	leak_nfq_close(&nfq);
}

TEST_HARNESS_MAIN
