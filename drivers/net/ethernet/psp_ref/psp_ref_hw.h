/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver may know of the device: rings in shared memory, doorbells,
 * an interrupt, a mailbox. Nothing else is shared between the two sides.
 */
#ifndef PSP_REF_HW_H
#define PSP_REF_HW_H

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/types.h>

#include <net/psp.h>

struct dentry;
struct net_device;
struct sk_buff;
struct psp_ref_hw;

#define PSP_REF_MAX_QUEUES	16

/* The longest frame a port takes is an MTU of this with its headers */
#define PSP_REF_MAX_MTU		9000

/* What the device can encrypt and decrypt */
#define PSP_REF_VERSIONS	(BIT(PSP_VERSION_HDR0_AES_GCM_128) | \
				 BIT(PSP_VERSION_HDR0_AES_GCM_256) | \
				 BIT(PSP_VERSION_HDR0_AES_GMAC_128) | \
				 BIT(PSP_VERSION_HDR0_AES_GMAC_256))

/* No valid key handle has this value */
#define PSP_REF_NO_KEY		0

/* Encrypt the frame under the key of &psp_ref_txd.key_handle */
#define PSP_REF_TXD_PSP		BIT(0)
/* Write the TCP checksum of a PSP frame's inner packet */
#define PSP_REF_TXD_CSUM	BIT(1)
/* The network header of a PSP frame is IPv6 */
#define PSP_REF_TXD_IPV6	BIT(2)

/**
 * struct psp_ref_txd - transmit descriptor
 * @skb: the buffer; the device only reads it, until the completion is written
 * @key_handle: key to encrypt with, read by the device when it fetches the
 *	descriptor; PSP_REF_NO_KEY for plain frames
 * @flags: PSP_REF_TXD_*
 * @mss: bytes of payload in each frame if the buffer is to be cut, else 0
 * @l3_off: offset of the IP header; this and what follows: PSP frames only
 * @l4_off: offset of the UDP header
 * @hdr_len: length of all headers, the inner TCP header included
 *
 * Plain frames carry their offload requests in the buffer's metadata, as on
 * any software device, and cross the wire uncut.
 */
struct psp_ref_txd {
	const struct sk_buff	*skb;
	u32			key_handle;
	u16			flags;
	u16			mss;
	u16			l3_off;
	u16			l4_off;
	u16			hdr_len;
};

/**
 * enum psp_ref_tx_status - what became of a descriptor
 * @PSP_REF_TX_OK: on the wire
 * @PSP_REF_TX_STALE: dropped, the key handle was not valid at the fetch
 * @PSP_REF_TX_ERROR: dropped, wholly or in part, for another reason
 */
enum psp_ref_tx_status {
	PSP_REF_TX_OK,
	PSP_REF_TX_STALE,
	PSP_REF_TX_ERROR,
};

/**
 * struct psp_ref_txc - transmit completion
 * @index: free-running index of the descriptor
 * @key_handle: copied from the descriptor
 * @status: enum psp_ref_tx_status
 *
 * Each descriptor has one completion, in the order of the descriptors.
 */
struct psp_ref_txc {
	u32	index;
	u32	key_handle;
	u8	status;
};

/**
 * struct psp_ref_txring - transmit descriptors and their completions
 * @desc: descriptors
 * @comp: completions
 * @size: number of descriptors, and of completions; a power of two
 * @doorbell: free-running index of the next descriptor to be posted; written
 *	by the driver
 * @comp_prod: free-running index of the next completion; written by the
 *	device
 */
struct psp_ref_txring {
	struct psp_ref_txd	*desc;
	struct psp_ref_txc	*comp;
	u32			size;
	u32			doorbell ____cacheline_aligned_in_smp;
	u32			comp_prod ____cacheline_aligned_in_smp;
};

/* The frame was a PSP packet and its ICV was right */
#define PSP_REF_RXC_PSP		BIT(0)

/**
 * struct psp_ref_rxc - receive completion
 * @skb: the frame from its Ethernet header on, decrypted, with the PSP headers
 *	and ICV still in place; the driver owns it now
 * @flags: PSP_REF_RXC_*
 * @generation: generation of the device key that a PSP packet was opened with
 */
