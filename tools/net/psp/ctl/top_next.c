// SPDX-License-Identifier: GPL-2.0
/* The next sample, and when it is time for it */
#include "top.h"

/* Rates are there sooner than the interval */
#define FIRST_SECONDS	0.5

int top_next(struct top *top)
{
	struct top_sample new;
	bool first = !top->now.time;
	int err;

	top->asked = time_now();
	err = sample_take(&new, top->dev_id);
	top->told = time_now();
	if (err)
		return err;
	sample_compare(&new, first ? NULL : &top->now);
	sample_sort(&new, top->view.sort, top->view.reverse);
	sample_free(&top->now);
	top->now = new;
	return 0;
}

double top_due(const struct top *top)
{
	double interval = top->view.interval, took = top->told - top->asked;

	if (!top->now.seconds && interval > FIRST_SECONDS)
		interval = FIRST_SECONDS;
	if (interval < 2 * took)
		interval = 2 * took;
	return top->asked + interval;
}
