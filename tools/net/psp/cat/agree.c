// SPDX-License-Identifier: GPL-2.0
/*
 * Can both sides do PSP, and if not, what then? Each tells what it can and what
 * it wants; both have the same facts then, and draw the same conclusion.
 */
#include <stdio.h>
#include <string.h>

#include "pspcat.h"

#define HELLO_FORMAT	1
#define HELLO_CAN	1
#define HELLO_FALLBACK	2

void agree_text(char *to, size_t size, const uint8_t *data, size_t len)
{
	size_t i;

	if (len > size - 1)
		len = size - 1;
	for (i = 0; i < len; i++)
		to[i] = data[i] < ' ' || data[i] > '~' ? '?' : data[i];
	to[len] = '\0';
}

void agree_pack(struct side *side)
{
	size_t len = strlen(side->why);

	side->hello[0] = HELLO_FORMAT;
	side->hello[1] = (side->can ? HELLO_CAN : 0) |
			 (side->fallback ? HELLO_FALLBACK : 0);
	side->hello[2] = side->versions;
	side->hello[3] = 0;
	memcpy(side->hello + HELLO_HEAD, side->why, len);
	side->hello_len = HELLO_HEAD + len;
}

int agree_parse(struct side *side, const uint8_t *data, size_t len)
{
	if (len < HELLO_HEAD || len > HELLO_MAX || data[0] != HELLO_FORMAT)
		return -1;
	memcpy(side->hello, data, len);
	side->hello_len = len;
	side->can = data[1] & HELLO_CAN;
	side->fallback = data[1] & HELLO_FALLBACK;
	side->versions = data[2];
	agree_text(side->why, sizeof(side->why), data + HELLO_HEAD,
		   len - HELLO_HEAD);
	return 0;
}

/* Why not, of both sides or of one */
static void agree_why(const struct side *me, const struct side *peer,
		      char *why, size_t len)
{
	if (me->can && peer->can)
		snprintf(why, len, "no PSP version is allowed by both sides");
	else if (me->can)
		snprintf(why, len, "the other side has no PSP: %s", peer->why);
	else if (peer->can)
		snprintf(why, len, "this side has no PSP: %s", me->why);
	else
		snprintf(why, len, "this side has no PSP: %s; and neither has "
			 "the other side: %s", me->why, peer->why);
}

enum verdict agree_decide(const struct side *me, const struct side *peer,
			  unsigned int *version, char *why, size_t len)
{
	uint32_t common = me->versions & peer->versions;
	size_t at;

	*why = '\0';
	if (me->can && peer->can && common) {
		*version = __builtin_ctz(common);
		return VERDICT_PSP;
	}
	agree_why(me, peer, why, len);
	if (me->fallback && peer->fallback)
		return VERDICT_TLS;
	at = strlen(why);
	snprintf(why + at, len - at,
		 "; and %s to go on under TLS (see --fallback)",
		 me->fallback ? "the other side refuses" :
		 peer->fallback ? "this side refuses" : "both sides refuse");
	return VERDICT_REFUSED;
}
