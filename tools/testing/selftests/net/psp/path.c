// SPDX-License-Identifier: GPL-2.0
/*
 * The path between two ends becomes narrower or wider, or congested: TCP takes
 * notice as far as it can, and nothing is lost or goes in plain text.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	30000
#define TIMEOUT_S	90
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128
#define BULK		200000
#define ETH_LEN		14

/* Longest PSP frame that @from has sent since the tap was looked at last, or
 * -EBADMSG if there is plain TCP among them
 */
static int path_longest(struct psp_tap *tap, struct psp_end *from)
{
	static struct psp_frame frame;
	int longest = 0;

	while (psp_tap_next(tap, &frame, 0) > 0) {
		if (frame.proto == IPPROTO_TCP)
			return -EBADMSG;
		if (frame.psp && psp_frame_from(&frame, from) &&
		    frame.len > longest)
			longest = frame.len;
	}
	return longest;
}

/* Data from A, under an MTU that has just changed to @mtu */
static int path_fits(struct psp_conn *conn, struct psp_tap *tap, int mtu)
{
	int err;

	/* What was sent before may come back as a retransmission */
	err = psp_xfer_one(&conn->a, &conn->b, BULK, STALL_MS);
	if (!err)
		err = psp_tcp_drain(conn->a.fd, STALL_MS);
	psp_tap_flush(tap);
	if (!err)
		err = psp_xfer_one(&conn->a, &conn->b, BULK, STALL_MS);
	if (!err)
		err = path_longest(tap, conn->a.end);
	return err < 0 ? err : err - ETH_LEN - mtu;
}

FIXTURE(mtu)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_tap tap;
	int mss;
};

FIXTURE_VARIANT(mtu)
{
	enum psp_family family;
	const char *peer;
	int small;		/* MTU that IPv6 still accepts, or less */
	int level;
	int option;		/* of path MTU discovery */
};

FIXTURE_VARIANT_ADD(mtu, ipv4)
{
	.family = PSP_IPV4,
	.peer = "10.0.0.2/32",
	.small = 600,
	.level = IPPROTO_IP,
	.option = IP_MTU_DISCOVER,
};

FIXTURE_VARIANT_ADD(mtu, ipv6)
{
	.family = PSP_IPV6,
	.peer = "fd00::2/128",
	.small = 1280,
	.level = IPPROTO_IPV6,
	.option = IPV6_MTU_DISCOVER,
};

FIXTURE_SETUP(mtu)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
	ASSERT_EQ(0, psp_tap_open(&self->tap, &self->net.a));
	ASSERT_EQ(0, path_fits(&self->conn, &self->tap, 1500));
	self->mss = psp_tcp_mss(self->conn.a.fd);
}

