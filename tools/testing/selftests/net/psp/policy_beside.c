// SPDX-License-Identifier: GPL-2.0
/*
 * The other way round: what else a host does with packets must not cost a
 * secured connection anything. Packet sockets, connection tracking, local NAT.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "policy.h"

#define BESIDE_BYTES	131072
#define IP(family)	((family) == PSP_IPV6 ? "ip6" : "ip")

FIXTURE(beside)
{
	struct policy p;
	struct psp_end alias;
};

FIXTURE_VARIANT(beside)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(beside, ipv4)
{
	.family = PSP_IPV4,
	.version = 0,
};

FIXTURE_VARIANT_ADD(beside, ipv6)
{
	.family = PSP_IPV6,
	.version = 1,
};

/* The alias is what A calls B, where rules translate */
FIXTURE_SETUP(beside)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_open_net(p, variant->version));
	self->alias = p->net.b;
	inet_pton(AF_INET, "10.0.0.99", &self->alias.v4);
	inet_pton(AF_INET6, "fd00::99", &self->alias.v6);
}

FIXTURE_TEARDOWN(beside)
{
	policy_close(&self->p);
}

/* Keys are exchanged as applications do: with plain data in between, from
 * which the core learns what NAT makes of the connection.
 */
static int secure_in_band(struct psp_conn *conn, uint32_t version)
{
	int err = psp_conn_rx(conn, &conn->a, version);

	if (!err)
		err = psp_conn_rx(conn, &conn->b, version);
	if (!err)
		err = psp_conn_ping(conn);
	/* A plain acknowledgment that comes late is not wanted any more */
	if (!err)
		err = psp_tcp_drain(conn->a.fd, POLICY_MS);
	if (!err)
		err = psp_tcp_drain(conn->b.fd, POLICY_MS);
	if (!err)
		err = psp_conn_tx(conn, &conn->a);
	if (!err)
		err = psp_conn_tx(conn, &conn->b);
	return err ? err : psp_conn_ping(conn);
}

/* Data, a rotation, a rekey, data; nothing is dropped anywhere */
static void expect_nothing_lost(struct __test_metadata *_metadata,
				struct policy *p)
{
	struct psp_conn *conn = &p->conn;

	ASSERT_EQ(0, policy_mark(p));
	ASSERT_EQ(0, secure_in_band(conn, p->version));
	EXPECT_EQ(0, psp_xfer_both(conn, BESIDE_BYTES, POLICY_MS));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	if (psp_nl_rekeys(&p->net.a.nl))
		ASSERT_EQ(0, psp_conn_rekey(conn));
	EXPECT_EQ(0, psp_xfer_both(conn, BESIDE_BYTES, POLICY_MS));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* Still, plain text is dropped */
static void expect_plain_dropped(struct __test_metadata *_metadata,
				 struct policy *p)
{
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

static int packet_socket(const struct psp_end *end, uint16_t proto)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(proto),
		.sll_ifindex = end->ifindex,
	};
	int fd = psp_ns_socket(end->ns, AF_PACKET, SOCK_RAW, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&ll, sizeof(ll))) {
		close(fd);
		return -errno;
	}
	return fd;
}

static void expect_nothing_lost_beside(struct __test_metadata *_metadata,
				       struct policy *p, uint16_t proto)
{
	int a, b;
	char byte;

