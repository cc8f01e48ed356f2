// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* A kernel with PSP devices 1, on the loopback interface, and 7, elsewhere */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static const uint8_t world_cmds[] = {
	PSP_CMD_DEV_GET, PSP_CMD_DEV_SET, PSP_CMD_KEY_ROTATE, PSP_CMD_RX_ASSOC,
	PSP_CMD_TX_ASSOC, PSP_CMD_GET_STATS, PSP_CMD_DEV_ASSOC,
	PSP_CMD_DEV_DISASSOC, PSP_CMD_REKEY_STATS_GET, PSP_CMD_ASSOC_GET,
};

static const char * const world_groups[] = {
	PSP_MCGRP_MGMT, PSP_MCGRP_USE, PSP_MCGRP_ASSOC,
};

static void world_ops(struct nlmsghdr *nlh)
{
	struct nlattr *list = mnl_attr_nest_start(nlh, CTRL_ATTR_OPS), *op;
	unsigned int i;

	for (i = 0; i < sizeof(world_cmds); i++) {
		if (fake.mainline && world_cmds[i] >= PSP_CMD_REKEY_STATS_GET)
			continue;
		op = mnl_attr_nest_start(nlh, i + 1);
		mnl_attr_put_u32(nlh, CTRL_ATTR_OP_ID, world_cmds[i]);
		mnl_attr_put_u32(nlh, CTRL_ATTR_OP_FLAGS, 0);
		mnl_attr_nest_end(nlh, op);
	}
	mnl_attr_nest_end(nlh, list);
}

static void world_family(void)
{
	struct nlmsghdr *nlh = fake_msg(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	struct nlattr *list, *group;
	int i;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, PSP_FAMILY_NAME);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, FAKE_FAMILY);
	world_ops(nlh);
	list = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	for (i = 0; i < (fake.mainline ? 2 : 3); i++) {
		group = mnl_attr_nest_start(nlh, i + 1);
		mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, i + 1);
		mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME,
				  world_groups[i]);
		mnl_attr_nest_end(nlh, group);
	}
	mnl_attr_nest_end(nlh, list);
	fake_done();
}

/* Attributes nobody knows are in everything that may be asked for */
static void world_unknown(struct nlmsghdr *nlh)
{
	mnl_attr_put_strz(nlh, 63, "from the future");
	mnl_attr_put(nlh, 200, 0, NULL);
}

static void world_assoc(struct nlmsghdr *nlh, uint32_t ifindex, int32_t nsid)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, PSP_A_DEV_ASSOC_LIST);

	mnl_attr_put_u32(nlh, PSP_A_ASSOC_DEV_INFO_IFINDEX, ifindex);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_DEV_INFO_NSID, nsid);
	mnl_attr_nest_end(nlh, nest);
}

/* The owner of a device is told an id of each namespace, also of his own */
static void world_dev(uint32_t id, uint8_t cmd)
{
	struct nlmsghdr *nlh = fake_msg(FAKE_FAMILY, cmd);

	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	mnl_attr_put_u32(nlh, PSP_A_DEV_IFINDEX, id == 1 ? 1 : 99999);
	mnl_attr_put_u32(nlh, PSP_A_DEV_PSP_VERSIONS_CAP, 0xf);
	mnl_attr_put_u32(nlh, PSP_A_DEV_PSP_VERSIONS_ENA, id == 1 ? 0x3 : 0);
	world_unknown(nlh);
	if (id == 7) {
		mnl_attr_put(nlh, PSP_A_DEV_BY_ASSOCIATION, 0, NULL);
		world_assoc(nlh, 88888, -1);
		world_assoc(nlh, 88889, -1);
	} else {
		world_assoc(nlh, 66666, 3);
		world_assoc(nlh, 77777, FAKE_NSID);
	}
	fake_done();
}

static void world_stats(uint32_t id)
{
	struct nlmsghdr *nlh = fake_msg(FAKE_FAMILY, PSP_CMD_GET_STATS);
	uint16_t type;

	mnl_attr_put_u32(nlh, PSP_A_STATS_DEV_ID, id);
	for (type = PSP_A_STATS_KEY_ROTATIONS; type <= PSP_A_STATS_MAX; type++)
		mnl_attr_put_u32(nlh, type, 100 * id + type + 10 * fake.sent);
	world_unknown(nlh);
	fake_done();
}

