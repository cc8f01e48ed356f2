// SPDX-License-Identifier: GPL-2.0-only
/*
 * The net device of a port: making, opening, stopping, cabling it.
 */

#include <linux/etherdevice.h>
#include <linux/idr.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "psp_ref.h"

#define PSP_REF_FEATURES	(NETIF_F_SG | NETIF_F_FRAGLIST | \
				 NETIF_F_HIGHDMA | NETIF_F_HW_CSUM | \
				 NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN)

/* Engines are threads, and get as much of a CPU as the host can spare */
#define PSP_REF_TX_TIMEOUT	(30 * HZ)

static DEFINE_IDA(psp_ref_ids);

/* Link means: cabled, and both ends open. One end that changes is news for
 * both. On a real interface: the port is open, and that has carrier.
 */
void psp_ref_carrier_update(struct psp_ref_port *port)
{
	struct net_device *lower = rtnl_dereference(port->lower);
	struct psp_ref_port *peer = rtnl_dereference(port->peer);

	if (lower && netif_running(port->dev) &&
	    psp_ref_lower_has_carrier(lower)) {
		netif_carrier_on(port->dev);
		return;
	}

	if (peer && netif_running(port->dev) && netif_running(peer->dev)) {
		netif_carrier_on(port->dev);
		netif_carrier_on(peer->dev);
		return;
	}

	netif_carrier_off(port->dev);
	if (peer)
		netif_carrier_off(peer->dev);
}

void psp_ref_cable(struct psp_ref_port *port, struct psp_ref_port *peer)
{
	rcu_assign_pointer(port->peer, peer);
	rcu_assign_pointer(peer->peer, port);
	psp_ref_hw_connect(port->hw, peer->hw);
	psp_ref_carrier_update(port);
}

void psp_ref_uncable(struct psp_ref_port *port)
{
	struct psp_ref_port *peer = rtnl_dereference(port->peer);

	if (!peer)
		return;

	psp_ref_hw_disconnect(port->hw);
	RCU_INIT_POINTER(port->peer, NULL);
	RCU_INIT_POINTER(peer->peer, NULL);
	psp_ref_carrier_update(port);
	psp_ref_carrier_update(peer);
}

static int psp_ref_open(struct net_device *dev)
{
	struct psp_ref_port *port = netdev_priv(dev);
	int err;

	err = psp_ref_rings_open(port);
	if (err)
		return err;

	psp_ref_lower_open(port);
	psp_ref_carrier_update(port);
	return 0;
}

static int psp_ref_stop(struct net_device *dev)
{
	struct psp_ref_port *port = netdev_priv(dev);

	psp_ref_carrier_update(port);
	psp_ref_lower_stop(port);
	psp_ref_rings_close(port);

	return 0;
}

static void psp_ref_queue_init(struct psp_ref_port *port, unsigned int i)
{
	struct psp_ref_queue *q = &port->queue[i];

	q->port = port;
	q->index = i;
	q->tx_prod = PSP_REF_RING_START;
	q->tx_cons = PSP_REF_RING_START;
	q->tx.doorbell = PSP_REF_RING_START;
	q->tx.comp_prod = PSP_REF_RING_START;
	q->rx.prod = PSP_REF_RING_START;
	q->rx.cons = PSP_REF_RING_START;
	INIT_LIST_HEAD(&q->marks);
	spin_lock_init(&q->mark_lock);
	psp_ref_stats_init(&q->tx_stats);
	psp_ref_stats_init(&q->poll_stats);
	netif_napi_add(port->dev, &q->napi, psp_ref_poll);
}

static int psp_ref_queues_alloc(struct psp_ref_port *port)
{
	struct net_device *dev = port->dev;
	unsigned int i, n;
	int err;

	n = min3(dev->num_tx_queues, dev->num_rx_queues,
		 (unsigned int)PSP_REF_MAX_QUEUES);
	err = netif_set_real_num_queues(dev, n, n);
	if (err)
		return err;

	port->queue = kvcalloc(n, sizeof(*port->queue), GFP_KERNEL);
	if (!port->queue)
		return -ENOMEM;

	port->nqueues = n;
	port->conf.nqueues = n;
	port->conf.tx_size = PSP_REF_TX_RING_SIZE;
	port->conf.rx_size = PSP_REF_RX_RING_SIZE;
	for (i = 0; i < n; i++)
		psp_ref_queue_init(port, i);

	return 0;
}

