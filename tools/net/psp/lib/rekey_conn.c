// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* One connection: its life, and the channel to its peer */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rekey.h"

#define REKEY_TIMERS	4	/* of a connection */

typedef int (*rekey_pump_fn)(struct psp_rekey_conn *conn);

void rekey_conn_hold(struct psp_rekey_conn *conn)
{
	conn->busy++;
}

/* What was deleted goes when nobody is in its functions any more */
void rekey_conn_put(struct psp_rekey_conn *conn)
{
	if (--conn->busy || !conn->dead)
		return;
	explicit_bzero(conn, sizeof(*conn));
	free(conn);
}

void rekey_conn_wipe_offer(struct psp_rekey_conn *conn)
{
	explicit_bzero(conn->out.offer, sizeof(conn->out.offer));
	conn->out.offer_len = 0;
	conn->out.offer_unsent = false;
	conn->out.offer_beside = false;
}

/* Neither timers nor keys; the device and the pool may go */
static void rekey_conn_stop(struct psp_rekey_conn *conn)
{
	rekey_rx_stop(conn);
	rekey_tx_stop(conn);
	rekey_timer_cancel(&conn->pool->heap, &conn->first_timer);
	rekey_conn_wipe_offer(conn);
}

void rekey_conn_event(struct psp_rekey_conn *conn, enum psp_rekey_event event,
		      int err)
{
	if (!conn->dead && conn->config.ops->event)
		conn->config.ops->event(conn->config.data, event, err);
}

void rekey_conn_fail(struct psp_rekey_conn *conn, int err)
{
	if (!rekey_conn_is_live(conn))
		return;
	rekey_conn_stop(conn);
	conn->failed = err;
	conn->pool->c.failed++;
	rekey_conn_event(conn, PSP_REKEY_EV_FAILED, err);
}

void rekey_conn_try_established(struct psp_rekey_conn *conn)
{
	if (conn->established || !conn->tx.on || !conn->rx.any_acked)
		return;
	conn->established = true;
	rekey_timer_cancel(&conn->pool->heap, &conn->first_timer);
	rekey_rx_established(conn);
	rekey_conn_event(conn, PSP_REKEY_EV_ESTABLISHED, 0);
}

/* The peer is no peer, or does not get on with its part */
static void rekey_conn_is_slow(struct rekey_timer *timer)
{
	struct psp_rekey_conn *conn =
		rekey_container_of(timer, struct psp_rekey_conn, first_timer);

	rekey_conn_hold(conn);
	rekey_conn_fail(conn, -ETIMEDOUT);
	rekey_conn_put(conn);
}

static int rekey_conn_send(struct psp_rekey_conn *conn, const uint8_t *msg,
			   size_t len, unsigned int flags)
{
	return conn->config.ops->send(conn->config.data, msg, len, flags);
}

static bool rekey_conn_keeps_offer(const struct psp_rekey_conn *conn)
{
	return conn->config.flags & PSP_REKEY_KEEP_OFFER;
}

/*
 * @unsent says that the channel has to get it. The callback may have made a
 * newer offer, or have heard about this one, or want it sent once more.
 */
static int rekey_conn_send_offer(struct psp_rekey_conn *conn,
				 unsigned int flags, bool *unsent)
{
	struct rekey_out *out = &conn->out;
	uint8_t msg[PSP_REKEY_MSG_MAX];
	uint32_t seq = conn->rx.now.seq;
	int err;

	*unsent = false;
	memcpy(msg, out->offer, sizeof(msg));
	err = rekey_conn_send(conn, msg, out->offer_len, flags);
	explicit_bzero(msg, sizeof(msg));
	if (err) {
		if (seq == conn->rx.now.seq && out->offer_len)
			*unsent = true;
		return err;
	}
	conn->pool->c.offers++;
	if (flags & PSP_REKEY_OUT_OF_BAND)
		conn->pool->c.out_of_band++;
	if (conn->dead || seq != conn->rx.now.seq)
		return 0;
	if (!rekey_conn_keeps_offer(conn) && !out->offer_unsent &&
	    !out->offer_beside)
		rekey_conn_wipe_offer(conn);
	return 0;
}

/* A way beside the connection; without one, what there was has to do */
static int rekey_conn_pump_beside(struct psp_rekey_conn *conn)
{
	int err = rekey_conn_send_offer(conn, PSP_REKEY_OUT_OF_BAND,
					&conn->out.offer_beside);

	if (!rekey_conn_is_live(conn) || err == -EAGAIN)
		return err;
	if (err)
		conn->out.offer_beside = false;
	rekey_conn_event(conn, PSP_REKEY_EV_STUCK, err ? -EKEYEXPIRED : 0);
	return 0;
}

/*
 * When the first offer is out the peer's may be used: nothing plain will
 * follow.
 */
