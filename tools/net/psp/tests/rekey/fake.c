// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* The fake world: see fake.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "fake.h"

#define FAKE_FD		1000
#define FAKE_HASH	2654435761U

uint32_t fake_random(struct fake_world *w, uint32_t below)
{
	w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((w->seed >> 32) * below) >> 32;
}

static struct fake_sock *fake_sock_of(struct fake_end *end, int fd)
{
	CHECK_TRUE(fd >= FAKE_FD && fd < FAKE_FD + (int)end->world->num);
	return &end->socks[fd - FAKE_FD];
}

static void fake_key_fill(struct psp_key *key, uint32_t spi)
{
	unsigned int i;

	key->spi = spi;
	key->len = psp_version_key_len(FAKE_VERSION);
	for (i = 0; i < key->len; i++)
		key->key[i] = (spi * FAKE_HASH) >> (i % 4 * 8) | 1;
}

static bool fake_is_full(const struct fake_sock *sock)
{
	return sock->tx && sock->heard;
}

static bool fake_accepts(const struct fake_sock *sock, uint32_t spi)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (sock->rx[i].spi && sock->rx[i].spi == spi)
			return sock->end->rotations - sock->rx[i].epoch < 2;
	}
	return false;
}

void fake_rotate(struct fake_end *end, enum fake_how how)
{
	end->rotations++;
	if (how == FAKE_TOLD)
		end->ntfs++;
	if (how == FAKE_LOST)
		end->lost = true;
}

static int fake_rx_assoc(void *ctx, int fd, uint32_t dev_id, uint32_t version,
			 struct psp_key *key)
{
	struct fake_end *end = ctx;
	struct fake_sock *sock = fake_sock_of(end, fd);
	int err;

	CHECK_EQ(FAKE_DEV, dev_id);
	end->rx_assocs++;
	sock->rx_calls++;
	if (end->rotate_next) {
		end->rotate_next = false;
		fake_rotate(end, FAKE_TOLD);
	}
	if (sock->rx_err)
		return sock->rx_err;
	if (sock->rx[0].spi && (!fake_is_full(sock) ||
				sock->rx[0].epoch == end->rotations))
		return -EBUSY;
	sock->rx[1] = sock->rx[0];
	sock->rx[0].spi = ++end->world->spi;
	sock->rx[0].epoch = end->rotations;
	fake_key_fill(key, sock->rx[0].spi);
	if (end->rotate_after) {
		end->rotate_after = false;
		fake_rotate(end, FAKE_TOLD);
	}
	err = sock->rx_lost;
	sock->rx_lost = 0;
	return err;
}

static int fake_tx_assoc(void *ctx, int fd, uint32_t dev_id, uint32_t version,
			 const struct psp_key *key)
{
	struct fake_end *end = ctx;
	struct fake_sock *sock = fake_sock_of(end, fd);
	struct psp_key want;

	CHECK_EQ(FAKE_DEV, dev_id);
	sock->tx_calls++;
	if (sock->tx_err)
		return sock->tx_err;
	if (!sock->rx[0].spi)
		return -EINVAL;
	if (sock->tx ? !fake_is_full(sock) : sock->plain)
		return -EBUSY;
	fake_key_fill(&want, key->spi);
	if (key->len != want.len || memcmp(key->key, want.key, want.len))
		end->world->bad_keys++;
	sock->tx = key->spi;
	return 0;
}

static int fake_rotations(void *ctx, uint32_t dev_id, uint64_t *num)
{
	struct fake_end *end = ctx;

	CHECK_EQ(FAKE_DEV, dev_id);
	end->looks++;
	if (end->looks_err)
		return end->looks_err;
	if (end->looks == end->looks_failing_at)
		return -ENOMEM;
	if (end->looks_failing) {
		end->looks_failing--;
		return -ENOMEM;
	}
	*num = end->rotations;
	return 0;
}

static int fake_ntf(void *ctx, struct rekey_ntf *ntf)
{
	struct fake_end *end = ctx;

	ntf->dev_id = FAKE_DEV;
	if (end->lost) {
		end->lost = false;
		ntf->type = REKEY_NTF_LOST;
		return 1;
	}
	if (!end->ntfs)
		return 0;
	end->ntfs--;
	ntf->type = REKEY_NTF_ROTATED;
	return 1;
}

static int fake_fd(void *ctx)
{
	return -1;
}

static uint64_t fake_now(void *ctx)
{
	return ((struct fake_end *)ctx)->world->now;
}

static uint32_t fake_ops_random(void *ctx, uint32_t below)
{
	return fake_random(((struct fake_end *)ctx)->world, below);
}

static void fake_free(void *ctx)
{
}

static const struct rekey_ops fake_ops = {
	.rx_assoc = fake_rx_assoc,
	.tx_assoc = fake_tx_assoc,
	.rotations = fake_rotations,
	.ntf = fake_ntf,
	.fd = fake_fd,
	.now = fake_now,
	.random = fake_ops_random,
	.free = fake_free,
};

