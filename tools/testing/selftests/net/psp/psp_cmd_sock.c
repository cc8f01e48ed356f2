// SPDX-License-Identifier: GPL-2.0
/* What is told about sockets: assoc-get, assoc-stale-ntf, sock_diag */
#include <errno.h>
#include <string.h>

#include "psp_nl.h"

struct psp_sock_list {
	struct psp_sock_info *socks;
	int max;
	int num;
};

static void psp_sock_parse_key(const struct nlattr *nest,
			       struct psp_sock_key *key)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		key->attrs |= 1ULL << (mnl_attr_get_type(attr) & 63);
		switch (mnl_attr_get_type(attr)) {
		case PSP_A_SOCK_KEY_SPI:
			key->spi = mnl_attr_get_u32(attr);
			break;
		case PSP_A_SOCK_KEY_AGE:
			key->age = mnl_attr_get_u32(attr);
			break;
		case PSP_A_SOCK_KEY_ROTATIONS:
			key->rotations = psp_nl_attr_uint(attr);
			break;
		case PSP_A_SOCK_KEY_PACKETS:
			key->packets = psp_nl_attr_uint(attr);
			break;
		}
	}
}

static void psp_sock_parse_addr(const struct nlattr *attr, uint8_t *addr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(addr, mnl_attr_get_payload(attr), len < 16 ? len : 16);
}

/* Whose socket it is; false for the other attributes */
static bool psp_sock_parse_name(const struct nlattr *attr,
				struct psp_sock_info *info)
{
	switch (mnl_attr_get_type(attr)) {
	case PSP_A_SOCK_DEV_ID:
		info->dev_id = mnl_attr_get_u32(attr);
		return true;
	case PSP_A_SOCK_COOKIE:
		info->cookie = mnl_attr_get_u64(attr);
		return true;
	case PSP_A_SOCK_FAMILY:
		info->family = mnl_attr_get_u16(attr);
		return true;
	case PSP_A_SOCK_LOCAL_ADDR:
		psp_sock_parse_addr(attr, info->laddr);
		return true;
	case PSP_A_SOCK_REMOTE_ADDR:
		psp_sock_parse_addr(attr, info->raddr);
		return true;
	case PSP_A_SOCK_LOCAL_PORT:
		info->lport = mnl_attr_get_u16(attr);
		return true;
	case PSP_A_SOCK_REMOTE_PORT:
		info->rport = mnl_attr_get_u16(attr);
		return true;
	}
	return false;
}

static void psp_sock_parse_state(const struct nlattr *attr,
				 struct psp_sock_info *info)
{
	switch (mnl_attr_get_type(attr)) {
	case PSP_A_SOCK_VERSION:
		info->version = mnl_attr_get_u32(attr);
		break;
	case PSP_A_SOCK_STATE:
		info->state = mnl_attr_get_u32(attr);
		break;
	case PSP_A_SOCK_RX:
		psp_sock_parse_key(attr, &info->rx);
		break;
	case PSP_A_SOCK_RX_PREV:
		psp_sock_parse_key(attr, &info->rx_prev);
		break;
	case PSP_A_SOCK_TX:
		psp_sock_parse_key(attr, &info->tx);
		break;
	case PSP_A_SOCK_RX_REKEYS:
		info->rx_rekeys = mnl_attr_get_u32(attr);
		break;
	case PSP_A_SOCK_TX_REKEYS:
		info->tx_rekeys = mnl_attr_get_u32(attr);
		break;
	case PSP_A_SOCK_SPI:
		info->spi = mnl_attr_get_u32(attr);
		break;
	}
}

static void psp_sock_parse_one(const struct nlattr *attr,
			       struct psp_sock_info *info)
{
	info->attrs |= 1ULL << (mnl_attr_get_type(attr) & 63);
	if (!psp_sock_parse_name(attr, info))
		psp_sock_parse_state(attr, info);
}

void psp_nl_sock_parse(const struct nlmsghdr *nlh, struct psp_sock_info *info)
{
	const struct nlattr *attr;

	memset(info, 0, sizeof(*info));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		psp_sock_parse_one(attr, info);
}

void psp_nl_sock_parse_nest(const struct nlattr *nest,
			    struct psp_sock_info *info)
{
	const struct nlattr *attr;

	memset(info, 0, sizeof(*info));
	mnl_attr_for_each_nested(attr, nest)
		psp_sock_parse_one(attr, info);
}

static int psp_sock_cb(const struct nlmsghdr *nlh, void *data)
{
	struct psp_sock_list *list = data;

	if (list->num < list->max)
		psp_nl_sock_parse(nlh, &list->socks[list->num]);
	list->num++;
	return 0;
}

void psp_nl_assoc_get_start(struct psp_nl *nl, uint32_t dev_id,
			    uint64_t cookie)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_ASSOC_GET);

	if (dev_id)
		mnl_attr_put_u32(nlh, PSP_A_SOCK_DEV_ID, dev_id);
	if (cookie)
		mnl_attr_put_u64(nlh, PSP_A_SOCK_COOKIE, cookie);
}

int psp_nl_assoc_get(struct psp_nl *nl, uint32_t dev_id, uint64_t cookie,
		     struct psp_sock_info *socks, int max)
{
	struct psp_sock_list list = { .socks = socks, .max = max };
	int err;

	psp_nl_assoc_get_start(nl, dev_id, cookie);
	err = psp_nl_dump(nl, psp_sock_cb, &list);
	return err ? err : list.num;
}