/* NAPI instances are found by their id until a grace period has passed */
static void psp_ref_napi_del_all(struct psp_ref_port *port)
{
	unsigned int i;

	for (i = 0; i < port->nqueues; i++)
		__netif_napi_del(&port->queue[i].napi);
	synchronize_net();
}

/* As long as an engine has work to do it tells of its completions in batches */
static void psp_ref_moderation_init(struct psp_ref_port *port)
{
	port->tx_moder.usecs = PSP_REF_MODER_USECS;
	port->tx_moder.frames = PSP_REF_MODER_FRAMES;
	port->tx_moder.adaptive = true;
	port->rx_moder = port->tx_moder;
	psp_ref_hw_moderate(port->hw, &port->tx_moder, &port->rx_moder);
}

static int psp_ref_dev_init(struct net_device *dev)
{
	struct psp_ref_port *port = netdev_priv(dev);
	int err;

	port->dev = dev;
	mutex_init(&port->ring_lock);
	psp_ref_reset_port_init(port);
	netif_carrier_off(dev);

	err = ida_alloc(&psp_ref_ids, GFP_KERNEL);
	if (err < 0)
		return err;
	port->id = err;

	err = psp_ref_queues_alloc(port);
	if (err)
		goto err_free_id;

	port->hw = psp_ref_hw_create(dev, port->id, port->nqueues);
	if (IS_ERR(port->hw)) {
		err = PTR_ERR(port->hw);
		goto err_free_queues;
	}

	psp_ref_moderation_init(port);
	psp_ref_debugfs_add(port);
	return 0;

err_free_queues:
	psp_ref_napi_del_all(port);
	kvfree(port->queue);
err_free_id:
	ida_free(&psp_ref_ids, port->id);
	return err;
}

/* The port is closed and nobody can open it again */
static void psp_ref_dev_uninit(struct net_device *dev)
{
	struct psp_ref_port *port = netdev_priv(dev);

	psp_ref_psp_unregister(port);
	psp_ref_uncable(port);
	psp_ref_lower_detach(port);
	psp_ref_debugfs_del(port);
	psp_ref_napi_del_all(port);
}

/* Last of all, a grace period after the cable was taken away */
static void psp_ref_dev_free(struct net_device *dev)
{
	struct psp_ref_port *port = netdev_priv(dev);

	psp_ref_hw_destroy(port->hw);
	kvfree(port->queue);
	ida_free(&psp_ref_ids, port->id);
}

static void psp_ref_get_stats64(struct net_device *dev,
				struct rtnl_link_stats64 *stats)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct psp_ref_queue *q;
	unsigned int i;

	for (i = 0; i < port->nqueues; i++) {
		q = &port->queue[i];
		stats->tx_packets += psp_ref_stats_read(&q->poll_stats,
						PSP_REF_POLL_TX_PACKETS);
		stats->tx_bytes += psp_ref_stats_read(&q->poll_stats,
						PSP_REF_POLL_TX_BYTES);
		stats->tx_dropped += psp_ref_stats_read(&q->poll_stats,
						PSP_REF_POLL_TX_DROPPED);
		stats->tx_dropped += psp_ref_stats_read(&q->tx_stats,
						PSP_REF_TX_DROP_NO_ASSOC);
		stats->tx_dropped += psp_ref_stats_read(&q->tx_stats,
						PSP_REF_TX_DROP_TOO_BIG);
		stats->tx_dropped += psp_ref_stats_read(&q->tx_stats,
						PSP_REF_TX_DROP_ENCAP);
		stats->rx_packets += psp_ref_stats_read(&q->poll_stats,
						PSP_REF_POLL_RX_PACKETS);
		stats->rx_bytes += psp_ref_stats_read(&q->poll_stats,
						PSP_REF_POLL_RX_BYTES);
		stats->rx_dropped += psp_ref_stats_read(&q->poll_stats,
						PSP_REF_POLL_RX_DROP_NO_ASSOC);
		stats->rx_length_errors += psp_ref_hw_rx_stat(port->hw, i,
						PSP_REF_HW_RX_TOO_LONG);
	}
	stats->rx_errors += stats->rx_length_errors;
	stats->rx_dropped += psp_ref_hw_no_room(port->hw);
	stats->tx_dropped += psp_ref_hw_refused(port->hw);
}