	a = packet_socket(&p->net.a, proto);
	b = packet_socket(&p->net.b, proto);
	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	expect_nothing_lost(_metadata, p);
	expect_plain_dropped(_metadata, p);
	EXPECT_EQ(1, recv(a, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(1, recv(b, &byte, 1, MSG_DONTWAIT));
	close(a);
	close(b);
}

TEST_F(beside, packet_socket_for_all)
{
	ASSERT_EQ(0, policy_connect(&self->p, variant->family, NULL));
	expect_nothing_lost_beside(_metadata, &self->p, ETH_P_ALL);
}

/* As a DHCP client has one */
TEST_F(beside, packet_socket_for_ip)
{
	ASSERT_EQ(0, policy_connect(&self->p, variant->family, NULL));
	expect_nothing_lost_beside(_metadata, &self->p,
				   variant->family == PSP_IPV6 ? ETH_P_IPV6 :
								 ETH_P_IP);
}

/* Returns when the program listens: it says so on standard error */
static pid_t start_tcpdump(const struct psp_end *end)
{
	char line[256] = "";
	FILE *said;
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (!pid) {
		psp_ns_enter(end->ns);
		dup2(fds[1], STDERR_FILENO);
		close(fds[1]);
		execlp("tcpdump", "tcpdump", "-U", "-i", end->ifname, "-w",
		       "/dev/null", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	said = fdopen(fds[0], "r");
	while (!strstr(line, "listening on") && fgets(line, sizeof(line), said))
		;
	fclose(said);
	return strstr(line, "listening on") ? pid : -ENOEXEC;
}

static int stop_tcpdump(pid_t pid)
{
	return kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid ? -errno : 0;
}

TEST_F(beside, tcpdump)
{
	struct policy *p = &self->p;
	pid_t a, b;

	ASSERT_EQ(0, policy_connect(p, variant->family, NULL));
	a = start_tcpdump(&p->net.a);
	ASSERT_LT(0, a);
	b = start_tcpdump(&p->net.b);
	ASSERT_LT(0, b);
	expect_nothing_lost(_metadata, p);
	EXPECT_EQ(0, stop_tcpdump(a));
	EXPECT_EQ(0, stop_tcpdump(b));
}

/* Only what belongs to a connection that the tracker knows may pass */
static int track(const struct psp_end *end)
{
	return psp_sh(end->ns,
		      "nft 'add table inet t;"
		      "add chain inet t i { type filter hook input priority 0; policy drop; };"
		      "add rule inet t i ct state established,related accept;"
		      "add rule inet t i ct state new tcp flags syn accept;"
		      "add rule inet t i meta l4proto icmpv6 accept;"
		      "add chain inet t o { type filter hook output priority 0; };"
		      "add rule inet t o ct state invalid drop'");
}

TEST_F(beside, conntrack)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, track(&p->net.a));
	ASSERT_EQ(0, track(&p->net.b));
	ASSERT_EQ(0, policy_connect(p, variant->family, NULL));
	expect_nothing_lost(_metadata, p);
	expect_plain_dropped(_metadata, p);
}

/* One rule for TCP in a chain of nft's type nat */
static int translate(const struct psp_end *end, enum psp_family family,
		     const char *hook, const char *rule)
{
	return psp_sh(end->ns,
		      "nft 'add table %s n;"
		      "add chain %s n c { type nat hook %s priority 0; };"
		      "add rule %s n c meta l4proto tcp %s'",
		      IP(family), IP(family), hook, IP(family), rule);
}

/* A connects to what @called says, B accepts */
static int connect_to(struct policy *p, enum psp_family family,
		      const struct psp_end *called)
{
	struct psp_conn *conn = &p->conn;
	struct psp_end end = *called;
	uint16_t port = 0;
	int listener, err;

	conn->family = family;
	conn->a.end = &p->net.a;
	conn->a.fd = psp_tcp_socket(&p->net.a, family);
	listener = psp_tcp_listen(&p->net.b, family, &port);
	if (conn->a.fd < 0 || listener < 0)
		return -EMFILE;

	conn->b.end = &end;
	err = psp_conn_finish(conn, listener, port);
	conn->b.end = &p->net.b;
	close(listener);
	return err ? err : forge_open(&p->forge, conn, &conn->a);
}

/* An address of A's port, and B knows where it is */
static int add_address(struct psp_net *net, const struct psp_end *alias)
{
	int err = psp_ns_enter(net->a.ns);

	if (!err)
		err = psp_link_addr4(net->a.ifindex, alias->v4, 24);
	if (!err)
		err = psp_link_addr6(net->a.ifindex, &alias->v6, 64);
	if (!err)
		err = psp_ns_enter(net->b.ns);
	if (!err)
		err = psp_link_neigh(net->b.ifindex, AF_INET, &alias->v4,
				     net->a.mac);
	if (!err)
		err = psp_link_neigh(net->b.ifindex, AF_INET6, &alias->v6,
				     net->a.mac);
	return psp_ns_enter(net->home) ?: err;
}

/* A believes the alias to be at B */
static int add_neighbour(struct psp_net *net, const struct psp_end *alias)
{
	int err = psp_ns_enter(net->a.ns);

	if (!err)
		err = psp_link_neigh(net->a.ifindex, AF_INET, &alias->v4,
				     net->b.mac);
	if (!err)
		err = psp_link_neigh(net->a.ifindex, AF_INET6, &alias->v6,
				     net->b.mac);
	return psp_ns_enter(net->home) ?: err;
}

/* The address of @end, as struct forge has it */
static struct in6_addr wire_addr(const struct psp_end *end,
				 enum psp_family family)
{
	struct in6_addr addr = { };

	if (family == PSP_IPV6)
		return end->v6;
	memcpy(&addr, &end->v4, sizeof(end->v4));
	return addr;
}

/* A's socket calls the alias, what leaves has B's address */
TEST_F(beside, dnat_in_output)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, translate(&p->net.a, variant->family, "output",
			       variant->family == PSP_IPV6 ?
			       "ip6 daddr fd00::99 dnat to fd00::2" :
			       "ip daddr 10.0.0.99 dnat to 10.0.0.2"));
	ASSERT_EQ(0, connect_to(p, variant->family, &self->alias));
	p->forge.saddr = wire_addr(&p->net.b, variant->family);
	expect_nothing_lost(_metadata, p);
	expect_plain_dropped(_metadata, p);
}

/* What A's socket sends leaves with another address of its own */
TEST_F(beside, snat_in_postrouting)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, add_address(&p->net, &self->alias));
	ASSERT_EQ(0, translate(&p->net.a, variant->family, "postrouting",
			       variant->family == PSP_IPV6 ?
			       "snat to fd00::99" : "snat to 10.0.0.99"));
	ASSERT_EQ(0, connect_to(p, variant->family, &p->net.b));
	p->forge.daddr = wire_addr(&self->alias, variant->family);
	expect_nothing_lost(_metadata, p);
	expect_plain_dropped(_metadata, p);
}

/* What comes to B for the alias is delivered to B's own address */
TEST_F(beside, dnat_in_prerouting)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, add_neighbour(&p->net, &self->alias));
	ASSERT_EQ(0, translate(&p->net.b, variant->family, "prerouting",
			       variant->family == PSP_IPV6 ?
			       "ip6 daddr fd00::99 dnat to fd00::2" :
			       "ip daddr 10.0.0.99 dnat to 10.0.0.2"));
	ASSERT_EQ(0, connect_to(p, variant->family, &self->alias));
	expect_nothing_lost(_metadata, p);
	expect_plain_dropped(_metadata, p);
}

/* B's socket believes to talk with the alias */
TEST_F(beside, snat_in_input)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, translate(&p->net.b, variant->family, "input",
			       variant->family == PSP_IPV6 ?
			       "snat to fd00::99" : "snat to 10.0.0.99"));
	ASSERT_EQ(0, connect_to(p, variant->family, &p->net.b));
	expect_nothing_lost(_metadata, p);
	expect_plain_dropped(_metadata, p);
}

TEST_HARNESS_MAIN
