// SPDX-License-Identifier: GPL-2.0
/*
 * A connection under other settings of TCP, of its namespaces, routes and
 * queues: it is secured, rekeyed and closed as under the usual ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "life.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	90

#define PACING		2000000	/* bytes in a second, of A's socket */

/**
 * struct setting - what is not as usual
 * @own_tables: socket tables of their own for the two namespaces
 * @both: shell command for both namespaces, before there is a connection
 * @a: the same for that of A, with port $dev and "ip $v" to the other, $host
 * @mark: mark of A's socket
 * @tcpi: TCPI_OPT_* that the connection must have
 * @no_tcpi: and those that it must not have
 * @counter: of TcpExt, that the handshake must move at B
 * @check: shell command at A that must succeed when all is done
 */
struct setting {
	bool own_tables;
	const char *both;
	const char *a;
	int mark;
	int tcpi;
	int no_tcpi;
	const char *counter;
	const char *check;
};

FIXTURE(setting)
{
	int home;
	struct policy p;
	struct wire wire;
};

FIXTURE_VARIANT(setting)
{
	struct setting set;
};

#define SYSCTL(name, val) "echo " val " > /proc/sys/net/ipv4/" name

FIXTURE_VARIANT_ADD(setting, no_timestamps)
{
	.set.both = SYSCTL("tcp_timestamps", "0"),
	.set.no_tcpi = TCPI_OPT_TIMESTAMPS,
};

FIXTURE_VARIANT_ADD(setting, no_sack)
{
	.set.both = SYSCTL("tcp_sack", "0"),
	.set.no_tcpi = TCPI_OPT_SACK,
};

FIXTURE_VARIANT_ADD(setting, no_window_scaling)
{
	.set.both = SYSCTL("tcp_window_scaling", "0"),
	.set.no_tcpi = TCPI_OPT_WSCALE,
};

FIXTURE_VARIANT_ADD(setting, no_options)
{
	.set.both = SYSCTL("tcp_timestamps", "0") "\n"
		SYSCTL("tcp_sack", "0") "\n" SYSCTL("tcp_window_scaling", "0"),
	.set.no_tcpi = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE,
};

FIXTURE_VARIANT_ADD(setting, ecn)
{
	.set.both = SYSCTL("tcp_ecn", "1"),
	.set.tcpi = TCPI_OPT_ECN,
};

FIXTURE_VARIANT_ADD(setting, ecn_by_route)
{
	.set.a = "ip $v route add $host dev $dev features ecn",
	.set.tcpi = TCPI_OPT_ECN,
};

FIXTURE_VARIANT_ADD(setting, syncookies)
{
	.set.both = SYSCTL("tcp_syncookies", "2"),
	.set.counter = "SyncookiesRecv",
};

FIXTURE_VARIANT_ADD(setting, own_socket_tables)
{
	.set.own_tables = true,
};

FIXTURE_VARIANT_ADD(setting, own_socket_tables_late_demux)
{
	.set.own_tables = true,
	.set.both = SYSCTL("tcp_early_demux", "0"),
};

FIXTURE_VARIANT_ADD(setting, mtu_probing)
{
	.set.both = SYSCTL("tcp_mtu_probing", "2"),
};

FIXTURE_VARIANT_ADD(setting, routed_by_mark)
{
	.set.a = "ip $v route add $host dev $dev table 50\n"
		"ip $v rule add fwmark 5 table 50\n"
		"ip $v route add unreachable $host",
	.set.mark = 5,
};

FIXTURE_VARIANT_ADD(setting, fq_with_pacing)
{
	.set.a = "tc qdisc replace dev $dev root fq",
	.set.check = "tc -s qdisc show dev $dev | grep -Eq 'throttled [1-9]'",
};

FIXTURE_VARIANT_ADD(setting, fq_codel)
{
	.set.a = "tc qdisc replace dev $dev root fq_codel",
	.set.check = "tc qdisc show dev $dev | grep -q fq_codel",
};

/* In a namespace of its own the test may set what its children inherit */
static int own_tables(void)
{
	int ns = psp_ns_new();
	int err = ns < 0 ? ns : psp_ns_enter(ns);

	if (!err)
		err = psp_sysctl("net/ipv4/tcp_child_ehash_entries", "16");
	if (ns >= 0)
		close(ns);
	return err;
}

static int run(const struct psp_end *end, enum psp_family family,
	       const char *cmd)
{
	bool v6 = family == PSP_IPV6;

	if (!cmd)
		return 0;
	return psp_sh(end->ns, "set -e\ndev=%s v=%s host=%s\n%s", end->ifname,
		      v6 ? "-6" : "-4", v6 ? "fd00::2" : "10.0.0.2", cmd);
}

