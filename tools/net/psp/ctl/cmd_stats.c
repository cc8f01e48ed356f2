// SPDX-License-Identifier: GPL-2.0
/* pspctl stats: counters, and how fast they go up */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pspctl.h"

/* Where a counter is, in struct psp_stats or psp_rekey_stats */
struct counter {
	const char *line;	/* first word of its line of text */
	const char *label;	/* what it is called there */
	const char *name;	/* and in JSON, and in the specification */
	size_t offset;
	enum color color;	/* when it is not 0 */
};

#define STAT(line, label, name, member)					\
	{ line, label, name, offsetof(struct psp_stats, member) }
#define STAT_BAD(line, label, name, member)				\
	{ line, label, name, offsetof(struct psp_stats, member), COLOR_BAD }
#define REKEY(line, label, name, member)				\
	{ line, label, name, offsetof(struct psp_rekey_stats, member) }

static const struct counter stat_counters[] = {
	STAT("device key", "rotations", "key-rotations", key_rotations),
	STAT_BAD("device key", "stale-sockets", "stale-events", stale_events),
	STAT("rx", "packets", "rx-packets", rx_packets),
	STAT("rx", "bytes", "rx-bytes", rx_bytes),
	STAT_BAD("rx", "auth-fail", "rx-auth-fail", rx_auth_fail),
	STAT_BAD("rx", "error", "rx-error", rx_error),
	STAT_BAD("rx", "bad", "rx-bad", rx_bad),
	STAT("tx", "packets", "tx-packets", tx_packets),
	STAT("tx", "bytes", "tx-bytes", tx_bytes),
	STAT_BAD("tx", "error", "tx-error", tx_error),
};

static const struct counter rekey_counters[] = {
	REKEY("rekeys", "rx", "rx-rekeys", rx_rekeys),
	REKEY("rekeys", "tx", "tx-rekeys", tx_rekeys),
	REKEY("tx keys", "held", "tx-keys", tx_keys),
	REKEY("tx keys", "retired", "tx-keys-retired", tx_keys_retired),
	REKEY("tx keys", "deleted", "tx-keys-deleted", tx_keys_deleted),
};

/* What was read at one time; @rekey is empty on mainline's PSP */
struct snapshot {
	struct psp_stats *stats;
	struct psp_rekey_stats *rekey;
	double time;
};

/* Of one device */
struct both {
	const struct psp_stats *stats;
	const struct psp_rekey_stats *rekey;
};

static uint64_t counter_get(const void *stats, const struct counter *counter)
{
	return *(const uint64_t *)((const char *)stats + counter->offset);
}

static void snapshot_free(struct snapshot *snap)
{
	psp_stats_free(snap->stats);
	psp_rekey_stats_free(snap->rekey);
	memset(snap, 0, sizeof(*snap));
}

/* @id 0: of all devices */
static int snapshot_take(struct snapshot *snap, uint32_t id)
{
	int err;

	memset(snap, 0, sizeof(*snap));
	snap->time = time_now();
	err = id ? psp_stats_get(psp(), id, &snap->stats) :
		   psp_stats_dump(psp(), &snap->stats);
	if (err || !psp_supports(psp(), PSP_FEATURE_REKEY_STATS))
		return err;
	err = id ? psp_rekey_stats_get(psp(), id, &snap->rekey) :
		   psp_rekey_stats_dump(psp(), &snap->rekey);
	if (err)
		snapshot_free(snap);
	return err;
}

/* Both sets of a device; NULL where there is none */
static struct both snapshot_find(const struct snapshot *snap, uint32_t id)
{
	struct both both = { snap->stats, snap->rekey };

	while (both.stats && both.stats->dev_id != id)
		both.stats = both.stats->next;
	while (both.rekey && both.rekey->dev_id != id)
		both.rekey = both.rekey->next;
	return both;
}

