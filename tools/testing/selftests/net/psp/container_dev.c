// SPDX-License-Identifier: GPL-2.0
/*
 * dev-assoc and dev-disassoc: what an associated namespace may see and do, and
 * what is told to whom.
 */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "container.h"
#include "psp_xfer.h"

#define DEV_ATTRS	(ATTR_BIT(DEV_ID) | ATTR_BIT(DEV_IFINDEX) |	\
			 ATTR_BIT(DEV_PSP_VERSIONS_CAP) |		\
			 ATTR_BIT(DEV_PSP_VERSIONS_ENA))
#define ASSOC_ATTRS	(ATTR_BIT(ASSOC_DEV_INFO_IFINDEX) |		\
			 ATTR_BIT(ASSOC_DEV_INFO_NSID))

/* Notifications are sent before the request that caused them is answered */
#define NONE_MS		0

FIXTURE(assoc_dev)
{
	struct container c;
	struct psp_nl *host;	/* netlink at the host */
	struct psp_nl *nl;	/* netlink in the container */
	struct psp_nl ntf;	/* listens to both groups in the container */
	struct psp_nl host_ntf;	/* listens to group mgmt at the host */
	uint32_t id;		/* device of the host */
};

FIXTURE_SETUP(assoc_dev)
{
	ASSERT_EQ(0, container_open(&self->c));
	self->host = &self->c.net.a.nl;
	self->nl = &self->c.pair.a.nl;
	self->id = self->c.net.a.dev_id;
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(0, psp_nl_open(&self->ntf));
	ASSERT_EQ(0, psp_nl_join(&self->ntf, self->ntf.mgmt));
	ASSERT_EQ(0, psp_nl_join(&self->ntf, self->ntf.use));
	ASSERT_EQ(0, psp_ns_enter(self->c.net.a.ns));
	ASSERT_EQ(0, psp_nl_open(&self->host_ntf));
	ASSERT_EQ(0, psp_nl_join(&self->host_ntf, self->host_ntf.mgmt));
	ASSERT_EQ(0, psp_ns_enter(self->c.net.home));
}

FIXTURE_TEARDOWN(assoc_dev)
{
	psp_nl_close(&self->ntf);
	psp_nl_close(&self->host_ntf);
	container_close(&self->c);
}

/* As seen in the container, once eth0 is associated */
static void expect_seen(struct __test_metadata *_metadata,
			const struct container *c,
			const struct psp_dev_info *info)
{
	EXPECT_EQ(DEV_ATTRS | ATTR_BIT(DEV_ASSOC_LIST) |
		  ATTR_BIT(DEV_BY_ASSOCIATION), info->attrs);
	EXPECT_EQ(c->net.a.dev_id, info->id);
	EXPECT_EQ(c->net.a.ifindex, info->ifindex);
	ASSERT_EQ(1, info->assocs);
	EXPECT_EQ(ASSOC_ATTRS, info->assoc[0].attrs);
	EXPECT_EQ(c->pair.a.ifindex, info->assoc[0].ifindex);
	EXPECT_EQ(-1, info->assoc[0].nsid);
}

TEST_F(assoc_dev, associated_namespace_sees_the_device)
{
	struct psp_dev_info info;
	struct psp_stats stats;

	ASSERT_EQ(0, psp_nl_dev_dump(self->nl, &info, 1));
	ASSERT_EQ(-ENOENT, psp_nl_dev_get(self->nl, self->id, &info));

	ASSERT_EQ(0, container_assoc(&self->c));
	EXPECT_EQ(0, psp_nl_reply_attrs(self->host));
	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
	expect_seen(_metadata, &self->c, &info);
	ASSERT_EQ(1, psp_nl_dev_dump(self->nl, &info, 1));
	expect_seen(_metadata, &self->c, &info);
	EXPECT_EQ(0, psp_nl_stats(self->nl, self->id, &stats));
	EXPECT_EQ(1, psp_nl_stats_dump(self->nl, &stats, 1));

	ASSERT_EQ(0, container_disassoc(&self->c));
	EXPECT_EQ(0, psp_nl_reply_attrs(self->host));
	EXPECT_EQ(-ENOENT, psp_nl_dev_get(self->nl, self->id, &info));
	EXPECT_EQ(-ENOENT, psp_nl_stats(self->nl, self->id, &stats));
	EXPECT_EQ(0, psp_nl_dev_dump(self->nl, &info, 1));
	EXPECT_EQ(0, psp_nl_stats_dump(self->nl, &stats, 1));
}

