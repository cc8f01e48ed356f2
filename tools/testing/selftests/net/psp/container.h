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

#include "psp_lib.h"

#define CONTAINER_NSID	7	/* the container's namespace, for the host */
#define CONTAINER_MS	15000	/* deadline of anything that should work */

/**
 * struct container - the scene
 * @net: the cable; A is the host
 * @pair: A is the container, B is end B of @net: for connections between them
 * @host_ifindex: index of host0
 */
struct container {
	struct psp_net net;
	struct psp_net pair;
	int host_ifindex;
};

/* @kind is "veth" or "netkit"; nothing is associated yet */
int container_open(struct container *c, const char *kind);
void container_close(struct container *c);

/* dev-assoc of eth0, dev-disassoc; by the host */
int container_assoc(struct container *c);
int container_disassoc(struct container *c);

#endif /* CONTAINER_H */
