// SPDX-License-Identifier: GPL-2.0
/* What the demonstration says, plainly: its output may go anywhere */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "demo.h"
#include "seal.h"

#define DEMO_ROW	16	/* bytes in a row of the dump */
#define DEMO_ROWS	3	/* rows of text in the dump */

static double demo_time(const struct demo *demo)
{
	return (psp_now_ms() - demo->start) / 1000.0;
}

void demo_say(const struct demo *demo, const char *fmt, ...)
{
	va_list args;

	printf("%5.1f  ", demo_time(demo));
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void demo_show_title(void)
{
	struct utsname uts;

	uname(&uts);
	printf("One TCP connection, secured by PSP, on the stock kernel %s\n",
	       uts.release);
	printf("  A: psp0, 10.0.0.1 =%s= psp1, 10.0.0.2 :B\n",
	       "==== cable, each frame is captured ===");
}

void demo_show_table(void)
{
	printf("%5s %6s %6s %5s %6s", "sec", "Mbit/s", "MB", "rot.", "rekeys");
	printf("  %-8s %-8s ", "SPI A>B", "before");
	printf("  %-8s %-8s ", "SPI B>A", "before");
	printf(" %6s\n", "resent");
}

static void demo_show_spi(const struct demo_end *end)
{
	printf("  %08x ", end->side->rx.spi);
	if (end->prev_spi)
		printf("%08x ", end->prev_spi);
	else
		printf("%8s ", "-");
}

/* A key is the receiver's: what A sends bears the SPI that B has given out */
void demo_show_row(struct demo *demo)
{
	uint64_t now = psp_now_ms(), good = demo->b.good;
	double mbit;

	mbit = 0.008 * (good - demo->row_good) / (now - demo->row_time);
	printf("%5.1f %6.1f %6.1f %5u %6u", demo_time(demo), mbit,
	       good / 1e6, demo->b.rotations,
	       demo->a.tx_rekeys + demo->b.tx_rekeys);
	demo_show_spi(&demo->b);
	demo_show_spi(&demo->a);
	printf(" %6d\n", psp_tcp_retrans(demo->conn.a.fd) +
			 psp_tcp_retrans(demo->conn.b.fd));
	fflush(stdout);
	demo->row_time = now;
	demo->row_good = good;
}

static void demo_show_hex(const char *what, const uint8_t *data, int len)
{
	int i;

	printf("  %-4s", what);
	for (i = 0; i < DEMO_ROW; i++)
		if (i < len)
			printf(" %02x", data[i]);
		else
			printf("   ");
	printf("  ");
}

static void demo_show_chars(const uint8_t *text)
{
	int i;

	for (i = 0; i < DEMO_ROW; i++)
		putchar(isprint(text[i]) ? text[i] : '.');
	putchar('\n');
}

static const struct psp_key *demo_key(const struct demo *demo, uint32_t spi)
{
	int i;

	for (i = demo->nkeys - 1; i >= 0; i--)
		if (demo->keys[i].spi == spi)
			return &demo->keys[i];
	return NULL;
}

/* Behind the TCP header, from the beginning of a line of text on */
static void demo_show_text(const struct psp_frame *frame, const uint8_t *plain,
			   int len)
{
	int hlen = ((const struct tcphdr *)plain)->doff * 4;
	const uint8_t *eol = memchr(plain + hlen, '\n', len - hlen);
	const uint8_t *data = frame->data + frame->payload;
	int row, pos = eol ? eol + 1 - plain : hlen;

	for (row = 0; row < DEMO_ROWS && pos + DEMO_ROW <= len; row++) {
		demo_show_hex(row ? "" : "data", data + pos, DEMO_ROW);
		demo_show_chars(plain + pos);
		pos += DEMO_ROW;
	}
}

void demo_show_packet(struct demo *demo)
{
	static uint8_t plain[PSP_FRAME_MAX];
	struct psp_frame *frame = &demo->watch.sample;
	const struct psp_key *key = demo_key(demo, frame->spi);
	const uint8_t *udp = frame->data + frame->l4;
	int len;

	if (!key) {
		demo_fail(demo, "no packet seen, or of an unknown SPI");
		return;
	}
	len = seal_open(key, frame, plain);
	if (len >= 0 && len < sizeof(struct tcphdr))
		len = -EINVAL;
	if (len < 0) {
		demo_fail(demo, "a captured packet does not open: %s",
			  strerror(-len));
		return;
	}

	printf("A packet as captured, and opened with the key that B got:\n");
	demo_show_hex("UDP", udp, 8);
	printf("to port %d\n", PSP_UDP_PORT);
	demo_show_hex("PSP", udp + 8, PSP_HDR_LEN);
	printf("SPI %08x, AES-GCM\n", frame->spi);
	demo_show_text(frame, plain, len);
	demo_show_hex("ICV", frame->data + frame->payload + len, PSP_ICV_LEN);
	printf("right: %d bytes\n", len);
}
