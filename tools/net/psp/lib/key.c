// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * Keys. They go from the kernel's message to the caller, or the other way, and
 * nl_do() wipes the messages: there is no copy in between.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Where an answer to rx-assoc goes */
struct key_answer {
	struct psp_key *key;
	uint32_t dev_id;
};

static const struct attr_rule rx_rules[] = {
	[PSP_A_ASSOC_DEV_ID]	= { ATTR_U32, .needed = true },
	[PSP_A_ASSOC_RX_KEY]	= { ATTR_NEST, .needed = true },
};

static const struct attr_rule key_rules[] = {
	[PSP_A_KEYS_KEY]	= { ATTR_BINARY, PSP_KEY_LEN_MAX, true },
	[PSP_A_KEYS_SPI]	= { ATTR_U32, .needed = true },
};

int psp_key_rotate(struct psp_ctx *ctx, uint32_t id)
{
	struct nl_req req;

	nl_start(&req, PSP_CMD_KEY_ROTATE);
	mnl_attr_put_u32(&req.nlh, PSP_A_DEV_ID, id);
	return nl_do(ctx, &req, NULL, NULL);
}

void psp_key_wipe(struct psp_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

static int key_parse(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[ARRAY_SIZE(rx_rules)];
	const struct nlattr *ktb[ARRAY_SIZE(key_rules)];
	struct key_answer *answer = data;
	struct psp_key *key = answer->key;
	int err;

	err = attr_parse_msg(tb, rx_rules, ARRAY_SIZE(rx_rules), nlh);
	if (!err)
		err = attr_parse_nest(ktb, key_rules, ARRAY_SIZE(key_rules),
				      tb[PSP_A_ASSOC_RX_KEY]);
	if (err)
		return err;

	answer->dev_id = attr_u32(tb[PSP_A_ASSOC_DEV_ID]);
	key->spi = attr_u32(ktb[PSP_A_KEYS_SPI]);
	key->len = mnl_attr_get_payload_len(ktb[PSP_A_KEYS_KEY]);
	memcpy(key->key, mnl_attr_get_payload(ktb[PSP_A_KEYS_KEY]), key->len);
	return 0;
}

static void key_start(struct nl_req *req, uint8_t cmd, int fd,
		      unsigned int version, uint32_t dev_id)
{
	nl_start(req, cmd);
	if (dev_id)
		mnl_attr_put_u32(&req->nlh, PSP_A_ASSOC_DEV_ID, dev_id);
	mnl_attr_put_u32(&req->nlh, PSP_A_ASSOC_VERSION, version);
	mnl_attr_put_u32(&req->nlh, PSP_A_ASSOC_SOCK_FD, fd);
}

int psp_rx_assoc(struct psp_ctx *ctx, int fd, unsigned int version,
		 uint32_t dev_id, struct psp_key *key, uint32_t *used)
{
	struct key_answer answer = { .key = key };
	struct nl_req req;
	int err;

	memset(key, 0, sizeof(*key));
	key_start(&req, PSP_CMD_RX_ASSOC, fd, version, dev_id);
	err = nl_do(ctx, &req, key_parse, &answer);
	if (err)
		psp_key_wipe(key);
	else if (used)
		*used = answer.dev_id;
	return err;
}

int psp_tx_assoc(struct psp_ctx *ctx, int fd, unsigned int version,
		 uint32_t dev_id, const struct psp_key *key)
{
	struct nlattr *nest;
	struct nl_req req;

	if (key->len > sizeof(key->key))
		return err_set(-EINVAL, "Key is too long");

	key_start(&req, PSP_CMD_TX_ASSOC, fd, version, dev_id);
	nest = mnl_attr_nest_start(&req.nlh, PSP_A_ASSOC_TX_KEY);
	mnl_attr_put_u32(&req.nlh, PSP_A_KEYS_SPI, key->spi);
	mnl_attr_put(&req.nlh, PSP_A_KEYS_KEY, key->len, key->key);
	mnl_attr_nest_end(&req.nlh, nest);
	return nl_do(ctx, &req, NULL, NULL);
}
