// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * The key that a connection receives under: made when the device was rotated,
 * offered to the peer, and acknowledged by it.
 */
#include <errno.h>
#include <string.h>

#include "rekey.h"

/* What the peer sends cannot be accepted: its key is two rotations old */
static bool rekey_rx_is_cut_off(const struct psp_rekey_conn *conn)
{
	return conn->dev->rotations >= conn->rx.acked + 2;
}

/* Not if a key was made and is lost: there is no other one in the same epoch */
static bool rekey_rx_is_needed(const struct psp_rekey_conn *conn)
{
	return conn->rx.now.epoch < conn->dev->rotations &&
	       conn->rx.lost_epoch < conn->dev->rotations;
}

static void rekey_rx_arm(struct psp_rekey_conn *conn, uint64_t in_us)
{
	rekey_pool_arm(conn->pool, &conn->rx.timer, in_us);
}

/* Whatever it was up to, it is not any more; a place in flight is free */
static void rekey_rx_rest(struct psp_rekey_conn *conn)
{
	struct psp_rekey_pool *pool = conn->pool;

	rekey_timer_cancel(&pool->heap, &conn->rx.timer);
	if (conn->rx.state == REKEY_RX_FLIGHT)
		pool->in_flight--;
	if (conn->rx.state == REKEY_RX_QUEUED)
		TAILQ_REMOVE(&pool->queue, conn, rx.queue);
	conn->rx.state = REKEY_RX_IDLE;
}

static void rekey_rx_wait(struct psp_rekey_conn *conn, uint64_t in_us)
{
	rekey_rx_rest(conn);
	conn->rx.state = REKEY_RX_WAIT;
	rekey_rx_arm(conn, in_us);
}

static void rekey_rx_retry(struct psp_rekey_conn *conn)
{
	conn->pool->c.retries++;
	rekey_rx_wait(conn, rekey_pool_pause(conn->pool, ++conn->rx.tries));
}

/* Who is cut off goes before those who can wait */
static void rekey_rx_queue(struct psp_rekey_conn *conn)
{
	rekey_rx_rest(conn);
	conn->rx.state = REKEY_RX_QUEUED;
	if (rekey_rx_is_cut_off(conn))
		TAILQ_INSERT_HEAD(&conn->pool->queue, conn, rx.queue);
	else
		TAILQ_INSERT_TAIL(&conn->pool->queue, conn, rx.queue);
}

static void rekey_rx_take_off(struct psp_rekey_conn *conn)
{
	if (conn->rx.state != REKEY_RX_FLIGHT) {
		rekey_rx_rest(conn);
		conn->rx.state = REKEY_RX_FLIGHT;
		conn->pool->in_flight++;
	}
	rekey_rx_arm(conn, conn->pool->config.slow_ms * REKEY_US_PER_MS);
}

/* A new key takes the place of one that was not sent yet */
static void rekey_rx_offer(struct psp_rekey_conn *conn,
			   const struct psp_key *key, uint64_t epoch)
{
	struct rekey_rx *rx = &conn->rx;
	struct rekey_out *out = &conn->out;
	struct rekey_msg msg = {
		.type = REKEY_MSG_OFFER,
		.version = conn->config.version,
		.key = *key,
	};

	rx->prev = rx->now;
	rx->now.seq++;
	if (!rx->now.seq)	/* 0 stands for none */
		rx->now.seq++;
	rx->now.epoch = epoch;
	rx->open = true;
	rx->refused = false;
	rx->late = false;
	rx->maybe_lost = false;
	msg.seq = rx->now.seq;
	out->offer_len = rekey_msg_put(&msg, out->offer);
	out->offer_unsent = true;
	out->offer_beside = false;
	if (rx->stuck)
		rekey_conn_go_beside(conn);
	explicit_bzero(&msg, sizeof(msg));
}

static int rekey_rx_make(struct psp_rekey_conn *conn)
{
	const struct psp_rekey_pool *pool = conn->pool;
	uint64_t epoch = conn->dev->rotations;
	struct psp_key key;
	int err;

	if (conn->dev->gone)
		return conn->dev->gone;
	err = pool->ops->rx_assoc(pool->ctx, conn->config.fd, conn->dev->id,
				  conn->config.version, &key);
	if (!err)
		rekey_rx_offer(conn, &key, epoch);
	explicit_bzero(&key, sizeof(key));
	return err;
}

int rekey_rx_first(struct psp_rekey_conn *conn)
{
	int err = rekey_rx_make(conn);

	conn->rx.acked = conn->rx.now.epoch;
	return err;
}

void rekey_rx_check_first(struct psp_rekey_conn *conn)
{
	conn->rx.unsure = rekey_dev_look(conn->dev) ||
			  rekey_rx_is_needed(conn);
}