FIXTURE_TEARDOWN(mtu)
{
	psp_tap_close(&self->tap);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

TEST_F_TIMEOUT(mtu, of_the_route_falls_and_rises, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int a = self->net.a.ns;

	ASSERT_EQ(0, psp_sh(a, "ip route add %s dev psp0 mtu 1300",
			    variant->peer));
	EXPECT_EQ(0, path_fits(conn, &self->tap, 1300));
	EXPECT_EQ(self->mss - 200, psp_tcp_mss(conn->a.fd));

	ASSERT_EQ(0, psp_sh(a, "ip route change %s dev psp0 mtu 1400",
			    variant->peer));
	EXPECT_EQ(0, path_fits(conn, &self->tap, 1400));
	ASSERT_EQ(0, psp_sh(a, "ip route del %s", variant->peer));
	EXPECT_EQ(0, path_fits(conn, &self->tap, 1500));
	EXPECT_EQ(self->mss, psp_tcp_mss(conn->a.fd));
}

/* A locked MTU means that IP may fragment, and it would do so here: TCP has
 * segments made for the MTU before.
 */
TEST_F_TIMEOUT(mtu, locked_on_the_route_makes_no_fragments, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int mtu = variant->small;

	psp_tap_flush(&self->tap);
	ASSERT_EQ(0, psp_sh(self->net.a.ns, "ip route add %s dev psp0 \\\n"
			    "	mtu lock %d", variant->peer, mtu));
	EXPECT_EQ(0, psp_xfer_one(&conn->a, &conn->b, BULK, STALL_MS));
	EXPECT_EQ(mtu + ETH_LEN, path_longest(&self->tap, &self->net.a));
}

TEST_F_TIMEOUT(mtu, of_a_socket_that_may_be_fragmented, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int dont = IP_PMTUDISC_DONT, mtu = variant->small;

	ASSERT_EQ(0, setsockopt(conn->a.fd, variant->level, variant->option,
				&dont, sizeof(dont)));
	psp_tap_flush(&self->tap);
	ASSERT_EQ(0, psp_sh(self->net.a.ns, "ip route add %s dev psp0 mtu %d",
			    variant->peer, mtu));
	EXPECT_EQ(0, psp_xfer_one(&conn->a, &conn->b, BULK, STALL_MS));
	EXPECT_EQ(mtu + ETH_LEN, path_longest(&self->tap, &self->net.a));
}

TEST_F_TIMEOUT(mtu, of_the_device_falls_and_rises, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	int a = self->net.a.ns;

	ASSERT_EQ(0, psp_sh(a, "ip link set psp0 mtu 1300"));
	EXPECT_EQ(0, path_fits(conn, &self->tap, 1300));
	EXPECT_EQ(self->mss - 200, psp_tcp_mss(conn->a.fd));

	ASSERT_EQ(0, psp_sh(a, "ip link set psp0 mtu 1500"));
	EXPECT_EQ(0, path_fits(conn, &self->tap, 1500));
	EXPECT_EQ(self->mss, psp_tcp_mss(conn->a.fd));
}

/* Three namespaces: A and B have ports on veth interfaces that lead to a router
 * of ordinary IP, which knows nothing of PSP.
 */
FIXTURE(router)
{
	struct psp_net net;
	struct psp_net far;
	struct psp_conn conn;
	struct psp_tap tap;
	int ns;
};

FIXTURE_VARIANT(router)
{
	enum psp_family family;
	const char *nft;
};

FIXTURE_VARIANT_ADD(router, ipv4)
{
	.family = PSP_IPV4,
	.nft = "ip",
};

FIXTURE_VARIANT_ADD(router, ipv6)
{
	.family = PSP_IPV6,
	.nft = "ip6",
};

static int router_up(int ns, const struct psp_net *net)
{
	int pid = getpid();

	return psp_sh(ns, "ip link add ra type veth peer name low0 \\\n"
		      "	netns /proc/%d/fd/%d &&\n"
		      "ip link add rb type veth peer name low1 \\\n"
		      "	netns /proc/%d/fd/%d &&\n"
		      "ip -batch - <<EOT &&\n"
		      "addr add 10.1.1.254/24 dev ra\n"
		      "addr add 10.1.2.254/24 dev rb\n"
		      "addr add fd01:1::254/64 dev ra nodad\n"
		      "addr add fd01:2::254/64 dev rb nodad\n"
		      "link set ra up\n"
		      "link set rb up\n"
		      "EOT\n"
		      "echo 1 > /proc/sys/net/ipv4/ip_forward &&\n"
		      "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding\n",
		      pid, net->a.ns, pid, net->b.ns) ? -EIO : 0;
}

/* @end has port @name on @lower, is host @host on its side of the router, and
 * @other is the other side
 */
static int router_end(struct psp_end *end, const char *name, const char *lower,
		      int side, int other)
{
	char addr[64];
	int err;

	snprintf(end->ifname, IFNAMSIZ, "%s", name);
	snprintf(addr, sizeof(addr), "10.1.%d.1", side);
	inet_pton(AF_INET, addr, &end->v4);
	snprintf(addr, sizeof(addr), "fd01:%d::1", side);
	inet_pton(AF_INET6, addr, &end->v6);

	if (psp_sh(end->ns, "ip link set %s up && "
		   "ip link add link %s name %s type psp_ref", lower, lower,
		   name))
		return -EIO;
	err = psp_ns_enter(end->ns);
	if (!err)
		err = psp_end_up(end);
	if (err)
		return err;
	return psp_sh(end->ns, "ip route add 10.1.%d.0/24 via 10.1.%d.254 && "
		      "ip route add fd01:%d::/64 via fd01:%d::254",
		      other, side, other, side) ? -EIO : 0;
}

static int router_open(struct psp_net *far, struct psp_net *net, int ns)
{
	int err;

	*far = *net;
	err = router_up(ns, net);
	if (!err)
		err = router_end(&far->a, "psp2", "low0", 1, 2);
	if (!err)
		err = router_end(&far->b, "psp3", "low1", 2, 1);
	return psp_ns_enter(net->home) ?: err;
}

FIXTURE_SETUP(router)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	self->ns = psp_ns_new();
	ASSERT_LE(0, self->ns);
	ASSERT_EQ(0, router_open(&self->far, &self->net, self->ns));
	ASSERT_EQ(0, psp_tap_open(&self->tap, &self->far.a));
}

FIXTURE_TEARDOWN(router)
{
	psp_tap_close(&self->tap);
	psp_conn_close(&self->conn);
	psp_sh(self->far.a.ns, "ip link del psp2");
	psp_sh(self->far.b.ns, "ip link del psp3");
	psp_nl_close(&self->far.a.nl);
	psp_nl_close(&self->far.b.nl);
	close(self->ns);
	psp_net_close(&self->net);
}

/* Nothing that was plain is to be seen afterwards */
static int router_secure(struct psp_conn *conn, struct psp_net *far,
			 enum psp_family family, struct psp_tap *tap)
{
	int err = psp_conn_open(conn, far, family);

