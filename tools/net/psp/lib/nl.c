// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Transport: sockets, the family's numbers, requests and their answers */
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

/* How often a dump is begun anew that changes have made wrong */
#define NL_DUMP_TRIES	8

/* One exchange: a request and what becomes of its answers */
struct nl_talk {
	const struct nlmsghdr *req;
	uint16_t type;		/* of the answers */
	nl_parse_t parse;
	void *data;
	int err;		/* the first one of parse */
	bool answered;
	bool changed;		/* a dump that is not of one moment */
};

int nl_sock_setup(struct nl_sock *nl, int protocol)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int one = 1;

	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (nl->fd < 0)
		return err_plain(-errno);
	if (bind(nl->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one,
		       sizeof(one)) ||
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)))
		return err_plain(-errno);
	return 0;
}

static int nl_send(struct nl_sock *nl, const struct nlmsghdr *nlh)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct iovec iov = {
		.iov_base = (void *)nlh,
		.iov_len = nlh->nlmsg_len,
	};
	struct msghdr msg = {
		.msg_name = &addr,
		.msg_namelen = sizeof(addr),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	return sendmsg(nl->fd, &msg, 0) < 0 ? err_plain(-errno) : 0;
}

int nl_recv(struct nl_sock *nl, int flags)
{
	struct sockaddr_nl addr = { };
	struct iovec iov = {
		.iov_base = nl->buf,
		.iov_len = NL_BUF_MAX,
	};
	struct msghdr msg;
	int len;

	do {
		msg = (struct msghdr){
			.msg_name = &addr,
			.msg_namelen = sizeof(addr),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		len = recvmsg(nl->fd, &msg, flags);
	} while ((len < 0 && errno == EINTR) || (len >= 0 && addr.nl_pid));

	if (len < 0)
		return err_plain(-errno);
	if (msg.msg_flags & MSG_TRUNC) {
		explicit_bzero(nl->buf, NL_BUF_MAX);
		return err_set(-EPROTO, "Kernel sent too long a message");
	}
	return len;
}

/* One message: 1 there are more to come, 0 that was the last, or -errno */
static int nl_answer(const struct nlmsghdr *nlh, struct nl_talk *talk)
{
	int err;

	if (nlh->nlmsg_seq != talk->req->nlmsg_seq)
		return 1;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		talk->changed = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		err = err_parse(nlh, talk->req);
		return err ? err : talk->err;
	}
	if (nlh->nlmsg_type != talk->type || talk->err)
		return 1;

	talk->answered = true;
	talk->err = talk->parse ? talk->parse(nlh, talk->data) : 0;
	return 1;
}

static int nl_answers(const char *buf, int len, struct nl_talk *talk)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	int ret;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		ret = nl_answer(nlh, talk);
		if (ret <= 0)
			return ret;
	}
	return len > 0 ? err_set(-EPROTO, "Kernel sent a truncated message") :
			 1;
}

/* The answers may hold keys: none stays in the buffer */
static int nl_talk(struct nl_sock *nl, struct nlmsghdr *nlh,
		   struct nl_talk *talk)
{
	int len, ret;

	nlh->nlmsg_seq = ++nl->seq;
	talk->req = nlh;
	if (!talk->type)
		talk->type = nlh->nlmsg_type;
	ret = nl_send(nl, nlh);
	if (ret)
		return ret;

	do {
		len = nl_recv(nl, 0);
		if (len < 0)
			return len;
		ret = nl_answers(nl->buf, len, talk);
		explicit_bzero(nl->buf, len);
	} while (ret > 0);

	if (!ret && talk->parse && !talk->answered &&
	    !(nlh->nlmsg_flags & NLM_F_DUMP))
		return err_set(-EPROTO, "Kernel did not answer");
	return ret;
}

int nl_ask(struct nl_sock *nl, struct nlmsghdr *nlh, uint16_t type,
	   nl_parse_t parse, void *data)
{
	struct nl_talk talk = { .type = type, .parse = parse, .data = data };

	return nl_talk(nl, nlh, &talk);
}

