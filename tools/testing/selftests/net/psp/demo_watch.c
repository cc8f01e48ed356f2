// SPDX-License-Identifier: GPL-2.0
/* Every frame of the cable, searched for what must not be seen */
#define _GNU_SOURCE
#include <string.h>

#include "demo.h"

/* Whole lines are in it */
#define DEMO_SAMPLE	1300

int demo_watch_open(struct demo_watch *watch, struct psp_end *end)
{
	return psp_tap_open(&watch->tap, end);
}

void demo_watch_close(struct demo_watch *watch)
{
	psp_tap_close(&watch->tap);
}

static bool demo_can_read(const struct psp_frame *frame, const char *text)
{
	return memmem(frame->data, frame->len, text, strlen(text));
}

static void demo_watch_judge(struct demo_watch *watch)
{
	const struct psp_frame *frame = &watch->frame;

	watch->frames++;
	watch->psp += frame->psp;
	watch->hello += demo_can_read(frame, DEMO_HELLO);
	watch->secret += demo_can_read(frame, DEMO_SECRET);
	watch->bare += watch->secure && frame->tcp_len;
	if (frame->psp && frame->spi == watch->spi &&
	    frame->payload_len > DEMO_SAMPLE)
		watch->sample = *frame;
}

bool demo_watch_look(struct demo_watch *watch)
{
	bool any = false;

	while (psp_tap_next(&watch->tap, &watch->frame, 0) > 0) {
		demo_watch_judge(watch);
		any = true;
	}
	return any;
}