TEST_F(assoc_dev, own_namespace_is_told_all_associations)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_nl_dev_assoc(self->host, self->id,
				      self->c.host_ifindex));
	ASSERT_EQ(0, psp_nl_dev_get(self->host, self->id, &info));
	EXPECT_EQ(DEV_ATTRS | ATTR_BIT(DEV_ASSOC_LIST), info.attrs);
	ASSERT_EQ(2, info.assocs);
	EXPECT_EQ(ASSOC_ATTRS, info.assoc[0].attrs);
	EXPECT_EQ(self->c.pair.a.ifindex, info.assoc[0].ifindex);
	EXPECT_EQ(CONTAINER_NSID, info.assoc[0].nsid);
	EXPECT_EQ(ASSOC_ATTRS, info.assoc[1].attrs);
	EXPECT_EQ(self->c.host_ifindex, info.assoc[1].ifindex);

	/* Of these two the container may know its own only */
	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
	expect_seen(_metadata, &self->c, &info);
}

TEST_F(assoc_dev, associated_namespace_may_not_change_the_device)
{
	struct psp_dev_info info;
	struct psp_stats stats;

	ASSERT_EQ(0, container_assoc(&self->c));
	EXPECT_REFUSED(self->nl, psp_nl_dev_set(self->nl, self->id, 1),
		       -ENOENT, "", "");
	EXPECT_REFUSED(self->nl, psp_nl_rotate(self->nl, self->id), -ENOENT,
		       "", "");
	ASSERT_EQ(0, psp_nl_dev_get(self->host, self->id, &info));
	EXPECT_EQ(PSP_VERSIONS_ALL, info.ena);
	ASSERT_EQ(0, psp_nl_stats(self->host, self->id, &stats));
	EXPECT_EQ(0, psp_stat(&stats, KEY_ROTATIONS));
}

TEST_F(assoc_dev, associated_namespace_may_associate_more_of_its_own)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_nl_dev_assoc(self->nl, self->id, 1));
	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
	ASSERT_EQ(2, info.assocs);
	EXPECT_EQ(1, info.assoc[1].ifindex);
	ASSERT_EQ(0, psp_nl_dev_disassoc(self->nl, self->id, 1));

	/* And may leave */
	ASSERT_EQ(0, psp_nl_dev_disassoc(self->nl, self->id,
					 self->c.pair.a.ifindex));
	EXPECT_EQ(-ENOENT, psp_nl_dev_assoc(self->nl, self->id, 1));
}

TEST_F(assoc_dev, keys_for_sockets_of_an_associated_namespace)
{
	struct psp_key key;
	int fd;

	fd = psp_tcp_socket(&self->c.pair.a, PSP_IPV4);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOENT, psp_nl_rx_assoc(self->nl, self->id, 0, fd, &key));
	ASSERT_EQ(0, container_assoc(&self->c));
	EXPECT_EQ(0, psp_nl_rx_assoc(self->nl, self->id, 0, fd, &key));
	EXPECT_EQ(0, psp_nl_tx_assoc(self->nl, self->id, 0, fd, &key));
	close(fd);
}

TEST_F(assoc_dev, device_is_found_by_route_over_an_associated_one)
{
	const struct nlattr *attr;
	struct psp_conn conn;

	ASSERT_EQ(0, psp_conn_open(&conn, &self->c.pair, PSP_IPV4));
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, 0, 0, conn.a.fd,
						 &conn.a.rx),
		       -EINVAL, "", "dev-id");
	ASSERT_EQ(0, container_assoc(&self->c));
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, self->id + 1, 0,
						 conn.a.fd, &conn.a.rx),
		       -EINVAL, "dev-id", "");
	EXPECT_EQ(0, psp_nl_rx_assoc(self->nl, 0, 0, conn.a.fd, &conn.a.rx));
	attr = psp_nl_reply_attr(self->nl, PSP_A_ASSOC_DEV_ID);
	ASSERT_NE(NULL, attr);
	EXPECT_EQ(self->id, mnl_attr_get_u32(attr));
	psp_conn_close(&conn);
}

TEST_F(assoc_dev, associations_are_told_before_they_end_and_after_they_begin)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_nl_wait(&self->ntf, PSP_CMD_DEV_CHANGE_NTF,
				 CONTAINER_MS));
	psp_nl_dev_reply(&self->ntf, &info);
	expect_seen(_metadata, &self->c, &info);
	ASSERT_EQ(0, psp_nl_wait(&self->host_ntf, PSP_CMD_DEV_CHANGE_NTF,
				 CONTAINER_MS));
	psp_nl_dev_reply(&self->host_ntf, &info);
	EXPECT_EQ(1, info.assocs);
	EXPECT_EQ(CONTAINER_NSID, info.assoc[0].nsid);

	ASSERT_EQ(0, container_disassoc(&self->c));
	ASSERT_EQ(0, psp_nl_wait(&self->ntf, PSP_CMD_DEV_CHANGE_NTF,
				 CONTAINER_MS));
	psp_nl_dev_reply(&self->ntf, &info);
	expect_seen(_metadata, &self->c, &info);
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->ntf, 0, NONE_MS));
}

