// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epochs: the core's own count of device key rotations.
 *
 * A device holds the current key and the one before it, so an association is
 * good in the epoch that it was made in and in the next one. A rotation only
 * adds one to the count; nothing is walked, however many associations exist.
 */
#include <kunit/visibility.h>

#include "psp.h"

static unsigned int *psp_epoch_slot(struct psp_dev *psd, u64 epoch)
{
	lockdep_assert_held(&psd->epoch_lock);

	return &psd->epoch_socks[epoch & (PSP_LIVE_EPOCHS - 1)];
}

/**
 * psp_epoch_sock_add() - a socket's current rx association is of an epoch
 * @psd: device
 * @epoch: epoch of the association
 *
 * Context: any, BH are disabled inside.
 */
void psp_epoch_sock_add(struct psp_dev *psd, u64 epoch)
{
	spin_lock_bh(&psd->epoch_lock);
	if (psp_epoch_is_live(psd->epoch, epoch))
		++*psp_epoch_slot(psd, epoch);
	spin_unlock_bh(&psd->epoch_lock);
}
EXPORT_SYMBOL_IF_KUNIT(psp_epoch_sock_add);

/**
 * psp_epoch_sock_del() - undo psp_epoch_sock_add()
 * @psd: device
 * @epoch: epoch of the association
 *
 * The count of an epoch that has passed was settled by psp_epoch_advance().
 *
 * Context: any, BH are disabled inside.
 */
void psp_epoch_sock_del(struct psp_dev *psd, u64 epoch)
{
	spin_lock_bh(&psd->epoch_lock);
	if (psp_epoch_is_live(psd->epoch, epoch))
		--*psp_epoch_slot(psd, epoch);
	spin_unlock_bh(&psd->epoch_lock);
}
EXPORT_SYMBOL_IF_KUNIT(psp_epoch_sock_del);

/**
 * psp_epoch_advance() - the device key has been rotated
 * @psd: device, locked
 *
 * The slot of the new epoch held the count of the one that the device has
 * just forgotten the key of: those sockets are stale now.
 */
void psp_epoch_advance(struct psp_dev *psd)
{
	unsigned int *slot;

	lockdep_assert_held(&psd->lock);
	BUILD_BUG_ON_NOT_POWER_OF_2(PSP_LIVE_EPOCHS);

	spin_lock_bh(&psd->epoch_lock);
	WRITE_ONCE(psd->epoch, psd->epoch + 1);
	slot = psp_epoch_slot(psd, psd->epoch);
	psd->stats.stales += *slot;
	*slot = 0;
	spin_unlock_bh(&psd->epoch_lock);

	psd->stats.rotations++;
}
EXPORT_SYMBOL_IF_KUNIT(psp_epoch_advance);
