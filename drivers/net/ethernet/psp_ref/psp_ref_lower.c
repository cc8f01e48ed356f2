// SPDX-License-Identifier: GPL-2.0-only
/*
 * A port on a real interface: what it may sit on, what it takes over from
 * there, and how it follows what happens there.
 *
 * It is all that its lower device is seen as: same hardware address, everything
 * that comes, filters passed down. One port goes with it, and with nothing else
 * that takes its frames.
 */

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include "psp_ref.h"

static int psp_ref_lower_is_port(struct net_device *dev,
				 struct netdev_nested_priv *priv)
{
	return psp_ref_is_port(dev) ? -ELOOP : 0;
}

/* Frames of one port inside of another's would be PSP in PSP */
static bool psp_ref_lower_is_above_port(struct net_device *lower)
{
	struct netdev_nested_priv priv = { };

	return netdev_walk_all_lower_dev(lower, psp_ref_lower_is_port, &priv);
}

static int psp_ref_lower_check_dev(struct net_device *lower,
				   const struct nlattr *link,
				   struct netlink_ext_ack *extack)
{
	if (lower->type != ARPHRD_ETHER || lower->flags & IFF_LOOPBACK) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "Lower device is not Ethernet");
		return -EOPNOTSUPP;
	}

	if (lower->mtu < ETH_MIN_MTU) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "MTU of the lower device is too small");
		return -EINVAL;
	}

	if (psp_ref_lower_is_above_port(lower)) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "Lower device is on top of a psp_ref port");
		return -ELOOP;
	}

	if (netdev_is_rx_handler_busy(lower)) {
		NL_SET_ERR_MSG_ATTR(extack, link,
				    "Frames of the lower device are taken by another device already");
		return -EBUSY;
	}

	return 0;
}

/* May @dev, not registered yet, be made on @lower with these attributes? */
int psp_ref_lower_check(const struct net_device *dev, struct net_device *lower,
			struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	const struct nlattr *addr = tb[IFLA_ADDRESS];
	int err;

	ASSERT_RTNL();

	err = psp_ref_lower_check_dev(lower, tb[IFLA_LINK], extack);
	if (err)
		return err;

	if (addr && !ether_addr_equal(nla_data(addr), lower->dev_addr)) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "Address is not the lower device's");
		return -EADDRNOTAVAIL;
	}

	if (tb[IFLA_MTU] && dev->mtu > lower->mtu) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_MTU],
				    "MTU is larger than the lower device's");
		return -EINVAL;
	}

	return 0;
}

static unsigned int psp_ref_lower_max_mtu(const struct net_device *lower)
{
	return min_t(unsigned int, lower->mtu, PSP_REF_MAX_MTU);
}

/* Before @dev is registered */
void psp_ref_lower_inherit(struct net_device *dev, struct net_device *lower,
			   struct nlattr *tb[])
{
	eth_hw_addr_inherit(dev, lower);
	dev->max_mtu = psp_ref_lower_max_mtu(lower);
	if (!tb[IFLA_MTU])
		dev->mtu = dev->max_mtu;
	dev->needed_headroom += lower->needed_headroom;
	dev->needed_tailroom = lower->needed_tailroom;
}

/* @port is registered and down */
int psp_ref_lower_attach(struct psp_ref_port *port, struct net_device *lower,
			 struct netlink_ext_ack *extack)
{
	int err;

	ASSERT_RTNL();

	err = netdev_upper_dev_link(lower, port->dev, extack);
	if (err)
		return err;

	err = psp_ref_hw_attach(port->hw, lower);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "Lower device does not give its frames away");
		goto err_unlink;
	}

	rcu_assign_pointer(port->lower, lower);
	psp_ref_carrier_update(port);
	return 0;

err_unlink:
	netdev_upper_dev_unlink(lower, port->dev);
	return err;
}

static void psp_ref_lower_unsync(struct psp_ref_port *port,
				 struct net_device *lower)
{
	dev_mc_unsync(lower, port->dev);
	dev_uc_unsync(lower, port->dev);
}

/* Take back what the port has asked of the lower device while it was up */
static void psp_ref_lower_release(struct psp_ref_port *port,
				  struct net_device *lower)
{
	psp_ref_lower_unsync(port, lower);
	if (port->dev->flags & IFF_ALLMULTI)
		dev_set_allmulti(lower, -1);
	if (port->dev->flags & IFF_PROMISC)
		dev_set_promiscuity(lower, -1);
}

/* For a port that is going to be removed; it may still be up, and when it is
 * closed it is too late to release anything.
 */
void psp_ref_lower_detach(struct psp_ref_port *port)
{
	struct net_device *lower = rtnl_dereference(port->lower);

	if (!lower)
		return;

	RCU_INIT_POINTER(port->lower, NULL);
	psp_ref_hw_detach(port->hw);
	/* It has waited for a grace period: nobody adds addresses either */
	if (netif_running(port->dev))
		psp_ref_lower_release(port, lower);
	netdev_upper_dev_unlink(lower, port->dev);
	psp_ref_carrier_update(port);
}

bool psp_ref_lower_has_carrier(const struct net_device *lower)
{
	return netif_running(lower) && netif_carrier_ok(lower);
}

