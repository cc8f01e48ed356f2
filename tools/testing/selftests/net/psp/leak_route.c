// SPDX-License-Identifier: GPL-2.0
/*
 * Segments of a PSP connection are led somewhere else than to its device, or
 * get something wrapped around them on the way there: they must not leave.
 */
#include <linux/if_ether.h>

#include "leak_fixture.h"

/*
 * With the path changed: the open connection is seen at @count, and segments
 * of the secret one are dropped, acknowledgments as well as data. With the
 * path restored by @undo, both go on and nothing is lost.
 */
static void leak_astray(struct __test_metadata *_metadata, struct leak *leak,
			const uint64_t *count, const char *undo)
{
	int64_t drops = leak_drops(&leak->net);

	leak_reset(leak);
	ASSERT_EQ(0, leak_provoke(&leak->secret));
	ASSERT_EQ(0, leak_wait_drops(leak, drops));
	drops = leak_drops(&leak->net);
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	ASSERT_EQ(0, leak_wait_seen(leak, count, 1));
	ASSERT_EQ(0, leak_wait_drops(leak, drops));
	EXPECT_NO_LEAK(leak);

	ASSERT_EQ(0, psp_sh(leak->net.a.ns, "%s", undo));
	ASSERT_EQ(0, leak_collect(leak));
	EXPECT_NO_LEAK(leak);
}

/* As long as nothing is changed, the wire shows what it should */
#define BEFORE()							\
do {									\
	ASSERT_EQ(0, leak_exchange(&self->leak, LEAK_BYTES));		\
	EXPECT_WIRE_SHOWS(&self->leak);					\
	EXPECT_NO_LEAK(&self->leak);					\
} while (0)

