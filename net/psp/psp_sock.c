// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a socket's PSP state: rx-assoc, tx-assoc, rekeying.
 */
#include <linux/rcupdate.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "psp.h"
#include "psp_trace.h"

/* Both are replaced under the lock of the device */
static struct psp_rx_assoc *psp_sock_rx_cur(const struct psp_sock *ps)
{
	return rcu_dereference_protected(ps->rx_cur,
					 lockdep_is_held(&ps->psd->lock));
}

static struct psp_rx_assoc *psp_sock_rx_prev(const struct psp_sock *ps)
{
	return rcu_dereference_protected(ps->rx_prev,
					 lockdep_is_held(&ps->psd->lock));
}

/**
 * psp_sock_check() - may the socket have PSP state at all?
 * @sk: TCP socket, locked or not: psp_sock_set_rx() asks again
 * @extack: for the reason of a refusal
 *
 * Return: 0, or -EINVAL.
 */
int psp_sock_check(struct sock *sk, struct netlink_ext_ack *extack)
{
	struct proto *prot = READ_ONCE(sk->sk_prot);
	bool plain_tcp = prot == &tcp_prot;

#if IS_ENABLED(CONFIG_IPV6)
	plain_tcp |= prot == &tcpv6_prot;
#endif
	if (!plain_tcp) {
		NL_SET_ERR_MSG(extack, "Socket is not plain TCP");
		return -EINVAL;
	}
	if (inet_sk_state_load(sk) == TCP_LISTEN) {
		NL_SET_ERR_MSG(extack, "Socket is listening");
		return -EINVAL;
	}

	return psp_sk_state(sk) ? 0 : psp_ulp_check(sk, extack);
}

static int psp_sock_check_match(const struct psp_sock *ps,
				const struct psp_dev *psd, u8 version,
				struct netlink_ext_ack *extack)
{
	if (ps->psd != psd) {
		NL_SET_ERR_MSG(extack, "Rx key is from a different device");
		return -EXDEV;
	}
	if (ps->version != version) {
		NL_SET_ERR_MSG(extack, "PSP version differs from the Rx key's");
		return -EINVAL;
	}

	return 0;
}

/* Rekeying before the peer is known to have both keys could cut it off */
static int psp_sock_check_full(const struct psp_sock *ps,
			       struct netlink_ext_ack *extack)
{
	if (ps->mode != PSP_SOCK_TX) {
		NL_SET_ERR_MSG(extack, "Socket has no Tx key yet");
		return -EBUSY;
	}
	if (!READ_ONCE(ps->peer_tx)) {
		NL_SET_ERR_MSG(extack, "Peer has not sent with PSP yet");
		return -EBUSY;
	}

	return 0;
}

/* First rx-assoc: make the state and hang it on the socket */
static int psp_sock_attach(struct sock *sk, struct psp_dev *psd, u8 version,
			   struct psp_key_parsed *key,
			   struct netlink_ext_ack *extack)
{
	struct psp_rx_assoc *ra;
	struct psp_sock *ps;
	int err;

	ps = psp_state_alloc(sk, psd, version);
	if (!ps) {
		psp_net_put(sock_net(sk), psd);
		return -ENOMEM;
	}

	err = psp_flow_link(ps, &ps->wire);
	if (err)
		goto err_free_ps;

	err = psp_list_add(ps);
	if (err)
		goto err_free_ps;

	ra = psp_rx_assoc_create(ps, version, key, extack);
	if (IS_ERR(ra)) {
		err = PTR_ERR(ra);
		goto err_free_ps;
	}
	rcu_assign_pointer(ps->rx_cur, ra);
	psp_epoch_sock_add(psd, ra->key.epoch);

	err = psp_ulp_attach(sk, ps, extack);
	if (err)
		goto err_wipe_key;

	trace_psp_sock_rx_set(ps, ra->key.spi);
	return 0;

err_wipe_key:
	memzero_explicit(key, sizeof(*key));
err_free_ps:
	psp_state_free(ps);
	return err;
}

/* The current association becomes the previous one, the one before it ends */
static int psp_sock_rekey_rx(struct psp_sock *ps, struct psp_key_parsed *key,
			     struct netlink_ext_ack *extack)
{
	struct psp_rx_assoc *cur = psp_sock_rx_cur(ps);
	struct psp_dev *psd = ps->psd;
	struct psp_rx_assoc *ra;
	int err;

	err = psp_sock_check_full(ps, extack);
	if (err)
		return err;
	if (cur->key.epoch == psd->epoch) {
		NL_SET_ERR_MSG(extack, "Device key has not been rotated since");
		return -EBUSY;
	}

	ra = psp_rx_assoc_create(ps, ps->version, key, extack);
	if (IS_ERR(ra))
		return PTR_ERR(ra);

