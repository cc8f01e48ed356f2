// SPDX-License-Identifier: GPL-2.0
/* pspctl top: devices and sockets, and what they do, again and again */
#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "top.h"

/* Lines that nobody has to look at in a terminal */
#define WIDTH_BATCH	250

static void batch_line(void *arg, const struct top_line *line)
{
	unsigned int i, start = 0;

	for (i = 0; i < line->num_runs; i++) {
		out_color(line->runs[i].color);
		fwrite(line->text + start, 1, line->runs[i].end - start,
		       stdout);
		out_color_end(line->runs[i].color);
		start = line->runs[i].end;
	}
	putchar('\n');
}

static void rate_json(const char *name, double rate)
{
	if (rate >= 0)
		json_float(name, rate);
}

static void dev_rates_json(const struct top_dev *dev)
{
	json_open("rates", '{');
	rate_json("rx-packets", dev->rx_packets);
	rate_json("rx-bytes", dev->rx_bytes);
	rate_json("tx-packets", dev->tx_packets);
	rate_json("tx-bytes", dev->tx_bytes);
	rate_json("rekeys", dev->rekeys);
	rate_json("lost", dev->lost);
	json_close();
}

static void devs_json(const struct top_sample *sample)
{
	const struct top_dev *dev;
	unsigned int i;

	json_open("devs", '[');
	for (i = 0; i < sample->num_devs; i++) {
		dev = &sample->dev[i];
		json_open(NULL, '{');
		json_dev("dev-id", dev->id, dev->name);
		if (dev->dev)
			versions_json("psp-versions-ena",
				      dev->dev->versions_ena);
		stats_json(dev->stats, dev->rekey);
		dev_rates_json(dev);
		json_close();
	}
	json_close();
}

static void sock_json(const struct top_sock *sock)
{
	json_open(NULL, '{');
	json_dev("dev-id", sock->assoc->dev_id,
		 sock->dev ? sock->dev->name : "");
	assoc_json(sock->assoc);
	if (sock->bytes[0] != PSP_UNKNOWN) {
		json_uint("tcp-rx-bytes", sock->bytes[0]);
		json_uint("tcp-tx-bytes", sock->bytes[1]);
	}
	json_open("rates", '{');
	rate_json("tcp-rx-bytes", sock->rates[0]);
	rate_json("tcp-tx-bytes", sock->rates[1]);
	json_close();
	json_close();
}

static void sample_json(const struct top_sample *sample)
{
	unsigned int i;

	json_open(NULL, '{');
	json_str("time", out_time());
	json_float("seconds", sample->seconds);
	devs_json(sample);
	json_open("assocs", '[');
	for (i = 0; i < sample->num_socks; i++)
		sock_json(sample->order[i]);
	json_close();
	json_close();
}

static int batch_print(const struct top_sample *sample, struct top_view *view,
		       bool again)
{
	if (ctl.json) {
		sample_json(sample);
	} else {
		if (again)
			putchar('\n');
		page_make(sample, view, batch_line, NULL);
	}
	return out_flush();
}

/*
 * Rates take two samples: the first is not printed. A kernel that says EAGAIN
 * has devices that come and go all the time; it is asked again.
 */
static int top_batch(struct top *top)
{
	bool again = false;
	int err, status;

	for (;;) {
		out_wait(top->view.interval);
		if (out_unread())
			return CTL_FAILED;
		err = top_next(top);
		if (err == -EAGAIN)
			continue;
		if (err)
			return fail("top", err);
		status = batch_print(&top->now, &top->view, again);
		if (status != CTL_OK || top->count == 1)
			return status;
		again = true;
		if (top->count)
			top->count--;
	}
}

static unsigned int at_least(unsigned int val, unsigned int min)
{
	return val > min ? val : min;
}

/* Text that is too wide for a page is better than none */
static unsigned int batch_width(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize size;

	if (env && atoi(env) > 0)
		return at_least(atoi(env), TOP_WIDTH_MIN);
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return at_least(size.ws_col, TOP_WIDTH_MIN);
	return WIDTH_BATCH;
}

#ifdef NO_NCURSES
int top_screen(struct top *top)
{
	return top_batch(top);
}
#endif

static int top_run(struct top *top, bool batch)
{
	int err, status;

	top->view.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	top->view.help = true;
	top->view.width = batch_width();
	err = top_next(top);
	if (err)
		return fail("top", err);
	if (top->dev_id && !top->now.num_devs)
		status = fail_text("top: No such PSP device");
	else
		status = batch ? top_batch(top) : top_screen(top);
	sample_free(&top->now);
	return status;
}

/* As the other objects call it, or as top(1) does */
static bool top_option(struct args *args, const char *name, const char *flag)
{
	if (*args->word && !strcmp(*args->word, flag)) {
		args->word++;
		return true;
	}
	return arg_option(args, name);
}

static enum top_sort arg_sort(const char *word)
{
	int sort = sort_parse(word);

	if (sort < 0)
		usage_die("sockets cannot be sorted by \"%s\"", word);
	return sort;
}

static int top(struct args *args)
{
	bool batch = ctl.json || !isatty(STDIN_FILENO) ||
		     !isatty(STDOUT_FILENO);
	struct top top = { .view.interval = ctl.interval ? ctl.interval : 1 };
	const char *dev = NULL;

	while (*args->word) {
		if (top_option(args, "interval", "-d"))
			top.view.interval =
				arg_seconds(arg_need(args, "SECONDS"));
		else if (top_option(args, "count", "-n"))
			top.count = arg_uint(arg_need(args, "COUNT"), "count",
					     1, UINT32_MAX);
		else if (top_option(args, "sort", "-o"))
			top.view.sort = arg_sort(arg_need(args, "ORDER"));
		else if (top_option(args, "batch", "-b"))
			batch = true;
		else if (dev || **args->word == '-')
			arg_end(args);
		else
			dev = arg_dev(args);
	}
	if (dev) {
		top.dev_id = dev_find(dev);
		if (!top.dev_id)
			return CTL_FAILED;
	}
	return top_run(&top, batch);
}

/* Without a word for what to do */
const struct command cmds_top[] = {
	{
		"", top,
		"[DEV] [interval SECONDS] [count COUNT] [sort ORDER] [batch]",
		"devices and sockets, over the whole terminal",
	},
	{ }
};
