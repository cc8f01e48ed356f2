// SPDX-License-Identifier: GPL-2.0-only
/*
 * tx_key_retire and psp_tx_key_quiesced() on kernels with mainline's PSP, which
 * has neither: see compat-include/net/psp.h. A key is retired and deleted in
 * one go, under the lock of its device.
 */

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <net/psp.h>

/**
 * struct psp_compat_wait - a key that waits for its last descriptor
 * @node: link in psp_compat_waits
 * @psd: device
 * @ticket: what the driver gives back
 * @quiet: it has
 *
 * Lives on the stack of psp_compat_tx_key_del(), and is in the list as long as
 * anybody may look at it.
 */
struct psp_compat_wait {
	struct list_head	node;
	struct psp_dev		*psd;
	u32			ticket;
	struct completion	quiet;
};

/* Protects the list and the last ticket; the driver may be in an interrupt */
static DEFINE_SPINLOCK(psp_compat_lock);
static LIST_HEAD(psp_compat_waits);
static u32 psp_compat_ticket;

/**
 * psp_compat_tx_key_del() - what mainline's core calls for tx_key_del
 * @psd: device
 * @pas: key that nobody can find for sending any more
 *
 * Context: process context, @psd->lock held. Waits for descriptors.
 */
void psp_compat_tx_key_del(struct psp_dev *psd, struct psp_assoc *pas)
{
	const struct psp_compat_psp_dev_ops *ops =
		container_of(psd->ops, struct psp_compat_psp_dev_ops, kernel);
	struct psp_compat_wait wait = {
		.psd = psd,
		.quiet = COMPLETION_INITIALIZER_ONSTACK(wait.quiet),
	};
	int err = 0;

	lockdep_assert_held(&psd->lock);

	spin_lock_irq(&psp_compat_lock);
	wait.ticket = ++psp_compat_ticket;
	list_add(&wait.node, &psp_compat_waits);
	spin_unlock_irq(&psp_compat_lock);

	if (ops->tx_key_retire)
		err = ops->tx_key_retire(psd, pas, wait.ticket);
	if (err == -EINPROGRESS)
		wait_for_completion(&wait.quiet);
	else
		WARN_ON_ONCE(err);

	spin_lock_irq(&psp_compat_lock);
	list_del(&wait.node);
	spin_unlock_irq(&psp_compat_lock);

	ops->tx_key_del(psd, pas);
}

/**
 * psp_tx_key_quiesced() - the last descriptor with a key has completed
 * @psd: device
 * @ticket: what tx_key_retire was given
 *
 * Context: any.
 */
void psp_tx_key_quiesced(struct psp_dev *psd, u32 ticket)
{
	struct psp_compat_wait *wait;
	unsigned long flags;

	spin_lock_irqsave(&psp_compat_lock, flags);
	list_for_each_entry(wait, &psp_compat_waits, node)
		if (wait->psd == psd && wait->ticket == ticket)
			complete(&wait->quiet);
	spin_unlock_irqrestore(&psp_compat_lock, flags);
}
