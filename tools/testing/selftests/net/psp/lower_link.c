// SPDX-License-Identifier: GPL-2.0
/*
 * The port follows its lower device, shares it with nobody, and all of it can
 * go in any order.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "leak.h"
#include "lower.h"
#include "module.h"

#define TIMEOUT_S	90
#define V0		PSP_VERSION_HDR0_AES_GCM_128

FIXTURE(lower_link)
{
	struct lower lower;
	int a;			/* namespace of end A */
	int b;			/* namespace of end B */
};

FIXTURE_SETUP(lower_link)
{
	ASSERT_EQ(0, lower_open(&self->lower, PSP_IPV4));
	self->a = self->lower.net.a.ns;
	self->b = self->lower.net.b.ns;
}

FIXTURE_TEARDOWN(lower_link)
{
	lower_close(&self->lower);
}

static int lower_move(int from, const char *ifname, int to)
{
	int home = open("/proc/self/ns/net", O_RDONLY), err;

	err = psp_ns_enter(from);
	if (!err)
		err = psp_link_move(if_nametoindex(ifname), to);
	psp_ns_enter(home);
	close(home);
	return err;
}

/* A command that must fail, and give a reason with these words in it */
#define EXPECT_NO(ns, words, cmd)					\
	EXPECT_EQ(0, psp_sh(ns, "%s 2>&1 | tee /dev/stderr | grep -q '%s'",\
			    cmd, words))

#define ADD_PORT	"ip link add link low0 name more type psp_ref"

TEST_F_TIMEOUT(lower_link, shared_with_nobody, TIMEOUT_S)
{
	EXPECT_NO(self->a, "taken by another", ADD_PORT);
	EXPECT_NO(self->a, "busy", "ip link add link low0 type macvlan");
	EXPECT_NO(self->a, "on a real interface",
		  "ip link add link psp0 name more type psp_ref");

	ASSERT_EQ(0, psp_sh(self->a, "ip link del psp0 &&"
			    "ip link add br0 type bridge &&"
			    "ip link set low0 master br0"));
	EXPECT_NO(self->a, "taken by another", ADD_PORT);
	ASSERT_EQ(0, psp_sh(self->a, "ip link set low0 nomaster"));
	EXPECT_EQ(0, psp_sh(self->a, ADD_PORT));
}

TEST_F_TIMEOUT(lower_link, not_on_everything, TIMEOUT_S)
{
	EXPECT_NO(self->a, "not Ethernet",
		  "ip link add link lo name more type psp_ref");
	ASSERT_EQ(0, psp_sh(self->a,
			    "ip link add link psp0 name v type vlan id 3"));
	EXPECT_NO(self->a, "on top of a psp_ref",
		  "ip link add link v name more type psp_ref");

	ASSERT_EQ(0, psp_sh(self->a, "ip link del psp0"));
	EXPECT_NO(self->a, "Address is not the lower",
		  "ip link add link low0 name more "
		  "address 02:00:00:00:00:77 type psp_ref");
	EXPECT_NO(self->a, "MTU is larger",
		  "ip link add link low0 name more mtu 1501 type psp_ref");
	EXPECT_EQ(0, psp_sh(self->a, "ip link add link low0 name more "
			    "mtu 1400 type psp_ref"));
	EXPECT_EQ(0, lower_wait_link(self->a, "more", "mtu 1400 ", true));
}

TEST_F_TIMEOUT(lower_link, carrier_follows, TIMEOUT_S)
{
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", ",LOWER_UP", true));
	ASSERT_EQ(0, psp_sh(self->b, "ip link set low1 down"));
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", "NO-CARRIER", true));
	EXPECT_EQ(0, lower_wait_link(self->b, "psp1", "NO-CARRIER", true));
	ASSERT_EQ(0, psp_sh(self->b, "ip link set low1 up"));
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", ",LOWER_UP", true));
	EXPECT_EQ(0, lower_wait_link(self->b, "psp1", ",LOWER_UP", true));
	EXPECT_EQ(0, psp_conn_ping(&self->lower.conn));
}

TEST_F_TIMEOUT(lower_link, mtu_follows, TIMEOUT_S)
{
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", "mtu 1500 ", true));
	EXPECT_NE(0, psp_sh(self->a, "ip link set psp0 mtu 1501"));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set low0 mtu 1300"));
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", "mtu 1300 ", true));
	EXPECT_NE(0, psp_sh(self->a, "ip link set psp0 mtu 1301"));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set low0 mtu 20000"));
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", "mtu 1300 ", true));
	EXPECT_NE(0, psp_sh(self->a, "ip link set psp0 mtu 9001"));
	EXPECT_EQ(0, psp_sh(self->a, "ip link set psp0 mtu 9000"));
}

