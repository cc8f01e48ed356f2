// SPDX-License-Identifier: GPL-2.0
/* Two namespaces with two cabled ports */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "psp_wire.h"

int psp_end_mac(struct psp_end *end)
{
	struct ifreq ifr = { };
	int fd, err = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memcpy(ifr.ifr_name, end->ifname, sizeof(ifr.ifr_name));
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		err = -errno;
	else
		memcpy(end->mac, ifr.ifr_hwaddr.sa_data, sizeof(end->mac));
	close(fd);
	return err;
}

/* Quiet IPv6: nothing but what the test sends shall cross the cable */
static int psp_end_quiet(const struct psp_end *end)
{
	char path[128];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/addr_gen_mode",
		 end->ifname);
	return psp_sysctl(path, "1");
}

int psp_end_open(struct psp_end *end)
{
	int err;

	end->ifindex = if_nametoindex(end->ifname);
	if (!end->ifindex)
		return -errno;

	err = psp_end_quiet(end);
	if (!err)
		err = psp_end_mac(end);
	if (!err)
		err = psp_link_up(end->ifindex, true);
	if (!err)
		err = psp_link_addr4(end->ifindex, end->v4, 24);
	if (!err)
		err = psp_link_addr6(end->ifindex, &end->v6, 64);
	if (!err)
		err = psp_nl_open(&end->nl);
	if (err)
		return err;

	end->dev_id = psp_dev_of(&end->nl, end->ifindex);
	return end->dev_id ? 0 : -ENODEV;
}

int psp_end_up(struct psp_end *end)
{
	int err = psp_end_open(end);

	if (!err)
		err = psp_nl_dev_set(&end->nl, end->dev_id, PSP_VERSIONS_ALL);
	/* A test may hold a queue up for as long as it likes */
	return err ? err : psp_knob_set(end, "tx_timeout_ms", "3600000");
}

/* Fixed neighbours, so that a lossy wire loses only what the test sends */
static int psp_end_neighbour(const struct psp_end *end,
			     const struct psp_end *other)
{
	int err;

	err = psp_ns_enter(end->ns);
	if (!err)
		err = psp_link_neigh(end->ifindex, AF_INET, &other->v4,
				     other->mac);
	if (!err)
		err = psp_link_neigh(end->ifindex, AF_INET6, &other->v6,
				     other->mac);
	return err;
}

/* Both ports are born in the namespace of A; then one moves */
static int psp_net_cable(struct psp_net *net)
{
	int err;

	err = psp_ns_enter(net->a.ns);
	if (!err)
		err = psp_link_add_queues(net->a.ifname, "psp_ref", 0,
					  net->queues);
	if (!err)
		err = psp_link_add_queues(net->b.ifname, "psp_ref",
					  if_nametoindex(net->a.ifname),
					  net->queues);
	if (!err)
		err = psp_link_move(if_nametoindex(net->b.ifname), net->b.ns);
	return err;
}

/* A port on a real interface, which has nothing of its own to say */
static int psp_end_lower(struct psp_end *end, const char *lower)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", lower);
	err = psp_ns_enter(end->ns);
	if (!err)
		err = psp_sysctl(path, "1");
	if (!err)
		err = psp_link_up(if_nametoindex(lower), true);
	return err ? err : psp_link_add(end->ifname, "psp_ref",
					if_nametoindex(lower));
}

/* One port on each end of a veth pair */
static int psp_net_veth(struct psp_net *net)
{
	int err;

	err = psp_sh(net->a.ns, "ip link add %s type veth peer name %s",
		     PSP_LOWER_A, PSP_LOWER_B) ? -EIO : 0;
	if (!err)
		err = psp_ns_enter(net->a.ns);
	if (!err)
		err = psp_link_move(if_nametoindex(PSP_LOWER_B), net->b.ns);
	if (!err)
		err = psp_end_lower(&net->a, PSP_LOWER_A);
	if (!err)
		err = psp_end_lower(&net->b, PSP_LOWER_B);
	return err ? err : psp_ns_enter(net->a.ns);
}

static int psp_net_build(struct psp_net *net,
			 int (*plug)(struct psp_net *net),
			 int (*up)(struct psp_end *end))
{
	int err;

	net->a.ns = psp_ns_new();
	net->b.ns = psp_ns_new();
	if (net->a.ns < 0 || net->b.ns < 0)
		return -EMFILE;

	err = plug(net);
	if (!err)
		err = up(&net->a);
	if (!err)
		err = psp_ns_enter(net->b.ns);
	if (!err)
		err = up(&net->b);
	if (!err)
		err = psp_end_neighbour(&net->a, &net->b);
	if (!err)
		err = psp_end_neighbour(&net->b, &net->a);
	return err;
}