static void fake_activate(struct fake_sock *sock)
{
	if (!sock->active)
		TAILQ_INSERT_TAIL(&sock->end->world->active, sock, node);
	sock->active = true;
}

/* What is sent in plain is marked when it is sent, the rest when it leaves */
static int fake_send(void *data, const void *buf, size_t len,
		     unsigned int flags)
{
	struct fake_sock *sock = data;
	bool beside = flags & PSP_REKEY_OUT_OF_BAND;
	struct fake_world *w = sock->end->world;
	struct fake_msg *msg;

	sock->send_calls++;
	if (beside && sock->no_beside)
		return -EOPNOTSUPP;
	if (beside && sock->full_beside)
		return -EAGAIN;
	if (!beside && sock->full) {
		if (sock->on_full)
			sock->on_full(sock);
		return -EAGAIN;
	}
	if (!beside && sock->send_err)
		return sock->send_err;
	CHECK_TRUE(len <= sizeof(msg->buf));
	msg = calloc(1, sizeof(*msg));
	msg->at = w->now + w->latency;
	msg->plain = !sock->tx;
	msg->beside = beside;
	msg->len = len;
	memcpy(msg->buf, buf, len);
	sock->sent[msg->buf[1] & 7]++;
	if (beside)
		TAILQ_INSERT_TAIL(&sock->beside, msg, node);
	else
		TAILQ_INSERT_TAIL(&sock->out, msg, node);
	fake_activate(sock);
	if (sock->on_send)
		sock->on_send(sock, buf, flags);
	return 0;
}

static void fake_event(void *data, enum psp_rekey_event event, int err)
{
	struct fake_sock *sock = data;

	sock->events[event]++;
	sock->event_err[event] = err;
	if (sock->on_event)
		sock->on_event(sock, event);
}

const struct psp_rekey_conn_ops fake_conn_ops = {
	.send = fake_send,
	.event = fake_event,
};

static void fake_sock_init(struct fake_end *end, struct fake_end *other,
			   unsigned int i)
{
	struct fake_sock *sock = &end->socks[i];

	sock->end = end;
	sock->peer = &other->socks[i];
	sock->fd = FAKE_FD + i;
	TAILQ_INIT(&sock->out);
	TAILQ_INIT(&sock->beside);
}

void fake_open(struct fake_world *w, unsigned int num,
	       const struct psp_rekey_pool_config *config)
{
	unsigned int e, i;

	memset(w, 0, sizeof(*w));
	w->num = num;
	w->latency = 100;
	w->now = 1000000;
	w->seed = 42;
	TAILQ_INIT(&w->active);
	for (e = 0; e < 2; e++) {
		w->end[e].world = w;
		w->end[e].rotations = 3;
		w->end[e].socks = calloc(num, sizeof(struct fake_sock));
		CHECK_EQ(0, rekey_pool_new(&w->end[e].pool, config, &fake_ops,
					   &w->end[e]));
	}
	for (e = 0; e < 2; e++) {
		for (i = 0; i < num; i++)
			fake_sock_init(&w->end[e], &w->end[!e], i);
	}
}

static void fake_msgs_free(struct fake_msgs *msgs)
{
	struct fake_msg *msg;

	while ((msg = TAILQ_FIRST(msgs))) {
		TAILQ_REMOVE(msgs, msg, node);
		free(msg);
	}
}

void fake_drop_beside(struct fake_sock *from)
{
	fake_msgs_free(&from->beside);
}

void fake_close(struct fake_world *w)
{
	unsigned int e, i;

	CHECK_EQ(0, w->plain_lost);
	CHECK_EQ(0, w->bad_keys);
	for (e = 0; e < 2; e++) {
		psp_rekey_pool_free(w->end[e].pool);
		for (i = 0; i < w->num; i++) {
			fake_msgs_free(&w->end[e].socks[i].out);
			fake_msgs_free(&w->end[e].socks[i].beside);
		}
		free(w->end[e].socks);
	}
}

int fake_add(struct fake_sock *sock, unsigned int flags)
{
	const struct psp_rekey_conn_config config = {
		.size = sizeof(config),
		.fd = sock->fd,
		.dev_id = FAKE_DEV,
		.version = FAKE_VERSION,
		.flags = flags,
		.ops = &fake_conn_ops,
		.data = sock,
	};

	return psp_rekey_conn_add(sock->end->pool, &config, &sock->conn);
}

void fake_up(struct fake_world *w, unsigned int i, unsigned int flags)
{
	struct fake_sock *a = &w->end[0].socks[i], *b = a->peer;

	CHECK_EQ(0, fake_add(a, flags));
	CHECK_EQ(0, fake_add(b, flags));
	fake_run(w, 1);
	CHECK_EQ(1, a->events[PSP_REKEY_EV_ESTABLISHED]);
	CHECK_EQ(1, b->events[PSP_REKEY_EV_ESTABLISHED]);
}

