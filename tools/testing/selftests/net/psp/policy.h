/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POLICY_H
#define POLICY_H

#include <linux/bpf.h>

#include "forge.h"
#include "psp_lib.h"
#include "seal.h"
#include "wire.h"

#define POLICY_MS	10000	/* deadline of what has to happen */
#define POLICY_DROPS	32

/* Columns of the policy table in psp.rst: what socket A has come to */
enum policy_column {
	POLICY_NO_STATE,
	POLICY_RX_ASSOC,
	POLICY_TX_KEY,
	POLICY_PSP_FULL,
};

struct policy_drops {
	char name[POLICY_DROPS][24];
	uint64_t count[POLICY_DROPS];
	int num;
};

/**
 * struct policy - a connection whose end A is put to the test
 * @net: the two ends
 * @conn: connection; A is the one that segments are forged for
 * @other: another connection, if a test opens one
 * @version: PSP version
 * @forge: forges segments from B to A
 * @drops: the core's drop counters as policy_mark() saw them
 * @stats: counters of A's device at that moment
 */
struct policy {
	struct psp_net net;
	struct psp_conn conn;
	struct psp_conn other;
	uint32_t version;
	struct forge forge;
	struct policy_drops drops;
	struct psp_stats stats;
};

/* Both ends, then the connection; through @ifname at A, if it is not NULL */
int policy_open_net(struct policy *p, uint32_t version);
int policy_connect(struct policy *p, enum psp_family family,
		   const char *ifname);

/* All of it */
int policy_open(struct policy *p, enum psp_family family, uint32_t version);
void policy_close(struct policy *p);

/* Close both sockets, no matter what they still have to say */
void policy_abort(struct psp_conn *conn);

/* Bring A into a column of the table, then forge_sync() and policy_mark() */
int policy_reach(struct policy *p, enum policy_column column);

/* From "+ tx key" on: B gets its tx key, and both come to "PSP full" */
int policy_complete(struct policy *p);

/* The counters, and the trace: from here on, count anew */
int policy_mark(struct policy *p);

/*
 * Wait until the core has dropped @num packets because of @reason. All other
 * reasons must not have been seen, and the trace must have told each of them.
 * 0, -ETIMEDOUT, or -ERANGE.
 */
int policy_dropped(struct policy *p, const char *reason, uint64_t num);

/* The same, but there may be more, and others: TCP sends again */
int policy_dropped_some(struct policy *p, const char *reason, int num);

/* policy_dropped() for what A's device cannot open */
int policy_refused(struct policy *p, uint64_t num);

/* Since policy_mark(): how many, without waiting */
int64_t policy_drop_count(struct policy *p, const char *reason);
int policy_dropped_none(struct policy *p);

/* Since policy_mark(): wait until @num of them are in the trace */
int policy_traced(const struct policy *p, const char *reason, int num);

/* Read once, within the deadline: bytes, 0 at the end, or -errno */
int policy_read(int fd, void *buf, size_t len);

/* Reads exactly @text */
int policy_reads(int fd, const char *text);

/* Nothing to be read at this moment, and all is well */
bool policy_is_quiet(int fd);

/* TCP state (BPF_TCP_ESTABLISHED ...) of a socket, or wait for it */
int policy_tcp_state(int fd);
int policy_wait_state(int fd, int state);

/* Hand all of @text to the socket */
int policy_send(int fd, const char *text);

/* Time-wait sockets in the namespace of an end whose local port is @port */
int policy_timewaits(const struct psp_end *end, uint16_t port);

/*
 * References to psp.ko; the state of each socket holds some until it dies.
 * Mainline's PSP is no module: there the keys in A's device stand for them.
 */
#define POLICY_STATE_REFS	2
int policy_state_refs(struct policy *p);
int policy_wait_state_refs(struct policy *p, int refs);

/* The kernel will log a line that matches: it may, and it has to */
int policy_expect_log(const char *regex);

#endif /* POLICY_H */
