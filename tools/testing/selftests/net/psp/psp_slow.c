// SPDX-License-Identifier: GPL-2.0
/* Time and size for slow kernels */
#include <stdlib.h>

#include "psp_slow.h"

static unsigned int psp_slow_env(const char *name)
{
	const char *val = getenv(name);
	unsigned int num = val ? strtoul(val, NULL, 10) : 1;

	return num ? num : 1;
}

unsigned int psp_scaled(unsigned int num)
{
	unsigned int by = psp_slow_env("PSP_SCALE");

	return num > by ? num / by : 1;
}

unsigned int psp_slow_ms(unsigned int ms)
{
	return ms * psp_slow_env("PSP_SLOW");
}

/*
 * The harness limits a test by alarm(), to seconds that are constants of the
 * program. The linker puts this in between.
 */
unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(seconds * psp_slow_env("PSP_SLOW"));
}
