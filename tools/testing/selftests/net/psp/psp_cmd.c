// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family "psp": one function for each command */
#include <errno.h>
#include <linux/psp.h>
#include <string.h>

#include "psp_nl.h"

struct psp_dev_list {
	struct psp_dev_info *info;
	int max;
	int num;
};

struct psp_stats_list {
	struct psp_stats *stats;
	int max;
	int num;
};

unsigned int psp_key_len(uint32_t version)
{
	return version == PSP_VERSION_HDR0_AES_GCM_256 ||
	       version == PSP_VERSION_HDR0_AES_GMAC_256 ? 32 : 16;
}

uint64_t psp_nl_attr_uint(const struct nlattr *attr)
{
	if (mnl_attr_get_payload_len(attr) == sizeof(uint64_t))
		return mnl_attr_get_u64(attr);
	return mnl_attr_get_u32(attr);
}

static void psp_cmd_assoc_parse(const struct nlattr *nest,
				struct psp_assoc_info *assoc)
{
	const struct nlattr *attr;

	memset(assoc, 0, sizeof(*assoc));
	mnl_attr_for_each_nested(attr, nest) {
		assoc->attrs |= 1ULL << mnl_attr_get_type(attr);
		if (mnl_attr_get_type(attr) == PSP_A_ASSOC_DEV_INFO_IFINDEX)
			assoc->ifindex = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == PSP_A_ASSOC_DEV_INFO_NSID)
			assoc->nsid = mnl_attr_get_u32(attr);
	}
}

static void psp_cmd_dev_parse(const struct nlmsghdr *nlh,
			      struct psp_dev_info *info)
{
	const struct nlattr *attr;

	memset(info, 0, sizeof(*info));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		info->attrs |= 1ULL << mnl_attr_get_type(attr);
		switch (mnl_attr_get_type(attr)) {
		case PSP_A_DEV_ID:
			info->id = mnl_attr_get_u32(attr);
			break;
		case PSP_A_DEV_IFINDEX:
			info->ifindex = mnl_attr_get_u32(attr);
			break;
		case PSP_A_DEV_PSP_VERSIONS_CAP:
			info->cap = mnl_attr_get_u32(attr);
			break;
		case PSP_A_DEV_PSP_VERSIONS_ENA:
			info->ena = mnl_attr_get_u32(attr);
			break;
		case PSP_A_DEV_ASSOC_LIST:
			if (info->assocs < PSP_ASSOC_DEVS_MAX)
				psp_cmd_assoc_parse(attr,
						    &info->assoc[info->assocs]);
			info->assocs++;
			break;
		}
	}
}

int psp_nl_dev_get(struct psp_nl *nl, uint32_t id, struct psp_dev_info *info)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_DEV_GET);
	int err;

	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	err = psp_nl_do(nl);
	if (err)
		return err;
	if (psp_nl_reply_cmd(nl) != PSP_CMD_DEV_GET)
		return -EPROTO;
	psp_cmd_dev_parse((const struct nlmsghdr *)nl->reply, info);
	return 0;
}

static int psp_cmd_dev_cb(const struct nlmsghdr *nlh, void *data)
{
	struct psp_dev_list *list = data;

	if (list->num < list->max)
		psp_cmd_dev_parse(nlh, &list->info[list->num]);
	list->num++;
	return 0;
}

int psp_nl_dev_dump(struct psp_nl *nl, struct psp_dev_info *info, int max)
{
	struct psp_dev_list list = { .info = info, .max = max };
	int err;

	psp_nl_start(nl, PSP_CMD_DEV_GET);
	err = psp_nl_dump(nl, psp_cmd_dev_cb, &list);
	return err ? err : list.num;
}

int psp_nl_dev_set(struct psp_nl *nl, uint32_t id, uint32_t versions)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_DEV_SET);

	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	mnl_attr_put_u32(nlh, PSP_A_DEV_PSP_VERSIONS_ENA, versions);
	return psp_nl_do(nl);
}

int psp_nl_rotate(struct psp_nl *nl, uint32_t id)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_KEY_ROTATE);

	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	return psp_nl_do(nl);
}

static int psp_cmd_assoc(struct psp_nl *nl, uint8_t cmd, uint32_t id,
			 int ifindex, const int32_t *nsid)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, cmd);

	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	mnl_attr_put_u32(nlh, PSP_A_DEV_IFINDEX, ifindex);
	if (nsid)
		mnl_attr_put_u32(nlh, PSP_A_DEV_NSID, *nsid);
	return psp_nl_do(nl);
}

