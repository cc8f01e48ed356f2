/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* One connection between the two hosts, for tests of what can befall it */
#ifndef ONE_H
#define ONE_H

#include <errno.h>

#include "cases.h"
#include "fake.h"

#define KEEP		PSP_REKEY_KEEP_OFFER
#define C(e, name)	(fake_counters(&w.end[e]).name)

static struct fake_world w;
static struct fake_sock *a, *b;

/* Not spread, so that a rotation and what it does are a few milliseconds */
static const struct psp_rekey_pool_config at_once = {
	.size = sizeof(at_once),
	.window_ms = 1,
};

static inline void start(const struct psp_rekey_pool_config *config)
{
	fake_open(&w, 1, config);
	a = &w.end[0].socks[0];
	b = &w.end[1].socks[0];
}

static inline void start_up(const struct psp_rekey_pool_config *config,
			    unsigned int flags)
{
	start(config);
	fake_up(&w, 0, flags);
}

static inline void rotate_both(void)
{
	fake_rotate(&w.end[0], FAKE_TOLD);
	fake_rotate(&w.end[1], FAKE_TOLD);
}

#endif /* ONE_H */
