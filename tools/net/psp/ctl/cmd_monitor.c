// SPDX-License-Identifier: GPL-2.0
/* pspctl monitor: what happens, a line each */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "pspctl.h"

#define GROUPS_ALL	(PSP_GROUP_MGMT | PSP_GROUP_USE | PSP_GROUP_ASSOC)

static const struct {
	const char *name;
	unsigned int group;
} groups[] = {
	{ "mgmt", PSP_GROUP_MGMT },
	{ "use", PSP_GROUP_USE },
	{ "assoc", PSP_GROUP_ASSOC },
};

/* In the netlink specification, and in JSON, notifications end with "-ntf" */
static const char * const event_names[] = {
	[PSP_EVENT_LOST]	= "lost",
	[PSP_EVENT_DEV_ADD]	= "dev-add",
	[PSP_EVENT_DEV_DEL]	= "dev-del",
	[PSP_EVENT_DEV_CHANGE]	= "dev-change",
	[PSP_EVENT_KEY_ROTATE]	= "key-rotate",
	[PSP_EVENT_ASSOC_STALE]	= "assoc-stale",
};

/* Each line begins so, whatever it tells; @suffix only in JSON */
static void event_begin(const char *name, const char *suffix, enum color color)
{
	char full[32];

	if (ctl.json) {
		json_open(NULL, '{');
		json_str("time", out_time());
		snprintf(full, sizeof(full), "%s%s", name, suffix);
		json_str("event", full);
	} else {
		printf("%s ", out_time());
		out_text(color, "%s", name);
	}
}

static void event_end(void)
{
	if (ctl.json)
		json_close();
	else
		putchar('\n');
}

static void versions_short(uint32_t versions)
{
	unsigned int i, n = 0;

	fputs(" enabled ", stdout);
	for (i = 0; i < PSP_VERSIONS_NUM; i++)
		if (versions & 1u << i)
			printf("%s%s", n++ ? "," : "", psp_version_name(i));
	if (!n)
		fputs("none", stdout);
}

static void event_dev(const struct psp_dev *dev)
{
	char name[IF_NAMESIZE];

	dev_names_forget();
	if (ctl.json) {
		dev_json(dev);
		return;
	}
	putchar(' ');
	out_dev_name(dev->id, dev_name_of(dev, name));
	versions_short(dev->versions_ena);
	printf(" associated %u", dev->num_assocs);
}

static void event_id(uint32_t id)
{
	if (ctl.json) {
		json_dev_name(id, dev_name(id));
	} else {
		putchar(' ');
		out_dev_name(id, dev_name(id));
	}
}

static void event_stale(const struct psp_event *event)
{
	if (ctl.json) {
		json_dev_of(event->dev_id);
		json_uint("cookie", event->cookie);
		json_uint("spi", event->spi);
	} else {
		event_id(event->dev_id);
		printf(" cookie %llu spi 0x%08x", ULL(event->cookie),
		       event->spi);
	}
}

static void event_print(const struct psp_event *event)
{
	bool bad = event->type == PSP_EVENT_LOST ||
		   event->type == PSP_EVENT_ASSOC_STALE;

	if (event->type >= ARRAY_SIZE(event_names))
		return;
	event_begin(event_names[event->type],
		    event->type == PSP_EVENT_LOST ? "" : "-ntf",
		    bad ? COLOR_BAD : COLOR_GOOD);
	if (event->dev)
		event_dev(event->dev);
	else if (event->type == PSP_EVENT_ASSOC_STALE)
		event_stale(event);
	else if (event->type == PSP_EVENT_LOST)
		dev_names_forget();
	else
		event_id(event->dev_id);
	if (event->type == PSP_EVENT_LOST && !ctl.json)
		fputs(": some events are missing, look again", stdout);
	event_end();
}

/* From here on nothing will be missed */
static void start_print(unsigned int joined)
{
	unsigned int i;

	event_begin("start", "", COLOR_NONE);
	if (ctl.json)
		json_open("groups", '[');
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (joined & groups[i].group) {
			if (ctl.json)
				json_str(NULL, groups[i].name);
			else
				printf(" %s", groups[i].name);
		}
	if (ctl.json)
		json_close();
	event_end();
}

/* Take what is there, up to *left events (0: any number); 1 that was all */
static int monitor_take(struct psp_events *events, uint64_t *left)
{
	const struct psp_event *event;
	int ret;

	while ((ret = psp_events_next(events, &event)) > 0) {
		event_print(event);
		if (out_flush())
			return -EPIPE;
		if (*left && !--*left)
			return 1;
	}
	if (ret == -EPROTO) {
		fail("monitor", ret);
		ret = 0;
	}
	if (ret < 0)
		fail("monitor", ret);
	return ret;
}

/* Until there have been enough events, or nobody reads any more */
static int monitor_loop(struct psp_events *events, uint64_t count)
{
	struct pollfd pfd[] = {
		{ .fd = psp_events_fd(events), .events = POLLIN },
		{ .fd = 1 },
	};
	int ret;

	for (;;) {
		if (poll(pfd, ARRAY_SIZE(pfd), -1) < 0 && errno != EINTR)
			return fail("monitor", -errno);
		if (pfd[1].revents & (POLLERR | POLLHUP))
			return CTL_FAILED;
		ret = monitor_take(events, &count);
		if (ret)
			return ret > 0 ? CTL_OK : CTL_FAILED;
	}
}

/* If nothing was asked for, do without what is not to be had */
static int monitor_open(struct psp_events **events, unsigned int *wanted)
{
	int err;

	if (*wanted)
		return psp_events_open(events, *wanted);

	*wanted = GROUPS_ALL;
	err = psp_events_open(events, *wanted);
	if (err == -EPERM || err == -EOPNOTSUPP) {
		*wanted &= ~PSP_GROUP_ASSOC;
		err = psp_events_open(events, *wanted);
	}
	return err;
}

static unsigned int group_find(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (arg_is(word, groups[i].name))
			return groups[i].group;
	usage_die("\"%s\" is no group of events", word);
}

static int monitor(struct args *args)
{
	struct psp_events *events;
	unsigned int wanted = 0;
	uint64_t count = 0;
	int err, status;

	while (*args->word) {
		if (arg_option(args, "count"))
			count = arg_uint(arg_need(args, "COUNT"), "count", 1,
					 UINT32_MAX);
		else if (arg_option(args, "all"))
			wanted |= GROUPS_ALL;
		else
			wanted |= group_find(arg_take(args));
	}

	err = monitor_open(&events, &wanted);
	if (err)
		return fail("monitor", err);
	start_print(wanted);
	status = out_flush();
	if (status == CTL_OK)
		status = monitor_loop(events, count);
	psp_events_close(events);
	return status;
}

/* Without a word for what to do */
const struct command cmds_monitor[] = {
	{
		"", monitor, "[mgmt] [use] [assoc] [all] [count COUNT]",
		"events as they happen",
	},
	{ }
};
