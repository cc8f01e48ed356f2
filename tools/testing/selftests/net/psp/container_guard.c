// SPDX-License-Identifier: GPL-2.0
/*
 * What psp_container.rst promises: the mark of a container's segment counts
 * nowhere, its keys speak for its own connections only, and its plain text does
 * not get out.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "container.h"

FIXTURE(guard)
{
	struct container c;
	struct psp_conn conn;	/* from the container to end B */
	struct forge forge;
	int twin;		/* see container_twin() */
};

FIXTURE_VARIANT(guard)
{
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(guard, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(guard, ipv6)
{
	.family = PSP_IPV6,
};

FIXTURE_SETUP(guard)
{
	self->twin = -1;
	self->forge.fd = -1;
	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	ASSERT_EQ(0, container_open(&self->c));
	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->c.pair,
				   variant->family));
}

FIXTURE_TEARDOWN(guard)
{
	struct psp_conn twin = { .a.fd = self->twin, .b.fd = -1 };

	forge_close(&self->forge);
	psp_conn_close(&twin);
	psp_conn_close(&self->conn);
	container_close(&self->c);
}

static uint64_t drops(struct container *c, int reason)
{
	struct psp_rekey_stats stats;

	if (psp_nl_rekey_stats(&c->net.a.nl, c->net.a.dev_id, &stats))
		return UINT64_MAX;
	return stats.drops[reason];
}

/* Two more than there were: TCP sends again */
static int wait_drops(struct container *c, int reason, uint64_t before)
{
	uint64_t end = psp_now_ms() + psp_slow_ms(CONTAINER_MS);

	while (drops(c, reason) < before + 2) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

/* Whatever the container sends is dropped for @reason; end B hears nothing */
static void expect_dropped(struct __test_metadata *_metadata,
			   struct container *c, struct psp_conn *conn,
			   int reason)
{
	uint64_t before = drops(c, reason);

	ASSERT_EQ(0, policy_send(conn->a.fd, "secret"));
	EXPECT_EQ(0, wait_drops(c, reason, before));
	EXPECT_TRUE(policy_is_quiet(conn->b.fd));
}

/* The way is right again: nothing is lost */
static void expect_recovers(struct __test_metadata *_metadata,
			    struct psp_conn *conn)
{
	EXPECT_EQ(0, policy_reads(conn->b.fd, "secret"));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

/* TCP segments that pass @ifname of @end; anything else may */
static int tcp_frames(struct psp_tap *tap)
{
	static struct psp_frame frame;
	int num = 0;

	while (psp_tap_next(tap, &frame, 0) > 0)
		num += frame.proto == IPPROTO_TCP;
	return num;
}

TEST_F(guard, marked_segment_for_the_host_itself_dropped)
{
	struct container *c = &self->c;
	struct psp_net local = c->pair;
	struct psp_conn conn;
	struct psp_key key;

	local.b = c->net.a;
	ASSERT_EQ(0, psp_conn_open(&conn, &local, variant->family));
	ASSERT_EQ(0, psp_conn_ping(&conn));
	ASSERT_EQ(0, psp_nl_rx_assoc(&c->pair.a.nl, 0, 0, conn.a.fd, &key));
	ASSERT_EQ(0, psp_nl_tx_assoc(&c->pair.a.nl, 0, 0, conn.a.fd, &key));
	expect_dropped(_metadata, c, &conn, PSP_A_DROPS_TX_DEV);
	psp_conn_close(&conn);
}

/* The container has made itself a socket with the tuple of the host's */
TEST_F(guard, containers_key_does_not_speak_for_the_host)
{
	struct container *c = &self->c;
	struct psp_conn conn;
	struct psp_key key;

	ASSERT_EQ(0, psp_conn_open(&conn, &c->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&conn, 0));
	ASSERT_EQ(0, forge_open(&self->forge, &conn, &conn.a));
	self->twin = container_twin(&c->pair.a, variant->family, conn.a.fd);
	ASSERT_LE(0, self->twin);
	ASSERT_EQ(0, psp_nl_rx_assoc(&c->pair.a.nl, c->pair.a.dev_id, 0,
				     self->twin, &key));

	ASSERT_EQ(0, forge_psp_text(&self->forge, "container's", 0, &key));
	EXPECT_EQ(0, policy_reads(self->twin, "container's"));
	EXPECT_TRUE(policy_is_quiet(conn.a.fd));
	EXPECT_EQ(0, psp_conn_ping(&conn));

	/* Nor the other way */
	ASSERT_EQ(0, forge_sync(&self->forge, conn.a.fd));
	ASSERT_EQ(0, forge_psp_text(&self->forge, "host's", 0, &conn.a.rx));
	EXPECT_EQ(0, policy_reads(conn.a.fd, "host's"));
	EXPECT_TRUE(policy_is_quiet(self->twin));
	policy_abort(&conn);
}

/* Two containers with one tuple: each key is heard where it belongs */
TEST_F(guard, containers_key_does_not_speak_in_another_container)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_key key;

	ASSERT_EQ(0, container_open_more(c));
	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, forge_open(&self->forge, conn, &conn->a));
	memcpy(self->forge.dst, c->net.a.mac, sizeof(self->forge.dst));
	self->twin = container_twin(&c->more, variant->family, conn->a.fd);
	ASSERT_LE(0, self->twin);
	ASSERT_EQ(0, psp_nl_rx_assoc(&c->more.nl, c->more.dev_id, 0,
				     self->twin, &key));

	ASSERT_EQ(0, forge_psp_text(&self->forge, "more's", 0, &key));
	EXPECT_EQ(0, policy_reads(self->twin, "more's"));
	EXPECT_TRUE(policy_is_quiet(conn->a.fd));

	ASSERT_EQ(0, forge_psp_text(&self->forge, "first's", 0, &conn->a.rx));
	EXPECT_EQ(0, policy_reads(conn->a.fd, "first's"));
	EXPECT_TRUE(policy_is_quiet(self->twin));
	policy_abort(conn);
}

