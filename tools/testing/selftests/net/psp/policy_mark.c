// SPDX-License-Identifier: GPL-2.0
/*
 * A segment that a socket wants to send under PSP bears a mark in plain text,
 * the same that says "authenticated" on the other side. Whoever leads such a
 * segment astray must not get it taken for an authenticated one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "policy.h"

#define POLICY_BPF	"/sys/fs/bpf/policy_mark"

FIXTURE(mark)
{
	struct policy p;
};

FIXTURE_VARIANT(mark)
{
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(mark, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(mark, ipv6)
{
	.family = PSP_IPV6,
};

FIXTURE_SETUP(mark)
{
	ASSERT_EQ(0, policy_open_net(&self->p, 0));
}

FIXTURE_TEARDOWN(mark)
{
	policy_close(&self->p);
}

/* A connection that is to be "PSP full", and another one without PSP */
static int connect_both(struct policy *p, enum psp_family family)
{
	int err = policy_connect(p, family, NULL);

	if (!err)
		err = psp_conn_open(&p->other, &p->net, family);
	return err ? err : policy_reach(p, POLICY_PSP_FULL);
}

/* All that leaves A's port goes elsewhere; the text says where, for tc */
static int divert(struct policy *p, const char *where)
{
	return psp_sh(p->net.a.ns,
		      "set -e; tc qdisc add dev %s clsact;"
		      "tc filter add dev %s egress matchall action %s",
		      p->net.a.ifname, p->net.a.ifname, where);
}

static int stop_diversion(struct policy *p)
{
	return psp_sh(p->net.a.ns,
		      "tc qdisc del dev %s clsact 2> /dev/null || nft flush ruleset",
		      p->net.a.ifname);
}

static int wait_retrans(int fd, int num)
{
	uint64_t end = psp_now_ms() + POLICY_MS;

	while (psp_tcp_retrans(fd) < num) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

/*
 * The other connection's segments take the diversion and arrive: it works. The
 * secured connection's are dropped each time TCP sends them, until the
 * diversion is gone; because of @reason, or by the stack itself, which says so
 * in its log.
 */
static void expect_not_authentic(struct __test_metadata *_metadata,
				 struct policy *p, const char *reason)
{
	ASSERT_EQ(0, policy_send(p->other.a.fd, "unmarked"));
	ASSERT_EQ(0, policy_reads(p->other.b.fd, "unmarked"));

	ASSERT_EQ(0, policy_send(p->conn.a.fd, "marked"));
	if (reason)
		EXPECT_EQ(0, policy_dropped_some(p, reason, 2));
	EXPECT_EQ(0, wait_retrans(p->conn.a.fd, 2));
	EXPECT_TRUE(policy_is_quiet(p->conn.b.fd));

	ASSERT_EQ(0, stop_diversion(p));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "marked"));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

/* From A's namespace over veth into the PSP port in B's */
static int build_veth(struct psp_net *net)
{
	const uint8_t *mac = net->b.mac;
	int err;

	err = psp_sh(net->a.ns,
		     "set -e; ip link add veth0 type veth peer name veth1;"
		     "ip link set veth1 netns /proc/%d/fd/%d;"
		     "ip link set veth0 up",
		     getpid(), net->b.ns);
	return err ? err :
	       psp_sh(net->b.ns,
		      "set -e;"
		      "ip link set veth1 address %x:%x:%x:%x:%x:%x up;"
		      "tc qdisc add dev veth1 clsact;"
		      "tc filter add dev veth1 ingress matchall action mirred ingress redirect dev %s",
		      mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
		      net->b.ifname);
}

/* tc leads a copy astray, which has no socket any more */
TEST_F(mark, redirected_over_veth_into_peers_port_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_expect_log("unencrypted skb with no associated"));
	ASSERT_EQ(0, build_veth(&p->net));
	ASSERT_EQ(0, connect_both(p, variant->family));
	ASSERT_EQ(0, divert(p, "mirred egress redirect dev veth0"));
	expect_not_authentic(_metadata, p, NULL);
}

/* nftables leads the segment itself astray, which still has its socket */
TEST_F(mark, forwarded_over_veth_into_peers_port_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, build_veth(&p->net));
	ASSERT_EQ(0, connect_both(p, variant->family));
	ASSERT_EQ(0, psp_sh(p->net.a.ns,
			    "nft 'add table netdev t;"
			    "add chain netdev t c { type filter hook egress device %s priority 0; };"
			    "add rule netdev t c fwd to veth0'",
			    p->net.a.ifname));
	expect_not_authentic(_metadata, p, "tx-dev");
}

