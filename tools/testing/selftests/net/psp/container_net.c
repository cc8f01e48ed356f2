// SPDX-License-Identifier: GPL-2.0
/* The host's end of a container, and the container */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"

/* One way: what @end has to send to @dst goes to the neighbour with @mac */
static int container_neigh(int ns, int ifindex, const struct psp_end *dst,
			   const uint8_t *mac)
{
	int err = psp_ns_enter(ns);

	if (!err)
		err = psp_link_neigh(ifindex, AF_INET, &dst->v4, mac);
	if (!err)
		err = psp_link_neigh(ifindex, AF_INET6, &dst->v6, mac);
	return err;
}

/* Addresses are routed, not shared: each side has a /32 and a /128 */
static int container_up(struct psp_end *end)
{
	int err;

	err = psp_ns_enter(end->ns);
	end->ifindex = if_nametoindex(end->ifname);
	if (!err)
		err = psp_sysctl("net/ipv6/conf/eth0/addr_gen_mode", "1");
	if (!err)
		err = psp_end_mac(end);
	if (!err)
		err = psp_link_up(end->ifindex, true);
	if (!err)
		err = psp_link_addr4(end->ifindex, end->v4, 32);
	if (!err)
		err = psp_link_addr6(end->ifindex, &end->v6, 128);
	if (!err)
		err = psp_link_route(end->ifindex, AF_INET, NULL);
	if (!err)
		err = psp_link_route(end->ifindex, AF_INET6, NULL);
	return err ? err : psp_nl_open(&end->nl);
}

/* A route to the container, by @from's network device */
static int container_route(const struct psp_end *from,
			   const struct psp_end *end)
{
	int err = psp_ns_enter(from->ns);

	if (!err)
		err = psp_link_route(from->ifindex, AF_INET, &end->v4);
	return err ? err : psp_link_route(from->ifindex, AF_INET6, &end->v6);
}

/* @host is the host's side of the pair that ends in @end */
static int container_host_up(struct psp_end *host, const struct psp_end *end)
{
	char path[128];
	int err = psp_ns_enter(host->ns);

	host->ifindex = if_nametoindex(host->ifname);
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/addr_gen_mode",
		 host->ifname);
	if (!err)
		err = psp_sysctl(path, "1");
	if (!err)
		err = psp_sysctl("net/ipv4/ip_forward", "1");
	if (!err)
		err = psp_sysctl("net/ipv6/conf/all/forwarding", "1");
	if (!err)
		err = psp_end_mac(host);
	if (!err)
		err = psp_link_up(host->ifindex, true);
	return err ? err : container_route(host, end);
}

/* What ARP would find out */
static int container_neighbours(struct container *c, struct psp_end *host,
				struct psp_end *end)
{
	struct psp_end *far = &c->net.b;
	int err;

	err = container_neigh(host->ns, host->ifindex, end, end->mac);
	if (!err)
		err = container_neigh(end->ns, end->ifindex, far, host->mac);
	if (!err)
		err = container_neigh(end->ns, end->ifindex, &c->net.a,
				      host->mac);
	if (!err)
		err = container_neigh(far->ns, far->ifindex, end,
				      c->net.a.mac);
	return err ? err : container_route(far, end);
}

static int container_plug(struct container *c, struct psp_end *end,
			  const char *ifname, const char *kind, int32_t nsid)
{
	struct psp_end host = { .ns = c->net.a.ns };
	int err;

	end->dev_id = c->net.a.dev_id;
	snprintf(end->ifname, IFNAMSIZ, "eth0");
	snprintf(host.ifname, IFNAMSIZ, "%s", ifname);
	end->ns = psp_ns_new();
	if (end->ns < 0)
		return end->ns;

	err = psp_ns_enter(host.ns);
	if (!err)
		err = psp_ns_set_id(end->ns, nsid);
	if (!err)
		err = psp_link_add_pair(ifname, kind, "eth0", end->ns);
	if (!err)
		err = container_up(end);
	if (!err)
		err = container_host_up(&host, end);
	if (!err)
		err = container_neighbours(c, &host, end);
	return err;
}

