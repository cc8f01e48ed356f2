// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Counters of devices */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

static const struct attr_rule stats_rules[] = {
	[PSP_A_STATS_DEV_ID]		= { ATTR_U32, .needed = true },
	[PSP_A_STATS_KEY_ROTATIONS]	= { ATTR_UINT },
	[PSP_A_STATS_STALE_EVENTS]	= { ATTR_UINT },
	[PSP_A_STATS_RX_PACKETS]	= { ATTR_UINT },
	[PSP_A_STATS_RX_BYTES]		= { ATTR_UINT },
	[PSP_A_STATS_RX_AUTH_FAIL]	= { ATTR_UINT },
	[PSP_A_STATS_RX_ERROR]		= { ATTR_UINT },
	[PSP_A_STATS_RX_BAD]		= { ATTR_UINT },
	[PSP_A_STATS_TX_PACKETS]	= { ATTR_UINT },
	[PSP_A_STATS_TX_BYTES]		= { ATTR_UINT },
	[PSP_A_STATS_TX_ERROR]		= { ATTR_UINT },
};

static const struct attr_rule rekey_rules[] = {
	[PSP_A_REKEY_STATS_DEV_ID]		= { ATTR_U32, .needed = true },
	[PSP_A_REKEY_STATS_RX_REKEYS]		= { ATTR_UINT },
	[PSP_A_REKEY_STATS_TX_REKEYS]		= { ATTR_UINT },
	[PSP_A_REKEY_STATS_TX_KEYS]		= { ATTR_UINT },
	[PSP_A_REKEY_STATS_TX_KEYS_RETIRED]	= { ATTR_UINT },
	[PSP_A_REKEY_STATS_TX_KEYS_DELETED]	= { ATTR_UINT },
	[PSP_A_REKEY_STATS_DROPS]		= { ATTR_NEST },
};

/* By attribute; the first is none */
static const char * const drop_names[] = {
	[PSP_A_DROPS_PLAIN_DATA]	= "plain-data",
	[PSP_A_DROPS_PLAIN_FULL]	= "plain-full",
	[PSP_A_DROPS_NO_STATE]		= "no-state",
	[PSP_A_DROPS_RX_DEV]		= "rx-dev",
	[PSP_A_DROPS_RX_FRAGMENT]	= "rx-fragment",
	[PSP_A_DROPS_RX_HEADERS]	= "rx-headers",
	[PSP_A_DROPS_REDIRECTED]	= "redirected",
	[PSP_A_DROPS_RX_MALFORMED]	= "rx-malformed",
	[PSP_A_DROPS_RX_NO_ASSOC]	= "rx-no-assoc",
	[PSP_A_DROPS_RX_VERSION]	= "rx-version",
	[PSP_A_DROPS_RX_TUPLE]		= "rx-tuple",
	[PSP_A_DROPS_TX_DEV]		= "tx-dev",
	[PSP_A_DROPS_TX_HEADERS]	= "tx-headers",
	[PSP_A_DROPS_TX_COPY]		= "tx-copy",
	[PSP_A_DROPS_TX_REPLY]		= "tx-reply",
	[PSP_A_DROPS_TX_PEER]		= "tx-peer",
};

#define DROPS	(ARRAY_SIZE(drop_names) - 1)

/* Reasons that the library has a name for, or the counter has none */
struct rekey_entry {
	struct psp_rekey_stats stats;
	uint64_t drops[DROPS];
};

const char *psp_drop_name(unsigned int index)
{
	return index < DROPS ? drop_names[index + 1] : NULL;
}

static int stats_parse(const struct nlmsghdr *nlh, void *list)
{
	const struct nlattr *tb[ARRAY_SIZE(stats_rules)];
	struct psp_stats *stats;
	int err;

	err = attr_parse_msg(tb, stats_rules, ARRAY_SIZE(stats_rules), nlh);
	if (err)
		return err;
	stats = malloc(sizeof(*stats));
	if (!stats)
		return err_plain(-ENOMEM);

	*stats = (struct psp_stats){
		.dev_id		= attr_u32(tb[PSP_A_STATS_DEV_ID]),
		.key_rotations	= attr_uint(tb[PSP_A_STATS_KEY_ROTATIONS]),
		.stale_events	= attr_uint(tb[PSP_A_STATS_STALE_EVENTS]),
		.rx_packets	= attr_uint(tb[PSP_A_STATS_RX_PACKETS]),
		.rx_bytes	= attr_uint(tb[PSP_A_STATS_RX_BYTES]),
		.rx_auth_fail	= attr_uint(tb[PSP_A_STATS_RX_AUTH_FAIL]),
		.rx_error	= attr_uint(tb[PSP_A_STATS_RX_ERROR]),
		.rx_bad		= attr_uint(tb[PSP_A_STATS_RX_BAD]),
		.tx_packets	= attr_uint(tb[PSP_A_STATS_TX_PACKETS]),
		.tx_bytes	= attr_uint(tb[PSP_A_STATS_TX_BYTES]),
		.tx_error	= attr_uint(tb[PSP_A_STATS_TX_ERROR]),
	};
	list_add(list, stats);
	return 0;
}

