// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family: what can be asked, and how messages are built and sent.
 *
 * Each request about a device or a socket runs with the device locked: it is
 * found and locked by a pre_doit, unlocked by the post_doit. Requests of
 * different devices run in parallel.
 */
#include <linux/module.h>

#include "psp.h"
#include "psp_nl.h"

const struct nla_policy psp_nl_keys_policy[PSP_A_KEYS_MAX + 1] = {
	[PSP_A_KEYS_KEY]	= { .type = NLA_BINARY },
	[PSP_A_KEYS_SPI]	= { .type = NLA_U32 },
};

static const struct nla_policy psp_nl_dev_policy[PSP_A_DEV_ID + 1] = {
	[PSP_A_DEV_ID]		= NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy
psp_nl_dev_set_policy[PSP_A_DEV_PSP_VERSIONS_ENA + 1] = {
	[PSP_A_DEV_ID]		= NLA_POLICY_MIN(NLA_U32, 1),
	[PSP_A_DEV_PSP_VERSIONS_ENA] =
		NLA_POLICY_MASK(NLA_U32,
				GENMASK(PSP_VERSION_HDR0_AES_GMAC_256, 0)),
};

static const struct nla_policy
psp_nl_dev_assoc_policy[PSP_A_DEV_NSID + 1] = {
	[PSP_A_DEV_ID]		= NLA_POLICY_MIN(NLA_U32, 1),
	[PSP_A_DEV_IFINDEX]	= { .type = NLA_U32 },
	[PSP_A_DEV_NSID]	= { .type = NLA_S32 },
};

static const struct nla_policy
psp_nl_rx_assoc_policy[PSP_A_ASSOC_SOCK_FD + 1] = {
	[PSP_A_ASSOC_DEV_ID]	= NLA_POLICY_MIN(NLA_U32, 1),
	[PSP_A_ASSOC_VERSION]	=
		NLA_POLICY_MAX(NLA_U32, PSP_VERSION_HDR0_AES_GMAC_256),
	[PSP_A_ASSOC_SOCK_FD]	= { .type = NLA_U32 },
};

static const struct nla_policy
psp_nl_tx_assoc_policy[PSP_A_ASSOC_SOCK_FD + 1] = {
	[PSP_A_ASSOC_DEV_ID]	= NLA_POLICY_MIN(NLA_U32, 1),
	[PSP_A_ASSOC_VERSION]	=
		NLA_POLICY_MAX(NLA_U32, PSP_VERSION_HDR0_AES_GMAC_256),
	[PSP_A_ASSOC_TX_KEY]	= NLA_POLICY_NESTED(psp_nl_keys_policy),
	[PSP_A_ASSOC_SOCK_FD]	= { .type = NLA_U32 },
};

static const struct nla_policy psp_nl_stats_policy[PSP_A_STATS_DEV_ID + 1] = {
	[PSP_A_STATS_DEV_ID]	= NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy
psp_nl_rekey_stats_policy[PSP_A_REKEY_STATS_DEV_ID + 1] = {
	[PSP_A_REKEY_STATS_DEV_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy
psp_nl_assoc_get_policy[PSP_A_SOCK_COOKIE + 1] = {
	[PSP_A_SOCK_DEV_ID]	= NLA_POLICY_MIN(NLA_U32, 1),
	[PSP_A_SOCK_COOKIE]	= { .type = NLA_U64 },
};

static const struct genl_split_ops psp_nl_ops[] = {
	{
		.cmd		= PSP_CMD_DEV_GET,
		.pre_doit	= psp_nl_dev_pre_doit,
		.doit		= psp_nl_dev_get_doit,
		.post_doit	= psp_nl_dev_post_doit,
		.policy		= psp_nl_dev_policy,
		.maxattr	= PSP_A_DEV_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PSP_CMD_DEV_GET,
		.dumpit		= psp_nl_dev_get_dumpit,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PSP_CMD_DEV_SET,
		.pre_doit	= psp_nl_dev_pre_doit_owned,
		.doit		= psp_nl_dev_set_doit,
		.post_doit	= psp_nl_dev_post_doit,
		.policy		= psp_nl_dev_set_policy,
		.maxattr	= PSP_A_DEV_PSP_VERSIONS_ENA,
		.flags		= GENL_CMD_CAP_DO | GENL_ADMIN_PERM,
	},
	{
		.cmd		= PSP_CMD_KEY_ROTATE,
		.pre_doit	= psp_nl_dev_pre_doit_owned,
		.doit		= psp_nl_key_rotate_doit,
		.post_doit	= psp_nl_dev_post_doit,
		.policy		= psp_nl_dev_policy,
		.maxattr	= PSP_A_DEV_ID,
		.flags		= GENL_CMD_CAP_DO | GENL_ADMIN_PERM,
	},
	{
		.cmd		= PSP_CMD_RX_ASSOC,
		.pre_doit	= psp_nl_assoc_pre_doit,
		.doit		= psp_nl_rx_assoc_doit,
		.post_doit	= psp_nl_assoc_post_doit,
		.policy		= psp_nl_rx_assoc_policy,
		.maxattr	= PSP_A_ASSOC_SOCK_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PSP_CMD_TX_ASSOC,
		.pre_doit	= psp_nl_assoc_pre_doit,
		.doit		= psp_nl_tx_assoc_doit,
		.post_doit	= psp_nl_assoc_post_doit,
		.policy		= psp_nl_tx_assoc_policy,
		.maxattr	= PSP_A_ASSOC_SOCK_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PSP_CMD_GET_STATS,
		.pre_doit	= psp_nl_dev_pre_doit,
		.doit		= psp_nl_get_stats_doit,
		.post_doit	= psp_nl_dev_post_doit,
		.policy		= psp_nl_stats_policy,
		.maxattr	= PSP_A_STATS_DEV_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PSP_CMD_GET_STATS,
		.dumpit		= psp_nl_get_stats_dumpit,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PSP_CMD_DEV_ASSOC,
		.pre_doit	= psp_nl_assoc_dev_pre_doit,
		.doit		= psp_nl_dev_assoc_doit,
		.post_doit	= psp_nl_assoc_dev_post_doit,
		.policy		= psp_nl_dev_assoc_policy,
		.maxattr	= PSP_A_DEV_NSID,
		.flags		= GENL_CMD_CAP_DO | GENL_ADMIN_PERM,
	},
	{
		.cmd		= PSP_CMD_DEV_DISASSOC,
		.pre_doit	= psp_nl_assoc_dev_pre_doit,
		.doit		= psp_nl_dev_disassoc_doit,
		.post_doit	= psp_nl_assoc_dev_post_doit,
		.policy		= psp_nl_dev_assoc_policy,
		.maxattr	= PSP_A_DEV_NSID,
		.flags		= GENL_CMD_CAP_DO | GENL_ADMIN_PERM,
	},
	{
		.cmd		= PSP_CMD_REKEY_STATS_GET,
		.pre_doit	= psp_nl_dev_pre_doit,
		.doit		= psp_nl_rekey_stats_get_doit,
		.post_doit	= psp_nl_dev_post_doit,
		.policy		= psp_nl_rekey_stats_policy,
		.maxattr	= PSP_A_REKEY_STATS_DEV_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PSP_CMD_REKEY_STATS_GET,
		.dumpit		= psp_nl_rekey_stats_get_dumpit,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PSP_CMD_ASSOC_GET,
		.start		= psp_nl_assoc_get_start,
		.dumpit		= psp_nl_assoc_get_dumpit,
		.policy		= psp_nl_assoc_get_policy,
		.maxattr	= PSP_A_SOCK_COOKIE,
		.flags		= GENL_CMD_CAP_DUMP | GENL_ADMIN_PERM,
	},
};

static const struct genl_multicast_group psp_nl_groups[] = {
	[PSP_NLGRP_MGMT]	= { .name = PSP_MCGRP_MGMT },
	[PSP_NLGRP_USE]		= { .name = PSP_MCGRP_USE },
	[PSP_NLGRP_ASSOC]	= {
		.name	= PSP_MCGRP_ASSOC,
		.flags	= GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family psp_nl_family __ro_after_init = {
	.name		= PSP_FAMILY_NAME,
	.version	= PSP_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= psp_nl_ops,
	.n_split_ops	= ARRAY_SIZE(psp_nl_ops),
	.mcgrps		= psp_nl_groups,
	.n_mcgrps	= ARRAY_SIZE(psp_nl_groups),
};

static struct psp_dev *
psp_nl_dev_lock_if(const struct genl_info *info, const struct nlattr *id,
		   int (*check)(const struct psp_dev *, const struct net *))
{
	struct psp_dev *psd;
	int err;

	psd = psp_dev_lock_by_id(nla_get_u32(id));
	if (IS_ERR(psd)) {
		NL_SET_ERR_MSG(info->extack, "No such PSP device");
		return psd;
	}

	err = check(psd, genl_info_net(info));
	if (err) {
		NL_SET_ERR_MSG(info->extack,
			       "PSP device is not in this namespace");
		psp_nl_dev_unlock(psd);
		return ERR_PTR(err);
	}

	return psd;
}

/**
 * psp_nl_dev_lock() - find the device that a request names
 * @info: request
 * @id: its attribute with the id of the device
 *
 * Return: the device, registered, locked and referenced, to be given to
 * psp_nl_dev_unlock(); -ENODEV if there is none, -ENOENT if it is none of the
 * caller's business.
 */
struct psp_dev *psp_nl_dev_lock(const struct genl_info *info,
				const struct nlattr *id)
{
	return psp_nl_dev_lock_if(info, id, psp_dev_check_access);
}

/**
 * psp_nl_dev_lock_owned() - the same for requests from its own namespace only
 * @info: request
 * @id: its attribute with the id of the device
 *
 * Return: as psp_nl_dev_lock().
 */
struct psp_dev *psp_nl_dev_lock_owned(const struct genl_info *info,
				      const struct nlattr *id)
{
	return psp_nl_dev_lock_if(info, id, psp_dev_check_owner);
}

/**
 * psp_nl_dev_unlock() - undo psp_nl_dev_lock()
 * @psd: device
 */
void psp_nl_dev_unlock(struct psp_dev *psd)
{
	mutex_unlock(&psd->lock);
	psp_dev_put(psd);
}

/* A whole message about a device; @put may be NULL for an empty one */
static int psp_nl_msg_fill(struct sk_buff *msg, const struct genl_info *info,
			   struct psp_dev *psd, psp_nl_put_t put)
{
	void *hdr;
	int err;

	hdr = genlmsg_iput(msg, info);
	if (!hdr)
		return -EMSGSIZE;

	err = put ? put(msg, psd, genl_info_net(info)) : 0;
	if (err) {
		genlmsg_cancel(msg, hdr);
		return err;
	}

	genlmsg_end(msg, hdr);
	return 0;
}

/**
 * psp_nl_msg_new() - make a message about a device
 * @info: request to be answered, or what genl_info_init_ntf() made
 * @psd: device, locked
 * @put: what to put into it; NULL for nothing
 *
 * Return: the message or an error pointer.
 */
struct sk_buff *psp_nl_msg_new(const struct genl_info *info,
			       struct psp_dev *psd, psp_nl_put_t put)
{
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return ERR_PTR(-ENOMEM);

	err = psp_nl_msg_fill(msg, info, psd, put);
	if (err) {
		nlmsg_free(msg);
		return ERR_PTR(err);
	}

	return msg;
}

/**
 * psp_nl_reply() - send the answer to a request
 * @msg: answer, the only message in its buffer; it is consumed
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_reply(struct sk_buff *msg, struct genl_info *info)
{
	/* Attributes may have been added since the message was made */
	nlmsg_end(msg, nlmsg_hdr(msg));

	return genlmsg_reply(msg, info);
}

/**
 * psp_nl_answer() - answer a request with what a device is like
 * @info: request
 * @psd: device, locked
 * @put: what to tell
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_answer(struct genl_info *info, struct psp_dev *psd,
		  psp_nl_put_t put)
{
	struct sk_buff *msg;

	msg = psp_nl_msg_new(info, psd, put);
	if (IS_ERR(msg))
		return PTR_ERR(msg);

	return genlmsg_reply(msg, info);
}

static int psp_nl_dump_one(struct sk_buff *msg, const struct genl_info *info,
			   struct psp_dev *psd, psp_nl_put_t put)
{
	int err = 0;

	mutex_lock(&psd->lock);
	if (psp_dev_is_registered(psd) &&
	    !psp_dev_check_access(psd, genl_info_net(info)))
		err = psp_nl_msg_fill(msg, info, psd, put);
	mutex_unlock(&psd->lock);

	return err;
}

/**
 * psp_nl_dump() - answer a dump with what all devices of a namespace are like
 * @msg: buffer for as many messages as fit
 * @cb: state of the dump; args[0] is the id of the device to go on with
 * @put: what to tell about each
 *
 * Return: 0 at the end, -EMSGSIZE if the buffer is full, or another negative
 * errno.
 */
int psp_nl_dump(struct sk_buff *msg, struct netlink_callback *cb,
		psp_nl_put_t put)
{
	const struct genl_info *info = genl_info_dump(cb);
	unsigned long id = cb->args[0];
	struct psp_dev *psd;
	int err = 0;

	while ((psd = psp_dev_get_next(&id))) {
		err = psp_nl_dump_one(msg, info, psd, put);
		psp_dev_put(psd);
		if (err)
			break;
		id++;
	}
	cb->args[0] = id;

	return err;
}

/**
 * psp_nl_dev_get_net() - get the namespace of a device
 * @psd: device, locked
 *
 * Return: the namespace, to be given to put_net(); NULL if it is going away.
 */
struct net *psp_nl_dev_get_net(const struct psp_dev *psd)
{
	struct net *net;

	/* The device may be moving to another namespace */
	rcu_read_lock();
	net = maybe_get_net(dev_net_rcu(psd->main_netdev));
	rcu_read_unlock();

	return net;
}

/**
 * psp_nl_ntf_wanted() - does anybody listen?
 * @psd: device, locked
 * @group: multicast group
 *
 * Netlink counts the listeners of all namespaces together: so those of
 * associated namespaces are seen here, and those that the device is no business
 * of as well.
 *
 * Return: false if a notification would reach nobody.
 */
bool psp_nl_ntf_wanted(struct psp_dev *psd, unsigned int group)
{
	struct net *net = psp_nl_dev_get_net(psd);
	bool wanted;

	if (!net)
		return false;

	wanted = genl_has_listeners(&psp_nl_family, net, group);
	put_net(net);

	return wanted;
}

static struct sk_buff *psp_nl_ntf_new_in(struct psp_dev *psd, struct net *net,
					 u8 cmd, psp_nl_put_t put)
{
	struct genl_info info;

	genl_info_init_ntf(&info, &psp_nl_family, cmd);
	genl_info_net_set(&info, net);

	return psp_nl_msg_new(&info, psd, put);
}

/**
 * psp_nl_ntf_new() - make a notification about a device
 * @psd: device, locked
 * @cmd: which notification
 * @put: what to tell, the same in each namespace
 *
 * Return: the message or an error pointer.
 */
struct sk_buff *psp_nl_ntf_new(struct psp_dev *psd, u8 cmd, psp_nl_put_t put)
{
	return psp_nl_ntf_new_in(psd, dev_net(psd->main_netdev), cmd, put);
}

/**
 * psp_nl_ntf_send() - send a notification in a device's namespace
 * @psd: device, locked
 * @ntf: notification; it is consumed
 * @group: multicast group
 */
void psp_nl_ntf_send(struct psp_dev *psd, struct sk_buff *ntf,
		     unsigned int group)
{
	struct net *net = psp_nl_dev_get_net(psd);

	if (!net) {
		nlmsg_free(ntf);
		return;
	}

	/* That nobody listens is no error */
	genlmsg_multicast_netns(&psp_nl_family, net, ntf, 0, group, GFP_KERNEL);
	put_net(net);
}

/* Namespace of an associated device, or NULL if the caller has had it before,
 * or will have: the device's own. An associated device keeps it alive.
 */
static struct net *psp_nl_assoc_dev_net(const struct psp_assoc_dev *ad)
{
	struct net *net = dev_net(ad->netdev);

	if (!psp_dev_check_owner(ad->psd, net) ||
	    psp_assoc_dev_first_in(ad->psd, net) != ad)
		return NULL;

	return net;
}

/**
 * psp_nl_ntf_send_all() - the same in all namespaces that may use the device
 * @psd: device, locked
 * @ntf: notification; it is consumed
 * @group: multicast group
 */
void psp_nl_ntf_send_all(struct psp_dev *psd, struct sk_buff *ntf,
			 unsigned int group)
{
	struct psp_assoc_dev *ad;
	struct sk_buff *copy;
	struct net *net;

	list_for_each_entry(ad, &psd->assoc_devs, list) {
		net = psp_nl_assoc_dev_net(ad);
		copy = net ? skb_clone(ntf, GFP_KERNEL) : NULL;
		if (copy)
			genlmsg_multicast_netns(&psp_nl_family, net, copy, 0,
						group, GFP_KERNEL);
	}

	psp_nl_ntf_send(psd, ntf, group);
}

static void psp_nl_ntf_put_in(struct psp_dev *psd, struct net *net, u8 cmd,
			      psp_nl_put_t put, unsigned int group)
{
	struct sk_buff *ntf;

	if (!genl_has_listeners(&psp_nl_family, net, group))
		return;

	ntf = psp_nl_ntf_new_in(psd, net, cmd, put);
	if (!IS_ERR(ntf))
		genlmsg_multicast_netns(&psp_nl_family, net, ntf, 0, group,
					GFP_KERNEL);
}

/**
 * psp_nl_ntf_put_all() - notify all namespaces that may use a device
 * @psd: device, locked
 * @cmd: which notification
 * @put: what to tell, each namespace its own
 * @group: multicast group
 */
void psp_nl_ntf_put_all(struct psp_dev *psd, u8 cmd, psp_nl_put_t put,
			unsigned int group)
{
	struct psp_assoc_dev *ad;
	struct net *net;

	list_for_each_entry(ad, &psd->assoc_devs, list) {
		net = psp_nl_assoc_dev_net(ad);
		if (net)
			psp_nl_ntf_put_in(psd, net, cmd, put, group);
	}

	net = psp_nl_dev_get_net(psd);
	if (!net)
		return;
	psp_nl_ntf_put_in(psd, net, cmd, put, group);
	put_net(net);
}

/**
 * psp_nl_init() - register the netlink family
 *
 * Return: 0 or a negative errno.
 */
int __init psp_nl_init(void)
{
	return genl_register_family(&psp_nl_family);
}

/**
 * psp_nl_exit() - unregister the netlink family, wait for running requests
 */
void psp_nl_exit(void)
{
	genl_unregister_family(&psp_nl_family);
}