int psp_nl_dev_assoc(struct psp_nl *nl, uint32_t id, int ifindex)
{
	return psp_cmd_assoc(nl, PSP_CMD_DEV_ASSOC, id, ifindex, NULL);
}

int psp_nl_dev_assoc_in(struct psp_nl *nl, uint32_t id, int ifindex,
			int32_t nsid)
{
	return psp_cmd_assoc(nl, PSP_CMD_DEV_ASSOC, id, ifindex, &nsid);
}

int psp_nl_dev_disassoc(struct psp_nl *nl, uint32_t id, int ifindex)
{
	return psp_cmd_assoc(nl, PSP_CMD_DEV_DISASSOC, id, ifindex, NULL);
}

int psp_nl_dev_disassoc_in(struct psp_nl *nl, uint32_t id, int ifindex,
			   int32_t nsid)
{
	return psp_cmd_assoc(nl, PSP_CMD_DEV_DISASSOC, id, ifindex, &nsid);
}

void psp_nl_dev_reply(const struct psp_nl *nl, struct psp_dev_info *info)
{
	psp_cmd_dev_parse((const struct nlmsghdr *)nl->reply, info);
}

static int psp_cmd_key_parse(const struct nlattr *nest, struct psp_key *key)
{
	const struct nlattr *attr;

	if (!nest)
		return -EPROTO;
	memset(key, 0, sizeof(*key));
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case PSP_A_KEYS_SPI:
			key->spi = mnl_attr_get_u32(attr);
			break;
		case PSP_A_KEYS_KEY:
			key->len = mnl_attr_get_payload_len(attr);
			if (key->len > sizeof(key->key))
				return -EPROTO;
			memcpy(key->key, mnl_attr_get_payload(attr), key->len);
			break;
		}
	}
	return key->spi && key->len ? 0 : -EPROTO;
}

int psp_nl_rx_assoc(struct psp_nl *nl, uint32_t dev_id, uint32_t version,
		    int fd, struct psp_key *key)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_RX_ASSOC);
	int err;

	if (dev_id)
		mnl_attr_put_u32(nlh, PSP_A_ASSOC_DEV_ID, dev_id);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_VERSION, version);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, fd);
	err = psp_nl_do(nl);
	if (err)
		return err;
	return psp_cmd_key_parse(psp_nl_reply_attr(nl, PSP_A_ASSOC_RX_KEY),
				 key);
}

int psp_nl_tx_assoc(struct psp_nl *nl, uint32_t dev_id, uint32_t version,
		    int fd, const struct psp_key *key)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_TX_ASSOC);

	if (dev_id)
		mnl_attr_put_u32(nlh, PSP_A_ASSOC_DEV_ID, dev_id);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_VERSION, version);
	psp_nl_put_key(nlh, PSP_A_ASSOC_TX_KEY, key);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, fd);
	return psp_nl_do(nl);
}

static void psp_cmd_stats_parse(const struct nlmsghdr *nlh,
				struct psp_stats *stats)
{
	const struct nlattr *attr;
	uint16_t type;

	memset(stats, 0, sizeof(*stats));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		type = mnl_attr_get_type(attr);
		stats->attrs |= 1ULL << type;
		if (type <= PSP_A_STATS_MAX)
			stats->val[type] = psp_nl_attr_uint(attr);
	}
}

int psp_nl_stats(struct psp_nl *nl, uint32_t id, struct psp_stats *stats)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_GET_STATS);
	int err;

	mnl_attr_put_u32(nlh, PSP_A_STATS_DEV_ID, id);
	err = psp_nl_do(nl);
	if (err)
		return err;
	if (psp_nl_reply_cmd(nl) != PSP_CMD_GET_STATS)
		return -EPROTO;
	psp_cmd_stats_parse((const struct nlmsghdr *)nl->reply, stats);
	return 0;
}

static int psp_cmd_stats_cb(const struct nlmsghdr *nlh, void *data)
{
	struct psp_stats_list *list = data;

	if (list->num < list->max)
		psp_cmd_stats_parse(nlh, &list->stats[list->num]);
	list->num++;
	return 0;
}

int psp_nl_stats_dump(struct psp_nl *nl, struct psp_stats *stats, int max)
{
	struct psp_stats_list list = { .stats = stats, .max = max };
	int err;

	psp_nl_start(nl, PSP_CMD_GET_STATS);
	err = psp_nl_dump(nl, psp_cmd_stats_cb, &list);
	return err ? err : list.num;
}
