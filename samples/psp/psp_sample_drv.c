// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that a driver of a NIC with PSP has to do. The module makes two
 * devices, sample0 and sample1, that are connected with each other.
 *
 * Only the driver is an example: what is below it, psp_sample_hw.c, does not
 * encrypt. psp_ref is a whole driver, for a whole device.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>

#include "psp_sample.h"

/**
 * struct sample_port - a network device
 * @dev: network device
 * @psd: PSP device, as long as packets under PSP may be sent and received
 * @caps: what it can do
 * @tx_error: packets that could not be sent under PSP
 * @retire_lock: protects @retired
 * @retired: keys that descriptors may still name
 * @hw: the device
 */
struct sample_port {
	struct net_device *dev;
	struct psp_dev __rcu *psd;
	struct psp_dev_caps caps;
	atomic64_t tx_error;
	spinlock_t retire_lock;		/* retired */
	struct list_head retired;
	struct sample_hw hw;
};

/**
 * struct sample_key - the driver's part of a tx key
 * @slot: where the device has it
 * @mark: when it is retired: the descriptors posted before may name it
 * @psd: whom to tell when they are done; outlives the key
 * @ticket: what to tell
 * @node: link in &sample_port.retired
 */
struct sample_key {
	u32 slot;
	u32 mark;
	struct psp_dev *psd;
	u32 ticket;
	struct list_head node;
};

static struct net_device *sample_devs[2];

static int sample_set_config(struct psp_dev *psd, struct psp_dev_config *conf,
			     struct netlink_ext_ack *extack)
{
	struct sample_port *port = psd->drv_priv;

	spin_lock_bh(&port->hw.lock);
	port->hw.versions = conf->versions;
	spin_unlock_bh(&port->hw.lock);
	return 0;
}

static int sample_key_rotate(struct psp_dev *psd,
			     struct netlink_ext_ack *extack)
{
	struct sample_port *port = psd->drv_priv;

	sample_hw_rotate(&port->hw, psd->generation);
	return 0;
}

static int sample_rx_spi_alloc(struct psp_dev *psd, u32 version,
			       struct psp_key_parsed *assoc,
			       struct netlink_ext_ack *extack)
{
	struct sample_port *port = psd->drv_priv;
	int err = sample_hw_spi_alloc(&port->hw, assoc);

	if (err)
		NL_SET_ERR_MSG(extack, "All SPIs of this key are given out");
	return err;
}

static int sample_tx_key_add(struct psp_dev *psd, struct psp_assoc *pas,
			     struct netlink_ext_ack *extack)
{
	struct sample_key *key = psp_assoc_drv_data(pas);
	struct sample_port *port = psd->drv_priv;
	int err = sample_hw_key_add(&port->hw, pas->tx.key, &key->slot);

	if (err)
		NL_SET_ERR_MSG(extack, "Key table of the device is full");
	return err;
}

static bool sample_mark_is_reached(const struct sample_port *port, u32 mark)
{
	/* Pairs with the device's release in sample_hw_work() */
	return (s32)(smp_load_acquire(&port->hw.cons) - mark) >= 0;
}

/* No segment can find the key any more, and all that did have been posted. Look
 * and link under one lock, which each completion takes behind its new consumer:
 * it comes before, and is seen here, or it finds the key. So a key is linked
 * only if a completion is still to come, and stopping waits for that.
 */
static int sample_tx_key_retire(struct psp_dev *psd, struct psp_assoc *pas,
				u32 ticket)
{
	struct sample_key *key = psp_assoc_drv_data(pas);
	struct sample_port *port = psd->drv_priv;
	int err = 0;

	key->mark = READ_ONCE(port->hw.prod);
	key->psd = psd;
	key->ticket = ticket;

	spin_lock_bh(&port->retire_lock);
	if (!sample_mark_is_reached(port, key->mark)) {
		list_add_tail(&key->node, &port->retired);
		err = -EINPROGRESS;
	}
	spin_unlock_bh(&port->retire_lock);

	return err;
}

static void sample_tx_key_del(struct psp_dev *psd, struct psp_assoc *pas)
{
	struct sample_key *key = psp_assoc_drv_data(pas);
	struct sample_port *port = psd->drv_priv;

	sample_hw_key_del(&port->hw, key->slot);
}

