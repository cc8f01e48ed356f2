// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rings of a port: their memory, and how they start, stop and change.
 *
 * A change of a running port gets all it needs before it stops anything: what
 * can fail fails while the old rings still run.
 */

#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "psp_ref.h"

/**
 * struct psp_ref_ring_mem - memory of one queue pair's rings
 * @desc: transmit descriptors
 * @tx_comp: transmit completions
 * @tx_buf: what the driver keeps for a descriptor
 * @tx_size: how many there are of each of them
 * @rx_comp: receive completions
 * @rx_size: how many there are
 */
struct psp_ref_ring_mem {
	struct psp_ref_txd	*desc;
	struct psp_ref_txc	*tx_comp;
	struct psp_ref_tx_buf	*tx_buf;
	u32			tx_size;
	struct psp_ref_rxc	*rx_comp;
	u32			rx_size;
};

static void psp_ref_mem_free(struct psp_ref_ring_mem *mem)
{
	kvfree(mem->rx_comp);
	kvfree(mem->tx_buf);
	kvfree(mem->tx_comp);
	kvfree(mem->desc);
}

static int psp_ref_mem_alloc(struct psp_ref_ring_mem *mem,
			     const struct psp_ref_conf *conf)
{
	mem->tx_size = conf->tx_size;
	mem->rx_size = conf->rx_size;
	mem->desc = kvcalloc(conf->tx_size, sizeof(*mem->desc), GFP_KERNEL);
	mem->tx_comp = kvcalloc(conf->tx_size, sizeof(*mem->tx_comp),
				GFP_KERNEL);
	mem->tx_buf = kvcalloc(conf->tx_size, sizeof(*mem->tx_buf),
			       GFP_KERNEL);
	mem->rx_comp = kvcalloc(conf->rx_size, sizeof(*mem->rx_comp),
				GFP_KERNEL);

	if (!mem->desc || !mem->tx_comp || !mem->tx_buf || !mem->rx_comp)
		return -ENOMEM;

	return 0;
}

static void psp_ref_mem_free_all(struct psp_ref_port *port,
				 struct psp_ref_ring_mem *mem)
{
	unsigned int i;

	for (i = 0; i < port->nqueues; i++)
		psp_ref_mem_free(&mem[i]);
	kfree(mem);
}

/* Queues that are not in use get none */
static struct psp_ref_ring_mem *
psp_ref_mem_alloc_all(struct psp_ref_port *port,
		      const struct psp_ref_conf *conf)
{
	struct psp_ref_ring_mem *mem;
	unsigned int i;

	mem = kcalloc(port->nqueues, sizeof(*mem), GFP_KERNEL);
	if (!mem)
		return NULL;

	for (i = 0; i < conf->nqueues; i++) {
		if (psp_ref_mem_alloc(&mem[i], conf)) {
			psp_ref_mem_free_all(port, mem);
			return NULL;
		}
	}

	return mem;
}

/* The rings are empty, and neither side looks at them */
static void psp_ref_queue_swap(struct psp_ref_queue *q,
			       struct psp_ref_ring_mem *mem)
{
	lockdep_assert_held(&q->port->ring_lock);

	swap(q->tx.desc, mem->desc);
	swap(q->tx.comp, mem->tx_comp);
	swap(q->tx_buf, mem->tx_buf);
	swap(q->tx.size, mem->tx_size);
	swap(q->rx.comp, mem->rx_comp);
	swap(q->rx.size, mem->rx_size);

	WRITE_ONCE(q->tx_prod, PSP_REF_RING_START);
	WRITE_ONCE(q->tx_cons, PSP_REF_RING_START);
	q->tx.doorbell = PSP_REF_RING_START;
	q->tx.comp_prod = PSP_REF_RING_START;
	q->rx.prod = PSP_REF_RING_START;
	q->rx.cons = PSP_REF_RING_START;
}

/* Afterwards @mem is the memory that was used before */
static void psp_ref_rings_swap(struct psp_ref_port *port,
			       struct psp_ref_ring_mem *mem)
{
	unsigned int i;

	mutex_lock(&port->ring_lock);
	for (i = 0; i < port->nqueues; i++)
		psp_ref_queue_swap(&port->queue[i], &mem[i]);
	mutex_unlock(&port->ring_lock);
}

/* Cannot fail: psp_ref_hw_prepare() has done what could. NAPI comes before the
 * engines: one that is not enabled forgets interrupts.
 */
static void psp_ref_rings_start(struct psp_ref_port *port)
{
	struct psp_ref_hw_queue_setup setup[PSP_REF_MAX_QUEUES];
	unsigned int i;

	for (i = 0; i < port->conf.nqueues; i++) {
		setup[i].tx = &port->queue[i].tx;
		setup[i].rx = &port->queue[i].rx;
		napi_enable(&port->queue[i].napi);
	}

	mutex_lock(&port->ring_lock);
	psp_ref_hw_start(port->hw, setup, port->conf.nqueues, psp_ref_irq,
			 port);
	mutex_unlock(&port->ring_lock);

	/* A queue that is not in use stays stopped */
	for (i = 0; i < port->conf.nqueues; i++)
		netif_tx_wake_queue(netdev_get_tx_queue(port->dev, i));
}