struct psp_ref_rxc {
	struct sk_buff	*skb;
	u8		flags;
	u8		generation;
};

/**
 * struct psp_ref_rxring - received frames
 * @comp: completions
 * @size: number of completions; a power of two
 * @prod: free-running index of the next completion; written by the device
 * @cons: free-running index of the next completion to be taken; written by
 *	the driver
 */
struct psp_ref_rxring {
	struct psp_ref_rxc	*comp;
	u32			size;
	u32			prod ____cacheline_aligned_in_smp;
	u32			cons ____cacheline_aligned_in_smp;
};

/**
 * enum psp_ref_mbox_op - mailbox commands
 * @PSP_REF_MBOX_KEY_ADD: put a transmit key into the key table
 * @PSP_REF_MBOX_KEY_DEL: take a transmit key out of the key table
 * @PSP_REF_MBOX_ROTATE: make a new device key
 * @PSP_REF_MBOX_SPI_ALLOC: give out an SPI and derive its key
 * @PSP_REF_MBOX_VERSIONS: choose the versions to be received
 */
enum psp_ref_mbox_op {
	PSP_REF_MBOX_KEY_ADD,
	PSP_REF_MBOX_KEY_DEL,
	PSP_REF_MBOX_ROTATE,
	PSP_REF_MBOX_SPI_ALLOC,
	PSP_REF_MBOX_VERSIONS,
};

/**
 * struct psp_ref_mbox - mailbox command and its answer
 * @op: which command
 * @version: in, KEY_ADD and SPI_ALLOC: PSP version
 * @generation: in, ROTATE: to be reported with packets opened under the new
 *	device key
 * @handle: out of KEY_ADD, into KEY_DEL: key handle
 * @versions: in, VERSIONS: mask of versions
 * @key: into KEY_ADD, out of SPI_ALLOC: key and SPI
 *
 * @key holds secrets: the driver wipes commands when done with them.
 */
struct psp_ref_mbox {
	enum psp_ref_mbox_op	op;
	u8			version;
	u8			generation;
	u32			handle;
	u32			versions;
	struct psp_key_parsed	key;
};

/**
 * enum psp_ref_hw_tx_stat - counted by a queue's transmit engine
 * @PSP_REF_HW_TX_FRAMES: frames put on the wire, GSO units as one
 * @PSP_REF_HW_TX_PSP_PACKETS: PSP packets put on the wire
 * @PSP_REF_HW_TX_PSP_BYTES: their bytes as &psp_dev_stats.tx_bytes counts
 * @PSP_REF_HW_TX_STALE_HANDLE: descriptors dropped, key handle not valid
 * @PSP_REF_HW_TX_NO_MEMORY: frames lost for lack of memory
 * @PSP_REF_HW_TX_PSP_FAILED: PSP packets that could not be made, lack of
 *	memory included
 * @PSP_REF_HW_TX_STATS: number of counters
 */
enum psp_ref_hw_tx_stat {
	PSP_REF_HW_TX_FRAMES,
	PSP_REF_HW_TX_PSP_PACKETS,
	PSP_REF_HW_TX_PSP_BYTES,
	PSP_REF_HW_TX_STALE_HANDLE,
	PSP_REF_HW_TX_NO_MEMORY,
	PSP_REF_HW_TX_PSP_FAILED,
	PSP_REF_HW_TX_STATS
};

/**
 * enum psp_ref_hw_rx_stat - counted by a queue's receive engine
 * @PSP_REF_HW_RX_FRAMES: frames taken from the wire, GSO units as one
 * @PSP_REF_HW_RX_PSP_PACKETS: PSP packets authenticated
 * @PSP_REF_HW_RX_PSP_BYTES: their bytes as &psp_dev_stats.rx_bytes counts
 * @PSP_REF_HW_RX_AUTH_FAIL: PSP packets with a wrong ICV
 * @PSP_REF_HW_RX_ERROR: PSP packets with bad lengths or framing
 * @PSP_REF_HW_RX_BAD: PSP packets refused for another reason
 * @PSP_REF_HW_RX_TOO_LONG: frames longer than the port's MTU
 * @PSP_REF_HW_RX_STATS: number of counters
 */