	psp_epoch_sock_add(psd, ra->key.epoch);
	psp_epoch_sock_del(psd, cur->key.epoch);
	psp_rx_assoc_destroy(psp_sock_rx_prev(ps));
	rcu_assign_pointer(ps->rx_prev, cur);
	rcu_assign_pointer(ps->rx_cur, ra);
	ps->rx_rekeys++;
	psd->rekey.rx_rekeys++;
	trace_psp_sock_rx_rekey(ps, ra->key.spi);

	return 0;
}

static int psp_sock_set_rx_locked(struct sock *sk, struct psp_dev *psd,
				  u8 version, struct psp_key_parsed *key,
				  bool *net_used,
				  struct netlink_ext_ack *extack)
{
	struct psp_sock *ps;
	int err;

	err = psp_sock_check(sk, extack);
	if (err)
		return err;

	ps = psp_sk_state(sk);
	if (!ps) {
		*net_used = true;
		return psp_sock_attach(sk, psd, version, key, extack);
	}

	err = psp_sock_check_match(ps, psd, version, extack);
	if (err)
		return err;

	return psp_sock_rekey_rx(ps, key, extack);
}

/**
 * psp_sock_set_rx() - rx-assoc: get an rx key for a socket, or a newer one
 * @sk: TCP socket
 * @psd: device, locked
 * @version: PSP version that the device has
 * @key: filled in with SPI and key; the caller wipes it
 * @extack: for the reason of a refusal
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno, with nothing changed: -EINVAL, -EBUSY where
 * no rekey is allowed, -EXDEV for a device other than the state's, -ENOMEM, or
 * what the driver gives, such as -ENOSPC.
 */
int psp_sock_set_rx(struct sock *sk, struct psp_dev *psd, u8 version,
		    struct psp_key_parsed *key, struct netlink_ext_ack *extack)
{
	struct net *net = sock_net(sk);
	bool net_used = false;
	int err;

	lockdep_assert_held(&psd->lock);

	/* The hooks must see every segment before any state exists */
	err = psp_net_get(net, psd);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cannot hook into the network stack");
		return err;
	}

	lock_sock(sk);
	err = psp_sock_set_rx_locked(sk, psd, version, key, &net_used, extack);
	release_sock(sk);

	if (!net_used)
		psp_net_put(net, psd);

	return err;
}

/* Is there anything to be read, an end of the stream included, that was not
 * authenticated?
 */
static int psp_sock_check_queues(struct sock *sk,
				 struct netlink_ext_ack *extack)
{
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb)
		if (!skb->decrypted)
			goto err_plain;

	skb_rbtree_walk(skb, &tcp_sk(sk)->out_of_order_queue)
		if (!skb->decrypted)
			goto err_plain;

	return 0;

err_plain:
	NL_SET_ERR_MSG(extack, "Socket has plain text in its receive queue");
	return -EBUSY;
}

/* No segment may hold bytes from both sides of the latch, however TCP merges
 * or collapses what is queued.
 */
static void psp_sock_fence_queues(struct sock *sk)
{
	struct sk_buff *skb;

	skb = tcp_write_queue_tail(sk);
	if (skb)
		TCP_SKB_CB(skb)->eor = 1;
	skb = tcp_rtx_queue_tail(sk);
	if (skb)
		TCP_SKB_CB(skb)->eor = 1;
}

/* From here on every new byte leaves under PSP */
static void psp_sock_commit_tx(struct sock *sk, struct psp_sock *ps,
			       struct psp_assoc *pas)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	ps->tx_latch = tp->write_seq;
	ps->tx_latched = tp->snd_una != tp->write_seq;
	ps->tx_first_seq = psp_sock_first_seq(sk);
	ps->rx_latch = tp->rcv_nxt;
	psp_sock_fence_queues(sk);

	ps->tx_born = psp_list_now();
	rcu_assign_pointer(ps->tx, pas);
	psp_sock_set_mode(ps, PSP_SOCK_TX);

	icsk->icsk_ext_hdr_len += PSP_OVERHEAD;
	icsk->icsk_sync_mss(sk, icsk->icsk_pmtu_cookie);

	trace_psp_sock_tx_set(ps, pas->tx.spi);
	psp_state_check_full(ps);
}

/* Wait until segments that were judged before the socket refused plain text
 * have reached its queues. Other requests on the device go on meanwhile, and
 * share the grace period. Some of them may take the device away.
 */
static int psp_sock_drain_rx(struct psp_dev *psd, const struct net *caller,
			     struct netlink_ext_ack *extack)
{
	int err;

	mutex_unlock(&psd->lock);
	synchronize_rcu_expedited();
	mutex_lock(&psd->lock);

