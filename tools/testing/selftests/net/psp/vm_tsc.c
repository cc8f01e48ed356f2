// SPDX-License-Identifier: GPL-2.0
/*
 * For the host of the virtual machines: prints how many kHz its time stamp
 * counter has, which is the one of an emulated CPU as well. A guest on a busy
 * host may measure something else altogether.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#ifdef __x86_64__
#include <x86intrin.h>
#else
#define __rdtsc() 0
#endif

#define TRIES		1000
#define WAIT_US		100000

/* What both clocks said at the same time, or as nearly so as could be had */
struct moment {
	uint64_t tsc;
	uint64_t ns;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static struct moment now(void)
{
	uint64_t before, after, ns, best = UINT64_MAX;
	struct moment moment = { };
	int i;

	for (i = 0; i < TRIES; i++) {
		before = __rdtsc();
		ns = now_ns();
		after = __rdtsc();
		if (after - before >= best)
			continue;
		best = after - before;
		moment.tsc = before + best / 2;
		moment.ns = ns;
	}
	return moment;
}

int main(void)
{
	struct moment start = now(), end;

	usleep(WAIT_US);
	end = now();
	printf("%llu\n", (unsigned long long)((end.tsc - start.tsc) * 1000000 /
					       (end.ns - start.ns)));
	return 0;
}