/* While the port is up, the lower device receives what the port wants to. The
 * addresses follow by psp_ref_lower_set_rx_mode(), which the stack calls next.
 */
void psp_ref_lower_open(struct psp_ref_port *port)
{
	struct net_device *lower = rtnl_dereference(port->lower);

	if (!lower)
		return;

	if (port->dev->flags & IFF_ALLMULTI)
		dev_set_allmulti(lower, 1);
	if (port->dev->flags & IFF_PROMISC)
		dev_set_promiscuity(lower, 1);
}

void psp_ref_lower_stop(struct psp_ref_port *port)
{
	struct net_device *lower = rtnl_dereference(port->lower);

	if (lower)
		psp_ref_lower_release(port, lower);
}

void psp_ref_lower_change_rx_flags(struct psp_ref_port *port, int change)
{
	struct net_device *lower = rtnl_dereference(port->lower);
	struct net_device *dev = port->dev;

	if (!lower || !(dev->flags & IFF_UP))
		return;

	if (change & IFF_ALLMULTI)
		dev_set_allmulti(lower, dev->flags & IFF_ALLMULTI ? 1 : -1);
	if (change & IFF_PROMISC)
		dev_set_promiscuity(lower, dev->flags & IFF_PROMISC ? 1 : -1);
}

/* The stack holds the lock of the port's address lists, and rtnl_lock() not
 * always: IPv6 joins a group without.
 */
void psp_ref_lower_set_rx_mode(struct psp_ref_port *port)
{
	struct net_device *lower;

	rcu_read_lock();
	lower = rcu_dereference(port->lower);
	if (lower && !port->lower_away && netif_running(port->dev)) {
		dev_mc_sync(lower, port->dev);
		dev_uc_sync(lower, port->dev);
	}
	rcu_read_unlock();
}

/* The port on a lower device, if there is one: there are no two */
static struct psp_ref_port *psp_ref_lower_port(struct net_device *lower)
{
	struct psp_ref_port *port = NULL;
	struct net_device *upper;
	struct list_head *iter;

	rcu_read_lock();
	netdev_for_each_upper_dev_rcu(lower, upper, iter)
		if (psp_ref_is_port(upper))
			port = netdev_priv(upper);
	rcu_read_unlock();

	return port;
}

static void psp_ref_lower_new_addr(struct psp_ref_port *port,
				   const struct net_device *lower)
{
	eth_hw_addr_set(port->dev, lower->dev_addr);
	call_netdevice_notifiers(NETDEV_CHANGEADDR, port->dev);
}

/* The port's MTU is lowered along; to raise it is for whoever lowered it. The
 * lower device goes back to the MTU it had if the port cannot follow.
 */
static int psp_ref_lower_new_mtu(struct psp_ref_port *port,
				 const struct net_device *lower)
{
	struct net_device *dev = port->dev;

	if (lower->mtu < ETH_MIN_MTU)
		return -EINVAL;

	dev->max_mtu = psp_ref_lower_max_mtu(lower);
	if (dev->mtu > dev->max_mtu)
		return dev_set_mtu(dev, dev->max_mtu);

	return 0;
}

/* A lower device that only moves to another namespace keeps its port, but it
 * forgets all addresses: the port takes its own back beforehand, and asks for
 * them again afterwards.
 */
static void psp_ref_lower_gone(struct psp_ref_port *port,
			       struct net_device *lower)
{
	LIST_HEAD(list);

	if (lower->reg_state != NETREG_UNREGISTERING) {
		netif_addr_lock_bh(port->dev);
		port->lower_away = true;
		netif_addr_unlock_bh(port->dev);
		psp_ref_lower_unsync(port, lower);
		return;
	}

	psp_ref_dellink(port->dev, &list);
	unregister_netdevice_many(&list);
}

static void psp_ref_lower_arrived(struct psp_ref_port *port)
{
	netif_addr_lock_bh(port->dev);
	port->lower_away = false;
	psp_ref_lower_set_rx_mode(port);
	netif_addr_unlock_bh(port->dev);
}

static int psp_ref_lower_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *lower = netdev_notifier_info_to_dev(ptr);
	struct psp_ref_port *port = psp_ref_lower_port(lower);

	if (!port)
		return NOTIFY_DONE;

	switch (event) {
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
		psp_ref_carrier_update(port);
		break;
	case NETDEV_CHANGEMTU:
		return notifier_from_errno(psp_ref_lower_new_mtu(port, lower));
	case NETDEV_CHANGEADDR:
		psp_ref_lower_new_addr(port, lower);
		break;
	case NETDEV_UNREGISTER:
		psp_ref_lower_gone(port, lower);
		break;
	case NETDEV_REGISTER:
		psp_ref_lower_arrived(port);
		break;
	}

	return NOTIFY_DONE;
}

static struct notifier_block psp_ref_lower_notifier = {
	.notifier_call = psp_ref_lower_event,
};

int psp_ref_lower_init(void)
{
	return register_netdevice_notifier(&psp_ref_lower_notifier);
}

void psp_ref_lower_exit(void)
{
	unregister_netdevice_notifier(&psp_ref_lower_notifier);
}
