// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets, and acknowledgments of time-wait sockets: TCP sends them without the
 * socket of the connection, so there is none that could validate them.
 *
 * Each such segment gets a small socket of its own, which holds the tx key and
 * lives as long as the segment. They are rare enough for that, and neither the
 * state nor a rekey has to care for segments under way. The protocol's owner
 * makes each of them hold the module, and the key holds the memory of the PSP
 * device.
 *
 * They are no users of the device (&psp_dev.users): a reply may outlast the
 * last state, and the hooks. It needs none. At the PSP device the validation is
 * enough, as for all segments, and out of a container there is no way without
 * the hook at the other end (psp_dev_is_way_out_rcu()). If somebody leads it
 * back into a device, nobody is left there who would trust the mark.
 */
#include <linux/module.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "psp.h"

/* Large enough for all who look at the socket of a segment in output */
struct psp_reply_sock {
	struct inet_sock inet;
#if IS_ENABLED(CONFIG_IPV6)
	struct ipv6_pinfo inet6;
#endif
};

static struct proto psp_reply_proto = {
	.name		= "PSP-REPLY",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct psp_reply_sock),
};

int __init psp_reply_init(void)
{
	return proto_register(&psp_reply_proto, 0);
}

void psp_reply_exit(void)
{
	proto_unregister(&psp_reply_proto);
}

/**
 * psp_reply_assoc() - tx key of a reply
 * @sk: socket made by psp_reply_set_owner()
 *
 * Return: the key, good as long as the socket.
 */
struct psp_assoc *psp_reply_assoc(const struct sock *sk)
{
	return sk->sk_user_data;
}

static void psp_reply_destruct(struct sock *sk)
{
	psp_assoc_put(psp_reply_assoc(sk));
}

static struct psp_assoc *psp_reply_get_key(struct psp_sock *ps)
{
	struct psp_assoc *pas = rcu_dereference(ps->tx);

	return pas && refcount_inc_not_zero(&pas->refcnt) ? pas : NULL;
}

/* The UDP source port of the connection's packets is made from it */
static u32 psp_reply_hash(const struct psp_sock *ps)
{
	const struct sock *sk = rcu_dereference(ps->sk);

	return sk ? READ_ONCE(sk->sk_hash) : ps->hash;
}

static struct sock *psp_reply_sock_create(const struct psp_sock *ps,
					  int family, struct psp_assoc *pas)
{
	struct sock *sk;

	sk = sk_alloc(ps->net, family, GFP_ATOMIC, &psp_reply_proto, 1);
	if (!sk)
		return NULL;

	sock_init_data(NULL, sk);
#if IS_ENABLED(CONFIG_IPV6)
	inet_sk(sk)->pinet6 = &((struct psp_reply_sock *)sk)->inet6;
#endif
	sk->sk_hash = psp_reply_hash(ps);
	sk->sk_user_data = pas;
	sk->sk_destruct = psp_reply_destruct;
	sk->sk_validate_xmit_skb = psp_validate_xmit_reply;

	return sk;
}

/**
 * psp_reply_set_owner() - make a reply go out under the key of a connection
 * @skb: reset or acknowledgment in LOCAL_OUT
 * @ps: state of the connection that it speaks for; has a tx key
 *
 * Context: RCU read section.
 * Return: false if there is no memory: the reply must be dropped.
 */
bool psp_reply_set_owner(struct sk_buff *skb, struct psp_sock *ps)
{
	int family = skb->protocol == htons(ETH_P_IPV6) ? PF_INET6 : PF_INET;
	struct psp_assoc *pas;
	struct sock *sk;

	pas = psp_reply_get_key(ps);
	if (!pas)
		return false;

	sk = psp_reply_sock_create(ps, family, pas);
	if (!sk) {
		psp_assoc_put(pas);
		return false;
	}

	skb_orphan(skb);
	skb_set_owner_w(skb, sk);
	skb->decrypted = 1;
	/* The segment is the only user from now on */
	sock_put(sk);

	return true;
}
