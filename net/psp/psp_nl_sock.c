// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is told about sockets, to administrators only: assoc-get and
 * assoc-stale-ntf, neither of which is in mainline, and the part of it that
 * sock_diag tells. Keys are never told.
 */
#include "psp.h"
#include "psp_nl.h"

/* Where a dump has come to, as indices into netlink_callback.args */
enum {
	PSP_NL_DUMP_DEV,
	PSP_NL_DUMP_SOCK,
};

/**
 * struct psp_nl_sock_dump - one call of a dump
 * @msg: buffer
 * @info: request
 * @psd: device
 * @id: number of the state to go on with
 */
struct psp_nl_sock_dump {
	struct sk_buff *msg;
	const struct genl_info *info;
	struct psp_dev *psd;
	unsigned long id;
};

static int psp_nl_put_sock_rx(struct sk_buff *msg, int type, u64 now,
			      const struct psp_rx_assoc *ra)
{
	struct nlattr *nest;

	if (!ra)
		return 0;

	nest = nla_nest_start(msg, type);
	if (!nest)
		return -EMSGSIZE;

	if (nla_put_u32(msg, PSP_A_SOCK_KEY_SPI, be32_to_cpu(ra->key.spi)) ||
	    nla_put_u32(msg, PSP_A_SOCK_KEY_AGE, psp_list_now() - ra->born) ||
	    nla_put_uint(msg, PSP_A_SOCK_KEY_ROTATIONS, now - ra->key.epoch) ||
	    nla_put_uint(msg, PSP_A_SOCK_KEY_PACKETS, READ_ONCE(ra->packets)))
		return -EMSGSIZE;

	nla_nest_end(msg, nest);
	return 0;
}

static int psp_nl_put_sock_tx(struct sk_buff *msg, const struct psp_sock *ps,
			      const struct psp_assoc *pas)
{
	struct nlattr *nest;

	if (!pas)
		return 0;

	nest = nla_nest_start(msg, PSP_A_SOCK_TX);
	if (!nest)
		return -EMSGSIZE;

	/* A device that is gone has had the SPI wiped with the key */
	if (nla_put_u32(msg, PSP_A_SOCK_KEY_SPI,
			be32_to_cpu(READ_ONCE(pas->tx.spi))) ||
	    nla_put_u32(msg, PSP_A_SOCK_KEY_AGE,
			psp_list_now() - READ_ONCE(ps->tx_born)))
		return -EMSGSIZE;

	nla_nest_end(msg, nest);
	return 0;
}

static u32 psp_nl_sock_state(const struct psp_sock *ps)
{
	switch (psp_sock_policy_state(ps)) {
	case PSP_POLICY_FULL:
		return PSP_SOCK_STATE_FULL;
	case PSP_POLICY_TX:
		return PSP_SOCK_STATE_TX;
	case PSP_POLICY_TX_PENDING:
		return PSP_SOCK_STATE_TX_PENDING;
	default:
		return PSP_SOCK_STATE_RX;
	}
}

/**
 * psp_nl_sock_keys_size() - room that psp_nl_put_sock_keys() takes
 *
 * Return: bytes, at most.
 */
size_t psp_nl_sock_keys_size(void)
{
	size_t rx = nla_total_size(0) +
		    nla_total_size(sizeof(u32)) * 2 +	/* SPI, age */
		    nla_total_size(sizeof(u64)) * 2;	/* the others */

	return nla_total_size(sizeof(u32)) * 5 +
	       rx * 2 +
	       nla_total_size(0) + nla_total_size(sizeof(u32)) * 2;
}

