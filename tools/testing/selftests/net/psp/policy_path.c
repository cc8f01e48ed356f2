// SPDX-License-Identifier: GPL-2.0
/*
 * The policy holds whatever way a segment takes to its socket: early demux
 * off, a VRF, a socket bound to a device.
 */
#include <errno.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "policy.h"

/* What stands between the port of A and the socket */
enum path {
	LATE_DEMUX,
	BOUND,
	VRF,
	VRF_LATE_DEMUX,
	VRF_BOUND_TO_PORT,
};

FIXTURE(policy)
{
	struct policy p;
	struct wire wire;
};

FIXTURE_VARIANT(policy)
{
	enum psp_family family;
	enum path path;
};

FIXTURE_VARIANT_ADD(policy, ipv4_early_demux_off)
{
	.family = PSP_IPV4,
	.path = LATE_DEMUX,
};

FIXTURE_VARIANT_ADD(policy, ipv6_early_demux_off)
{
	.family = PSP_IPV6,
	.path = LATE_DEMUX,
};

FIXTURE_VARIANT_ADD(policy, ipv4_bound_to_device)
{
	.family = PSP_IPV4,
	.path = BOUND,
};

FIXTURE_VARIANT_ADD(policy, ipv6_bound_to_device)
{
	.family = PSP_IPV6,
	.path = BOUND,
};

FIXTURE_VARIANT_ADD(policy, ipv4_vrf)
{
	.family = PSP_IPV4,
	.path = VRF,
};

FIXTURE_VARIANT_ADD(policy, ipv6_vrf)
{
	.family = PSP_IPV6,
	.path = VRF,
};

FIXTURE_VARIANT_ADD(policy, ipv4_vrf_early_demux_off)
{
	.family = PSP_IPV4,
	.path = VRF_LATE_DEMUX,
};

FIXTURE_VARIANT_ADD(policy, ipv6_vrf_early_demux_off)
{
	.family = PSP_IPV6,
	.path = VRF_LATE_DEMUX,
};

FIXTURE_VARIANT_ADD(policy, ipv4_vrf_bound_to_port)
{
	.family = PSP_IPV4,
	.path = VRF_BOUND_TO_PORT,
};

FIXTURE_VARIANT_ADD(policy, ipv6_vrf_bound_to_port)
{
	.family = PSP_IPV6,
	.path = VRF_BOUND_TO_PORT,
};

static int in_namespace_of_a(struct policy *p, int (*fn)(struct policy *p))
{
	int err = psp_ns_enter(p->net.a.ns);

	if (!err)
		err = fn(p);
	return psp_ns_enter(p->net.home) ?: err;
}

static int disable_early_demux(struct policy *p)
{
	return psp_sysctl("net/ipv4/tcp_early_demux", "0");
}

/* Entering a VRF costs the port its IPv6 address and its neighbours */
static int repair_addresses(struct policy *p)
{
	const struct psp_end *a = &p->net.a, *b = &p->net.b;
	int err = psp_link_addr6(a->ifindex, &a->v6, 64);

	if (!err || err == -EEXIST)
		err = psp_link_neigh(a->ifindex, AF_INET, &b->v4, b->mac);
	if (!err)
		err = psp_link_neigh(a->ifindex, AF_INET6, &b->v6, b->mac);
	return err;
}

static int enter_vrf(struct policy *p)
{
	int err;

	err = psp_sh(p->net.a.ns,
		     "set -e; ip link add vrf0 type vrf table 10;"
		     "ip link set vrf0 up; ip link set %s master vrf0",
		     p->net.a.ifname);
	return err ? -EIO : in_namespace_of_a(p, repair_addresses);
}

static int build_path(struct policy *p, enum path path)
{
	int err = 0;

	if (path == LATE_DEMUX || path == VRF_LATE_DEMUX)
		err = in_namespace_of_a(p, disable_early_demux);
	if (!err && path >= VRF)
		err = enter_vrf(p);
	return err;
}

static const char *bind_to(const struct policy *p, enum path path)
{
	switch (path) {
	case BOUND:
	case VRF_BOUND_TO_PORT:
		return p->net.a.ifname;
	case VRF:
	case VRF_LATE_DEMUX:
		return "vrf0";
	default:
		return NULL;
	}
}

FIXTURE_SETUP(policy)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_open_net(p, 0));
	ASSERT_EQ(0, build_path(p, variant->path));
	ASSERT_EQ(0, policy_connect(p, variant->family,
				    bind_to(p, variant->path)));
	ASSERT_EQ(0, wire_open(&self->wire, &p->conn));
}

FIXTURE_TEARDOWN(policy)
{
	wire_close(&self->wire);
	policy_close(&self->p);
}

TEST_F(policy, rx_plain_data__rx_assoc_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "forged"));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(policy, rx_plain_data__tx_key_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-data", 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	ASSERT_EQ(0, policy_complete(p));
}

TEST_F(policy, rx_plain_segments__psp_full_dropped)
{
	const struct forge_seg rst = { .flags = FORGE_RST };
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	ASSERT_EQ(0, forge_plain(&p->forge, &rst));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 2));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(BPF_TCP_ESTABLISHED, policy_tcp_state(p->conn.a.fd));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

/* Data, a rekey, data: under PSP alone, and none of it is dropped */
TEST_F(policy, data_and_rekey__psp_full_pass)
{
	struct wire *wire = &self->wire;
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	wire_flush(wire);
	wire_key(wire, &p->conn.a.tx);
	wire_key(wire, &p->conn.b.tx);
	EXPECT_EQ(0, psp_xfer_both(&p->conn, 65536, POLICY_MS));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	if (psp_nl_rekeys(&p->net.a.nl))
		ASSERT_EQ(0, psp_conn_rekey(&p->conn));
	wire_key(wire, &p->conn.a.tx);
	wire_key(wire, &p->conn.b.tx);
	EXPECT_EQ(0, psp_xfer_both(&p->conn, 65536, POLICY_MS));
	EXPECT_EQ(0, policy_dropped_none(p));

	EXPECT_EQ(0, wire_tally(wire));
	EXPECT_EQ(0, wire->count.plain);
	EXPECT_LT(0, wire->count.psp_a);
	EXPECT_LT(wire->count.psp_a, wire->count.psp);
}

TEST_HARNESS_MAIN