static int psp_net_open_with(struct psp_net *net, unsigned int queues,
			     int (*plug)(struct psp_net *net),
			     int (*up)(struct psp_end *end))
{
	int err;

	memset(net, 0, sizeof(*net));
	net->queues = queues;
	net->a.ns = -1;
	net->b.ns = -1;
	snprintf(net->a.ifname, IFNAMSIZ, "psp0");
	snprintf(net->b.ifname, IFNAMSIZ, "psp1");
	inet_pton(AF_INET, "10.0.0.1", &net->a.v4);
	inet_pton(AF_INET, "10.0.0.2", &net->b.v4);
	inet_pton(AF_INET6, "fd00::1", &net->a.v6);
	inet_pton(AF_INET6, "fd00::2", &net->b.v6);

	net->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (net->home < 0)
		return -errno;
	err = psp_net_build(net, plug, up);
	if (psp_ns_enter(net->home) && !err)
		err = -errno;
	if (err)
		psp_net_close(net);
	return err;
}

int psp_net_open(struct psp_net *net)
{
	return psp_net_open_with(net, 0, psp_net_cable, psp_end_up);
}

int psp_net_open_queues(struct psp_net *net, unsigned int queues)
{
	return psp_net_open_with(net, queues, psp_net_cable, psp_end_up);
}

int psp_net_open_lower(struct psp_net *net)
{
	return psp_net_open_with(net, 0, psp_net_veth, psp_end_up);
}

int psp_net_open_plugged(struct psp_net *net,
			 int (*plug)(struct psp_net *net),
			 int (*up)(struct psp_end *end))
{
	return psp_net_open_with(net, 0, plug, up);
}

static void psp_end_close(struct psp_end *end)
{
	psp_nl_close(&end->nl);
	if (end->ns < 0)
		return;
	if (!psp_ns_enter(end->ns) && if_nametoindex(end->ifname))
		psp_link_del(if_nametoindex(end->ifname));
	close(end->ns);
	end->ns = -1;
}

void psp_net_close(struct psp_net *net)
{
	psp_end_close(&net->a);
	psp_end_close(&net->b);
	psp_ns_enter(net->home);
	close(net->home);
}

int psp_net_replug(struct psp_net *net)
{
	int home, err;

	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	psp_nl_close(&net->a.nl);
	err = psp_ns_enter(net->a.ns);
	if (!err)
		err = psp_link_del(net->a.ifindex);
	if (!err)
		err = psp_ns_enter(net->b.ns);
	if (!err)
		err = psp_link_add(net->a.ifname, "psp_ref", net->b.ifindex);
	if (!err)
		err = psp_link_move(if_nametoindex(net->a.ifname), net->a.ns);
	if (!err)
		err = psp_ns_enter(net->a.ns);
	if (!err)
		err = psp_end_up(&net->a);
	if (!err)
		err = psp_end_neighbour(&net->a, &net->b);
	if (!err)
		err = psp_end_neighbour(&net->b, &net->a);
	psp_ns_enter(home);
	close(home);
	return err;
}

int64_t psp_end_stat(struct psp_end *end, int which)
{
	struct psp_stats stats;
	int err = psp_nl_stats(&end->nl, end->dev_id, &stats);

	return err ? err : (int64_t)stats.val[which];
}

int64_t psp_end_refused(struct psp_end *end)
{
	return psp_end_stat(end, PSP_A_STATS_RX_BAD) +
	       psp_end_stat(end, PSP_A_STATS_RX_AUTH_FAIL);
}

int psp_end_wait_refused(struct psp_end *end, int64_t num, int timeout_ms)
{
	uint64_t deadline = psp_now_ms() + timeout_ms;

	while (psp_end_refused(end) < num) {
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

struct psp_end *psp_net_other(struct psp_net *net, struct psp_end *end)
{
	return end == &net->a ? &net->b : &net->a;
}

uint32_t psp_dev_of(struct psp_nl *nl, int ifindex)
{
	struct psp_dev_info info[64];
	int n, i;

	n = psp_nl_dev_dump(nl, info, 64);
	for (i = 0; i < n && i < 64; i++)
		if (info[i].ifindex == ifindex)
			return info[i].id;
	return 0;
}
