// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * The key that a connection sends under: the peer makes it and offers it, we
 * tell the kernel, and acknowledge it. Who has it goes on to try, because the
 * peer cannot make another one before its device is rotated again.
 */
#include <errno.h>
#include <string.h>

#include "rekey.h"

/* Pauses of the first tx-assoc while plain data waits to be read */
#define REKEY_FIRST_US		1000
#define REKEY_FIRST_SHIFT_MAX	6

static bool rekey_tx_is_newer(uint32_t seq, uint32_t than)
{
	return (int32_t)(seq - than) > 0;
}

static void rekey_tx_wipe(struct psp_rekey_conn *conn)
{
	explicit_bzero(&conn->tx.key, sizeof(conn->tx.key));
	conn->tx.open = false;
	rekey_timer_cancel(&conn->pool->heap, &conn->tx.timer);
}

static void rekey_tx_answer(struct psp_rekey_conn *conn,
			    enum rekey_msg_type type, enum rekey_reason reason)
{
	conn->tx.answer = (struct rekey_msg) {
		.type = type,
		.seq = conn->tx.seq,
		.reason = reason,
	};
	conn->out.answer = true;
}

/* Before the first tx-assoc it cannot be said: it would have to be in plain */
static void rekey_tx_refuse(struct psp_rekey_conn *conn,
			    enum rekey_reason reason, int err)
{
	rekey_tx_wipe(conn);
	conn->pool->c.refusals++;
	if (conn->tx.on)
		rekey_tx_answer(conn, REKEY_MSG_REFUSE, reason);
	else
		rekey_conn_fail(conn, err);
}

static void rekey_tx_done(struct psp_rekey_conn *conn)
{
	bool first = !conn->tx.on;

	rekey_tx_wipe(conn);
	conn->tx.on = true;
	rekey_tx_answer(conn, REKEY_MSG_ACK, 0);
	if (first) {
		rekey_conn_event(conn, PSP_REKEY_EV_TX, 0);
		if (rekey_conn_is_live(conn))
			rekey_conn_try_established(conn);
		return;
	}
	conn->pool->c.tx_rekeys++;
	rekey_conn_event(conn, PSP_REKEY_EV_TX_REKEYED, 0);
}

static enum rekey_reason rekey_tx_reason(int err)
{
	switch (err) {
	case -ENOSPC:
	case -ENOMEM:
		return REKEY_WHY_NO_SPACE;
	case -EBUSY:
		return REKEY_WHY_BUSY;
	default:
		return REKEY_WHY_KERNEL;
	}
}

/*
 * The first one: the application has to read what is plain, or the device has
 * to get room. Soon, or not at all: nothing can be sent meanwhile.
 */
static void rekey_tx_retry_first(struct psp_rekey_conn *conn, int err)
{
	const struct psp_rekey_pool *pool = conn->pool;
	uint64_t limit = pool->config.first_tx_ms * REKEY_US_PER_MS;
	unsigned int shift = conn->tx.tries++;

	if (!shift)
		conn->tx.since = rekey_now(pool);
	if (rekey_now(pool) - conn->tx.since >= limit) {
		rekey_conn_fail(conn, err);
		return;
	}
	if (shift > REKEY_FIRST_SHIFT_MAX)
		shift = REKEY_FIRST_SHIFT_MAX;
	rekey_pool_arm(conn->pool, &conn->tx.timer, REKEY_FIRST_US << shift);
}

/* The peer is told once, so that it does not wait for the answer */
static void rekey_tx_retry(struct psp_rekey_conn *conn, int err)
{
	if (!conn->tx.tries)
		rekey_tx_answer(conn, REKEY_MSG_LATER, rekey_tx_reason(err));
	rekey_pool_arm(conn->pool, &conn->tx.timer,
		       rekey_pool_pause(conn->pool, ++conn->tx.tries));
}

/*
 * -EINVAL: the route goes over another device, and may come back. That the key
 * is a good one was looked at before. The first exchange is not that patient.
 */
static bool rekey_tx_is_final(const struct psp_rekey_conn *conn, int err)
{
	return rekey_error_is_final(err) || (err == -EINVAL && !conn->tx.on);
}

static void rekey_tx_failed(struct psp_rekey_conn *conn, int err)
{
	conn->pool->c.kernel_errors++;
	if (rekey_tx_is_final(conn, err)) {
		rekey_tx_refuse(conn, REKEY_WHY_KERNEL, err);
		return;
	}
	conn->pool->c.retries++;
	if (conn->tx.on)
		rekey_tx_retry(conn, err);
	else
		rekey_tx_retry_first(conn, err);
}

void rekey_tx_try(struct psp_rekey_conn *conn)
{
	const struct psp_rekey_pool *pool = conn->pool;
	int err;

	/* Our first offer is the last that we say in plain */
	if (!conn->tx.open || (!conn->tx.on && !conn->out.first_sent))
		return;
	err = pool->ops->tx_assoc(pool->ctx, conn->config.fd, conn->dev->id,
				  conn->config.version, &conn->tx.key);
	if (err)
		rekey_tx_failed(conn, err);
	else
		rekey_tx_done(conn);
}

static void rekey_tx_timer(struct rekey_timer *timer)
{
	struct psp_rekey_conn *conn =
		rekey_container_of(timer, struct psp_rekey_conn, tx.timer);

	rekey_conn_hold(conn);
	rekey_tx_try(conn);
	rekey_conn_pump(conn);
	rekey_conn_put(conn);
}

/*
 * The same offer twice: it went over two channels, or the peer offers again
 * what was refused. Older ones must not undo a newer one.
 */
static bool rekey_tx_is_known(struct psp_rekey_conn *conn, uint32_t seq)
{
	struct rekey_tx *tx = &conn->tx;

	if (rekey_tx_is_newer(seq, tx->seq))
		return false;
	if (seq != tx->seq || tx->open)
		return true;
	if (tx->answer.type == REKEY_MSG_REFUSE)
		return false;
	conn->out.answer = true;
	return true;
}

void rekey_tx_offer(struct psp_rekey_conn *conn, const struct rekey_msg *msg)
{
	struct rekey_tx *tx = &conn->tx;

	if (!msg->seq) {
		conn->pool->c.messages_bad++;
		return;
	}
	if (rekey_tx_is_known(conn, msg->seq))
		return;
	rekey_tx_wipe(conn);
	tx->seq = msg->seq;
	tx->tries = 0;
	if (msg->version != conn->config.version) {
		rekey_tx_refuse(conn, REKEY_WHY_VERSION, -EPROTO);
	} else if (!rekey_key_is_sane(&msg->key, msg->version)) {
		rekey_tx_refuse(conn, REKEY_WHY_MALFORMED, -EPROTO);
	} else {
		tx->key = msg->key;
		tx->open = true;
		rekey_tx_try(conn);
	}
}

void rekey_tx_init(struct psp_rekey_conn *conn)
{
	conn->tx.timer.fn = rekey_tx_timer;
}

void rekey_tx_stop(struct psp_rekey_conn *conn)
{
	rekey_tx_wipe(conn);
}