static int rekey_parse_drops(const struct nlattr *nest, uint64_t *drops)
{
	struct attr_rule rules[ARRAY_SIZE(drop_names)] = { };
	const struct nlattr *tb[ARRAY_SIZE(drop_names)];
	unsigned int i;
	int err;

	for (i = 0; i < DROPS; i++) {
		rules[i + 1].kind = ATTR_UINT;
		drops[i] = PSP_UNKNOWN;
	}
	if (!nest)
		return 0;
	err = attr_parse_nest(tb, rules, ARRAY_SIZE(rules), nest);
	for (i = 0; !err && i < DROPS; i++)
		drops[i] = attr_uint(tb[i + 1]);
	return err;
}

static int rekey_parse(const struct nlmsghdr *nlh, void *list)
{
	const struct nlattr *tb[ARRAY_SIZE(rekey_rules)];
	struct rekey_entry *entry;
	int err;

	err = attr_parse_msg(tb, rekey_rules, ARRAY_SIZE(rekey_rules), nlh);
	if (err)
		return err;
	entry = malloc(sizeof(*entry));
	if (!entry)
		return err_plain(-ENOMEM);
	err = rekey_parse_drops(tb[PSP_A_REKEY_STATS_DROPS], entry->drops);
	if (err) {
		free(entry);
		return err;
	}

	entry->stats = (struct psp_rekey_stats){
		.dev_id	   = attr_u32(tb[PSP_A_REKEY_STATS_DEV_ID]),
		.rx_rekeys = attr_uint(tb[PSP_A_REKEY_STATS_RX_REKEYS]),
		.tx_rekeys = attr_uint(tb[PSP_A_REKEY_STATS_TX_REKEYS]),
		.tx_keys   = attr_uint(tb[PSP_A_REKEY_STATS_TX_KEYS]),
		.tx_keys_retired =
			attr_uint(tb[PSP_A_REKEY_STATS_TX_KEYS_RETIRED]),
		.tx_keys_deleted =
			attr_uint(tb[PSP_A_REKEY_STATS_TX_KEYS_DELETED]),
		.num_drops = DROPS,
		.drops	   = entry->drops,
	};
	list_add(list, entry);
	return 0;
}

int psp_stats_get(struct psp_ctx *ctx, uint32_t id, struct psp_stats **stats)
{
	struct node *head;
	int err = nl_get(ctx, PSP_CMD_GET_STATS, PSP_A_STATS_DEV_ID, id,
			 stats_parse, &head);

	*stats = (struct psp_stats *)head;
	return err;
}

int psp_stats_dump(struct psp_ctx *ctx, struct psp_stats **stats)
{
	struct node *head;
	int err = nl_dump_all(ctx, PSP_CMD_GET_STATS, stats_parse, &head);

	*stats = (struct psp_stats *)head;
	return err;
}

void psp_stats_free(struct psp_stats *stats)
{
	list_free(stats);
}

int psp_rekey_stats_get(struct psp_ctx *ctx, uint32_t id,
			struct psp_rekey_stats **stats)
{
	struct node *head;
	int err = nl_get(ctx, PSP_CMD_REKEY_STATS_GET,
			 PSP_A_REKEY_STATS_DEV_ID, id, rekey_parse, &head);

	*stats = (struct psp_rekey_stats *)head;
	return err;
}

int psp_rekey_stats_dump(struct psp_ctx *ctx, struct psp_rekey_stats **stats)
{
	struct node *head;
	int err = nl_dump_all(ctx, PSP_CMD_REKEY_STATS_GET, rekey_parse, &head);

	*stats = (struct psp_rekey_stats *)head;
	return err;
}

void psp_rekey_stats_free(struct psp_rekey_stats *stats)
{
	list_free(stats);
}
