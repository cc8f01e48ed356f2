/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A container whose network device is associated with a port of its host.
 *
 * End A of the cable is the host, end B another machine. The container is
 * behind a pair of network devices: "eth0" in there, "host0" at the host, which
 * routes between host0 and its port.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include "policy.h"

#define CONTAINER_NSID	7	/* the container's namespace, for the host */
#define CONTAINER_MS	15000	/* deadline of anything that should work */

/**
 * struct container - the scene
 * @net: the cable; A is the host
 * @pair: A is the container, B is end B of @net: for connections between them
 * @host_ifindex: index of host0
 * @more: another container, behind "host1", if there is one
 */
struct container {
	struct psp_net net;
	struct psp_net pair;
	int host_ifindex;
	struct psp_end more;
};

/*
 * $CONTAINER_KIND is the kind of the pair, veth if it is not set. Nothing is
 * associated yet
 */
int container_open(struct container *c);
void container_close(struct container *c);

/* Another container, associated, on veth */
int container_open_more(struct container *c);

/* host0 goes to namespace @aside, and comes back */
int container_replug(struct container *c, int aside);

/* host0 becomes a port of a bridge, which routes in its place */
int container_bridge(struct container *c);

/* dev-assoc of eth0, dev-disassoc; by the host */
int container_assoc(struct container *c);
int container_disassoc(struct container *c);

/*
 * Have BPF at the host lead what the container sends to the port, and what the
 * port receives for the container to that
 */
int container_redirect(struct container *c);

/* An XDP program at host0, which does nothing; and none any more */
int container_xdp(struct container *c, bool on);

/* Have it lead all that @from receives to the other end of @to */
int container_mislead(struct container *c, const char *from, int to);

/*
 * A socket at @end that takes itself for the one of @twin's, in another
 * namespace: same addresses and ports, same numbers
 */
int container_twin(const struct psp_end *end, enum psp_family family, int twin);

#endif /* CONTAINER_H */