	if (!err)
		err = psp_conn_secure(conn, VERSION);
	if (!err)
		err = psp_tcp_drain(conn->b.fd, STALL_MS);
	psp_tap_flush(tap);
	return err;
}

/* "Too big" messages that have come to A */
static int64_t router_too_big(struct psp_end *a, enum psp_family family)
{
	int64_t n;

	if (family == PSP_IPV4) {
		n = psp_snmp(a->ns, "IcmpMsg", "InType3");
		/* None is no column */
		return n == -ENOENT ? 0 : n;
	}

	return psp_sh(a->ns, "test $(awk '$1 == \"Icmp6InPktTooBigs\" "
		      "{ print $2 }' /proc/net/snmp6) -gt 0") ? 0 : 1;
}

static int router_probing(struct psp_end *a, int on)
{
	return psp_sh(a->ns, "echo %d > /proc/sys/net/ipv4/tcp_mtu_probing",
		      on);
}

/* The router's message quotes a packet to UDP port 1000. Kernels keep the MTU
 * that it tells with the route, where TCP finds it; but not all do so for IPv6.
 */
TEST_F_TIMEOUT(router, too_narrow_is_found_out, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->far.a;
	int mss;

	ASSERT_EQ(0, router_probing(a, variant->family == PSP_IPV6));
	ASSERT_EQ(0, router_secure(conn, &self->far, variant->family,
				   &self->tap));
	mss = psp_tcp_mss(conn->a.fd);

	ASSERT_EQ(0, psp_sh(self->ns, "ip link set rb mtu 1400"));
	EXPECT_EQ(0, psp_xfer_one(&conn->a, &conn->b, BULK, STALL_MS));
	EXPECT_LT(0, router_too_big(a, variant->family));
	EXPECT_GE(mss - 100, psp_tcp_mss(conn->a.fd));
	EXPECT_LT(0, path_longest(&self->tap, a));
}

TEST_F_TIMEOUT(router, too_narrow_in_silence_is_found_out_by_mtu_probing,
	       TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->far.a;
	int mss;

	ASSERT_EQ(0, router_probing(a, 1));
	ASSERT_EQ(0, router_secure(conn, &self->far, variant->family,
				   &self->tap));
	mss = psp_tcp_mss(conn->a.fd);

	ASSERT_EQ(0, psp_sh(self->ns,
			    "nft -f - <<EOT\n"
			    "table inet silence {\n"
			    "chain output {\n"
			    "type filter hook output priority filter;\n"
			    "icmp type destination-unreachable drop\n"
			    "icmpv6 type packet-too-big drop\n"
			    "}\n"
			    "}\n"
			    "EOT\n"));
	ASSERT_EQ(0, psp_sh(self->ns, "ip link set rb mtu 1400"));
	EXPECT_EQ(0, psp_xfer_one(&conn->a, &conn->b, BULK, STALL_MS));
	EXPECT_EQ(0, router_too_big(a, variant->family));
	EXPECT_GE(mss - 100, psp_tcp_mss(conn->a.fd));
	EXPECT_LT(0, path_longest(&self->tap, a));
}

TEST_F_TIMEOUT(router, congestion_it_marks_is_told_to_the_sender, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *a = &self->far.a;
	struct tcp_info info;
	const char *set_ce;

	/* "ip6 ecn set" of older programs changes nothing on newer kernels */
	set_ce = variant->family == PSP_IPV4 ? "ip ecn set ce" :
					       "@nh,0,16 set 0x6030";

	ASSERT_EQ(0, psp_sh(a->ns, "echo 1 > /proc/sys/net/ipv4/tcp_ecn"));
	ASSERT_EQ(0, router_secure(conn, &self->far, variant->family,
				   &self->tap));
	ASSERT_EQ(0, psp_tcp_info(conn->a.fd, &info));
	ASSERT_TRUE(info.tcpi_options & TCPI_OPT_ECN);
	ASSERT_EQ(0, psp_snmp(a->ns, "TcpExt", "TCPDeliveredCE"));

	ASSERT_EQ(0, psp_sh(self->ns,
			    "nft -f - <<EOT\n"
			    "table inet congested {\n"
			    "chain forward {\n"
			    "type filter hook forward priority filter;\n"
			    "oifname rb %s ecn ect0 udp dport 1000 \\\n"
			    "	%s\n"
			    "}\n"
			    "}\n"
			    "EOT\n", variant->nft, set_ce));
	EXPECT_EQ(0, psp_xfer_one(&conn->a, &conn->b, BULK, STALL_MS));
	EXPECT_LT(0, psp_snmp(a->ns, "TcpExt", "TCPDeliveredCE"));
	ASSERT_EQ(0, psp_tcp_info(conn->b.fd, &info));
	EXPECT_TRUE(info.tcpi_options & TCPI_OPT_ECN_SEEN);
	EXPECT_LT(0, path_longest(&self->tap, a));
}

TEST_HARNESS_MAIN
