// SPDX-License-Identifier: GPL-2.0
/* An application that libpsp keeps under PSP: see rekeyer_app.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rekeyer_app.h"

#define RK_HEAD		3	/* type, length */
#define RK_BATCH	256
#define RK_TICK_MS	10

enum {
	RK_KEY = 'K',
	RK_DATA = 'D',
};

static uint64_t rk_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* What byte number @at of the data that @side sends has to be */
static uint8_t rk_byte(const struct rk_side *side, uint64_t at)
{
	uint64_t x = (at + side->fd * 1000003ULL) * 0x9e3779b97f4a7c15ULL;

	return x >> 56;
}

static void rk_watch(struct rk_side *side, bool writing)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (writing ? EPOLLOUT : 0),
		.data.ptr = side,
	};

	epoll_ctl(side->host->app->epoll, EPOLL_CTL_MOD, side->fd, &ev);
}

/* What is left goes when the socket is writable */
static int rk_flush(struct rk_side *side)
{
	ssize_t n;

	n = send(side->fd, side->out, side->out_len, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN) {
		side->closed = true;
		return -errno;
	}
	if (n > 0) {
		side->out_len -= n;
		memmove(side->out, side->out + n, side->out_len);
	}
	if (side->full != !!side->out_len) {
		side->full = side->out_len;
		rk_watch(side, side->full);
	}
	return 0;
}

/* A frame is taken if there is none before it that waits */
static int rk_frame(struct rk_side *side, uint8_t type, const void *data,
		    size_t len)
{
	if (side->out_len)
		return -EAGAIN;
	side->out[0] = type;
	side->out[1] = len >> 8;
	side->out[2] = len;
	memcpy(side->out + RK_HEAD, data, len);
	side->out_len = RK_HEAD + len;
	return rk_flush(side);
}

static int rk_send(void *data, const void *msg, size_t len, unsigned int flags)
{
	struct rk_side *side = data;

	if (!(flags & PSP_REKEY_OUT_OF_BAND))
		return rk_frame(side, RK_KEY, msg, len);
	if (!side->host->app->has_beside)
		return -EOPNOTSUPP;
	memcpy(side->beside, msg, len);
	side->beside_len = len;
	return 0;
}

static void rk_event(void *data, enum psp_rekey_event event, int err)
{
	struct rk_side *side = data;

	if (event >= RK_EVENTS)	/* of a newer library */
		return;
	side->events[event]++;
	side->err[event] = err;
}

static const struct psp_rekey_conn_ops rk_ops = {
	.send = rk_send,
	.event = rk_event,
};

static void rk_got_data(struct rk_side *side, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] != rk_byte(side->peer, side->got + i))
			side->corrupt = true;
	}
	side->got += len;
}

/* Whole frames; what is left of the last one stays */
static void rk_parse(struct rk_side *side)
{
	size_t at = 0, len;

	while (side->in_len - at >= RK_HEAD) {
		const uint8_t *frame = side->in + at;

		len = frame[1] << 8 | frame[2];
		if (side->in_len - at < RK_HEAD + len)
			break;
		if (frame[0] == RK_DATA)
			rk_got_data(side, frame + RK_HEAD, len);
		else if (psp_rekey_conn_input(side->conn, frame + RK_HEAD, len))
			side->corrupt = true;
		at += RK_HEAD + len;
	}
	side->in_len -= at;
	memmove(side->in, side->in + at, side->in_len);
}

static void rk_read(struct rk_side *side)
{
	ssize_t n;

	for (;;) {
		n = recv(side->fd, side->in + side->in_len,
			 sizeof(side->in) - side->in_len, 0);
		if (n <= 0)
			break;
		side->in_len += n;
		rk_parse(side);
	}
	if (!n || errno != EAGAIN) {
		side->closed = true;
		epoll_ctl(side->host->app->epoll, EPOLL_CTL_DEL, side->fd,
			  NULL);
	}
}

static void rk_write_data(struct rk_side *side)
{
	uint8_t data[RK_DATA_LEN];
	unsigned int i;

	if (side->out_len || side->closed ||
	    !side->events[PSP_REKEY_EV_ESTABLISHED])
		return;
	for (i = 0; i < sizeof(data); i++)
		data[i] = rk_byte(side, side->sent + i);
	if (!rk_frame(side, RK_DATA, data, sizeof(data)))
		side->sent += sizeof(data);
}

