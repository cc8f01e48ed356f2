// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that a rotation has left without a usable rx key.
 *
 * The rotation itself looks at no socket. If somebody listens, or traces, a
 * worker walks all of them afterwards and announces those that have become
 * stale. One that is rekeyed before the worker comes to it is not stale any
 * more, and not announced.
 */
#include <net/net_namespace.h>

#include "psp.h"
#include "psp_trace.h"

/* Sockets to be announced at a time */
#define PSP_STALE_BATCH	16

/**
 * struct psp_stale_sock - a stale socket, to be announced
 * @net: its namespace, referenced; NULL if that is going away
 * @cookie: its cookie
 * @spi: SPI of its current rx association
 */
struct psp_stale_sock {
	struct net *net;
	u64 cookie;
	__be32 spi;
};

/**
 * struct psp_stale_walk - one walk over the sockets of a device
 * @psd: device
 * @id: number of the state to go on with
 * @from: first epoch whose sockets are to be announced
 * @to: the last one
 * @socks: sockets found
 * @num: their number
 */
struct psp_stale_walk {
	struct psp_dev *psd;
	unsigned long id;
	u64 from;
	u64 to;
	struct psp_stale_sock socks[PSP_STALE_BATCH];
	unsigned int num;
};

/**
 * psp_stale_announce() - the device key has been rotated
 * @psd: device, locked
 */
void psp_stale_announce(struct psp_dev *psd)
{
	lockdep_assert_held(&psd->lock);

	if (psd->epoch < PSP_LIVE_EPOCHS)
		return;
	if (!trace_psp_sock_stale_enabled() && !psp_nl_stale_wanted(psd))
		return;

	if (!psd->stale_pending)
		psd->stale_from = psd->epoch - PSP_LIVE_EPOCHS;
	psd->stale_pending = true;

	psp_dev_get(psd);
	if (!queue_work(psp_wq, &psd->stale_work))
		psp_dev_put(psd);
}

/* Remember a socket if it is one of those */
static void psp_stale_look(struct psp_stale_walk *walk,
			   const struct psp_sock *ps)
{
	const struct psp_rx_assoc *ra = rcu_dereference(ps->rx_cur);
	struct psp_stale_sock *sock = &walk->socks[walk->num];

	/* Nobody can rekey what is in time-wait */
	if (!rcu_access_pointer(ps->sk) ||
	    ra->key.epoch < walk->from || ra->key.epoch > walk->to)
		return;

	trace_psp_sock_stale(ps, ra->key.spi);
	sock->net = maybe_get_net(ps->net);
	sock->cookie = ps->cookie;
	sock->spi = ra->key.spi;
	walk->num++;
}

/* Returns whether there may be more */
static bool psp_stale_collect(struct psp_stale_walk *walk)
{
	unsigned int left = PSP_LIST_BATCH;
	struct psp_sock *ps;

	lockdep_assert_held(&walk->psd->lock);

	walk->num = 0;
	rcu_read_lock();
	xa_for_each_start(&walk->psd->socks, walk->id, ps, walk->id) {
		if (!left-- || walk->num == PSP_STALE_BATCH)
			break;
		psp_stale_look(walk, ps);
	}
	rcu_read_unlock();

	return ps;
}

static void psp_stale_tell(struct psp_stale_walk *walk)
{
	const struct psp_stale_sock *sock;

	for (sock = walk->socks; sock < walk->socks + walk->num; sock++) {
		psp_nl_notify_stale(walk->psd, sock->net, sock->cookie,
				    sock->spi);
		if (sock->net)
			put_net(sock->net);
	}
}

/* One step; others may use the device before the next one */
static bool psp_stale_step(struct psp_stale_walk *walk)
{
	bool more = false;

	mutex_lock(&walk->psd->lock);
	if (psp_dev_is_registered(walk->psd)) {
		more = psp_stale_collect(walk);
		psp_stale_tell(walk);
	}
	mutex_unlock(&walk->psd->lock);
	cond_resched();

	return more;
}

/**
 * psp_stale_work() - announce sockets that have become stale
 * @work: &psp_dev.stale_work; holds a reference on the device
 */
void psp_stale_work(struct work_struct *work)
{
	struct psp_dev *psd = container_of(work, struct psp_dev, stale_work);
	struct psp_stale_walk walk = { .psd = psd };
	bool more;

	/* A rotation that came while this was about to begin is included, and
	 * has nothing left for the run that it has queued.
	 */
	mutex_lock(&psd->lock);
	walk.from = psd->stale_from;
	walk.to = psd->epoch - PSP_LIVE_EPOCHS;
	more = psd->stale_pending;
	psd->stale_pending = false;
	mutex_unlock(&psd->lock);

	while (more)
		more = psp_stale_step(&walk);

	psp_dev_put(psd);
}
