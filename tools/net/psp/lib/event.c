// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Events: notifications of the kernel's multicast groups */
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

/* A rotation may leave thousands of sockets behind at once */
#define EVENT_RCVBUF	(4 << 20)

struct psp_events {
	struct nl_sock nl;
	const struct nlmsghdr *nlh;	/* next message in nl.buf */
	int len;			/* bytes from there on */
	struct list devs;		/* what event.dev points to */
	struct psp_event event;
};

static const struct attr_rule rotate_rules[] = {
	[PSP_A_DEV_ID]		= { ATTR_U32, .needed = true },
};

static const struct attr_rule stale_rules[] = {
	[PSP_A_SOCK_DEV_ID]	= { ATTR_U32, .needed = true },
	[PSP_A_SOCK_COOKIE]	= { ATTR_U64, .needed = true },
	[PSP_A_SOCK_SPI]	= { ATTR_U32, .needed = true },
};

static int event_join(struct nl_sock *nl, unsigned int groups)
{
	unsigned int i;

	for (i = 0; i < GROUPS; i++) {
		if (!(groups & 1u << i))
			continue;
		if (!nl->groups[i])
			return err_set(-EOPNOTSUPP,
				       "PSP of this kernel has no such events");
		if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			       &nl->groups[i], sizeof(nl->groups[i])))
			return err_plain(-errno);
	}
	return groups >> GROUPS ? err_set(-EINVAL, "No such group") : 0;
}

/* As much as may be had; it is no error to get less */
static void event_rcvbuf(const struct nl_sock *nl)
{
	int size = EVENT_RCVBUF;

	if (setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int psp_events_open(struct psp_events **events, unsigned int groups)
{
	struct psp_events *new;
	int err;

	*events = NULL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return err_plain(-ENOMEM);
	list_init(&new->devs);

	err = nl_open(&new->nl);
	if (err)
		goto err_free;
	event_rcvbuf(&new->nl);
	err = event_join(&new->nl, groups);
	if (err)
		goto err_close;
	*events = new;
	return 0;

err_close:
	nl_close(&new->nl);
err_free:
	free(new);
	return err;
}

int psp_events_fd(const struct psp_events *events)
{
	return events->nl.fd;
}

static int event_dev(struct psp_events *events, enum psp_event_type type)
{
	struct psp_event *event = &events->event;
	int err;

	err = dev_parse(events->nlh, &events->devs);
	if (err)
		return err;
	event->type = type;
	dev_mark_here(&events->nl, (struct psp_dev *)events->devs.head);
	event->dev = (const struct psp_dev *)events->devs.head;
	event->dev_id = event->dev->id;
	return 1;
}

static int event_rotate(struct psp_events *events)
{
	const struct nlattr *tb[ARRAY_SIZE(rotate_rules)];
	int err;

	err = attr_parse_msg(tb, rotate_rules, ARRAY_SIZE(rotate_rules),
			     events->nlh);
	if (err)
		return err;
	events->event.type = PSP_EVENT_KEY_ROTATE;
	events->event.dev_id = attr_u32(tb[PSP_A_DEV_ID]);
	return 1;
}

static int event_stale(struct psp_events *events)
{
	const struct nlattr *tb[ARRAY_SIZE(stale_rules)];
	int err;

	err = attr_parse_msg(tb, stale_rules, ARRAY_SIZE(stale_rules),
			     events->nlh);
	if (err)
		return err;
	events->event.type = PSP_EVENT_ASSOC_STALE;
	events->event.dev_id = attr_u32(tb[PSP_A_SOCK_DEV_ID]);
	events->event.cookie = attr_u64(tb[PSP_A_SOCK_COOKIE]);
	events->event.spi = attr_u32(tb[PSP_A_SOCK_SPI]);
	return 1;
}

/* 1 it is an event, 0 it is something else, or -errno */
static int event_parse(struct psp_events *events)
{
	const struct genlmsghdr *genlh = mnl_nlmsg_get_payload(events->nlh);

	if (events->nlh->nlmsg_type != events->nl.family)
		return 0;
	if (mnl_nlmsg_get_payload_len(events->nlh) < GENL_HLEN)
		return err_set(-EPROTO, "Kernel sent a truncated message");
	switch (genlh->cmd) {
	case PSP_CMD_DEV_ADD_NTF:
		return event_dev(events, PSP_EVENT_DEV_ADD);
	case PSP_CMD_DEV_DEL_NTF:
		return event_dev(events, PSP_EVENT_DEV_DEL);
	case PSP_CMD_DEV_CHANGE_NTF:
		return event_dev(events, PSP_EVENT_DEV_CHANGE);
	case PSP_CMD_KEY_ROTATE_NTF:
		return event_rotate(events);
	case PSP_CMD_ASSOC_STALE_NTF:
		return event_stale(events);
	}
	return 0;
}

static void event_forget(struct psp_events *events)
{
	list_free(events->devs.head);
	list_init(&events->devs);
	memset(&events->event, 0, sizeof(events->event));
}

/*
 * The kernel tells once that the socket was full, and silently throws away what
 * else comes until all is read. Only an empty socket tells the truth again.
 */
static void event_drain(struct psp_events *events)
{
	int len;

	do {
		len = nl_recv(&events->nl, MSG_DONTWAIT);
	} while (len >= 0 || len == -ENOBUFS || len == -EPROTO);
}

/* PSP_EVENT_LOST in the place of what is not there */
static int event_lost(struct psp_events *events)
{
	event_forget(events);
	err_clear();
	return 1;
}

/* 1 there is a message, or some were lost and len is 0; 0; -errno */
static int event_receive(struct psp_events *events)
{
	int len = nl_recv(&events->nl, MSG_DONTWAIT);

	events->nlh = (const struct nlmsghdr *)events->nl.buf;
	events->len = len < 0 ? 0 : len;
	if (len == -EAGAIN)
		return 0;
	if (len != -ENOBUFS)
		return len < 0 ? len : 1;
	event_drain(events);
	return event_lost(events);
}

int psp_events_next(struct psp_events *events, const struct psp_event **event)
{
	int ret;

	err_clear();
	event_forget(events);
	*event = &events->event;
	for (;;) {
		while (mnl_nlmsg_ok(events->nlh, events->len)) {
			ret = event_parse(events);
			events->nlh = mnl_nlmsg_next(events->nlh, &events->len);
			if (ret == -ENOMEM)
				return event_lost(events);
			if (ret)
				return ret;
		}
		ret = event_receive(events);
		if (ret <= 0 || !events->len)
			return ret;
	}
}

void psp_events_close(struct psp_events *events)
{
	if (!events)
		return;
	event_forget(events);
	nl_close(&events->nl);
	free(events);
}
