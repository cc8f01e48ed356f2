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

/* May the port be cabled to? */
static int psp_ref_check_peer(const struct psp_ref_port *peer,
			      const struct nlattr *link,
			      struct netlink_ext_ack *extack)
{
	if (rtnl_dereference(peer->peer)) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "Other end has a cable already");
		return -EBUSY;
	}

	if (rtnl_dereference(peer->lower)) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "Other end is on a real interface");
		return -EBUSY;
	}

	return 0;
}

/* What the new port's wire leads to: a port to be cabled to, or a real
 * interface to sit on. NULL if none was named.
 */
static struct net_device *psp_ref_find_link(struct net_device *dev,
					    struct rtnl_newlink_params *params,
					    struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = params->tb[IFLA_LINK];
	struct net_device *link;
	int err;

	if (!attr)
		return NULL;

	link = __dev_get_by_index(rtnl_newlink_link_net(params),
				  nla_get_u32(attr));
	if (!link) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "Other end does not exist");
		return ERR_PTR(-ENODEV);
	}

	if (psp_ref_is_port(link))
		err = psp_ref_check_peer(netdev_priv(link), attr, extack);
	else
		err = psp_ref_lower_check(dev, link, params->tb, extack);

	return err ? ERR_PTR(err) : link;
}

static int psp_ref_plug_in(struct psp_ref_port *port, struct net_device *link,
			   struct netlink_ext_ack *extack)
{
	if (!link)
		return 0;
	if (!psp_ref_is_port(link))
		return psp_ref_lower_attach(port, link, extack);

	psp_ref_cable(port, netdev_priv(link));
	return 0;
}

static int psp_ref_newlink(struct net_device *dev,
			   struct rtnl_newlink_params *params,
			   struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct net_device *link;
	int err;

	link = psp_ref_find_link(dev, params, extack);
	if (IS_ERR(link))
		return PTR_ERR(link);

	if (link && !psp_ref_is_port(link))
		psp_ref_lower_inherit(dev, link, params->tb);
	else if (!params->tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);

	err = register_netdevice(dev);
	if (err)
		return err;

	err = psp_ref_psp_register(port);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cannot register the PSP device");
		goto err_unregister;
	}

	err = psp_ref_plug_in(port, link, extack);
	if (err)
		goto err_unregister;

	return 0;

err_unregister:
	unregister_netdevice(dev);
	return err;
}

/* The first step of removing a port; the second unregisters all on the list */
void psp_ref_dellink(struct net_device *dev, struct list_head *head)
{
	struct psp_ref_port *port = netdev_priv(dev);

	psp_ref_psp_quiesce(port);
	psp_ref_uncable(port);
	psp_ref_lower_detach(port);
	unregister_netdevice_queue(dev, head);
}

static struct net *psp_ref_get_link_net(const struct net_device *dev)
{
	const struct psp_ref_port *port = netdev_priv(dev);
	const struct psp_ref_port *peer = rtnl_dereference(port->peer);
	const struct net_device *lower = rtnl_dereference(port->lower);

	return dev_net(peer ? peer->dev : lower ?: dev);
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

	err = psp_ref_reset_init();
	if (err)
		return err;

	psp_ref_debugfs_init();
	err = psp_ref_lower_init();
	if (err)
		goto err_debugfs_exit;

	err = rtnl_link_register(&psp_ref_link_ops);
	if (err)
		goto err_lower_exit;

	return 0;

err_lower_exit:
	psp_ref_lower_exit();
err_debugfs_exit:
	psp_ref_debugfs_exit();
	psp_ref_reset_exit();
	return err;
}

static void __exit psp_ref_exit(void)
{
	rtnl_link_unregister(&psp_ref_link_ops);
	psp_ref_lower_exit();
	psp_ref_debugfs_exit();
	psp_ref_reset_exit();
}

module_init(psp_ref_init);
module_exit(psp_ref_exit);

MODULE_DESCRIPTION("PSP reference NIC");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK(PSP_REF_DRV_NAME);
MODULE_SOFTDEP("pre: aes gcm cmac");
