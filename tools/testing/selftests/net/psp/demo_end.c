// SPDX-License-Identifier: GPL-2.0
/*
 * One end of the connection. The stream is made of records: type, length,
 * contents. Keys travel in it like everything else: in plain before the
 * connection is secure, under PSP when it is rekeyed.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "demo.h"

/* More would only make new keys wait behind text */
#define DEMO_SNDBUF	(256 << 10)

enum demo_type {
	DEMO_REC_HELLO = 1,
	DEMO_REC_KEY,
	DEMO_REC_TEXT,
	DEMO_REC_END,
};

struct demo_rec {
	uint32_t type;
	uint32_t len;
};

struct demo_rec_key {
	uint32_t spi;
	uint32_t len;
	uint8_t key[PSP_KEY_MAX];
};

/* Notifications come to a socket of their own in the end's namespace */
static int demo_end_listen(struct demo_end *end, int home)
{
	int err;

	err = psp_ns_enter(end->side->end->ns);
	if (!err)
		err = psp_nl_open(&end->notes);
	if (!err)
		err = psp_nl_join(&end->notes, end->notes.use);
	return psp_ns_enter(home) ?: err;
}

int demo_end_open(struct demo_end *end, struct psp_side *side, char name,
		  int home)
{
	int size = DEMO_SNDBUF;

	end->side = side;
	end->name = name;
	setsockopt(side->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return demo_end_listen(end, home);
}

void demo_end_close(struct demo_end *end)
{
	psp_nl_close(&end->notes);
}

void demo_line(uint64_t n, char *line)
{
	static const char text[] =
		"line 00000000: this is " DEMO_SECRET ", as it should be.\n";
	int i;

	static_assert(sizeof(text) == DEMO_LINE + 1, "not a line");

	memcpy(line, text, DEMO_LINE);
	for (i = 12; i > 4; i--, n /= 10)
		line[i] = '0' + n % 10;
}

static void demo_end_put(struct demo_end *end, enum demo_type type,
			 const void *data, size_t len)
{
	struct demo_rec rec = { .type = htonl(type), .len = htonl(len) };

	memcpy(end->out, &rec, sizeof(rec));
	if (data)
		memcpy(end->out + sizeof(rec), data, len);
	end->out_len = sizeof(rec) + len;
	end->out_pos = 0;
}

static void demo_end_put_key(struct demo_end *end)
{
	struct demo_rec_key key = {
		.spi = htonl(end->side->rx.spi),
		.len = htonl(end->side->rx.len),
	};

	memcpy(key.key, end->side->rx.key, sizeof(key.key));
	demo_end_put(end, DEMO_REC_KEY, &key, sizeof(key));
	memset(&key, 0, sizeof(key));
	end->key_due = false;
}

static void demo_end_put_text(struct demo_end *end)
{
	struct demo_rec rec = {
		.type = htonl(DEMO_REC_TEXT), .len = htonl(DEMO_TEXT),
	};
	uint64_t line = end->sent / DEMO_LINE;
	size_t pos;

	memcpy(end->out, &rec, sizeof(rec));
	for (pos = 0; pos < DEMO_TEXT; pos += DEMO_LINE)
		demo_line(line++, (char *)end->out + sizeof(rec) + pos);
	end->out_len = sizeof(rec) + DEMO_TEXT;
	end->out_pos = 0;
	end->sent += DEMO_TEXT;
}

/* Keys go before text */
static void demo_end_next_record(struct demo_end *end)
{
	if (end->key_due) {
		demo_end_put_key(end);
	} else if (end->texting && end->secure) {
		demo_end_put_text(end);
	} else if (end->ending) {
		demo_end_put(end, DEMO_REC_END, NULL, 0);
		end->ending = false;
	}
}

void demo_end_greet(struct demo_end *end)
{
	demo_end_put(end, DEMO_REC_HELLO, DEMO_HELLO, sizeof(DEMO_HELLO));
}

static bool demo_end_send(struct demo *demo, struct demo_end *end)
{
	ssize_t n;

	if (end->out_pos == end->out_len)
		demo_end_next_record(end);
	if (end->out_pos == end->out_len)
		return false;
	n = send(end->side->fd, end->out + end->out_pos,
		 end->out_len - end->out_pos, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN)
			demo_fail(demo, "%c cannot send: %s", end->name,
				  strerror(errno));
		return false;
	}
	end->out_pos += n;
	return true;
}

static void demo_remember(struct demo *demo, const struct psp_key *key)
{
	if (demo->nkeys < DEMO_KEYS)
		demo->keys[demo->nkeys++] = *key;
}

