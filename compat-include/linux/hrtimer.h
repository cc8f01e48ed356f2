/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hrtimer_setup(): since 6.13, drop when min > 6.12. Before, hrtimer_init()
 * left the function to the caller.
 */
#ifndef _COMPAT_LINUX_HRTIMER_H
#define _COMPAT_LINUX_HRTIMER_H

#include <generated/compat-probes.h>
#include_next <linux/hrtimer.h>

#ifndef COMPAT_HAS_HRTIMER_SETUP
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#endif /* _COMPAT_LINUX_HRTIMER_H */