static int connect_marked(struct psp_conn *conn, int mark)
{
	unsigned int rate = PACING;
	uint16_t port = 0;
	int listener, err;

	conn->a.fd = psp_tcp_socket(conn->a.end, conn->family);
	if (conn->a.fd < 0)
		return conn->a.fd;
	if (setsockopt(conn->a.fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ||
	    setsockopt(conn->a.fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate,
		       sizeof(rate)))
		return -errno;
	listener = psp_tcp_listen(conn->b.end, conn->family, &port);
	if (listener < 0)
		return listener;
	err = psp_conn_finish(conn, listener, port);
	close(listener);
	return err;
}

FIXTURE_SETUP(setting)
{
	struct policy *p = &self->p;

	self->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(self->home, 0);
	if (variant->set.own_tables)
		ASSERT_EQ(0, own_tables());
	ASSERT_EQ(0, policy_open_net(p, 0));
	p->conn.a.end = &p->net.a;
	p->conn.b.end = &p->net.b;
}

FIXTURE_TEARDOWN(setting)
{
	wire_close(&self->wire);
	policy_close(&self->p);
	psp_ns_enter(self->home);
	close(self->home);
}

/* Settings, and then a connection, with all that they have to bring about */
static void start(struct __test_metadata *_metadata, struct policy *p,
		  const struct setting *set, enum psp_family family)
{
	struct psp_conn *conn = &p->conn;
	int64_t count = 0;

	ASSERT_EQ(0, run(&p->net.a, family, set->both));
	ASSERT_EQ(0, run(&p->net.b, family, set->both));
	ASSERT_EQ(0, run(&p->net.a, family, set->a));
	if (set->counter)
		count = psp_snmp(p->net.b.ns, "TcpExt", set->counter);
	conn->family = family;
	ASSERT_EQ(0, connect_marked(conn, set->mark));
	if (set->counter)
		EXPECT_LT(count, psp_snmp(p->net.b.ns, "TcpExt",
					  set->counter));
	ASSERT_EQ(0, forge_open(&p->forge, conn, &conn->a));
}

static void expect_options(struct __test_metadata *_metadata, int fd, int tcpi,
			   int no_tcpi)
{
	struct tcp_info info;

	ASSERT_EQ(0, psp_tcp_info(fd, &info));
	EXPECT_EQ(tcpi, info.tcpi_options & tcpi);
	EXPECT_EQ(0, info.tcpi_options & no_tcpi);
}

/* The device is found by the route, as the socket's segments go */
static void expect_life(struct __test_metadata *_metadata, struct policy *p,
			struct wire *wire)
{
	struct psp_conn *conn = &p->conn;
	char byte;

	ASSERT_EQ(0, psp_nl_rx_assoc(&p->net.a.nl, 0, 0, conn->a.fd,
				     &conn->a.rx));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, 0));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, policy_mark(p));
	ASSERT_EQ(0, policy_complete(p));
	ASSERT_EQ(0, psp_tcp_drain(conn->b.fd, LIFE_MS));
	wire_flush(wire);
	wire_key(wire, &conn->a.tx);
	wire_key(wire, &conn->b.tx);

	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	ASSERT_EQ(0, life_rekey(p, wire));
	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	ASSERT_EQ(0, shutdown(conn->a.fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(conn->b.fd, &byte, 1));
	ASSERT_EQ(0, shutdown(conn->b.fd, SHUT_WR));
	EXPECT_EQ(0, policy_wait_state(conn->b.fd, BPF_TCP_CLOSE));
	EXPECT_TRUE(life_is_secured(p, wire));
}

static void live(struct __test_metadata *_metadata, struct policy *p,
		 struct wire *wire, const struct setting *set,
		 enum psp_family family)
{
	start(_metadata, p, set, family);
	expect_options(_metadata, p->conn.a.fd, set->tcpi, set->no_tcpi);
	ASSERT_EQ(0, wire_open(wire, &p->conn));
	expect_life(_metadata, p, wire);
	EXPECT_EQ(0, run(&p->net.a, family, set->check));
}

TEST_F(setting, ipv4_is_secured_rekeyed_and_closed)
{
	live(_metadata, &self->p, &self->wire, &variant->set, PSP_IPV4);
}

TEST_F(setting, ipv6_is_secured_rekeyed_and_closed)
{
	live(_metadata, &self->p, &self->wire, &variant->set, PSP_IPV6);
}

/* Forged plain text finds no way in either */
static void keep_out(struct __test_metadata *_metadata, struct policy *p,
		     const struct setting *set, enum psp_family family)
{
	start(_metadata, p, set, family);
	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, forge_text(&p->forge, "forged"));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

TEST_F(setting, ipv4_lets_no_plain_text_in)
{
	keep_out(_metadata, &self->p, &variant->set, PSP_IPV4);
}

TEST_F(setting, ipv6_lets_no_plain_text_in)
{
	keep_out(_metadata, &self->p, &variant->set, PSP_IPV6);
}

TEST_HARNESS_MAIN
