// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt moderation: an interrupt is raised when enough completions have
 * come together, and at the latest when the first of them has waited for long
 * enough. The timer does not depend on the engine, which may wait for the wire.
 */

#include <linux/ktime.h>
#include <linux/time.h>

#include "psp_ref_hw_int.h"

/* If there is anything to tell */
static void psp_ref_moder_raise(struct psp_ref_moder *moder)
{
	struct psp_ref_hw *hw = moder->q->hw;

	if (!atomic_xchg(&moder->pending, 0))
		return;

	atomic64_inc(&moder->raised);
	hw->irq(hw->irq_data, moder->q->index);
}

static enum hrtimer_restart psp_ref_moder_timer(struct hrtimer *timer)
{
	psp_ref_moder_raise(container_of(timer, struct psp_ref_moder, timer));
	return HRTIMER_NORESTART;
}

/**
 * psp_ref_moder_init() - prepare an interrupt source
 * @moder: interrupt source
 * @q: its queue
 * @conf: how it is moderated
 */
void psp_ref_moder_init(struct psp_ref_moder *moder,
			struct psp_ref_hw_queue *q,
			const struct psp_ref_hw_moder *conf)
{
	moder->q = q;
	moder->conf = conf;
	hrtimer_setup(&moder->timer, psp_ref_moder_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

/**
 * psp_ref_moder_event() - completions were written
 * @moder: interrupt source
 * @n: how many, not 0
 *
 * The completion that finds none waiting starts the timer. One that was started
 * earlier and fires meanwhile raises the interrupt too early, never too late.
 */
void psp_ref_moder_event(struct psp_ref_moder *moder, unsigned int n)
{
	u32 usecs = READ_ONCE(moder->conf->usecs);
	u32 frames = READ_ONCE(moder->conf->frames);
	/* A full barrier: who takes the count sees the completions */
	unsigned int pending = atomic_add_return(n, &moder->pending);

	if (!usecs || (frames && pending >= frames))
		psp_ref_moder_raise(moder);
	else if (pending == n)
		hrtimer_start(&moder->timer,
			      ns_to_ktime(usecs * (u64)NSEC_PER_USEC),
			      HRTIMER_MODE_REL_SOFT);
}

/**
 * psp_ref_moder_idle() - the engine has nothing to do
 * @moder: interrupt source
 */
void psp_ref_moder_idle(struct psp_ref_moder *moder)
{
	if (READ_ONCE(moder->conf->adaptive))
		psp_ref_moder_raise(moder);
}

/**
 * psp_ref_moder_flush() - the engine cannot go on until completions are taken
 * @moder: interrupt source
 */
void psp_ref_moder_flush(struct psp_ref_moder *moder)
{
	psp_ref_moder_raise(moder);
}

/**
 * psp_ref_moder_stop() - raise no interrupt any more
 * @moder: interrupt source of an engine that has stopped
 */
void psp_ref_moder_stop(struct psp_ref_moder *moder)
{
	hrtimer_cancel(&moder->timer);
	atomic_set(&moder->pending, 0);
}

/**
 * psp_ref_hw_moderate() - set how the device moderates its interrupts
 * @hw: device; may run
 * @tx: how transmit completions are told
 * @rx: how receive completions are told
 *
 * Both must not be able to hold a completion for ever: &psp_ref_hw_moder.usecs
 * may be 0 only if every completion raises an interrupt. The first call must
 * come before the device is started.
 */
void psp_ref_hw_moderate(struct psp_ref_hw *hw,
			 const struct psp_ref_hw_moder *tx,
			 const struct psp_ref_hw_moder *rx)
{
	WRITE_ONCE(hw->tx_moder.usecs, tx->usecs);
	WRITE_ONCE(hw->tx_moder.frames, tx->frames);
	WRITE_ONCE(hw->tx_moder.adaptive, tx->adaptive);
	WRITE_ONCE(hw->rx_moder.usecs, rx->usecs);
	WRITE_ONCE(hw->rx_moder.frames, rx->frames);
	WRITE_ONCE(hw->rx_moder.adaptive, rx->adaptive);
}

/**
 * psp_ref_hw_tx_interrupts() - count interrupts for transmit completions
 * @hw: device
 * @queue: queue
 *
 * Return: count since the device was made.
 */
u64 psp_ref_hw_tx_interrupts(struct psp_ref_hw *hw, unsigned int queue)
{
	return atomic64_read(&hw->queue[queue].tx_moder.raised);
}

/**
 * psp_ref_hw_rx_interrupts() - count interrupts for received frames
 * @hw: device
 * @queue: queue
 *
 * Return: count since the device was made.
 */
u64 psp_ref_hw_rx_interrupts(struct psp_ref_hw *hw, unsigned int queue)
{
	return atomic64_read(&hw->queue[queue].rx_moder.raised);
}
