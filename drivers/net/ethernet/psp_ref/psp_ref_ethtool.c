// SPDX-License-Identifier: GPL-2.0-only
/*
 * ethtool: who the port is, its counters, per queue and per reason, and what
 * can be chosen about its rings.
 */

#include <linux/ethtool.h>
#include <linux/log2.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "psp_ref.h"

static const char psp_ref_tx_names[PSP_REF_TX_STATS][ETH_GSTRING_LEN] = {
	[PSP_REF_TX_DROP_NO_ASSOC]	= "tx_drop_no_assoc",
	[PSP_REF_TX_DROP_TOO_BIG]	= "tx_drop_too_big",
	[PSP_REF_TX_DROP_ENCAP]		= "tx_drop_encap",
	[PSP_REF_TX_DROP_PSP_FRAMES]	= "tx_drop_psp_frames",
};

static const char psp_ref_poll_names[PSP_REF_POLL_STATS][ETH_GSTRING_LEN] = {
	[PSP_REF_POLL_TX_PACKETS]	= "tx_packets",
	[PSP_REF_POLL_TX_BYTES]		= "tx_bytes",
	[PSP_REF_POLL_TX_DROPPED]	= "tx_dropped",
	[PSP_REF_POLL_RX_PACKETS]	= "rx_packets",
	[PSP_REF_POLL_RX_BYTES]		= "rx_bytes",
	[PSP_REF_POLL_RX_DROP_NO_ASSOC]	= "rx_drop_no_assoc",
};

static const char psp_ref_hw_tx_names[PSP_REF_HW_TX_STATS][ETH_GSTRING_LEN] = {
	[PSP_REF_HW_TX_FRAMES]		= "hw_tx_frames",
	[PSP_REF_HW_TX_PSP_PACKETS]	= "hw_tx_psp_packets",
	[PSP_REF_HW_TX_PSP_BYTES]	= "hw_tx_psp_bytes",
	[PSP_REF_HW_TX_STALE_HANDLE]	= "hw_tx_stale_handle",
	[PSP_REF_HW_TX_NO_MEMORY]	= "hw_tx_no_memory",
	[PSP_REF_HW_TX_PSP_FAILED]	= "hw_tx_psp_failed",
};

static const char psp_ref_hw_rx_names[PSP_REF_HW_RX_STATS][ETH_GSTRING_LEN] = {
	[PSP_REF_HW_RX_FRAMES]		= "hw_rx_frames",
	[PSP_REF_HW_RX_PSP_PACKETS]	= "hw_rx_psp_packets",
	[PSP_REF_HW_RX_PSP_BYTES]	= "hw_rx_psp_bytes",
	[PSP_REF_HW_RX_AUTH_FAIL]	= "hw_rx_auth_fail",
	[PSP_REF_HW_RX_ERROR]		= "hw_rx_error",
	[PSP_REF_HW_RX_BAD]		= "hw_rx_bad",
	[PSP_REF_HW_RX_TOO_LONG]	= "hw_rx_too_long",
};

static const char psp_ref_irq_names[][ETH_GSTRING_LEN] = {
	"hw_tx_interrupts",
	"hw_rx_interrupts",
};

#define PSP_REF_QUEUE_STATS	(PSP_REF_TX_STATS + PSP_REF_POLL_STATS + \
				 PSP_REF_HW_TX_STATS + PSP_REF_HW_RX_STATS + \
				 ARRAY_SIZE(psp_ref_irq_names))

/* Counters of the whole port: of its wire, and of the stack's patience */
static const char psp_ref_port_names[][ETH_GSTRING_LEN] = {
	"hw_tx_no_link",
	"hw_tx_refused",
	"hw_rx_no_room",
	"tx_timeouts",
};

#define PSP_REF_PORT_STATS	ARRAY_SIZE(psp_ref_port_names)

static void psp_ref_get_drvinfo(struct net_device *dev,
				struct ethtool_drvinfo *info)
{
	struct psp_ref_port *port = netdev_priv(dev);

	strscpy(info->driver, PSP_REF_DRV_NAME, sizeof(info->driver));
	snprintf(info->bus_info, sizeof(info->bus_info), PSP_REF_DRV_NAME ".%d",
		 port->id);
}

