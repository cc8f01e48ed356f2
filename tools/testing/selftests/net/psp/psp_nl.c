// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family "psp": transport */
#include <errno.h>
#include <linux/psp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "psp_ack.h"
#include "psp_net.h"
#include "psp_nl.h"

#define PSP_NL_TIMEOUT_S	20

struct psp_nl_dump {
	mnl_cb_t cb;
	void *data;
};

static int psp_nl_family_group(struct psp_nl *nl, const struct nlattr *group)
{
	const struct nlattr *attr;
	const char *name = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, group) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
			name = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
			id = mnl_attr_get_u32(attr);
	}
	if (!strcmp(name, PSP_MCGRP_MGMT))
		nl->mgmt = id;
	if (!strcmp(name, PSP_MCGRP_USE))
		nl->use = id;
	if (!strcmp(name, PSP_MCGRP_ASSOC))
		nl->assoc = id;
	return 0;
}

static void psp_nl_family_op(struct psp_nl *nl, const struct nlattr *op)
{
	const struct nlattr *attr;
	uint32_t id;

	mnl_attr_for_each_nested(attr, op) {
		if (mnl_attr_get_type(attr) != CTRL_ATTR_OP_ID)
			continue;
		id = mnl_attr_get_u32(attr) & 0xff;
		nl->cmds[id / 64] |= 1ULL << id % 64;
	}
}

bool psp_nl_has(const struct psp_nl *nl, uint8_t cmd)
{
	return nl->cmds[cmd / 64] >> cmd % 64 & 1;
}

/* Ask the controller for the ids of the family and its groups, and commands */
static int psp_nl_family(struct psp_nl *nl)
{
	const struct nlattr *attr, *entry;
	struct nlmsghdr *nlh;
	int err;

	nl->family = GENL_ID_CTRL;
	nlh = psp_nl_start(nl, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, PSP_FAMILY_NAME);
	err = psp_nl_do(nl);
	if (err)
		return err;

	attr = psp_nl_reply_attr(nl, CTRL_ATTR_FAMILY_ID);
	if (!attr)
		return -EPROTO;
	nl->family = mnl_attr_get_u16(attr);

	attr = psp_nl_reply_attr(nl, CTRL_ATTR_OPS);
	if (!attr)
		return -EPROTO;
	mnl_attr_for_each_nested(entry, attr)
		psp_nl_family_op(nl, entry);

	attr = psp_nl_reply_attr(nl, CTRL_ATTR_MCAST_GROUPS);
	if (!attr)
		return -EPROTO;
	mnl_attr_for_each_nested(entry, attr)
		psp_nl_family_group(nl, entry);
	return nl->mgmt && nl->use ? 0 : -EPROTO;
}

int psp_nl_open(struct psp_nl *nl)
{
	const struct timeval tv = { .tv_sec = PSP_NL_TIMEOUT_S };
	int one = 1, err;

	memset(nl, 0, sizeof(*nl));
	nl->sk = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sk)
		return -errno;
	if (mnl_socket_bind(nl->sk, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(nl->sk, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    mnl_socket_setsockopt(nl->sk, NETLINK_CAP_ACK, &one, sizeof(one)) ||
	    setsockopt(mnl_socket_get_fd(nl->sk), SOL_SOCKET, SO_RCVTIMEO, &tv,
		       sizeof(tv)))
		err = -errno;
	else
		err = psp_nl_family(nl);
	if (err)
		psp_nl_close(nl);
	return err;
}

void psp_nl_close(struct psp_nl *nl)
{
	if (nl->sk)
		mnl_socket_close(nl->sk);
	nl->sk = NULL;
}

struct nlmsghdr *psp_nl_start(struct psp_nl *nl, uint8_t cmd)
{
	struct genlmsghdr *genlh;
	struct nlmsghdr *nlh;

	memset(nl->req, 0, sizeof(nl->req));
	nlh = mnl_nlmsg_put_header(nl->req);
	nlh->nlmsg_type = nl->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++nl->seq;

	genlh = mnl_nlmsg_put_extra_header(nlh, sizeof(*genlh));
	genlh->cmd = cmd;
	genlh->version = 1;
	return nlh;
}

void psp_nl_put_key(struct nlmsghdr *nlh, uint16_t nest,
		    const struct psp_key *key)
{
	struct nlattr *start = mnl_attr_nest_start(nlh, nest);

	mnl_attr_put_u32(nlh, PSP_A_KEYS_SPI, key->spi);
	mnl_attr_put(nlh, PSP_A_KEYS_KEY, key->len, key->key);
	mnl_attr_nest_end(nlh, start);
}

static void psp_nl_keep(struct psp_nl *nl, const struct nlmsghdr *nlh)
{
	memcpy(nl->reply, nlh, nlh->nlmsg_len);
	nl->reply_len = nlh->nlmsg_len;
}

/* One message of the answer: 1 there is more to come, 0 done, or -errno */
static int psp_nl_answer(struct psp_nl *nl, const struct nlmsghdr *nlh,
			 struct psp_nl_dump *dump)
{
	if (nlh->nlmsg_seq != nl->seq)
		return 1;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		psp_ack_parse(&nl->ack, nlh, nl->req);
		return nl->ack.err;
	}

	psp_nl_keep(nl, nlh);
	if (dump->cb && dump->cb(nlh, dump->data) < 0)
		return -EPROTO;
	return 1;
}

