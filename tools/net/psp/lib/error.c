// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* The last error of each thread, and attributes called by their names */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define NAMES_MAX	8

struct names {
	const char *name[NAMES_MAX];
	const struct names *nest[NAMES_MAX];
};

/* @text is made when somebody asks for it */
struct error {
	int err;
	char msg[192];
	char attr[64];
	bool missing;
	char text[288];
};

static __thread struct error last;

static const struct names names_keys = {
	.name = {
		[PSP_A_KEYS_KEY] = "key",
		[PSP_A_KEYS_SPI] = "spi",
	},
};

static const struct names names_assoc = {
	.name = {
		[PSP_A_ASSOC_DEV_ID] = "dev-id",
		[PSP_A_ASSOC_VERSION] = "version",
		[PSP_A_ASSOC_TX_KEY] = "tx-key",
		[PSP_A_ASSOC_SOCK_FD] = "sock-fd",
	},
	.nest = {
		[PSP_A_ASSOC_TX_KEY] = &names_keys,
	},
};

static const struct names names_dev = {
	.name = {
		[PSP_A_DEV_ID] = "id",
		[PSP_A_DEV_IFINDEX] = "ifindex",
		[PSP_A_DEV_PSP_VERSIONS_ENA] = "psp-versions-ena",
		[PSP_A_DEV_NSID] = "nsid",
	},
};

/* Of get-stats and rekey-stats-get */
static const struct names names_stats = {
	.name = {
		[PSP_A_STATS_DEV_ID] = "dev-id",
	},
};

static const struct names names_sock = {
	.name = {
		[PSP_A_SOCK_DEV_ID] = "dev-id",
		[PSP_A_SOCK_COOKIE] = "cookie",
	},
};

static const struct {
	uint8_t cmd;
	const char *name;
	const struct names *attrs;
} commands[] = {
	{ PSP_CMD_DEV_GET, "dev-get", &names_dev },
	{ PSP_CMD_DEV_SET, "dev-set", &names_dev },
	{ PSP_CMD_KEY_ROTATE, "key-rotate", &names_dev },
	{ PSP_CMD_RX_ASSOC, "rx-assoc", &names_assoc },
	{ PSP_CMD_TX_ASSOC, "tx-assoc", &names_assoc },
	{ PSP_CMD_GET_STATS, "get-stats", &names_stats },
	{ PSP_CMD_DEV_ASSOC, "dev-assoc", &names_dev },
	{ PSP_CMD_DEV_DISASSOC, "dev-disassoc", &names_dev },
	{ PSP_CMD_REKEY_STATS_GET, "rekey-stats-get", &names_stats },
	{ PSP_CMD_ASSOC_GET, "assoc-get", &names_sock },
};

const char *name_cmd(uint8_t cmd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			return commands[i].name;
	return "?";
}

static const struct names *names_of(uint8_t cmd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			return commands[i].attrs;
	return NULL;
}

static const char *names_get(const struct names *names, uint32_t type)
{
	if (!names || type >= NAMES_MAX || !names->name[type])
		return "?";
	return names->name[type];
}

static void path_add(const char *name)
{
	size_t len = strlen(last.attr);

	snprintf(last.attr + len, sizeof(last.attr) - len, ".%s", name);
}

/*
 * The path to the attribute at @offs of a request, as far as there is one;
 * returns the names of what is in there.
 */
static const struct names *path_walk(const struct nlmsghdr *req, uint32_t offs,
				     const struct names *names)
{
	int len = mnl_nlmsg_get_payload_len(req) - MNL_ALIGN(GENL_HLEN);
	const struct nlattr *attr;
	uint32_t at, type;

	attr = mnl_nlmsg_get_payload_offset(req, GENL_HLEN);
	while (mnl_attr_ok(attr, len)) {
		at = (const char *)attr - (const char *)req;
		if (offs >= at + MNL_ALIGN(attr->nla_len)) {
			len -= MNL_ALIGN(attr->nla_len);
			attr = mnl_attr_next(attr);
			continue;
		}
		type = mnl_attr_get_type(attr);
		path_add(names_get(names, type));
		names = names && type < NAMES_MAX ? names->nest[type] : NULL;
		if (offs <= at || !names)
			break;
		len = mnl_attr_get_payload_len(attr);
		attr = mnl_attr_get_payload(attr);
	}
	return names;
}

