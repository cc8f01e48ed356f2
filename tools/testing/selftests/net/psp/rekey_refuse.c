// SPDX-License-Identifier: GPL-2.0
/*
 * Rekeying where it is not allowed: the error, and that the connection goes
 * on under the very same keys.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000

FIXTURE(refuse)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_nl *nl;		/* netlink at end A */
	uint32_t id;			/* device at end A */
	struct psp_key key;		/* good, but not B's */
	struct psp_tap tap;
};

FIXTURE_VARIANT(refuse)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(refuse, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(refuse, gcm256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GCM_256,
	.family = PSP_IPV6,
};

FIXTURE_SETUP(refuse)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
	self->nl = &self->net.a.nl;
	self->id = self->net.a.dev_id;
	self->key.spi = 0x77777777;
	self->key.len = psp_key_len(variant->version);
	ASSERT_EQ(0, psp_tap_open(&self->tap, &self->net.a));
}

FIXTURE_TEARDOWN(refuse)
{
	psp_tap_close(&self->tap);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* Both directions work, under the SPIs that the test knows, and no packet is
 * refused by a device
 */
static int refuse_unharmed(struct psp_conn *conn, struct psp_tap *tap)
{
	static struct psp_frame frame;
	struct psp_end *end[2] = { conn->a.end, conn->b.end };
	struct psp_stats stats;
	int i, err;

	err = psp_xfer_both(conn, 20000, STALL_MS);
	if (err)
		return err;
	while (psp_tap_next(tap, &frame, 0) > 0)
		if (frame.psp && frame.spi != conn->b.rx.spi &&
		    frame.spi != conn->a.rx.spi)
			return -EILSEQ;
	for (i = 0; i < 2; i++) {
		err = psp_nl_stats(&end[i]->nl, end[i]->dev_id, &stats);
		if (err || psp_stat(&stats, RX_BAD) ||
		    psp_stat(&stats, RX_AUTH_FAIL) ||
		    psp_stat(&stats, TX_ERROR))
			return -EBADMSG;
	}
	return 0;
}

#define EXPECT_UNHARMED() \
	EXPECT_EQ(0, refuse_unharmed(&self->conn, &self->tap))

/* The error, if the message says why and names the socket */
static int refuse_error(const struct psp_nl *nl)
{
	return *nl->ack.msg && !strcmp(nl->ack.bad, "sock-fd") ? nl->ack.err :
								 0;
}

static int refuse_rx(struct psp_nl *nl, uint32_t id, uint32_t version, int fd)
{
	struct psp_key key;

	psp_nl_rx_assoc(nl, id, version, fd, &key);

	return refuse_error(nl);
}

static int refuse_tx(struct psp_nl *nl, uint32_t id, uint32_t version, int fd,
		     const struct psp_key *key)
{
	psp_nl_tx_assoc(nl, id, version, fd, key);

	return refuse_error(nl);
}

TEST_F(refuse, rx_without_rotation_since)
{
	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	EXPECT_EQ(-EBUSY, refuse_rx(self->nl, self->id, variant->version,
				    self->conn.a.fd));
	EXPECT_UNHARMED();
}

TEST_F(refuse, rx_twice_after_one_rotation)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_secure(conn, variant->version));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, variant->version));
	EXPECT_EQ(-EBUSY, refuse_rx(self->nl, self->id, variant->version,
				    conn->a.fd));
	/* B still sends under the previous SPI, and may go on to do so */
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
}

TEST_F(refuse, rx_after_a_rotation_of_the_peer_only)
{
	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	ASSERT_EQ(0, psp_nl_rotate(&self->net.b.nl, self->net.b.dev_id));
	EXPECT_EQ(-EBUSY, refuse_rx(self->nl, self->id, variant->version,
				    self->conn.a.fd));
	EXPECT_UNHARMED();
}

TEST_F(refuse, another_version)
{
	uint32_t version;

	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	ASSERT_EQ(0, psp_conn_rotate(&self->conn));
	for (version = 0; version < PSP_VERSIONS; version++) {
		if (version == variant->version)
			continue;
		self->key.len = psp_key_len(version);
		EXPECT_EQ(-EINVAL, refuse_rx(self->nl, self->id, version,
					     self->conn.a.fd));
		EXPECT_EQ(-EINVAL, refuse_tx(self->nl, self->id, version,
					     self->conn.a.fd, &self->key));
	}
	EXPECT_UNHARMED();
}

TEST_F(refuse, another_device)
{
	struct psp_key key;
	uint32_t other;

	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	ASSERT_EQ(0, psp_conn_rotate(&self->conn));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	other = psp_dev_of(self->nl, if_nametoindex("more0"));
	ASSERT_NE(0, other);
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, other,
						 variant->version,
						 self->conn.a.fd, &key),
		       -EINVAL, "dev-id", "");
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, other,
						 variant->version,
						 self->conn.a.fd, &self->key),
		       -EINVAL, "dev-id", "");
	EXPECT_UNHARMED();
}

TEST_F(refuse, key_of_wrong_length)
{
	static const unsigned int bad[] = { 0, 15, 17, 31, 24 };
	int i;

	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	for (i = 0; i < 5; i++) {
		self->key.len = bad[i];
		EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, self->id,
							 variant->version,
							 self->conn.a.fd,
							 &self->key),
			       -EINVAL, "tx-key.key", "");
	}
	EXPECT_UNHARMED();
}

TEST_F(refuse, spi_whose_low_31_bits_are_0)
{
	static const uint32_t bad[] = { 0, 0x80000000 };
	int i;

	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	for (i = 0; i < 2; i++) {
		self->key.spi = bad[i];
		EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, self->id,
							 variant->version,
							 self->conn.a.fd,
							 &self->key),
			       -EINVAL, "tx-key.key", "");
	}
	EXPECT_UNHARMED();
}

/* Only an rx key yet: there is nothing to be replaced */
TEST_F(refuse, rx_in_state_rx_assoc)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, variant->version));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, variant->version));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	EXPECT_EQ(-EBUSY, refuse_rx(self->nl, self->id, variant->version,
				    conn->a.fd));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_UNHARMED();
}

/* Both keys are there, but the peer has not sent under PSP: it may not have
 * the first key yet
 */
TEST_F(refuse, any_before_the_peer_is_known_to_send_psp)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_assoc(conn, variant->version));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	EXPECT_EQ(-EBUSY, refuse_rx(self->nl, self->id, variant->version,
				    conn->a.fd));
	EXPECT_EQ(-EBUSY, refuse_tx(self->nl, self->id, variant->version,
				    conn->a.fd, &self->key));
	EXPECT_UNHARMED();

	ASSERT_EQ(0, psp_conn_rekey(conn));
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
}

/* The first check that fails is told: device, then version, then state */
TEST_F(refuse, in_the_order_of_the_checks)
{
	struct psp_key key;

	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, self->id + 1000,
						 variant->version ^ 1,
						 self->conn.a.fd, &key),
		       -EINVAL, "dev-id", "");
	EXPECT_EQ(-EINVAL, refuse_rx(self->nl, self->id, variant->version ^ 1,
				     self->conn.a.fd));
	EXPECT_EQ(-EBUSY, refuse_rx(self->nl, self->id, variant->version,
				    self->conn.a.fd));
	EXPECT_UNHARMED();
}

TEST_HARNESS_MAIN