static const struct attr_rule family_rules[] = {
	[CTRL_ATTR_FAMILY_ID]		= { ATTR_U16, .needed = true },
	[CTRL_ATTR_OPS]			= { ATTR_NEST, .needed = true },
	[CTRL_ATTR_MCAST_GROUPS]	= { ATTR_NEST },
};

static const struct attr_rule op_rules[] = {
	[CTRL_ATTR_OP_ID]		= { ATTR_U32, .needed = true },
};

static const struct attr_rule group_rules[] = {
	[CTRL_ATTR_MCAST_GRP_NAME]	= { ATTR_STRING, .needed = true },
	[CTRL_ATTR_MCAST_GRP_ID]	= { ATTR_U32, .needed = true },
};

static const char * const group_names[GROUPS] = {
	[GROUP_MGMT]	= PSP_MCGRP_MGMT,
	[GROUP_USE]	= PSP_MCGRP_USE,
	[GROUP_ASSOC]	= PSP_MCGRP_ASSOC,
};

static int family_op(struct nl_sock *nl, const struct nlattr *op)
{
	const struct nlattr *tb[ARRAY_SIZE(op_rules)];
	uint8_t id;

	if (attr_parse_nest(tb, op_rules, ARRAY_SIZE(op_rules), op))
		return -EPROTO;
	id = attr_u32(tb[CTRL_ATTR_OP_ID]);
	nl->cmds[id / 64] |= 1ULL << id % 64;
	return 0;
}

static int family_group(struct nl_sock *nl, const struct nlattr *group)
{
	const struct nlattr *tb[ARRAY_SIZE(group_rules)];
	const char *name;
	unsigned int i;

	if (attr_parse_nest(tb, group_rules, ARRAY_SIZE(group_rules), group))
		return -EPROTO;
	name = mnl_attr_get_str(tb[CTRL_ATTR_MCAST_GRP_NAME]);
	for (i = 0; i < GROUPS; i++)
		if (!strcmp(name, group_names[i]))
			nl->groups[i] = attr_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	return 0;
}

/* Each entry of a list, which are numbered and not told apart by type */
static int family_each(struct nl_sock *nl, const struct nlattr *list,
		       int (*take)(struct nl_sock *nl, const struct nlattr *))
{
	const struct nlattr *entry;
	int err;

	if (!list)
		return 0;
	mnl_attr_for_each_nested(entry, list) {
		err = take(nl, entry);
		if (err)
			return err;
	}
	return 0;
}

static int family_parse(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[ARRAY_SIZE(family_rules)];
	struct nl_sock *nl = data;
	int err;

	err = attr_parse_msg(tb, family_rules, ARRAY_SIZE(family_rules), nlh);
	if (!err)
		err = family_each(nl, tb[CTRL_ATTR_OPS], family_op);
	if (!err)
		err = family_each(nl, tb[CTRL_ATTR_MCAST_GROUPS], family_group);
	if (!err)
		nl->family = attr_u16(tb[CTRL_ATTR_FAMILY_ID]);
	return err;
}

static int nl_family(struct nl_sock *nl)
{
	struct nl_req req;
	int err;

	nl_start(&req, CTRL_CMD_GETFAMILY);
	req.nlh.nlmsg_type = GENL_ID_CTRL;
	mnl_attr_put_strz(&req.nlh, CTRL_ATTR_FAMILY_NAME, PSP_FAMILY_NAME);
	err = nl_ask(nl, &req.nlh, GENL_ID_CTRL, family_parse, nl);
	if (err == -ENOENT)
		err = err_set(-EPROTONOSUPPORT, ERR_NO_PSP);
	return err;
}

int nl_open(struct nl_sock *nl)
{
	int err;

	err_clear();
	memset(nl, 0, sizeof(*nl));
	nl->fd = -1;
	nsid_open(&nl->nsid);
	nl->buf = malloc(NL_BUF_MAX);
	err = nl->buf ? nl_sock_setup(nl, NETLINK_GENERIC) :
			err_plain(-ENOMEM);
	if (!err)
		err = nl_family(nl);
	if (err)
		nl_close(nl);
	return err;
}