/* The other way round: a socket of the host has the container's tuple, and BPF
 * at the port leads whatever is for the container's address there.
 */
TEST_F(guard, hosts_key_does_not_speak_in_a_container)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_key key;
	uint64_t before;

	ASSERT_EQ(0, container_redirect(c));
	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, forge_open(&self->forge, conn, &conn->a));
	memcpy(self->forge.dst, c->net.a.mac, sizeof(self->forge.dst));
	self->twin = container_twin(&c->net.a, variant->family, conn->a.fd);
	ASSERT_LE(0, self->twin);
	ASSERT_EQ(0, psp_nl_rx_assoc(&c->net.a.nl, c->net.a.dev_id, 0,
				     self->twin, &key));

	before = drops(c, PSP_A_DROPS_REDIRECTED);
	ASSERT_EQ(0, forge_psp_text(&self->forge, "host's", 0, &key));
	ASSERT_EQ(0, forge_psp_text(&self->forge, "host's", 0, &key));
	EXPECT_EQ(0, wait_drops(c, PSP_A_DROPS_REDIRECTED, before));
	EXPECT_TRUE(policy_is_quiet(conn->a.fd));
	policy_abort(conn);
}

TEST_F(guard, xdp_at_the_other_end_of_the_pair)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, container_xdp(c, true));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_TX_DEV);

	ASSERT_EQ(0, container_xdp(c, false));
	expect_recovers(_metadata, conn);
}

TEST_F(guard, containers_key_on_another_tuple_dropped)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	uint64_t before;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, forge_open(&self->forge, conn, &conn->a));
	memcpy(self->forge.dst, c->net.a.mac, sizeof(self->forge.dst));
	before = drops(c, PSP_A_DROPS_RX_TUPLE);
	self->forge.dport++;
	ASSERT_EQ(0, forge_psp_text(&self->forge, "x", 0, &conn->a.rx));
	ASSERT_EQ(0, forge_psp_text(&self->forge, "x", 0, &conn->a.rx));
	EXPECT_EQ(0, wait_drops(c, PSP_A_DROPS_RX_TUPLE, before));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