static int rekey_conn_pump_offer(struct psp_rekey_conn *conn)
{
	int err = rekey_conn_send_offer(conn, 0, &conn->out.offer_unsent);

	if (err || !rekey_conn_is_live(conn))
		return err;
	conn->out.first_sent = true;
	if (!conn->tx.on)
		rekey_tx_try(conn);
	return 0;
}

static int rekey_conn_pump_answer(struct psp_rekey_conn *conn)
{
	struct rekey_msg msg = conn->tx.answer;
	uint8_t buf[PSP_REKEY_MSG_MAX];
	int err;

	conn->out.answer = false;
	err = rekey_conn_send(conn, buf, rekey_msg_put(&msg, buf), 0);
	if (conn->dead)
		return err;
	if (err)
		conn->out.answer = true;
	else if (msg.type == REKEY_MSG_ACK)
		conn->pool->c.acks++;
	return err;
}

static int rekey_conn_pump_complaint(struct psp_rekey_conn *conn)
{
	const struct rekey_msg msg = {
		.type = REKEY_MSG_REFUSE,
		.seq = conn->out.complaint_seq,
		.reason = REKEY_WHY_PROTOCOL,
	};
	uint8_t buf[PSP_REKEY_MSG_MAX];
	int err;

	conn->out.complaint = false;
	err = rekey_conn_send(conn, buf, rekey_msg_put(&msg, buf), 0);
	if (!conn->dead && err)
		conn->out.complaint = true;
	return err;
}

/* What is to be sent next by a channel that takes something; NULL: nothing */
static rekey_pump_fn rekey_conn_next(const struct psp_rekey_conn *conn)
{
	const struct rekey_out *out = &conn->out;

	if (out->offer_beside && !out->beside_blocked)
		return rekey_conn_pump_beside;
	if (out->blocked)
		return NULL;
	if (out->answer)
		return rekey_conn_pump_answer;
	if (out->offer_unsent)
		return rekey_conn_pump_offer;
	if (out->complaint)
		return rekey_conn_pump_complaint;
	return NULL;
}

/* A channel is blocked until the callback says, even before it returns */
static int rekey_conn_pump_one(struct psp_rekey_conn *conn, rekey_pump_fn fn)
{
	struct rekey_out *out = &conn->out;
	bool *blocked = fn == rekey_conn_pump_beside ? &out->beside_blocked :
						       &out->blocked;
	int err;

	*blocked = true;
	err = fn(conn);
	if (err == -EAGAIN)
		return 0;
	*blocked = false;
	return err;
}

/* Callbacks that come back here leave the rest to the one who is at it */
void rekey_conn_pump(struct psp_rekey_conn *conn)
{
	rekey_pump_fn fn;
	int err = 0;

	if (conn->pumping)
		return;
	conn->pumping = true;
	while (!err && rekey_conn_is_live(conn) && (fn = rekey_conn_next(conn)))
		err = rekey_conn_pump_one(conn, fn);
	conn->pumping = false;
	if (err)
		rekey_conn_fail(conn, err);
}

void psp_rekey_conn_writable(struct psp_rekey_conn *conn)
{
	rekey_conn_hold(conn);
	conn->out.blocked = false;
	conn->out.beside_blocked = false;
	rekey_conn_pump(conn);
	rekey_conn_put(conn);
}

void psp_rekey_conn_drained(struct psp_rekey_conn *conn)
{
	rekey_conn_hold(conn);
	if (rekey_conn_is_live(conn) && !conn->tx.on)
		rekey_tx_try(conn);
	rekey_conn_pump(conn);
	rekey_conn_put(conn);
}

void rekey_conn_go_beside(struct psp_rekey_conn *conn)
{
	conn->out.offer_beside = true;
	conn->out.beside_blocked = false;
}

/*
 * Before the peer's first key is in use our first offer is the last that we
 * say in plain. By another channel it could come before the plain one, for
 * which the peer would be deaf then.
 */
static bool rekey_conn_may_resend(const struct psp_rekey_conn *conn,
				  unsigned int flags)
{
	if (flags & PSP_REKEY_OUT_OF_BAND)
		return conn->rx.any_acked;
	return conn->tx.on || conn->out.offer_unsent;
}

int psp_rekey_conn_resend(struct psp_rekey_conn *conn, unsigned int flags)
{
	struct rekey_out *out = &conn->out;

	if (conn->failed)
		return -ENOTCONN;
	if (!conn->rx.open)
		return -EALREADY;
	if (!out->offer_len)
		return -ENOKEY;
	if (!rekey_conn_may_resend(conn, flags))
		return -EBUSY;
	rekey_conn_hold(conn);
	if (flags & PSP_REKEY_OUT_OF_BAND)
		rekey_conn_go_beside(conn);
	else
		out->offer_unsent = true;
	rekey_conn_pump(conn);
	rekey_conn_put(conn);
	return 0;
}

/*
 * Of a version that is not known. An answer is not answered: its number is one
 * of ours. The first offer cannot be refused in plain, and no other will come.
 */
