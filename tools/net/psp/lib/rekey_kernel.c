// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* The world of a pool: the kernel by libpsp, the clock, and chance */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "libpsp.h"
#include "rekey.h"

struct rekey_kernel {
	struct psp_ctx *ctx;
	struct psp_events *events;
	uint64_t random;
};

static int rekey_kernel_rx_assoc(void *ctx, int fd, uint32_t dev_id,
				 uint32_t version, struct psp_key *key)
{
	struct rekey_kernel *kernel = ctx;

	return psp_rx_assoc(kernel->ctx, fd, version, dev_id, key, NULL);
}

static int rekey_kernel_tx_assoc(void *ctx, int fd, uint32_t dev_id,
				 uint32_t version, const struct psp_key *key)
{
	struct rekey_kernel *kernel = ctx;

	return psp_tx_assoc(kernel->ctx, fd, version, dev_id, key);
}

static int rekey_kernel_rotations(void *ctx, uint32_t dev_id, uint64_t *num)
{
	struct rekey_kernel *kernel = ctx;
	struct psp_stats *stats;
	int err;

	err = psp_stats_get(kernel->ctx, dev_id, &stats);
	if (err)
		return err;
	*num = stats->key_rotations;
	psp_stats_free(stats);
	return *num == PSP_UNKNOWN ? -EOPNOTSUPP : 0;
}

/* What cannot be understood may have been a rotation: look */
static int rekey_kernel_ntf(void *ctx, struct rekey_ntf *ntf)
{
	struct rekey_kernel *kernel = ctx;
	const struct psp_event *event;
	int ret;

	ret = psp_events_next(kernel->events, &event);
	if (ret == -EPROTO) {
		ntf->type = REKEY_NTF_LOST;
		return 1;
	}
	if (ret <= 0)
		return ret;
	ntf->dev_id = event->dev_id;
	switch (event->type) {
	case PSP_EVENT_KEY_ROTATE:
		ntf->type = REKEY_NTF_ROTATED;
		break;
	case PSP_EVENT_LOST:
		ntf->type = REKEY_NTF_LOST;
		break;
	default:
		ntf->type = REKEY_NTF_OTHER;
	}
	return 1;
}

static int rekey_kernel_fd(void *ctx)
{
	const struct rekey_kernel *kernel = ctx;

	return psp_events_fd(kernel->events);
}

static uint64_t rekey_kernel_now(void *ctx)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* Spreads load, guards no secret: xorshift will do */
static uint32_t rekey_kernel_random(void *ctx, uint32_t below)
{
	struct rekey_kernel *kernel = ctx;

	kernel->random ^= kernel->random << 13;
	kernel->random ^= kernel->random >> 7;
	kernel->random ^= kernel->random << 17;
	return ((kernel->random >> 32) * below) >> 32;
}

static void rekey_kernel_seed(struct rekey_kernel *kernel)
{
	if (getrandom(&kernel->random, sizeof(kernel->random), GRND_NONBLOCK) !=
	    sizeof(kernel->random))
		kernel->random = rekey_kernel_now(kernel) ^ (uintptr_t)kernel;
	kernel->random |= 1;	/* 0 would stay 0 */
}

static void rekey_kernel_free(void *ctx)
{
	struct rekey_kernel *kernel = ctx;

	psp_events_close(kernel->events);
	psp_close(kernel->ctx);
	free(kernel);
}

static const struct rekey_ops rekey_kernel_ops = {
	.rx_assoc = rekey_kernel_rx_assoc,
	.tx_assoc = rekey_kernel_tx_assoc,
	.rotations = rekey_kernel_rotations,
	.ntf = rekey_kernel_ntf,
	.fd = rekey_kernel_fd,
	.now = rekey_kernel_now,
	.random = rekey_kernel_random,
	.free = rekey_kernel_free,
};

int psp_rekey_pool_open(struct psp_rekey_pool **pool,
			const struct psp_rekey_pool_config *config)
{
	struct rekey_kernel *kernel;
	int err;

	*pool = NULL;
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return -ENOMEM;
	rekey_kernel_seed(kernel);
	/* First listen, then ask: nothing that comes in between is missed */
	err = psp_events_open(&kernel->events, PSP_GROUP_USE);
	if (!err)
		err = psp_open(&kernel->ctx);
	if (!err)
		err = rekey_pool_new(pool, config, &rekey_kernel_ops, kernel);
	if (err)
		rekey_kernel_free(kernel);
	return err;
}
