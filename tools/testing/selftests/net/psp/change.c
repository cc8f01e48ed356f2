// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a PSP device while sockets use it: rotations without end,
 * versions switched off, a second device beside it, its removal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "forge.h"

#define ROTATIONS	300		/* psp_dev.generation has 7 bits */
#define STALL_MS	20000
#define TIMEOUT_S	90

FIXTURE(change)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_end *a;
	struct psp_end *b;
};

FIXTURE_VARIANT(change)
{
	uint32_t version;
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(change, gcm128_ipv4)
{
	.version = PSP_VERSION_HDR0_AES_GCM_128,
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(change, gcm256_ipv6)
{
	.version = PSP_VERSION_HDR0_AES_GCM_256,
	.family = PSP_IPV6,
};

FIXTURE_SETUP(change)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, variant->version));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, STALL_MS));
	self->a = &self->net.a;
	self->b = &self->net.b;
}

FIXTURE_TEARDOWN(change)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* Rotate, then send a segment under the key that B gave out at first */
static int change_rotate_and_try(struct psp_conn *conn, struct forge *forge)
{
	struct psp_end *b = conn->b.end;
	int64_t refused = psp_end_refused(b);
	int err;

	err = psp_nl_rotate(&b->nl, b->dev_id);
	if (!err)
		err = forge_psp_text(forge, "stale", conn->version,
				     &conn->b.rx);
	if (!err)
		err = psp_end_wait_refused(b, refused + 1, STALL_MS);
	return err ? err : psp_tcp_inq(conn->b.fd);
}

TEST_F_TIMEOUT(change, key_never_replaced_is_stale_for_300_rotations, TIMEOUT_S)
{
	struct psp_conn *conn = &self->conn;
	struct psp_key first = conn->b.rx;
	struct psp_end *b = self->b;
	struct forge forge;
	int i;

	ASSERT_EQ(0, forge_open(&forge, conn, &conn->b));
	ASSERT_EQ(0, psp_nl_rotate(&b->nl, b->dev_id));
	for (i = 2; i <= ROTATIONS; i++) {
		ASSERT_EQ(0, change_rotate_and_try(conn, &forge))
			TH_LOG("after %d rotations", i);
	}
	forge_close(&forge);
	EXPECT_EQ(ROTATIONS, psp_end_stat(b, PSP_A_STATS_KEY_ROTATIONS));
	EXPECT_EQ(1, psp_end_stat(b, PSP_A_STATS_STALE_EVENTS));

	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->a));
	EXPECT_NE(first.spi, conn->b.rx.spi);
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
}

TEST_F(change, versions_disabled_under_traffic_lose_nothing)
{
	struct psp_conn *conn = &self->conn;
	struct psp_end *b = self->b;
	struct psp_xfer xfer[2];

	psp_flood_start(conn, xfer);
	ASSERT_EQ(0, psp_flood_flow(xfer, 20000, STALL_MS));
	ASSERT_EQ(0, psp_nl_dev_set(&b->nl, b->dev_id, 0));
	ASSERT_EQ(0, psp_end_wait_refused(b, 1, STALL_MS));
	EXPECT_EQ(0, psp_end_stat(b, PSP_A_STATS_RX_AUTH_FAIL));

	ASSERT_EQ(0, psp_nl_dev_set(&b->nl, b->dev_id, PSP_VERSIONS_ALL));
	ASSERT_EQ(0, psp_flood_flow(xfer, 20000, STALL_MS));
	EXPECT_EQ(0, psp_flood_end(xfer, STALL_MS));
}

/* Another cable between the two ends, with ports and addresses of its own */
static int change_second(struct psp_net *more, struct psp_net *net)
{
	int err;

	*more = *net;
	snprintf(more->a.ifname, IFNAMSIZ, "psp2");
	snprintf(more->b.ifname, IFNAMSIZ, "psp3");
	inet_pton(AF_INET, "10.0.1.1", &more->a.v4);
	inet_pton(AF_INET, "10.0.1.2", &more->b.v4);
	inet_pton(AF_INET6, "fd01::1", &more->a.v6);
	inet_pton(AF_INET6, "fd01::2", &more->b.v6);

	if (psp_sh(net->a.ns, "ip link add psp2 type psp_ref && "
		   "ip link add link psp2 name psp3 type psp_ref && "
		   "ip link set psp3 netns /proc/%d/fd/%d", getpid(),
		   net->b.ns))
		return -EIO;
	err = psp_ns_enter(net->a.ns);
	if (!err)
		err = psp_end_up(&more->a);
	if (!err)
		err = psp_ns_enter(net->b.ns);
	if (!err)
		err = psp_end_up(&more->b);
	return psp_ns_enter(net->home) ?: err;
}

