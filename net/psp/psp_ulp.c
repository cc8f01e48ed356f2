// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the state hangs on the socket, and for how long.
 *
 * The state sits in the socket's ULP slot: icsk_ulp_data, valid as soon as
 * icsk_ulp_ops is psp_ulp_ops. The stack itself keeps other ULPs, sockmap and
 * listen() away from a socket whose slot is taken, and since there is no
 * ->clone, no child ever inherits it.
 *
 * TCP empties the slot when it destroys its part of the socket, but marked
 * segments may sit in a qdisc or a ring much longer. The state therefore lives
 * until the socket's last byte of write memory is free, i.e. until
 * sk->sk_destruct. In between, sk->sk_validate_xmit_skb tells whose
 * icsk_ulp_data it is: psp_sk_state() looks at that.
 *
 * Each state holds the module twice: once for the slot, which TCP gives back,
 * and once for the destructor.
 */
#include <linux/module.h>
#include <net/netlink.h>
#include <net/tcp.h>

#include "psp.h"

static void psp_ulp_destruct(struct sock *sk);

/* Nothing to do: the state outlives the slot, see above */
static void psp_ulp_release(struct sock *sk)
{
}

/* For sock_diag: what assoc-get tells of the socket. The kernel's own nests
 * have numbers far from this one, and readers that do not know it pass it by.
 */
static int psp_ulp_get_info(struct sock *sk, struct sk_buff *skb,
			    bool net_admin)
{
	const struct psp_sock *ps;
	struct nlattr *nest;
	int err = 0;

	if (!net_admin)
		return 0;

	nest = nla_nest_start(skb, PSP_INET_ULP_INFO);
	if (!nest)
		return -EMSGSIZE;

	/* Attached before its operations were, see psp_ulp_attach() */
	rcu_read_lock();
	ps = psp_sk_state(sk);
	if (ps)
		err = psp_nl_put_sock_keys(skb, ps);
	rcu_read_unlock();
	if (err)
		return err;

	nla_nest_end(skb, nest);
	return 0;
}

static size_t psp_ulp_get_info_size(const struct sock *sk, bool net_admin)
{
	return net_admin ? nla_total_size(0) + psp_nl_sock_keys_size() : 0;
}

static struct tcp_ulp_ops psp_ulp_ops __read_mostly = {
	.name		= "psp",
	.owner		= THIS_MODULE,
	.release	= psp_ulp_release,
	.get_info	= psp_ulp_get_info,
	.get_info_size	= psp_ulp_get_info_size,
};

/**
 * psp_sk_state() - PSP state of a socket
 * @sk: full socket of any kind
 *
 * Context: the caller keeps @sk alive, or is in an RCU read section.
 * Return: the state or NULL.
 */
struct psp_sock *psp_sk_state(const struct sock *sk)
{
	/* Pairs with the barrier in psp_ulp_attach(). The only sockets with
	 * this function are the ones attached there: TCP, never cloned.
	 */
	if (smp_load_acquire(&sk->sk_validate_xmit_skb) != psp_validate_xmit)
		return NULL;

	return rcu_dereference_raw(inet_csk(sk)->icsk_ulp_data);
}

/**
 * psp_ulp_check() - is the slot of a socket free?
 * @sk: TCP socket without PSP state
 * @extack: for the reason of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int psp_ulp_check(const struct sock *sk, struct netlink_ext_ack *extack)
{
	if (READ_ONCE(inet_csk(sk)->icsk_ulp_ops)) {
		NL_SET_ERR_MSG(extack, "Socket has an upper layer protocol");
		return -EINVAL;
	}
	if (READ_ONCE(sk->sk_user_data)) {
		NL_SET_ERR_MSG(extack, "Socket is in use by another subsystem");
		return -EINVAL;
	}
	if (READ_ONCE(sk->sk_validate_xmit_skb)) {
		NL_SET_ERR_MSG(extack, "Socket has another crypto offload");
		return -EINVAL;
	}

	return 0;
}

/**
 * psp_ulp_attach() - hang a state on a socket
 * @sk: socket, locked, that psp_sock_check() has nothing against
 * @ps: state; belongs to the socket afterwards
 * @extack: for the reason of a failure
 *
 * Return: 0 or -EINVAL if something else is attached to the socket.
 */
int psp_ulp_attach(struct sock *sk, struct psp_sock *ps,
		   struct netlink_ext_ack *extack)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	int err;

	sock_owned_by_me(sk);

	write_lock_bh(&sk->sk_callback_lock);
	err = psp_ulp_check(sk, extack);
	if (err)
		goto out_unlock;

	__module_get(THIS_MODULE);
	__module_get(THIS_MODULE);
	ps->sk_destruct = sk->sk_destruct;
	sk->sk_destruct = psp_ulp_destruct;
	rcu_assign_pointer(icsk->icsk_ulp_data, ps);
	/* Readers that see one of the two see the state as well */
	smp_wmb();
	WRITE_ONCE(sk->sk_validate_xmit_skb, psp_validate_xmit);
	WRITE_ONCE(icsk->icsk_ulp_ops, &psp_ulp_ops);

out_unlock:
	write_unlock_bh(&sk->sk_callback_lock);
	return err;
}

/* The socket is gone, and so is every segment that it ever sent */
static void psp_ulp_destruct(struct sock *sk)
{
	struct psp_sock *ps = psp_sk_state(sk);

	ps->hash = sk->sk_hash;
	ps->bound_dev_if = sk->sk_bound_dev_if;
	ps->sk_destruct(sk);

	/* The memory of the socket may be used again for another one before
	 * an RCU grace period is over: nothing of us may stay in it.
	 */
	WRITE_ONCE(sk->sk_validate_xmit_skb, NULL);
	RCU_INIT_POINTER(inet_csk(sk)->icsk_ulp_data, NULL);
	rcu_assign_pointer(ps->sk, NULL);
	psp_net_linger(ps);

	/* psp_exit() waits until this function has returned as well */
	module_put(THIS_MODULE);
}
