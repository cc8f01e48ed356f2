// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink commands about devices: dev-get, dev-set, key-rotate, get-stats, and
 * what is announced about devices.
 */
#include <linux/ethtool.h>

#include "psp.h"
#include "psp_nl.h"
#include "psp_trace.h"

static int
psp_nl_dev_pre(struct genl_info *info,
	       struct psp_dev *(*lock)(const struct genl_info *,
				       const struct nlattr *))
{
	struct psp_dev *psd;

	if (GENL_REQ_ATTR_CHECK(info, PSP_A_DEV_ID))
		return -EINVAL;

	psd = lock(info, info->attrs[PSP_A_DEV_ID]);
	if (IS_ERR(psd))
		return PTR_ERR(psd);

	info->user_ptr[PSP_NL_PTR_DEV] = psd;
	return 0;
}

/**
 * psp_nl_dev_pre_doit() - lock the device that a request names
 * @ops: not used
 * @skb: not used
 * @info: request; the device goes into its user_ptr
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_dev_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
			struct genl_info *info)
{
	BUILD_BUG_ON((int)PSP_A_DEV_ID != (int)PSP_A_STATS_DEV_ID);
	BUILD_BUG_ON((int)PSP_A_DEV_ID != (int)PSP_A_REKEY_STATS_DEV_ID);

	return psp_nl_dev_pre(info, psp_nl_dev_lock);
}

/**
 * psp_nl_dev_pre_doit_owned() - the same for what its own namespace may do only
 * @ops: not used
 * @skb: not used
 * @info: request; the device goes into its user_ptr
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_dev_pre_doit_owned(const struct genl_split_ops *ops,
			      struct sk_buff *skb, struct genl_info *info)
{
	return psp_nl_dev_pre(info, psp_nl_dev_lock_owned);
}

/**
 * psp_nl_dev_post_doit() - undo psp_nl_dev_pre_doit()
 * @ops: not used
 * @skb: not used
 * @info: request
 */
void psp_nl_dev_post_doit(const struct genl_split_ops *ops,
			  struct sk_buff *skb, struct genl_info *info)
{
	psp_nl_dev_unlock(info->user_ptr[PSP_NL_PTR_DEV]);
}

static int psp_nl_put_id(struct sk_buff *msg, struct psp_dev *psd,
			 struct net *net)
{
	return nla_put_u32(msg, PSP_A_DEV_ID, psd->id);
}

static int psp_nl_put_dev(struct sk_buff *msg, struct psp_dev *psd,
			  struct net *net)
{
	if (psp_nl_put_id(msg, psd, net) ||
	    nla_put_u32(msg, PSP_A_DEV_IFINDEX, psd->main_netdev->ifindex) ||
	    nla_put_u32(msg, PSP_A_DEV_PSP_VERSIONS_CAP, psd->caps->versions) ||
	    nla_put_u32(msg, PSP_A_DEV_PSP_VERSIONS_ENA, psd->config.versions))
		return -EMSGSIZE;

	return psp_nl_put_assoc_devs(msg, psd, net);
}

/**
 * psp_nl_notify_dev() - announce what has become of a device
 * @psd: device, locked
 * @cmd: PSP_CMD_DEV_ADD_NTF, PSP_CMD_DEV_DEL_NTF or PSP_CMD_DEV_CHANGE_NTF
 */
void psp_nl_notify_dev(struct psp_dev *psd, u32 cmd)
{
	lockdep_assert_held(&psd->lock);

	psp_nl_ntf_put_all(psd, cmd, psp_nl_put_dev, PSP_NLGRP_MGMT);
}

/**
 * psp_nl_dev_get_doit() - dev-get for one device
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return psp_nl_answer(info, info->user_ptr[PSP_NL_PTR_DEV],
			     psp_nl_put_dev);
}

/**
 * psp_nl_dev_get_dumpit() - dev-get for all devices
 * @skb: buffer for the answers
 * @cb: state of the dump
 *
 * Return: see psp_nl_dump().
 */
int psp_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return psp_nl_dump(skb, cb, psp_nl_put_dev);
}

static int psp_nl_parse_config(struct genl_info *info,
			       const struct psp_dev *psd,
			       struct psp_dev_config *conf)
{
	struct nlattr *versions = info->attrs[PSP_A_DEV_PSP_VERSIONS_ENA];

	*conf = psd->config;

	if (!versions) {
		NL_SET_ERR_MSG(info->extack, "Nothing to be set was given");
		return -EINVAL;
	}

	conf->versions = nla_get_u32(versions);
	if (conf->versions & ~psd->caps->versions) {
		NL_SET_ERR_MSG_ATTR(info->extack, versions,
				    "Device lacks some of these PSP versions");
		return -EINVAL;
	}

	return 0;
}

static int psp_nl_set_config(struct psp_dev *psd, struct psp_dev_config *conf,
			     struct netlink_ext_ack *extack)
{
	int err;

	if (conf->versions == psd->config.versions)
		return 0;

	err = psd->ops->set_config(psd, conf, extack);
	if (err)
		return err;

	psd->config = *conf;
	return 0;
}

