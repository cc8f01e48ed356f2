// SPDX-License-Identifier: GPL-2.0
/*
 * libpsp's part: it makes keys, gives them to the kernel and knows when. Here
 * its messages are sealed and put into the stream. The first one goes under
 * TLS, as the last but one record of ours: the end of TLS follows it.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "libpsp.h"
#include "pspcat.h"

static bool rekey_put(struct cat *cat, const void *msg, size_t len)
{
	uint8_t *to = frame_begin(&cat->link.out, len + SEAL_TAG_LEN);

	if (!to)
		return false;
	if (seal_put(&cat->tx, msg, len, to)) {
		cat_fail(cat, "cannot encrypt");
		return false;
	}
	frame_end(&cat->link.out, FRAME_KEY, len + SEAL_TAG_LEN);
	return true;
}

/* 0 when it and the end of TLS are in the socket */
static int rekey_send_first(struct cat *cat, const void *msg, size_t len)
{
	struct rekey *rekey = &cat->rekey;
	int ret;

	if (!rekey->go)
		return -EAGAIN;
	if (!rekey->put && !rekey_put(cat, msg, len))
		return *cat->error ? -EIO : -EAGAIN;
	rekey->put = true;
	if (link_flush(cat))
		return -EIO;
	if (cat->link.out.len)
		return -EAGAIN;
	ret = link_end_tls(cat);
	if (ret < 0)
		return -EIO;
	rekey->sent = ret;
	return ret ? 0 : -EAGAIN;
}

static int rekey_send(void *data, const void *msg, size_t len,
		      unsigned int flags)
{
	struct cat *cat = data;
	int err;

	if (flags & PSP_REKEY_OUT_OF_BAND)
		return -EOPNOTSUPP;
	if (!cat->rekey.sent)
		err = rekey_send_first(cat, msg, len);
	else if (rekey_put(cat, msg, len))
		err = 0;
	else
		err = *cat->error ? -EIO : -EAGAIN;
	cat->rekey.waiting = err == -EAGAIN;
	return err;
}

static const char *rekey_why(const struct cat *cat, int err)
{
	switch (err) {
	case -EBUSY:
		return "plain data came behind the end of TLS";
	case -ETIMEDOUT:
		return cat_late(cat);
	case -ECONNREFUSED:
		return "the other side refuses the key";
	default:
		return psp_strerror(err);
	}
}

/* Where both are stale nothing passes; a peer that was only slow comes back */
static void rekey_stuck(struct cat *cat)
{
	if (!cat->rekey.stuck_at)
		cat->rekey.stuck_at = now_ms();
	cat_say(cat, "the other side cannot be heard: its tx key has expired");
}

static void rekey_event(void *data, enum psp_rekey_event event, int err)
{
	struct cat *cat = data;
	struct rekey *rekey = &cat->rekey;

	switch (event) {
	case PSP_REKEY_EV_TX:
		cat_under_psp(cat);
		break;
	case PSP_REKEY_EV_RX_REKEYED:
		rekey->stuck_at = 0;
		cat_say(cat, "new key: the other side uses it");
		break;
	case PSP_REKEY_EV_TX_REKEYED:
		cat_say(cat, "new key of the other side in use");
		break;
	case PSP_REKEY_EV_LATER:
		cat_warn(cat, "the other side cannot take the new key yet");
		break;
	case PSP_REKEY_EV_REFUSED:
		cat_warn(cat, "the other side refuses the new key: if the "
			 "device is rotated once more, it cannot be heard");
		break;
	case PSP_REKEY_EV_STUCK:
		rekey_stuck(cat);
		break;
	case PSP_REKEY_EV_FAILED:
		cat_fail(cat, "PSP: %s", rekey_why(cat, err));
		break;
	default:
		break;
	}
}

static const struct psp_rekey_conn_ops rekey_ops = {
	.send = rekey_send,
	.event = rekey_event,
};