TEST_F(assoc_dev, rotation_and_change_are_told_once_to_each_namespace)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_nl_dev_assoc(self->nl, self->id, 1));
	ASSERT_EQ(0, psp_nl_wait(&self->ntf, PSP_CMD_DEV_CHANGE_NTF,
				 CONTAINER_MS));
	ASSERT_EQ(0, psp_nl_wait(&self->ntf, PSP_CMD_DEV_CHANGE_NTF,
				 CONTAINER_MS));

	ASSERT_EQ(0, psp_nl_rotate(self->host, self->id));
	ASSERT_EQ(0, psp_nl_wait(&self->ntf, PSP_CMD_KEY_ROTATE_NTF,
				 CONTAINER_MS));
	EXPECT_EQ(ATTR_BIT(DEV_ID), psp_nl_reply_attrs(&self->ntf));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->ntf, 0, NONE_MS));

	ASSERT_EQ(0, psp_nl_dev_set(self->host, self->id, 3));
	ASSERT_EQ(0, psp_nl_wait(&self->ntf, PSP_CMD_DEV_CHANGE_NTF,
				 CONTAINER_MS));
	psp_nl_dev_reply(&self->ntf, &info);
	EXPECT_EQ(3, info.ena);
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->ntf, 0, NONE_MS));
}

/* Nobody listens at the host */
TEST_F(assoc_dev, stale_socket_is_told_in_its_own_namespace)
{
	struct psp_conn conn;
	struct psp_nl stale;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(0, psp_nl_open(&stale));
	ASSERT_EQ(0, psp_nl_join(&stale, stale.assoc));
	ASSERT_EQ(0, psp_ns_enter(self->c.net.home));
	ASSERT_EQ(0, psp_conn_open(&conn, &self->c.pair, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_rx(&conn, &conn.a, 0));

	ASSERT_EQ(0, psp_nl_rotate(self->host, self->id));
	ASSERT_EQ(0, psp_nl_rotate(self->host, self->id));
	EXPECT_EQ(0, psp_nl_wait(&stale, PSP_CMD_ASSOC_STALE_NTF,
				 CONTAINER_MS));
	psp_conn_close(&conn);
	psp_nl_close(&stale);
}

TEST_F(assoc_dev, removed_psp_device_is_told_and_gone)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_ns_enter(self->c.net.a.ns));
	ASSERT_EQ(0, psp_link_del(self->c.net.a.ifindex));
	ASSERT_EQ(0, psp_nl_wait(&self->ntf, PSP_CMD_DEV_DEL_NTF,
				 CONTAINER_MS));
	psp_nl_dev_reply(&self->ntf, &info);
	expect_seen(_metadata, &self->c, &info);
	EXPECT_EQ(-ENODEV, psp_nl_dev_get(self->nl, self->id, &info));

	/* The network device is free for another one */
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	self->id = psp_dev_of(self->host, if_nametoindex("more0"));
	ASSERT_NE(0, self->id);
	EXPECT_EQ(0, psp_nl_dev_assoc_in(self->host, self->id,
					 self->c.pair.a.ifindex,
					 CONTAINER_NSID));
}

/* The container has heard of the beginning and of the end */
static void expect_dropped(struct __test_metadata *_metadata,
			   struct container *c, struct psp_nl *ntf)
{
	struct psp_dev_info info;
	uint32_t id = c->net.a.dev_id;

	ASSERT_EQ(0, psp_nl_wait(ntf, PSP_CMD_DEV_CHANGE_NTF, CONTAINER_MS));
	ASSERT_EQ(0, psp_nl_wait(ntf, PSP_CMD_DEV_CHANGE_NTF, CONTAINER_MS));
	psp_nl_dev_reply(ntf, &info);
	expect_seen(_metadata, c, &info);
	EXPECT_EQ(-ENOENT, psp_nl_dev_get(&c->pair.a.nl, id, &info));
	ASSERT_EQ(0, psp_nl_dev_get(&c->net.a.nl, id, &info));
	EXPECT_EQ(0, info.assocs);
}

TEST_F(assoc_dev, association_ends_with_the_network_device)
{
	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(0, psp_link_del(self->c.pair.a.ifindex));
	expect_dropped(_metadata, &self->c, &self->ntf);
}