#define ASTRAY(where, fmt, ...)						\
do {									\
	char undo[512];							\
									\
	snprintf(undo, sizeof(undo), fmt, ##__VA_ARGS__);		\
	leak_astray(_metadata, &self->leak, &self->leak.where.open,	\
		    undo);						\
} while (0)

TEST_F(leak, route_moved_to_another_interface)
{
	BEFORE();
	ON_A("ip route add %s/%d via %s dev leak0", variant->b, variant->host,
	     variant->far);
	ASTRAY(away, "ip route del %s/%d dev leak0", variant->b,
	       variant->host);
}

/* It is a PSP device, but not the one that has the keys */
TEST_F(leak, route_moved_to_another_psp_device)
{
	BEFORE();
	ON_A("ip -batch - <<EOT\n"
	     "link add psp2 type psp_ref\n"
	     "link add link psp2 name psp3 type psp_ref\n"
	     "link set psp3 netns /proc/%d/fd/%d\n"
	     "link set psp2 up\n"
	     "EOT\n", getpid(), self->leak.aside);
	ASIDE("ip link set psp3 up");
	ON_A("ip route add %s/%d dev psp2 src %s\n"
	     "ip neigh replace %s dev psp2 lladdr 02:00:00:00:00:99",
	     variant->b, variant->host, variant->a, variant->b);
	ASTRAY(away, "ip link del psp2");
}

TEST_F(leak, policy_routing_by_mark)
{
	BEFORE();
	ON_A("ip -%s rule add fwmark 7 lookup 77\n"
	     "ip route add %s/%d via %s dev leak0 table 77",
	     variant->v, variant->b, variant->host, variant->far);
	ON_A("nft -f - <<EOT\n"
	     "table %s leak {\n"
	     "chain out {\n"
	     "type route hook output priority mangle;\n"
	     "%s daddr %s meta mark set 7\n"
	     "}\n"
	     "}\n"
	     "EOT\n", variant->nft, variant->nft, variant->b);
	ASTRAY(away, "nft delete table %s leak", variant->nft);
}

TEST_F(leak, address_rewritten_on_the_way_out)
{
	BEFORE();
	ON_A("nft -f - <<EOT\n"
	     "table %s leak {\n"
	     "chain out {\n"
	     "type route hook output priority mangle;\n"
	     "%s daddr %s %s daddr set %s\n"
	     "}\n"
	     "}\n"
	     "EOT\n", variant->nft, variant->nft, variant->b, variant->nft,
	     variant->far);
	ASTRAY(away, "nft delete table %s leak", variant->nft);
}

TEST_F(leak, redirected_by_nft_fwd)
{
	BEFORE();
	ON_A("nft -f - <<EOT\n"
	     "table netdev leak {\n"
	     "chain astray {\n"
	     "type filter hook egress device psp0 priority filter;\n"
	     "%s daddr %s fwd to leak0\n"
	     "}\n"
	     "}\n"
	     "EOT\n", variant->nft, variant->b);
	ASTRAY(away, "nft delete table netdev leak");
}

TEST_F(leak, through_a_tunnel)
{
	const char *type = variant->family == PSP_IPV4 ? "ipip" :
							 "ip6tnl mode ip6ip6";

	BEFORE();
	ON_A("ip link add tun9 type %s local %s remote %s", type,
	     variant->near, variant->far);
	ON_A("ip link set tun9 up\n"
	     "ip route add %s/%d dev tun9 src %s\n",
	     variant->b, variant->host, variant->a);
	ASTRAY(away, "ip link del tun9");
}

/* Devices on top of the PSP device: segments would cross its own wire */
TEST_F(leak, through_a_vlan_on_the_device)
{
	BEFORE();
	ON_A("ip link add link psp0 name psp0.9 type vlan id 9\n"
	     "ip link set psp0.9 up\n"
	     "ip route add %s/%d dev psp0.9 src %s\n"
	     "ip neigh replace %s dev psp0.9 lladdr 02:00:00:00:00:99",
	     variant->b, variant->host, variant->a, variant->b);
	ASTRAY(wire, "ip link del psp0.9");
}

TEST_F(leak, through_a_macvlan_on_the_device)
{
	BEFORE();
	ON_A("ip link add link psp0 name mac9 type macvlan mode private\n"
	     "ip link set mac9 up\n"
	     "ip route add %s/%d dev mac9 src %s\n"
	     "ip neigh replace %s dev mac9 lladdr 02:00:00:00:00:99",
	     variant->b, variant->host, variant->a, variant->b);
	ASTRAY(wire, "ip link del mac9");
}

/* The right device, but a header between IP and TCP, or in front of IP */
/* It makes packets of it that nobody understands: secret, but wrong */
#define NOT_LOOKED_AT	"mainline's PSP: does not look behind IP"

TEST_F(leak, behind_a_segment_routing_header)
{
	const char *mode = variant->family == PSP_IPV4 ? "encap" : "inline";

	if (!psp_nl_rekeys(&self->leak.net.a.nl))
		SKIP(return, NOT_LOOKED_AT);
	BEFORE();
	ON_A("ip neigh replace fd00::9 dev psp0 lladdr 02:00:00:00:00:99\n"
	     "ip route add %s/%d encap seg6 mode %s segs fd00::9 \\\n"
	     "	dev psp0 src %s\n",
	     variant->b, variant->host, mode, variant->a);
	ASTRAY(wire, "ip route del %s/%d", variant->b, variant->host);
}

TEST_F(leak, behind_an_authentication_header)
{
	if (!psp_nl_rekeys(&self->leak.net.a.nl))
		SKIP(return, NOT_LOOKED_AT);
	BEFORE();
	ON_A("ip -batch - <<EOT\n"
	     "xfrm state add src %s dst %s proto ah spi 0x999 \\\n"
	     "	auth hmac(sha256) a-key-of-thirty-two-bytes-length\n"
	     "xfrm policy add src %s/%d dst %s/%d dir out tmpl proto ah\n"
	     "EOT\n", variant->a, variant->b, variant->a, variant->host,
	     variant->b, variant->host);
	ASTRAY(wire, "ip xfrm policy flush; ip xfrm state flush");
}

/* The device itself goes to another namespace, and the socket stays */
TEST_F(leak, device_moved_to_another_namespace)
{
	struct leak *leak = &self->leak;

	BEFORE();
	leak_reset(leak);
	ON_A("ip route add default via %s dev leak0", variant->far);
	ON_A("ip link set psp0 netns /proc/%d/fd/%d\n"
	     "ip addr add %s/%d dev leak0 %s", getpid(), leak->aside,
	     variant->a, variant->host,
	     variant->family == PSP_IPV6 ? "nodad" : "");
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 3));
	leak_wait_quiet(leak, 500);
	EXPECT_NO_LEAK(leak);
}

TEST_HARNESS_MAIN
