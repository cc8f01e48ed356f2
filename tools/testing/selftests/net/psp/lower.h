/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ports on real interfaces: two namespaces, a veth pair between them, a port
 * on each end of it. What passes is seen on the lower device of A.
 */
#ifndef LOWER_H
#define LOWER_H

#include "psp_lib.h"

#define LOWER_MS	20000	/* deadline of anything that should work */
#define LOWER_KEYS	32

/**
 * struct lower_count - frames seen on the lower device
 * @psp: PSP packets
 * @opened: of those, how many one of the keys has opened
 * @plain: TCP segments in plain text
 * @big: frames longer than the MTU allows, GSO units
 */
struct lower_count {
	int psp;
	int opened;
	int plain;
	int big;
};

/**
 * struct lower - the scene
 * @net: the two ends
 * @conn: TCP connection, not secure until the test makes it so
 * @tap: all that passes the lower device of A
 * @key: keys of the connection
 * @keys: their number
 * @count: what @tap has seen since lower_reset()
 */
struct lower {
	struct psp_net net;
	struct psp_conn conn;
	struct psp_tap tap;
	struct psp_key key[LOWER_KEYS];
	int keys;
	struct lower_count count;
};

int lower_open(struct lower *lower, enum psp_family family);
void lower_close(struct lower *lower);

/* The ports were made anew: find their PSP devices */
int lower_find_devs(struct lower *lower);

/* Make it secure; all that is seen from now on should be PSP */
int lower_secure(struct lower *lower, uint32_t version);

/* Data both ways, with rotation and rekeying of both ends @times */
int lower_rekey_in_flow(struct lower *lower, int times);

/* Count the frames seen; forget them */
void lower_look(struct lower *lower);
void lower_reset(struct lower *lower);

/* Nothing but PSP packets, and they could be opened */
bool lower_is_private(struct lower *lower);

/* Wait until the link shows @text in "ip -d link show" or shows it not */
int lower_wait_link(int ns, const char *ifname, const char *text, bool want);

#endif /* LOWER_H */
