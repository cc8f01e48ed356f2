// SPDX-License-Identifier: GPL-2.0
/* What the kernel tells of devices and sockets, at a time */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "top.h"

static void sample_clock(struct top_sample *sample)
{
	time_t now = time(NULL);
	struct tm tm;

	sample->time = time_now();
	localtime_r(&now, &tm);
	strftime(sample->clock, sizeof(sample->clock), "%T", &tm);
}

static int take_devs(struct top_sample *sample, uint32_t dev_id)
{
	struct psp_ctx *ctx = psp();
	int err;

	err = psp_dev_dump(ctx, &sample->devs);
	if (!err)
		err = dev_id ? psp_stats_get(ctx, dev_id, &sample->stats) :
			       psp_stats_dump(ctx, &sample->stats);
	if (!err && psp_supports(ctx, PSP_FEATURE_REKEY_STATS))
		err = dev_id ? psp_rekey_stats_get(ctx, dev_id,
						   &sample->rekey) :
			       psp_rekey_stats_dump(ctx, &sample->rekey);
	return err;
}

/* Who may not see sockets sees the devices */
static int take_socks(struct top_sample *sample, uint32_t dev_id)
{
	int err = psp_assoc_dump(psp(), dev_id, 0, &sample->assocs);

	if (err != -EPERM && err != -EOPNOTSUPP)
		return err;
	snprintf(sample->why, sizeof(sample->why), "%s", psp_strerror(err));
	return 0;
}

static void take_bytes(void *arg, uint64_t cookie, uint64_t rx, uint64_t tx)
{
	struct top_sock *sock = sample_sock(arg, cookie);

	if (sock) {
		sock->bytes[0] = rx;
		sock->bytes[1] = tx;
	}
}

static void take_names(struct top_sample *sample)
{
	unsigned int i;

	for (i = 0; i < sample->num_devs; i++)
		if (sample->dev[i].dev)
			dev_name_of(sample->dev[i].dev, sample->dev[i].name);
}

/*
 * A device that has gone is no error: there is one less. That kernels do not
 * tell the bytes of sockets is none either.
 */
int sample_take(struct top_sample *sample, uint32_t dev_id)
{
	int err;

	memset(sample, 0, sizeof(*sample));
	sample_clock(sample);
	err = take_devs(sample, dev_id);
	if (!err)
		err = take_socks(sample, dev_id);
	if (err == -ENODEV && dev_id) {
		psp_stats_free(sample->stats);
		psp_rekey_stats_free(sample->rekey);
		sample->stats = NULL;
		sample->rekey = NULL;
		err = 0;
	}
	if (!err)
		err = sample_tables(sample);
	if (err) {
		sample_free(sample);
		return err;
	}
	take_names(sample);
	if (sample->num_socks)
		tcp_bytes(take_bytes, sample);
	return 0;
}

void sample_free(struct top_sample *sample)
{
	psp_dev_free(sample->devs);
	psp_stats_free(sample->stats);
	psp_rekey_stats_free(sample->rekey);
	psp_assoc_free(sample->assocs);
	free(sample->dev);
	free(sample->sock);
	free(sample->order);
	memset(sample, 0, sizeof(*sample));
}