/* Each side has its turn once in pause_ms; a host that is late skips some */
static void rk_write_due(struct rk_app *app)
{
	uint64_t now = rk_now_us(), step;
	unsigned int i, side;

	if (!app->pause_ms)
		return;
	step = app->pause_ms * 1000ULL / (2 * app->num) + 1;
	for (i = 0; i < 2 * app->num && app->due_us <= now; i++) {
		side = app->next++ % (2 * app->num);
		rk_write_data(&app->host[side & 1].sides[side / 2]);
		app->due_us += step;
	}
	if (app->due_us < now)
		app->due_us = now;
}

/* The other channel: a way that does not depend on the connection */
static void rk_carry_beside(struct rk_app *app)
{
	uint8_t msg[PSP_REKEY_MSG_MAX];
	struct rk_side *side;
	unsigned int i;
	size_t len;

	for (i = 0; app->has_beside && i < 2 * app->num; i++) {
		side = &app->host[i & 1].sides[i / 2];
		len = side->beside_len;
		if (!len)
			continue;
		memcpy(msg, side->beside, len);
		side->beside_len = 0;
		psp_rekey_conn_input(side->peer->conn, msg, len);
	}
}

/* Time that a pool, or a side that has to send, allows to sleep */
static int rk_timeout(const struct rk_app *app)
{
	int i, ms, least = RK_TICK_MS;

	for (i = 0; i < 2; i++) {
		ms = psp_rekey_pool_timeout(app->host[i].pool);
		if (ms >= 0 && ms < least)
			least = ms;
	}
	return least;
}

static int rk_once(struct rk_app *app)
{
	struct epoll_event ev[RK_BATCH];
	struct rk_side *side;
	int i, n, err;

	n = epoll_wait(app->epoll, ev, RK_BATCH, rk_timeout(app));
	for (i = 0; i < n; i++) {
		side = ev[i].data.ptr;
		if (!side)	/* a pool's */
			continue;
		if (ev[i].events & EPOLLOUT && !rk_flush(side) &&
		    !side->out_len)
			psp_rekey_conn_writable(side->conn);
		if (ev[i].events & ~EPOLLOUT)
			rk_read(side);
	}
	for (i = 0; i < 2; i++) {
		err = psp_rekey_pool_process(app->host[i].pool);
		if (err)
			return err;
	}
	rk_carry_beside(app);
	rk_write_due(app);
	return 0;
}

int rk_run(struct rk_app *app, unsigned int ms,
	   bool (*done)(struct rk_app *app))
{
	uint64_t end = psp_now_ms() + ms;
	int err;

	while (!done || !done(app)) {
		if (psp_now_ms() >= end)
			return done ? -ETIMEDOUT : 0;
		err = rk_once(app);
		if (err)
			return err;
	}
	return 0;
}

static int rk_add(struct rk_host *host, unsigned int i, uint32_t version)
{
	struct rk_side *side = &host->sides[i];
	const struct psp_rekey_conn_config config = {
		.size = sizeof(config),
		.fd = side->fd,
		.dev_id = host->end->dev_id,
		.version = version,
		.flags = PSP_REKEY_KEEP_OFFER,
		.ops = &rk_ops,
		.data = side,
	};
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = side };

	if (epoll_ctl(host->app->epoll, EPOLL_CTL_ADD, side->fd, &ev))
		return -errno;
	return psp_rekey_conn_add(host->pool, &config, &side->conn);
}

static int rk_connect(struct rk_app *app, unsigned int i)
{
	struct psp_conn *conn = &app->conns[i];
	struct rk_side *a = &app->host[0].sides[i];
	struct rk_side *b = &app->host[1].sides[i];
	int err;

	err = psp_conn_open(conn, app->net, i % 2 ? PSP_IPV6 : PSP_IPV4);
	if (err)
		return err;
	*a = (struct rk_side) { .host = &app->host[0], .peer = b };
	*b = (struct rk_side) { .host = &app->host[1], .peer = a };
	a->fd = conn->a.fd;
	b->fd = conn->b.fd;
	err = rk_add(&app->host[0], i, i / 2 % 2);
	return err ? err : rk_add(&app->host[1], i, i / 2 % 2);
}