void nl_close(struct nl_sock *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nsid_close(&nl->nsid);
	free(nl->buf);
	nl->fd = -1;
	nl->buf = NULL;
}

bool nl_has(const struct nl_sock *nl, uint8_t cmd)
{
	return nl->cmds[cmd / 64] >> cmd % 64 & 1;
}

void nl_start(struct nl_req *req, uint8_t cmd)
{
	struct genlmsghdr *genlh;

	memset(req, 0, sizeof(*req));
	mnl_nlmsg_put_header(req->buf);
	req->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genlh = mnl_nlmsg_put_extra_header(&req->nlh, sizeof(*genlh));
	genlh->cmd = cmd;
	genlh->version = PSP_FAMILY_VERSION;
}

/* What every exchange begins with: does the family have the command? */
static int nl_begin(struct psp_ctx *ctx, struct nl_req *req)
{
	const struct genlmsghdr *genlh = mnl_nlmsg_get_payload(&req->nlh);

	err_clear();
	if (!nl_has(&ctx->nl, genlh->cmd))
		return err_set(-EOPNOTSUPP,
			       "PSP of this kernel has no command %s",
			       name_cmd(genlh->cmd));
	req->nlh.nlmsg_type = ctx->nl.family;
	pthread_mutex_lock(&ctx->lock);
	return 0;
}

static void nl_end(struct psp_ctx *ctx)
{
	pthread_mutex_unlock(&ctx->lock);
}

int nl_do(struct psp_ctx *ctx, struct nl_req *req, nl_parse_t parse,
	  void *data)
{
	struct nl_talk talk = { .parse = parse, .data = data };
	int err;

	err = nl_begin(ctx, req);
	if (!err) {
		err = nl_talk(&ctx->nl, &req->nlh, &talk);
		nl_end(ctx);
	}
	explicit_bzero(req, sizeof(*req));
	return err;
}

/* Changes on the way may have left something out, or told it twice */
static int nl_dump_once(struct psp_ctx *ctx, struct nl_req *req,
			nl_parse_t parse, struct list *list,
			bool *changed)
{
	struct nl_talk talk = { .parse = parse, .data = list };
	int err;

	list_init(list);
	err = nl_talk(&ctx->nl, &req->nlh, &talk);
	*changed = !err && talk.changed;
	if (err || *changed) {
		list_free(list->head);
		list_init(list);
	}
	return err;
}

int nl_dump(struct psp_ctx *ctx, struct nl_req *req, nl_parse_t parse,
	    struct node **head)
{
	int tries = NL_DUMP_TRIES, err;
	struct list list;
	bool changed;

	*head = NULL;
	err = nl_begin(ctx, req);
	if (err)
		return err;

	req->nlh.nlmsg_flags |= NLM_F_DUMP;
	do {
		err = nl_dump_once(ctx, req, parse, &list, &changed);
	} while (changed && --tries);
	nl_end(ctx);

	if (changed)
		return err_set(-EAGAIN, "Too much changed while it was listed");
	*head = list.head;
	return err;
}

int nl_get(struct psp_ctx *ctx, uint8_t cmd, uint16_t attr, uint32_t id,
	   nl_parse_t parse, struct node **head)
{
	struct nl_req req;
	struct list list;
	int err;

	list_init(&list);
	nl_start(&req, cmd);
	mnl_attr_put_u32(&req.nlh, attr, id);
	err = nl_do(ctx, &req, parse, &list);
	if (err) {
		list_free(list.head);
		list_init(&list);
	}
	*head = list.head;
	return err;
}

int nl_dump_all(struct psp_ctx *ctx, uint8_t cmd, nl_parse_t parse,
		struct node **head)
{
	struct nl_req req;

	nl_start(&req, cmd);
	return nl_dump(ctx, &req, parse, head);
}
