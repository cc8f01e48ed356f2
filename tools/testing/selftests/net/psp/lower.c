// SPDX-License-Identifier: GPL-2.0
/*
 * Data over ports on real interfaces: secure and plain, on a good network and
 * on a bad one, and what the lower device's GRO makes of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lower.h"
#include "seal.h"

#define TIMEOUT_S	90
#define BULK		1000000

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

FIXTURE(lower)
{
	struct lower lower;
};

FIXTURE_VARIANT(lower)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(lower, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(lower, gcm256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GCM_256,
	.family = PSP_IPV6,
};

FIXTURE_SETUP(lower)
{
	ASSERT_EQ(0, lower_open(&self->lower, variant->family));
}

FIXTURE_TEARDOWN(lower)
{
	lower_close(&self->lower);
}

TEST_F_TIMEOUT(lower, rekeyed_in_flow, TIMEOUT_S)
{
	struct lower *lower = &self->lower;

	if (!psp_nl_rekeys(&lower->net.a.nl))
		SKIP(return, PSP_NO_REKEYING);
	ASSERT_EQ(0, lower_secure(lower, variant->version));
	EXPECT_EQ(0, lower_rekey_in_flow(lower, 4));
	EXPECT_TRUE(lower_is_private(lower));
	EXPECT_EQ(0, lower->count.big);
	EXPECT_EQ(0, psp_ethtool_stat(&lower->net.a, "hw_tx_no_link"));
	EXPECT_EQ(0, psp_ethtool_stat(&lower->net.a, "hw_tx_stale_handle"));
}

static int lower_netem(struct lower *lower, const char *what)
{
	return psp_sh(lower->net.a.ns, "tc qdisc add dev %s root netem %s",
		      PSP_LOWER_A, what) ?:
	       psp_sh(lower->net.b.ns, "tc qdisc add dev %s root netem %s",
		      PSP_LOWER_B, what);
}

TEST_F_TIMEOUT(lower, delay_loss_and_disorder_below, TIMEOUT_S)
{
	struct lower *lower = &self->lower;

	ASSERT_EQ(0, lower_netem(lower,
				 "delay 3ms 1ms loss 3% reorder 75% 25%"));
	ASSERT_EQ(0, lower_secure(lower, variant->version));
	EXPECT_EQ(0, lower_rekey_in_flow(lower, 5));
	EXPECT_TRUE(lower_is_private(lower));
	EXPECT_GT(psp_tcp_retrans(lower->conn.a.fd) +
		  psp_tcp_retrans(lower->conn.b.fd), 0);
}

/* What the queue below refuses is counted, and TCP sends it again. Slower than
 * any engine, the debug kernel's too.
 */
TEST_F_TIMEOUT(lower, queue_below_is_short, TIMEOUT_S)
{
	struct lower *lower = &self->lower;

	ASSERT_EQ(0, lower_secure(lower, variant->version));
	ASSERT_EQ(0, lower_netem(lower, "rate 5mbit limit 4"));
	EXPECT_EQ(0, psp_xfer_both(&lower->conn, BULK, LOWER_MS));
	EXPECT_TRUE(lower_is_private(lower));
	EXPECT_GT(psp_ethtool_stat(&lower->net.a, "hw_tx_refused"), 0);
	EXPECT_GT(psp_tcp_retrans(lower->conn.a.fd), 0);
}

TEST_F_TIMEOUT(lower, plain_segments_cross_uncut, TIMEOUT_S)
{
	struct lower *lower = &self->lower;

	lower_reset(lower);
	EXPECT_EQ(0, psp_xfer_both(&lower->conn, BULK, LOWER_MS));
	lower_look(lower);
	EXPECT_EQ(0, lower->count.psp);
	EXPECT_GT(lower->count.plain, 0);
	EXPECT_GT(lower->count.big, 0);
}

/* And if the lower devices have to cut them and finish their checksums */
TEST_F_TIMEOUT(lower, plain_segments_are_cut_below, TIMEOUT_S)
{
	static const char cmd[] =
		"ip link set %s gso_max_segs 1 2>&1 && ip link set %s up";
	struct lower *lower = &self->lower;

	ASSERT_EQ(0, psp_sh(lower->net.a.ns, cmd, PSP_LOWER_A, PSP_LOWER_A));
	ASSERT_EQ(0, psp_sh(lower->net.b.ns, cmd, PSP_LOWER_B, PSP_LOWER_B));
	lower_reset(lower);
	EXPECT_EQ(0, psp_xfer_both(&lower->conn, BULK, LOWER_MS));
	lower_look(lower);
	EXPECT_GT(lower->count.plain, 2 * BULK / 1500);
	EXPECT_EQ(0, lower->count.big);
}

/* Tagged frames pass with their tag, whoever adds it */
TEST_F_TIMEOUT(lower, vlan_above_the_port, TIMEOUT_S)
{
	static const char cmd[] =
		"ip link add link %s name tagged type vlan id 7 &&\n"
		"ip addr add 10.7.0.%d/24 dev tagged &&\n"
		"ip addr add fd07::%d/64 dev tagged nodad &&\n"
		"ip link set tagged up";
	struct psp_net net = self->lower.net;
	struct psp_conn conn;

	ASSERT_EQ(0, psp_sh(net.a.ns, cmd, net.a.ifname, 1, 1));
	ASSERT_EQ(0, psp_sh(net.b.ns, cmd, net.b.ifname, 2, 2));
	inet_pton(AF_INET, "10.7.0.1", &net.a.v4);
	inet_pton(AF_INET, "10.7.0.2", &net.b.v4);
	inet_pton(AF_INET6, "fd07::1", &net.a.v6);
	inet_pton(AF_INET6, "fd07::2", &net.b.v6);
	ASSERT_EQ(0, psp_conn_open(&conn, &net, variant->family));
	EXPECT_EQ(0, psp_xfer_both(&conn, BULK, LOWER_MS));
	psp_conn_close(&conn);
}