/*
 * The other container has a twin of end B's socket, which would be glad to hear
 * of a mark; BPF at the host leads the first one's segments there.
 */
TEST_F(guard, mark_led_into_another_container_dropped)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_key key;

	ASSERT_EQ(0, container_open_more(c));
	self->twin = container_twin(&c->more, variant->family, conn->b.fd);
	ASSERT_LE(0, self->twin);
	ASSERT_EQ(0, psp_nl_rx_assoc(&c->more.nl, c->more.dev_id, 0,
				     self->twin, &key));

	/* The way is one */
	ASSERT_EQ(0, psp_ns_enter(c->net.a.ns));
	ASSERT_EQ(0, container_mislead(c, "host0", if_nametoindex("host1")));
	ASSERT_EQ(0, policy_send(conn->a.fd, "plain"));
	EXPECT_EQ(0, policy_reads(self->twin, "plain"));

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, 0));
	conn->b.rx = key;
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_REDIRECTED);
	EXPECT_TRUE(policy_is_quiet(self->twin));
	policy_abort(conn);
}

TEST_F(guard, mark_led_back_into_the_container_dropped)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, psp_sh(c->pair.a.ns,
			    "set -e; tc qdisc add dev eth0 clsact;"
			    "tc filter add dev eth0 egress matchall"
			    " action mirred ingress redirect dev eth0"));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_REDIRECTED);
	ASSERT_EQ(0, psp_sh(c->pair.a.ns, "tc qdisc del dev eth0 clsact"));
	expect_recovers(_metadata, conn);
}

/* An interface beside the PSP device, which would send plain text */
static int add_aside(struct psp_end *end)
{
	return psp_sh(end->ns,
		      "set -e; ip link add aside0 up type dummy;"
		      "ip neigh add 10.0.0.2 lladdr 2:0:0:0:0:1 dev aside0;"
		      "ip neigh add fd00::2 lladdr 2:0:0:0:0:1 dev aside0");
}

static int route_aside(struct psp_end *end)
{
	return psp_sh(end->ns,
		      "set -e; ip route add 10.0.0.2 dev aside0;"
		      "ip -6 route add fd00::2 dev aside0");
}

TEST_F(guard, hosts_route_beside_the_psp_device)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, add_aside(&c->net.a));
	ASSERT_EQ(0, psp_tap_open_on(&tap, &c->net.a, "aside0"));
	ASSERT_EQ(0, route_aside(&c->net.a));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_TX_DEV);
	EXPECT_EQ(0, tcp_frames(&tap));
	psp_tap_close(&tap);
	ASSERT_EQ(0, psp_sh(c->net.a.ns, "ip link del aside0"));
	expect_recovers(_metadata, conn);
}

TEST_F(guard, containers_route_beside_the_associated_device)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, add_aside(&c->pair.a));
	ASSERT_EQ(0, psp_tap_open_on(&tap, &c->pair.a, "aside0"));
	ASSERT_EQ(0, route_aside(&c->pair.a));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_TX_DEV);

	/* To associate it does not help: who knows where it leads? */
	ASSERT_EQ(0, psp_ns_enter(c->pair.a.ns));
	ASSERT_EQ(0, psp_nl_dev_assoc(&c->pair.a.nl, c->pair.a.dev_id,
				      if_nametoindex("aside0")));
	EXPECT_EQ(0, wait_drops(c, PSP_A_DROPS_TX_DEV,
				drops(c, PSP_A_DROPS_TX_DEV)));
	EXPECT_EQ(0, tcp_frames(&tap));
	psp_tap_close(&tap);
	ASSERT_EQ(0, psp_sh(c->pair.a.ns, "ip link del aside0"));
	expect_recovers(_metadata, conn);
}