/**
 * psp_nl_put_sock_keys() - put the state of a socket into a message
 * @msg: message, begun
 * @ps: state
 *
 * What belongs together is sure to be told together only if the device is
 * locked.
 *
 * Context: RCU read section.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int psp_nl_put_sock_keys(struct sk_buff *msg, const struct psp_sock *ps)
{
	u64 now = READ_ONCE(ps->psd->epoch);

	if (nla_put_u32(msg, PSP_A_SOCK_DEV_ID, ps->psd->id) ||
	    nla_put_u32(msg, PSP_A_SOCK_VERSION, ps->version) ||
	    nla_put_u32(msg, PSP_A_SOCK_STATE, psp_nl_sock_state(ps)) ||
	    psp_nl_put_sock_rx(msg, PSP_A_SOCK_RX, now,
			       rcu_dereference(ps->rx_cur)) ||
	    psp_nl_put_sock_rx(msg, PSP_A_SOCK_RX_PREV, now,
			       rcu_dereference(ps->rx_prev)) ||
	    psp_nl_put_sock_tx(msg, ps, rcu_dereference(ps->tx)) ||
	    nla_put_u32(msg, PSP_A_SOCK_RX_REKEYS, READ_ONCE(ps->rx_rekeys)) ||
	    nla_put_u32(msg, PSP_A_SOCK_TX_REKEYS, READ_ONCE(ps->tx_rekeys)))
		return -EMSGSIZE;

	return 0;
}

/* As they were a moment ago: the socket is not locked */
static int psp_nl_put_sock_tuple(struct sk_buff *msg, const struct sock *sk)
{
	struct psp_tuple tuple;
	int family, len;

	psp_tuple_from_sock(&tuple, sk);
	if (!tuple.proto)
		return 0;

	family = tuple.proto == htons(ETH_P_IP) ? AF_INET : AF_INET6;
	len = family == AF_INET ? sizeof(__be32) : sizeof(tuple.laddr);
	if (nla_put_u16(msg, PSP_A_SOCK_FAMILY, family) ||
	    nla_put(msg, PSP_A_SOCK_LOCAL_ADDR, len, &tuple.laddr) ||
	    nla_put(msg, PSP_A_SOCK_REMOTE_ADDR, len, &tuple.raddr) ||
	    nla_put_u16(msg, PSP_A_SOCK_LOCAL_PORT, ntohs(tuple.lport)) ||
	    nla_put_u16(msg, PSP_A_SOCK_REMOTE_PORT, ntohs(tuple.rport)))
		return -EMSGSIZE;

	return 0;
}

static int psp_nl_put_sock(struct sk_buff *msg, const struct genl_info *info,
			   const struct psp_sock *ps, const struct sock *sk)
{
	void *hdr;

	hdr = genlmsg_iput(msg, info);
	if (!hdr)
		return -EMSGSIZE;

	if (nla_put_u64_64bit(msg, PSP_A_SOCK_COOKIE, ps->cookie,
			      PSP_A_SOCK_PAD) ||
	    psp_nl_put_sock_tuple(msg, sk) ||
	    psp_nl_put_sock_keys(msg, ps)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}

	genlmsg_end(msg, hdr);
	return 0;
}

static bool psp_nl_sock_is_wanted(const struct psp_nl_sock_dump *dump,
				  const struct psp_sock *ps)
{
	const struct nlattr *cookie = dump->info->attrs[PSP_A_SOCK_COOKIE];

	return (!cookie || nla_get_u64(cookie) == ps->cookie) &&
	       psp_sock_is_visible(ps, genl_info_net(dump->info));
}

static int psp_nl_dump_sock(const struct psp_nl_sock_dump *dump,
			    const struct psp_sock *ps)
{
	struct sock *sk;
	int err;

	if (!psp_nl_sock_is_wanted(dump, ps))
		return 0;

	/* What is left of a socket in time-wait is no socket */
	sk = psp_list_get_sk(ps);
	if (!sk)
		return 0;

	err = psp_nl_put_sock(dump->msg, dump->info, ps, sk);
	sock_put(sk);

	return err;
}

/* Returns 1 if there may be more, 0 if not, or a negative errno */
static int psp_nl_dump_some_socks(struct psp_nl_sock_dump *dump)
{
	unsigned int left = PSP_LIST_BATCH;
	struct psp_sock *ps;
	int err = 0;

	lockdep_assert_held(&dump->psd->lock);

	rcu_read_lock();
	xa_for_each_start(&dump->psd->socks, dump->id, ps, dump->id) {
		err = left-- ? psp_nl_dump_sock(dump, ps) : 1;
		if (err)
			break;
	}
	rcu_read_unlock();

	return err;
}

/* Others may use the device now and then, however many sockets there are */
static int psp_nl_dump_socks(struct psp_nl_sock_dump *dump)
{
	struct psp_dev *psd = dump->psd;
	int ret;

	do {
		ret = 0;
		mutex_lock(&psd->lock);
		if (psp_dev_is_registered(psd) &&
		    !psp_dev_check_access(psd, genl_info_net(dump->info)))
			ret = psp_nl_dump_some_socks(dump);
		mutex_unlock(&psd->lock);
		cond_resched();
	} while (ret > 0);

	return ret;
}