/* Engines go first, so that nobody raises interrupts or waits for completions
 * to be taken; then NAPI, which wakes queues; and when no queue transmits any
 * more nothing is posted behind the flush.
 */
static void psp_ref_rings_stop(struct psp_ref_port *port)
{
	unsigned int i;

	mutex_lock(&port->ring_lock);
	psp_ref_hw_stop(port->hw);
	mutex_unlock(&port->ring_lock);

	for (i = 0; i < port->conf.nqueues; i++)
		napi_disable(&port->queue[i].napi);
	netif_tx_disable(port->dev);

	mutex_lock(&port->ring_lock);
	for (i = 0; i < port->conf.nqueues; i++) {
		psp_ref_tx_flush(&port->queue[i]);
		psp_ref_rx_flush(&port->queue[i]);
	}
	mutex_unlock(&port->ring_lock);
}

/* Memory and threads for rings of @conf, or an error and nothing */
static struct psp_ref_ring_mem *
psp_ref_rings_prepare(struct psp_ref_port *port,
		      const struct psp_ref_conf *conf)
{
	struct psp_ref_ring_mem *mem;
	int err;

	mem = psp_ref_mem_alloc_all(port, conf);
	if (!mem)
		return ERR_PTR(-ENOMEM);

	err = psp_ref_hw_prepare(port->hw, max(conf->nqueues,
					       port->conf.nqueues));
	if (err) {
		psp_ref_mem_free_all(port, mem);
		return ERR_PTR(err);
	}

	return mem;
}

/* Called by ndo_open. Return: 0, or a negative error and nothing runs. */
int psp_ref_rings_open(struct psp_ref_port *port)
{
	struct psp_ref_ring_mem *mem;

	ASSERT_RTNL();

	mem = psp_ref_rings_prepare(port, &port->conf);
	if (IS_ERR(mem))
		return PTR_ERR(mem);

	psp_ref_rings_swap(port, mem);
	psp_ref_mem_free_all(port, mem);
	psp_ref_rings_start(port);

	return 0;
}

/* Called by ndo_stop */
void psp_ref_rings_close(struct psp_ref_port *port)
{
	struct psp_ref_ring_mem mem;
	unsigned int i;

	ASSERT_RTNL();

	psp_ref_rings_stop(port);
	for (i = 0; i < port->nqueues; i++) {
		memset(&mem, 0, sizeof(mem));
		mutex_lock(&port->ring_lock);
		psp_ref_queue_swap(&port->queue[i], &mem);
		mutex_unlock(&port->ring_lock);
		psp_ref_mem_free(&mem);
	}
}

static int psp_ref_set_real_num_queues(struct psp_ref_port *port,
				       const struct psp_ref_conf *conf)
{
	if (conf->nqueues == port->conf.nqueues)
		return 0;

	return netif_set_real_num_queues(port->dev, conf->nqueues,
					 conf->nqueues);
}

/* The stack must not see frames from queues that it does not know (any more),
 * so the number of queues changes while they are stopped. Frames in the rings
 * are lost, as when a port is closed; link and keys stay.
 */
static int psp_ref_rings_replace(struct psp_ref_port *port,
				 const struct psp_ref_conf *conf)
{
	struct psp_ref_ring_mem *mem;
	int err;

	mem = psp_ref_rings_prepare(port, conf);
	if (IS_ERR(mem))
		return PTR_ERR(mem);

	psp_ref_rings_stop(port);
	err = psp_ref_set_real_num_queues(port, conf);
	if (!err) {
		psp_ref_rings_swap(port, mem);
		port->conf = *conf;
	}
	psp_ref_rings_start(port);
	psp_ref_mem_free_all(port, mem);

	return err;
}

/* Lose what is in the rings, and go on with empty ones.
 *
 * Return: 0, or a negative error and nothing has happened.
 */
int psp_ref_rings_reset(struct psp_ref_port *port)
{
	struct psp_ref_conf conf = port->conf;

	ASSERT_RTNL();

	return psp_ref_rings_replace(port, &conf);
}

/* Have rings of other sizes, or another number of them: at once if the port is
 * open, else when it is opened.
 *
 * Return: 0, or a negative error and all is as it was.
 */
int psp_ref_rings_change(struct psp_ref_port *port,
			 const struct psp_ref_conf *conf,
			 struct netlink_ext_ack *extack)
{
	int err;

	ASSERT_RTNL();

	if (netif_running(port->dev)) {
		err = psp_ref_rings_replace(port, conf);
	} else {
		err = psp_ref_set_real_num_queues(port, conf);
		if (!err)
			port->conf = *conf;
	}
	if (err)
		NL_SET_ERR_MSG(extack, "Not enough memory for these rings");

	return err;
}
