// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics count what the specification says: packets that were good,
 * their bytes from behind the IV to the ICV, and bad ones by what is wrong
 * with them. Bad ones are made by a UDP socket that sends to the PSP port:
 * for the device it is a PSP packet like any other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define PHASE_BIT	0x80000000U
#define PACKET_LEN	64

FIXTURE(stats)
{
	struct psp_net net;
	struct psp_conn conn;
	int udp;			/* at end A */
	struct psp_stats before;	/* of end B */
	uint8_t packet[PACKET_LEN];	/* PSP, but for a wrong ICV */
};

FIXTURE_SETUP(stats)
{
	uint32_t spi;

	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, STALL_MS));
	self->udp = psp_ns_socket(self->net.a.ns, AF_INET, SOCK_DGRAM, 0);
	ASSERT_GE(self->udp, 0);
	ASSERT_EQ(0, psp_nl_stats(&self->net.b.nl, self->net.b.dev_id,
				  &self->before));

	spi = htonl(self->conn.b.rx.spi);
	self->packet[0] = IPPROTO_TCP;
	self->packet[1] = 1;		/* length of the header */
	self->packet[2] = 0;		/* crypt offset */
	self->packet[3] = 1;		/* version 0, and the bit that is 1 */
	memcpy(self->packet + 4, &spi, sizeof(spi));
}