void demo_end_new_key(struct demo *demo, struct demo_end *end)
{
	struct psp_side *side = end->side;
	uint32_t prev = side->rx.spi;
	int err;

	err = psp_conn_rx(&demo->conn, side, demo->conn.version);
	if (err) {
		demo_fail(demo, "rx-assoc at %c: %s", end->name,
			  strerror(-err));
		return;
	}
	end->prev_spi = prev;
	end->rx_rekeys += !!prev;
	end->key_due = true;
	if (end == &demo->b)
		demo_remember(demo, &side->rx);
}

/* The peer has a new rx key: from now on it is the one to send under */
static void demo_end_take_key(struct demo *demo, struct demo_end *end,
			      const void *data, size_t len)
{
	const struct demo_rec_key *rec = data;
	struct psp_side *side = end->side;
	struct psp_key *tx = &side->tx;
	int err;

	if (len != sizeof(*rec) || ntohl(rec->len) > PSP_KEY_MAX) {
		demo_fail(demo, "%c received a bad key record", end->name);
		return;
	}
	/* The first key may come before there is one to answer with */
	if (!side->rx.spi)
		demo_end_new_key(demo, end);
	if (end->key_due && !end->secure)
		demo_end_send(demo, end);

	tx->spi = ntohl(rec->spi);
	tx->len = ntohl(rec->len);
	memcpy(tx->key, rec->key, tx->len);
	err = psp_nl_tx_assoc(&side->end->nl, side->end->dev_id,
			      demo->conn.version, side->fd, tx);
	if (err)
		demo_fail(demo, "tx-assoc at %c: %s", end->name,
			  strerror(-err));
	end->tx_rekeys += end->secure;
	end->secure = true;
}

static void demo_end_take_text(struct demo *demo, struct demo_end *end,
			       const uint8_t *data, size_t len)
{
	char line[DEMO_LINE];
	size_t pos;

	if (!end->secure || len % DEMO_LINE) {
		demo_fail(demo, "%c received text that it must not",
			  end->name);
		return;
	}
	for (pos = 0; pos < len; pos += DEMO_LINE) {
		demo_line(end->good / DEMO_LINE, line);
		if (memcmp(line, data + pos, DEMO_LINE)) {
			demo_fail(demo, "wrong text at byte %llu",
				  (unsigned long long)end->good);
			return;
		}
		end->good += DEMO_LINE;
	}
}

static void demo_end_take(struct demo *demo, struct demo_end *end,
			  uint32_t type, const uint8_t *data, size_t len)
{
	switch (type) {
	case DEMO_REC_HELLO:
		end->greeted = true;
		break;
	case DEMO_REC_KEY:
		demo_end_take_key(demo, end, data, len);
		break;
	case DEMO_REC_TEXT:
		demo_end_take_text(demo, end, data, len);
		break;
	case DEMO_REC_END:
		end->ended = true;
		break;
	default:
		demo_fail(demo, "%c received garbage", end->name);
	}
}

/* Bytes missing of the record being received; its header tells how many */
static size_t demo_end_missing(const struct demo_end *end)
{
	const struct demo_rec *rec = (const void *)end->in;

	if (end->in_len < sizeof(*rec))
		return sizeof(*rec) - end->in_len;
	return sizeof(*rec) + ntohl(rec->len) - end->in_len;
}

static bool demo_end_recv(struct demo *demo, struct demo_end *end)
{
	const struct demo_rec *rec = (const void *)end->in;
	size_t want = demo_end_missing(end);
	ssize_t n;

	if (end->in_len + want > sizeof(end->in)) {
		demo_fail(demo, "%c received garbage", end->name);
		return false;
	}
	n = recv(end->side->fd, end->in + end->in_len, want, MSG_DONTWAIT);
	if (n <= 0) {
		if (!n || errno != EAGAIN)
			demo_fail(demo, "%c cannot receive: %s", end->name,
				  n ? strerror(errno) : "end of stream");
		return false;
	}
	end->in_len += n;
	if (end->in_len >= sizeof(*rec) && !demo_end_missing(end)) {
		demo_end_take(demo, end, ntohl(rec->type), end->in +
			      sizeof(*rec), ntohl(rec->len));
		end->in_len = 0;
	}
	return true;
}

/* The key of the own device has been rotated: time for a new rx key */
static void demo_end_hear(struct demo *demo, struct demo_end *end)
{
	if (psp_nl_wait(&end->notes, PSP_CMD_KEY_ROTATE_NTF, 0))
		return;
	end->rotations++;
	demo_end_new_key(demo, end);
}

bool demo_end_step(struct demo *demo, struct demo_end *end)
{
	bool moved;

	if (end->secure)
		demo_end_hear(demo, end);
	moved = demo_end_recv(demo, end);
	return demo_end_send(demo, end) || moved;
}
