// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a tx key, as seen by a driver that does whatever the contract
 * allows, and some of what it does not. No packets: what a real ring does to
 * it is tested by the kselftests.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <uapi/linux/psp.h>

#include "psp.h"

/* Far more than a NIC holds; the time is for an emulated CPU with KASAN */
#define PSP_TEST_KEYS		100000
#define PSP_TEST_KEYS_MS	60000

/**
 * enum psp_test_answer - what the driver does when it is to retire a key
 * @PSP_TEST_BUSY: it calls back when the test says so
 * @PSP_TEST_IDLE: it has nothing in flight
 * @PSP_TEST_EARLY: it calls back before it has returned
 * @PSP_TEST_BROKEN: it fails, which it must not
 */
enum psp_test_answer {
	PSP_TEST_BUSY,
	PSP_TEST_IDLE,
	PSP_TEST_EARLY,
	PSP_TEST_BROKEN,
};

/**
 * struct psp_test_driver - a driver and what the core has asked of it
 * @netdev: its network device, not registered
 * @ops: its operations
 * @caps: its capabilities
 * @psd: its PSP device; NULL once unregistered
 * @answer: what it does with the next key to be retired
 * @ticket: of the key retired last
 * @retires: calls of tx_key_retire
 * @dels: calls of tx_key_del
 * @wiped: keys that were wiped before the driver could delete them
 */
struct psp_test_driver {
	struct net_device *netdev;
	struct psp_dev_ops ops;
	struct psp_dev_caps caps;
	struct psp_dev *psd;
	enum psp_test_answer answer;
	u32 ticket;
	unsigned int retires;
	unsigned int dels;
	unsigned int wiped;
};

static const struct psp_key_parsed psp_test_key = {
	.spi = cpu_to_be32(0x12345678),
	.key = { 0x5a, 0xa5, 0x5a, 0xa5, 0x5a, 0xa5, 0x5a, 0xa5 },
};

static int psp_test_set_config(struct psp_dev *psd, struct psp_dev_config *conf,
			       struct netlink_ext_ack *extack)
{
	return 0;
}

static int psp_test_key_rotate(struct psp_dev *psd,
			       struct netlink_ext_ack *extack)
{
	return 0;
}

static int psp_test_rx_spi_alloc(struct psp_dev *psd, u32 version,
				 struct psp_key_parsed *assoc,
				 struct netlink_ext_ack *extack)
{
	return -ENOSPC;
}

static int psp_test_tx_key_add(struct psp_dev *psd, struct psp_assoc *pas,
			       struct netlink_ext_ack *extack)
{
	return 0;
}

static int psp_test_tx_key_retire(struct psp_dev *psd, struct psp_assoc *pas,
				  u32 ticket)
{
	struct psp_test_driver *drv = psd->drv_priv;

	drv->retires++;
	drv->ticket = ticket;

	switch (drv->answer) {
	case PSP_TEST_IDLE:
		return 0;
	case PSP_TEST_EARLY:
		psp_tx_key_quiesced(psd, ticket);
		return -EINPROGRESS;
	case PSP_TEST_BROKEN:
		return -EIO;
	default:
		return -EINPROGRESS;
	}
}

static void psp_test_tx_key_del(struct psp_dev *psd, struct psp_assoc *pas)
{
	struct psp_test_driver *drv = psd->drv_priv;

	drv->dels++;
	drv->wiped += !!memcmp(&pas->tx, &psp_test_key, sizeof(pas->tx));
}

static void psp_test_get_stats(struct psp_dev *psd, struct psp_dev_stats *stats)
{
}

static const struct psp_dev_ops psp_test_ops = {
	.set_config	= psp_test_set_config,
	.key_rotate	= psp_test_key_rotate,
	.rx_spi_alloc	= psp_test_rx_spi_alloc,
	.tx_key_add	= psp_test_tx_key_add,
	.tx_key_retire	= psp_test_tx_key_retire,
	.tx_key_del	= psp_test_tx_key_del,
	.get_stats	= psp_test_get_stats,
};

static struct psp_test_driver *psp_test_driver(struct kunit *test)
{
	return test->priv;
}

static void psp_test_unregister(struct psp_test_driver *drv)
{
	psp_dev_unregister(drv->psd);
	drv->psd = NULL;
}

static int psp_tx_key_test_init(struct kunit *test)
{
	struct psp_test_driver *drv;

	drv = kunit_kzalloc(test, sizeof(*drv), GFP_KERNEL);
	if (!drv)
		return -ENOMEM;

	drv->netdev = alloc_etherdev(0);
	if (!drv->netdev)
		return -ENOMEM;

	drv->ops = psp_test_ops;
	drv->caps.versions = BIT(PSP_VERSION_HDR0_AES_GCM_128);
	drv->psd = psp_dev_create(drv->netdev, &drv->ops, &drv->caps, drv);
	if (IS_ERR(drv->psd)) {
		free_netdev(drv->netdev);
		return PTR_ERR(drv->psd);
	}
	test->priv = drv;

	return 0;
}

