// SPDX-License-Identifier: GPL-2.0
/*
 * Signals that end a program. Here they end it as an error does: the other side
 * hears of it, keys are wiped, and what was done is reported.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "pspcat.h"

/* Who has started us may want some to be ignored */
static void signals_wanted(sigset_t *set)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction now;
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!sigaction(signals[i], NULL, &now) &&
		    now.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
}

int signals_open(struct cat *cat)
{
	sigset_t set;

	signals_wanted(&set);
	cat->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (cat->signals < 0 || sigprocmask(SIG_BLOCK, &set, NULL))
		return cat_fail(cat, "signals: %s", strerror(errno));
	return 0;
}

void signals_close(struct cat *cat)
{
	if (cat->signals >= 0)
		close(cat->signals);
}

int signals_take(struct cat *cat)
{
	struct signalfd_siginfo info;

	if (read(cat->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	cat->ended = true;
	return cat_fail(cat, "ended by a signal: %s",
			strsignal(info.ssi_signo));
}
