// SPDX-License-Identifier: GPL-2.0
/* The wire as somebody sees it who has the keys */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "seal.h"
#include "wire.h"

static uint16_t wire_port(int fd)
{
	struct sockaddr_storage addr = { };
	socklen_t len = sizeof(addr);

	getsockname(fd, (struct sockaddr *)&addr, &len);
	return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

int wire_open(struct wire *wire, struct psp_conn *conn)
{
	memset(wire, 0, sizeof(*wire));
	wire->ipv6 = conn->family == PSP_IPV6;
	wire->a_port = wire_port(conn->a.fd);
	wire->b_port = wire_port(conn->b.fd);
	return psp_tap_open(&wire->tap, conn->a.end);
}

void wire_close(struct wire *wire)
{
	psp_tap_close(&wire->tap);
}

void wire_key(struct wire *wire, const struct psp_key *key)
{
	if (wire->keys < WIRE_KEYS)
		wire->key[wire->keys++] = *key;
}

/* Length of the TCP segment in wire->tcp, or -errno; 0 if there is none */
static int wire_tcp(struct wire *wire)
{
	const struct psp_frame *frame = &wire->frame;
	int i, len;

	if (frame->psp) {
		for (i = 0; i < wire->keys; i++) {
			if (wire->key[i].spi != frame->spi)
				continue;
			len = seal_open(&wire->key[i], frame, wire->tcp);
			if (len >= 0)
				return len;
		}
		return -EBADMSG;
	}
	if (!frame->l4 || frame->proto != IPPROTO_TCP)
		return 0;
	len = frame->len - frame->l4;
	memcpy(wire->tcp, frame->data + frame->l4, len);
	return len;
}

/* Ethernet pads short frames: what counts is what the IP header says */
static void wire_trim(struct wire *wire)
{
	struct psp_frame *frame = &wire->frame;
	const uint8_t *ip = frame->data + frame->l3;
	size_t len = frame->l3;

	if (!frame->l4 || frame->psp)
		return;
	if (ip[0] >> 4 == 4)
		len += ip[2] << 8 | ip[3];
	else
		len += 40 + (ip[4] << 8 | ip[5]);
	if (len > frame->l4 && len < frame->len)
		frame->len = len;
}

static bool wire_is_ours(const struct wire *wire, struct wire_seg *seg,
			 int len)
{
	const struct ethhdr *eth = (const void *)wire->frame.data;
	const struct tcphdr *th = (const void *)wire->tcp;
	uint16_t want = htons(wire->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	uint16_t a_port, b_port;

	if (eth->h_proto != want || len < sizeof(*th) || len < th->doff * 4)
		return false;

	seg->from_a = !memcmp(eth->h_source, wire->tap.end->mac, ETH_ALEN);
	a_port = ntohs(seg->from_a ? th->source : th->dest);
	b_port = ntohs(seg->from_a ? th->dest : th->source);
	if ((wire->a_port && wire->a_port != a_port) ||
	    (wire->b_port && wire->b_port != b_port))
		return false;

	seg->psp = wire->frame.psp;
	seg->spi = wire->frame.spi;
	seg->flags = wire->tcp[13];
	seg->seq = ntohl(th->seq);
	seg->ack = ntohl(th->ack_seq);
	seg->data = wire->tcp + th->doff * 4;
	seg->len = len - th->doff * 4;
	return true;
}

static void wire_count(struct wire *wire, const struct wire_seg *seg)
{
	wire->count.plain += !seg->psp;
	wire->count.psp += seg->psp;
	wire->count.psp_a += seg->psp && seg->from_a;
}

int wire_next(struct wire *wire, struct wire_seg *seg, int timeout_ms)
{
	uint64_t end = psp_now_ms() + timeout_ms;
	int64_t left;
	int ret;

	for (;;) {
		left = end - psp_now_ms();
		ret = psp_tap_next(&wire->tap, &wire->frame,
				   left > 0 ? left : 0);
		if (ret <= 0)
			return ret;
		wire_trim(wire);
		ret = wire_tcp(wire);
		if (ret < 0)
			return ret;
		if (wire_is_ours(wire, seg, ret)) {
			wire_count(wire, seg);
			return 1;
		}
	}
}

void wire_flush(struct wire *wire)
{
	psp_tap_flush(&wire->tap);
	memset(&wire->count, 0, sizeof(wire->count));
}

int wire_tally(struct wire *wire)
{
	struct wire_seg seg;
	int ret;

	do {
		ret = wire_next(wire, &seg, 0);
	} while (ret > 0);
	return ret;
}
