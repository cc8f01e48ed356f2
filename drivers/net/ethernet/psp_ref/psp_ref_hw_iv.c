// SPDX-License-Identifier: GPL-2.0-only
/*
 * Initialisation vectors. Two sockets, two ports, or one port before and after
 * a reset may be given the same key, so an IV must never come twice in the
 * whole module, whatever the key: queues draw blocks from one allocator.
 *
 * The number of a block is the time at which it was taken. An allocation never
 * runs ahead of the clock, so that the module may be unloaded and loaded again
 * without repeating a block, unless the clock is set back meanwhile.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/timekeeping.h>

#include "psp_ref_hw_int.h"

#define PSP_REF_IV_BLOCK_SHIFT	20

/* One block each 262 us: at that rate 44 bits of block numbers last until the
 * year 2116, and no queue sends 2^20 packets in less.
 */
#define PSP_REF_IV_TIME_SHIFT	18

static DEFINE_MUTEX(psp_ref_iv_lock);
static u64 psp_ref_iv_last;	/* block taken last; under psp_ref_iv_lock */

VISIBLE_IF_KUNIT u64 psp_ref_iv_clock(void)
{
	KUNIT_STATIC_STUB_REDIRECT(psp_ref_iv_clock);

	return ktime_get_real_ns() >> PSP_REF_IV_TIME_SHIFT;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_iv_clock);

static u64 psp_ref_iv_take_block(void)
{
	u64 block;

	mutex_lock(&psp_ref_iv_lock);
	if (psp_ref_iv_clock() <= psp_ref_iv_last)
		fsleep(1 + (BIT(PSP_REF_IV_TIME_SHIFT) / NSEC_PER_USEC));

	/* A clock that was set back does not catch up so soon: count on */
	block = max(psp_ref_iv_clock(), psp_ref_iv_last + 1);
	psp_ref_iv_last = block;
	mutex_unlock(&psp_ref_iv_lock);

	return block;
}

/**
 * psp_ref_iv_reset() - forget what is left of the block
 * @iv: a queue's IVs
 */
void psp_ref_iv_reset(struct psp_ref_iv *iv)
{
	iv->left = 0;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_iv_reset);

/**
 * psp_ref_iv_next() - an IV never given out before
 * @iv: a queue's IVs
 *
 * Process context, may sleep.
 *
 * Return: the IV.
 */
u64 psp_ref_iv_next(struct psp_ref_iv *iv)
{
	if (!iv->left) {
		iv->next = psp_ref_iv_take_block() << PSP_REF_IV_BLOCK_SHIFT;
		iv->left = BIT(PSP_REF_IV_BLOCK_SHIFT);
	}

	iv->left--;
	return iv->next++;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_iv_next);
