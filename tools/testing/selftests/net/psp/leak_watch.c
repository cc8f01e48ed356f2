// SPDX-License-Identifier: GPL-2.0
/* Packet sockets, and what their frames give away */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leak.h"
#include "psp_traced.h"

#define LEAK_RCVBUF	(32 << 20)

int leak_watch_open(struct leak_watch *watch, int ns, int ifindex)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};
	int size = LEAK_RCVBUF;

	memset(watch, 0, sizeof(*watch));
	watch->fd = psp_ns_socket(ns, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	if (watch->fd < 0)
		return watch->fd;
	if (setsockopt(watch->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) ||
	    bind(watch->fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -errno;
	return 0;
}

static bool leak_has(const uint8_t *data, size_t len, const void *what,
		     size_t what_len)
{
	return memmem(data, len, what, what_len);
}

static void leak_watch_judge(const struct leak *leak, struct leak_watch *watch,
			     const uint8_t *data, size_t len)
{
	const struct leak_flow *secret = &leak->secret;

	watch->open += leak_has(data, len, leak->open.word, LEAK_WORD_LEN);
	watch->secret += leak_has(data, len, secret->word, LEAK_WORD_LEN);
	watch->bare += leak_has(data, len, secret->there, secret->tuple_len) ||
		       leak_has(data, len, secret->back, secret->tuple_len);
}

static void leak_watch_look(const struct leak *leak,
			    struct leak_watch *watch)
{
	static struct psp_frame frame;
	ssize_t len;

	for (;;) {
		len = recv(watch->fd, frame.data, sizeof(frame.data),
			   MSG_DONTWAIT);
		if (len < 0)
			break;
		frame.len = len;
		psp_frame_parse(&frame);
		watch->frames++;
		watch->psp += frame.psp;
		leak_watch_judge(leak, watch, frame.data, len);
	}
}

void leak_look(struct leak *leak)
{
	leak_watch_look(leak, &leak->wire);
	leak_watch_look(leak, &leak->away);
}

uint64_t leak_found(struct leak *leak)
{
	leak_look(leak);
	return leak->wire.secret + leak->wire.bare + leak->away.secret +
	       leak->away.bare;
}

uint64_t leak_found_words(struct leak *leak)
{
	leak_look(leak);
	return leak->wire.secret + leak->away.secret;
}

bool leak_wire_shows(struct leak *leak)
{
	leak_look(leak);
	return leak->wire.open && leak->wire.psp;
}

static void leak_watch_reset(struct leak_watch *watch)
{
	int fd = watch->fd;

	memset(watch, 0, sizeof(*watch));
	watch->fd = fd;
}

void leak_reset(struct leak *leak)
{
	leak_look(leak);
	leak_watch_reset(&leak->wire);
	leak_watch_reset(&leak->away);
}

int leak_wait_seen(struct leak *leak, const uint64_t *count, uint64_t min)
{
	uint64_t end = psp_now_ms() + LEAK_MS;

	for (;;) {
		leak_look(leak);
		if (*count >= min)
			return 0;
		if (psp_now_ms() >= end)
			return -ETIMEDOUT;
		psp_nap();
	}
}

void leak_wait_quiet(struct leak *leak, int ms)
{
	uint64_t now = psp_now_ms(), since = now, frames, seen = 0;

	for (; now < since + ms; now = psp_now_ms()) {
		leak_look(leak);
		frames = leak->wire.frames + leak->away.frames;
		if (frames != seen)
			since = now;
		seen = frames;
		psp_nap();
	}
}

int64_t leak_drops(const struct psp_net *net)
{
	long long count, sum = 0;
	char reason[32];
	FILE *file;

	if (!psp_nl_rekeys(&net->a.nl))
		return psp_traced(PSP_TRACED_TX);
	file = fopen("/sys/kernel/debug/psp/drops", "re");
	if (!file)
		return -errno;
	while (fscanf(file, "%31s %lld", reason, &count) == 2)
		if (!strncmp(reason, "tx-", 3))
			sum += count;
	fclose(file);
	return sum;
}

int leak_wait_drops(struct leak *leak, int64_t more_than)
{
	uint64_t end = psp_now_ms() + LEAK_MS;
	int64_t drops;

	for (;;) {
		if (leak_found(leak))
			return -EILSEQ;
		drops = leak_drops(&leak->net);
		if (drops < 0 || drops > more_than)
			return drops < 0 ? drops : 0;
		if (psp_now_ms() >= end)
			return -ETIMEDOUT;
		psp_nap();
	}
}

int leak_expect_line(const char *regex)
{
	char line[256];
	int fd, err = 0;

	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(line, sizeof(line), "psp-expect: %s", regex);
	if (write(fd, line, strlen(line)) < 0)
		err = -errno;
	close(fd);
	return err;
}