static void sample_get_stats(struct psp_dev *psd, struct psp_dev_stats *stats)
{
	struct sample_port *port = psd->drv_priv;

	spin_lock_bh(&port->hw.lock);
	*stats = port->hw.stats;
	spin_unlock_bh(&port->hw.lock);
	stats->tx_error += atomic64_read(&port->tx_error);
}

static struct psp_dev_ops sample_psp_ops = {
	.set_config	= sample_set_config,
	.key_rotate	= sample_key_rotate,
	.rx_spi_alloc	= sample_rx_spi_alloc,
	.tx_key_add	= sample_tx_key_add,
	.tx_key_retire	= sample_tx_key_retire,
	.tx_key_del	= sample_tx_key_del,
	.get_stats	= sample_get_stats,
};

/* A marked segment leaves under its key, or not at all */
static int sample_describe_psp(struct sample_port *port, struct sk_buff *skb,
			       struct sample_desc *desc)
{
	struct psp_dev *psd = rcu_dereference_bh(port->psd);
	struct psp_assoc *pas = psp_skb_get_assoc_rcu(skb);
	struct sample_key *key;

	if (!pas || !psd || pas->psd != psd)
		return -ENOKEY;
	if (skb->len + PSP_OVERHEAD > port->dev->mtu + ETH_HLEN)
		return -EMSGSIZE;
	if (!psp_dev_encapsulate(dev_net(port->dev), skb, pas->tx.spi,
				 pas->version, 0))
		return -ENOMEM;

	key = psp_assoc_drv_data(pas);
	desc->key = key->slot;

	return 0;
}

static bool sample_has_room(const struct sample_port *port)
{
	/* Pairs with the device's release: the slot is empty */
	u32 cons = smp_load_acquire(&port->hw.cons);

	return READ_ONCE(port->hw.prod) - cons < SAMPLE_RING;
}

/* The stack is not asked to wait when it has a packet, but before */
static void sample_maybe_stop(struct sample_port *port)
{
	if (sample_has_room(port))
		return;

	netif_stop_queue(port->dev);
	/* Pairs with the barrier in sample_tx_completed(): either it sees the
	 * queue stopped, or the room that it tells of is seen here
	 */
	smp_mb();
	if (sample_has_room(port))
		netif_start_queue(port->dev);
}

/* From the look at the key to the new producer it is one call: who waits for a
 * grace period finds all descriptors posted. Room comes first, as what has been
 * encapsulated cannot be handed back.
 */
static netdev_tx_t sample_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct sample_port *port = netdev_priv(dev);
	struct sample_hw *hw = &port->hw;
	struct sample_desc desc = { .skb = skb, .key = SAMPLE_NO_KEY };

	if (unlikely(!sample_has_room(port))) {
		sample_maybe_stop(port);
		return NETDEV_TX_BUSY;
	}
	if (skb->decrypted && sample_describe_psp(port, skb, &desc)) {
		atomic64_inc(&port->tx_error);
		dev_core_stats_tx_dropped_inc(dev);
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}

	hw->ring[hw->prod % SAMPLE_RING] = desc;
	/* Pairs with the device's acquire: the descriptor is whole */
	smp_store_release(&hw->prod, hw->prod + 1);
	sample_hw_doorbell(hw);
	sample_maybe_stop(port);

	return NETDEV_TX_OK;
}

/* The key, and its list head, may be gone as soon as the core is told */
static void sample_quiesce(struct sample_port *port)
{
	struct sample_key *key, *next;

	spin_lock(&port->retire_lock);
	list_for_each_entry_safe(key, next, &port->retired, node) {
		if (!sample_mark_is_reached(port, key->mark))
			break;
		list_del(&key->node);
		psp_tx_key_quiesced(key->psd, key->ticket);
	}
	spin_unlock(&port->retire_lock);
}

void sample_tx_completed(void *data)
{
	struct sample_port *port = data;

	sample_quiesce(port);

	/* Pairs with the barrier in sample_maybe_stop() */
	smp_mb();
	if (netif_queue_stopped(port->dev) && netif_running(port->dev) &&
	    sample_has_room(port))
		netif_wake_queue(port->dev);
}

/* Who is the packet for, if its key is right? GRO has to come after that: with
 * NAPI, napi_gro_receive() would stand where netif_rx() is.
 */