/**
 * psp_nl_assoc_get_start() - begin an assoc-get: is there such a device?
 * @cb: state of the dump
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_assoc_get_start(struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	const struct nlattr *id = info->attrs[PSP_A_SOCK_DEV_ID];
	struct psp_dev *psd;

	if (!id)
		return 0;

	psd = psp_nl_dev_lock(info, id);
	if (IS_ERR(psd))
		return PTR_ERR(psd);
	psp_nl_dev_unlock(psd);

	cb->args[PSP_NL_DUMP_DEV] = nla_get_u32(id);
	return 0;
}

/**
 * psp_nl_assoc_get_dumpit() - assoc-get
 * @skb: buffer for the answers
 * @cb: state of the dump
 *
 * Return: 0 at the end, -EMSGSIZE if the buffer is full, or another negative
 * errno.
 */
int psp_nl_assoc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psp_nl_sock_dump dump = {
		.msg = skb, .info = genl_info_dump(cb),
	};
	const struct nlattr *only = dump.info->attrs[PSP_A_SOCK_DEV_ID];
	unsigned long id = cb->args[PSP_NL_DUMP_DEV];
	int err = 0;

	while ((dump.psd = psp_dev_get_next(&id))) {
		/* The device that it was at may be gone */
		dump.id = id == cb->args[PSP_NL_DUMP_DEV] ?
			  cb->args[PSP_NL_DUMP_SOCK] : 0;
		if (!only || nla_get_u32(only) == id)
			err = psp_nl_dump_socks(&dump);
		psp_dev_put(dump.psd);
		cb->args[PSP_NL_DUMP_DEV] = id;
		cb->args[PSP_NL_DUMP_SOCK] = dump.id;
		if (err)
			return err;
		id++;
	}
	cb->args[PSP_NL_DUMP_DEV] = id;

	return 0;
}

/**
 * psp_nl_stale_wanted() - does anybody want to know of stale sockets?
 * @psd: device, locked
 *
 * Return: false if psp_nl_notify_stale() would reach nobody.
 */
bool psp_nl_stale_wanted(struct psp_dev *psd)
{
	return psp_nl_ntf_wanted(psd, PSP_NLGRP_ASSOC);
}

static struct sk_buff *psp_nl_stale_new(struct psp_dev *psd, u64 cookie,
					__be32 spi)
{
	struct sk_buff *ntf;

	ntf = psp_nl_ntf_new(psd, PSP_CMD_ASSOC_STALE_NTF, NULL);
	if (IS_ERR(ntf))
		return NULL;

	if (nla_put_u32(ntf, PSP_A_SOCK_DEV_ID, psd->id) ||
	    nla_put_u64_64bit(ntf, PSP_A_SOCK_COOKIE, cookie,
			      PSP_A_SOCK_PAD) ||
	    nla_put_u32(ntf, PSP_A_SOCK_SPI, be32_to_cpu(spi))) {
		nlmsg_free(ntf);
		return NULL;
	}
	nlmsg_end(ntf, nlmsg_hdr(ntf));

	return ntf;
}

static void psp_nl_stale_send(struct psp_dev *psd, struct net *net, u64 cookie,
			      __be32 spi)
{
	struct sk_buff *ntf;

	if (!genl_has_listeners(&psp_nl_family, net, PSP_NLGRP_ASSOC))
		return;

	/* There is no one to be told that there is no memory */
	ntf = psp_nl_stale_new(psd, cookie, spi);
	if (ntf)
		genlmsg_multicast_netns(&psp_nl_family, net, ntf, 0,
					PSP_NLGRP_ASSOC, GFP_KERNEL);
}

/**
 * psp_nl_notify_stale() - announce a socket that has become stale
 * @psd: device, registered and locked
 * @net: namespace of the socket, or NULL
 * @cookie: cookie of the socket
 * @spi: SPI that is not accepted any more
 *
 * Who may see the socket in assoc-get is told: the namespace of the device, and
 * the socket's own if that may use the device.
 */
void psp_nl_notify_stale(struct psp_dev *psd, struct net *net, u64 cookie,
			 __be32 spi)
{
	struct net *dev_net = psp_nl_dev_get_net(psd);

	if (dev_net) {
		psp_nl_stale_send(psd, dev_net, cookie, spi);
		put_net(dev_net);
	}
	if (net && net != dev_net && !psp_dev_check_access(psd, net))
		psp_nl_stale_send(psd, net, cookie, spi);
}