/* An authenticated packet has come; TCP acknowledges it, under PSP if it can */
static void fake_hear(struct fake_sock *to)
{
	struct fake_sock *from = to->peer;

	to->heard = true;
	if (to->tx && fake_accepts(from, to->tx))
		from->heard = true;
}

static void fake_hand_over(struct fake_sock *to, struct fake_msgs *msgs,
			   struct fake_msg *msg)
{
	TAILQ_REMOVE(msgs, msg, node);
	if (to->conn)
		psp_rekey_conn_input(to->conn, msg->buf, msg->len);
	free(msg);
}

bool fake_deliver_one(struct fake_sock *from)
{
	struct fake_msg *msg = TAILQ_FIRST(&from->out);
	struct fake_sock *to = from->peer;

	if (!msg || msg->at > from->end->world->now)
		return false;
	/* Nobody reads yet */
	if (!to->conn && !to->rx[0].spi)
		return false;
	if (msg->plain) {
		if (to->tx)
			from->end->world->plain_lost++;
		CHECK_TRUE(!to->tx);
	} else {
		if (!fake_accepts(to, from->tx))
			return false;
		fake_hear(to);
	}
	fake_hand_over(to, &from->out, msg);
	return true;
}

bool fake_deliver_beside(struct fake_sock *from)
{
	struct fake_msg *msg = TAILQ_FIRST(&from->beside);

	if (!msg || msg->at > from->end->world->now)
		return false;
	fake_hand_over(from->peer, &from->beside, msg);
	return true;
}

/* One round over those who have sent something */
static bool fake_deliver_all(struct fake_world *w)
{
	struct fake_sock *sock, *next;
	bool any = false;

	for (sock = TAILQ_FIRST(&w->active); sock; sock = next) {
		while (fake_deliver_beside(sock) || fake_deliver_one(sock))
			any = true;
		next = TAILQ_NEXT(sock, node);
		if (TAILQ_EMPTY(&sock->out) && TAILQ_EMPTY(&sock->beside)) {
			TAILQ_REMOVE(&w->active, sock, node);
			sock->active = false;
		}
	}
	return any;
}

void fake_process(struct fake_world *w)
{
	struct psp_rekey_counters c;
	int e;

	for (e = 0; e < 2; e++) {
		struct fake_end *end = &w->end[e];

		do {
			psp_rekey_pool_process(end->pool);
			c.in_flight = end->pool->in_flight;
			if (c.in_flight > end->flight_max)
				end->flight_max = c.in_flight;
		} while (!psp_rekey_pool_timeout(end->pool));
	}
}

static uint64_t fake_next_msg(const struct fake_world *w)
{
	const struct fake_sock *sock;
	const struct fake_msg *msg;
	uint64_t next = UINT64_MAX;

	TAILQ_FOREACH(sock, &w->active, node) {
		msg = TAILQ_FIRST(&sock->out);
		if (msg && msg->at > w->now && msg->at < next)
			next = msg->at;
		msg = TAILQ_FIRST(&sock->beside);
		if (msg && msg->at > w->now && msg->at < next)
			next = msg->at;
	}
	return next;
}

/* When something will happen by itself */
static uint64_t fake_next(const struct fake_world *w)
{
	uint64_t next = fake_next_msg(w);
	int e, ms;

	for (e = 0; e < 2; e++) {
		ms = psp_rekey_pool_timeout(w->end[e].pool);
		if (ms >= 0 && w->now + ms * REKEY_US_PER_MS < next)
			next = w->now + ms * REKEY_US_PER_MS;
	}
	return next;
}

void fake_run(struct fake_world *w, unsigned int ms)
{
	uint64_t end = w->now + ms * REKEY_US_PER_MS, next;

	for (;;) {
		do {
			fake_process(w);
		} while (fake_deliver_all(w));
		next = fake_next(w);
		if (next > end)
			break;
		w->now = next;
	}
	w->now = end;
	fake_process(w);
}

bool fake_hears(const struct fake_sock *to)
{
	return fake_accepts(to, to->peer->tx);
}

static bool fake_sock_is_fresh(const struct fake_sock *sock)
{
	return sock->rx[0].epoch == sock->end->rotations &&
	       sock->peer->tx == sock->rx[0].spi;
}

bool fake_is_fresh(const struct fake_world *w, unsigned int i)
{
	return fake_sock_is_fresh(&w->end[0].socks[i]) &&
	       fake_sock_is_fresh(&w->end[1].socks[i]);
}

bool fake_has_no_keys(const struct fake_sock *sock)
{
	return check_wiped(sock->conn->out.offer,
			    sizeof(sock->conn->out.offer)) &&
	       check_wiped(&sock->conn->tx.key, sizeof(sock->conn->tx.key));
}

struct psp_rekey_counters fake_counters(const struct fake_end *end)
{
	struct psp_rekey_counters c = { .size = sizeof(c) };

	psp_rekey_pool_counters(end->pool, &c);
	return c;
}