/* The pool belongs to the namespace that it is opened in */
static int rk_open_host(struct rk_host *host, struct rk_app *app,
			struct psp_end *end,
			const struct psp_rekey_pool_config *config)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int err;

	host->app = app;
	host->end = end;
	host->sides = calloc(app->num, sizeof(*host->sides));
	if (!host->sides)
		return -ENOMEM;
	err = psp_ns_enter(end->ns);
	if (!err)
		err = psp_rekey_pool_open(&host->pool, config);
	psp_ns_enter(app->net->home);
	if (err)
		return err;
	return epoll_ctl(app->epoll, EPOLL_CTL_ADD,
			 psp_rekey_pool_fd(host->pool), &ev) ? -errno : 0;
}

static int rk_connect_all(struct rk_app *app)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < app->num; i++)
		err = rk_connect(app, i) ?: rk_once(app);
	return err;
}

int rk_open(struct rk_app *app, struct psp_net *net, unsigned int num,
	    const struct psp_rekey_pool_config *config)
{
	const struct rlimit files = { 4 * num + 100, 4 * num + 100 };
	int err;

	memset(app, 0, sizeof(*app));
	app->net = net;
	app->num = num;
	app->epoll = -1;
	if (setrlimit(RLIMIT_NOFILE, &files))
		return -errno;
	app->epoll = epoll_create1(EPOLL_CLOEXEC);
	app->conns = calloc(num, sizeof(*app->conns));
	if (app->epoll < 0 || !app->conns)
		return -ENOMEM;
	err = rk_open_host(&app->host[0], app, &net->a, config);
	if (!err)
		err = rk_open_host(&app->host[1], app, &net->b, config);
	return err ? err : rk_connect_all(app);
}

void rk_close(struct rk_app *app)
{
	unsigned int i;

	if (!app->net)	/* never opened */
		return;
	for (i = 0; i < 2; i++) {
		psp_rekey_pool_free(app->host[i].pool);
		free(app->host[i].sides);
	}
	for (i = 0; app->conns && i < app->num; i++) {
		if (app->conns[i].a.end)
			psp_conn_close(&app->conns[i]);
	}
	free(app->conns);
	close(app->epoll);
}

struct psp_rekey_counters rk_counters(const struct rk_host *host)
{
	struct psp_rekey_counters c = { .size = sizeof(c) };

	psp_rekey_pool_counters(host->pool, &c);
	return c;
}

unsigned int rk_events(const struct rk_app *app, enum psp_rekey_event event)
{
	unsigned int i, num = 0;

	for (i = 0; i < 2 * app->num; i++)
		num += app->host[i & 1].sides[i / 2].events[event];
	return num;
}

unsigned int rk_broken(const struct rk_app *app)
{
	const struct rk_side *side;
	unsigned int i, num = 0;

	for (i = 0; i < 2 * app->num; i++) {
		side = &app->host[i & 1].sides[i / 2];
		num += side->corrupt || side->closed;
	}
	return num;
}

bool rk_is_established(struct rk_app *app)
{
	return rk_events(app, PSP_REKEY_EV_ESTABLISHED) == 2 * app->num;
}

bool rk_is_caught_up(struct rk_app *app)
{
	return !rk_counters(&app->host[0]).behind &&
	       !rk_counters(&app->host[1]).behind;
}

bool rk_is_drained(struct rk_app *app)
{
	const struct rk_side *side;
	unsigned int i;

	for (i = 0; i < 2 * app->num; i++) {
		side = &app->host[i & 1].sides[i / 2];
		if (side->out_len || side->peer->got != side->sent)
			return false;
	}
	return true;
}

int rk_rotate(struct rk_app *app)
{
	int i, err = 0;

	for (i = 0; !err && i < 2; i++) {
		struct psp_end *end = app->host[i].end;

		err = psp_nl_rotate(&end->nl, end->dev_id);
	}
	return err;
}