static void psp_tx_key_test_exit(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);

	if (!drv)
		return;
	if (drv->psd)
		psp_test_unregister(drv);
	free_netdev(drv->netdev);
}

static struct psp_assoc *psp_test_key_new(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_assoc *pas;

	mutex_lock(&drv->psd->lock);
	pas = psp_tx_key_create(drv->psd, PSP_VERSION_HDR0_AES_GCM_128,
				&psp_test_key, NULL);
	mutex_unlock(&drv->psd->lock);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pas));

	return pas;
}

/* Everything that is under way has come as far as it can by itself */
static void psp_test_settle(struct psp_dev *psd)
{
	rcu_barrier();
	flush_work(&psd->tx_key_work);
	/* A driver may have called back during that */
	flush_work(&psd->tx_key_work);
}

static void psp_test_expect_keys(struct kunit *test, unsigned int keys,
				 unsigned int retired, unsigned int deleted)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_dev *psd = drv->psd;

	mutex_lock(&psd->lock);
	KUNIT_EXPECT_EQ(test, psd->rekey.tx_keys, keys);
	KUNIT_EXPECT_EQ(test, psd->rekey.tx_keys_retired, retired);
	KUNIT_EXPECT_EQ(test, psd->rekey.tx_keys_deleted, deleted);
	mutex_unlock(&psd->lock);
	KUNIT_EXPECT_EQ(test, drv->dels, deleted);
	KUNIT_EXPECT_EQ(test, drv->wiped, 0);
}

static void psp_test_key_end(struct kunit *test, enum psp_test_answer answer)
{
	struct psp_test_driver *drv = psp_test_driver(test);

	drv->answer = answer;
	psp_assoc_put(psp_test_key_new(test));
	psp_test_settle(drv->psd);
}

static void psp_test_without_retire(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);

	drv->ops.tx_key_retire = NULL;
	psp_test_key_end(test, PSP_TEST_BUSY);

	psp_test_expect_keys(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, drv->retires, 0);
}

static void psp_test_idle(struct kunit *test)
{
	psp_test_key_end(test, PSP_TEST_IDLE);

	psp_test_expect_keys(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, psp_test_driver(test)->retires, 1);
}

static void psp_test_busy(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);

	psp_test_key_end(test, PSP_TEST_BUSY);
	psp_test_expect_keys(test, 1, 1, 0);

	psp_tx_key_quiesced(drv->psd, drv->ticket);
	psp_test_settle(drv->psd);
	psp_test_expect_keys(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, drv->retires, 1);
}

static void psp_test_early(struct kunit *test)
{
	psp_test_key_end(test, PSP_TEST_EARLY);

	psp_test_expect_keys(test, 0, 0, 1);
}

static void psp_test_with_interrupts_off(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	unsigned long flags;

	psp_test_key_end(test, PSP_TEST_BUSY);

	local_irq_save(flags);
	psp_tx_key_quiesced(drv->psd, drv->ticket);
	local_irq_restore(flags);
	psp_test_settle(drv->psd);
	psp_test_expect_keys(test, 0, 0, 1);
}

static void psp_test_published_is_held(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_assoc *pas = psp_test_key_new(test);

	refcount_inc(&pas->refcnt);
	psp_assoc_put(pas);
	psp_test_settle(drv->psd);
	psp_test_expect_keys(test, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, drv->retires, 0);

	drv->answer = PSP_TEST_IDLE;
	psp_assoc_put(pas);
	psp_test_settle(drv->psd);
	psp_test_expect_keys(test, 0, 0, 1);
}

static void psp_test_waits_for_readers(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_assoc *pas = psp_test_key_new(test);

	rcu_read_lock();
	psp_assoc_put(pas);
	mdelay(20);
	KUNIT_EXPECT_EQ(test, READ_ONCE(drv->retires), 0);
	KUNIT_EXPECT_EQ(test, be32_to_cpu(pas->tx.spi), 0x12345678);
	rcu_read_unlock();

	psp_test_settle(drv->psd);
	KUNIT_EXPECT_EQ(test, drv->retires, 1);
}

static void psp_test_never_published(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_assoc *pas = psp_test_key_new(test);

	mutex_lock(&drv->psd->lock);
	psp_tx_key_destroy(pas);
	mutex_unlock(&drv->psd->lock);

	psp_test_expect_keys(test, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, drv->retires, 0);
}

/* What is done to the first ticket must do nothing to the key of the second */
static void psp_test_ticket_twice(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	u32 first;

	psp_test_key_end(test, PSP_TEST_BUSY);
	first = drv->ticket;
	psp_test_key_end(test, PSP_TEST_BUSY);
	KUNIT_EXPECT_NE(test, drv->ticket, first);

	psp_tx_key_quiesced(drv->psd, first);
	psp_tx_key_quiesced(drv->psd, first);
	psp_test_settle(drv->psd);
	psp_tx_key_quiesced(drv->psd, first);
	psp_test_settle(drv->psd);

	psp_test_expect_keys(test, 1, 1, 1);
}

