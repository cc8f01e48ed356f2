// SPDX-License-Identifier: GPL-2.0
/* Links, addresses and neighbours of the current namespace, by rtnetlink */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include "psp_net.h"

#define PSP_RTNL_SIZE	1024

/* Send @nlh, wait for the kernel's verdict */
static int psp_rtnl(struct nlmsghdr *nlh)
{
	struct mnl_socket *sk;
	char buf[PSP_MSG_MAX];
	int err = 0, len;

	sk = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!sk)
		return -errno;

	nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = 1;
	if (mnl_socket_bind(sk, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(sk, nlh, nlh->nlmsg_len) < 0) {
		err = -errno;
		goto out_close;
	}

	len = mnl_socket_recvfrom(sk, buf, sizeof(buf));
	if (len < 0 || mnl_cb_run(buf, len, 1, mnl_socket_get_portid(sk), NULL,
				  NULL) < 0)
		err = -errno;
out_close:
	mnl_socket_close(sk);
	return err;
}

static struct nlmsghdr *psp_rtnl_link(char *buf, uint16_t type, int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;

	memset(buf, 0, PSP_RTNL_SIZE);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	return nlh;
}

int psp_link_add_queues(const char *name, const char *kind, int lower,
			unsigned int queues)
{
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh = psp_rtnl_link(buf, RTM_NEWLINK, 0);
	struct nlattr *nest;

	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (lower)
		mnl_attr_put_u32(nlh, IFLA_LINK, lower);
	if (queues) {
		mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, queues);
		mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, queues);
	}
	nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, nest);
	return psp_rtnl(nlh);
}

int psp_link_add(const char *name, const char *kind, int lower)
{
	return psp_link_add_queues(name, kind, lower, 0);
}

/* Kinds "veth" and "netkit", whose attribute for the peer has one number */
int psp_link_add_pair(const char *name, const char *kind,
		      const char *peer_name, int peer_ns)
{
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh = psp_rtnl_link(buf, RTM_NEWLINK, 0);
	const struct ifinfomsg ifi = { };
	struct nlattr *info, *data, *peer;

	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(ifi)), &ifi,
	       sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer_name);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, peer_ns);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return psp_rtnl(nlh);
}

int psp_ns_set_id(int ns, int32_t id)
{
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_NEWNSID;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_FD, ns);
	mnl_attr_put_u32(nlh, NETNSA_NSID, id);
	return psp_rtnl(nlh);
}

int psp_link_del(int ifindex)
{
	char buf[PSP_RTNL_SIZE];

	return psp_rtnl(psp_rtnl_link(buf, RTM_DELLINK, ifindex));
}

int psp_link_move(int ifindex, int ns)
{
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh = psp_rtnl_link(buf, RTM_NEWLINK, ifindex);

	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, ns);
	return psp_rtnl(nlh);
}

int psp_link_up(int ifindex, bool up)
{
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh = psp_rtnl_link(buf, RTM_NEWLINK, ifindex);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	return psp_rtnl(nlh);
}

int psp_link_mtu(int ifindex, uint32_t mtu)
{
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh = psp_rtnl_link(buf, RTM_NEWLINK, ifindex);

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return psp_rtnl(nlh);
}

/* A request that adds something to an interface, with a header of @size */
static struct nlmsghdr *psp_rtnl_add(char *buf, uint16_t type, uint16_t flags,
				     size_t size)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, PSP_RTNL_SIZE);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_CREATE | flags;
	mnl_nlmsg_put_extra_header(nlh, size);
	return nlh;
}

static size_t psp_addr_len(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) :
				   sizeof(struct in6_addr);
}

static int psp_link_addr(int ifindex, int family, const void *addr,
			 int prefixlen)
{
	size_t len = psp_addr_len(family);
	char buf[PSP_RTNL_SIZE];
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh;

	nlh = psp_rtnl_add(buf, RTM_NEWADDR, NLM_F_EXCL, sizeof(*ifa));
	ifa = mnl_nlmsg_get_payload(nlh);
	ifa->ifa_family = family;
	ifa->ifa_prefixlen = prefixlen;
	ifa->ifa_index = ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, len, addr);
	mnl_attr_put(nlh, IFA_ADDRESS, len, addr);
	if (family == AF_INET6)
		mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NODAD);
	return psp_rtnl(nlh);
}

int psp_link_addr4(int ifindex, struct in_addr addr, int prefixlen)
{
	return psp_link_addr(ifindex, AF_INET, &addr, prefixlen);
}

int psp_link_addr6(int ifindex, const struct in6_addr *addr, int prefixlen)
{
	return psp_link_addr(ifindex, AF_INET6, addr, prefixlen);
}

int psp_link_neigh(int ifindex, int family, const void *addr,
		   const uint8_t *mac)
{
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh;
	struct ndmsg *ndm;

	nlh = psp_rtnl_add(buf, RTM_NEWNEIGH, NLM_F_REPLACE, sizeof(*ndm));
	ndm = mnl_nlmsg_get_payload(nlh);
	ndm->ndm_family = family;
	ndm->ndm_ifindex = ifindex;
	ndm->ndm_state = NUD_PERMANENT;
	mnl_attr_put(nlh, NDA_DST, psp_addr_len(family), addr);
	mnl_attr_put(nlh, NDA_LLADDR, 6, mac);
	return psp_rtnl(nlh);
}

int psp_link_route(int ifindex, int family, const void *dst)
{
	size_t len = psp_addr_len(family);
	char buf[PSP_RTNL_SIZE];
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	nlh = psp_rtnl_add(buf, RTM_NEWROUTE, NLM_F_EXCL, sizeof(*rtm));
	rtm = mnl_nlmsg_get_payload(nlh);
	rtm->rtm_family = family;
	rtm->rtm_dst_len = dst ? 8 * len : 0;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	if (dst)
		mnl_attr_put(nlh, RTA_DST, len, dst);
	mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	return psp_rtnl(nlh);
}
