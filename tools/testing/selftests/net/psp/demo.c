// SPDX-License-Identifier: GPL-2.0
/*
 * Shows a transfer over PSP while the device keys rotate, and judges it: ends
 * with a line "demo: PASS ..." and status 0, or "demo: FAIL ..." and 1.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define ROTATIONS	6
#define INTERVAL_MS	1500	/* between two of them */
#define STALL_MS	60000	/* longer than anything takes */
#define QUIET_MS	300
#define LOSS_AFTER	3	/* rotations; then the cable gets worse: */
#define LOSS_PERCENT	0.5

void demo_fail(struct demo *demo, const char *fmt, ...)
{
	va_list args;

	if (demo_failed(demo))
		return;
	va_start(args, fmt);
	vsnprintf(demo->fault, sizeof(demo->fault), fmt, args);
	va_end(args);
}

bool demo_failed(const struct demo *demo)
{
	return demo->fault[0];
}

static bool demo_step(struct demo *demo)
{
	bool moved;

	moved = demo_watch_look(&demo->watch);
	moved |= demo_end_step(demo, &demo->a);
	moved |= demo_end_step(demo, &demo->b);
	return moved;
}

/* Go on until @done, which must come in time */
static void demo_run_until(struct demo *demo,
			   bool (*done)(const struct demo *demo),
			   const char *what)
{
	uint64_t end = psp_now_ms() + STALL_MS;

	while (!demo_failed(demo) && !done(demo)) {
		if (psp_now_ms() > end)
			demo_fail(demo, "%s does not come", what);
		if (!demo_step(demo))
			psp_nap();
	}
}

static void demo_run_for(struct demo *demo, int ms)
{
	uint64_t end = psp_now_ms() + ms;

	while (!demo_failed(demo) && psp_now_ms() < end)
		if (!demo_step(demo))
			psp_nap();
}

static bool demo_is_greeted(const struct demo *demo)
{
	return demo->b.greeted;
}

static bool demo_is_secure(const struct demo *demo)
{
	return demo->a.secure && demo->b.secure;
}

/* Both ends have given out new keys, and both use what they were given */
static bool demo_is_rekeyed(const struct demo *demo)
{
	const struct demo_end *a = &demo->a, *b = &demo->b;
	unsigned int n = demo->rotated;

	return n == a->rx_rekeys && n == b->rx_rekeys &&
	       n == a->tx_rekeys && n == b->tx_rekeys;
}

static bool demo_is_over(const struct demo *demo)
{
	return demo->b.ended;
}

static int demo_open(struct demo *demo)
{
	struct psp_conn *conn = &demo->conn;
	int err;

	err = psp_net_open(&demo->net);
	if (!err)
		err = demo_watch_open(&demo->watch, &demo->net.a);
	if (!err)
		err = psp_conn_open(conn, &demo->net, PSP_IPV4);
	if (!err)
		err = demo_end_open(&demo->a, &conn->a, 'A', demo->net.home);
	if (!err)
		err = demo_end_open(&demo->b, &conn->b, 'B', demo->net.home);
	conn->version = PSP_VERSION_HDR0_AES_GCM_128;
	return err;
}

static void demo_close(struct demo *demo)
{
	demo_end_close(&demo->a);
	demo_end_close(&demo->b);
	psp_conn_close(&demo->conn);
	demo_watch_close(&demo->watch);
	psp_net_close(&demo->net);
}

/* From a plain connection to a secure one */
static void demo_secure(struct demo *demo)
{
	demo_end_greet(&demo->a);
	demo_run_until(demo, demo_is_greeted, "greeting");
	demo_watch_look(&demo->watch);
	demo_say(demo, "A says hello in plain text, and it can be read");

	demo_end_new_key(demo, &demo->a);
	demo_run_until(demo, demo_is_secure, "key exchange");
	demo_watch_look(&demo->watch);
	demo->watch.secure = true;
	demo_say(demo, "SPIs and keys are told in plain text, too (use TLS)");
	demo_say(demo, "PSP from here on. Rotated device keys make keys old;");
	demo_say(demo, "a rekey brings new ones, told under PSP amid text");
}

static void demo_rotate(struct demo *demo)
{
	int err = psp_conn_rotate(&demo->conn);

	if (err)
		demo_fail(demo, "key-rotate: %s", strerror(-err));
	demo->rotated++;
	demo_run_until(demo, demo_is_rekeyed, "rekey");
}