TEST_F(assoc_dev, association_ends_when_the_network_device_moves)
{
	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(0, psp_link_move(self->c.pair.a.ifindex, self->c.net.b.ns));
	expect_dropped(_metadata, &self->c, &self->ntf);
	ASSERT_EQ(0, psp_ns_enter(self->c.net.b.ns));
	EXPECT_EQ(0, psp_link_del(if_nametoindex("eth0")));
}

/* Nobody holds it but the device in it */
TEST_F(assoc_dev, association_ends_with_the_namespace)
{
	struct psp_dev_info info;
	uint64_t end;
	int ns;

	ns = psp_ns_new();
	ASSERT_GE(ns, 0);
	ASSERT_EQ(0, psp_ns_enter(self->c.net.a.ns));
	ASSERT_EQ(0, psp_ns_set_id(ns, CONTAINER_NSID + 1));
	ASSERT_EQ(0, psp_link_add_pair("host1", "veth", "eth1", ns));
	ASSERT_EQ(0, psp_ns_enter(ns));
	ASSERT_EQ(0, psp_nl_dev_assoc_in(self->host, self->id,
					 if_nametoindex("eth1"),
					 CONTAINER_NSID + 1));
	ASSERT_EQ(0, psp_ns_enter(self->c.net.home));
	close(ns);

	end = psp_now_ms() + CONTAINER_MS;
	do {
		ASSERT_EQ(0, psp_nl_dev_get(self->host, self->id, &info));
		psp_nap();
	} while (info.assocs && psp_now_ms() < end);
	EXPECT_EQ(0, info.assocs);
}

TEST_F(assoc_dev, association_survives_the_move_of_the_psp_device)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, psp_ns_enter(self->c.net.a.ns));
	ASSERT_EQ(0, psp_link_move(self->c.net.a.ifindex,
				   self->c.pair.a.ns));
	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
	EXPECT_EQ(DEV_ATTRS | ATTR_BIT(DEV_ASSOC_LIST), info.attrs);
	EXPECT_EQ(1, info.assocs);
	EXPECT_EQ(self->c.pair.a.ifindex, info.assoc[0].ifindex);
	EXPECT_EQ(-ENOENT, psp_nl_dev_get(self->host, self->id, &info));

	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	EXPECT_EQ(0, psp_link_del(if_nametoindex("psp0")));
}

FIXTURE(bridge)
{
	struct container c;
	struct psp_conn conn;
};

FIXTURE_VARIANT(bridge)
{
	enum psp_family family;
};

FIXTURE_VARIANT_ADD(bridge, ipv4)
{
	.family = PSP_IPV4,
};

FIXTURE_VARIANT_ADD(bridge, ipv6)
{
	.family = PSP_IPV6,
};

FIXTURE_SETUP(bridge)
{
	ASSERT_EQ(0, container_open(&self->c));
	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, container_bridge(&self->c));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->c.pair,
				   variant->family));
}

FIXTURE_TEARDOWN(bridge)
{
	psp_conn_close(&self->conn);
	container_close(&self->c);
}

/* As containers are joined by the usual tools: the bridge is their gateway */
TEST_F(bridge, is_the_gateway_of_containers)
{
	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
	ASSERT_EQ(0, psp_nl_rotate(&self->c.net.a.nl, self->c.net.a.dev_id));
	ASSERT_EQ(0, psp_nl_rotate(&self->c.net.b.nl, self->c.net.b.dev_id));
	EXPECT_EQ(0, psp_conn_rekey(&self->conn));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(bridge, tells_containers_what_is_too_big)
{
	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	ASSERT_EQ(0, psp_sh(self->c.net.a.ns,
			    "ip route add 10.0.0.2 dev psp0 mtu 1300;"
			    "ip -6 route add fd00::2 dev psp0 mtu 1300"));
	EXPECT_EQ(0, psp_xfer_both(&self->conn, 65536, CONTAINER_MS));
}

TEST_F(bridge, that_is_down_takes_nothing)
{
	uint64_t end = psp_now_ms() + psp_slow_ms(CONTAINER_MS);
	struct psp_end *host = &self->c.net.a;
	struct psp_rekey_stats stats = {};

	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	ASSERT_EQ(0, psp_sh(host->ns, "ip link set br0 down"));
	ASSERT_EQ(1, write(self->conn.a.fd, "x", 1));
	do {
		ASSERT_EQ(0, psp_nl_rekey_stats(&host->nl, host->dev_id,
						&stats));
		psp_nap();
	} while (!stats.drops[PSP_A_DROPS_TX_DEV] && psp_now_ms() < end);
	EXPECT_NE(0, stats.drops[PSP_A_DROPS_TX_DEV]);
}

TEST_HARNESS_MAIN