int rekey_open(struct cat *cat, unsigned int version)
{
	struct rekey *rekey = &cat->rekey;
	const struct psp_rekey_pool_config pool_config = {
		.size = sizeof(pool_config),
		.first_ms = cat->args.timeout * 1000,
		/* Before that, or it would not be told why */
		.first_tx_ms = cat->args.timeout * 900,
	};
	const struct psp_rekey_conn_config config = {
		.size = sizeof(config),
		.fd = cat->link.fd,
		.dev_id = rekey->dev,
		.version = version,
		.flags = PSP_REKEY_SECRET_CHANNEL,
		.ops = &rekey_ops,
		.data = cat,
	};
	int err;

	err = psp_rekey_pool_open(&rekey->pool, &pool_config);
	if (err)
		return err;
	rekey->version = version;
	err = psp_rekey_conn_add(rekey->pool, &config, &rekey->conn);
	if (err)
		rekey_close(cat);
	return err;
}

/* What the kernel has stays: the connection goes on to be under PSP */
void rekey_close(struct cat *cat)
{
	struct rekey *rekey = &cat->rekey;

	if (!rekey->pool)
		return;
	rekey->counters.size = sizeof(rekey->counters);
	psp_rekey_pool_counters(rekey->pool, &rekey->counters);
	psp_rekey_conn_del(rekey->conn);
	psp_rekey_pool_free(rekey->pool);
	rekey->conn = NULL;
	rekey->pool = NULL;
	OPENSSL_cleanse(rekey->offer, sizeof(rekey->offer));
}

int rekey_start(struct cat *cat)
{
	cat->rekey.go = true;
	psp_rekey_conn_writable(cat->rekey.conn);
	return *cat->error ? -1 : 0;
}

static int rekey_input(struct cat *cat, const uint8_t *msg, size_t len)
{
	int err = psp_rekey_conn_input(cat->rekey.conn, msg, len);

	if (err && err != -EPROTONOSUPPORT)
		cat_fail(cat, "key of the other side: %s", strerror(-err));
	return *cat->error ? -1 : 0;
}

/* The first one waits for the end of TLS, or plain data would be in the way */
int rekey_frame(struct cat *cat, const uint8_t *data, size_t len)
{
	struct rekey *rekey = &cat->rekey;
	uint8_t msg[PSP_REKEY_MSG_MAX];
	int ret = -1;

	if (len < PSP_REKEY_MSG_MIN + SEAL_TAG_LEN ||
	    len > sizeof(msg) + SEAL_TAG_LEN)
		return cat_fail(cat, "key of the other side: wrong length");
	len -= SEAL_TAG_LEN;
	if (seal_get(&cat->rx, data, len, msg)) {
		cat_fail(cat, "key of the other side: it is not authentic");
	} else if (cat->phase == PHASE_SWITCH) {
		memcpy(rekey->offer, msg, len);
		rekey->offer_len = len;
		ret = 0;
	} else {
		ret = rekey_input(cat, msg, len);
	}
	OPENSSL_cleanse(msg, sizeof(msg));
	return ret;
}

int rekey_switch(struct cat *cat)
{
	struct rekey *rekey = &cat->rekey;
	int ret = rekey_input(cat, rekey->offer, rekey->offer_len);

	OPENSSL_cleanse(rekey->offer, sizeof(rekey->offer));
	rekey->offer_len = 0;
	return ret;
}

void rekey_writable(struct cat *cat)
{
	if (!cat->rekey.conn || !cat->rekey.waiting || !cat->rekey.go)
		return;
	cat->rekey.waiting = false;
	psp_rekey_conn_writable(cat->rekey.conn);
}

int rekey_process(struct cat *cat)
{
	struct rekey *rekey = &cat->rekey;
	int err;

	if (!rekey->pool)
		return 0;
	err = psp_rekey_pool_process(rekey->pool);
	if (err)
		cat_fail(cat, "PSP: %s", strerror(-err));
	if (rekey->stuck_at &&
	    now_ms() - rekey->stuck_at > cat->args.timeout * 1000ULL)
		cat_fail(cat, "PSP: the connection is dead: the device was "
			 "rotated twice before the other side had a new key");
	return *cat->error ? -1 : 0;
}

int rekey_fd(const struct cat *cat)
{
	return cat->rekey.pool ? psp_rekey_pool_fd(cat->rekey.pool) : -1;
}

int rekey_timeout(const struct cat *cat)
{
	int ms = -1;

	if (cat->rekey.pool)
		ms = psp_rekey_pool_timeout(cat->rekey.pool);
	if (cat->rekey.stuck_at && (ms < 0 || ms > 1000))
		ms = 1000;
	return ms;
}
