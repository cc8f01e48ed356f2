// SPDX-License-Identifier: GPL-2.0
/* pspctl assoc: sockets with PSP state, as ss shows sockets */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pspctl.h"

static void key_text(const char *name, const struct psp_assoc_key *key)
{
	if (!key)
		return;
	printf("    %-8s spi 0x%08x age %us", name, key->spi, key->age);
	if (key->rotations != PSP_UNKNOWN)
		printf(" rotations %llu", ULL(key->rotations));
	if (key->packets != PSP_UNKNOWN)
		printf(" packets %llu", ULL(key->packets));
	if (key_is_stale(key)) {
		putchar(' ');
		out_text(COLOR_BAD, "stale");
	}
	putchar('\n');
}

static void assoc_text(const struct psp_assoc *assoc)
{
	char local[ADDR_MAX], remote[ADDR_MAX];

	assoc_end(assoc, assoc->local_addr, assoc->local_port, local);
	assoc_end(assoc, assoc->remote_addr, assoc->remote_port, remote);
	out_column(assoc->state == PSP_STATE_FULL ? COLOR_GOOD : COLOR_NONE,
		   11, "%s", known_or(psp_state_name(assoc->state)));
	out_column(COLOR_NAME, 9, "%s", dev_name(assoc->dev_id));
	out_column(COLOR_NONE, 19, "%s",
		   known_or(psp_version_name(assoc->version)));
	out_column(COLOR_ADDR, 23, "%s", local);
	putchar(' ');
	out_column(COLOR_ADDR, 23, "%s", remote);
	printf(" %llu\n", ULL(assoc->cookie));
	key_text("rx", assoc->rx);
	key_text("rx-prev", assoc->rx_prev);
	key_text("tx", assoc->tx);
	printf("    rekeys   rx %u tx %u\n", assoc->rx_rekeys,
	       assoc->tx_rekeys);
}

static void key_json(const char *name, const struct psp_assoc_key *key)
{
	if (!key)
		return;
	json_open(name, '{');
	json_uint("spi", key->spi);
	json_uint("age", key->age);
	if (key->rotations != PSP_UNKNOWN)
		json_uint("rotations", key->rotations);
	if (key->packets != PSP_UNKNOWN)
		json_uint("packets", key->packets);
	json_close();
}

static void assoc_json_ends(const struct psp_assoc *assoc)
{
	char addr[INET6_ADDRSTRLEN];

	if (!assoc->family)
		return;
	assoc_addr(assoc, assoc->local_addr, addr);
	json_str("local-addr", addr);
	json_uint("local-port", assoc->local_port);
	assoc_addr(assoc, assoc->remote_addr, addr);
	json_str("remote-addr", addr);
	json_uint("remote-port", assoc->remote_port);
}

void assoc_json(const struct psp_assoc *assoc)
{
	json_uint("cookie", assoc->cookie);
	assoc_json_ends(assoc);
	json_str("version", known_or(psp_version_name(assoc->version)));
	json_str("state", known_or(psp_state_name(assoc->state)));
	key_json("rx", assoc->rx);
	key_json("rx-prev", assoc->rx_prev);
	key_json("tx", assoc->tx);
	json_uint("rx-rekeys", assoc->rx_rekeys);
	json_uint("tx-rekeys", assoc->tx_rekeys);
}

static void assocs_print(const struct psp_assoc *assocs)
{
	const struct psp_assoc *assoc;

	if (ctl.json)
		json_open(NULL, '[');
	else
		printf("%-11s%-9s%-19s%-23s %-23s Cookie\n", "State", "Device",
		       "Version", "Local Address:Port", "Peer Address:Port");
	for (assoc = assocs; assoc; assoc = assoc->next) {
		if (!ctl.json) {
			assoc_text(assoc);
			continue;
		}
		json_open(NULL, '{');
		json_dev_of(assoc->dev_id);
		assoc_json(assoc);
		json_close();
	}
	if (ctl.json)
		json_close();
}

static int assoc_show(struct args *args)
{
	const char *dev = NULL;
	struct psp_assoc *assocs;
	uint64_t cookie = 0;
	uint32_t id = 0;
	int err;

	while (*args->word) {
		if (arg_option(args, "cookie"))
			cookie = arg_uint(arg_need(args, "COOKIE"), "cookie",
					  1, UINT64_MAX);
		else if (dev)
			arg_end(args);
		else
			dev = arg_dev(args);
	}
	if (dev) {
		id = dev_find(dev);
		if (!id)
			return CTL_FAILED;
	}

	err = psp_assoc_dump(psp(), id, cookie, &assocs);
	if (err)
		return fail("assoc show", err);
	assocs_print(assocs);
	psp_assoc_free(assocs);
	return CTL_OK;
}

const struct command cmds_assoc[] = {
	{
		"show", assoc_show, "[DEV] [cookie COOKIE]",
		"sockets with PSP state, and what may be known of their keys",
	},
	{ }
};