static void world_rekey_stats(uint32_t id)
{
	struct nlmsghdr *nlh = fake_msg(FAKE_FAMILY, PSP_CMD_REKEY_STATS_GET);
	struct nlattr *nest;
	uint16_t type;

	mnl_attr_put_u32(nlh, PSP_A_REKEY_STATS_DEV_ID, id);
	for (type = PSP_A_REKEY_STATS_RX_REKEYS;
	     type < PSP_A_REKEY_STATS_DROPS; type++)
		mnl_attr_put_u64(nlh, type, 1000000000000 + type);
	nest = mnl_attr_nest_start(nlh, PSP_A_REKEY_STATS_DROPS);
	for (type = 1; type <= PSP_A_DROPS_MAX; type++)
		mnl_attr_put_u32(nlh, type, type == 3 ? 33 : 0);
	mnl_attr_nest_end(nlh, nest);
	fake_done();
}

static void world_sock_key(struct nlmsghdr *nlh, uint16_t nest, uint32_t spi,
			   bool rx)
{
	struct nlattr *start = mnl_attr_nest_start(nlh, nest);

	mnl_attr_put_u32(nlh, PSP_A_SOCK_KEY_SPI, spi);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_KEY_AGE, 75);
	if (rx) {
		mnl_attr_put_u32(nlh, PSP_A_SOCK_KEY_ROTATIONS, 1);
		mnl_attr_put_u32(nlh, PSP_A_SOCK_KEY_PACKETS, 12);
	}
	mnl_attr_nest_end(nlh, start);
}

static struct nlmsghdr *world_sock(uint64_t cookie, uint32_t state)
{
	struct nlmsghdr *nlh = fake_msg(FAKE_FAMILY, PSP_CMD_ASSOC_GET);

	mnl_attr_put_u32(nlh, PSP_A_SOCK_DEV_ID, 1);
	mnl_attr_put_u64(nlh, PSP_A_SOCK_COOKIE, cookie);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_VERSION, 1);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_STATE, state);
	world_sock_key(nlh, PSP_A_SOCK_RX, 0x80000011, true);
	return nlh;
}

/* One that is not connected, one that is */
static void world_socks(void)
{
	const struct in6_addr local = { { { 0xfd, [15] = 1 } } };
	const struct in6_addr remote = { { { 0xfd, [15] = 2 } } };
	const char *more = getenv("FAKE_SOCKS");
	struct nlmsghdr *nlh;
	int i;

	world_sock(5, PSP_SOCK_STATE_RX);
	fake_done();
	for (i = 0; more && i < atoi(more); i++) {
		world_sock(100 + i, PSP_SOCK_STATE_RX);
		fake_done();
	}
	nlh = world_sock(6, PSP_SOCK_STATE_FULL);
	mnl_attr_put_u16(nlh, PSP_A_SOCK_FAMILY, AF_INET6);
	mnl_attr_put(nlh, PSP_A_SOCK_LOCAL_ADDR, 16, &local);
	mnl_attr_put(nlh, PSP_A_SOCK_REMOTE_ADDR, 16, &remote);
	mnl_attr_put_u16(nlh, PSP_A_SOCK_LOCAL_PORT, 4433);
	mnl_attr_put_u16(nlh, PSP_A_SOCK_REMOTE_PORT, 55555);
	world_sock_key(nlh, PSP_A_SOCK_RX_PREV, 0x10, true);
	world_sock_key(nlh, PSP_A_SOCK_TX, 0x22, false);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_RX_REKEYS, 3);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_TX_REKEYS, 4);
	world_unknown(nlh);
	fake_done();
}

