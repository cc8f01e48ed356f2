// SPDX-License-Identifier: GPL-2.0
/* rx-assoc and tx-assoc where they are allowed, and what they then change */
#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define PHASE_BIT	0x80000000U

FIXTURE(assoc)
{
	struct psp_net net;
	struct psp_conn conn;
};

FIXTURE_VARIANT(assoc)
{
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(assoc, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(assoc, ipv6)
{
	.family = PSP_IPV6,
};

FIXTURE_VARIANT_ADD(assoc, v4mapped)
{
	.family = PSP_MAPPED,
};

FIXTURE_SETUP(assoc)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
}

FIXTURE_TEARDOWN(assoc)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

static uint64_t assoc_nested_attrs(const struct nlattr *nest)
{
	const struct nlattr *attr;
	uint64_t mask = 0;

	mnl_attr_for_each_nested(attr, nest)
		mask |= 1ULL << mnl_attr_get_type(attr);
	return mask;
}

TEST_F(assoc, replies_carry_mainline_attributes_only)
{
	struct psp_nl *nl = &self->net.a.nl;
	const struct nlattr *attr;

	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));
	EXPECT_EQ(PSP_CMD_RX_ASSOC, psp_nl_reply_cmd(nl));
	EXPECT_EQ(ATTR_BIT(ASSOC_DEV_ID) | ATTR_BIT(ASSOC_RX_KEY),
		  psp_nl_reply_attrs(nl));
	attr = psp_nl_reply_attr(nl, PSP_A_ASSOC_RX_KEY);
	ASSERT_NE(NULL, attr);
	EXPECT_EQ(ATTR_BIT(KEYS_KEY) | ATTR_BIT(KEYS_SPI),
		  assoc_nested_attrs(attr));
	attr = psp_nl_reply_attr(nl, PSP_A_ASSOC_DEV_ID);
	ASSERT_NE(NULL, attr);
	EXPECT_EQ(self->net.a.dev_id, mnl_attr_get_u32(attr));

	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.b, 0));
	ASSERT_EQ(0, psp_conn_tx(&self->conn, &self->conn.a));
	EXPECT_EQ(PSP_CMD_TX_ASSOC, psp_nl_reply_cmd(nl));
	EXPECT_EQ(0, psp_nl_reply_attrs(nl));
}

TEST_F(assoc, device_is_found_by_the_route)
{
	struct psp_conn *conn = &self->conn;
	struct psp_nl *nl[2] = { &self->net.a.nl, &self->net.b.nl };

	EXPECT_EQ(0, psp_nl_rx_assoc(nl[0], 0, 1, conn->a.fd, &conn->a.rx));
	EXPECT_EQ(0, psp_nl_rx_assoc(nl[1], 0, 1, conn->b.fd, &conn->b.rx));
	EXPECT_EQ(0, psp_nl_tx_assoc(nl[0], 0, 1, conn->a.fd, &conn->b.rx));
	EXPECT_EQ(0, psp_nl_tx_assoc(nl[1], 0, 1, conn->b.fd, &conn->a.rx));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

TEST_F(assoc, data_goes_encrypted_from_tx_assoc_on)
{
	struct psp_stats before, after;

	ASSERT_EQ(0, psp_conn_ping(&self->conn));
	ASSERT_EQ(0, psp_nl_stats(&self->net.a.nl, self->net.a.dev_id,
				  &before));
	EXPECT_EQ(0, psp_stat(&before, TX_PACKETS));
	EXPECT_EQ(0, psp_stat(&before, RX_PACKETS));

	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	ASSERT_EQ(0, psp_nl_stats(&self->net.a.nl, self->net.a.dev_id,
				  &after));
	EXPECT_GT(psp_stat(&after, TX_PACKETS), 0);
	EXPECT_GT(psp_stat(&after, RX_PACKETS), 0);
	EXPECT_EQ(0, psp_stat(&after, RX_AUTH_FAIL));
	EXPECT_EQ(0, psp_stat(&after, RX_BAD));
}

TEST_F(assoc, plain_data_goes_on_until_tx_assoc)
{
	struct psp_stats stats;

	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));
	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.b, 0));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
	ASSERT_EQ(0, psp_nl_stats(&self->net.a.nl, self->net.a.dev_id,
				  &stats));
	EXPECT_EQ(0, psp_stat(&stats, TX_PACKETS));
}

TEST_F(assoc, state_is_shown_as_ulp)
{
	char name[16];

	if (!psp_nl_rekeys(&self->net.a.nl))
		SKIP(return, "mainline's PSP: not in the ULP's place");
	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));
	ASSERT_EQ(0, psp_tcp_ulp(self->conn.a.fd, name, sizeof(name)));
	EXPECT_STREQ("psp", name);
	EXPECT_EQ(0, psp_sh(self->net.a.ns, "ss -Htino | grep -q psp"));
}

TEST_F(assoc, needs_no_capability_but_the_socket)
{
	struct psp_conn *conn = &self->conn;
	struct psp_nl nl;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_net_admin(false));
	ASSERT_EQ(0, psp_nl_open(&nl));
	EXPECT_EQ(0, psp_nl_rx_assoc(&nl, 0, 0, conn->a.fd, &conn->a.rx));
	EXPECT_EQ(0, psp_nl_tx_assoc(&nl, 0, 0, conn->a.fd, &conn->a.rx));
	psp_nl_close(&nl);
	ASSERT_EQ(0, psp_net_admin(true));
}

