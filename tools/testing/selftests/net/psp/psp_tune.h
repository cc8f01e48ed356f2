/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_TUNE_H
#define PSP_TUNE_H

#include <linux/ethtool.h>
#include <stdbool.h>
#include <stdint.h>

#include "psp_net.h"

/*
 * What ethtool can choose on a port. Requests go by ethtool's netlink family
 * over the end's own socket, so that nl.ack tells the reason of a refusal;
 * answers come by ioctl.
 */

/* -G, -L */
int psp_tune_rings(struct psp_end *end, uint32_t tx, uint32_t rx);
int psp_tune_channels(struct psp_end *end, uint32_t combined);

/**
 * struct psp_moder - interrupt moderation of one direction
 * @usecs: microseconds that a completion may wait
 * @frames: completions that may come together
 * @adaptive: not while the device has nothing to do
 */
struct psp_moder {
	uint32_t usecs;
	uint32_t frames;
	bool adaptive;
};

/* -C, of transmit completions or received frames */
int psp_tune_tx(struct psp_end *end, const struct psp_moder *moder);
int psp_tune_rx(struct psp_end *end, const struct psp_moder *moder);

/* -g, -l, -c */
int psp_tune_get_rings(struct psp_end *end, struct ethtool_ringparam *ring);
int psp_tune_get_channels(struct psp_end *end, struct ethtool_channels *ch);
int psp_tune_get_moder(struct psp_end *end, struct ethtool_coalesce *coal);

/* -K: ETHTOOL_STXCSUM, _SRXCSUM, _STSO, and whether it is on */
int psp_tune_offload(struct psp_end *end, uint32_t cmd, bool on);

#endif /* PSP_TUNE_H */