/* The text goes on all the while */
static void demo_transfer(struct demo *demo)
{
	int i, err = 0;

	demo->a.texting = true;
	demo->row_time = psp_now_ms();
	demo_show_table();
	demo_run_for(demo, INTERVAL_MS);
	demo_show_row(demo);
	for (i = 0; i < ROTATIONS && !demo_failed(demo); i++) {
		if (i == LOSS_AFTER) {
			err = psp_wire_harm(&demo->net.a, "loss",
					    LOSS_PERCENT);
			demo_say(demo, "The cable begins to lose frames, %g %%",
				 LOSS_PERCENT);
		}
		if (err)
			demo_fail(demo, "no loss: %s", strerror(-err));
		demo_rotate(demo);
		demo_run_for(demo, INTERVAL_MS);
		demo_show_row(demo);
	}
	demo->a.texting = false;
	demo->a.ending = true;
	demo_run_until(demo, demo_is_over, "end of the text");
	/* Let the last acknowledgments arrive before they are counted */
	demo_run_for(demo, QUIET_MS);
}

/**
 * struct demo_result - what was measured
 * @rotations: device key rotations that both devices have counted
 * @rekeys: keys replaced in either direction
 * @lost: bytes sent and not received
 * @readable: frames in which text, or TCP data of any kind, could be read
 * @packets: PSP packets that the devices say they have sent
 */
struct demo_result {
	uint64_t rotations;
	unsigned int rekeys;
	uint64_t lost;
	uint64_t readable;
	uint64_t packets;
};

static int demo_measure(struct demo *demo, struct demo_result *res)
{
	struct psp_end *a = &demo->net.a, *b = &demo->net.b;
	struct psp_stats sa, sb;
	int err;

	err = psp_nl_stats(&a->nl, a->dev_id, &sa) ?:
	      psp_nl_stats(&b->nl, b->dev_id, &sb);
	if (err)
		return err;
	while (demo_watch_look(&demo->watch))
		;
	res->rotations = psp_stat(&sa, KEY_ROTATIONS);
	if (res->rotations > psp_stat(&sb, KEY_ROTATIONS))
		res->rotations = psp_stat(&sb, KEY_ROTATIONS);
	res->packets = psp_stat(&sa, TX_PACKETS) + psp_stat(&sb, TX_PACKETS);
	res->rekeys = demo->a.tx_rekeys + demo->b.tx_rekeys;
	res->lost = demo->a.sent - demo->b.good;
	res->readable = demo->watch.secret + demo->watch.bare;
	return 0;
}

static void demo_judge(struct demo *demo, const struct demo_result *res)
{
	const struct demo_watch *watch = &demo->watch;

	if (!watch->hello)
		demo_fail(demo, "the capture cannot even see plain text");
	else if (res->readable)
		demo_fail(demo, "plain text on the wire");
	else if (watch->psp != res->packets)
		demo_fail(demo, "frames missing in the capture: %llu of %llu",
			  (unsigned long long)(res->packets - watch->psp),
			  (unsigned long long)res->packets);
	else if (res->lost || !demo->b.good)
		demo_fail(demo, "bytes lost");
	else if (res->rotations != ROTATIONS || res->rekeys != 2 * ROTATIONS)
		demo_fail(demo, "rotations or rekeys missing");
}

static void demo_verdict(struct demo *demo, const struct demo_result *res)
{
	const struct demo_watch *watch = &demo->watch;

	printf("%llu frames captured and searched, %llu of them PSP\n",
	       (unsigned long long)watch->frames,
	       (unsigned long long)watch->psp);
	if (demo_failed(demo))
		printf("Failed: %s\n", demo->fault);
	printf("demo: %s rotations=%llu rekeys=%u bytes=%llu ",
	       demo_failed(demo) ? "FAIL" : "PASS",
	       (unsigned long long)res->rotations, res->rekeys,
	       (unsigned long long)demo->b.good);
	printf("lost=%llu plaintext_on_wire=%llu\n",
	       (unsigned long long)res->lost,
	       (unsigned long long)res->readable);
}

int main(void)
{
	struct demo_result res = { };
	static struct demo demo;
	int err;

	demo.start = psp_now_ms();
	demo_show_title();
	err = demo_open(&demo);
	if (err)
		demo_fail(&demo, "cannot set up: %s", strerror(-err));
	if (!demo_failed(&demo))
		demo_secure(&demo);
	if (!demo_failed(&demo))
		demo_transfer(&demo);
	if (!err) {
		err = demo_measure(&demo, &res);
		if (err)
			demo_fail(&demo, "no statistics: %s", strerror(-err));
	}
	if (!demo_failed(&demo))
		demo_judge(&demo, &res);
	if (!demo_failed(&demo))
		demo_show_packet(&demo);
	demo_verdict(&demo, &res);
	if (demo_failed(&demo))
		return EXIT_FAILURE;
	demo_close(&demo);
	return EXIT_SUCCESS;
}