static int psp_ref_get_iflink(const struct net_device *dev)
{
	const struct psp_ref_port *port = netdev_priv(dev);
	const struct psp_ref_port *peer;
	const struct net_device *link;
	int iflink;

	rcu_read_lock();
	peer = rcu_dereference(port->peer);
	link = peer ? peer->dev : rcu_dereference(port->lower);
	iflink = READ_ONCE((link ?: dev)->ifindex);
	rcu_read_unlock();

	return iflink;
}

static int psp_ref_get_phys_port_name(struct net_device *dev, char *name,
				      size_t len)
{
	const struct psp_ref_port *port = netdev_priv(dev);

	return snprintf(name, len, "p%d", port->id) >= len ? -EINVAL : 0;
}

/* A cable has one other end: all that comes is for this port */
static void psp_ref_set_rx_mode(struct net_device *dev)
{
	psp_ref_lower_set_rx_mode(netdev_priv(dev));
}

static void psp_ref_change_rx_flags(struct net_device *dev, int change)
{
	psp_ref_lower_change_rx_flags(netdev_priv(dev), change);
}

/* The address of a real interface is changed there, and the port's follows */
static int psp_ref_set_mac_address(struct net_device *dev, void *p)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct net_device *lower = rtnl_dereference(port->lower);
	const struct sockaddr *addr = p;

	if (lower && !ether_addr_equal(addr->sa_data, lower->dev_addr))
		return -EADDRNOTAVAIL;

	return eth_mac_addr(dev, p);
}

static const struct net_device_ops psp_ref_netdev_ops = {
	.ndo_init		= psp_ref_dev_init,
	.ndo_uninit		= psp_ref_dev_uninit,
	.ndo_open		= psp_ref_open,
	.ndo_stop		= psp_ref_stop,
	.ndo_start_xmit		= psp_ref_xmit,
	.ndo_tx_timeout		= psp_ref_tx_timeout,
	.ndo_set_rx_mode	= psp_ref_set_rx_mode,
	.ndo_change_rx_flags	= psp_ref_change_rx_flags,
	.ndo_set_mac_address	= psp_ref_set_mac_address,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_get_stats64	= psp_ref_get_stats64,
	.ndo_get_iflink		= psp_ref_get_iflink,
	.ndo_get_phys_port_name	= psp_ref_get_phys_port_name,
};

bool psp_ref_is_port(const struct net_device *dev)
{
	return dev->netdev_ops == &psp_ref_netdev_ops;
}

/* With the PSP headers and the ICV the packet that is handed to the device
 * still has to fit in the 16 bits of IPv4's total length.
 */
void psp_ref_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &psp_ref_netdev_ops;
	dev->ethtool_ops = &psp_ref_ethtool_ops;
	dev->priv_destructor = psp_ref_dev_free;
	dev->needs_free_netdev = true;
	dev->priv_flags |= IFF_UNICAST_FLT | IFF_LIVE_ADDR_CHANGE;
	dev->max_mtu = PSP_REF_MAX_MTU;
	dev->watchdog_timeo = PSP_REF_TX_TIMEOUT;
	dev->needed_headroom = PSP_ENCAP_HLEN;
	dev->features = PSP_REF_FEATURES | NETIF_F_RXCSUM;
	dev->hw_features = dev->features;
	dev->vlan_features = PSP_REF_FEATURES;
	netif_set_tso_max_size(dev, GSO_LEGACY_MAX_SIZE - PSP_OVERHEAD);
}