	if (!psp_dev_is_registered(psd)) {
		NL_SET_ERR_MSG(extack, "Device has been unregistered");
		return -ENODEV;
	}

	err = psp_dev_check_access(psd, caller);
	if (err)
		NL_SET_ERR_MSG(extack,
			       "PSP device has left this namespace meanwhile");

	return err;
}

/* First tx-assoc. The hook judges segments before the socket lock is taken, so
 * plain text judged acceptable just before must not arrive just after the look
 * into the queues: refuse plain text first, look later.
 */
static int psp_sock_first_tx(struct sock *sk, struct psp_sock *ps,
			     const struct psp_key_parsed *key,
			     const struct net *caller,
			     struct netlink_ext_ack *extack)
{
	struct psp_dev *psd = ps->psd;
	struct psp_assoc *pas;
	int err;

	err = psp_sock_check_queues(sk, extack);
	if (err)
		return err;

	psp_sock_set_mode(ps, PSP_SOCK_TX_PENDING);
	trace_psp_sock_tx_pending(ps, key->spi);
	release_sock(sk);
	err = psp_sock_drain_rx(psd, caller, extack);
	lock_sock(sk);
	if (err)
		goto err_leave_pending;

	pas = psp_tx_key_create(psd, ps->version, key, extack);
	if (IS_ERR(pas)) {
		err = PTR_ERR(pas);
		goto err_leave_pending;
	}

	/* lock_sock() has waited for the backlog as well */
	err = psp_sock_check_queues(sk, extack);
	if (err)
		goto err_destroy_key;

	psp_sock_commit_tx(sk, ps, pas);
	return 0;

err_destroy_key:
	psp_tx_key_destroy(pas);
err_leave_pending:
	psp_sock_set_mode(ps, PSP_SOCK_RX);
	trace_psp_sock_tx_undo(ps, key->spi);
	return err;
}

/* The new key is in the device before the old one is let go; what is handed to
 * the device after the swap, retransmissions included, bears the new one.
 */
static int psp_sock_rekey_tx(struct sock *sk, struct psp_sock *ps,
			     const struct psp_key_parsed *key,
			     struct netlink_ext_ack *extack)
{
	struct psp_assoc *pas, *old;

	pas = psp_tx_key_create(ps->psd, ps->version, key, extack);
	if (IS_ERR(pas))
		return PTR_ERR(pas);

	old = rcu_replace_pointer(ps->tx, pas, lockdep_sock_is_held(sk));
	psp_assoc_put(old);
	ps->tx_born = psp_list_now();
	ps->tx_rekeys++;
	ps->psd->rekey.tx_rekeys++;
	trace_psp_sock_tx_rekey(ps, pas->tx.spi);

	return 0;
}

static int psp_sock_set_tx_locked(struct sock *sk, struct psp_dev *psd,
				  u8 version, const struct psp_key_parsed *key,
				  const struct net *caller,
				  struct netlink_ext_ack *extack)
{
	struct psp_sock *ps = psp_sk_state(sk);
	int err;

	if (!ps) {
		NL_SET_ERR_MSG(extack, "Socket has no Rx key");
		return -EINVAL;
	}

	err = psp_sock_check_match(ps, psd, version, extack);
	if (err)
		return err;

	switch (ps->mode) {
	case PSP_SOCK_RX:
		return psp_sock_first_tx(sk, ps, key, caller, extack);
	case PSP_SOCK_TX_PENDING:
		NL_SET_ERR_MSG(extack, "Tx key is just being set");
		return -EBUSY;
	}

	err = psp_sock_check_full(ps, extack);
	if (err)
		return err;

	return psp_sock_rekey_tx(sk, ps, key, extack);
}

/**
 * psp_sock_set_tx() - tx-assoc: give a socket its tx key, or a newer one
 * @sk: TCP socket
 * @psd: device, locked and referenced; @psd->lock may be released in between
 * @version: PSP version
 * @key: SPI and key chosen by the peer
 * @caller: namespace of the caller, which may use the device
 * @extack: for the reason of a refusal
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno, with nothing changed: -EINVAL, -EXDEV for a
 * device other than the rx association's, -EBUSY where no rekey is allowed or
 * if plain text is waiting to be read, -ENODEV, -ENOENT if @caller may not use
 * the device any more, -ENOMEM, or what the driver gives, such as -ENOSPC.
 */
int psp_sock_set_tx(struct sock *sk, struct psp_dev *psd, u8 version,
		    const struct psp_key_parsed *key, const struct net *caller,
		    struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&psd->lock);

	lock_sock(sk);
	err = psp_sock_set_tx_locked(sk, psd, version, key, caller, extack);
	release_sock(sk);

	return err;
}
