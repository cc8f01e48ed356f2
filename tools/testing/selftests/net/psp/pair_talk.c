// SPDX-License-Identifier: GPL-2.0
/* What the two machines say to each other */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "pair.h"

enum pair_type {
	PAIR_REC_KEY = 1,
	PAIR_REC_HELLO,
	PAIR_REC_DATA,
	PAIR_REC_TAKEN,
	PAIR_REC_DONE,
	PAIR_REC_END,
};

struct pair_rec {
	uint32_t type;
	uint32_t len;
};

struct pair_rec_key {
	uint32_t spi;
	uint32_t len;
	uint8_t key[PSP_KEY_MAX];
};

static void pair_put(struct pair *pair, enum pair_type type, const void *data,
		     size_t len)
{
	struct pair_rec rec = { .type = htonl(type), .len = htonl(len) };

	memcpy(pair->out, &rec, sizeof(rec));
	if (data)
		memcpy(pair->out + sizeof(rec), data, len);
	pair->out_len = sizeof(rec) + len;
	pair->out_pos = 0;
}

static void pair_put_key(struct pair *pair)
{
	struct pair_rec_key key = {
		.spi = htonl(pair->rx.spi),
		.len = htonl(pair->rx.len),
	};

	memcpy(key.key, pair->rx.key, sizeof(key.key));
	pair_put(pair, PAIR_REC_KEY, &key, sizeof(key));
	pair->key_due = false;
	pair->key_wait = pair->secure;
}

static void pair_put_data(struct pair *pair)
{
	uint8_t data[PAIR_CHUNK];

	psp_pattern(pair->first, pair->sent, data, sizeof(data));
	pair_put(pair, PAIR_REC_DATA, data, sizeof(data));
	pair->sent += sizeof(data);
}

/* A new rx key; for whoever judges the capture it is written down */
static int pair_new_key(struct pair *pair)
{
	unsigned int i;
	int err;

	err = psp_nl_rx_assoc(&pair->end.nl, pair->end.dev_id, pair->version,
			      pair->fd, &pair->rx);
	if (err)
		return err;
	pair->key_due = true;
	if (!pair->keys)
		return 0;
	fprintf(pair->keys, "%08x ", pair->rx.spi);
	for (i = 0; i < pair->rx.len; i++)
		fprintf(pair->keys, "%02x", pair->rx.key[i]);
	fprintf(pair->keys, "\n");
	return fflush(pair->keys) ? -errno : 0;
}

static int pair_take_key(struct pair *pair, const void *data, size_t len)
{
	const struct pair_rec_key *rec = data;
	struct psp_key tx = { };
	int err;

	if (len != sizeof(*rec) || ntohl(rec->len) > PSP_KEY_MAX)
		return -EBADMSG;
	tx.spi = ntohl(rec->spi);
	tx.len = ntohl(rec->len);
	memcpy(tx.key, rec->key, tx.len);
	err = psp_nl_tx_assoc(&pair->end.nl, pair->end.dev_id, pair->version,
			      pair->fd, &tx);
	if (err)
		return err;
	pair->switched += pair->secure;
	pair->taken_due = pair->secure;
	pair->secure = true;
	return 0;
}

static int pair_take_data(struct pair *pair, const void *data, size_t len)
{
	uint8_t want[PAIR_CHUNK];
	int err;

	if (!pair->secure || len != sizeof(want))
		return -EBADMSG;
	psp_pattern(!pair->first, pair->good, want, sizeof(want));
	if (memcmp(data, want, sizeof(want)))
		return -EILSEQ;

	pair->good += len;
	if (pair->key_due || pair->key_wait ||
	    pair->good < pair->key_pos + PAIR_STEP ||
	    pair->rotations == PAIR_REKEYS)
		return 0;
	err = psp_nl_rotate(&pair->end.nl, pair->end.dev_id);
	if (err)
		return err;
	pair->rotations++;
	return pair_new_key(pair);
}

static void pair_take_taken(struct pair *pair)
{
	pair->key_wait = false;
	pair->key_pos = pair->good;
	pair->done_due = pair->rotations == PAIR_REKEYS;
}

static int pair_take_end(struct pair *pair, const void *data, size_t len)
{
	uint64_t sent;

	if (len != sizeof(sent))
		return -EBADMSG;
	memcpy(&sent, data, sizeof(sent));
	pair->ended = true;
	return be64toh(sent) == pair->good ? 0 : -EILSEQ;
}

