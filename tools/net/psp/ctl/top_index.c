// SPDX-License-Identifier: GPL-2.0
/* Tables of devices, by number, and of sockets, by cookie */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

static int dev_cmp(const void *a, const void *b)
{
	const struct top_dev *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int sock_cmp(const void *a, const void *b)
{
	const struct top_sock *x = a, *y = b;

	return (x->assoc->cookie > y->assoc->cookie) -
	       (x->assoc->cookie < y->assoc->cookie);
}

struct top_dev *sample_dev(const struct top_sample *sample, uint32_t id)
{
	const struct top_dev key = { .id = id };

	if (!sample->num_devs)
		return NULL;
	return bsearch(&key, sample->dev, sample->num_devs, sizeof(key),
		       dev_cmp);
}

struct top_sock *sample_sock(const struct top_sample *sample, uint64_t cookie)
{
	const struct psp_assoc assoc = { .cookie = cookie };
	const struct top_sock key = { .assoc = &assoc };

	if (!sample->num_socks)
		return NULL;
	return bsearch(&key, sample->sock, sample->num_socks, sizeof(key),
		       sock_cmp);
}

/* Those that have counters; what else is known of them is found by number */
static int index_devs(struct top_sample *sample)
{
	const struct psp_rekey_stats *rekey;
	const struct psp_stats *stats;
	const struct psp_dev *psp_dev;
	struct top_dev *dev;
	unsigned int num = 0;

	for (stats = sample->stats; stats; stats = stats->next)
		num++;
	sample->dev = calloc(num + 1, sizeof(*sample->dev));
	if (!sample->dev)
		return -ENOMEM;
	for (stats = sample->stats; stats; stats = stats->next) {
		dev = &sample->dev[sample->num_devs++];
		dev->id = stats->dev_id;
		dev->stats = stats;
	}
	qsort(sample->dev, num, sizeof(*dev), dev_cmp);
	for (psp_dev = sample->devs; psp_dev; psp_dev = psp_dev->next) {
		dev = sample_dev(sample, psp_dev->id);
		if (dev)
			dev->dev = psp_dev;
	}
	for (rekey = sample->rekey; rekey; rekey = rekey->next) {
		dev = sample_dev(sample, rekey->dev_id);
		if (dev)
			dev->rekey = rekey;
	}
	return 0;
}

static void index_sock(struct top_sample *sample, struct top_sock *sock,
		       const struct psp_assoc *assoc)
{
	sock->assoc = assoc;
	sock->dev = sample_dev(sample, assoc->dev_id);
	sock->bytes[0] = PSP_UNKNOWN;
	sock->bytes[1] = PSP_UNKNOWN;
	sample->num_full += assoc->state == PSP_STATE_FULL;
	sample->num_stale += key_is_stale(assoc->rx);
}

static int index_socks(struct top_sample *sample)
{
	const struct psp_assoc *assoc;
	unsigned int num = 0, i;

	for (assoc = sample->assocs; assoc; assoc = assoc->next)
		num++;
	sample->sock = calloc(num + 1, sizeof(*sample->sock));
	sample->order = calloc(num + 1, sizeof(*sample->order));
	if (!sample->sock || !sample->order)
		return -ENOMEM;
	for (assoc = sample->assocs; assoc; assoc = assoc->next)
		index_sock(sample, &sample->sock[sample->num_socks++], assoc);
	qsort(sample->sock, num, sizeof(*sample->sock), sock_cmp);
	for (i = 0; i < num; i++)
		sample->order[i] = &sample->sock[i];
	return 0;
}

int sample_tables(struct top_sample *sample)
{
	int err = index_devs(sample);

	return err ? err : index_socks(sample);
}
