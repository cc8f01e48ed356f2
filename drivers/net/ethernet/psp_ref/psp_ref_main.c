// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module and link operations: how ports come and go.
 */

#include <linux/etherdevice.h>
#include <linux/module.h>
#include <net/rtnetlink.h>

#include "psp_ref.h"

static int psp_ref_validate(struct nlattr *tb[], struct nlattr *data[],
			    struct netlink_ext_ack *extack)
{
	const struct nlattr *addr = tb[IFLA_ADDRESS];

	if (!addr)
		return 0;

	if (nla_len(addr) != ETH_ALEN ||
	    !is_valid_ether_addr(nla_data(addr))) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "Not the address of an Ethernet station");
		return -EADDRNOTAVAIL;
	}

	return 0;
}

/* The port that the new one is to be cabled to */
static struct psp_ref_port *psp_ref_find_peer(struct net *net,
					      const struct nlattr *link,
					      struct netlink_ext_ack *extack)
{
	struct psp_ref_port *peer;
	struct net_device *dev;

	dev = __dev_get_by_index(net, nla_get_u32(link));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, link, "Other end does not exist");
		return ERR_PTR(-ENODEV);
	}

	if (!psp_ref_is_port(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "Other end is not a psp_ref port");
		return ERR_PTR(-EOPNOTSUPP);
	}

	peer = netdev_priv(dev);
	if (rtnl_dereference(peer->peer)) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "Other end has a cable already");
		return ERR_PTR(-EBUSY);
	}

	return peer;
}

static int psp_ref_newlink(struct net_device *dev,
			   struct rtnl_newlink_params *params,
			   struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct psp_ref_port *peer = NULL;
	int err;

	if (params->tb[IFLA_LINK]) {
		peer = psp_ref_find_peer(rtnl_newlink_link_net(params),
					 params->tb[IFLA_LINK], extack);
		if (IS_ERR(peer))
			return PTR_ERR(peer);
	}

	if (!params->tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);

	err = register_netdevice(dev);
	if (err)
		return err;

	err = psp_ref_psp_register(port);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cannot register the PSP device");
		goto err_unregister;
	}

	if (peer)
		psp_ref_cable(port, peer);

	return 0;

err_unregister:
	unregister_netdevice(dev);
	return err;
}

static void psp_ref_dellink(struct net_device *dev, struct list_head *head)
{
	struct psp_ref_port *port = netdev_priv(dev);

	psp_ref_psp_quiesce(port);
	psp_ref_uncable(port);
	unregister_netdevice_queue(dev, head);
}

static struct net *psp_ref_get_link_net(const struct net_device *dev)
{
	const struct psp_ref_port *port = netdev_priv(dev);
	const struct psp_ref_port *peer = rtnl_dereference(port->peer);

	return dev_net(peer ? peer->dev : dev);
}

static unsigned int psp_ref_num_queues(void)
{
	return PSP_REF_QUEUES;
}

static struct rtnl_link_ops psp_ref_link_ops = {
	.kind			= PSP_REF_DRV_NAME,
	.priv_size		= sizeof(struct psp_ref_port),
	.setup			= psp_ref_setup,
	.validate		= psp_ref_validate,
	.newlink		= psp_ref_newlink,
	.dellink		= psp_ref_dellink,
	.get_link_net		= psp_ref_get_link_net,
	.get_num_tx_queues	= psp_ref_num_queues,
	.get_num_rx_queues	= psp_ref_num_queues,
};

static int __init psp_ref_init(void)
{
	int err;

	err = psp_ref_hw_selftest();
	if (err)
		return err;

	psp_ref_debugfs_init();
	err = rtnl_link_register(&psp_ref_link_ops);
	if (err)
		goto err_debugfs_exit;

	return 0;

err_debugfs_exit:
	psp_ref_debugfs_exit();
	return err;
}

static void __exit psp_ref_exit(void)
{
	rtnl_link_unregister(&psp_ref_link_ops);
	psp_ref_debugfs_exit();
}

module_init(psp_ref_init);
module_exit(psp_ref_exit);

MODULE_DESCRIPTION("PSP reference NIC");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK(PSP_REF_DRV_NAME);
MODULE_SOFTDEP("pre: aes gcm cmac");