/* The peer sends under a key that is (at least) as new as that */
static void rekey_rx_heard(struct psp_rekey_conn *conn, uint64_t epoch)
{
	struct rekey_rx *rx = &conn->rx;

	if (epoch > rx->acked)
		rx->acked = epoch;
	if (rx->acked >= conn->dev->rotations)
		rekey_dev_caught_up(conn, true);
	if (rekey_rx_is_cut_off(conn))
		return;
	rekey_timer_cancel(&conn->pool->heap, &rx->stuck_timer);
	if (rx->stuck)
		conn->pool->c.recovered++;
	rx->stuck = false;
}

/* What was refused is offered again, if it is still known */
static void rekey_rx_offer_again(struct psp_rekey_conn *conn)
{
	if (conn->rx.refused && !conn->out.offer_len) {
		rekey_rx_rest(conn);
		return;
	}
	if (conn->rx.refused)
		conn->out.offer_unsent = true;
	conn->rx.refused = false;
	rekey_rx_take_off(conn);
}

/*
 * -EBUSY of a socket that is not in state PSP full tells nothing. Who has heard
 * the peer's answer under PSP is in that state; the kernel is asked again
 * nevertheless if it is known that there is a newer device key.
 */
static bool rekey_rx_busy_is_newest(const struct psp_rekey_conn *conn)
{
	if (conn->rx.full || !rekey_rx_is_needed(conn))
		return true;
	return conn->rx.unsure && conn->established;
}

/* No rotation since the newest key was made: that is as new as can be */
static void rekey_rx_is_newest(struct psp_rekey_conn *conn)
{
	struct rekey_rx *rx = &conn->rx;

	conn->pool->c.rx_busy++;
	if (!rekey_rx_busy_is_newest(conn)) {
		rekey_rx_retry(conn);
		return;
	}
	rx->unsure = false;
	if (rx->maybe_lost)
		rx->lost_epoch = conn->dev->rotations;
	else
		rx->now.epoch = conn->dev->rotations;
	if (!rx->open) {
		rekey_rx_rest(conn);
		rekey_rx_heard(conn, rx->now.epoch);
	} else {
		rekey_rx_offer_again(conn);
	}
}

/*
 * The kernel may have made a key, and its answer got lost. If the next one is
 * -EBUSY, then the peer has no key of this epoch, and cannot get one.
 */
static bool rekey_rx_may_be_lost(int err)
{
	return err == -ENOBUFS || err == -ENOMEM || err == -EPROTO;
}

/* It has its place in flight */
static void rekey_rx_start(struct psp_rekey_conn *conn)
{
	int err = rekey_rx_make(conn);

	switch (err) {
	case 0:
		conn->rx.full = true;
		conn->rx.tries = 0;
		rekey_rx_take_off(conn);
		break;
	case -EBUSY:
		rekey_rx_is_newest(conn);
		break;
	default:
		conn->pool->c.kernel_errors++;
		if (rekey_rx_may_be_lost(err))
			conn->rx.maybe_lost = true;
		if (rekey_error_is_final(err))
			rekey_conn_fail(conn, err);
		else
			rekey_rx_retry(conn);
	}
}

void rekey_rx_fly(struct psp_rekey_conn *conn)
{
	rekey_conn_hold(conn);
	rekey_rx_take_off(conn);
	rekey_rx_start(conn);
	rekey_conn_pump(conn);
	rekey_conn_put(conn);
}

/* Its place goes to the next; the answer may come all the same */
static void rekey_rx_is_slow(struct psp_rekey_conn *conn)
{
	if (conn->rx.open) {
		conn->rx.late = true;
		conn->pool->c.late++;
	}
	rekey_rx_rest(conn);
}

static void rekey_rx_timer(struct rekey_timer *timer)
{
	struct psp_rekey_conn *conn =
		rekey_container_of(timer, struct psp_rekey_conn, rx.timer);

	if (conn->rx.state == REKEY_RX_WAIT)
		rekey_rx_queue(conn);
	else if (rekey_rx_is_needed(conn))
		rekey_rx_fly(conn);
	else
		rekey_rx_is_slow(conn);
}

/*
 * The peer has not switched, and two rotations have gone: it cannot be heard.
 * If it hears us, it has had the time to switch. So it does not.
 */
static void rekey_rx_stuck(struct rekey_timer *timer)
{
	struct psp_rekey_conn *conn =
		rekey_container_of(timer, struct psp_rekey_conn,
				   rx.stuck_timer);

	conn->rx.stuck = true;
	conn->pool->c.stuck++;
	rekey_conn_hold(conn);
	if (conn->out.offer_len)
		rekey_conn_go_beside(conn);
	else
		rekey_conn_event(conn, PSP_REKEY_EV_STUCK, -EKEYEXPIRED);
	rekey_conn_pump(conn);
	rekey_conn_put(conn);
}