static void counters_json(const void *stats, const struct counter *counters,
			  unsigned int num)
{
	unsigned int i;

	for (i = 0; i < num; i++)
		if (counter_get(stats, &counters[i]) != PSP_UNKNOWN)
			json_uint(counters[i].name,
				  counter_get(stats, &counters[i]));
}

static void drops_json(const struct psp_rekey_stats *rekey)
{
	unsigned int i;

	json_open("drops", '{');
	for (i = 0; i < rekey->num_drops; i++)
		if (rekey->drops[i] != PSP_UNKNOWN)
			json_uint(psp_drop_name(i), rekey->drops[i]);
	json_close();
}

void stats_json(const struct psp_stats *stats,
		const struct psp_rekey_stats *rekey)
{
	counters_json(stats, stat_counters, ARRAY_SIZE(stat_counters));
	if (rekey) {
		counters_json(rekey, rekey_counters,
			      ARRAY_SIZE(rekey_counters));
		drops_json(rekey);
	}
}

static void counters_text(const void *stats, const struct counter *counters,
			  unsigned int num)
{
	const char *line = "";
	uint64_t val;
	unsigned int i;

	for (i = 0; i < num; i++) {
		val = counter_get(stats, &counters[i]);
		if (val == PSP_UNKNOWN)
			continue;
		if (strcmp(line, counters[i].line))
			printf("%s    %-11s", *line ? "\n" : "",
			       counters[i].line);
		line = counters[i].line;
		printf(" %s ", counters[i].label);
		out_text(val ? counters[i].color : COLOR_NONE, "%llu",
			 ULL(val));
	}
	if (*line)
		putchar('\n');
}

/* Only reasons for which there were some: most have never happened */
static void drops_text(const struct psp_rekey_stats *rekey)
{
	unsigned int i;

	printf("    %-11s", "drops");
	if (!drops_sum(rekey))
		fputs(" none", stdout);
	for (i = 0; i < rekey->num_drops; i++)
		if (rekey->drops[i] && rekey->drops[i] != PSP_UNKNOWN) {
			printf(" %s ", psp_drop_name(i));
			out_text(COLOR_BAD, "%llu", ULL(rekey->drops[i]));
		}
	putchar('\n');
}

static void stats_text(struct both both)
{
	out_dev_name(both.stats->dev_id, dev_name(both.stats->dev_id));
	putchar('\n');
	counters_text(both.stats, stat_counters, ARRAY_SIZE(stat_counters));
	if (both.rekey) {
		counters_text(both.rekey, rekey_counters,
			      ARRAY_SIZE(rekey_counters));
		drops_text(both.rekey);
	}
}

static void snapshot_print(const struct snapshot *snap)
{
	const struct psp_stats *stats;
	struct both both;

	if (ctl.json)
		json_open(NULL, '[');
	for (stats = snap->stats; stats; stats = stats->next) {
		both = snapshot_find(snap, stats->dev_id);
		if (!ctl.json) {
			stats_text(both);
			continue;
		}
		json_open(NULL, '{');
		json_dev_of(both.stats->dev_id);
		stats_json(both.stats, both.rekey);
		json_close();
	}
	if (ctl.json)
		json_close();
}

static void rates_json(struct both new, struct both old, double seconds)
{
	const struct counter *counter;
	unsigned int i;

	json_open(NULL, '{');
	json_str("time", out_time());
	json_dev_of(new.stats->dev_id);
	json_float("seconds", seconds);
	json_open("rates", '{');
	for (i = 0; i < ARRAY_SIZE(stat_counters); i++) {
		counter = &stat_counters[i];
		json_float(counter->name,
			   rate_of(counter_get(new.stats, counter),
				   counter_get(old.stats, counter), seconds));
	}
	if (new.rekey && old.rekey)
		json_float("drops", rate_of(drops_sum(new.rekey),
					    drops_sum(old.rekey), seconds));
	json_close();
	json_close();
}

