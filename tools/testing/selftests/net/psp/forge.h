/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FORGE_H
#define FORGE_H

#include "psp_conn.h"
#include "seal.h"

#define FORGE_FIN	0x01
#define FORGE_SYN	0x02
#define FORGE_RST	0x04
#define FORGE_PSH	0x08
#define FORGE_ACK	0x10

#define FORGE_PSP_MAX	1600

/**
 * struct forge - makes frames that seem to come from the peer of a socket
 * @fd: packet socket on the peer's port
 * @src: hardware address of the peer's port
 * @dst: hardware address of the victim's port
 * @ipv6: the frames are IPv6
 * @frag: fragment field of the IPv4 header, 0 for "don't fragment"
 * @saddr: peer's address, IPv4 in the first four bytes
 * @daddr: victim's address, the same
 * @sport: peer's port
 * @dport: victim's port
 * @seq: what the victim expects next (rcv_nxt), when last asked
 * @ack: end of what the victim has been given to send, when last asked
 */
struct forge {
	int fd;
	uint8_t src[6];
	uint8_t dst[6];
	bool ipv6;
	uint16_t frag;
	struct in6_addr saddr;
	struct in6_addr daddr;
	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
	uint32_t ack;
};

/**
 * struct forge_seg - a TCP segment to be forged
 * @seq: sequence number, relative to &forge.seq
 * @ack: acknowledged sequence number, relative to &forge.ack
 * @flags: FORGE_*
 * @data: payload
 * @len: its length
 */
struct forge_seg {
	int seq;
	int ack;
	uint8_t flags;
	const void *data;
	size_t len;
};

/* Learn all about the connection of @victim, ports and numbers included */
int forge_open(struct forge *forge, struct psp_conn *conn,
	       struct psp_side *victim);
void forge_close(struct forge *forge);

/* Ask the victim again for the two numbers; it has to have a port still */
int forge_sync(struct forge *forge, int victim);

/* TCP header with checksum, and payload: returns the length in @out */
size_t forge_tcp(const struct forge *forge, const struct forge_seg *seg,
		 uint8_t *out);

/* Put an IP header in front and send */
int forge_ip(const struct forge *forge, uint8_t proto, const void *payload,
	     size_t len);

/* In plain text */
int forge_plain(const struct forge *forge, const struct forge_seg *seg);

/*
 * A PSP packet as it stands in UDP; IV and next header of @hdr are filled in.
 * Returns its length, up to FORGE_PSP_MAX, or -errno.
 */
int forge_seal(const struct forge *forge, const struct forge_seg *seg,
	       struct seal_hdr *hdr, const struct psp_key *key, uint8_t *out);

/* Put a UDP header in front of a PSP packet, and send */
int forge_udp(const struct forge *forge, const void *psp, size_t len);

/* Under PSP */
int forge_psp(const struct forge *forge, const struct forge_seg *seg,
	      uint32_t version, const struct psp_key *key);

/* A TCP segment with payload @text at &forge.seq, plain or under PSP */
int forge_text(const struct forge *forge, const char *text);
int forge_psp_text(const struct forge *forge, const char *text,
		   uint32_t version, const struct psp_key *key);

/* Make the socket drop all that it receives, unseen, or hear again */
int forge_deafen(int fd, bool deaf);

#endif /* FORGE_H */
