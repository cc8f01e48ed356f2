// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink commands about associated devices: dev-assoc, dev-disassoc; and what
 * dev-get tells of them.
 */
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "psp.h"
#include "psp_nl.h"

/* As in mainline */
#define PSP_NL_ASSOC_DEVS_MAX	128

/* What associated namespaces may take of these, all together and each of them.
 * The PSP device's own namespace may take all, for whichever namespace
 */
#define PSP_NL_ASSOC_DEVS_GUESTS	64
#define PSP_NL_ASSOC_DEVS_GUEST		16

/**
 * psp_nl_assoc_dev_pre_doit() - lock rtnl and the device that a request names
 * @ops: not used
 * @skb: not used
 * @info: request; the device goes into its user_ptr
 *
 * Network devices neither come, go nor move meanwhile.
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_assoc_dev_pre_doit(const struct genl_split_ops *ops,
			      struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = psp_nl_dev_pre_doit(ops, skb, info);
	if (err)
		rtnl_unlock();

	return err;
}

/**
 * psp_nl_assoc_dev_post_doit() - undo psp_nl_assoc_dev_pre_doit()
 * @ops: not used
 * @skb: not used
 * @info: request
 */
void psp_nl_assoc_dev_post_doit(const struct genl_split_ops *ops,
				struct sk_buff *skb, struct genl_info *info)
{
	psp_nl_dev_post_doit(ops, skb, info);
	rtnl_unlock();
}

/* Namespace that a request is about; a reference is taken */
static struct net *psp_nl_assoc_dev_get_net(struct genl_info *info,
					    const struct psp_dev *psd)
{
	struct nlattr *nsid = info->attrs[PSP_A_DEV_NSID];
	struct net *net = genl_info_net(info);

	if (GENL_REQ_ATTR_CHECK(info, PSP_A_DEV_IFINDEX))
		return ERR_PTR(-EINVAL);
	if (!nsid)
		return get_net(net);

	if (psp_dev_check_owner(psd, net)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nsid,
				    "Only for callers in the PSP device's namespace");
		return ERR_PTR(-EPERM);
	}

	net = get_net_ns_by_id(net, nla_get_s32(nsid));
	if (!net) {
		NL_SET_ERR_MSG_ATTR(info->extack, nsid,
				    "No such namespace id");
		return ERR_PTR(-EINVAL);
	}

	return net;
}

static int psp_nl_assoc_dev_add(struct genl_info *info, struct psp_dev *psd,
				struct net *net)
{
	struct nlattr *ifindex = info->attrs[PSP_A_DEV_IFINDEX];
	struct net_device *netdev;
	int err;

	netdev = __dev_get_by_index(net, nla_get_u32(ifindex));
	if (!netdev) {
		NL_SET_ERR_MSG_ATTR(info->extack, ifindex,
				    "No such network device");
		return -ENODEV;
	}

	err = psp_assoc_dev_add(psd, netdev);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack,
			       "Network device belongs to a PSP device already");

	return err;
}

/* A container must not be able to keep others out */
static int psp_nl_assoc_dev_check_room(struct genl_info *info,
				       struct psp_dev *psd)
{
	struct net *net = genl_info_net(info);

	if (psd->n_assoc_devs >= PSP_NL_ASSOC_DEVS_MAX) {
		NL_SET_ERR_MSG(info->extack,
			       "PSP device has as many associated devices as it may");
		return -ENOSPC;
	}
	if (!psp_dev_check_owner(psd, net))
		return 0;

	if (psd->n_assoc_devs >= PSP_NL_ASSOC_DEVS_GUESTS) {
		NL_SET_ERR_MSG(info->extack,
			       "Only for callers in the PSP device's namespace from here on");
		return -ENOSPC;
	}
	if (psp_assoc_dev_count_in(psd, net) >= PSP_NL_ASSOC_DEVS_GUEST) {
		NL_SET_ERR_MSG(info->extack,
			       "Namespace has as many associated devices as it may add");
		return -ENOSPC;
	}

	return 0;
}