enum psp_ref_hw_rx_stat {
	PSP_REF_HW_RX_FRAMES,
	PSP_REF_HW_RX_PSP_PACKETS,
	PSP_REF_HW_RX_PSP_BYTES,
	PSP_REF_HW_RX_AUTH_FAIL,
	PSP_REF_HW_RX_ERROR,
	PSP_REF_HW_RX_BAD,
	PSP_REF_HW_RX_TOO_LONG,
	PSP_REF_HW_RX_STATS
};

/**
 * struct psp_ref_hw_moder - how interrupts for completions are moderated
 * @usecs: raise one when a completion has waited so many microseconds; 0: at
 *	once
 * @frames: raise one when so many completions have come together; 0: there is
 *	no such number
 * @adaptive: raise one as soon as the engine has nothing else to do, too
 */
struct psp_ref_hw_moder {
	u32	usecs;
	u32	frames;
	bool	adaptive;
};

/**
 * typedef psp_ref_irq_t - the device's interrupt for one queue
 * @data: pointer given to psp_ref_hw_start()
 * @queue: queue with new completions
 */
typedef void (*psp_ref_irq_t)(void *data, unsigned int queue);

/**
 * struct psp_ref_hw_queue_setup - what a queue pair works with
 * @tx: transmit ring, empty
 * @rx: receive ring, empty
 */
struct psp_ref_hw_queue_setup {
	struct psp_ref_txring	*tx;
	struct psp_ref_rxring	*rx;
};

struct psp_ref_hw *psp_ref_hw_create(struct net_device *netdev, int id,
				     unsigned int nqueues);
void psp_ref_hw_destroy(struct psp_ref_hw *hw);
int psp_ref_hw_prepare(struct psp_ref_hw *hw, unsigned int n);
void psp_ref_hw_start(struct psp_ref_hw *hw,
		      const struct psp_ref_hw_queue_setup *setup,
		      unsigned int n, psp_ref_irq_t irq, void *data);
void psp_ref_hw_stop(struct psp_ref_hw *hw);
void psp_ref_hw_reset(struct psp_ref_hw *hw);
void psp_ref_hw_moderate(struct psp_ref_hw *hw,
			 const struct psp_ref_hw_moder *tx,
			 const struct psp_ref_hw_moder *rx);

void psp_ref_hw_tx_doorbell(struct psp_ref_hw *hw, unsigned int queue,
			    u32 prod);
void psp_ref_hw_rx_consumed(struct psp_ref_hw *hw, unsigned int queue,
			    u32 cons);
int psp_ref_hw_mbox(struct psp_ref_hw *hw, struct psp_ref_mbox *cmd);

u64 psp_ref_hw_tx_stat(struct psp_ref_hw *hw, unsigned int queue,
		       enum psp_ref_hw_tx_stat stat);
u64 psp_ref_hw_rx_stat(struct psp_ref_hw *hw, unsigned int queue,
		       enum psp_ref_hw_rx_stat stat);
u64 psp_ref_hw_tx_interrupts(struct psp_ref_hw *hw, unsigned int queue);
u64 psp_ref_hw_rx_interrupts(struct psp_ref_hw *hw, unsigned int queue);
u64 psp_ref_hw_no_link(struct psp_ref_hw *hw);
u64 psp_ref_hw_refused(struct psp_ref_hw *hw);
u64 psp_ref_hw_no_room(struct psp_ref_hw *hw);

void psp_ref_hw_connect(struct psp_ref_hw *a, struct psp_ref_hw *b);
void psp_ref_hw_disconnect(struct psp_ref_hw *hw);
int psp_ref_hw_attach(struct psp_ref_hw *hw, struct net_device *lower);
void psp_ref_hw_detach(struct psp_ref_hw *hw);

void psp_ref_hw_debugfs(struct psp_ref_hw *hw, struct dentry *dir);
int psp_ref_hw_selftest(void);

#endif /* PSP_REF_HW_H */
