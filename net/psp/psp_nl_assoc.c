// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink commands about sockets: rx-assoc and tx-assoc.
 *
 * Who holds the file descriptor may use them: the socket is looked up in the
 * table of the calling process.
 */
#include <linux/net.h>
#include <net/dst.h>
#include <net/sock.h>

#include "psp.h"
#include "psp_nl.h"

/**
 * struct psp_nl_key_room - where a key will stand in a message
 * @spi: attribute for the SPI
 * @key: attribute for the key
 */
struct psp_nl_key_room {
	struct nlattr *spi;
	struct nlattr *key;
};

static struct socket *psp_nl_assoc_get_socket(struct genl_info *info)
{
	struct nlattr *fd = info->attrs[PSP_A_ASSOC_SOCK_FD];
	struct socket *sock;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PSP_A_ASSOC_SOCK_FD))
		return ERR_PTR(-EINVAL);

	sock = sockfd_lookup(nla_get_u32(fd), &err);
	if (!sock) {
		NL_SET_ERR_MSG_ATTR(info->extack, fd, "Not an open socket");
		return ERR_PTR(err);
	}
	if (!sk_is_tcp(sock->sk)) {
		NL_SET_ERR_MSG_ATTR(info->extack, fd,
				    "Not a TCP socket over IPv4 or IPv6");
		sockfd_put(sock);
		return ERR_PTR(-EOPNOTSUPP);
	}

	return sock;
}

/* Device that the socket's route leads to; only its memory is sure to be there
 * until it has been locked and looked at.
 */
static struct psp_dev *psp_nl_assoc_get_route_dev(struct sock *sk)
{
	struct psp_dev *psd = NULL;
	struct dst_entry *dst;

	rcu_read_lock();
	dst = __sk_dst_get(sk);
	if (dst)
		psd = psp_dev_find_by_netdev_rcu(dst_dev_rcu(dst));
	if (psd && !psp_dev_tryget(psd))
		psd = NULL;
	rcu_read_unlock();

	return psd;
}

static struct psp_dev *psp_nl_assoc_lock_route_dev(struct genl_info *info,
						   struct sock *sk)
{
	struct psp_dev *psd;

	psd = psp_nl_assoc_get_route_dev(sk);
	if (!psd)
		return NULL;

	mutex_lock(&psd->lock);
	if (!psp_dev_is_registered(psd) ||
	    psp_dev_check_access(psd, genl_info_net(info))) {
		psp_nl_dev_unlock(psd);
		return NULL;
	}

	return psd;
}

/* The route decides if there is one: what the socket sends goes there */
static struct psp_dev *psp_nl_assoc_lock_dev(struct genl_info *info,
					     struct sock *sk)
{
	struct nlattr *id = info->attrs[PSP_A_ASSOC_DEV_ID];
	struct psp_dev *psd;

	psd = psp_nl_assoc_lock_route_dev(info, sk);
	if (psd) {
		if (!id || nla_get_u32(id) == psd->id)
			return psd;

		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "Route of the socket is on another device");
		psp_nl_dev_unlock(psd);
		return ERR_PTR(-EINVAL);
	}

	if (GENL_REQ_ATTR_CHECK(info, PSP_A_ASSOC_DEV_ID)) {
		NL_SET_ERR_MSG(info->extack,
			       "Socket has no route over a PSP device");
		return ERR_PTR(-EINVAL);
	}

	return psp_nl_dev_lock(info, id);
}

/* The buffer of a request is freed without being cleared */
static void psp_nl_wipe_key(const struct genl_info *info)
{
	struct nlattr *nest = info->attrs[PSP_A_ASSOC_TX_KEY];

	if (nest)
		memzero_explicit(nla_data(nest), nla_len(nest));
}

