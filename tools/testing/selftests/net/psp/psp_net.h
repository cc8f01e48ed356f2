/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_NET_H
#define PSP_NET_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "psp_nl.h"

/**
 * struct psp_end - one end of the cable, in a namespace of its own
 * @ns: fd of the network namespace
 * @ifname: name of the port
 * @ifindex: its index
 * @dev_id: id of its PSP device
 * @v4: its IPv4 address, /24
 * @v6: its IPv6 address, /64
 * @mac: its hardware address
 * @nl: PSP netlink socket in @ns
 */
struct psp_end {
	int ns;
	char ifname[IFNAMSIZ];
	int ifindex;
	uint32_t dev_id;
	struct in_addr v4;
	struct in6_addr v6;
	uint8_t mac[6];
	struct psp_nl nl;
};

/**
 * struct psp_net - two ends and the cable between them
 * @home: fd of the namespace that the test was started in
 * @queues: queue pairs of the ports, 0: as many as the driver gives them
 * @a: end A: 10.0.0.1, fd00::1, psp0
 * @b: end B: 10.0.0.2, fd00::2, psp1
 */
struct psp_net {
	int home;
	unsigned int queues;
	struct psp_end a;
	struct psp_end b;
};

/*
 * Makes namespaces, ports, addresses; enables all versions; returns at home.
 * Ports have as many queue pairs as the driver gives them, or @queues
 */
int psp_net_open(struct psp_net *net);
int psp_net_open_queues(struct psp_net *net, unsigned int queues);

/*
 * The same, but the ports are not cabled: each is on an interface, and the two
 * interfaces are a veth pair
 */
#define PSP_LOWER_A	"low0"
#define PSP_LOWER_B	"low1"
int psp_net_open_lower(struct psp_net *net);

/*
 * The same with other ports: @plug makes them, beginning in the namespace of A,
 * gives the ends their names and returns there; @up is what psp_end_up() is
 */
int psp_net_open_plugged(struct psp_net *net,
			 int (*plug)(struct psp_net *net),
			 int (*up)(struct psp_end *end));

/* Deletes the ports and closes what psp_net_open() opened */
void psp_net_close(struct psp_net *net);

/* Delete the port of A, and make another one in its place */
int psp_net_replug(struct psp_net *net);

/*
 * Give the port @end.ifname, which has just come into the current namespace,
 * its addresses and open @end.nl; psp_end_up(): and enable all versions of a
 * port of psp_ref
 */
int psp_end_open(struct psp_end *end);
int psp_end_up(struct psp_end *end);

/* Read the hardware address of an end in the current namespace */
int psp_end_mac(struct psp_end *end);

/*
 * A counter of get-stats (PSP_A_STATS_*); the packets that no key of the device
 * opened; or -errno. And wait until there are @num of those.
 */
int64_t psp_end_stat(struct psp_end *end, int which);
int64_t psp_end_refused(struct psp_end *end);
int psp_end_wait_refused(struct psp_end *end, int64_t num, int timeout_ms);

struct psp_end *psp_net_other(struct psp_net *net, struct psp_end *end);

/* Network namespaces: sockets belong to the one they are made in */
int psp_ns_new(void);			/* fd of a new one, or -errno */
int psp_ns_enter(int ns);
int psp_ns_set_id(int ns, int32_t id);	/* as the current one's peer */
int psp_ns_socket(int ns, int family, int type, int protocol);

/* Links of the current namespace, by rtnetlink */
int psp_link_add(const char *name, const char *kind, int lower);
int psp_link_add_queues(const char *name, const char *kind, int lower,
			unsigned int queues);
int psp_link_add_pair(const char *name, const char *kind,
		      const char *peer_name, int peer_ns);
int psp_link_del(int ifindex);
int psp_link_move(int ifindex, int ns);
int psp_link_up(int ifindex, bool up);
int psp_link_mtu(int ifindex, uint32_t mtu);
int psp_link_addr4(int ifindex, struct in_addr addr, int prefixlen);
int psp_link_addr6(int ifindex, const struct in6_addr *addr, int prefixlen);
int psp_link_neigh(int ifindex, int family, const void *addr,
		   const uint8_t *mac);

/* A route to one address, or to all, whose neighbour is the address itself */
int psp_link_route(int ifindex, int family, const void *dst);

/* PSP device of interface @ifindex: 0 if there is none */
uint32_t psp_dev_of(struct psp_nl *nl, int ifindex);

/* Write into /proc/sys, as seen from the current namespace */
int psp_sysctl(const char *path, const char *val);

/* Run a shell command in the namespace @ns; returns its exit status */
__printf(2, 3) int psp_sh(int ns, const char *fmt, ...);

/* Drop and regain CAP_NET_ADMIN in the effective set */
int psp_net_admin(bool on);

/* Milliseconds of the monotonic clock, and a short sleep for polling loops */
uint64_t psp_now_ms(void);
void psp_nap(void);

#endif /* PSP_NET_H */