static const struct names *path_set(const struct nlmsghdr *req, uint32_t offs)
{
	const struct genlmsghdr *genlh = mnl_nlmsg_get_payload(req);
	const struct names *names = NULL;

	last.attr[0] = '\0';
	if (req->nlmsg_type != GENL_ID_CTRL)
		names = names_of(genlh->cmd);
	return offs ? path_walk(req, offs, names) : names;
}

void err_clear(void)
{
	memset(&last, 0, sizeof(last));
}

int err_set(int err, const char *fmt, ...)
{
	va_list args;

	err_clear();
	last.err = err;
	va_start(args, fmt);
	vsnprintf(last.text, sizeof(last.text), fmt, args);
	va_end(args);
	return err;
}

int err_plain(int err)
{
	err_clear();
	last.err = err;
	return err;
}

static void err_compose(void)
{
	snprintf(last.text, sizeof(last.text), "%s%s%s%s",
		 last.msg[0] ? last.msg : strerror(-last.err),
		 !last.attr[0] ? "" : last.missing ? " (missing " : " (",
		 last.attr, last.attr[0] ? ")" : "");
}

const char *psp_strerror(int err)
{
	if (!err || err != last.err)
		return strerror(err < 0 ? -err : err);
	if (!last.text[0])
		err_compose();
	return last.text;
}

const char *psp_error_msg(void)
{
	return last.msg;
}

const char *psp_error_attr(bool *missing)
{
	if (missing)
		*missing = last.attr[0] && last.missing;
	return last.attr;
}

static const struct attr_rule err_rules[] = {
	[NLMSGERR_ATTR_MSG]		= { .kind = ATTR_STRING },
	[NLMSGERR_ATTR_OFFS]		= { .kind = ATTR_U32 },
	[NLMSGERR_ATTR_MISS_TYPE]	= { .kind = ATTR_U32 },
	[NLMSGERR_ATTR_MISS_NEST]	= { .kind = ATTR_U32 },
};

static void err_parse_tlvs(const struct nlmsghdr *nlh, size_t hlen,
			   const struct nlmsghdr *req)
{
	const struct nlattr *tb[ARRAY_SIZE(err_rules)];
	const struct names *names;
	int err = last.err;

	if (attr_parse(tb, err_rules, ARRAY_SIZE(err_rules),
		       mnl_nlmsg_get_payload_offset(nlh, hlen),
		       mnl_nlmsg_get_payload_len(nlh) - hlen)) {
		err_plain(err);
		return;
	}
	if (tb[NLMSGERR_ATTR_MSG])
		snprintf(last.msg, sizeof(last.msg), "%s",
			 mnl_attr_get_str(tb[NLMSGERR_ATTR_MSG]));
	if (tb[NLMSGERR_ATTR_OFFS])
		path_set(req, attr_u32(tb[NLMSGERR_ATTR_OFFS]));
	if (tb[NLMSGERR_ATTR_MISS_TYPE]) {
		names = path_set(req, attr_u32(tb[NLMSGERR_ATTR_MISS_NEST]));
		path_add(names_get(names,
				   attr_u32(tb[NLMSGERR_ATTR_MISS_TYPE])));
		last.missing = true;
	}
}

/* With NETLINK_CAP_ACK an error echoes the request's header, and that is all */
int err_parse(const struct nlmsghdr *nlh, const struct nlmsghdr *req)
{
	size_t hlen = nlh->nlmsg_type == NLMSG_ERROR ?
		      sizeof(struct nlmsgerr) : sizeof(int);
	const int *err = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return err_set(-EPROTO, "Kernel sent a truncated message");
	if (!*err)
		return 0;
	if (*err > 0)
		return err_set(-EPROTO, "Kernel sent a positive error");

	err_plain(*err);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	    mnl_nlmsg_get_payload_len(nlh) >= hlen)
		err_parse_tlvs(nlh, hlen, req);
	return *err;
}
