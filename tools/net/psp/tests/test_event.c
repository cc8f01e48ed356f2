// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Events: what is told, and how it is told that something was lost */
#include <errno.h>

#include "check.h"
#include "fake.h"
#include "libpsp.h"

#define ALL	(PSP_GROUP_MGMT | PSP_GROUP_USE | PSP_GROUP_ASSOC)

static void each_kind(void)
{
	const struct psp_event *event;
	struct psp_events *events;

	fake_reset();
	CHECK_OR_DIE(!psp_events_open(&events, ALL));
	CHECK(psp_events_fd(events) >= 0);
	CHECK(psp_events_next(events, &event) == 0);
	fake_world_events();
	CHECK(psp_events_next(events, &event) == 1);
	CHECK(event->type == PSP_EVENT_DEV_ADD && event->dev_id == 1);
	CHECK(event->dev && event->dev->versions_ena == 3);
	CHECK(psp_events_next(events, &event) == 1);
	CHECK(event->type == PSP_EVENT_DEV_CHANGE && event->dev);
	CHECK(psp_events_next(events, &event) == 1);
	CHECK(event->type == PSP_EVENT_KEY_ROTATE && event->dev_id == 1);
	CHECK(!event->dev);
	CHECK(psp_events_next(events, &event) == 1);
	CHECK(event->type == PSP_EVENT_ASSOC_STALE && event->cookie == 5);
	CHECK(event->spi == 0x80000011);
	CHECK(psp_events_next(events, &event) == 1);
	CHECK(event->type == PSP_EVENT_LOST && !event->dev_id);
	CHECK(psp_events_next(events, &event) == 0);
	psp_events_close(events);
}

static void put_rotate(uint32_t id)
{
	struct nlmsghdr *nlh = fake_msg(FAKE_FAMILY, PSP_CMD_KEY_ROTATE_NTF);

	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	fake_done();
}

/*
 * A full socket stays congested, and the kernel says nothing of what else it
 * throws away, until it has been emptied: what is still in there must not come
 * after the word that some are missing.
 */
static void lost_comes_last(void)
{
	const struct psp_event *event;
	struct psp_events *events;

	fake_reset();
	CHECK_OR_DIE(!psp_events_open(&events, PSP_GROUP_USE));
	put_rotate(1);
	fake_fail(ENOBUFS);
	put_rotate(2);
	fake_fail(ENOBUFS);
	put_rotate(3);
	fake_msg(FAKE_FAMILY, PSP_CMD_KEY_ROTATE_NTF);
	CHECK(psp_events_next(events, &event) == 1 && event->dev_id == 1);
	CHECK(psp_events_next(events, &event) == 1);
	CHECK(event->type == PSP_EVENT_LOST && !event->dev_id && !event->dev);
	CHECK(psp_events_next(events, &event) == 0);
	put_rotate(4);
	CHECK(psp_events_next(events, &event) == 1 && event->dev_id == 4);
	CHECK(psp_events_next(events, &event) == 0);
	psp_events_close(events);
}

/* An event that there was no memory for is lost as well */
static void lost_for_memory(void)
{
	const struct psp_event *event;
	struct psp_events *events;

	fake_reset();
	CHECK_OR_DIE(!psp_events_open(&events, PSP_GROUP_MGMT | PSP_GROUP_USE));
	fake_world_events();
	fake.num = fake.pos + 1;
	put_rotate(7);
	fake.no_memory = true;
	CHECK(psp_events_next(events, &event) == 1);
	CHECK(event->type == PSP_EVENT_LOST && !event->dev);
	fake.no_memory = false;
	CHECK(psp_events_next(events, &event) == 1 && event->dev_id == 7);
	CHECK(psp_events_next(events, &event) == 0);
	psp_events_close(events);
}

static void unknown_and_malformed(void)
{
	const struct psp_event *event;
	struct psp_events *events;

	fake_reset();
	CHECK_OR_DIE(!psp_events_open(&events, PSP_GROUP_USE));
	fake_msg(FAKE_FAMILY, 99);
	fake_msg(FAKE_FAMILY + 1, PSP_CMD_KEY_ROTATE_NTF);
	put_rotate(66);
	fake_last()->from = 1234;
	fake_msg(FAKE_FAMILY, PSP_CMD_KEY_ROTATE_NTF);
	put_rotate(7);
	CHECK(psp_events_next(events, &event) == -EPROTO);
	CHECK(psp_events_next(events, &event) == 1 && event->dev_id == 7);
	CHECK(psp_events_next(events, &event) == 0);
	fake_fail(ENOMEM);
	CHECK(psp_events_next(events, &event) == -ENOMEM);
	psp_events_close(events);
}

static void refused_groups(void)
{
	struct psp_events *events;

	fake_reset();
	fake.join_err = EPERM;
	CHECK(psp_events_open(&events, ALL) == -EPERM && !events);
	CHECK(!psp_events_open(&events, PSP_GROUP_MGMT | PSP_GROUP_USE));
	psp_events_close(events);
	CHECK(psp_events_open(&events, 8) == -EINVAL && !events);
	fake_reset();
	fake.mainline = true;
	CHECK(psp_events_open(&events, ALL) == -EOPNOTSUPP && !events);
	CHECK(strstr(psp_strerror(-EOPNOTSUPP), "no such events"));
	fake_reset();
	fake.absent = true;
	CHECK(psp_events_open(&events, ALL) == -EPROTONOSUPPORT && !events);
}

static const struct check_case cases[] = {
	CASE(each_kind),
	CASE(lost_comes_last),
	CASE(lost_for_memory),
	CASE(unknown_and_malformed),
	CASE(refused_groups),
};

int main(void)
{
	return check_all(cases, ARRAY_SIZE(cases));
}