TEST_F(guard, association_ended_under_traffic)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_tap tap;
	uint64_t before;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, container_disassoc(c));
	/* Not before: what was under way until then may pass */
	ASSERT_EQ(0, psp_tap_open_on(&tap, &c->net.a, "host0"));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_TX_DEV);
	EXPECT_EQ(0, tcp_frames(&tap));
	psp_tap_close(&tap);

	/* Nor does it hear anything */
	before = drops(c, PSP_A_DROPS_RX_DEV);
	ASSERT_EQ(0, policy_send(conn->b.fd, "back"));
	EXPECT_EQ(0, wait_drops(c, PSP_A_DROPS_RX_DEV, before));
	EXPECT_TRUE(policy_is_quiet(conn->a.fd));

	ASSERT_EQ(0, container_assoc(c));
	EXPECT_EQ(0, policy_reads(conn->a.fd, "back"));
	expect_recovers(_metadata, conn);
}

/* By the way of mistakes: it means nothing, and does no harm */
TEST_F(guard, other_end_of_the_pair_associated_too)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_nl_dev_assoc(&c->net.a.nl, c->net.a.dev_id,
				      c->host_ifindex));
	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	EXPECT_EQ(0, psp_xfer_both(conn, 65536, CONTAINER_MS));
}

/* What the host has to say to others under PSP is not the container's */
TEST_F(guard, hosts_route_into_a_container)
{
	struct container *c = &self->c;
	struct psp_conn conn;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_open(&conn, &c->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&conn, 0));
	ASSERT_EQ(0, psp_nl_dev_assoc(&c->net.a.nl, c->net.a.dev_id,
				      c->host_ifindex));
	ASSERT_EQ(0, psp_tap_open_on(&tap, &c->pair.a, "eth0"));
	ASSERT_EQ(0, psp_sh(c->net.a.ns,
			    "ip route add 10.0.0.2 via 10.1.0.2 dev host0;"
			    "ip -6 route add fd00::2 via fd01::2 dev host0"));
	expect_dropped(_metadata, c, &conn, PSP_A_DROPS_TX_DEV);
	EXPECT_EQ(0, tcp_frames(&tap));
	psp_tap_close(&tap);
	ASSERT_EQ(0, psp_sh(c->net.a.ns,
			    "ip route del 10.0.0.2 dev host0;"
			    "ip -6 route del fd00::2 dev host0"));
	expect_recovers(_metadata, &conn);
	policy_abort(&conn);
}

TEST_F(guard, other_end_of_the_pair_moved_and_back)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, container_replug(c, c->net.b.ns));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

/* What the container may do to its segments on their way, and a router would
 * not forward: another hardware address, a VLAN, a wrong checksum, a length
 * that is not the packet's, a source that is no host
 */
static const char * const unsound4[] = {
	"skbmod set dmac 02:00:00:00:00:99",
	"vlan push id 10",
	"pedit ex munge ip ttl set 63",
	"pedit munge offset 2 u16 set 1400 pipe action csum ip4h",
	"pedit ex munge ip src set 224.0.0.1 pipe action csum ip4h",
	NULL
};

static const char * const unsound6[] = {
	"skbmod set dmac 02:00:00:00:00:99",
	"vlan push id 10",
	"pedit munge offset 4 u16 set 1400",
	"pedit ex munge ip6 src set fe80::77",
	"pedit ex munge ip6 src set ff02::1",
	NULL
};

TEST_F_TIMEOUT(guard, unsound_packet_dropped, 60)
{
	const char *const *how = variant->family == PSP_IPV4 ? unsound4 :
							       unsound6;
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	for (; *how; how++) {
		TH_LOG("%s", *how);
		ASSERT_EQ(0, psp_sh(c->pair.a.ns,
				    "set -e; tc qdisc add dev eth0 clsact;"
				    "tc filter add dev eth0 egress matchall"
				    " action %s", *how));
		expect_dropped(_metadata, c, conn, PSP_A_DROPS_TX_DEV);
		ASSERT_EQ(0, psp_sh(c->pair.a.ns,
				    "tc qdisc del dev eth0 clsact"));
		expect_recovers(_metadata, conn);
	}
}

