// SPDX-License-Identifier: GPL-2.0
/* What is computed from what the kernel tells; asks nobody, prints nothing */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pspctl.h"

/* With so many rotations the device has lost the key that a key came from */
#define ROTATIONS_STALE	2

double time_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

double rate_of(uint64_t new, uint64_t old, double seconds)
{
	if (new == PSP_UNKNOWN || old == PSP_UNKNOWN || new < old)
		return 0;
	return (new - old) / seconds;
}

uint64_t drops_sum(const struct psp_rekey_stats *rekey)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; rekey && i < rekey->num_drops; i++)
		if (rekey->drops[i] != PSP_UNKNOWN)
			sum += rekey->drops[i];
	return sum;
}

void assoc_addr(const struct psp_assoc *assoc, const uint8_t *addr, char *buf)
{
	if (!inet_ntop(assoc->family, addr, buf, INET6_ADDRSTRLEN))
		snprintf(buf, INET6_ADDRSTRLEN, "?");
}

void assoc_end(const struct psp_assoc *assoc, const uint8_t *addr,
	       uint16_t port, char *buf)
{
	char text[INET6_ADDRSTRLEN];

	if (!assoc->family) {
		snprintf(buf, ADDR_MAX, "*:*");
		return;
	}
	assoc_addr(assoc, addr, text);
	snprintf(buf, ADDR_MAX, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text,
		 port);
}

bool key_is_stale(const struct psp_assoc_key *key)
{
	return key && key->rotations >= ROTATIONS_STALE &&
	       key->rotations != PSP_UNKNOWN;
}

const char *known_or(const char *name)
{
	return name ? name : "unknown";
}
