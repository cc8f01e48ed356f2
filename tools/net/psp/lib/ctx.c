// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Handles */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

int psp_open(struct psp_ctx **ctx)
{
	struct psp_ctx *new;
	int err;

	*ctx = NULL;
	new = malloc(sizeof(*new));
	if (!new)
		return err_plain(-ENOMEM);

	err = nl_open(&new->nl);
	if (err) {
		free(new);
		return err;
	}

	pthread_mutex_init(&new->lock, NULL);
	*ctx = new;
	return 0;
}

void psp_close(struct psp_ctx *ctx)
{
	if (!ctx)
		return;
	nl_close(&ctx->nl);
	pthread_mutex_destroy(&ctx->lock);
	free(ctx);
}

bool psp_supports(const struct psp_ctx *ctx, enum psp_feature feature)
{
	switch (feature) {
	case PSP_FEATURE_DEV_ASSOC:
		return nl_has(&ctx->nl, PSP_CMD_DEV_ASSOC);
	case PSP_FEATURE_REKEY_STATS:
		return nl_has(&ctx->nl, PSP_CMD_REKEY_STATS_GET);
	case PSP_FEATURE_ASSOC_LIST:
		return nl_has(&ctx->nl, PSP_CMD_ASSOC_GET);
	case PSP_FEATURE_STALE_EVENTS:
		return ctx->nl.groups[GROUP_ASSOC];
	}
	return false;
}