void sample_received(void *data, struct sk_buff *skb, bool psp, u8 generation)
{
	struct sample_port *port = data;
	struct psp_dev *psd;

	if (!netif_running(port->dev))
		goto drop;

	skb->dev = port->dev;
	skb->decrypted = 0;
	skb_reset_mac_header(skb);
	skb->mac_len = ETH_HLEN;

	if (psp) {
		rcu_read_lock();
		psd = rcu_dereference(port->psd);
		psp = psd && !psp_dev_rcv(skb, psd->id, generation, true);
		rcu_read_unlock();
		if (!psp)
			goto drop;
		skb->decrypted = 1;
	}

	skb->protocol = eth_type_trans(skb, port->dev);
	netif_rx(skb);
	return;

drop:
	dev_core_stats_rx_dropped_inc(port->dev);
	dev_kfree_skb_any(skb);
}

static int sample_open(struct net_device *dev)
{
	netif_start_queue(dev);
	return 0;
}

/* What is posted is sent: then all marks are reached. Nothing is received. */
static int sample_stop(struct net_device *dev)
{
	struct sample_port *port = netdev_priv(dev);

	netif_tx_disable(dev);
	sample_hw_flush(&port->hw);
	return 0;
}

static const struct net_device_ops sample_netdev_ops = {
	.ndo_open	= sample_open,
	.ndo_stop	= sample_stop,
	.ndo_start_xmit	= sample_xmit,
};

static struct net_device *sample_create(int index)
{
	struct net_device *dev;
	struct sample_port *port;

	dev = alloc_etherdev(sizeof(*port));
	if (!dev)
		return NULL;

	snprintf(dev->name, IFNAMSIZ, "sample%d", index);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &sample_netdev_ops;
	dev->needed_headroom = PSP_ENCAP_HLEN;
	/* For tests, which load the module where nobody else is */
	dev_net_set(dev, current->nsproxy->net_ns);

	port = netdev_priv(dev);
	port->dev = dev;
	spin_lock_init(&port->retire_lock);
	INIT_LIST_HEAD(&port->retired);

	return dev;
}

static void sample_connect(struct net_device *dev, struct net_device *peer)
{
	struct sample_port *port = netdev_priv(dev);
	struct sample_port *other = netdev_priv(peer);

	sample_hw_init(&port->hw, &other->hw, port);
}

static int sample_register(struct net_device *dev)
{
	struct sample_port *port = netdev_priv(dev);
	struct psp_dev *psd;
	int err;

	err = register_netdev(dev);
	if (err)
		return err;

	port->caps = (struct psp_dev_caps) {
		.versions = BIT(0),
		.assoc_drv_spc = sizeof(struct sample_key),
	};
	psd = psp_dev_create(dev, &sample_psp_ops, &port->caps, port);
	if (IS_ERR(psd)) {
		unregister_netdev(dev);
		return PTR_ERR(psd);
	}

	rcu_assign_pointer(port->psd, psd);

	return 0;
}

/* In this order: nothing is accepted any more, nobody is about to accept it,
 * nothing is in the ring, the core deletes the keys. All under one lock, or
 * somebody could open the device again on the way.
 */
static void sample_unregister(struct net_device *dev)
{
	struct sample_port *port = netdev_priv(dev);
	struct psp_dev *psd;

	rtnl_lock();
	psd = rcu_replace_pointer(port->psd, NULL, lockdep_rtnl_is_held());
	synchronize_net();
	dev_close(dev);
	psp_dev_unregister(psd);
	unregister_netdevice(dev);
	rtnl_unlock();
}

static int __init sample_init(void)
{
	int i, err = -ENOMEM;

	for (i = 0; i < 2; i++) {
		sample_devs[i] = sample_create(i);
		if (!sample_devs[i])
			goto err_free;
	}
	sample_connect(sample_devs[0], sample_devs[1]);
	sample_connect(sample_devs[1], sample_devs[0]);

	err = sample_register(sample_devs[0]);
	if (err)
		goto err_free;
	err = sample_register(sample_devs[1]);
	if (!err)
		return 0;

	sample_unregister(sample_devs[0]);
err_free:
	while (i--)
		free_netdev(sample_devs[i]);
	return err;
}

/* Neither is freed while the other may still send to it */
static void __exit sample_exit(void)
{
	sample_unregister(sample_devs[0]);
	sample_unregister(sample_devs[1]);
	free_netdev(sample_devs[0]);
	free_netdev(sample_devs[1]);
}

module_init(sample_init);
module_exit(sample_exit);

MODULE_DESCRIPTION("PSP sample driver: an example, not a secure device");
MODULE_LICENSE("GPL");
