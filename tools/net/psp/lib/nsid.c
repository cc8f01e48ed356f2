// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * The id that a network namespace has for itself. The owner of a PSP device is
 * told of associated network devices which namespace they are in, also if it is
 * his own. It has no id before somebody needs one, so it is asked for late; the
 * thread may be elsewhere by then, so what it takes to ask is opened early.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

static const struct attr_rule nsid_rules[] = {
	[NETNSA_NSID]	= { ATTR_U32, .needed = true },
};

/* Without them all else still works */
void nsid_open(struct nsid *nsid)
{
	struct nl_sock route = { .fd = -1 };

	if (nl_sock_setup(&route, NETLINK_ROUTE) && route.fd >= 0) {
		close(route.fd);
		route.fd = -1;
	}
	nsid->route = route.fd;
	nsid->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	nsid->id = -1;
	err_clear();
}

void nsid_close(struct nsid *nsid)
{
	if (nsid->route >= 0)
		close(nsid->route);
	if (nsid->ns >= 0)
		close(nsid->ns);
	nsid->route = -1;
	nsid->ns = -1;
}

/* struct rtgenmsg takes as many bytes as a generic netlink header */
static int nsid_parse(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[ARRAY_SIZE(nsid_rules)];
	int32_t *id = data;
	int err;

	err = attr_parse_msg(tb, nsid_rules, ARRAY_SIZE(nsid_rules), nlh);
	if (!err)
		*id = attr_u32(tb[NETNSA_NSID]);
	return err;
}

/* The buffer of @nl may hold events that nobody has seen yet */
static int nsid_ask(struct nl_sock *nl, int32_t *id)
{
	struct nl_sock route = { .fd = nl->nsid.route, .seq = nl->seq++ };
	struct nl_req req = { };
	struct rtgenmsg *genmsg;
	int err;

	mnl_nlmsg_put_header(req.buf);
	req.nlh.nlmsg_type = RTM_GETNSID;
	req.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genmsg = mnl_nlmsg_put_extra_header(&req.nlh, sizeof(*genmsg));
	genmsg->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(&req.nlh, NETNSA_FD, nl->nsid.ns);

	route.buf = malloc(NL_BUF_MAX);
	if (!route.buf)
		return -ENOMEM;
	err = nl_ask(&route, &req.nlh, RTM_NEWNSID, nsid_parse, id);
	free(route.buf);
	return err;
}

int32_t nsid_own(struct nl_sock *nl)
{
	int32_t id = -1;

	if (nl->nsid.id >= 0 || nl->nsid.route < 0 || nl->nsid.ns < 0)
		return nl->nsid.id;
	if (!nsid_ask(nl, &id) && id >= 0)
		nl->nsid.id = id;
	err_clear();
	return nl->nsid.id;
}
