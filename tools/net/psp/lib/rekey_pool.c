// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Many connections: timers, places in flight, the event loop */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rekey.h"

/* So much per call, then the event loop gets a turn */
#define REKEY_BATCH	64

uint64_t rekey_now(const struct psp_rekey_pool *pool)
{
	return pool->ops->now(pool->ctx);
}

void rekey_pool_arm(struct psp_rekey_pool *pool, struct rekey_timer *timer,
		    uint64_t in_us)
{
	rekey_timer_arm(&pool->heap, timer, rekey_now(pool) + in_us);
}

uint64_t rekey_pool_random(const struct psp_rekey_pool *pool, uint64_t below)
{
	if (below > UINT32_MAX)
		below = UINT32_MAX;
	return pool->ops->random(pool->ctx, below);
}

/* Half of it by chance, so that those who failed together part */
uint64_t rekey_pool_pause(const struct psp_rekey_pool *pool,
			  unsigned int tries)
{
	const struct psp_rekey_pool_config *config = &pool->config;
	uint64_t us, ms = config->retry_min_ms;

	while (--tries && ms < config->retry_max_ms)
		ms *= 2;
	if (ms > config->retry_max_ms)
		ms = config->retry_max_ms;
	us = ms * REKEY_US_PER_MS / 2;
	return us + rekey_pool_random(pool, us + 1);
}

/*
 * Memory comes, room in a device too, -EBUSY ends, and a route (-EINVAL) may
 * come back: the rest stays wrong.
 */
bool rekey_error_is_final(int err)
{
	switch (err) {
	case -EBADF:
	case -ENOTSOCK:
	case -EOPNOTSUPP:
	case -ERANGE:
	case -ENODEV:
	case -ENOENT:
	case -EPERM:
		return true;
	default:
		return false;
	}
}

int rekey_config_get(void *to, size_t known, const void *from, size_t size)
{
	const uint8_t *byte = from;
	size_t i;

	for (i = known; i < size; i++) {
		if (byte[i])
			return -E2BIG;
	}
	memset(to, 0, known);
	memcpy(to, from, size < known ? size : known);
	return 0;
}

static void rekey_pool_set(unsigned int *to, unsigned int val,
			   unsigned int normal)
{
	*to = val ? val : normal;
}

static int rekey_pool_configure(struct psp_rekey_pool *pool,
				const struct psp_rekey_pool_config *from)
{
	struct psp_rekey_pool_config in = { 0 }, *to = &pool->config;
	int err;

	err = from ? rekey_config_get(&in, sizeof(in), from, from->size) : 0;
	if (err)
		return err;
	rekey_pool_set(&to->window_ms, in.window_ms, 1000);
	rekey_pool_set(&to->in_flight_max, in.in_flight_max, 64);
	rekey_pool_set(&to->slow_ms, in.slow_ms, 2000);
	rekey_pool_set(&to->look_ms, in.look_ms, 10000);
	rekey_pool_set(&to->stuck_ms, in.stuck_ms, 5000);
	rekey_pool_set(&to->first_tx_ms, in.first_tx_ms, 10000);
	rekey_pool_set(&to->retry_min_ms, in.retry_min_ms, 100);
	rekey_pool_set(&to->retry_max_ms, in.retry_max_ms, 10000);
	rekey_pool_set(&to->first_ms, in.first_ms, 30000);
	return 0;
}

static void rekey_pool_look(struct rekey_timer *timer)
{
	struct psp_rekey_pool *pool =
		rekey_container_of(timer, struct psp_rekey_pool, look_timer);
	struct rekey_dev *dev;

	rekey_pool_arm(pool, timer, pool->config.look_ms * REKEY_US_PER_MS);
	TAILQ_FOREACH(dev, &pool->devs, node)
		dev->look = true;
	pool->look = true;
}

