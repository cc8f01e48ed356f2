/* SPDX-License-Identifier: GPL-2.0 */
/* What befalls a socket between its first segment and its last, under PSP */
#ifndef LIFE_H
#define LIFE_H

#include "policy.h"

/* Deadline of anything that should work */
#define LIFE_MS		psp_slow_ms(20000)
#define LIFE_BULK	200000

/* Indexes of arrays that hold something of each end */
enum life_from {
	FROM_B,
	FROM_A,
};

/**
 * struct life_seen - segments of a connection on the wire
 * @plain: in plain text
 * @psp: under PSP, by sender
 * @fin: of those, the ones with FIN
 * @rst: of those, the ones with RST
 */
struct life_seen {
	int plain;
	int psp[2];
	int fin[2];
	int rst[2];
};

/* Both ends to "PSP full"; what follows on the wire can be read */
int life_secure(struct policy *p, struct wire *wire);

/* Rotate and rekey both ends; the wire knows the new keys too */
int life_rekey(struct policy *p, struct wire *wire);

/* Count all segments since the last time, or since life_secure() */
int life_look(struct wire *wire, struct life_seen *seen);

/* The same: all under PSP, some from each end, and the core dropped none */
bool life_is_secured(struct policy *p, struct wire *wire);

/* Next segment under PSP from an end, with all of @flags; -EPERM: plain */
int life_next(struct wire *wire, bool from_a, uint8_t flags,
	      struct wire_seg *seg);

/* Give the socket all of a pattern that it takes: bytes, or -errno */
int64_t life_fill(int fd, uint32_t seed);

/* Read @len bytes of a pattern, then the end of the stream if @eof */
int life_read(int fd, uint32_t seed, uint64_t len, bool eof);

/* Wait until the counter of TcpExt has grown by @num since it was @since */
int life_wait_snmp(const struct psp_end *end, const char *name, int64_t since,
		   int64_t num);

/* Wait until at least @num packets were dropped because of @reason */
int life_wait_drops(struct policy *p, const char *reason, int64_t num);

/* All of what leaves the port is lost from now on, or nothing */
int life_cut(struct psp_end *end, bool cut);

/* Close, and forget the descriptor */
void life_close(struct psp_side *side);

/* Wait for an event of poll(); 0 or -ETIMEDOUT */
int life_poll(int fd, short events);

#endif /* LIFE_H */