/**
 * psp_nl_assoc_pre_doit() - get the socket and lock the device of a request
 * @ops: not used
 * @skb: not used
 * @info: request; both go into its user_ptr
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_assoc_pre_doit(const struct genl_split_ops *ops,
			  struct sk_buff *skb, struct genl_info *info)
{
	struct socket *sock;
	struct psp_dev *psd;
	int err;

	sock = psp_nl_assoc_get_socket(info);
	if (IS_ERR(sock)) {
		err = PTR_ERR(sock);
		goto err_wipe_key;
	}

	psd = psp_nl_assoc_lock_dev(info, sock->sk);
	if (IS_ERR(psd)) {
		err = PTR_ERR(psd);
		goto err_put_socket;
	}

	err = psp_sock_check(sock->sk, info->extack);
	if (err) {
		NL_SET_BAD_ATTR(info->extack, info->attrs[PSP_A_ASSOC_SOCK_FD]);
		goto err_unlock_dev;
	}

	info->user_ptr[PSP_NL_PTR_DEV] = psd;
	info->user_ptr[PSP_NL_PTR_SOCKET] = sock;
	return 0;

err_unlock_dev:
	psp_nl_dev_unlock(psd);
err_put_socket:
	sockfd_put(sock);
err_wipe_key:
	psp_nl_wipe_key(info);
	return err;
}

/**
 * psp_nl_assoc_post_doit() - undo psp_nl_assoc_pre_doit()
 * @ops: not used
 * @skb: not used
 * @info: request
 */
void psp_nl_assoc_post_doit(const struct genl_split_ops *ops,
			    struct sk_buff *skb, struct genl_info *info)
{
	struct socket *sock = info->user_ptr[PSP_NL_PTR_SOCKET];

	psp_nl_dev_unlock(info->user_ptr[PSP_NL_PTR_DEV]);
	/* May be the last reference: closing must not wait for the device */
	sockfd_put(sock);
}

/* Version that a request names, or a negative errno */
static int psp_nl_assoc_version(struct genl_info *info,
				const struct psp_dev *psd)
{
	struct nlattr *attr = info->attrs[PSP_A_ASSOC_VERSION];
	u32 version;

	if (GENL_REQ_ATTR_CHECK(info, PSP_A_ASSOC_VERSION))
		return -EINVAL;

	version = nla_get_u32(attr);
	if (!(psd->caps->versions & BIT(version))) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "Device lacks this PSP version");
		return -EOPNOTSUPP;
	}

	return version;
}

/* A key was refused: -EXDEV stands for another device than that of the
 * socket's state, the other two are about the socket itself.
 */
static int psp_nl_assoc_refused(struct genl_info *info, int err)
{
	struct nlattr *id = info->attrs[PSP_A_ASSOC_DEV_ID];
	struct nlattr *fd = info->attrs[PSP_A_ASSOC_SOCK_FD];

	if (err == -EXDEV) {
		NL_SET_BAD_ATTR(info->extack, id);
		return -EINVAL;
	}
	/* Unless the driver has something else to blame */
	if ((err == -EINVAL || err == -EBUSY) && !info->extack->bad_attr)
		NL_SET_BAD_ATTR(info->extack, fd);

	return err;
}

/* Leave room for a key that is not known yet, so that putting it cannot fail */
static int psp_nl_reserve_key(struct sk_buff *msg, int type,
			      unsigned int key_size,
			      struct psp_nl_key_room *room)
{
	struct nlattr *nest;

	nest = nla_nest_start(msg, type);
	if (!nest)
		return -EMSGSIZE;

	room->spi = nla_reserve(msg, PSP_A_KEYS_SPI, sizeof(u32));
	room->key = nla_reserve(msg, PSP_A_KEYS_KEY, key_size);
	if (!room->spi || !room->key)
		return -EMSGSIZE;

	nla_nest_end(msg, nest);
	return 0;
}

static void psp_nl_fill_key(const struct psp_nl_key_room *room,
			    const struct psp_key_parsed *key)
{
	u32 spi = be32_to_cpu(key->spi);

	memcpy(nla_data(room->spi), &spi, sizeof(spi));
	memcpy(nla_data(room->key), key->key, nla_len(room->key));
}

static struct sk_buff *psp_nl_rx_reply_new(struct genl_info *info,
					   struct psp_dev *psd, u8 version,
					   struct psp_nl_key_room *room)
{
	struct sk_buff *rsp;

	rsp = psp_nl_msg_new(info, psd, NULL);
	if (IS_ERR(rsp))
		return rsp;

	if (nla_put_u32(rsp, PSP_A_ASSOC_DEV_ID, psd->id) ||
	    psp_nl_reserve_key(rsp, PSP_A_ASSOC_RX_KEY, psp_key_size(version),
			       room)) {
		nlmsg_free(rsp);
		return ERR_PTR(-EMSGSIZE);
	}

	return rsp;
}

static int psp_nl_set_rx(struct genl_info *info, u8 version,
			 struct psp_key_parsed *key)
{
	struct socket *sock = info->user_ptr[PSP_NL_PTR_SOCKET];
	int err;