/* Is it an ICMP error? Then how many bytes does it quote */
static int quoted_bytes(const struct psp_frame *frame)
{
	bool v4 = frame->proto == IPPROTO_ICMP;
	unsigned int l4 = frame->l3 + (v4 ? 20 : 40);

	if (!v4 && frame->proto != IPPROTO_ICMPV6)
		return -1;
	if (frame->len < l4 + 8 ||
	    (v4 ? frame->data[l4] != ICMP_DEST_UNREACH :
		  frame->data[l4] >= ICMP6_ECHO_REQUEST))
		return -1;
	return frame->len - l4 - 8;
}

/* The most that an ICMP error quotes, or -1 if there is none */
static int most_quoted(struct psp_tap *tap)
{
	static struct psp_frame frame;
	int bytes = -1;

	while (psp_tap_next(tap, &frame, 0) > 0)
		if (quoted_bytes(&frame) > bytes)
			bytes = quoted_bytes(&frame);
	return bytes;
}

/* It has to work, but with the headers and 8 bytes only */
TEST_F(guard, too_big_is_told_without_the_text)
{
	bool v4 = variant->family == PSP_IPV4;
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, psp_tap_open_on(&tap, &c->net.a, "host0"));
	ASSERT_EQ(0, psp_sh(c->net.a.ns,
			    "ip route add 10.0.0.2 dev psp0 mtu 1300;"
			    "ip -6 route add fd00::2 dev psp0 mtu 1300"));
	EXPECT_EQ(0, psp_xfer_both(conn, 65536, CONTAINER_MS));
	EXPECT_EQ((v4 ? 20 : 40) + 8, most_quoted(&tap));
	psp_tap_close(&tap);
}

/* Answers to nobody's question: the host gives up at once */
static int no_neighbour(struct psp_end *host)
{
	return psp_sh(host->ns,
		      "set -e; cd /proc/sys/net;"
		      "for v in 4 6; do"
		      " echo 1 > ipv$v/neigh/psp0/mcast_solicit;"
		      " echo 50 > ipv$v/neigh/psp0/retrans_time_ms; done;"
		      "ip route add 10.0.0.2 via 10.0.0.77 dev psp0;"
		      "ip -6 route add fd00::2 via fd00::77 dev psp0");
}

/* Until the stack has dropped what waited for the neighbour */
static int wait_neighbour_failed(struct psp_end *host)
{
	uint64_t end = psp_now_ms() + psp_slow_ms(CONTAINER_MS);

	while (psp_sh(host->ns, "ip neigh show dev psp0 | grep -q FAILED")) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

TEST_F(guard, no_neighbour_is_not_told)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, psp_tap_open_on(&tap, &c->net.a, "host0"));
	ASSERT_EQ(0, no_neighbour(&c->net.a));
	ASSERT_EQ(0, policy_send(conn->a.fd, "secret"));
	EXPECT_EQ(0, wait_neighbour_failed(&c->net.a));
	EXPECT_EQ(-1, most_quoted(&tap));
	psp_tap_close(&tap);
	ASSERT_EQ(0, psp_sh(c->net.a.ns, "ip route del 10.0.0.2 dev psp0;"
			    "ip -6 route del fd00::2 dev psp0"));
	expect_recovers(_metadata, conn);
}

