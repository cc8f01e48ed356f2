// SPDX-License-Identifier: GPL-2.0
/*
 * Shows a transfer by pspcat while the device keys rotate, and judges it: ends
 * with a line "demo: PASS ..." and status 0, or "demo: FAIL ..." and 1.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define ROTATIONS	6
#define INTERVAL_MS	1500	/* between two of them */
#define STALL_MS	60000	/* longer than anything takes */
#define QUIET_MS	300
#define DEMO_PROBE	(40 * DEMO_LINE)
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
	moved |= demo_cat_step(demo, &demo->a);
	moved |= demo_cat_step(demo, &demo->b);
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

static bool demo_is_listening(const struct demo *demo)
{
	return demo->b.listening;
}

static bool demo_is_secure(const struct demo *demo)
{
	return demo->a.secure && demo->b.secure;
}

/* Both ends have given out new keys, and both use what they were given */
static bool demo_is_rekeyed(const struct demo *demo)
{
	const struct demo_cat *a = &demo->a, *b = &demo->b;
	unsigned int n = demo->rotated;

	return n == a->rx_rekeys && n == b->rx_rekeys &&
	       n == a->tx_rekeys && n == b->tx_rekeys;
}

static bool demo_is_over(const struct demo *demo)
{
	return demo->a.ended && demo->b.ended && demo->b.eof;
}

/* The private keys, above all */
static void demo_forget(struct demo *demo)
{
	psp_sh(demo->net.home, "rm -r %s", demo->dir);
}

/* Certificates for both, by the script that the tests of pspcat use */
static int demo_certify(struct demo *demo)
{
	const char *tree = getenv("PSP_TREE");

	snprintf(demo->dir, sizeof(demo->dir), "/tmp/demo.XXXXXX");
	if (!mkdtemp(demo->dir))
		return -errno;
	if (!psp_sh(demo->net.home, "bash -c '. %s/%s && certs_make %s A B'",
		    tree ? tree : "../../../../..",
		    "tools/net/psp/tests/cat/util.sh", demo->dir))
		return 0;
	demo_forget(demo);
	return -EIO;
}

static int demo_open(struct demo *demo)
{
	int err;

	demo->a.in = -1;
	demo->b.in = -1;
	err = psp_net_open(&demo->net);
	if (err)
		return err;
	err = demo_watch_open(&demo->watch, &demo->net.a);
	if (err)
		goto err_close_net;
	err = demo_certify(demo);
	if (err)
		goto err_close_watch;
	return 0;

err_close_watch:
	demo_watch_close(&demo->watch);
err_close_net:
	psp_net_close(&demo->net);
	return err;
}

static void demo_close(struct demo *demo)
{
	demo_cat_close(&demo->a);
	demo_cat_close(&demo->b);
	demo_watch_close(&demo->watch);
	demo_forget(demo);
	psp_net_close(&demo->net);
}

static int demo_pass(struct psp_conn *conn, const void *data, size_t len)
{
	static char buf[DEMO_TEXT];
	struct pollfd pfd = { .fd = conn->b.fd, .events = POLLIN };
	size_t got = 0;
	ssize_t n;

	if (send(conn->a.fd, data, len, MSG_NOSIGNAL) != len)
		return -errno;
	while (got < len) {
		if (poll(&pfd, 1, STALL_MS) <= 0)
			return -ETIMEDOUT;
		n = recv(conn->b.fd, buf + got, len - got, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		got += n;
	}
	return memcmp(buf, data, len) ? -EILSEQ : 0;
}

/*
 * A connection of our own: plain text, to see that it can be seen, and then the
 * same under PSP with keys that we know, to see that it is there.
 */
static int demo_probe(struct demo *demo)
{
	char text[DEMO_PROBE];
	struct psp_conn conn;
	int err;

	err = psp_conn_open(&conn, &demo->net, PSP_IPV4);
	if (err)
		return err;
	err = demo_pass(&conn, DEMO_HELLO, sizeof(DEMO_HELLO));
	if (!err)
		err = psp_conn_secure(&conn, PSP_VERSION_HDR0_AES_GCM_128);
	demo->key = conn.b.rx;
	demo->watch.spi = conn.b.rx.spi;
	demo_text(0, text, sizeof(text));
	if (!err)
		err = demo_pass(&conn, text, sizeof(text));
	demo_run_for(demo, QUIET_MS);
	psp_conn_close(&conn);
	demo_say(demo, "Plain text can be read in the capture, to begin with");
	return err;
}

static void demo_start(struct demo *demo, struct demo_cat *cat,
		       struct psp_end *end, char name)
{
	char cert[64], key[64], ca[64], other[2] = { 'A' + 'B' - name };
	bool listen = name == 'B';
	char *const argv[] = {
		"pspcat", "-v", "--cert", cert, "--key", key, "--ca", ca,
		"--name", other, listen ? "-l" : "-4", "10.0.0.2", DEMO_PORT,
		NULL,
	};
	int err;

	snprintf(cert, sizeof(cert), "%s/%c.crt", demo->dir, name);
	snprintf(key, sizeof(key), "%s/%c.key", demo->dir, name);
	snprintf(ca, sizeof(ca), "%s/ca.crt", demo->dir);
	err = demo_cat_start(cat, end, name, argv);
	if (err)
		demo_fail(demo, "pspcat at %c: %s", name, strerror(-err));
}

/* From here on nothing may be plain */
static void demo_meet(struct demo *demo)
{
	demo_start(demo, &demo->b, &demo->net.b, 'B');
	demo_run_until(demo, demo_is_listening, "pspcat at B");
	demo_cat_end(&demo->b);
	demo_start(demo, &demo->a, &demo->net.a, 'A');
	demo_run_until(demo, demo_is_secure, "key exchange");
	while (demo_watch_look(&demo->watch))
		;
	demo->watch.secure = true;
	demo_say(demo, "%s", demo->a.tls + strlen("pspcat: "));
	demo_say(demo, "PSP from here on. Rotated device keys make keys old;");
	demo_say(demo, "pspcat gets new ones by itself, amid the text");
}

static void demo_rotate(struct demo *demo)
{
	struct psp_end *a = &demo->net.a, *b = &demo->net.b;
	int err;

	err = psp_nl_rotate(&a->nl, a->dev_id) ?:
	      psp_nl_rotate(&b->nl, b->dev_id);
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
	demo_cat_end(&demo->a);
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

/* As far as it gets */
static void demo_run(struct demo *demo, struct demo_result *res)
{
	int err = demo_probe(demo);

	if (err) {
		demo_fail(demo, "a connection of our own: %s", strerror(-err));
		return;
	}
	if (!demo_failed(demo))
		demo_meet(demo);
	if (!demo_failed(demo))
		demo_transfer(demo);
	err = demo_measure(demo, res);
	if (err)
		demo_fail(demo, "no statistics: %s", strerror(-err));
	if (!demo_failed(demo))
		demo_judge(demo, res);
	if (!demo_failed(demo))
		demo_show_packet(demo);
}

int main(void)
{
	struct demo_result res = { };
	static struct demo demo;
	int err;

	signal(SIGPIPE, SIG_IGN);
	demo.start = psp_now_ms();
	demo_show_title();
	err = demo_open(&demo);
	if (err) {
		demo_fail(&demo, "cannot set up: %s", strerror(-err));
	} else {
		demo_run(&demo, &res);
		demo_close(&demo);
	}
	demo_verdict(&demo, &res);
	return demo_failed(&demo) ? EXIT_FAILURE : EXIT_SUCCESS;
}