static void rekey_conn_complain(struct psp_rekey_conn *conn,
				const struct rekey_msg *msg)
{
	if (msg->type != REKEY_MSG_OFFER)
		return;
	conn->pool->c.refusals++;
	if (!conn->tx.on) {
		rekey_conn_fail(conn, -EPROTONOSUPPORT);
		return;
	}
	conn->out.complaint = true;
	conn->out.complaint_seq = msg->seq;
}

static int rekey_conn_dispatch(struct psp_rekey_conn *conn,
			       const struct rekey_msg *msg, int err)
{
	switch (err) {
	case 0:
		if (msg->type == REKEY_MSG_OFFER)
			rekey_tx_offer(conn, msg);
		else
			rekey_rx_answer(conn, msg);
		return 0;
	case -EPROTONOSUPPORT:
		rekey_conn_complain(conn, msg);
		break;
	case -EOPNOTSUPP:
		/* A later version's hint, which it does not rely on */
		err = 0;
		break;
	}
	conn->pool->c.messages_bad++;
	return err;
}

int psp_rekey_conn_input(struct psp_rekey_conn *conn, const void *buf,
			 size_t len)
{
	struct rekey_msg msg;
	int err;

	if (!rekey_conn_is_live(conn))
		return -ENOTCONN;
	rekey_conn_hold(conn);
	err = rekey_msg_get(&msg, buf, len);
	err = rekey_conn_dispatch(conn, &msg, err);
	explicit_bzero(&msg, sizeof(msg));
	rekey_conn_pump(conn);
	rekey_conn_put(conn);
	return err;
}

static int rekey_conn_check(const struct psp_rekey_conn_config *config)
{
	const unsigned int flags = PSP_REKEY_KEEP_OFFER |
				   PSP_REKEY_SECRET_CHANNEL;

	if (!config->ops || !config->ops->send || !config->dev_id ||
	    config->flags & ~flags || !psp_version_key_len(config->version))
		return -EINVAL;
	/* The next key must not be read by those who can read the data */
	if (config->version >= 2 && !(config->flags & PSP_REKEY_SECRET_CHANNEL))
		return -EINVAL;
	return 0;
}

static int rekey_conn_configure(struct psp_rekey_conn_config *to,
				const struct psp_rekey_conn_config *from)
{
	int err;

	if (from->size < REKEY_CONN_CONFIG_MIN)
		return -EINVAL;
	err = rekey_config_get(to, sizeof(*to), from, from->size);
	return err ? err : rekey_conn_check(to);
}

static int rekey_conn_new(struct psp_rekey_pool *pool,
			  const struct psp_rekey_conn_config *config,
			  struct psp_rekey_conn **ret)
{
	struct psp_rekey_conn *conn;
	int err;

	if (rekey_heap_reserve(&pool->heap,
			       pool->timers_needed + REKEY_TIMERS))
		return -ENOMEM;
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->pool = pool;
	err = rekey_conn_configure(&conn->config, config);
	if (err) {
		free(conn);
		return err;
	}
	rekey_rx_init(conn);
	rekey_tx_init(conn);
	conn->first_timer.fn = rekey_conn_is_slow;
	*ret = conn;
	return 0;
}

int psp_rekey_conn_add(struct psp_rekey_pool *pool,
		       const struct psp_rekey_conn_config *config,
		       struct psp_rekey_conn **ret)
{
	struct psp_rekey_conn *conn;
	int err;

	err = rekey_conn_new(pool, config, &conn);
	if (err)
		return err;
	conn->dev = rekey_dev_get(pool, config->dev_id, &err);
	if (!conn->dev)
		goto err_free;
	err = rekey_rx_first(conn);
	if (err)
		goto err_put_dev;

	TAILQ_INSERT_TAIL(&conn->dev->conns, conn, node);
	pool->timers_needed += REKEY_TIMERS;
	pool->c.connections++;
	rekey_pool_arm(pool, &conn->first_timer,
		       pool->config.first_ms * REKEY_US_PER_MS);
	rekey_rx_check_first(conn);
	*ret = conn;	/* for the callbacks, which may free what it is in */
	rekey_conn_hold(conn);
	rekey_conn_pump(conn);
	if (conn->dead)
		err = -ECANCELED;
	rekey_conn_put(conn);
	return err;

err_put_dev:
	rekey_dev_put(conn->dev);
err_free:
	free(conn);
	return err;
}

void psp_rekey_conn_del(struct psp_rekey_conn *conn)
{
	struct psp_rekey_pool *pool;

	if (!conn)
		return;
	pool = conn->pool;
	rekey_conn_hold(conn);
	rekey_conn_stop(conn);
	conn->dead = true;
	TAILQ_REMOVE(&conn->dev->conns, conn, node);
	rekey_dev_put(conn->dev);
	conn->dev = NULL;
	pool->timers_needed -= REKEY_TIMERS;
	pool->c.connections--;
	rekey_conn_put(conn);
}