/* Packets and bits of a direction */
static void rates_text_way(const char *way, uint64_t packets,
			   uint64_t old_packets, uint64_t bytes,
			   uint64_t old_bytes, double seconds)
{
	printf(" %s ", way);
	out_column(COLOR_NONE, 10, "%.0f pkt/s",
		   rate_of(packets, old_packets, seconds));
	out_column(COLOR_NONE, 13, " %.3f Mbit/s",
		   rate_of(bytes, old_bytes, seconds) * 8 / 1e6);
}

static void rates_text(struct both new, struct both old, double seconds)
{
	const struct psp_stats *n = new.stats, *o = old.stats;
	double refused, dropped;

	refused = rate_of(n->rx_auth_fail, o->rx_auth_fail, seconds) +
		  rate_of(n->rx_error, o->rx_error, seconds) +
		  rate_of(n->rx_bad, o->rx_bad, seconds);
	dropped = rate_of(drops_sum(new.rekey), drops_sum(old.rekey), seconds);
	printf("%s ", out_time());
	out_dev_name(n->dev_id, dev_name(n->dev_id));
	rates_text_way("rx", n->rx_packets, o->rx_packets, n->rx_bytes,
		       o->rx_bytes, seconds);
	rates_text_way("tx", n->tx_packets, o->tx_packets, n->tx_bytes,
		       o->tx_bytes, seconds);
	fputs(" refused ", stdout);
	out_text(refused ? COLOR_BAD : COLOR_NONE, "%.0f/s", refused);
	fputs(" dropped ", stdout);
	out_text(dropped ? COLOR_BAD : COLOR_NONE, "%.0f/s", dropped);
	putchar('\n');
}

static void rates_print(const struct snapshot *new, const struct snapshot *old)
{
	const struct psp_stats *stats;
	struct both before, after;

	for (stats = new->stats; stats; stats = stats->next) {
		before = snapshot_find(old, stats->dev_id);
		after = snapshot_find(new, stats->dev_id);
		if (!before.stats)
			continue;
		if (ctl.json)
			rates_json(after, before, new->time - old->time);
		else
			rates_text(after, before, new->time - old->time);
	}
}

static int rates_loop(uint32_t id, uint64_t count)
{
	struct snapshot old, new;
	int err, status;

	err = snapshot_take(&old, id);
	if (err)
		return fail("stats show", err);
	do {
		out_wait(ctl.interval);
		err = snapshot_take(&new, id);
		if (err) {
			status = fail("stats show", err);
			break;
		}
		rates_print(&new, &old);
		dev_names_forget();
		snapshot_free(&old);
		old = new;
		status = out_flush();
	} while (status == CTL_OK && (!count || --count));
	snapshot_free(&old);
	return status;
}

static int stats_show(struct args *args)
{
	const char *dev = NULL;
	uint64_t count = 0;
	struct snapshot snap;
	uint32_t id = 0;
	int err;

	while (*args->word) {
		if (arg_option(args, "interval"))
			ctl.interval = arg_seconds(arg_need(args, "SECONDS"));
		else if (arg_option(args, "count"))
			count = arg_uint(arg_need(args, "COUNT"), "count", 1,
					 UINT32_MAX);
		else if (dev)
			arg_end(args);
		else
			dev = arg_dev(args);
	}
	if (count && !ctl.interval)
		usage_die("\"count\" takes an \"interval\"");
	if (dev) {
		id = dev_find(dev);
		if (!id)
			return CTL_FAILED;
	}
	if (ctl.interval)
		return rates_loop(id, count);

	err = snapshot_take(&snap, id);
	if (err)
		return fail("stats show", err);
	snapshot_print(&snap);
	snapshot_free(&snap);
	return CTL_OK;
}

const struct command cmds_stats[] = {
	{
		"show", stats_show,
		"[DEV] [interval SECONDS [count COUNT]]",
		"counters of devices; with an interval, their rates",
	},
	{ }
};
