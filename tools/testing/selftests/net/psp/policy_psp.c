// SPDX-License-Identifier: GPL-2.0
/*
 * Rows "rx PSP ..." of the policy table: packets made in user space with the
 * key that rx-assoc returned, or with what comes close, in each column.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "kselftest_harness.h"
#include "policy.h"

FIXTURE(policy)
{
	struct policy p;
};

FIXTURE_VARIANT(policy)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(policy, ipv4)
{
	.family = PSP_IPV4,
	.version = 1,
};

FIXTURE_VARIANT_ADD(policy, ipv6)
{
	.family = PSP_IPV6,
	.version = 0,
};

/* The other connection has state, so that the device knows an SPI */
FIXTURE_SETUP(policy)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_open(p, variant->family, variant->version));
	ASSERT_EQ(0, psp_conn_open(&p->other, &p->net, variant->family));
	ASSERT_EQ(0, psp_conn_rx(&p->other, &p->other.a, p->version));
}

FIXTURE_TEARDOWN(policy)
{
	policy_close(&self->p);
}

static int forge_with(struct policy *p, const struct psp_key *key)
{
	return forge_psp_text(&p->forge, "forged", p->version, key);
}

/* One packet under @key reaches the socket. B must not hear of it: it would
 * answer the acknowledgment of what it has not sent, in plain text if it has no
 * tx key, which A drops.
 */
static void expect_accepted(struct __test_metadata *_metadata,
			    struct policy *p, const struct psp_key *key)
{
	ASSERT_EQ(0, forge_deafen(p->conn.b.fd, true));
	ASSERT_EQ(0, forge_with(p, key));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "forged"));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* The socket has got nothing, and its stream goes on where it was */
static void expect_untouched(struct __test_metadata *_metadata,
			     struct policy *p)
{
	uint32_t seq = p->forge.seq;

	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	EXPECT_EQ(seq, p->forge.seq);
	EXPECT_EQ(BPF_TCP_ESTABLISHED, policy_tcp_state(p->conn.a.fd));
}

TEST_F(policy, rx_psp_current_spi__rx_assoc_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	expect_accepted(_metadata, p, &p->conn.a.rx);
}

TEST_F(policy, rx_psp_current_spi__tx_key_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	expect_accepted(_metadata, p, &p->conn.a.rx);
}

TEST_F(policy, rx_psp_current_spi__psp_full_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	expect_accepted(_metadata, p, &p->conn.a.rx);
}

/* An authenticated packet is what makes the socket refuse all plain text */
TEST_F(policy, rx_psp_current_spi__tx_key_becomes_psp_full)
{
	const struct forge_seg ack = { .seq = 6, .flags = FORGE_ACK };
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, forge_plain(&p->forge, &ack));
	expect_accepted(_metadata, p, &p->conn.a.rx);
	ASSERT_EQ(0, forge_plain(&p->forge, &ack));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
}

/* The device holds the key of the rotation before: nothing is lost by one */
TEST_F(policy, rx_psp_spi_of_previous_device_key__rx_assoc_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	expect_accepted(_metadata, p, &p->conn.a.rx);
}

TEST_F(policy, rx_psp_spi_of_previous_device_key__tx_key_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	expect_accepted(_metadata, p, &p->conn.a.rx);
}

/* Two SPIs at once are what an rx rekey leaves, in "PSP full" only */
TEST_F(policy, rx_psp_previous_spi__psp_full_accepted)
{
	struct policy *p = &self->p;
	struct psp_key previous;

	if (!psp_nl_rekeys(&p->net.a.nl))
		SKIP(return, PSP_NO_REKEYING);
	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	previous = p->conn.a.rx;
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.a, p->version));
	ASSERT_NE(previous.spi, p->conn.a.rx.spi);

	expect_accepted(_metadata, p, &previous);
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	expect_accepted(_metadata, p, &p->conn.a.rx);
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	expect_accepted(_metadata, p, &previous);
}

static uint16_t port_of(int fd, int (*name)(int, struct sockaddr *,
					    socklen_t *))
{
	struct sockaddr_storage addr = { };
	socklen_t len = sizeof(addr);

	name(fd, (struct sockaddr *)&addr, &len);
	return ((struct sockaddr_in *)&addr)->sin_port;
}

/* Rules of A turn the other connection's packets into this one's, after the
 * device has found them to be right.
 */
static int divert_other(struct policy *p)
{
	const char *ip = p->forge.ipv6 ? "ip6" : "ip";

	return psp_sh(p->net.a.ns,
		      "nft 'add table %s t;"
		      "add chain %s t c { type filter hook prerouting priority raw; };"
		      "add rule %s t c tcp dport %d tcp sport set %d tcp dport set %d;"
		      "'", ip, ip, ip,
		      ntohs(port_of(p->other.a.fd, getsockname)),
		      ntohs(p->forge.sport), ntohs(p->forge.dport));
}

TEST_F(policy, rx_psp_right_spi__no_state_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, divert_other(p));
	ASSERT_EQ(0, policy_reach(p, POLICY_NO_STATE));
	p->forge.sport = port_of(p->other.a.fd, getpeername);
	p->forge.dport = port_of(p->other.a.fd, getsockname);

	ASSERT_EQ(0, forge_with(p, &p->other.a.rx));
	EXPECT_EQ(0, policy_dropped(p, "no-state", 1));
	expect_untouched(_metadata, p);

	/* Not because of the diversion: plain text comes through */
	ASSERT_EQ(0, forge_text(&p->forge, "plain"));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "plain"));
}