static int psp_ref_get_sset_count(struct net_device *dev, int sset)
{
	struct psp_ref_port *port = netdev_priv(dev);

	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;

	return port->nqueues * PSP_REF_QUEUE_STATS + PSP_REF_PORT_STATS;
}

static void psp_ref_add_names(u8 **data, unsigned int queue,
			      const char (*names)[ETH_GSTRING_LEN], int n)
{
	int i;

	for (i = 0; i < n; i++)
		ethtool_sprintf(data, "q%u_%s", queue, names[i]);
}

static void psp_ref_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	struct psp_ref_port *port = netdev_priv(dev);
	unsigned int i;

	if (sset != ETH_SS_STATS)
		return;

	for (i = 0; i < port->nqueues; i++) {
		psp_ref_add_names(&data, i, psp_ref_tx_names,
				  PSP_REF_TX_STATS);
		psp_ref_add_names(&data, i, psp_ref_poll_names,
				  PSP_REF_POLL_STATS);
		psp_ref_add_names(&data, i, psp_ref_hw_tx_names,
				  PSP_REF_HW_TX_STATS);
		psp_ref_add_names(&data, i, psp_ref_hw_rx_names,
				  PSP_REF_HW_RX_STATS);
		psp_ref_add_names(&data, i, psp_ref_irq_names,
				  ARRAY_SIZE(psp_ref_irq_names));
	}
	memcpy(data, psp_ref_port_names, sizeof(psp_ref_port_names));
}

static void psp_ref_get_ethtool_stats(struct net_device *dev,
				      struct ethtool_stats *stats, u64 *data)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct psp_ref_queue *q;
	unsigned int i, j;

	for (i = 0; i < port->nqueues; i++) {
		q = &port->queue[i];
		for (j = 0; j < PSP_REF_TX_STATS; j++)
			*data++ = psp_ref_stats_read(&q->tx_stats, j);
		for (j = 0; j < PSP_REF_POLL_STATS; j++)
			*data++ = psp_ref_stats_read(&q->poll_stats, j);
		for (j = 0; j < PSP_REF_HW_TX_STATS; j++)
			*data++ = psp_ref_hw_tx_stat(port->hw, i, j);
		for (j = 0; j < PSP_REF_HW_RX_STATS; j++)
			*data++ = psp_ref_hw_rx_stat(port->hw, i, j);
		*data++ = psp_ref_hw_tx_interrupts(port->hw, i);
		*data++ = psp_ref_hw_rx_interrupts(port->hw, i);
	}
	*data++ = psp_ref_hw_no_link(port->hw);
	*data++ = psp_ref_hw_refused(port->hw);
	*data++ = psp_ref_hw_no_room(port->hw);
	*data = READ_ONCE(port->tx_timeouts);
}

static int psp_ref_get_link_ksettings(struct net_device *dev,
				      struct ethtool_link_ksettings *cmd)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct net_device *lower = rtnl_dereference(port->lower);

	if (lower)
		return __ethtool_get_link_ksettings(lower, cmd);

	cmd->base.speed = SPEED_10000;
	cmd->base.duplex = DUPLEX_FULL;
	cmd->base.port = PORT_DA;
	cmd->base.autoneg = AUTONEG_DISABLE;

	return 0;
}

static void psp_ref_get_ringparam(struct net_device *dev,
				  struct ethtool_ringparam *ring,
				  struct kernel_ethtool_ringparam *kernel_ring,
				  struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = netdev_priv(dev);

	ring->tx_max_pending = PSP_REF_RING_SIZE_MAX;
	ring->rx_max_pending = PSP_REF_RING_SIZE_MAX;
	ring->tx_pending = port->conf.tx_size;
	ring->rx_pending = port->conf.rx_size;
}

/* ethtool itself knows the upper limits */
static int psp_ref_set_ringparam(struct net_device *dev,
				 struct ethtool_ringparam *ring,
				 struct kernel_ethtool_ringparam *kernel_ring,
				 struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct psp_ref_conf conf = port->conf;

	if (min(ring->tx_pending, ring->rx_pending) < PSP_REF_RING_SIZE_MIN) {
		NL_SET_ERR_MSG(extack, "A ring has 64 entries at least");
		return -EINVAL;
	}

	conf.tx_size = roundup_pow_of_two(ring->tx_pending);
	conf.rx_size = roundup_pow_of_two(ring->rx_pending);
	if (conf.tx_size == port->conf.tx_size &&
	    conf.rx_size == port->conf.rx_size)
		return 0;

	return psp_ref_rings_change(port, &conf, extack);
}

