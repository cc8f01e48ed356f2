// SPDX-License-Identifier: GPL-2.0
/*
 * A connection between two machines, each of which runs this: ports on the
 * network cards, keys renewed in the stream, loss, delay and disorder below.
 * PSP_PAIR in the environment says which machine it is, "a" or "b".
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pair.h"

#define TIMEOUT_S	150

/* What was sent in plain before must have gone by when the watch begins */
#define SETTLE_US	300000

FIXTURE(pair)
{
	struct pair pair;
};

FIXTURE_VARIANT(pair)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(pair, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(pair, gcm256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GCM_256,
	.family = PSP_IPV6,
};

FIXTURE_SETUP(pair)
{
	const char *side = getenv("PSP_PAIR");

	ASSERT_NE(NULL, side);
	ASSERT_EQ(0, pair_open(&self->pair, !strcmp(side, "a")));
	ASSERT_EQ(0, psp_sh(self->pair.end.ns,
			    "tc qdisc replace dev " PAIR_LOWER " root netem "
			    "delay 2ms 1ms loss 1%% reorder 75%% 25%%"));
}

FIXTURE_TEARDOWN(pair)
{
	pair_close(&self->pair);
}

/* Frames of the connection that crossed the network card */
static void pair_look(struct psp_tap *tap, uint16_t port, int *psp, int *plain)
{
	static struct psp_frame frame;
	uint16_t ports[2];

	*psp = 0;
	*plain = 0;
	while (psp_tap_next(tap, &frame, 0) > 0) {
		*psp += frame.psp;
		if (frame.proto != IPPROTO_TCP)
			continue;
		memcpy(ports, frame.data + frame.l4, sizeof(ports));
		*plain += ntohs(ports[0]) == port || ntohs(ports[1]) == port;
	}
}

TEST_F_TIMEOUT(pair, rekeyed_transfer_on_a_bad_network, TIMEOUT_S)
{
	struct pair *pair = &self->pair;
	struct psp_tap tap;
	int psp, plain;

	ASSERT_EQ(0, pair_meet(pair, variant->family));
	ASSERT_EQ(0, pair_secure(pair, variant->version));
	usleep(SETTLE_US);
	ASSERT_EQ(0, psp_tap_open_on(&tap, &pair->end, PAIR_LOWER));
	ASSERT_EQ(0, pair_run(pair));
	EXPECT_GT(pair->good, PAIR_REKEYS * PAIR_STEP);
	EXPECT_EQ(PAIR_REKEYS, pair->rotations);
	EXPECT_EQ(PAIR_REKEYS, pair->switched);
	EXPECT_GT(psp_tcp_retrans(pair->fd), 0);
	EXPECT_EQ(0, pair_part(pair));

	pair_look(&tap, pair->port, &psp, &plain);
	EXPECT_GT(psp, 2 * PAIR_REKEYS * PAIR_STEP / 1500);
	EXPECT_EQ(0, plain);
	EXPECT_EQ(0, psp_ethtool_stat(&pair->end, "hw_rx_auth_fail"));
	EXPECT_EQ(0, psp_ethtool_stat(&pair->end, "hw_tx_stale_handle"));
	psp_tap_close(&tap);
}

TEST_HARNESS_MAIN