/**
 * psp_nl_dev_set_doit() - dev-set
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_dev_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psp_dev *psd = info->user_ptr[PSP_NL_PTR_DEV];
	struct psp_dev_config conf;
	struct sk_buff *rsp;
	int err;

	err = psp_nl_parse_config(info, psd, &conf);
	if (err)
		return err;

	rsp = psp_nl_msg_new(info, psd, NULL);
	if (IS_ERR(rsp))
		return PTR_ERR(rsp);

	err = psp_nl_set_config(psd, &conf, info->extack);
	if (err)
		goto err_free_rsp;

	psp_nl_notify_dev(psd, PSP_CMD_DEV_CHANGE_NTF);

	return psp_nl_reply(rsp, info);

err_free_rsp:
	nlmsg_free(rsp);
	return err;
}

/* Drivers without a generation of their own keep the one suggested here */
static int psp_nl_rotate(struct psp_dev *psd, struct netlink_ext_ack *extack)
{
	u8 old = psd->generation;
	int err;

	WRITE_ONCE(psd->generation, (old + 1) & PSP_GEN_VALID_MASK);

	err = psd->ops->key_rotate(psd, extack);
	if (err) {
		WRITE_ONCE(psd->generation, old);
		return err;
	}

	/* 0 stands for a driver that does not count */
	WARN_ON_ONCE(psd->generation & ~PSP_GEN_VALID_MASK);
	WARN_ON_ONCE(psd->generation && psd->generation == old);
	psp_epoch_advance(psd);
	trace_psp_dev_rotate(psd);
	psp_stale_announce(psd);

	return 0;
}

/**
 * psp_nl_key_rotate_doit() - key-rotate
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_key_rotate_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psp_dev *psd = info->user_ptr[PSP_NL_PTR_DEV];
	struct sk_buff *rsp, *ntf;
	int err;

	/* A rotation cannot be taken back: first all that may fail */
	rsp = psp_nl_msg_new(info, psd, psp_nl_put_id);
	if (IS_ERR(rsp))
		return PTR_ERR(rsp);

	ntf = psp_nl_ntf_new(psd, PSP_CMD_KEY_ROTATE_NTF, psp_nl_put_id);
	if (IS_ERR(ntf)) {
		err = PTR_ERR(ntf);
		goto err_free_rsp;
	}

	err = psp_nl_rotate(psd, info->extack);
	if (err)
		goto err_free_ntf;

	psp_nl_ntf_send_all(psd, ntf, PSP_NLGRP_USE);

	return psp_nl_reply(rsp, info);

err_free_ntf:
	nlmsg_free(ntf);
err_free_rsp:
	nlmsg_free(rsp);
	return err;
}

/* A driver must fill in each member, or the reader could not tell 0 from
 * "not counted".
 */
static int psp_nl_read_stats(struct psp_dev *psd, struct psp_dev_stats *stats)
{
	unsigned int i;

	memset(stats, 0xff, sizeof(*stats));
	psd->ops->get_stats(psd, stats);

	for (i = 0; i < sizeof(*stats) / sizeof(u64); i++)
		if (WARN_ON_ONCE(stats->required[i] == ETHTOOL_STAT_NOT_SET))
			return -EOPNOTSUPP;

	return 0;
}

static int psp_nl_put_core_stats(struct sk_buff *msg, struct psp_dev *psd)
{
	if (nla_put_u32(msg, PSP_A_STATS_DEV_ID, psd->id) ||
	    nla_put_uint(msg, PSP_A_STATS_KEY_ROTATIONS,
			 psd->stats.rotations) ||
	    nla_put_uint(msg, PSP_A_STATS_STALE_EVENTS, psd->stats.stales))
		return -EMSGSIZE;

	return 0;
}

static int psp_nl_put_stats(struct sk_buff *msg, struct psp_dev *psd,
			    struct net *net)
{
	struct psp_dev_stats stats;
	int err;

	err = psp_nl_read_stats(psd, &stats);
	if (err)
		return err;

	if (psp_nl_put_core_stats(msg, psd) ||
	    nla_put_uint(msg, PSP_A_STATS_RX_PACKETS, stats.rx_packets) ||
	    nla_put_uint(msg, PSP_A_STATS_RX_BYTES, stats.rx_bytes) ||
	    nla_put_uint(msg, PSP_A_STATS_RX_AUTH_FAIL, stats.rx_auth_fail) ||
	    nla_put_uint(msg, PSP_A_STATS_RX_ERROR, stats.rx_error) ||
	    nla_put_uint(msg, PSP_A_STATS_RX_BAD, stats.rx_bad) ||
	    nla_put_uint(msg, PSP_A_STATS_TX_PACKETS, stats.tx_packets) ||
	    nla_put_uint(msg, PSP_A_STATS_TX_BYTES, stats.tx_bytes) ||
	    nla_put_uint(msg, PSP_A_STATS_TX_ERROR, stats.tx_error))
		return -EMSGSIZE;

	return 0;
}

/**
 * psp_nl_get_stats_doit() - get-stats for one device
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_get_stats_doit(struct sk_buff *skb, struct genl_info *info)
{
	return psp_nl_answer(info, info->user_ptr[PSP_NL_PTR_DEV],
			     psp_nl_put_stats);
}

/**
 * psp_nl_get_stats_dumpit() - get-stats for all devices
 * @skb: buffer for the answers
 * @cb: state of the dump
 *
 * Return: see psp_nl_dump().
 */
int psp_nl_get_stats_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return psp_nl_dump(skb, cb, psp_nl_put_stats);
}
