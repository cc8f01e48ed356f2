/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the sample driver and the device below it: what stands in the
 * manual of a NIC.
 */
#ifndef PSP_SAMPLE_H
#define PSP_SAMPLE_H

#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/psp.h>

#define SAMPLE_RING	64		/* descriptors, a power of two */
#define SAMPLE_KEYS	16		/* slots of the table of tx keys */
#define SAMPLE_NO_KEY	U32_MAX

/**
 * struct sample_desc - transmit descriptor
 * @skb: the packet; it has PSP headers if there is a key
 * @key: slot of the tx key, or SAMPLE_NO_KEY
 */
struct sample_desc {
	struct sk_buff *skb;
	u32 key;
};

/**
 * struct sample_hw - the device
 * @ring: descriptors
 * @prod: how many the driver has posted; free-running
 * @cons: how many the device is done with; free-running
 * @work: the transmit engine
 * @lock: protects what follows
 * @key: table of tx keys
 * @key_used: mask of slots in use
 * @device_key: the current one and the one before, by the phase of SPIs
 * @generation: which of the driver's device keys each of them is
 * @phase: of the current one
 * @next_spi: lower 31 bits of the next SPI; counts on over rotations
 * @spis_used: how many were given out since the last one
 * @versions: mask of what is to be received
 * @stats: counters
 * @peer: who hears what is sent
 * @port: the driver's
 */
struct sample_hw {
	struct sample_desc ring[SAMPLE_RING];
	u32 prod;
	u32 cons;
	struct work_struct work;

	spinlock_t lock;		/* what follows */
	siphash_key_t key[SAMPLE_KEYS];
	u32 key_used;
	siphash_key_t device_key[2];
	u8 generation[2];
	u32 phase;
	u32 next_spi;
	u32 spis_used;
	u32 versions;
	struct psp_dev_stats stats;

	struct sample_hw *peer;
	void *port;
};

/* What the driver does to the device */
void sample_hw_init(struct sample_hw *hw, struct sample_hw *peer, void *port);
void sample_hw_doorbell(struct sample_hw *hw);
void sample_hw_flush(struct sample_hw *hw);
void sample_hw_rotate(struct sample_hw *hw, u8 generation);
int sample_hw_spi_alloc(struct sample_hw *hw, struct psp_key_parsed *key);
int sample_hw_key_add(struct sample_hw *hw, const u8 *key, u32 *slot);
void sample_hw_key_del(struct sample_hw *hw, u32 slot);

/* Interrupts: the device has something to tell. Bottom halves are off. */
void sample_tx_completed(void *port);
void sample_received(void *port, struct sk_buff *skb, bool psp, u8 generation);

#endif /* PSP_SAMPLE_H */
