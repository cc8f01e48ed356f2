/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_WIRE_H
#define PSP_WIRE_H

#include "psp_net.h"

#define PSP_UDP_PORT	1000
#define PSP_HDR_LEN	16
#define PSP_ICV_LEN	16
#define PSP_FRAME_MAX	65600

/*
 * Write a knob of psp_ref's debugfs directory of the port; the names are
 * listed in Documentation/networking/device_drivers/ethernet/psp_ref.rst
 */
__printf(3, 4)
int psp_knob_set(struct psp_end *end, const char *knob, const char *fmt, ...);
int psp_knob_get(struct psp_end *end, const char *knob, char *buf, size_t len);

/* The same of a file that holds a number, or -errno */
int64_t psp_gauge(struct psp_end *end, const char *name);

/* Poll until it is @want, for @ms at most: 0, -ETIMEDOUT or its -errno */
int psp_gauge_wait(struct psp_end *end, const char *name, int64_t want,
		   int ms);

/* A request of ethtool's ioctl; @cmd begins with its number */
int psp_ethtool(struct psp_end *end, void *cmd);

/* Set a module parameter of psp_ref; ports that exist keep the old value */
int psp_param_set(const char *name, const char *val);

/* Name of the port as its driver gives it, "bus info" of ethtool */
int psp_ethtool_bus(struct psp_end *end, char *bus, size_t len);

/*
 * A counter of "ethtool -S", summed up over the queues, or of one queue if it
 * is named in full ("q0_tx_packets"), or -ENOENT
 */
int64_t psp_ethtool_stat(struct psp_end *end, const char *name);

/*
 * Treat frames that leave the port badly: @harm is "loss", "duplicate",
 * "reorder" or "corrupt", @percent how many of them meet with it
 */
int psp_wire_harm(struct psp_end *end, const char *harm, double percent);

/* Wait until @num frames of the port have been lost that way */
int psp_wire_wait_lost(struct psp_end *end, int64_t num);

/**
 * struct psp_tap - sees the frames of the cable, in both directions, before
 *	psp_wire_harm() does anything to them
 * @end: the port
 * @fd: packet socket in the port's namespace, non-blocking
 * @ifindex: interface that the frames are mirrored to
 */
struct psp_tap {
	struct psp_end *end;
	int fd;
	int ifindex;
};

/**
 * struct psp_frame - a frame, and what it is if it is PSP or TCP
 * @len: bytes in @data
 * @l3: offset of the IP header
 * @l4: offset of the UDP or TCP header, 0 if there is none
 * @proto: IPPROTO_UDP, IPPROTO_TCP or other
 * @tcp_len: bytes of TCP payload if it is plain TCP
 * @psp: it is PSP; the members below hold
 * @spi: SPI in host byte order
 * @iv: initialisation vector in host byte order
 * @version: PSP version
 * @sport: UDP source port
 * @payload: offset of the first byte behind the PSP header
 * @payload_len: bytes from there to the ICV, the inner TCP header included
 * @data: the frame from the Ethernet header on
 */
struct psp_frame {
	size_t len;
	unsigned int l3;
	unsigned int l4;
	uint8_t proto;
	unsigned int tcp_len;
	bool psp;
	uint32_t spi;
	uint64_t iv;
	uint8_t version;
	uint16_t sport;
	unsigned int payload;
	unsigned int payload_len;
	uint8_t data[PSP_FRAME_MAX];
};

int psp_tap_open(struct psp_tap *tap, struct psp_end *end);

/* The frames of an interface in the namespace of @end, as they pass it */
int psp_tap_open_on(struct psp_tap *tap, struct psp_end *end,
		    const char *ifname);
void psp_tap_close(struct psp_tap *tap);

/* Next frame: 1, none within @timeout_ms: 0, else -errno */
int psp_tap_next(struct psp_tap *tap, struct psp_frame *frame,
		 int timeout_ms);

/* Forget the frames seen so far */
void psp_tap_flush(struct psp_tap *tap);

/* Was it sent by the port of @end? */
bool psp_frame_from(const struct psp_frame *frame, const struct psp_end *end);

/* Fill in the members of @frame from its data */
void psp_frame_parse(struct psp_frame *frame);

#endif /* PSP_WIRE_H */