/* Port B moves to the namespace of A: both ends in one, still cabled */
static int move_b(struct psp_net *net)
{
	int err;

	psp_nl_close(&net->b.nl);
	err = psp_ns_enter(net->b.ns);
	if (!err)
		err = psp_link_move(net->b.ifindex, net->a.ns);
	if (!err)
		err = psp_ns_enter(net->a.ns);
	if (err)
		return err;

	close(net->b.ns);
	net->b.ns = dup(net->a.ns);
	net->b.ifindex = if_nametoindex(net->b.ifname);
	err = psp_link_up(net->b.ifindex, true);
	if (!err)
		err = psp_link_addr4(net->b.ifindex, net->b.v4, 24);
	if (!err)
		err = psp_link_addr6(net->b.ifindex, &net->b.v6, 64);
	if (!err)
		err = psp_link_neigh(net->b.ifindex, AF_INET, &net->a.v4,
				     net->a.mac);
	if (!err)
		err = psp_link_neigh(net->b.ifindex, AF_INET6, &net->a.v6,
				     net->a.mac);
	if (!err)
		err = psp_nl_open(&net->b.nl);
	net->b.dev_id = psp_dev_of(&net->b.nl, net->b.ifindex);
	return err ?: psp_ns_enter(net->home);
}

/* What a local socket sends to a local address goes over the cable */
static int route_over_cable(struct psp_net *net)
{
	return psp_sh(net->a.ns,
		      "set -e; sysctl -q -w net.ipv4.conf.all.accept_local=1;"
		      "ip rule add pref 10 iif lo to 10.0.0.1 lookup 101;"
		      "ip rule add pref 10 iif lo to 10.0.0.2 lookup 102;"
		      "ip rule add pref 20 lookup local; ip rule del pref 0;"
		      "ip route add 10.0.0.1 dev psp1 src 10.0.0.2 table 101;"
		      "ip route add 10.0.0.2 dev psp0 src 10.0.0.1 table 102;"
		      "ip -6 rule add pref 10 iif lo to fd00::1 lookup 101;"
		      "ip -6 rule add pref 10 iif lo to fd00::2 lookup 102;"
		      "ip -6 rule add pref 20 lookup local;"
		      "ip -6 rule del pref 0;"
		      "ip -6 route add fd00::1 dev psp1 src fd00::2 table 101;"
		      "ip -6 route add fd00::2 dev psp0 src fd00::1 table 102;");
}

/* Straight into the port of the receiving socket, past cable and device */
TEST_F(mark, redirected_into_receivers_port_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, move_b(&p->net));
	ASSERT_EQ(0, route_over_cable(&p->net));
	ASSERT_EQ(0, connect_both(p, variant->family));
	ASSERT_EQ(0, divert(p, "mirred ingress redirect dev psp1"));
	expect_not_authentic(_metadata, p, "redirected");
}

/* Into an interface that has nothing to do with PSP */
TEST_F(mark, redirected_into_other_interface_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, move_b(&p->net));
	ASSERT_EQ(0, route_over_cable(&p->net));
	ASSERT_EQ(0, psp_sh(p->net.a.ns, "ip link add d0 up type dummy"));
	ASSERT_EQ(0, connect_both(p, variant->family));
	ASSERT_EQ(0, divert(p, "mirred ingress redirect dev d0"));
	expect_not_authentic(_metadata, p, "rx-dev");
}

/* Into the sender's own port: the device is not the one of the receiver */
TEST_F(mark, redirected_into_senders_port_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, move_b(&p->net));
	ASSERT_EQ(0, route_over_cable(&p->net));
	ASSERT_EQ(0, connect_both(p, variant->family));
	ASSERT_EQ(0, divert(p, "mirred ingress redirect dev psp0"));
	expect_not_authentic(_metadata, p, "redirected");
}

/* A BPF program that leads all that it sees into the ingress of @ifindex */
static int load_bpf(int ifindex)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1,
		  .imm = ifindex },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2,
		  .imm = BPF_F_INGRESS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (uintptr_t)insns,
		.insn_cnt = 4,
		.license = (uintptr_t)"GPL",
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

static int pin_bpf(int prog, const char *path)
{
	union bpf_attr attr = {
		.pathname = (uintptr_t)path,
		.bpf_fd = prog,
	};

	unlink(path);
	return syscall(SYS_bpf, BPF_OBJ_PIN, &attr, sizeof(attr)) ? -errno : 0;
}

/* BPF takes the socket away from what it redirects */
TEST_F(mark, redirected_by_bpf_into_receivers_port_dropped)
{
	struct policy *p = &self->p;
	int prog;

	ASSERT_EQ(0, move_b(&p->net));
	ASSERT_EQ(0, route_over_cable(&p->net));
	ASSERT_EQ(0, connect_both(p, variant->family));
	prog = load_bpf(p->net.b.ifindex);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, pin_bpf(prog, POLICY_BPF));
	close(prog);
	ASSERT_EQ(0, psp_sh(p->net.a.ns,
			    "set -e; tc qdisc add dev psp0 clsact;"
			    "tc filter add dev psp0 egress bpf direct-action object-pinned "
			    POLICY_BPF));
	unlink(POLICY_BPF);
	expect_not_authentic(_metadata, p, "redirected");
}

TEST_HARNESS_MAIN