static void psp_ref_get_channels(struct net_device *dev,
				 struct ethtool_channels *channels)
{
	struct psp_ref_port *port = netdev_priv(dev);

	channels->max_combined = port->nqueues;
	channels->combined_count = port->conf.nqueues;
}

/* ethtool itself knows the limits */
static int psp_ref_set_channels(struct net_device *dev,
				struct ethtool_channels *channels)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct psp_ref_conf conf = port->conf;

	if (channels->combined_count == conf.nqueues)
		return 0;

	conf.nqueues = channels->combined_count;
	return psp_ref_rings_change(port, &conf, NULL);
}

static int psp_ref_get_coalesce(struct net_device *dev,
				struct ethtool_coalesce *coal,
				struct kernel_ethtool_coalesce *kernel_coal,
				struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = netdev_priv(dev);

	coal->tx_coalesce_usecs = port->tx_moder.usecs;
	coal->tx_max_coalesced_frames = port->tx_moder.frames;
	coal->use_adaptive_tx_coalesce = port->tx_moder.adaptive;
	coal->rx_coalesce_usecs = port->rx_moder.usecs;
	coal->rx_max_coalesced_frames = port->rx_moder.frames;
	coal->use_adaptive_rx_coalesce = port->rx_moder.adaptive;

	return 0;
}

/* A completion that is never told keeps its buffer, its key and its sender */
static int psp_ref_moder_check(const struct psp_ref_hw_moder *moder,
			       struct netlink_ext_ack *extack)
{
	if (moder->usecs > PSP_REF_MODER_USECS_MAX) {
		NL_SET_ERR_MSG(extack,
			       "Interrupts wait for 10000 microseconds at most");
		return -EINVAL;
	}
	if (moder->frames > PSP_REF_MODER_FRAMES_MAX) {
		NL_SET_ERR_MSG(extack,
			       "Interrupts wait for 4096 frames at most");
		return -EINVAL;
	}
	if (!moder->usecs && moder->frames != 1) {
		NL_SET_ERR_MSG(extack,
			       "Without a time limit frames must be 1: the last completion would wait for ever");
		return -EINVAL;
	}

	return 0;
}

static int psp_ref_set_coalesce(struct net_device *dev,
				struct ethtool_coalesce *coal,
				struct kernel_ethtool_coalesce *kernel_coal,
				struct netlink_ext_ack *extack)
{
	struct psp_ref_port *port = netdev_priv(dev);
	struct psp_ref_hw_moder tx = {
		.usecs = coal->tx_coalesce_usecs,
		.frames = coal->tx_max_coalesced_frames,
		.adaptive = coal->use_adaptive_tx_coalesce,
	};
	struct psp_ref_hw_moder rx = {
		.usecs = coal->rx_coalesce_usecs,
		.frames = coal->rx_max_coalesced_frames,
		.adaptive = coal->use_adaptive_rx_coalesce,
	};
	int err;

	err = psp_ref_moder_check(&tx, extack);
	if (!err)
		err = psp_ref_moder_check(&rx, extack);
	if (err)
		return err;

	port->tx_moder = tx;
	port->rx_moder = rx;
	psp_ref_hw_moderate(port->hw, &tx, &rx);

	return 0;
}

const struct ethtool_ops psp_ref_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_USECS |
				     ETHTOOL_COALESCE_MAX_FRAMES |
				     ETHTOOL_COALESCE_USE_ADAPTIVE,
	.get_drvinfo		= psp_ref_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= psp_ref_get_link_ksettings,
	.get_sset_count		= psp_ref_get_sset_count,
	.get_strings		= psp_ref_get_strings,
	.get_ethtool_stats	= psp_ref_get_ethtool_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_ringparam		= psp_ref_get_ringparam,
	.set_ringparam		= psp_ref_set_ringparam,
	.get_coalesce		= psp_ref_get_coalesce,
	.set_coalesce		= psp_ref_set_coalesce,
	.get_channels		= psp_ref_get_channels,
	.set_channels		= psp_ref_set_channels,
};