/* Each end by itself, for one may be gone already */
static void change_second_gone(struct psp_net *more)
{
	psp_sh(more->a.ns, "! ip link show psp2 || ip link del psp2");
	psp_sh(more->b.ns, "ip link del psp3");
	psp_nl_close(&more->a.nl);
	psp_nl_close(&more->b.nl);
}

TEST_F(change, two_devices_of_one_host_are_strangers)
{
	struct psp_conn *one = &self->conn;
	struct psp_conn two;
	struct psp_net more;

	ASSERT_EQ(0, change_second(&more, &self->net));
	ASSERT_NE(self->a->dev_id, more.a.dev_id);
	ASSERT_EQ(0, psp_conn_open(&two, &more, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&two, variant->version));

	/* The rotation of one is no reason to rekey on the other */
	ASSERT_EQ(0, psp_conn_rotate(&two));
	EXPECT_EQ(-EBUSY, psp_conn_rx(one, &one->a, variant->version));
	EXPECT_EQ(0, psp_conn_rekey(&two));
	ASSERT_EQ(0, psp_conn_rotate(&two));
	EXPECT_EQ(0, psp_xfer_both(one, 20000, STALL_MS));
	EXPECT_EQ(0, psp_xfer_both(&two, 20000, STALL_MS));
	EXPECT_EQ(0, psp_end_stat(self->a, PSP_A_STATS_KEY_ROTATIONS));
	EXPECT_EQ(0, psp_end_stat(self->a, PSP_A_STATS_STALE_EVENTS));

	/* Nor is its removal any of the other's business */
	ASSERT_EQ(0, psp_sh(self->net.a.ns, "ip link del psp2"));
	EXPECT_EQ(0, psp_xfer_both(one, 20000, STALL_MS));
	EXPECT_EQ(-ENODEV, psp_conn_tx(&two, &two.a));
	psp_conn_close(&two);
	change_second_gone(&more);
}

/* Keys of one device must not open packets that come in through another */
TEST_F(change, key_of_one_device_is_nothing_on_the_other)
{
	struct psp_conn two;
	struct psp_net more;
	struct forge forge;
	int64_t refused;

	ASSERT_EQ(0, change_second(&more, &self->net));
	ASSERT_EQ(0, psp_conn_open(&two, &more, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&two, variant->version));
	ASSERT_EQ(0, psp_tcp_drain(two.a.fd, STALL_MS));
	ASSERT_EQ(0, psp_tcp_drain(two.b.fd, STALL_MS));

	refused = psp_end_refused(&more.b);
	ASSERT_EQ(0, forge_open(&forge, &two, &two.b));
	ASSERT_EQ(0, forge_psp_text(&forge, "other", variant->version,
				    &self->conn.b.rx));
	EXPECT_EQ(0, psp_end_wait_refused(&more.b, refused + 1, STALL_MS));
	EXPECT_EQ(0, psp_tcp_inq(two.b.fd));
	forge_close(&forge);

	psp_conn_close(&two);
	change_second_gone(&more);
}

/* The sockets of the old port fail closed; new ones work */
TEST_F(change, port_made_again_under_live_sockets)
{
	struct psp_conn *old = &self->conn;
	struct psp_conn conn;
	uint32_t dev_id = self->a->dev_id;

	ASSERT_EQ(0, psp_net_replug(&self->net));
	EXPECT_NE(dev_id, self->a->dev_id);
	ASSERT_EQ(1, send(old->a.fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-EINVAL, psp_conn_tx(old, &old->a));

	ASSERT_EQ(0, psp_conn_open(&conn, &self->net, variant->family));
	ASSERT_EQ(0, psp_conn_secure(&conn, variant->version));
	EXPECT_EQ(0, psp_xfer_both(&conn, 200000, STALL_MS));
	EXPECT_EQ(0, psp_tcp_inq(old->b.fd));
	EXPECT_EQ(1, psp_tcp_outq(old->a.fd));
	psp_conn_close(&conn);
}

/* To the other end's namespace, and back as it was */
static int change_move(struct psp_net *net, struct psp_end *end)
{
	int err = psp_ns_enter(end->ns);

	if (!err)
		err = psp_link_move(end->ifindex, net->b.ns);
	if (!err)
		err = psp_ns_enter(net->b.ns);
	if (!err)
		err = psp_link_move(if_nametoindex(end->ifname), end->ns);
	if (!err)
		err = psp_ns_enter(end->ns);
	psp_nl_close(&end->nl);
	if (!err)
		err = psp_end_up(end);
	return psp_ns_enter(net->home) ?: err;
}

/* Without its hook in the new namespace it would not hear anything */
TEST_F(change, port_moved_under_live_sockets)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, change_move(&self->net, self->a));
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
	EXPECT_EQ(0, psp_conn_rotate(conn));
	EXPECT_EQ(0, psp_conn_rekey(conn));
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
}

TEST_HARNESS_MAIN
