// SPDX-License-Identifier: GPL-2.0
/* The host's end of a container, and the container */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
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
static int container_up(struct container *c)
{
	struct psp_end *end = &c->pair.a;
	int err;

	err = psp_ns_enter(end->ns);
	end->ifindex = if_nametoindex(end->ifname);
	if (!err)
		err = psp_sysctl("net/ipv6/conf/eth0/addr_gen_mode", "1");
	if (!err)
		err = psp_link_up(end->ifindex, true);
	if (!err)
		err = psp_link_addr4(end->ifindex, end->v4, 32);
	if (!err)
		err = psp_link_addr6(end->ifindex, &end->v6, 128);
	if (!err)
		err = psp_nl_open(&end->nl);
	if (!err)
		err = psp_sh(end->ns,
			     "ip route add default dev eth0;"
			     "ip -6 route add default dev eth0") ? -EIO : 0;
	return err;
}

static int container_host_up(struct container *c)
{
	int err = psp_ns_enter(c->net.a.ns);

	c->host_ifindex = if_nametoindex("host0");
	if (!err)
		err = psp_sysctl("net/ipv6/conf/host0/addr_gen_mode", "1");
	if (!err)
		err = psp_sysctl("net/ipv4/ip_forward", "1");
	if (!err)
		err = psp_sysctl("net/ipv6/conf/all/forwarding", "1");
	if (!err)
		err = psp_link_up(c->host_ifindex, true);
	if (!err)
		err = psp_sh(c->net.a.ns,
			     "ip route add 10.1.0.2 dev host0;"
			     "ip -6 route add fd01::2 dev host0") ? -EIO : 0;
	return err;
}

/* What ARP would find out */
static int container_neighbours(struct container *c, struct psp_end *host)
{
	struct psp_end *end = &c->pair.a, *far = &c->net.b;
	int err;

	err = container_neigh(c->net.a.ns, c->host_ifindex, end, end->mac);
	if (!err)
		err = container_neigh(end->ns, end->ifindex, far, host->mac);
	if (!err)
		err = container_neigh(far->ns, far->ifindex, end,
				      c->net.a.mac);
	if (!err)
		err = psp_sh(far->ns,
			     "ip route add 10.1.0.2 dev %s;"
			     "ip -6 route add fd01::2 dev %s", far->ifname,
			     far->ifname) ? -EIO : 0;
	return err;
}

static int container_macs(struct container *c, struct psp_end *host)
{
	int err;

	host->ns = c->net.a.ns;
	snprintf(host->ifname, IFNAMSIZ, "host0");
	err = psp_ns_enter(host->ns);
	if (!err)
		err = psp_end_mac(host);
	if (!err)
		err = psp_ns_enter(c->pair.a.ns);
	if (!err)
		err = psp_end_mac(&c->pair.a);
	return err;
}

static int container_build(struct container *c, const char *kind)
{
	struct psp_end host = { };
	int err;

	err = psp_ns_enter(c->net.a.ns);
	if (!err)
		err = psp_ns_set_id(c->pair.a.ns, CONTAINER_NSID);
	if (!err)
		err = psp_link_add_pair("host0", kind, "eth0", c->pair.a.ns);
	if (!err)
		err = container_host_up(c);
	if (!err)
		err = container_up(c);
	if (!err)
		err = container_macs(c, &host);
	if (!err)
		err = container_neighbours(c, &host);
	if (!err)
		err = psp_ns_enter(c->net.b.ns);
	return err ? err : psp_nl_open(&c->pair.b.nl);
}

int container_open(struct container *c, const char *kind)
{
	struct psp_end *end = &c->pair.a;
	int err;

	memset(c, 0, sizeof(*c));
	end->ns = -1;
	err = psp_net_open(&c->net);
	if (err)
		return err;

	c->pair.home = c->net.home;
	c->pair.b = c->net.b;
	memset(&c->pair.b.nl, 0, sizeof(c->pair.b.nl));
	snprintf(end->ifname, IFNAMSIZ, "eth0");
	end->dev_id = c->net.a.dev_id;
	inet_pton(AF_INET, "10.1.0.2", &end->v4);
	inet_pton(AF_INET6, "fd01::2", &end->v6);
	end->ns = psp_ns_new();
	err = end->ns < 0 ? end->ns : container_build(c, kind);
	psp_ns_enter(c->net.home);
	if (err)
		container_close(c);
	return err;
}

void container_close(struct container *c)
{
	psp_nl_close(&c->pair.a.nl);
	psp_nl_close(&c->pair.b.nl);
	if (!psp_ns_enter(c->net.a.ns) && if_nametoindex("host0"))
		psp_link_del(if_nametoindex("host0"));
	if (c->pair.a.ns >= 0)
		close(c->pair.a.ns);
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
