// SPDX-License-Identifier: GPL-2.0
/* Checked bulk data over non-blocking sockets */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "psp_xfer.h"

#define PSP_XFER_CHUNK	65536
#define PSP_XFER_MAX	8

/* A prime, so that no segment size divides the period of the pattern */
#define PSP_PATTERN_LEN	65521

static const uint8_t *psp_pattern_table(void)
{
	static uint8_t table[PSP_PATTERN_LEN + PSP_XFER_CHUNK];
	static bool ready;
	uint32_t x = 2463534242U;
	unsigned int i;

	if (ready)
		return table;
	for (i = 0; i < PSP_PATTERN_LEN; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		table[i] = x >> 24;
	}
	for (; i < sizeof(table); i++)
		table[i] = table[i - PSP_PATTERN_LEN];
	ready = true;
	return table;
}

/* @len bytes of the pattern, at most PSP_XFER_CHUNK */
static const uint8_t *psp_pattern_at(uint32_t seed, uint64_t pos)
{
	return psp_pattern_table() +
	       (pos + seed * 7919ULL) % PSP_PATTERN_LEN;
}

void psp_pattern(uint32_t seed, uint64_t pos, void *buf, size_t len)
{
	uint8_t *out = buf;
	size_t n;

	for (; len; len -= n, out += n, pos += n) {
		n = len < PSP_XFER_CHUNK ? len : PSP_XFER_CHUNK;
		memcpy(out, psp_pattern_at(seed, pos), n);
	}
}

void psp_xfer_init(struct psp_xfer *xfer, struct psp_side *from,
		   struct psp_side *to, uint64_t len)
{
	static uint32_t seed;

	memset(xfer, 0, sizeof(*xfer));
	xfer->tx = from->fd;
	xfer->rx = to->fd;
	xfer->len = len;
	xfer->seed = ++seed;
}

static bool psp_xfer_sending(const struct psp_xfer *xfer)
{
	return xfer->sent < xfer->len || (xfer->close && !xfer->shut);
}

static bool psp_xfer_receiving(const struct psp_xfer *xfer)
{
	return xfer->rcvd < xfer->len || (xfer->close && !xfer->eof);
}

bool psp_xfer_done(const struct psp_xfer *xfer, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (psp_xfer_sending(&xfer[i]) || psp_xfer_receiving(&xfer[i]))
			return false;
	return true;
}

/* Both return 1 if something moved, 0 if not, or -errno */
static int psp_xfer_send(struct psp_xfer *xfer)
{
	uint64_t left = xfer->len - xfer->sent;
	ssize_t n = 0;

	if (left) {
		n = send(xfer->tx, psp_pattern_at(xfer->seed, xfer->sent),
			 left < PSP_XFER_CHUNK ? left : PSP_XFER_CHUNK,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		xfer->sent += n;
	}
	if (xfer->sent == xfer->len && xfer->close) {
		if (shutdown(xfer->tx, SHUT_WR))
			return -errno;
		xfer->shut = true;
		n = 1;
	}
	return n > 0;
}

static int psp_xfer_recv(struct psp_xfer *xfer)
{
	static uint8_t buf[PSP_XFER_CHUNK];
	uint64_t left = xfer->len - xfer->rcvd;
	ssize_t n;

	/* At the end read on, to see the end and nothing before it */
	if (!left || left > sizeof(buf))
		left = sizeof(buf);
	n = recv(xfer->rx, buf, left, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!n) {
		xfer->eof = true;
		return xfer->close && xfer->rcvd == xfer->len ? 1 : -EPIPE;
	}
	if (xfer->rcvd + n > xfer->len ||
	    memcmp(buf, psp_pattern_at(xfer->seed, xfer->rcvd), n))
		return -EILSEQ;
	xfer->rcvd += n;
	return 1;
}

static int psp_xfer_poll(struct psp_xfer *xfer, int n, int timeout_ms)
{
	struct pollfd pfd[2 * PSP_XFER_MAX];
	int i, num = 0;

	for (i = 0; i < n; i++) {
		if (psp_xfer_sending(&xfer[i]))
			pfd[num++] = (struct pollfd) {
				.fd = xfer[i].tx, .events = POLLOUT };
		if (psp_xfer_receiving(&xfer[i]))
			pfd[num++] = (struct pollfd) {
				.fd = xfer[i].rx, .events = POLLIN };
	}
	num = poll(pfd, num, timeout_ms);
	if (num < 0)
		return -errno;
	return num ? 0 : -ETIMEDOUT;
}

int psp_xfer_step(struct psp_xfer *xfer, int n, int timeout_ms)
{
	uint64_t end = psp_now_ms() + timeout_ms;
	int i, ret, moved = 0;
	int64_t left;

	while (!moved) {
		left = end - psp_now_ms();
		ret = psp_xfer_poll(xfer, n, left > 0 ? left : 0);
		if (ret)
			return ret;
		for (i = 0; i < n; i++) {
			ret = 0;
			if (psp_xfer_sending(&xfer[i]))
				ret = psp_xfer_send(&xfer[i]);
			if (ret < 0)
				return ret;
			moved |= ret;
			ret = 0;
			if (psp_xfer_receiving(&xfer[i]))
				ret = psp_xfer_recv(&xfer[i]);
			if (ret < 0)
				return ret;
			moved |= ret;
		}
	}
	return 0;
}

int psp_xfer_run(struct psp_xfer *xfer, int n, int stall_ms)
{
	int err = 0;

	while (!err && !psp_xfer_done(xfer, n))
		err = psp_xfer_step(xfer, n, stall_ms);
	return err;
}

int psp_xfer_until(struct psp_xfer *xfer, int n, uint64_t pos, int stall_ms)
{
	int err = 0;

	while (!err && xfer->rcvd < pos && !psp_xfer_done(xfer, n))
		err = psp_xfer_step(xfer, n, stall_ms);
	return err;
}

int psp_xfer_one(struct psp_side *from, struct psp_side *to, uint64_t len,
		 int stall_ms)
{
	struct psp_xfer xfer;

	psp_xfer_init(&xfer, from, to, len);
	return psp_xfer_run(&xfer, 1, stall_ms);
}

int psp_xfer_both(struct psp_conn *conn, uint64_t len, int stall_ms)
{
	struct psp_xfer xfer[2];

	psp_xfer_init(&xfer[0], &conn->a, &conn->b, len);
	psp_xfer_init(&xfer[1], &conn->b, &conn->a, len);
	return psp_xfer_run(xfer, 2, stall_ms);
}

void psp_flood_start(struct psp_conn *conn, struct psp_xfer *xfer)
{
	psp_xfer_init(&xfer[0], &conn->a, &conn->b, 1ULL << 40);
	psp_xfer_init(&xfer[1], &conn->b, &conn->a, 1ULL << 40);
}

int psp_flood_flow(struct psp_xfer *xfer, uint64_t bytes, int stall_ms)
{
	uint64_t pos[2] = { xfer[0].rcvd + bytes, xfer[1].rcvd + bytes };
	int err = 0;

	while (!err && (xfer[0].rcvd < pos[0] || xfer[1].rcvd < pos[1]))
		err = psp_xfer_step(xfer, 2, stall_ms);
	return err;
}

int psp_flood_end(struct psp_xfer *xfer, int stall_ms)
{
	xfer[0].len = xfer[0].sent;
	xfer[1].len = xfer[1].sent;
	return psp_xfer_run(xfer, 2, stall_ms);
}