/* In a namespace without the PSP device, it leads nowhere */
TEST_F(guard, other_end_of_the_pair_in_another_namespace)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	uint64_t before = drops(c, PSP_A_DROPS_TX_DEV);

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, psp_ns_enter(c->net.a.ns));
	ASSERT_EQ(0, psp_link_move(c->host_ifindex, c->net.b.ns));
	ASSERT_EQ(0, psp_ns_enter(c->net.b.ns));
	ASSERT_EQ(0, psp_link_up(if_nametoindex("host0"), true));
	ASSERT_EQ(0, policy_send(conn->a.fd, "secret"));
	EXPECT_EQ(0, wait_drops(c, PSP_A_DROPS_TX_DEV, before));
	EXPECT_TRUE(policy_is_quiet(conn->b.fd));
	ASSERT_EQ(0, psp_link_del(if_nametoindex("host0")));
	policy_abort(conn);
}

static int host_forwards(struct psp_end *host, const char *on)
{
	int err = psp_ns_enter(host->ns);

	if (!err)
		err = psp_sysctl("net/ipv4/ip_forward", on);
	return err ? err : psp_sysctl("net/ipv6/conf/all/forwarding", on);
}

TEST_F(guard, host_that_does_not_forward)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, host_forwards(&c->net.a, "0"));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_TX_DEV);
	ASSERT_EQ(0, host_forwards(&c->net.a, "1"));
	expect_recovers(_metadata, conn);
}

/* The price: marked segments do not meet the rules, nor do the answers */
TEST_F(guard, forward_rules_are_passed_by)
{
	struct psp_conn *conn = &self->conn, plain;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_conn_open(&plain, &c->pair, variant->family));
	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, psp_sh(c->net.a.ns,
			    "nft 'add table inet t;"
			    "add chain inet t c { type filter"
			    " hook forward priority 0; policy drop; }'"));
	EXPECT_EQ(0, psp_conn_ping(conn));

	ASSERT_EQ(0, policy_send(plain.a.fd, "plain"));
	EXPECT_EQ(0, psp_xfer_both(conn, 4096, CONTAINER_MS));
	EXPECT_TRUE(policy_is_quiet(plain.b.fd));
	policy_abort(&plain);
}

static int set_hops(int fd, enum psp_family family, int hops)
{
	bool v4 = family == PSP_IPV4;

	return setsockopt(fd, v4 ? SOL_IP : SOL_IPV6,
			  v4 ? IP_TTL : IPV6_UNICAST_HOPS, &hops,
			  sizeof(hops)) ? -errno : 0;
}

/* Hops left to the next frame under PSP that the host sends, or -errno */
static int next_hops(struct psp_tap *tap, const struct psp_end *host,
		     enum psp_family family)
{
	static struct psp_frame frame;
	int ret;

	do {
		ret = psp_tap_next(tap, &frame, psp_slow_ms(CONTAINER_MS));
		if (ret <= 0)
			return ret ?: -ETIMEDOUT;
	} while (!frame.psp || !psp_frame_from(&frame, host));
	return frame.data[frame.l3 + (family == PSP_IPV4 ? 8 : 7)];
}

/* It is a router: what passes has one hop less to go */
TEST_F(guard, host_is_a_hop)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;
	struct psp_tap tap;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, psp_tcp_drain(conn->b.fd, CONTAINER_MS));
	ASSERT_EQ(0, psp_tap_open(&tap, &c->net.a));
	ASSERT_EQ(0, set_hops(conn->a.fd, variant->family, 10));
	EXPECT_EQ(0, psp_conn_ping(conn));
	EXPECT_EQ(9, next_hops(&tap, &c->net.a, variant->family));
	psp_tap_close(&tap);
}

TEST_F(guard, last_hop_dropped)
{
	struct psp_conn *conn = &self->conn;
	struct container *c = &self->c;

	ASSERT_EQ(0, psp_conn_secure(conn, 0));
	ASSERT_EQ(0, set_hops(conn->a.fd, variant->family, 1));
	expect_dropped(_metadata, c, conn, PSP_A_DROPS_TX_DEV);
	ASSERT_EQ(0, set_hops(conn->a.fd, variant->family, 64));
	expect_recovers(_metadata, conn);
}

TEST_HARNESS_MAIN
