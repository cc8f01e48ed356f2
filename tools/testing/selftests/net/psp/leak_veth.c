// SPDX-License-Identifier: GPL-2.0
/* A veth pair between two namespaces, without starting any program */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include "leak.h"

static void leak_veth_peer(struct nlmsghdr *nlh, const char *name, int ns)
{
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *ifi;

	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	memset(ifi, 0, sizeof(*ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, ns);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

/* In the namespace of the near end */
static int leak_veth_add(const char *near, const char *far, int far_ns)
{
	struct mnl_socket *sk;
	struct nlmsghdr *nlh;
	char buf[PSP_MSG_MAX];
	int err = 0, len;

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
			   NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, near);
	leak_veth_peer(nlh, far, far_ns);

	sk = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!sk)
		return -errno;
	if (mnl_socket_bind(sk, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(sk, nlh, nlh->nlmsg_len) < 0) {
		err = -errno;
		goto out_close;
	}
	len = mnl_socket_recvfrom(sk, buf, sizeof(buf));
	if (len < 0 || mnl_cb_run(buf, len, 0, mnl_socket_get_portid(sk), NULL,
				  NULL) < 0)
		err = -errno;
out_close:
	mnl_socket_close(sk);
	return err;
}

/* In the namespace of the interface */
static int leak_veth_up(const char *name, const char *v4, const char *v6)
{
	int err, ifindex = if_nametoindex(name);
	struct in_addr addr4;
	struct in6_addr addr6;

	inet_pton(AF_INET, v4, &addr4);
	inet_pton(AF_INET6, v6, &addr6);
	err = psp_link_up(ifindex, true);
	if (!err)
		err = psp_link_addr4(ifindex, addr4, 24);
	if (!err)
		err = psp_link_addr6(ifindex, &addr6, 64);
	return err;
}

int leak_veth_open(struct leak *leak)
{
	int err;

	err = psp_ns_enter(leak->net.a.ns);
	if (!err)
		err = leak_veth_add("leak0", "leak1", leak->aside);
	if (!err)
		err = leak_veth_up("leak0", "10.9.0.1", "fd09::1");
	if (!err)
		err = psp_ns_enter(leak->aside);
	if (!err)
		err = leak_veth_up("leak1", "10.9.0.2", "fd09::2");
	return psp_ns_enter(leak->net.home) ?: err;
}
