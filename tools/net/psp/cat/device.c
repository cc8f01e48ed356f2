// SPDX-License-Identifier: GPL-2.0
/*
 * The PSP device of a connection: the kernel is asked where its packets leave,
 * and what is there. It looks itself when it makes the keys: who is wrong here
 * is refused then.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "libpsp.h"
#include "pspcat.h"

struct device_addr {
	int family;
	const void *ip;
	size_t len;
	uint32_t scope;
};

static void device_addr(struct device_addr *addr,
			const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *v6 = (const void *)ss;
	const struct sockaddr_in *v4 = (const void *)ss;

	addr->family = ss->ss_family;
	if (ss->ss_family == AF_INET6) {
		addr->ip = &v6->sin6_addr;
		addr->len = sizeof(v6->sin6_addr);
		addr->scope = v6->sin6_scope_id;
	} else {
		addr->ip = &v4->sin_addr;
		addr->len = sizeof(v4->sin_addr);
		addr->scope = 0;
	}
}

static int device_oif(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtmsg))
		if (mnl_attr_get_type(attr) == RTA_OIF)
			*(int *)data = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int device_ask(struct mnl_socket *nl, const struct device_addr *from,
		      const struct device_addr *to)
{
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	int n, oif = 0;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = 1;
	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = 8 * to->len;
	rtm->rtm_src_len = 8 * from->len;
	mnl_attr_put(nlh, RTA_DST, to->len, to->ip);
	mnl_attr_put(nlh, RTA_SRC, from->len, from->ip);
	if (to->scope)
		mnl_attr_put_u32(nlh, RTA_OIF, to->scope);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, n, 1, mnl_socket_get_portid(nl),
				device_oif, &oif) < 0)
		return -errno;
	return oif ? oif : -ENETUNREACH;
}

/* Index of the interface, or a negative errno */
static int device_route(int fd)
{
	struct sockaddr_storage here, there;
	socklen_t len = sizeof(here);
	struct device_addr from, to;
	struct mnl_socket *nl;
	int ret;

	if (getsockname(fd, (struct sockaddr *)&here, &len))
		return -errno;
	len = sizeof(there);
	if (getpeername(fd, (struct sockaddr *)&there, &len))
		return -errno;
	device_addr(&from, &here);
	device_addr(&to, &there);
	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	ret = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ? -errno :
	      device_ask(nl, &from, &to);
	mnl_socket_close(nl);
	return ret;
}

static uint32_t device_of(struct psp_ctx *ctx, int ifindex, uint32_t versions,
			  struct side *side)
{
	char name[IF_NAMESIZE] = "?";
	struct psp_dev *dev;
	uint32_t id = 0;
	int err;

	if_indextoname(ifindex, name);
	err = psp_dev_by_ifindex(ctx, ifindex, &dev);
	if (err) {
		snprintf(side->why, sizeof(side->why), "interface %s: %s", name,
			 err == -ENODEV ? "it has no PSP device" :
					  psp_strerror(err));
		return 0;
	}
	side->versions = dev->versions_ena & versions;
	if (side->versions)
		id = dev->id;
	else
		snprintf(side->why, sizeof(side->why),
			 "interface %s: no version that may be used is enabled",
			 name);
	psp_dev_free(dev);
	return id;
}

uint32_t device_find(int fd, uint32_t versions, struct side *side)
{
	struct psp_ctx *ctx;
	uint32_t id = 0;
	int ifindex, err;

	err = psp_open(&ctx);
	if (err) {
		snprintf(side->why, sizeof(side->why), "%s", psp_strerror(err));
		return 0;
	}
	ifindex = device_route(fd);
	if (ifindex < 0)
		snprintf(side->why, sizeof(side->why), "route: %s",
			 strerror(-ifindex));
	else
		id = device_of(ctx, ifindex, versions, side);
	psp_close(ctx);
	side->can = id;
	return id;
}
