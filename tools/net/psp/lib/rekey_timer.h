/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef REKEY_TIMER_H
#define REKEY_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct rekey_timer - something to be done at a time
 * @at: when, in microseconds
 * @pos: place in the heap, 0 if it is not armed
 * @fn: what; the timer is not armed any more when it is called
 */
struct rekey_timer {
	uint64_t at;
	size_t pos;
	void (*fn)(struct rekey_timer *timer);
};

/**
 * struct rekey_heap - armed timers, the next one on top
 * @timer: a binary heap, from index 1
 * @num: armed timers
 * @room: how many there is room for
 */
struct rekey_heap {
	struct rekey_timer **timer;
	size_t num;
	size_t room;
};

/* Make room for @num timers, so that arming one cannot fail */
int rekey_heap_reserve(struct rekey_heap *heap, size_t num);
void rekey_heap_free(struct rekey_heap *heap);

static inline bool rekey_timer_is_armed(const struct rekey_timer *timer)
{
	return timer->pos;
}

/* Arm, or move */
void rekey_timer_arm(struct rekey_heap *heap, struct rekey_timer *timer,
		     uint64_t at);
void rekey_timer_cancel(struct rekey_heap *heap, struct rekey_timer *timer);

/* The next one, NULL: none is armed */
struct rekey_timer *rekey_heap_top(const struct rekey_heap *heap);

#endif /* REKEY_TIMER_H */
