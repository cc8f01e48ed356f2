// SPDX-License-Identifier: GPL-2.0
/*
 * The end of the stream while TCP is short of memory: the FIN then has no
 * segment of its own, but is added to the last one that was sent already.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"
#include "life.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	90

#define TCP_MEM		"net/ipv4/tcp_mem"

FIXTURE(pressure)
{
	struct policy p;
	struct wire wire;
	char tcp_mem[64];
};

FIXTURE_VARIANT(pressure)
{
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(pressure, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(pressure, ipv6)
{
	.family = PSP_IPV6,
};

static int read_tcp_mem(char *buf, size_t len)
{
	FILE *file = fopen("/proc/sys/" TCP_MEM, "re");
	int err = 0;

	if (!file)
		return -errno;
	if (!fgets(buf, len, file))
		err = -ENODATA;
	fclose(file);
	return err;
}

FIXTURE_SETUP(pressure)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, read_tcp_mem(self->tcp_mem, sizeof(self->tcp_mem)));
	ASSERT_EQ(0, policy_open(p, variant->family, 0));
	ASSERT_EQ(0, psp_conn_open(&p->other, &p->net, variant->family));
	ASSERT_EQ(0, wire_open(&self->wire, &p->conn));
}

FIXTURE_TEARDOWN(pressure)
{
	psp_sysctl(TCP_MEM, self->tcp_mem);
	wire_close(&self->wire);
	policy_close(&self->p);
}

/* Pressure from the first page on; another connection takes some megabytes */
static void exert(struct __test_metadata *_metadata, struct policy *p)
{
	int size = 4 << 20;

	ASSERT_EQ(0, psp_sysctl(TCP_MEM, "0 0 1000000"));
	ASSERT_EQ(0, setsockopt(p->other.a.fd, SOL_SOCKET, SO_SNDBUFFORCE,
				&size, sizeof(size)));
	ASSERT_LT(2 << 20, life_fill(p->other.a.fd, 9));
	/* Column "press" */
	ASSERT_EQ(0, psp_sh(p->net.a.ns, "%s", "grep -Eq "
			    "'^TCP( +[0-9]+){3} +yes' /proc/net/protocols"));
}

/* The next segment from A with a FIN */
static int next_fin(struct wire *wire, struct wire_seg *seg)
{
	uint64_t end = psp_now_ms() + LIFE_MS;
	int ret;

	do {
		ret = wire_next(wire, seg, LIFE_MS);
		if (ret <= 0)
			return ret ?: -ETIMEDOUT;
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
	} while (!seg->from_a || !(seg->flags & FORGE_FIN));
	return 0;
}

TEST_F(pressure, fin_joins_sent_data_and_is_secured_with_it)
{
	struct policy *p = &self->p;
	struct life_seen seen;
	struct wire_seg seg;
	char byte;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	exert(_metadata, p);
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "last words"));
	ASSERT_EQ(0, shutdown(p->conn.a.fd, SHUT_WR));
	ASSERT_EQ(0, next_fin(&self->wire, &seg));
	EXPECT_TRUE(seg.psp);
	ASSERT_EQ(10, seg.len);
	EXPECT_EQ(0, memcmp("last words", seg.data, 10));

	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, false));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "last words"));
	EXPECT_EQ(0, policy_read(p->conn.b.fd, &byte, 1));
	EXPECT_EQ(0, policy_wait_state(p->conn.a.fd, BPF_TCP_FIN_WAIT2));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_LT(0, seen.psp[FROM_B]);
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* If that segment is from before the tx key it stays plain, the FIN with it. No
 * byte that was written after the tx key is in it.
 */
TEST_F(pressure, fin_joins_data_of_before_the_tx_key_and_is_plain_like_it)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->conn;
	struct wire_seg seg;
	char byte;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, p->version));
	exert(_metadata, p);
	ASSERT_EQ(0, forge_deafen(conn->b.fd, true));
	ASSERT_EQ(0, policy_send(conn->a.fd, "open words"));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	wire_key(&self->wire, &conn->a.tx);
	ASSERT_EQ(0, shutdown(conn->a.fd, SHUT_WR));
	ASSERT_EQ(0, next_fin(&self->wire, &seg));
	EXPECT_FALSE(seg.psp);
	ASSERT_EQ(10, seg.len);
	EXPECT_EQ(0, memcmp("open words", seg.data, 10));

	ASSERT_EQ(0, forge_deafen(conn->b.fd, false));
	EXPECT_EQ(0, policy_reads(conn->b.fd, "open words"));
	EXPECT_EQ(0, policy_read(conn->b.fd, &byte, 1));
	ASSERT_EQ(0, policy_wait_state(conn->a.fd, BPF_TCP_FIN_WAIT2));
	/* B goes on under PSP, and is heard to its end */
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(0, policy_send(conn->b.fd, "secret words"));
	EXPECT_EQ(0, policy_reads(conn->a.fd, "secret words"));
	ASSERT_EQ(0, shutdown(conn->b.fd, SHUT_WR));
	EXPECT_EQ(0, policy_read(conn->a.fd, &byte, 1));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* Data behind the latch: the FIN joins that, and neither is plain */
TEST_F(pressure, fin_behind_the_latch_is_secured)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->conn;
	struct wire_seg seg;
	char byte;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, p->version));
	exert(_metadata, p);
	ASSERT_EQ(0, forge_deafen(conn->b.fd, true));
	ASSERT_EQ(0, policy_send(conn->a.fd, "open words"));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	wire_key(&self->wire, &conn->a.tx);
	ASSERT_EQ(0, policy_send(conn->a.fd, "secret words"));
	ASSERT_EQ(0, shutdown(conn->a.fd, SHUT_WR));
	ASSERT_EQ(0, forge_deafen(conn->b.fd, false));
	ASSERT_EQ(0, next_fin(&self->wire, &seg));
	EXPECT_TRUE(seg.psp);
	EXPECT_EQ(0, policy_reads(conn->b.fd, "open wordssecret words"));
	EXPECT_EQ(0, policy_read(conn->b.fd, &byte, 1));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_HARNESS_MAIN