static int pair_take(struct pair *pair)
{
	const struct pair_rec *rec = (const void *)pair->in;
	const uint8_t *data = pair->in + sizeof(*rec);
	size_t len = ntohl(rec->len);

	pair->in_len = 0;
	switch (ntohl(rec->type)) {
	case PAIR_REC_KEY:
		return pair_take_key(pair, data, len);
	case PAIR_REC_HELLO:
		pair->greeted = true;
		return 0;
	case PAIR_REC_DATA:
		return pair_take_data(pair, data, len);
	case PAIR_REC_TAKEN:
		pair_take_taken(pair);
		return 0;
	case PAIR_REC_DONE:
		pair->done = true;
		return 0;
	case PAIR_REC_END:
		return pair_take_end(pair, data, len);
	default:
		return -EBADMSG;
	}
}

/* Both return 1 if something moved, 0 if not, or -errno */
static int pair_send(struct pair *pair)
{
	ssize_t n;

	if (pair->out_pos == pair->out_len)
		return 0;
	n = send(pair->fd, pair->out + pair->out_pos,
		 pair->out_len - pair->out_pos, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	pair->out_pos += n;
	return 1;
}

/* Bytes missing of the record being received; its header tells how many */
static size_t pair_missing(const struct pair *pair)
{
	const struct pair_rec *rec = (const void *)pair->in;

	if (pair->in_len < sizeof(*rec))
		return sizeof(*rec) - pair->in_len;
	return sizeof(*rec) + ntohl(rec->len) - pair->in_len;
}

static int pair_recv(struct pair *pair)
{
	size_t want = pair_missing(pair);
	int err = 0;
	ssize_t n;

	if (pair->in_len + want > sizeof(pair->in))
		return -EBADMSG;
	n = recv(pair->fd, pair->in + pair->in_len, want, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!n)
		return -EPIPE;
	pair->in_len += n;
	if (pair->in_len >= sizeof(struct pair_rec) && !pair_missing(pair))
		err = pair_take(pair);
	return err ? err : 1;
}

/* Send and receive what can be; -ETIMEDOUT: nothing for PAIR_MS */
static int pair_step(struct pair *pair)
{
	bool sending = pair->out_pos < pair->out_len;
	struct pollfd pfd = {
		.fd = pair->fd, .events = POLLIN | (sending ? POLLOUT : 0),
	};
	int ret;

	ret = poll(&pfd, 1, PAIR_MS);
	if (ret <= 0)
		return ret ? -errno : -ETIMEDOUT;
	ret = pair_send(pair);
	if (ret >= 0)
		ret = pair_recv(pair);
	return ret < 0 ? ret : 0;
}

static int pair_until(struct pair *pair, const bool *done)
{
	int err = 0;

	while (!err && (!*done || pair->out_pos < pair->out_len))
		err = pair_step(pair);
	return err;
}

int pair_secure(struct pair *pair, uint32_t version)
{
	int err;

	pair->version = version;
	err = pair_new_key(pair);
	if (err)
		return err;
	pair_put_key(pair);
	err = pair_until(pair, &pair->secure);
	if (err)
		return err;
	pair_put(pair, PAIR_REC_HELLO, NULL, 0);
	return pair_until(pair, &pair->greeted);
}

static void pair_put_end(struct pair *pair)
{
	uint64_t sent = htobe64(pair->sent);

	pair_put(pair, PAIR_REC_END, &sent, sizeof(sent));
	pair->ending = true;
}

/* Keys, and what is said of them, go before data */
static void pair_next(struct pair *pair)
{
	if (pair->key_due) {
		pair_put_key(pair);
	} else if (pair->taken_due) {
		pair_put(pair, PAIR_REC_TAKEN, NULL, 0);
		pair->taken_due = false;
	} else if (pair->done_due) {
		pair_put(pair, PAIR_REC_DONE, NULL, 0);
		pair->done_due = false;
	} else if (!pair->done) {
		pair_put_data(pair);
	} else if (pair->rotations == PAIR_REKEYS && !pair->key_wait &&
		   !pair->ending) {
		pair_put_end(pair);
	}
}

int pair_run(struct pair *pair)
{
	int err = 0;

	while (!err && !(pair->ending && pair->ended &&
			 pair->out_pos == pair->out_len)) {
		if (pair->out_pos == pair->out_len)
			pair_next(pair);
		err = pair_step(pair);
	}
	return err;
}

/* The other one may have what it wants and reset the connection */
int pair_part(struct pair *pair)
{
	uint64_t end = psp_now_ms() + PAIR_MS;
	struct pollfd pfd = { .fd = pair->fd };

	while (psp_tcp_outq(pair->fd)) {
		if (poll(&pfd, 1, 20) > 0)
			return 0;
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
	}
	return 0;
}
