// SPDX-License-Identifier: GPL-2.0
/* The commands that mainline does not have */
#include <errno.h>
#include <string.h>

#include "psp_nl.h"

struct psp_rekey_list {
	struct psp_rekey_stats *stats;
	int max;
	int num;
};

static void psp_rekey_parse_drops(const struct nlattr *nest,
				  struct psp_rekey_stats *stats)
{
	const struct nlattr *attr;
	uint16_t type;

	mnl_attr_for_each_nested(attr, nest) {
		type = mnl_attr_get_type(attr);
		stats->drop_attrs |= 1ULL << type;
		if (type <= PSP_A_DROPS_MAX)
			stats->drops[type] = psp_nl_attr_uint(attr);
	}
}

static void psp_rekey_parse(const struct nlmsghdr *nlh,
			    struct psp_rekey_stats *stats)
{
	const struct nlattr *attr;
	uint16_t type;

	memset(stats, 0, sizeof(*stats));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		type = mnl_attr_get_type(attr);
		stats->attrs |= 1ULL << type;
		if (type == PSP_A_REKEY_STATS_DROPS)
			psp_rekey_parse_drops(attr, stats);
		else if (type <= PSP_A_REKEY_STATS_MAX)
			stats->val[type] = psp_nl_attr_uint(attr);
	}
}

int psp_nl_rekey_stats(struct psp_nl *nl, uint32_t id,
		       struct psp_rekey_stats *stats)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, PSP_CMD_REKEY_STATS_GET);
	int err;

	mnl_attr_put_u32(nlh, PSP_A_REKEY_STATS_DEV_ID, id);
	err = psp_nl_do(nl);
	if (err)
		return err;
	if (psp_nl_reply_cmd(nl) != PSP_CMD_REKEY_STATS_GET)
		return -EPROTO;
	psp_rekey_parse((const struct nlmsghdr *)nl->reply, stats);
	return 0;
}

static int psp_rekey_cb(const struct nlmsghdr *nlh, void *data)
{
	struct psp_rekey_list *list = data;

	if (list->num < list->max)
		psp_rekey_parse(nlh, &list->stats[list->num]);
	list->num++;
	return 0;
}

int psp_nl_rekey_stats_dump(struct psp_nl *nl, struct psp_rekey_stats *stats,
			    int max)
{
	struct psp_rekey_list list = { .stats = stats, .max = max };
	int err;

	psp_nl_start(nl, PSP_CMD_REKEY_STATS_GET);
	err = psp_nl_dump(nl, psp_rekey_cb, &list);
	return err ? err : list.num;
}