static int psp_nl_talk(struct psp_nl *nl, struct psp_nl_dump *dump)
{
	const struct nlmsghdr *nlh;
	char buf[PSP_MSG_MAX];
	int len, ret;

	memset(&nl->ack, 0, sizeof(nl->ack));
	nl->reply_len = 0;
	nlh = (struct nlmsghdr *)nl->req;
	if (mnl_socket_sendto(nl->sk, nlh, nlh->nlmsg_len) < 0)
		return -errno;

	for (;;) {
		len = mnl_socket_recvfrom(nl->sk, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		for (nlh = (struct nlmsghdr *)buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			ret = psp_nl_answer(nl, nlh, dump);
			if (ret <= 0)
				return ret;
		}
	}
}

int psp_nl_do(struct psp_nl *nl)
{
	struct psp_nl_dump none = { };

	return psp_nl_talk(nl, &none);
}

int psp_nl_dump(struct psp_nl *nl, mnl_cb_t cb, void *data)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->req;
	struct psp_nl_dump dump = { .cb = cb, .data = data };

	nlh->nlmsg_flags |= NLM_F_DUMP;
	return psp_nl_talk(nl, &dump);
}

uint64_t psp_nl_reply_attrs(const struct psp_nl *nl)
{
	const struct nlattr *attr;
	uint64_t mask = 0;

	if (!nl->reply_len)
		return 0;
	mnl_attr_for_each(attr, (const struct nlmsghdr *)nl->reply,
			  sizeof(struct genlmsghdr))
		mask |= 1ULL << (mnl_attr_get_type(attr) & 63);
	return mask;
}

const struct nlattr *psp_nl_reply_attr(const struct psp_nl *nl, uint16_t type)
{
	const struct nlattr *attr;

	if (!nl->reply_len)
		return NULL;
	mnl_attr_for_each(attr, (const struct nlmsghdr *)nl->reply,
			  sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

uint8_t psp_nl_reply_cmd(const struct psp_nl *nl)
{
	const struct genlmsghdr *genlh;

	genlh = mnl_nlmsg_get_payload((const struct nlmsghdr *)nl->reply);
	return nl->reply_len ? genlh->cmd : 0;
}

int psp_nl_join(struct psp_nl *nl, uint32_t group)
{
	return mnl_socket_setsockopt(nl->sk, NETLINK_ADD_MEMBERSHIP, &group,
				     sizeof(group)) ? -errno : 0;
}

int psp_nl_wait(struct psp_nl *nl, uint8_t cmd, int timeout_ms)
{
	struct pollfd pfd = {
		.fd = mnl_socket_get_fd(nl->sk),
		.events = POLLIN,
	};
	uint64_t end = psp_now_ms() + timeout_ms;
	char buf[PSP_MSG_MAX];
	int64_t left;
	int len;

	for (;;) {
		left = end - psp_now_ms();
		if (poll(&pfd, 1, left > 0 ? left : 0) == 0)
			return -ETIMEDOUT;
		len = mnl_socket_recvfrom(nl->sk, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		psp_nl_keep(nl, (const struct nlmsghdr *)buf);
		if (!cmd || psp_nl_reply_cmd(nl) == cmd)
			return 0;
	}
}
