// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink commands that mainline does not have: rekey-stats-get.
 */
#include "psp.h"
#include "psp_nl.h"

static int psp_nl_put_drops(struct sk_buff *msg, const struct psp_dev *psd)
{
	struct nlattr *nest;
	int reason;

	BUILD_BUG_ON((int)PSP_DROP_MAX != (int)__PSP_A_DROPS_MAX);

	nest = nla_nest_start(msg, PSP_A_REKEY_STATS_DROPS);
	if (!nest)
		return -EMSGSIZE;

	for (reason = PSP_DROP_NOT + 1; reason < PSP_DROP_MAX; reason++)
		if (nla_put_uint(msg, reason,
				 psp_drop_read(psd->drops, reason)))
			return -EMSGSIZE;

	nla_nest_end(msg, nest);
	return 0;
}

static int psp_nl_put_rekey_stats(struct sk_buff *msg, struct psp_dev *psd,
				  struct net *net)
{
	if (nla_put_u32(msg, PSP_A_REKEY_STATS_DEV_ID, psd->id) ||
	    nla_put_uint(msg, PSP_A_REKEY_STATS_RX_REKEYS,
			 psd->rekey.rx_rekeys) ||
	    nla_put_uint(msg, PSP_A_REKEY_STATS_TX_REKEYS,
			 psd->rekey.tx_rekeys) ||
	    nla_put_uint(msg, PSP_A_REKEY_STATS_TX_KEYS,
			 psd->rekey.tx_keys) ||
	    nla_put_uint(msg, PSP_A_REKEY_STATS_TX_KEYS_RETIRED,
			 psd->rekey.tx_keys_retired) ||
	    nla_put_uint(msg, PSP_A_REKEY_STATS_TX_KEYS_DELETED,
			 psd->rekey.tx_keys_deleted))
		return -EMSGSIZE;

	return psp_nl_put_drops(msg, psd);
}

/**
 * psp_nl_rekey_stats_get_doit() - rekey-stats-get for one device
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_rekey_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return psp_nl_answer(info, info->user_ptr[PSP_NL_PTR_DEV],
			     psp_nl_put_rekey_stats);
}

/**
 * psp_nl_rekey_stats_get_dumpit() - rekey-stats-get for all devices
 * @skb: buffer for the answers
 * @cb: state of the dump
 *
 * Return: see psp_nl_dump().
 */
int psp_nl_rekey_stats_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb)
{
	return psp_nl_dump(skb, cb, psp_nl_put_rekey_stats);
}