FIXTURE_TEARDOWN(stats)
{
	close(self->udp);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

static int stats_send(int udp, const struct psp_end *to, const void *data,
		      size_t len)
{
	struct sockaddr_storage addr;
	socklen_t alen = psp_addr(to, PSP_IPV4, PSP_UDP_PORT, &addr);

	return sendto(udp, data, len, 0, (void *)&addr, alen) == len ? 0 :
								       -errno;
}

/*
 * Wait until the counter @which of end @end stands @more above @before, and
 * no other has moved that counts received packets; the name of the one that
 * is wrong, or NULL if all are right.
 */
static const char *stats_wait(struct psp_end *end,
			      const struct psp_stats *before, int which,
			      uint64_t more)
{
	static const char *const name[] = {
		[PSP_A_STATS_RX_PACKETS] = "rx-packets",
		[PSP_A_STATS_RX_BYTES] = "rx-bytes",
		[PSP_A_STATS_RX_AUTH_FAIL] = "rx-auth-fail",
		[PSP_A_STATS_RX_ERROR] = "rx-error",
		[PSP_A_STATS_RX_BAD] = "rx-bad",
	};
	uint64_t deadline = psp_now_ms() + STALL_MS, want;
	struct psp_stats now;
	int i;

	do {
		if (psp_nl_stats(&end->nl, end->dev_id, &now))
			return "none";
		psp_nap();
	} while (now.val[which] < before->val[which] + more &&
		 psp_now_ms() < deadline);

	for (i = PSP_A_STATS_RX_PACKETS; i <= PSP_A_STATS_RX_BAD; i++) {
		want = before->val[i] + (i == which ? more : 0);
		if (now.val[i] != want)
			return name[i];
	}
	return NULL;
}

/* Send one packet to B, which counts it as @which and as nothing else */
#define EXPECT_COUNTED(which, data, len)				\
do {									\
	ASSERT_EQ(0, stats_send(self->udp, &self->net.b, data, len));	\
	EXPECT_EQ(NULL, stats_wait(&self->net.b, &self->before,		\
				   PSP_A_STATS_##which, 1));		\
	EXPECT_EQ(0, psp_conn_ping(&self->conn));			\
} while (0)

TEST_F(stats, wrong_icv_is_rx_auth_fail)
{
	EXPECT_COUNTED(RX_AUTH_FAIL, self->packet, PACKET_LEN);
}

TEST_F(stats, packet_shorter_than_its_headers_is_rx_error)
{
	EXPECT_COUNTED(RX_ERROR, self->packet, 16);
}

TEST_F(stats, packet_without_psp_header_is_rx_error)
{
	EXPECT_COUNTED(RX_ERROR, self->packet, 4);
}

TEST_F(stats, header_length_beyond_the_packet_is_rx_error)
{
	self->packet[1] = 200;
	EXPECT_COUNTED(RX_ERROR, self->packet, PACKET_LEN);
}

TEST_F(stats, crypt_offset_beyond_the_packet_is_rx_error)
{
	self->packet[2] = 63;
	EXPECT_COUNTED(RX_ERROR, self->packet, PACKET_LEN);
}

TEST_F(stats, unknown_version_is_rx_bad)
{
	self->packet[3] = 15 << 2 | 1;
	EXPECT_COUNTED(RX_BAD, self->packet, PACKET_LEN);
}

TEST_F(stats, spi_of_a_phase_without_device_key_is_rx_bad)
{
	self->packet[4] ^= PHASE_BIT >> 24;
	EXPECT_COUNTED(RX_BAD, self->packet, PACKET_LEN);
}

TEST_F(stats, spi_with_low_31_bits_0_is_rx_bad)
{
	self->packet[4] &= PHASE_BIT >> 24;
	memset(self->packet + 5, 0, 3);
	EXPECT_COUNTED(RX_BAD, self->packet, PACKET_LEN);
}

TEST_F(stats, disabled_version_is_rx_bad_and_enabling_it_heals)
{
	struct psp_end *b = &self->net.b;
	struct psp_xfer xfer;
	struct psp_stats now;
	uint64_t deadline;

	ASSERT_EQ(0, psp_nl_dev_set(&b->nl, b->dev_id, 0xe));
	psp_xfer_init(&xfer, &self->conn.a, &self->conn.b, 1000);
	ASSERT_EQ(0, psp_xfer_step(&xfer, 1, STALL_MS));
	deadline = psp_now_ms() + STALL_MS;
	do {
		psp_nap();
		ASSERT_EQ(0, psp_nl_stats(&b->nl, b->dev_id, &now));
		ASSERT_LT(psp_now_ms(), deadline);
	} while (!psp_stat(&now, RX_BAD));
	EXPECT_EQ(psp_stat(&self->before, RX_PACKETS),
		  psp_stat(&now, RX_PACKETS));
	EXPECT_EQ(0, psp_tcp_inq(self->conn.b.fd));

	ASSERT_EQ(0, psp_nl_dev_set(&b->nl, b->dev_id, PSP_VERSIONS_ALL));
	EXPECT_EQ(0, psp_xfer_run(&xfer, 1, STALL_MS));
}

/* What was seen on the wire is what was counted, at both ends */
TEST_F(stats, bytes_count_from_behind_the_iv_to_the_icv)
{
	static struct psp_frame frame;
	uint64_t packets = 0, bytes = 0;
	struct psp_stats a[2], b;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_nl_stats(&self->net.a.nl, self->net.a.dev_id, &a[0]));
	ASSERT_EQ(0, psp_tap_open(&tap, &self->net.a));
	ASSERT_EQ(0, psp_xfer_both(&self->conn, 300000, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, STALL_MS));
	while (psp_tap_next(&tap, &frame, 100) > 0) {
		if (!frame.psp || !psp_frame_from(&frame, &self->net.a))
			continue;
		packets++;
		bytes += frame.payload_len;
	}
	psp_tap_close(&tap);

	ASSERT_EQ(0, psp_nl_stats(&self->net.a.nl, self->net.a.dev_id, &a[1]));
	ASSERT_EQ(0, psp_nl_stats(&self->net.b.nl, self->net.b.dev_id, &b));
	EXPECT_GT(bytes, 300000);
	EXPECT_EQ(packets, psp_stat(&a[1], TX_PACKETS) -
			   psp_stat(&a[0], TX_PACKETS));
	EXPECT_EQ(bytes, psp_stat(&a[1], TX_BYTES) -
			 psp_stat(&a[0], TX_BYTES));
	EXPECT_EQ(packets, psp_stat(&b, RX_PACKETS) -
			   psp_stat(&self->before, RX_PACKETS));
	EXPECT_EQ(bytes, psp_stat(&b, RX_BYTES) -
			 psp_stat(&self->before, RX_BYTES));
	EXPECT_EQ(0, psp_stat(&a[1], TX_ERROR));
}

/* Frames of @end on the wire that are not PSP: multicast listener reports */
static uint64_t stats_count_others(struct psp_tap *tap, struct psp_end *end)
{
	static struct psp_frame frame;
	uint64_t num = 0;

	while (psp_tap_next(tap, &frame, 0) > 0)
		num += !frame.psp && psp_frame_from(&frame, end);
	return num;
}

TEST_F(stats, damage_on_the_wire_is_rx_auth_fail_and_tcp_repairs_it)
{
	uint64_t deadline, damaged, others = 0;
	struct psp_end *a = &self->net.a;
	struct psp_stats now;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_tap_open(&tap, a));
	ASSERT_EQ(0, psp_wire_harm(a, "corrupt", 10));
	ASSERT_EQ(0, psp_xfer_one(&self->conn.a, &self->conn.b, 300000,
				  STALL_MS));
	ASSERT_EQ(0, psp_wire_harm(a, "corrupt", 0));

	/* The last of them may still be on their way */
	deadline = psp_now_ms() + STALL_MS;
	do {
		psp_nap();
		others += stats_count_others(&tap, a);
		damaged = psp_gauge(a, "wire_corrupted");
		ASSERT_EQ(0, psp_nl_stats(&self->net.b.nl, self->net.b.dev_id,
					  &now));
	} while (psp_stat(&now, RX_AUTH_FAIL) + others < damaged &&
		 psp_now_ms() < deadline);
	psp_tap_close(&tap);
	EXPECT_GT(psp_stat(&now, RX_AUTH_FAIL), 0);
	EXPECT_LE(psp_stat(&now, RX_AUTH_FAIL), damaged);
	EXPECT_GE(psp_stat(&now, RX_AUTH_FAIL) + others, damaged);
	EXPECT_EQ(0, psp_stat(&now, RX_BAD));
	EXPECT_EQ(0, psp_stat(&now, RX_ERROR));
}

TEST_HARNESS_MAIN