static int container_build(struct container *c, const char *kind)
{
	int err;

	inet_pton(AF_INET, "10.1.0.2", &c->pair.a.v4);
	inet_pton(AF_INET6, "fd01::2", &c->pair.a.v6);
	err = container_plug(c, &c->pair.a, "host0", kind, CONTAINER_NSID);
	if (!err)
		err = psp_ns_enter(c->net.a.ns);
	c->host_ifindex = if_nametoindex("host0");
	if (!err)
		err = psp_ns_enter(c->net.b.ns);
	return err ? err : psp_nl_open(&c->pair.b.nl);
}

int container_open(struct container *c)
{
	const char *kind = getenv("CONTAINER_KIND") ?: "veth";
	int err;

	memset(c, 0, sizeof(*c));
	c->pair.a.ns = -1;
	c->more.ns = -1;
	err = psp_net_open(&c->net);
	if (err)
		return err;

	c->pair.home = c->net.home;
	c->pair.b = c->net.b;
	memset(&c->pair.b.nl, 0, sizeof(c->pair.b.nl));
	err = container_build(c, kind);
	psp_ns_enter(c->net.home);
	if (err)
		container_close(c);
	return err;
}

int container_open_more(struct container *c)
{
	int err;

	inet_pton(AF_INET, "10.1.0.3", &c->more.v4);
	inet_pton(AF_INET6, "fd01::3", &c->more.v6);
	err = container_plug(c, &c->more, "host1", "veth", CONTAINER_NSID + 1);
	psp_ns_enter(c->net.home);
	return err ? err : psp_nl_dev_assoc_in(&c->net.a.nl, c->net.a.dev_id,
					       c->more.ifindex,
					       CONTAINER_NSID + 1);
}

int container_replug(struct container *c, int aside)
{
	struct psp_end host = { .ns = c->net.a.ns, .ifname = "host0" };
	int err;

	err = psp_ns_enter(c->net.a.ns);
	if (!err)
		err = psp_link_move(if_nametoindex("host0"), aside);
	if (!err)
		err = psp_ns_enter(aside);
	if (!err)
		err = psp_link_move(if_nametoindex("host0"), c->net.a.ns);
	if (!err)
		err = container_host_up(&host, &c->pair.a);
	if (!err)
		err = container_neigh(host.ns, host.ifindex, &c->pair.a,
				      c->pair.a.mac);
	c->host_ifindex = host.ifindex;
	return psp_ns_enter(c->net.home) ?: err;
}

int container_bridge(struct container *c)
{
	struct psp_end bridge = { .ns = c->net.a.ns, .ifname = "br0" };
	int err = 0;

	if (psp_sh(bridge.ns, "set -e;"
		   "ip link add br0 address 02:00:00:00:00:b0 type bridge;"
		   "ip link set host0 master br0;"
		   "ip route del 10.1.0.2; ip -6 route del fd01::2;"))
		err = -EIO;
	if (!err)
		err = container_host_up(&bridge, &c->pair.a);
	if (!err)
		err = container_neigh(bridge.ns, bridge.ifindex, &c->pair.a,
				      c->pair.a.mac);
	if (!err)
		err = container_neigh(c->pair.a.ns, c->pair.a.ifindex,
				      &c->net.b, bridge.mac);
	return psp_ns_enter(c->net.home) ?: err;
}

void container_close(struct container *c)
{
	psp_nl_close(&c->pair.a.nl);
	psp_nl_close(&c->pair.b.nl);
	psp_nl_close(&c->more.nl);
	if (!psp_ns_enter(c->net.a.ns) && if_nametoindex("host0"))
		psp_link_del(if_nametoindex("host0"));
	if (c->pair.a.ns >= 0)
		close(c->pair.a.ns);
	if (c->more.ns >= 0)
		close(c->more.ns);
	psp_net_close(&c->net);
}

int container_assoc(struct container *c)
{
	return psp_nl_dev_assoc_in(&c->net.a.nl, c->net.a.dev_id,
				   c->pair.a.ifindex, CONTAINER_NSID);
}

int container_disassoc(struct container *c)
{
	return psp_nl_dev_disassoc_in(&c->net.a.nl, c->net.a.dev_id,
				      c->pair.a.ifindex, CONTAINER_NSID);
}