/* @key with one bit wrong: the device drops the packet for its ICV */
static void expect_wrong_key_dropped(struct __test_metadata *_metadata,
				     struct policy *p,
				     const struct psp_key *key)
{
	struct psp_key wrong = *key;

	wrong.key[0] ^= 1;
	ASSERT_EQ(0, forge_with(p, &wrong));
	EXPECT_EQ(0, policy_refused(p, 1));
	expect_untouched(_metadata, p);
}

TEST_F(policy, rx_psp_bad_icv__no_state_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_wrong_key_dropped(_metadata, &self->p, &self->p.other.a.rx);
}

TEST_F(policy, rx_psp_bad_icv__rx_assoc_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_wrong_key_dropped(_metadata, &self->p, &self->p.conn.a.rx);
}

TEST_F(policy, rx_psp_bad_icv__tx_key_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_TX_KEY));
	expect_wrong_key_dropped(_metadata, &self->p, &self->p.conn.a.rx);
}

TEST_F(policy, rx_psp_bad_icv__psp_full_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
	expect_wrong_key_dropped(_metadata, &self->p, &self->p.conn.a.rx);
}

/* A good packet of another socket's SPI, with this connection's tuple */
static void expect_other_spi_dropped(struct __test_metadata *_metadata,
				     struct policy *p)
{
	ASSERT_EQ(0, forge_with(p, &p->other.a.rx));
	EXPECT_EQ(0, policy_dropped(p, "rx-tuple", 1));
	expect_untouched(_metadata, p);
	EXPECT_TRUE(policy_is_quiet(p->other.a.fd));
}

TEST_F(policy, rx_psp_other_sockets_spi__no_state_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_other_spi_dropped(_metadata, &self->p);
}

TEST_F(policy, rx_psp_other_sockets_spi__rx_assoc_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_other_spi_dropped(_metadata, &self->p);
}

TEST_F(policy, rx_psp_other_sockets_spi__tx_key_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_TX_KEY));
	expect_other_spi_dropped(_metadata, &self->p);
}

TEST_F(policy, rx_psp_other_sockets_spi__psp_full_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
	expect_other_spi_dropped(_metadata, &self->p);
}

/* Two rotations on: the device has no key for the SPI any more */
static void expect_stale_dropped(struct __test_metadata *_metadata,
				 struct policy *p, const struct psp_key *key)
{
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, forge_with(p, key));
	EXPECT_EQ(0, policy_refused(p, 1));
	expect_untouched(_metadata, p);
}

TEST_F(policy, rx_psp_stale_spi__no_state_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_stale_dropped(_metadata, &self->p, &self->p.other.a.rx);
}

TEST_F(policy, rx_psp_stale_spi__rx_assoc_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_stale_dropped(_metadata, &self->p, &self->p.conn.a.rx);
}

TEST_F(policy, rx_psp_stale_spi__tx_key_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_TX_KEY));
	expect_stale_dropped(_metadata, &self->p, &self->p.conn.a.rx);
}

TEST_F(policy, rx_psp_stale_spi__psp_full_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
	expect_stale_dropped(_metadata, &self->p, &self->p.conn.a.rx);
}

/* The SPI of a socket that has gone: the key is good, but means nothing */
static void expect_given_up_dropped(struct __test_metadata *_metadata,
				    struct policy *p)
{
	int refs = policy_state_refs(p);

	/* Mainline's PSP drops it at the socket, dead association or not */
	policy_abort(&p->other);
	if (psp_nl_rekeys(&p->net.a.nl))
		ASSERT_EQ(0, policy_wait_state_refs(p, refs -
						    POLICY_STATE_REFS));
	ASSERT_EQ(0, forge_with(p, &p->other.a.rx));
	EXPECT_EQ(0, policy_dropped(p, "rx-no-assoc", 1));
	expect_untouched(_metadata, p);
}

TEST_F(policy, rx_psp_spi_given_up__no_state_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_NO_STATE));
	expect_given_up_dropped(_metadata, &self->p);
}

TEST_F(policy, rx_psp_spi_given_up__rx_assoc_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_RX_ASSOC));
	expect_given_up_dropped(_metadata, &self->p);
}

TEST_F(policy, rx_psp_spi_given_up__tx_key_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_TX_KEY));
	expect_given_up_dropped(_metadata, &self->p);
}

TEST_F(policy, rx_psp_spi_given_up__psp_full_dropped)
{
	ASSERT_EQ(0, policy_reach(&self->p, POLICY_PSP_FULL));
	expect_given_up_dropped(_metadata, &self->p);
}

/* The right key, and another version in the header */
TEST_F(policy, rx_psp_wrong_version__psp_full_dropped)
{
	struct policy *p = &self->p;
	uint32_t wrong = p->version ^ 2;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, forge_psp_text(&p->forge, "forged", wrong,
				    &p->conn.a.rx));
	EXPECT_EQ(0, policy_refused(p, 1));
	expect_untouched(_metadata, p);
}

/* Whoever has a key may speak for its connection only: not even the peer of
 * two connections can move a packet from one to the other.
 */
TEST_F(policy, valid_key_on_other_connections_tuple_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, psp_conn_rx(&p->other, &p->other.b, p->version));
	ASSERT_EQ(0, psp_conn_tx(&p->other, &p->other.a));
	ASSERT_EQ(0, psp_conn_tx(&p->other, &p->other.b));
	ASSERT_EQ(0, psp_conn_ping(&p->other));
	ASSERT_EQ(0, policy_mark(p));
	ASSERT_EQ(0, forge_with(p, &p->other.a.rx));
	EXPECT_EQ(0, policy_dropped(p, "rx-tuple", 1));
	expect_untouched(_metadata, p);
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
	EXPECT_EQ(0, psp_conn_ping(&p->other));
}

TEST_HARNESS_MAIN