TEST_F_TIMEOUT(lower_link, address_follows, TIMEOUT_S)
{
	const uint8_t *mac = self->lower.net.a.mac;

	EXPECT_EQ(0, psp_sh(self->a, "ip link show low0 | "
			    "grep -q %02x:%02x:%02x:%02x:%02x:%02x", mac[0],
			    mac[1], mac[2], mac[3], mac[4], mac[5]));
	EXPECT_NE(0, psp_sh(self->a,
			    "ip link set psp0 address 02:00:00:00:00:77"));
	ASSERT_EQ(0, psp_sh(self->a,
			    "ip link set low0 address 02:00:00:00:00:77"));
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", "02:00:00:00:00:77",
				     true));
}

/* Filters are the lower device's, as long as the port is up, and no longer */
TEST_F_TIMEOUT(lower_link, filters_are_passed_down, TIMEOUT_S)
{
	static const char group[] =
		"ip maddr show dev low0 | grep -q 33:33:00:00:12:34";

	ASSERT_EQ(0, psp_sh(self->a,
			    "ip maddr add 33:33:00:00:12:34 dev psp0"));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set psp0 promisc on"));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set psp0 allmulticast on"));
	EXPECT_EQ(0, psp_sh(self->a, group));
	EXPECT_EQ(0, lower_wait_link(self->a, "low0",
				     "promiscuity 1 .*allmulti 1 ", true));

	/* It comes back, also after the lower device has moved */
	ASSERT_EQ(0, lower_move(self->a, "low0", self->b));
	ASSERT_EQ(0, psp_sh(self->b, "ip link set low0 up"));
	EXPECT_EQ(0, psp_sh(self->b, group));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set psp0 down"));
	EXPECT_NE(0, psp_sh(self->b, group));
	EXPECT_EQ(0, lower_wait_link(self->b, "low0",
				     "promiscuity 0 .*allmulti 0 ", true));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set psp0 up"));
	EXPECT_EQ(0, psp_sh(self->b, group));
	ASSERT_EQ(0, psp_sh(self->a, "ip link del psp0"));
	EXPECT_NE(0, psp_sh(self->b, group));
	EXPECT_EQ(0, lower_wait_link(self->b, "low0",
				     "promiscuity 0 .*allmulti 0 ", true));
}

/* The port stays on it, wherever it goes */
TEST_F_TIMEOUT(lower_link, lower_device_moves, TIMEOUT_S)
{
	struct psp_conn *conn = &self->lower.conn;
	int ns = psp_ns_new();

	ASSERT_GE(ns, 0);
	ASSERT_EQ(0, lower_secure(&self->lower, V0));
	ASSERT_EQ(0, lower_move(self->a, "low0", ns));
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", "NO-CARRIER", true));
	ASSERT_EQ(0, psp_sh(ns, "ip link set low0 up"));
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", ",LOWER_UP", true));
	EXPECT_EQ(0, psp_xfer_both(conn, 200000, LOWER_MS));

	/* Its namespace goes: veth dies with it, and takes the port along */
	close(ns);
	EXPECT_EQ(0, lower_wait_link(self->a, "psp0", "psp0", false));
}

/* The port moves, and lives where it has gone */
TEST_F_TIMEOUT(lower_link, port_moves, TIMEOUT_S)
{
	int ns = psp_ns_new();

	ASSERT_GE(ns, 0);
	ASSERT_EQ(0, lower_move(self->a, "psp0", ns));
	EXPECT_EQ(0, psp_sh(ns, "ip -d link show psp0 | grep -q 'link-netns'"));
	ASSERT_EQ(0, psp_sh(ns, "ip addr add 10.0.0.1/24 dev psp0 &&"
			    "ip link set psp0 up"));
	EXPECT_EQ(0, lower_wait_link(ns, "psp0", ",LOWER_UP", true));

	/* Its namespace goes, and the lower device is free again */
	close(ns);
	EXPECT_EQ(0, psp_sh(self->a, "for i in $(seq 100); do "
			    ADD_PORT " && exit; sleep 0.1; done; exit 1"));
}

