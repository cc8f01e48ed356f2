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
	printf("pspcat: keys by TLS 1.3, data by PSP, on the stock kernel %s\n",
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

static void demo_show_spi(const struct demo_cat *cat)
{
	printf("  %08x ", cat->sock.rx.spi);
	if (cat->sock.rx_prev.spi)
		printf("%08x ", cat->sock.rx_prev.spi);
	else
		printf("%8s ", "-");
}

static long long demo_resent(const struct demo_cat *cat)
{
	return psp_snmp(cat->end->ns, "Tcp", "RetransSegs");
}

/* A key is the receiver's: what A sends bears the SPI that B has given out */
void demo_show_row(struct demo *demo)
{
	uint64_t now = psp_now_ms(), good = demo->b.good;
	double mbit;

	demo_cat_look(&demo->a);
	demo_cat_look(&demo->b);
	mbit = 0.008 * (good - demo->row_good) / (now - demo->row_time);
	printf("%5.1f %6.1f %6.1f %5u %6u", demo_time(demo), mbit,
	       good / 1e6, demo->rotated,
	       demo->a.tx_rekeys + demo->b.tx_rekeys);
	demo_show_spi(&demo->b);
	demo_show_spi(&demo->a);
	printf(" %6lld\n", demo_resent(&demo->a) + demo_resent(&demo->b));
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
	const uint8_t *udp = frame->data + frame->l4;
	int len;

	if (!frame->psp) {
		demo_fail(demo, "no packet was seen that could be opened");
		return;
	}
	len = seal_open(&demo->key, frame, plain);
	if (len >= 0 && len < sizeof(struct tcphdr))
		len = -EINVAL;
	if (len < 0) {
		demo_fail(demo, "a captured packet does not open: %s",
			  strerror(-len));
		return;
	}

	puts("A packet of a connection whose key is known, and what it says:");
	demo_show_hex("UDP", udp, 8);
	printf("to port %d\n", PSP_UDP_PORT);
	demo_show_hex("PSP", udp + 8, PSP_HDR_LEN);
	printf("SPI %08x, AES-GCM\n", frame->spi);
	demo_show_text(frame, plain, len);
	demo_show_hex("ICV", frame->data + frame->payload + len, PSP_ICV_LEN);
	printf("right: %d bytes\n", len);
}
