// SPDX-License-Identifier: GPL-2.0
/*
 * An administrator has packets copied: copies of segments of a PSP connection
 * lead nowhere, while the connection itself goes on undisturbed.
 */
#include "leak_fixture.h"

/* Both connections go on; copies of the open one arrive aside */
static void leak_copied(struct __test_metadata *_metadata, struct leak *leak)
{
	leak_reset(leak);
	ASSERT_EQ(0, leak_exchange(leak, LEAK_BYTES));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	leak_wait_quiet(leak, 50);
	EXPECT_WIRE_SHOWS(leak);
	EXPECT_NO_LEAK(leak);
}

/* A chain with one rule, in the family of the connection */
#define CHAIN(head, fmt, ...)						\
	ON_A("nft -f - <<EOT\n"						\
	     "table %s leak {\n"					\
	     "chain copy {\n"						\
	     head "\n"							\
	     "%s daddr %s " fmt "\n"					\
	     "}\n"							\
	     "}\n"							\
	     "EOT\n", variant->nft, variant->nft, variant->b, ##__VA_ARGS__)

TEST_F(leak, tc_mirror)
{
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ON_A("tc qdisc add dev psp0 clsact\n"
	     "tc filter add dev psp0 egress matchall \\\n"
	     "	action mirred egress mirror dev leak0\n");
	leak_copied(_metadata, &self->leak);
}

/* The copy enters another interface of the host, which forwards it */
TEST_F(leak, tc_mirror_into_an_interface_that_forwards)
{
	ON_A("ip link add in9 type dummy\n"
	     "ip link set in9 up\n"
	     "cd /proc/sys/net\n"
	     "echo 1 > ipv4/conf/all/forwarding\n"
	     "echo 1 > ipv6/conf/all/forwarding\n"
	     "echo 1 > ipv4/conf/in9/accept_local\n"
	     "echo 0 > ipv4/conf/in9/rp_filter\n"
	     "echo 0 > ipv4/conf/all/rp_filter\n");
	ON_A("ip -%s rule add iif in9 lookup 77 pref 0\n"
	     "ip route add %s/%d via %s dev leak0 table 77\n", variant->v,
	     variant->b, variant->host, variant->far);
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ON_A("tc qdisc add dev psp0 clsact\n"
	     "tc filter add dev psp0 egress matchall \\\n"
	     "	action skbedit ptype host \\\n"
	     "	action mirred ingress mirror dev in9\n");
	leak_copied(_metadata, &self->leak);
}

TEST_F(leak, tc_mirror_to_another_psp_device)
{
	ON_A("ip -batch - <<EOT\n"
	     "link add psp2 type psp_ref\n"
	     "link add link psp2 name psp3 type psp_ref\n"
	     "link set psp3 netns /proc/%d/fd/%d\n"
	     "link set psp2 up\n"
	     "EOT\n", getpid(), self->leak.aside);
	ASIDE("ip link set psp3 up");
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ON_A("tc qdisc add dev psp0 clsact\n"
	     "tc filter add dev psp0 egress matchall \\\n"
	     "	action mirred egress mirror dev psp2\n");
	leak_copied(_metadata, &self->leak);
}

TEST_F(leak, nft_dup_in_output)
{
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	CHAIN("type filter hook output priority filter;",
	      "dup to %s device leak0", variant->far);
	leak_copied(_metadata, &self->leak);
}

/* Not even marked when it is copied */
TEST_F(leak, nft_dup_before_all_other_hooks)
{
	CHAIN("type filter hook output priority -2147483648;",
	      "dup to %s device leak0", variant->far);
	leak_copied(_metadata, &self->leak);
}

TEST_F(leak, nft_dup_in_postrouting)
{
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	CHAIN("type filter hook postrouting priority filter;",
	      "dup to %s device leak0", variant->far);
	leak_copied(_metadata, &self->leak);
}

TEST_F(leak, nft_dup_in_netdev_egress)
{
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ON_A("nft -f - <<EOT\n"
	     "table netdev leak {\n"
	     "chain copy {\n"
	     "type filter hook egress device psp0 priority filter;\n"
	     "%s daddr %s dup to leak0\n"
	     "}\n"
	     "}\n"
	     "EOT\n", variant->nft, variant->b);
	leak_copied(_metadata, &self->leak);
}

TEST_F(leak, iptables_tee)
{
	const char *tables = variant->family == PSP_IPV4 ? "iptables" :
							   "ip6tables";

	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ON_A("%s -t mangle -A OUTPUT -d %s -j TEE --gateway %s", tables,
	     variant->b, variant->far);
	leak_copied(_metadata, &self->leak);
}

/* With the path changed, and then again as it should be */
static void leak_orphaned(struct __test_metadata *_metadata, struct leak *leak,
			  const uint64_t *count, const char *undo)
{
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	ASSERT_EQ(0, leak_wait_seen(leak, count, 1));
	leak_wait_quiet(leak, 100);
	EXPECT_NO_LEAK(leak);

	ASSERT_EQ(0, psp_sh(leak->net.a.ns, "%s", undo));
	ASSERT_EQ(0, leak_collect(leak));
	EXPECT_WIRE_SHOWS(leak);
	EXPECT_NO_LEAK(leak);
}

/* What goes on is a copy without socket, the original is dropped */
TEST_F(leak, tc_redirect)
{
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ON_A("tc qdisc add dev psp0 clsact\n"
	     "tc filter add dev psp0 egress matchall \\\n"
	     "	action mirred egress redirect dev leak0\n");
	leak_orphaned(_metadata, &self->leak, &self->leak.away.open,
		      "tc qdisc del dev psp0 clsact");
}

/* A delay takes the socket, and with it the key, off the original */
TEST_F(leak, netem_delay_on_the_device)
{
	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ON_A("tc qdisc add dev psp0 root netem delay 1ms");
	leak_orphaned(_metadata, &self->leak, &self->leak.wire.open,
		      "tc qdisc del dev psp0 root");
}

TEST_HARNESS_MAIN
