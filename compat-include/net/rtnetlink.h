/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct rtnl_newlink_params: since 6.15, drop when min > 6.14. Kernels before
 * hand the namespace and the attributes to newlink() one by one.
 *
 * Main code gets link operations of our own with the newer newlink(); to
 * register them makes the kernel's out of them. Only the members that main
 * code needs are here. The macros also rename the member of struct
 * net_device: main code has no use for it.
 */
#ifndef _COMPAT_NET_RTNETLINK_H
#define _COMPAT_NET_RTNETLINK_H

#include <generated/compat-probes.h>
#include_next <net/rtnetlink.h>

#ifndef COMPAT_HAS_RTNL_NEWLINK_PARAMS

#include <linux/netdevice.h>

/**
 * struct rtnl_newlink_params - what newlink() is told
 * @src_net: namespace that IFLA_LINK is looked up in: the caller's, or the
 *	one of IFLA_LINK_NETNSID
 * @tb: IFLA_* attributes
 * @data: IFLA_INFO_DATA attributes
 */
struct rtnl_newlink_params {
	struct net	*src_net;
	struct nlattr	**tb;
	struct nlattr	**data;
};

static inline struct net *
rtnl_newlink_link_net(struct rtnl_newlink_params *params)
{
	return params->src_net;
}

/**
 * struct psp_compat_rtnl_link_ops - stands for struct rtnl_link_ops
 * @kernel: made by rtnl_link_register()
 * @kind: see struct rtnl_link_ops, as for all that follow
 * @priv_size: size of the private part
 * @setup: prepares the net device
 * @validate: checks the attributes
 * @newlink: registers the net device
 * @dellink: unregisters the net device
 * @get_num_tx_queues: number of transmit queues
 * @get_num_rx_queues: number of receive queues
 * @get_link_net: namespace of the linked net device
 */
struct psp_compat_rtnl_link_ops {
	struct rtnl_link_ops kernel;
	const char	*kind;
	size_t		priv_size;
	void		(*setup)(struct net_device *dev);
	int		(*validate)(struct nlattr *tb[], struct nlattr *data[],
				    struct netlink_ext_ack *extack);
	int		(*newlink)(struct net_device *dev,
				   struct rtnl_newlink_params *params,
				   struct netlink_ext_ack *extack);
	void		(*dellink)(struct net_device *dev,
				   struct list_head *head);
	unsigned int	(*get_num_tx_queues)(void);
	unsigned int	(*get_num_rx_queues)(void);
	struct net	*(*get_link_net)(const struct net_device *dev);
};

static inline int
psp_compat_rtnl_newlink(struct net *src_net, struct net_device *dev,
			struct nlattr *tb[], struct nlattr *data[],
			struct netlink_ext_ack *extack)
{
	const struct psp_compat_rtnl_link_ops *ops;
	struct rtnl_newlink_params params = {
		.src_net = src_net,
		.tb = tb,
		.data = data,
	};

	ops = container_of(dev->rtnl_link_ops,
			   struct psp_compat_rtnl_link_ops, kernel);
	return ops->newlink(dev, &params, extack);
}

static inline int
psp_compat_rtnl_link_register(struct psp_compat_rtnl_link_ops *ops)
{
	ops->kernel = (struct rtnl_link_ops) {
		.kind = ops->kind,
		.priv_size = ops->priv_size,
		.setup = ops->setup,
		.validate = ops->validate,
		.newlink = psp_compat_rtnl_newlink,
		.dellink = ops->dellink,
		.get_num_tx_queues = ops->get_num_tx_queues,
		.get_num_rx_queues = ops->get_num_rx_queues,
		.get_link_net = ops->get_link_net,
	};

	return rtnl_link_register(&ops->kernel);
}

static inline void
psp_compat_rtnl_link_unregister(struct psp_compat_rtnl_link_ops *ops)
{
	rtnl_link_unregister(&ops->kernel);
}

#define rtnl_link_ops psp_compat_rtnl_link_ops
#define rtnl_link_register psp_compat_rtnl_link_register
#define rtnl_link_unregister psp_compat_rtnl_link_unregister

#endif /* COMPAT_HAS_RTNL_NEWLINK_PARAMS */

#endif /* _COMPAT_NET_RTNETLINK_H */