int rekey_pool_new(struct psp_rekey_pool **ret,
		   const struct psp_rekey_pool_config *config,
		   const struct rekey_ops *ops, void *ctx)
{
	struct psp_rekey_pool *pool = calloc(1, sizeof(*pool));
	int err;

	if (!pool)
		return -ENOMEM;
	pool->ops = ops;
	pool->ctx = ctx;
	TAILQ_INIT(&pool->devs);
	TAILQ_INIT(&pool->queue);
	pool->timers_needed = 1;
	err = rekey_pool_configure(pool, config);
	if (!err)
		err = rekey_heap_reserve(&pool->heap, pool->timers_needed);
	if (err) {
		free(pool);
		return err;
	}
	pool->look_timer.fn = rekey_pool_look;
	rekey_pool_arm(pool, &pool->look_timer,
		       pool->config.look_ms * REKEY_US_PER_MS);
	*ret = pool;
	return 0;
}

void psp_rekey_pool_free(struct psp_rekey_pool *pool)
{
	struct rekey_dev *dev;

	if (!pool)
		return;
	/* The device goes with its last connection */
	while ((dev = TAILQ_FIRST(&pool->devs)))
		psp_rekey_conn_del(TAILQ_FIRST(&dev->conns));
	rekey_heap_free(&pool->heap);
	pool->ops->free(pool->ctx);
	free(pool);
}

int psp_rekey_pool_fd(const struct psp_rekey_pool *pool)
{
	return pool->ops->fd(pool->ctx);
}

static bool rekey_pool_has_turn(const struct psp_rekey_pool *pool)
{
	return pool->in_flight < pool->config.in_flight_max &&
	       !TAILQ_EMPTY(&pool->queue);
}

int psp_rekey_pool_timeout(const struct psp_rekey_pool *pool)
{
	const struct rekey_timer *timer = rekey_heap_top(&pool->heap);
	uint64_t now = rekey_now(pool), ms;

	if (pool->look || rekey_pool_has_turn(pool))
		return 0;
	if (!timer)
		return -1;
	if (timer->at <= now)
		return 0;
	/* Rounded up: a call too early would do nothing */
	ms = (timer->at - now + REKEY_US_PER_MS - 1) / REKEY_US_PER_MS;
	return ms < 1000000 ? ms : 1000000;
}

/* Notifications first: what is due now is then done for the newest key */
static int rekey_pool_listen(struct psp_rekey_pool *pool)
{
	struct rekey_ntf ntf;
	int err;

	while ((err = pool->ops->ntf(pool->ctx, &ntf)) > 0)
		rekey_dev_heard(pool, &ntf);
	return err;
}

int psp_rekey_pool_process(struct psp_rekey_pool *pool)
{
	struct rekey_timer *timer;
	int err, todo = REKEY_BATCH;

	err = rekey_pool_listen(pool);
	if (pool->look)
		rekey_dev_look_all(pool);

	while (todo-- && (timer = rekey_heap_top(&pool->heap)) &&
	       timer->at <= rekey_now(pool)) {
		rekey_timer_cancel(&pool->heap, timer);
		timer->fn(timer);
	}
	for (todo = REKEY_BATCH; todo-- && rekey_pool_has_turn(pool);)
		rekey_rx_fly(TAILQ_FIRST(&pool->queue));
	return err;
}

void psp_rekey_pool_counters(const struct psp_rekey_pool *pool,
			     struct psp_rekey_counters *counters)
{
	struct psp_rekey_counters c = pool->c;
	const struct psp_rekey_conn *conn;
	const struct rekey_dev *dev;
	size_t size = counters->size;

	c.in_flight = pool->in_flight;
	TAILQ_FOREACH(conn, &pool->queue, rx.queue)
		c.waiting++;
	TAILQ_FOREACH(dev, &pool->devs, node)
		c.behind += dev->behind;
	if (size > sizeof(c))
		memset(counters, 0, size);
	memcpy(counters, &c, size < sizeof(c) ? size : sizeof(c));
	counters->size = size;
}