/* Bytes of the socket that is connected; each time it has sent more */
static void world_tcp(uint8_t family)
{
	struct tcp_info info = { };
	struct inet_diag_msg *diag;
	struct nlmsghdr *nlh;

	if (family == AF_INET6) {
		nlh = fake_msg(SOCK_DIAG_BY_FAMILY, 0);
		nlh->nlmsg_len = NLMSG_HDRLEN;
		diag = mnl_nlmsg_put_extra_header(nlh, sizeof(*diag));
		diag->idiag_family = family;
		diag->id.idiag_cookie[0] = 6;
		info.tcpi_bytes_received = 5000;
		info.tcpi_bytes_acked = 1000000ULL * fake.sent;
		mnl_attr_put(nlh, INET_DIAG_INFO, sizeof(info), &info);
		fake_done();
	}
	fake_end(0);
}

static void world_dump(uint8_t cmd)
{
	switch (cmd) {
	case PSP_CMD_DEV_GET:
		world_dev(1, cmd);
		world_dev(7, cmd);
		break;
	case PSP_CMD_GET_STATS:
		world_stats(1);
		world_stats(7);
		break;
	case PSP_CMD_REKEY_STATS_GET:
		world_rekey_stats(1);
		world_rekey_stats(7);
		break;
	case PSP_CMD_ASSOC_GET:
		world_socks();
		break;
	}
	fake_end(0);
}

static void world_refuse(int err, const char *msg)
{
	struct nlmsghdr *nlh = fake_error(err);

	if (msg)
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, msg);
	fake_done();
}

static void world_one(uint8_t cmd, uint32_t id)
{
	struct nlmsghdr *nlh;

	switch (cmd) {
	case PSP_CMD_DEV_GET:
		world_dev(id, cmd);
		break;
	case PSP_CMD_GET_STATS:
		world_stats(id);
		break;
	case PSP_CMD_REKEY_STATS_GET:
		world_rekey_stats(id);
		break;
	case PSP_CMD_RX_ASSOC:
		nlh = fake_msg(FAKE_FAMILY, cmd);
		mnl_attr_put_u32(nlh, PSP_A_ASSOC_DEV_ID, 1);
		fake_put_key(nlh, PSP_A_ASSOC_RX_KEY, 16);
		fake_done();
		break;
	}
	fake_error(0);
}

void fake_world(void)
{
	const struct genlmsghdr *genlh = mnl_nlmsg_get_payload(&fake.req.nlh);
	const struct nlattr *attr;
	uint32_t id = 1;

	if (fake.req.nlh.nlmsg_type == GENL_ID_CTRL) {
		if (fake.absent)
			return world_refuse(-ENOENT, NULL);
		world_family();
		fake_error(0);
		return;
	}
	if (fake.req.nlh.nlmsg_type == SOCK_DIAG_BY_FAMILY)
		return world_tcp(*(uint8_t *)genlh);
	if (fake.refuse)
		return world_refuse(-fake.refuse, NULL);
	if (fake.req.nlh.nlmsg_flags & NLM_F_DUMP && fake_is_busy())
		return world_refuse(-EAGAIN, NULL);
	if (fake.req.nlh.nlmsg_flags & NLM_F_DUMP)
		return world_dump(genlh->cmd);

	mnl_attr_for_each(attr, &fake.req.nlh, sizeof(*genlh))
		if (mnl_attr_get_type(attr) == PSP_A_DEV_ID)
			id = mnl_attr_get_u32(attr);
	if (id != 1 && id != 7)
		return world_refuse(-ENODEV, "No such PSP device");
	world_one(genlh->cmd, id);
}

void fake_world_events(void)
{
	struct nlmsghdr *nlh;

	world_dev(1, PSP_CMD_DEV_ADD_NTF);
	world_dev(1, PSP_CMD_DEV_CHANGE_NTF);
	nlh = fake_msg(FAKE_FAMILY, PSP_CMD_KEY_ROTATE_NTF);
	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, 1);
	fake_done();
	nlh = fake_msg(FAKE_FAMILY, PSP_CMD_ASSOC_STALE_NTF);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_DEV_ID, 1);
	mnl_attr_put_u64(nlh, PSP_A_SOCK_COOKIE, 5);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_SPI, 0x80000011);
	fake_done();
	fake_fail(ENOBUFS);
	world_dev(1, PSP_CMD_DEV_DEL_NTF);
}
