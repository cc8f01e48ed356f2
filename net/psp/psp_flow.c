// SPDX-License-Identifier: GPL-2.0-only
/*
 * From addresses and ports to the state of a socket, where there is no socket
 * to ask: TCP sends resets and the acknowledgments of time-wait sockets from a
 * socket of its own, and time-wait sockets receive.
 *
 * A state is in the table from the moment that its connection has a tuple, as
 * the hooks see it: the socket's own, before local NAT on the way out, and
 * after it on the way in. VRFs may hold several connections with one tuple, so
 * the table admits duplicates.
 */
#include <linux/rhashtable.h>

#include "psp.h"

static const struct rhashtable_params psp_flow_params = {
	.head_offset = offsetof(struct psp_sock, flow),
	.key_offset = offsetof(struct psp_sock, flow_key),
	.key_len = sizeof(struct psp_flow_key),
	.automatic_shrinking = true,
};

static struct rhltable psp_flow_table;

int __init psp_flow_init(void)
{
	return rhltable_init(&psp_flow_table, &psp_flow_params);
}

void psp_flow_exit(void)
{
	rhltable_destroy(&psp_flow_table);
}

/**
 * psp_flow_link() - make a state known by its tuple
 * @ps: state, not linked
 * @tuple: the socket's own tuple; if not known yet, nothing happens
 *
 * Context: socket lock held, or @ps not published yet.
 * Return: 0 or a negative errno.
 */
int psp_flow_link(struct psp_sock *ps, const struct psp_tuple *tuple)
{
	int err;

	if (!tuple->proto)
		return 0;

	memset(&ps->flow_key, 0, sizeof(ps->flow_key));
	ps->flow_key.net = ps->net;
	ps->flow_key.tuple = *tuple;
	err = rhltable_insert(&psp_flow_table, &ps->flow, psp_flow_params);
	ps->flow_linked = !err;
	WRITE_ONCE(ps->forgotten, false);

	return err;
}

/**
 * psp_flow_unlink() - undo psp_flow_link()
 * @ps: state, linked or not
 *
 * Context: socket lock held, or the last user of @ps.
 */
void psp_flow_unlink(struct psp_sock *ps)
{
	if (!ps->flow_linked)
		return;

	rhltable_remove(&psp_flow_table, &ps->flow, psp_flow_params);
	ps->flow_linked = false;
}

static struct rhlist_head *psp_flow_lookup(const struct net *net,
					   const struct psp_tuple *tuple)
{
	struct psp_flow_key key = { .net = net, .tuple = *tuple };

	return rhltable_lookup(&psp_flow_table, &key, psp_flow_params);
}

/**
 * psp_flow_find_rcu() - look up the state of a connection
 * @net: network namespace
 * @tuple: the connection
 *
 * A state whose socket still lives goes before one of a dead socket.
 *
 * Context: RCU read section.
 * Return: the state or NULL.
 */
struct psp_sock *psp_flow_find_rcu(const struct net *net,
				   const struct psp_tuple *tuple)
{
	struct psp_sock *ps, *dead = NULL;
	struct rhlist_head *list, *pos;

	list = psp_flow_lookup(net, tuple);
	rhl_for_each_entry_rcu(ps, pos, list, flow) {
		/* A state that is linked anew leads into another list */
		if (!psp_tuple_equal(&ps->flow_key.tuple, tuple))
			break;
		if (READ_ONCE(ps->forgotten))
			continue;
		if (rcu_access_pointer(ps->sk))
			return ps;
		dead = ps;
	}

	return dead;
}

/* The connection is over, even if somebody still holds the socket */
static bool psp_flow_is_over(const struct psp_sock *ps)
{
	const struct sock *sk = rcu_dereference(ps->sk);

	/* Sockets of TCP stay what they are while RCU readers look */
	return !sk || inet_sk_state_load(sk) == TCP_CLOSE;
}

/**
 * psp_flow_forget() - a new connection takes over a pair, in time-wait or not
 * @net: network namespace
 * @tuple: the connection
 *
 * The states of connections that are over stay in the table as long as they
 * live, but nobody finds them any more.
 *
 * Context: RCU read section.
 */
void psp_flow_forget(const struct net *net, const struct psp_tuple *tuple)
{
	struct rhlist_head *list, *pos;
	struct psp_sock *ps;

	list = psp_flow_lookup(net, tuple);
	rhl_for_each_entry_rcu(ps, pos, list, flow)
		if (psp_flow_is_over(ps))
			WRITE_ONCE(ps->forgotten, true);
}
