// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Timers of a pool, in a binary heap: each step is O(log n) */
#include <errno.h>
#include <stdlib.h>

#include "rekey_timer.h"

int rekey_heap_reserve(struct rekey_heap *heap, size_t num)
{
	struct rekey_timer **timer;
	size_t room = heap->room ? heap->room : 64;

	if (num <= heap->room)
		return 0;
	while (room < num)
		room *= 2;
	timer = reallocarray(heap->timer, room + 1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	heap->timer = timer;
	heap->room = room;
	return 0;
}

void rekey_heap_free(struct rekey_heap *heap)
{
	free(heap->timer);
}

static void rekey_heap_place(struct rekey_heap *heap,
			     struct rekey_timer *timer, size_t pos)
{
	heap->timer[pos] = timer;
	timer->pos = pos;
}

static void rekey_heap_up(struct rekey_heap *heap, struct rekey_timer *timer)
{
	size_t pos = timer->pos;

	for (; pos > 1 && heap->timer[pos / 2]->at > timer->at; pos /= 2)
		rekey_heap_place(heap, heap->timer[pos / 2], pos);
	rekey_heap_place(heap, timer, pos);
}

static void rekey_heap_down(struct rekey_heap *heap, struct rekey_timer *timer)
{
	size_t pos = timer->pos, child;

	for (child = 2 * pos; child <= heap->num; child = 2 * pos) {
		if (child < heap->num &&
		    heap->timer[child + 1]->at < heap->timer[child]->at)
			child++;
		if (heap->timer[child]->at >= timer->at)
			break;
		rekey_heap_place(heap, heap->timer[child], pos);
		pos = child;
	}
	rekey_heap_place(heap, timer, pos);
}

void rekey_timer_arm(struct rekey_heap *heap, struct rekey_timer *timer,
		     uint64_t at)
{
	if (!rekey_timer_is_armed(timer))
		rekey_heap_place(heap, timer, ++heap->num);
	timer->at = at;
	rekey_heap_up(heap, timer);
	rekey_heap_down(heap, timer);
}

void rekey_timer_cancel(struct rekey_heap *heap, struct rekey_timer *timer)
{
	struct rekey_timer *last;

	if (!rekey_timer_is_armed(timer))
		return;
	last = heap->timer[heap->num--];
	if (last != timer) {
		rekey_heap_place(heap, last, timer->pos);
		rekey_heap_up(heap, last);
		rekey_heap_down(heap, last);
	}
	timer->pos = 0;
}

struct rekey_timer *rekey_heap_top(const struct rekey_heap *heap)
{
	return heap->num ? heap->timer[1] : NULL;
}