static void psp_test_ticket_unknown(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_assoc *pas = psp_test_key_new(test);

	/* None, one that a key in use has reserved, and one far away */
	psp_tx_key_quiesced(drv->psd, 0);
	psp_tx_key_quiesced(drv->psd, pas->ticket);
	psp_tx_key_quiesced(drv->psd, U32_MAX);
	psp_test_settle(drv->psd);
	psp_test_expect_keys(test, 1, 0, 0);

	psp_assoc_put(pas);
	psp_test_settle(drv->psd);
	psp_test_expect_keys(test, 1, 1, 0);
}

static void psp_test_retire_fails(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);

	psp_test_key_end(test, PSP_TEST_BROKEN);
	psp_test_expect_keys(test, 1, 1, 0);

	/* All the same, the ticket is good */
	psp_tx_key_quiesced(drv->psd, drv->ticket);
	psp_test_settle(drv->psd);
	psp_test_expect_keys(test, 0, 0, 1);
}

/* One key in use, one given up just now, one retired, one called back for */
static void psp_test_unregister_at_each_step(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_assoc *live = psp_test_key_new(test);
	struct psp_dev *psd = drv->psd;
	u32 quiesced;

	psp_dev_get(psd);
	psp_test_key_end(test, PSP_TEST_BUSY);
	quiesced = drv->ticket;
	psp_test_key_end(test, PSP_TEST_BUSY);
	psp_assoc_put(psp_test_key_new(test));
	psp_tx_key_quiesced(psd, quiesced);

	psp_test_unregister(drv);
	KUNIT_EXPECT_EQ(test, drv->dels, 4);
	KUNIT_EXPECT_EQ(test, drv->wiped, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(&live->tx, 0, sizeof(live->tx)));

	psp_assoc_put(live);
	psp_test_settle(psd);
	KUNIT_EXPECT_EQ(test, drv->dels, 4);
	KUNIT_EXPECT_EQ(test, refcount_read(&psd->refcnt), 1);
	KUNIT_EXPECT_TRUE(test, xa_empty(&psd->tickets));
	psp_dev_put(psd);
}

/* Half of them in use, half retired, and a driver that never calls back */
static void psp_test_unregister_with_many(struct kunit *test)
{
	struct psp_test_driver *drv = psp_test_driver(test);
	struct psp_dev *psd = drv->psd;
	struct psp_assoc **live;
	unsigned long start;
	unsigned int i;

	live = kvcalloc(PSP_TEST_KEYS / 2, sizeof(*live), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, live);
	for (i = 0; i < PSP_TEST_KEYS / 2; i++) {
		live[i] = psp_test_key_new(test);
		psp_assoc_put(psp_test_key_new(test));
	}
	psp_test_settle(psd);
	psp_test_expect_keys(test, PSP_TEST_KEYS, PSP_TEST_KEYS / 2, 0);

	psp_dev_get(psd);
	start = jiffies;
	psp_test_unregister(drv);
	KUNIT_EXPECT_LT(test, jiffies_to_msecs(jiffies - start),
			PSP_TEST_KEYS_MS);
	KUNIT_EXPECT_EQ(test, drv->dels, PSP_TEST_KEYS);

	for (i = 0; i < PSP_TEST_KEYS / 2; i++)
		psp_assoc_put(live[i]);
	psp_test_settle(psd);
	KUNIT_EXPECT_EQ(test, drv->dels, PSP_TEST_KEYS);
	KUNIT_EXPECT_EQ(test, refcount_read(&psd->refcnt), 1);
	psp_dev_put(psd);
	kvfree(live);
}

static struct kunit_case psp_tx_key_cases[] = {
	KUNIT_CASE(psp_test_without_retire),
	KUNIT_CASE(psp_test_idle),
	KUNIT_CASE(psp_test_busy),
	KUNIT_CASE(psp_test_early),
	KUNIT_CASE(psp_test_with_interrupts_off),
	KUNIT_CASE(psp_test_published_is_held),
	KUNIT_CASE(psp_test_waits_for_readers),
	KUNIT_CASE(psp_test_never_published),
	KUNIT_CASE(psp_test_ticket_twice),
	KUNIT_CASE(psp_test_ticket_unknown),
	KUNIT_CASE(psp_test_retire_fails),
	KUNIT_CASE(psp_test_unregister_at_each_step),
	KUNIT_CASE(psp_test_unregister_with_many),
	{}
};

static struct kunit_suite psp_tx_key_suite = {
	.name = "psp_tx_key",
	.init = psp_tx_key_test_init,
	.exit = psp_tx_key_test_exit,
	.test_cases = psp_tx_key_cases,
};

kunit_test_suite(psp_tx_key_suite);