/**
 * psp_nl_dev_assoc_doit() - dev-assoc
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_dev_assoc_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psp_dev *psd = info->user_ptr[PSP_NL_PTR_DEV];
	struct sk_buff *rsp;
	struct net *net;
	int err;

	err = psp_nl_assoc_dev_check_room(info, psd);
	if (err)
		return err;

	net = psp_nl_assoc_dev_get_net(info, psd);
	if (IS_ERR(net))
		return PTR_ERR(net);

	rsp = psp_nl_msg_new(info, psd, NULL);
	if (IS_ERR(rsp)) {
		err = PTR_ERR(rsp);
		goto err_put_net;
	}

	err = psp_nl_assoc_dev_add(info, psd, net);
	if (err)
		goto err_free_rsp;

	put_net(net);
	psp_nl_notify_dev(psd, PSP_CMD_DEV_CHANGE_NTF);

	return psp_nl_reply(rsp, info);

err_free_rsp:
	nlmsg_free(rsp);
err_put_net:
	put_net(net);
	return err;
}

static struct psp_assoc_dev *psp_nl_assoc_dev_find(struct genl_info *info,
						   struct psp_dev *psd)
{
	struct nlattr *ifindex = info->attrs[PSP_A_DEV_IFINDEX];
	struct psp_assoc_dev *ad;
	struct net *net;

	net = psp_nl_assoc_dev_get_net(info, psd);
	if (IS_ERR(net))
		return ERR_CAST(net);

	ad = psp_assoc_dev_find(psd, net, nla_get_u32(ifindex));
	put_net(net);
	if (!ad) {
		NL_SET_ERR_MSG_ATTR(info->extack, ifindex,
				    "No such associated device");
		return ERR_PTR(-ENODEV);
	}

	return ad;
}

/**
 * psp_nl_dev_disassoc_doit() - dev-disassoc
 * @skb: not used
 * @info: request
 *
 * Return: 0 or a negative errno.
 */
int psp_nl_dev_disassoc_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psp_dev *psd = info->user_ptr[PSP_NL_PTR_DEV];
	struct psp_assoc_dev *ad;
	struct sk_buff *rsp;

	ad = psp_nl_assoc_dev_find(info, psd);
	if (IS_ERR(ad))
		return PTR_ERR(ad);

	rsp = psp_nl_msg_new(info, psd, NULL);
	if (IS_ERR(rsp))
		return PTR_ERR(rsp);

	/* Before the end, so that those who lose the device hear of it */
	psp_nl_notify_dev(psd, PSP_CMD_DEV_CHANGE_NTF);
	psp_assoc_dev_del(ad);

	return psp_nl_reply(rsp, info);
}

static int psp_nl_put_assoc_dev(struct sk_buff *msg, u32 ifindex, s32 nsid)
{
	struct nlattr *nest;

	nest = nla_nest_start(msg, PSP_A_DEV_ASSOC_LIST);
	if (!nest)
		return -EMSGSIZE;

	if (nla_put_u32(msg, PSP_A_ASSOC_DEV_INFO_IFINDEX, ifindex) ||
	    nla_put_s32(msg, PSP_A_ASSOC_DEV_INFO_NSID, nsid))
		return -EMSGSIZE;

	nla_nest_end(msg, nest);
	return 0;
}

/**
 * psp_nl_put_assoc_devs() - put what a namespace may know of the associations
 * @msg: message about a device
 * @psd: PSP device, locked
 * @net: namespace of the reader
 *
 * The device's own namespace is told all of them. Another one is told that it
 * sees the device by association, and its own associated devices.
 *
 * Return: 0 or -EMSGSIZE.
 */
int psp_nl_put_assoc_devs(struct sk_buff *msg, struct psp_dev *psd,
			  struct net *net)
{
	bool owner = !psp_dev_check_owner(psd, net);
	struct psp_assoc_dev *ad;
	int nsid;

	if (!owner && nla_put_flag(msg, PSP_A_DEV_BY_ASSOCIATION))
		return -EMSGSIZE;

	list_for_each_entry(ad, &psd->assoc_devs, list) {
		if (!owner && !net_eq(dev_net(ad->netdev), net))
			continue;

		nsid = owner ? peernet2id_alloc(net, dev_net(ad->netdev),
						GFP_KERNEL) :
			       NETNSA_NSID_NOT_ASSIGNED;
		if (psp_nl_put_assoc_dev(msg, ad->netdev->ifindex, nsid))
			return -EMSGSIZE;
	}

	return 0;
}
