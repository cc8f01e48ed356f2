// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * Rotations of a device. The kernel's count is what decides; a notification
 * only says that it is time to read it, so that a lost one delays and does no
 * more. A key is made after a count was read and is taken to be as old as that:
 * a rotation in between makes one request too many (-EBUSY), never one too few.
 * For the first key the count is read once more afterwards: until the exchange
 * is over, -EBUSY does not tell whether the key is new.
 */
#include <errno.h>
#include <stdlib.h>

#include "rekey.h"

static struct rekey_dev *rekey_dev_find(struct psp_rekey_pool *pool,
					uint32_t id)
{
	struct rekey_dev *dev;

	TAILQ_FOREACH(dev, &pool->devs, node) {
		if (dev->id == id)
			break;
	}
	return dev;
}

static struct rekey_dev *rekey_dev_new(struct psp_rekey_pool *pool,
				       uint32_t id, uint64_t rotations)
{
	struct rekey_dev *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	dev->pool = pool;
	dev->id = id;
	dev->rotations = rotations;
	TAILQ_INIT(&dev->conns);
	TAILQ_INSERT_TAIL(&pool->devs, dev, node);
	return dev;
}

/*
 * What was heard and what was found by looking come to the same in the end,
 * but a notification may come after the look that has found its rotation.
 */
static void rekey_dev_balance(struct rekey_dev *dev, uint64_t found)
{
	struct psp_rekey_pool *pool = dev->pool;
	uint64_t late;

	if (found > dev->heard) {
		dev->unheard += found - dev->heard;
		pool->c.missed += found - dev->heard;
	} else {
		late = dev->heard - found;
		if (late > dev->unheard)
			late = dev->unheard;
		dev->unheard -= late;
		pool->c.missed -= late;
	}
	dev->heard = 0;
}

/* The one walk over all connections of a device */
static void rekey_dev_rotated(struct rekey_dev *dev, uint64_t rotations)
{
	struct psp_rekey_pool *pool = dev->pool;
	struct psp_rekey_conn *conn;

	if (dev->behind)
		pool->c.overruns++;
	pool->c.rotations += rotations - dev->rotations;
	dev->rotations = rotations;
	dev->rotated_at = rekey_now(pool);
	TAILQ_FOREACH(conn, &dev->conns, node)
		rekey_rx_rotated(conn);
}

/* They learn of it one after the other: events must not come from a walk */
static void rekey_dev_is_gone(struct rekey_dev *dev)
{
	struct psp_rekey_conn *conn;

	TAILQ_FOREACH(conn, &dev->conns, node)
		rekey_rx_dev_gone(conn);
}

int rekey_dev_look(struct rekey_dev *dev)
{
	struct psp_rekey_pool *pool = dev->pool;
	uint64_t rotations;
	int err;

	dev->look = false;
	err = pool->ops->rotations(pool->ctx, dev->id, &rotations);
	dev->gone = err == -ENODEV || err == -ENOENT ? err : 0;
	if (dev->gone)
		rekey_dev_is_gone(dev);
	if (err) {
		pool->c.kernel_errors++;
		return err;
	}
	if (rotations < dev->rotations)
		return 0;
	rekey_dev_balance(dev, rotations - dev->rotations);
	if (rotations > dev->rotations)
		rekey_dev_rotated(dev, rotations);
	return 0;
}

void rekey_dev_look_all(struct psp_rekey_pool *pool)
{
	struct rekey_dev *dev;

	pool->look = false;
	TAILQ_FOREACH(dev, &pool->devs, node) {
		if (dev->look)
			rekey_dev_look(dev);
	}
}

void rekey_dev_heard(struct psp_rekey_pool *pool, const struct rekey_ntf *ntf)
{
	struct rekey_dev *dev;

	if (ntf->type == REKEY_NTF_LOST)
		pool->c.lost++;
	if (ntf->type == REKEY_NTF_OTHER)
		return;
	TAILQ_FOREACH(dev, &pool->devs, node) {
		if (ntf->type == REKEY_NTF_ROTATED && dev->id != ntf->dev_id)
			continue;
		if (ntf->type == REKEY_NTF_ROTATED)
			dev->heard++;
		dev->look = true;
		pool->look = true;
	}
}

/*
 * The count is read anew for each connection, or its first key would be taken
 * for an older one that it is.
 */
struct rekey_dev *rekey_dev_get(struct psp_rekey_pool *pool, uint32_t id,
				int *err)
{
	struct rekey_dev *dev = rekey_dev_find(pool, id);
	uint64_t rotations;

	if (dev) {
		*err = rekey_dev_look(dev);
		return *err ? NULL : dev;
	}
	*err = pool->ops->rotations(pool->ctx, id, &rotations);
	if (*err)
		return NULL;
	dev = rekey_dev_new(pool, id, rotations);
	if (!dev)
		*err = -ENOMEM;
	return dev;
}

void rekey_dev_put(struct rekey_dev *dev)
{
	if (!TAILQ_EMPTY(&dev->conns))
		return;
	TAILQ_REMOVE(&dev->pool->devs, dev, node);
	free(dev);
}

void rekey_dev_caught_up(struct psp_rekey_conn *conn, bool done)
{
	struct psp_rekey_counters *c = &conn->pool->c;
	struct rekey_dev *dev = conn->dev;

	if (!conn->rx.behind)
		return;
	conn->rx.behind = false;
	if (--dev->behind || !done)
		return;
	c->last_us = rekey_now(conn->pool) - dev->rotated_at;
	if (c->last_us > c->max_us)
		c->max_us = c->last_us;
}
