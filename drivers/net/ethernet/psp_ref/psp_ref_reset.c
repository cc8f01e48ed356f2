// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stack has found a queue that stays full: the rings are flushed and start
 * anew. Frames in them are lost, and keys that waited for them need not wait
 * any longer.
 */

#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>

#include "psp_ref.h"

/* Outlives all ports: when it is gone, no work item is about to return */
static struct workqueue_struct *psp_ref_reset_wq;

static void psp_ref_reset(struct work_struct *work)
{
	struct psp_ref_port *port = container_of(work, struct psp_ref_port,
						 reset_work);
	struct net_device *dev = port->dev;
	int err = 0;

	rtnl_lock();
	if (netif_running(dev)) {
		WRITE_ONCE(port->tx_timeouts, port->tx_timeouts + 1);
		err = psp_ref_rings_reset(port);
	}
	if (err)
		netdev_err(dev, "cannot reset the rings: %d\n", err);
	rtnl_unlock();

	/* What psp_ref_tx_timeout() took */
	dev_put(dev);
}

void psp_ref_reset_port_init(struct psp_ref_port *port)
{
	INIT_WORK(&port->reset_work, psp_ref_reset);
}

/* ndo_tx_timeout, in softirq: whichever queue it is, all are started anew */
void psp_ref_tx_timeout(struct net_device *dev, unsigned int queue)
{
	struct psp_ref_port *port = netdev_priv(dev);

	dev_hold(dev);
	if (!queue_work(psp_ref_reset_wq, &port->reset_work))
		dev_put(dev);
}

int psp_ref_reset_init(void)
{
	psp_ref_reset_wq = alloc_workqueue("psp_ref", WQ_UNBOUND, 0);

	return psp_ref_reset_wq ? 0 : -ENOMEM;
}

void psp_ref_reset_exit(void)
{
	destroy_workqueue(psp_ref_reset_wq);
}