/* A port on a VLAN device of the network card: PSP behind a tag */
TEST_F_TIMEOUT(lower, vlan_below_the_port, TIMEOUT_S)
{
	static const char cmd[] =
		"ip link del %s &&\n"
		"ip link add link %s name tagged type vlan id 7 &&\n"
		"ip link set tagged up &&\n"
		"ip link add link tagged name %s type psp_ref &&\n"
		"ip addr add 10.0.0.%d/24 dev %s &&\n"
		"ip addr add fd00::%d/64 dev %s nodad &&\n"
		"ip link set %s up";
	struct lower *lower = &self->lower;
	struct psp_net *net = &lower->net;

	psp_conn_close(&lower->conn);
	ASSERT_EQ(0, psp_sh(net->a.ns, cmd, net->a.ifname, PSP_LOWER_A,
			    net->a.ifname, 1, net->a.ifname, 1, net->a.ifname,
			    net->a.ifname));
	ASSERT_EQ(0, psp_sh(net->b.ns, cmd, net->b.ifname, PSP_LOWER_B,
			    net->b.ifname, 2, net->b.ifname, 2, net->b.ifname,
			    net->b.ifname));
	ASSERT_EQ(0, lower_find_devs(lower));
	ASSERT_EQ(0, psp_conn_open(&lower->conn, net, variant->family));
	ASSERT_EQ(0, lower_secure(lower, variant->version));
	EXPECT_EQ(0, lower_rekey_in_flow(lower, 2));
	EXPECT_TRUE(lower_is_private(lower));
}

/* A UDP socket at the bare lower device of B; it sends PSP packets to A */
static int lower_udp(struct lower *lower, enum psp_family family, int size)
{
	struct psp_net *net = &lower->net;
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;

	fd = psp_ns_socket(net->b.ns, family == PSP_IPV4 ? AF_INET : AF_INET6,
			   SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	len = psp_addr(&net->a, family, PSP_UDP_PORT, &addr);
	if (connect(fd, (struct sockaddr *)&addr, len) ||
	    setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size))) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* Leave the lower device of B as it would be on a host without a port */
static int lower_bare_b(struct lower *lower)
{
	const uint8_t *mac = lower->net.a.mac;

	return psp_sh(lower->net.b.ns,
		      "ip link del %s &&\n"
		      "sysctl -qw net.ipv6.conf.%s.disable_ipv6=0 &&\n"
		      "ip addr add 10.0.0.2/24 dev %s &&\n"
		      "ip addr add fd00::2/64 dev %s nodad &&\n"
		      "for to in 10.0.0.1 fd00::1; do\n"
		      "ip neigh replace $to dev %s nud permanent lladdr "
		      "%02x:%02x:%02x:%02x:%02x:%02x || exit 1\n"
		      "done", lower->net.b.ifname, PSP_LOWER_B, PSP_LOWER_B,
		      PSP_LOWER_B, PSP_LOWER_B, mac[0], mac[1], mac[2],
		      mac[3], mac[4], mac[5]);
}

#define SUPER_PACKETS	10
#define SUPER_PLAIN	1000

/*
 * GRO of UDP makes one of several packets on the way up, as a sender's GSO
 * does here: the device has to find each of them.
 */
TEST_F_TIMEOUT(lower, udp_super_packet_is_taken_apart, TIMEOUT_S)
{
	static uint8_t plain[SUPER_PLAIN], out[SUPER_PACKETS * 2000];
	struct seal_hdr hdr = { .nexthdr = IPPROTO_TCP };
	struct lower *lower = &self->lower;
	struct psp_end *a = &lower->net.a;
	uint64_t end;
	int fd, i, n;

	ASSERT_EQ(0, psp_conn_rx(&lower->conn, &lower->conn.a,
				 variant->version));
	hdr.version = variant->version;
	for (i = 0, n = 0; i < SUPER_PACKETS; i++) {
		hdr.iv = i + 1;
		n += seal_packet(&lower->conn.a.rx, &hdr, plain, SUPER_PLAIN,
				 out + n);
	}
	ASSERT_EQ(0, lower_bare_b(lower));
	fd = lower_udp(lower, variant->family, n / SUPER_PACKETS);
	ASSERT_GE(fd, 0);
	lower_reset(lower);
	ASSERT_EQ(n, send(fd, out, n, 0));

	end = psp_now_ms() + LOWER_MS;
	while (psp_ethtool_stat(a, "hw_rx_psp_packets") < SUPER_PACKETS &&
	       psp_now_ms() < end)
		psp_nap();
	EXPECT_EQ(SUPER_PACKETS, psp_ethtool_stat(a, "hw_rx_psp_packets"));
	EXPECT_EQ(0, psp_ethtool_stat(a, "hw_rx_auth_fail"));
	lower_look(lower);
	EXPECT_EQ(1, lower->count.big);
	EXPECT_EQ(1, lower->count.psp);
	close(fd);
}

TEST_HARNESS_MAIN