/* A dummy that segments would take once the port is gone */
static int lower_way_out(struct lower *lower, struct psp_tap *tap)
{
	return psp_sh(lower->net.a.ns,
		      "ip addr add 10.0.0.1/32 dev lo &&"
		      "ip link add way type dummy && ip link set way up &&"
		      "ip route add default dev way src 10.0.0.1") ?:
	       psp_tap_open_on(tap, &lower->net.a, "way");
}

static int lower_tcp_seen(struct psp_tap *tap, uint16_t port, int ms)
{
	static struct psp_frame frame;
	uint64_t end = psp_now_ms() + ms;
	int n = 0;

	while (psp_now_ms() < end)
		if (psp_tap_next(tap, &frame, 50) > 0 &&
		    frame.proto == IPPROTO_TCP &&
		    !memcmp(frame.data + frame.l4, &port, sizeof(port)))
			n++;
	return n;
}

static uint16_t lower_port(int fd)
{
	struct sockaddr_in sin = { };
	socklen_t len = sizeof(sin);

	getsockname(fd, (struct sockaddr *)&sin, &len);
	return sin.sin_port;
}

/* A plain connection shows that segments do take that way */
TEST_F_TIMEOUT(lower_link, lower_device_goes_under_a_connection, TIMEOUT_S)
{
	struct psp_conn *conn = &self->lower.conn;
	struct psp_conn plain;
	struct psp_tap tap;
	int64_t drops;

	ASSERT_EQ(0, psp_conn_open(&plain, &self->lower.net, PSP_IPV4));
	ASSERT_EQ(0, lower_secure(&self->lower, V0));
	ASSERT_EQ(0, lower_way_out(&self->lower, &tap));
	ASSERT_EQ(0, psp_sh(self->a, "ip link del low0"));
	EXPECT_NE(0, psp_sh(self->a, "ip link show psp0 2>&1"));
	EXPECT_NE(0, psp_sh(self->b, "ip link show psp1 2>&1"));

	drops = leak_drops(&self->lower.net);
	ASSERT_GE(drops, 0);
	psp_tap_flush(&tap);
	ASSERT_EQ(6, send(plain.a.fd, "public", 6, MSG_NOSIGNAL));
	ASSERT_EQ(6, send(conn->a.fd, "secret", 6, MSG_NOSIGNAL));
	/* From the first frame on; the plain one is sent again and again */
	EXPECT_EQ(0, lower_tcp_seen(&tap, lower_port(conn->a.fd), 3000));
	EXPECT_GT(lower_tcp_seen(&tap, lower_port(plain.a.fd), 10000), 0);
	EXPECT_GT(leak_drops(&self->lower.net), drops);
	psp_tap_close(&tap);
	psp_conn_close(&plain);
}

/* One that IP could not live with, on a lower device that can */
TEST_F_TIMEOUT(lower_link, mtu_too_small_for_the_port, TIMEOUT_S)
{
	ASSERT_EQ(0, psp_sh(self->a, "ip link add dum0 type dummy && "
			    "ip link set dum0 mtu 60"));
	EXPECT_NE(0, psp_sh(self->a, "ip link add link dum0 name psp9 "
			    "type psp_ref 2>&1"));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set dum0 mtu 1500 && "
			    "ip link add link dum0 name psp9 type psp_ref"));
	EXPECT_NE(0, psp_sh(self->a, "ip link set dum0 mtu 60 2>&1"));
	EXPECT_EQ(0, psp_sh(self->a, "ip link show dum0 | grep -q 'mtu 1500'"));
	EXPECT_EQ(0, psp_sh(self->a, "ip link set dum0 mtu 68"));
	EXPECT_EQ(0, psp_sh(self->a, "ip link show psp9 | grep -q 'mtu 68 '"));
}

/* The lower devices stay, free for others */
TEST_F_TIMEOUT(lower_link, module_goes, TIMEOUT_S)
{
	ASSERT_EQ(0, lower_secure(&self->lower, V0));
	ASSERT_EQ(0, psp_sh(self->a, "ip link set psp0 promisc on"));
	ASSERT_EQ(0, module_unload("psp_ref"));
	EXPECT_NE(0, psp_sh(self->a, "ip link show psp0 2>&1"));
	EXPECT_EQ(0, lower_wait_link(self->a, "low0", "promiscuity 0 ", true));
	EXPECT_EQ(0, psp_sh(self->a, "ip link add link low0 name mac0 "
			    "type macvlan mode passthru && ip link del mac0"));
	ASSERT_EQ(0, module_load_all());
	EXPECT_EQ(0, psp_sh(self->a, ADD_PORT));
}

TEST_HARNESS_MAIN
