// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Sockets with PSP state */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const struct attr_rule assoc_rules[] = {
	[PSP_A_SOCK_DEV_ID]		= { ATTR_U32, .needed = true },
	[PSP_A_SOCK_COOKIE]		= { ATTR_U64, .needed = true },
	[PSP_A_SOCK_FAMILY]		= { ATTR_U16 },
	[PSP_A_SOCK_LOCAL_ADDR]		= { ATTR_BINARY, 16 },
	[PSP_A_SOCK_REMOTE_ADDR]	= { ATTR_BINARY, 16 },
	[PSP_A_SOCK_LOCAL_PORT]		= { ATTR_U16 },
	[PSP_A_SOCK_REMOTE_PORT]	= { ATTR_U16 },
	[PSP_A_SOCK_VERSION]		= { ATTR_U32 },
	[PSP_A_SOCK_STATE]		= { ATTR_U32 },
	[PSP_A_SOCK_RX]			= { ATTR_NEST },
	[PSP_A_SOCK_RX_PREV]		= { ATTR_NEST },
	[PSP_A_SOCK_TX]			= { ATTR_NEST },
	[PSP_A_SOCK_RX_REKEYS]		= { ATTR_U32 },
	[PSP_A_SOCK_TX_REKEYS]		= { ATTR_U32 },
};

static const struct attr_rule key_rules[] = {
	[PSP_A_SOCK_KEY_SPI]		= { ATTR_U32, .needed = true },
	[PSP_A_SOCK_KEY_AGE]		= { ATTR_U32 },
	[PSP_A_SOCK_KEY_ROTATIONS]	= { ATTR_UINT },
	[PSP_A_SOCK_KEY_PACKETS]	= { ATTR_UINT },
};

static const char * const state_names[PSP_STATES_NUM] = {
	[PSP_STATE_RX]		= "rx",
	[PSP_STATE_TX_PENDING]	= "tx-pending",
	[PSP_STATE_TX]		= "tx",
	[PSP_STATE_FULL]	= "full",
};

/* The socket and its keys are one allocation */
struct assoc_entry {
	struct psp_assoc assoc;
	struct psp_assoc_key rx;
	struct psp_assoc_key rx_prev;
	struct psp_assoc_key tx;
};

const char *psp_state_name(unsigned int state)
{
	return state < PSP_STATES_NUM ? state_names[state] : NULL;
}

static int assoc_parse_key(const struct nlattr *nest, struct psp_assoc_key *key,
			   const struct psp_assoc_key **link)
{
	const struct nlattr *tb[ARRAY_SIZE(key_rules)];
	int err;

	if (!nest)
		return 0;
	err = attr_parse_nest(tb, key_rules, ARRAY_SIZE(key_rules), nest);
	if (err)
		return err;
	key->spi = attr_u32(tb[PSP_A_SOCK_KEY_SPI]);
	key->age = attr_u32(tb[PSP_A_SOCK_KEY_AGE]);
	key->rotations = attr_uint(tb[PSP_A_SOCK_KEY_ROTATIONS]);
	key->packets = attr_uint(tb[PSP_A_SOCK_KEY_PACKETS]);
	*link = key;
	return 0;
}

static int assoc_parse_keys(const struct nlattr **tb, struct assoc_entry *entry)
{
	struct psp_assoc *assoc = &entry->assoc;
	int err;

	err = assoc_parse_key(tb[PSP_A_SOCK_RX], &entry->rx, &assoc->rx);
	if (!err)
		err = assoc_parse_key(tb[PSP_A_SOCK_RX_PREV], &entry->rx_prev,
				      &assoc->rx_prev);
	if (!err)
		err = assoc_parse_key(tb[PSP_A_SOCK_TX], &entry->tx,
				      &assoc->tx);
	return err;
}

static void assoc_addr(uint8_t *addr, const struct nlattr *attr)
{
	if (attr)
		memcpy(addr, mnl_attr_get_payload(attr),
		       mnl_attr_get_payload_len(attr));
}

static void assoc_parse_name(const struct nlattr **tb, struct psp_assoc *assoc)
{
	assoc->family = attr_u16(tb[PSP_A_SOCK_FAMILY]);
	assoc->local_port = attr_u16(tb[PSP_A_SOCK_LOCAL_PORT]);
	assoc->remote_port = attr_u16(tb[PSP_A_SOCK_REMOTE_PORT]);
	assoc_addr(assoc->local_addr, tb[PSP_A_SOCK_LOCAL_ADDR]);
	assoc_addr(assoc->remote_addr, tb[PSP_A_SOCK_REMOTE_ADDR]);
}

static uint32_t assoc_u32(const struct nlattr *attr)
{
	return attr ? attr_u32(attr) : PSP_UNKNOWN32;
}

static int assoc_parse(const struct nlmsghdr *nlh, void *list)
{
	const struct nlattr *tb[ARRAY_SIZE(assoc_rules)];
	struct assoc_entry *entry;
	int err;

	err = attr_parse_msg(tb, assoc_rules, ARRAY_SIZE(assoc_rules), nlh);
	if (err)
		return err;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return err_plain(-ENOMEM);
	err = assoc_parse_keys(tb, entry);
	if (err) {
		free(entry);
		return err;
	}

	entry->assoc.dev_id = attr_u32(tb[PSP_A_SOCK_DEV_ID]);
	entry->assoc.cookie = attr_u64(tb[PSP_A_SOCK_COOKIE]);
	entry->assoc.version = assoc_u32(tb[PSP_A_SOCK_VERSION]);
	entry->assoc.state = assoc_u32(tb[PSP_A_SOCK_STATE]);
	entry->assoc.rx_rekeys = attr_u32(tb[PSP_A_SOCK_RX_REKEYS]);
	entry->assoc.tx_rekeys = attr_u32(tb[PSP_A_SOCK_TX_REKEYS]);
	assoc_parse_name(tb, &entry->assoc);
	list_add(list, entry);
	return 0;
}

int psp_assoc_dump(struct psp_ctx *ctx, uint32_t dev_id, uint64_t cookie,
		   struct psp_assoc **assocs)
{
	struct nl_req req;
	struct node *head;
	int err;

	nl_start(&req, PSP_CMD_ASSOC_GET);
	if (dev_id)
		mnl_attr_put_u32(&req.nlh, PSP_A_SOCK_DEV_ID, dev_id);
	if (cookie)
		mnl_attr_put_u64(&req.nlh, PSP_A_SOCK_COOKIE, cookie);
	err = nl_dump(ctx, &req, assoc_parse, &head);
	*assocs = (struct psp_assoc *)head;
	return err;
}

void psp_assoc_free(struct psp_assoc *assocs)
{
	list_free(assocs);
}