TEST_F(assoc, disabled_versions_do_not_matter)
{
	ASSERT_EQ(0, psp_nl_dev_set(&self->net.a.nl, self->net.a.dev_id, 0));
	ASSERT_EQ(0, psp_nl_dev_set(&self->net.b.nl, self->net.b.dev_id, 0));
	EXPECT_EQ(0, psp_conn_assoc(&self->conn, 3));
}

/* The peers' keys are made known before there is a connection at all: then
 * even the handshake, a simultaneous one, is encrypted.
 */
TEST_F(assoc, before_connect_protects_the_handshake)
{
	struct psp_conn *conn = &self->conn;
	struct sockaddr_storage addr;
	struct psp_side *side;
	int mss, i;
	socklen_t len;

	mss = psp_tcp_mss(conn->a.fd);
	psp_conn_close(conn);
	for (i = 0; i < 2; i++) {
		side = i ? &conn->b : &conn->a;
		side->fd = psp_tcp_socket(side->end, variant->family);
		ASSERT_GE(side->fd, 0);
		len = psp_addr(side->end, variant->family, 7000, &addr);
		ASSERT_EQ(0, bind(side->fd, (void *)&addr, len));
	}
	ASSERT_EQ(0, psp_conn_assoc(conn, 0));
	/* The first SYN is lost: the other end would have no socket for it */
	ASSERT_EQ(0, psp_wire_harm(conn->a.end, "loss", 100));
	for (i = 0; i < 2; i++) {
		side = i ? &conn->b : &conn->a;
		len = psp_addr(psp_conn_peer(conn, side)->end, variant->family,
			       7000, &addr);
		ASSERT_EQ(-1, connect(side->fd, (void *)&addr, len));
		ASSERT_EQ(EINPROGRESS, errno);
		ASSERT_EQ(0, psp_wire_wait_lost(conn->a.end, 1));
		ASSERT_EQ(0, psp_wire_harm(conn->a.end, "loss", 0));
	}
	ASSERT_EQ(0, psp_xfer_both(conn, 100000, 20000));
	EXPECT_EQ(mss - 40, psp_tcp_mss(conn->a.fd));
	EXPECT_EQ(mss - 40, psp_tcp_mss(conn->b.fd));
}

TEST_F(assoc, rx_assoc_before_connect_holds_afterwards)
{
	struct psp_conn *conn = &self->conn;
	uint16_t port = 0;
	int listener;

	psp_conn_close(conn);
	conn->a.fd = psp_tcp_socket(conn->a.end, variant->family);
	ASSERT_GE(conn->a.fd, 0);
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, 0));
	listener = psp_tcp_listen(conn->b.end, variant->family, &port);
	ASSERT_GE(listener, 0);
	ASSERT_EQ(0, psp_conn_finish(conn, listener, port));
	close(listener);

	EXPECT_EQ(0, psp_conn_ping(conn));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, 0));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

/* The accepted socket's listener and its siblings stay plain */
TEST_F(assoc, state_belongs_to_one_socket_only)
{
	struct psp_conn other;

	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	ASSERT_EQ(0, psp_conn_open(&other, &self->net, variant->family));
	EXPECT_EQ(0, psp_conn_ping(&other));
	EXPECT_EQ(psp_tcp_mss(self->conn.a.fd) + 40, psp_tcp_mss(other.a.fd));
	EXPECT_EQ(0, psp_conn_secure(&other, 1));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
	psp_conn_close(&other);
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

FIXTURE(keys)
{
	struct psp_net net;
};

FIXTURE_SETUP(keys)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
}

FIXTURE_TEARDOWN(keys)
{
	psp_net_close(&self->net);
}

/* An unconnected socket with an rx key */
static int keys_get(struct psp_end *end, uint32_t version,
		    struct psp_key *key)
{
	int fd, err;

	fd = psp_tcp_socket(end, PSP_IPV4);
	if (fd < 0)
		return fd;
	err = psp_nl_rx_assoc(&end->nl, end->dev_id, version, fd, key);
	close(fd);
	return err;
}

TEST_F(keys, have_the_length_of_the_version)
{
	struct psp_key key;
	uint32_t version;

	for (version = 0; version < PSP_VERSIONS; version++) {
		ASSERT_EQ(0, keys_get(&self->net.a, version, &key));
		EXPECT_EQ(psp_key_len(version), key.len);
	}
}

TEST_F(keys, are_never_given_out_twice)
{
	struct psp_key key[48];
	int i, j;

	for (i = 0; i < 48; i++) {
		ASSERT_EQ(0, keys_get(&self->net.a, 0, &key[i]));
		EXPECT_NE(0, key[i].spi & ~PHASE_BIT);
		for (j = 0; j < i; j++) {
			EXPECT_NE(key[j].spi, key[i].spi);
			EXPECT_NE(0, memcmp(key[j].key, key[i].key, 16));
		}
	}
}

TEST_F(keys, of_a_new_device_key_have_the_other_phase_and_new_spis)
{
	struct psp_key key[8];
	int i, j;

	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, keys_get(&self->net.a, 0, &key[i]));
		for (j = 0; j < i; j++)
			EXPECT_NE(0, (key[j].spi ^ key[i].spi) & ~PHASE_BIT);
		if (i)
			EXPECT_EQ(PHASE_BIT, (key[i - 1].spi ^ key[i].spi) &
					     PHASE_BIT);
		ASSERT_EQ(0, psp_nl_rotate(&self->net.a.nl,
					   self->net.a.dev_id));
	}
}

TEST_HARNESS_MAIN