	err = psp_sock_set_rx(sock->sk, info->user_ptr[PSP_NL_PTR_DEV],
			      version, key, info->extack);

	return psp_nl_assoc_refused(info, err);
}

/**
 * psp_nl_rx_assoc_doit() - rx-assoc
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_rx_assoc_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psp_dev *psd = info->user_ptr[PSP_NL_PTR_DEV];
	struct psp_nl_key_room room;
	struct psp_key_parsed key;
	struct sk_buff *rsp;
	int version, err;

	version = psp_nl_assoc_version(info, psd);
	if (version < 0)
		return version;

	rsp = psp_nl_rx_reply_new(info, psd, version, &room);
	if (IS_ERR(rsp))
		return PTR_ERR(rsp);

	err = psp_nl_set_rx(info, version, &key);
	if (!err)
		psp_nl_fill_key(&room, &key);
	memzero_explicit(&key, sizeof(key));
	if (err)
		goto err_free_rsp;

	return psp_nl_reply(rsp, info);

err_free_rsp:
	nlmsg_free(rsp);
	return err;
}

static int psp_nl_parse_key(struct genl_info *info, const struct nlattr *nest,
			    unsigned int key_size, struct psp_key_parsed *key)
{
	struct nlattr *tb[PSP_A_KEYS_MAX + 1];
	u32 spi;
	int err;

	err = nla_parse_nested(tb, PSP_A_KEYS_MAX, nest, psp_nl_keys_policy,
			       info->extack);
	if (err)
		return err;

	if (NL_REQ_ATTR_CHECK(info->extack, nest, tb, PSP_A_KEYS_KEY) ||
	    NL_REQ_ATTR_CHECK(info->extack, nest, tb, PSP_A_KEYS_SPI))
		return -EINVAL;

	if (nla_len(tb[PSP_A_KEYS_KEY]) != key_size) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PSP_A_KEYS_KEY],
				    "Length of the key is not the version's");
		return -EINVAL;
	}

	/* Mainline names the key for a bad SPI as well */
	spi = nla_get_u32(tb[PSP_A_KEYS_SPI]);
	if (!(spi & PSP_SPI_KEY_ID)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[PSP_A_KEYS_KEY],
				    "Lower 31 bits of the SPI are 0");
		return -EINVAL;
	}

	key->spi = cpu_to_be32(spi);
	memcpy(key->key, nla_data(tb[PSP_A_KEYS_KEY]), key_size);

	return 0;
}

static int psp_nl_set_tx(struct genl_info *info, u8 version,
			 const struct psp_key_parsed *key)
{
	struct socket *sock = info->user_ptr[PSP_NL_PTR_SOCKET];
	struct psp_dev *psd = info->user_ptr[PSP_NL_PTR_DEV];
	struct sk_buff *rsp;
	int err;

	rsp = psp_nl_msg_new(info, psd, NULL);
	if (IS_ERR(rsp))
		return PTR_ERR(rsp);

	err = psp_sock_set_tx(sock->sk, psd, version, key, genl_info_net(info),
			      info->extack);
	if (err)
		goto err_free_rsp;

	return psp_nl_reply(rsp, info);

err_free_rsp:
	nlmsg_free(rsp);
	return psp_nl_assoc_refused(info, err);
}

static int psp_nl_tx_assoc(struct genl_info *info)
{
	struct psp_dev *psd = info->user_ptr[PSP_NL_PTR_DEV];
	struct psp_key_parsed key;
	int version, err;

	if (GENL_REQ_ATTR_CHECK(info, PSP_A_ASSOC_VERSION) ||
	    GENL_REQ_ATTR_CHECK(info, PSP_A_ASSOC_TX_KEY))
		return -EINVAL;

	version = psp_nl_assoc_version(info, psd);
	if (version < 0)
		return version;

	err = psp_nl_parse_key(info, info->attrs[PSP_A_ASSOC_TX_KEY],
			       psp_key_size(version), &key);
	if (!err)
		err = psp_nl_set_tx(info, version, &key);
	memzero_explicit(&key, sizeof(key));

	return err;
}

/**
 * psp_nl_tx_assoc_doit() - tx-assoc
 * @skb: not used
 * @info: request; the key in it is wiped
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_tx_assoc_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	err = psp_nl_tx_assoc(info);
	psp_nl_wipe_key(info);

	return err;
}
