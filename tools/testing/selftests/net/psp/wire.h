/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WIRE_H
#define WIRE_H

#include "psp_conn.h"
#include "psp_wire.h"

#define WIRE_KEYS	8

/**
 * struct wire_count - segments of the connection
 * @plain: in plain text
 * @psp: under PSP
 * @psp_a: of those, from A
 */
struct wire_count {
	int plain;
	int psp;
	int psp_a;
};

/**
 * struct wire - what passes between the two sockets of a connection
 * @tap: at end A; sees both directions
 * @ipv6: the connection's packets are IPv6
 * @a_port: port of the socket at A, 0 for any
 * @b_port: port of the socket at B, 0 for any
 * @key: keys to try on PSP packets
 * @keys: their number
 * @count: segments seen since wire_flush()
 * @frame: last frame seen
 * @tcp: last TCP segment seen, decrypted if need be
 */
struct wire {
	struct psp_tap tap;
	bool ipv6;
	uint16_t a_port;
	uint16_t b_port;
	struct psp_key key[WIRE_KEYS];
	int keys;
	struct wire_count count;
	struct psp_frame frame;
	uint8_t tcp[PSP_FRAME_MAX];
};

/**
 * struct wire_seg - a TCP segment of the connection
 * @psp: it was under PSP
 * @from_a: it went from A to B
 * @spi: SPI if it was under PSP
 * @flags: FORGE_*
 * @seq: sequence number
 * @ack: acknowledged sequence number
 * @data: payload
 * @len: its length
 */
struct wire_seg {
	bool psp;
	bool from_a;
	uint32_t spi;
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	const uint8_t *data;
	int len;
};

int wire_open(struct wire *wire, struct psp_conn *conn);
void wire_close(struct wire *wire);
void wire_key(struct wire *wire, const struct psp_key *key);

/*
 * Next TCP segment of the connection: 1, none within @timeout_ms: 0. -EBADMSG
 * if there is a PSP packet between A and B that no key opens, or -errno.
 */
int wire_next(struct wire *wire, struct wire_seg *seg, int timeout_ms);

/* Forget what was seen up to now; or see all of it, so that it counts */
void wire_flush(struct wire *wire);
int wire_tally(struct wire *wire);

#endif /* WIRE_H */
