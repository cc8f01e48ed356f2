// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drops: one reason, one counter, one line in the trace.
 *
 * Each device has counters of its own, to be read with rekey-stats-get. Those
 * of the whole host, drops that no device can be told for included, are read in
 * debugfs, psp/drops.
 */
#include <kunit/visibility.h>
#include <linux/debugfs.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>

#include "psp.h"
#include "psp_trace.h"

static const char * const psp_drop_names[PSP_DROP_MAX] = {
	[PSP_DROP_NOT]		= "not",
	[PSP_DROP_PLAIN_DATA]	= "plain-data",
	[PSP_DROP_PLAIN_FULL]	= "plain-full",
	[PSP_DROP_NO_STATE]	= "no-state",
	[PSP_DROP_RX_DEV]	= "rx-dev",
	[PSP_DROP_RX_FRAGMENT]	= "rx-fragment",
	[PSP_DROP_RX_HEADERS]	= "rx-headers",
	[PSP_DROP_REDIRECTED]	= "redirected",
	[PSP_DROP_RX_MALFORMED]	= "rx-malformed",
	[PSP_DROP_RX_NO_ASSOC]	= "rx-no-assoc",
	[PSP_DROP_RX_VERSION]	= "rx-version",
	[PSP_DROP_RX_TUPLE]	= "rx-tuple",
	[PSP_DROP_TX_DEV]	= "tx-dev",
	[PSP_DROP_TX_HEADERS]	= "tx-headers",
	[PSP_DROP_TX_COPY]	= "tx-copy",
	[PSP_DROP_TX_REPLY]	= "tx-reply",
	[PSP_DROP_TX_PEER]	= "tx-peer",
};

static DEFINE_PER_CPU(struct psp_drop_counters, psp_drops);

static struct dentry *psp_drop_dir;

/**
 * psp_drop_name() - name of a reason in traces and debugfs
 * @reason: the reason
 *
 * Return: the name.
 */
const char *psp_drop_name(enum psp_drop reason)
{
	return psp_drop_names[reason];
}
EXPORT_SYMBOL_IF_KUNIT(psp_drop_name);

/**
 * psp_drop_count() - count and trace a packet that is about to be dropped
 * @psd: PSP device that the packet or its socket belongs to; NULL if none is
 *	known. Reference or RCU read section
 * @skb: the packet
 * @reason: why
 *
 * Context: any.
 */
void psp_drop_count(const struct psp_dev *psd, const struct sk_buff *skb,
		    enum psp_drop reason)
{
	this_cpu_inc(psp_drops.count[reason]);
	if (psd)
		this_cpu_inc(psd->drops->count[reason]);
	trace_psp_drop(skb, reason);
}

/**
 * psp_drop_read() - read a counter
 * @counters: the counters
 * @reason: which of them
 *
 * Context: any.
 * Return: drops so far.
 */
u64 psp_drop_read(const struct psp_drop_counters __percpu *counters,
		  enum psp_drop reason)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(counters, cpu)->count[reason]);

	return sum;
}

static int psp_drop_show(struct seq_file *file, void *unused)
{
	int reason;

	for (reason = PSP_DROP_NOT + 1; reason < PSP_DROP_MAX; reason++)
		seq_printf(file, "%s %llu\n", psp_drop_name(reason),
			   psp_drop_read(&psp_drops, reason));

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(psp_drop);

void __init psp_drop_init(void)
{
	psp_drop_dir = debugfs_create_dir("psp", NULL);
	debugfs_create_file("drops", 0444, psp_drop_dir, NULL, &psp_drop_fops);
}

void psp_drop_exit(void)
{
	debugfs_remove(psp_drop_dir);
}