/* Cut off: it is late enough. Else: some time within the window. */
static uint64_t rekey_rx_delay(const struct psp_rekey_conn *conn)
{
	const struct psp_rekey_pool *pool = conn->pool;

	if (rekey_rx_is_cut_off(conn))
		return 0;
	return rekey_pool_random(pool, pool->config.window_ms *
				       REKEY_US_PER_MS);
}

void rekey_rx_rotated(struct psp_rekey_conn *conn)
{
	struct psp_rekey_pool *pool = conn->pool;
	struct rekey_rx *rx = &conn->rx;

	if (!rekey_conn_is_live(conn) || !rekey_rx_is_needed(conn))
		return;
	if (!rx->behind) {
		rx->behind = true;
		conn->dev->behind++;
	}
	rx->tries = 0;
	if (rx->state == REKEY_RX_FLIGHT)
		rekey_rx_arm(conn, 0);	/* what is on the way is old already */
	else if (rx->state != REKEY_RX_QUEUED)
		rekey_rx_wait(conn, rekey_rx_delay(conn));
	if (rekey_rx_is_cut_off(conn) && !rx->stuck &&
	    !rekey_timer_is_armed(&rx->stuck_timer))
		rekey_pool_arm(pool, &rx->stuck_timer,
			       pool->config.stuck_ms * REKEY_US_PER_MS);
}

void rekey_rx_established(struct psp_rekey_conn *conn)
{
	if (conn->rx.state != REKEY_RX_WAIT || !rekey_rx_is_needed(conn))
		return;
	conn->rx.tries = 0;
	rekey_rx_wait(conn, rekey_rx_delay(conn));
}

void rekey_rx_dev_gone(struct psp_rekey_conn *conn)
{
	if (rekey_conn_is_live(conn) && conn->rx.state != REKEY_RX_QUEUED)
		rekey_rx_wait(conn, 0);
}

static void rekey_rx_acked(struct psp_rekey_conn *conn)
{
	struct rekey_rx *rx = &conn->rx;
	bool first = !rx->any_acked;

	if (!rx->open)
		return;
	rx->open = false;
	rx->any_acked = true;
	rx->tries = 0;
	if (rx->late)
		conn->pool->c.late_done++;
	rx->late = false;
	rekey_conn_wipe_offer(conn);
	rekey_rx_heard(conn, rx->now.epoch);
	if (!rekey_rx_is_needed(conn))
		rekey_rx_rest(conn);
	if (first) {
		rekey_conn_try_established(conn);
		return;
	}
	conn->pool->c.rx_rekeys++;
	rekey_conn_event(conn, PSP_REKEY_EV_RX_REKEYED, 0);
}

/* The peer goes on to try by itself: there is nothing to wait for */
static void rekey_rx_deferred(struct psp_rekey_conn *conn)
{
	if (!conn->rx.open)
		return;
	conn->pool->c.deferred++;
	if (conn->rx.state == REKEY_RX_FLIGHT && !rekey_rx_is_needed(conn))
		rekey_rx_is_slow(conn);
	rekey_conn_event(conn, PSP_REKEY_EV_LATER, 0);
}

/* What is known of the key is offered again, or else a new one if there is */
static void rekey_rx_refused(struct psp_rekey_conn *conn)
{
	if (!conn->rx.open)
		return;
	conn->rx.refused = true;
	conn->pool->c.refused++;
	if (!conn->rx.any_acked) {
		rekey_conn_fail(conn, -ECONNREFUSED);
		return;
	}
	rekey_rx_retry(conn);
	rekey_conn_event(conn, PSP_REKEY_EV_REFUSED, -ECONNREFUSED);
}

void rekey_rx_answer(struct psp_rekey_conn *conn, const struct rekey_msg *msg)
{
	struct rekey_rx *rx = &conn->rx;

	if (msg->seq != rx->now.seq) {
		if (msg->type != REKEY_MSG_ACK)
			return;
		conn->pool->c.acks_old++;
		if (rx->prev.seq && msg->seq == rx->prev.seq) {
			rx->any_acked = true;
			rekey_rx_heard(conn, rx->prev.epoch);
			rekey_conn_try_established(conn);
		}
		return;
	}
	if (msg->type == REKEY_MSG_ACK)
		rekey_rx_acked(conn);
	else if (msg->type == REKEY_MSG_LATER)
		rekey_rx_deferred(conn);
	else
		rekey_rx_refused(conn);
}

void rekey_rx_init(struct psp_rekey_conn *conn)
{
	conn->rx.timer.fn = rekey_rx_timer;
	conn->rx.stuck_timer.fn = rekey_rx_stuck;
}

void rekey_rx_stop(struct psp_rekey_conn *conn)
{
	rekey_rx_rest(conn);
	rekey_timer_cancel(&conn->pool->heap, &conn->rx.stuck_timer);
	rekey_dev_caught_up(conn, false);
}
