/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PSP_REF_STATS_H
#define PSP_REF_STATS_H

#include <linux/u64_stats_sync.h>

#define PSP_REF_STATS_MAX	8

/**
 * struct psp_ref_stats - counters with a single writer
 * @syncp: lets 32-bit readers see whole values
 * @v: the counters; what they count is an enum of the writer
 *
 * Whoever owns a queue's side (the transmit lock, the NAPI instance, one of
 * the two engine threads) has a set of its own, so that no writer needs a
 * lock.
 */
struct psp_ref_stats {
	struct u64_stats_sync	syncp;
	u64_stats_t		v[PSP_REF_STATS_MAX];
};

static inline void psp_ref_stats_init(struct psp_ref_stats *stats)
{
	u64_stats_init(&stats->syncp);
}

/* Engine threads can be interrupted by a reader, hence irqsave; it is nothing
 * on 64-bit.
 */
static inline void psp_ref_stats_add(struct psp_ref_stats *stats,
				     unsigned int i, u64 n)
{
	unsigned long flags;

	flags = u64_stats_update_begin_irqsave(&stats->syncp);
	u64_stats_add(&stats->v[i], n);
	u64_stats_update_end_irqrestore(&stats->syncp, flags);
}

static inline void psp_ref_stats_inc(struct psp_ref_stats *stats,
				     unsigned int i)
{
	psp_ref_stats_add(stats, i, 1);
}

static inline u64 psp_ref_stats_read(const struct psp_ref_stats *stats,
				     unsigned int i)
{
	unsigned int start;
	u64 n;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		n = u64_stats_read(&stats->v[i]);
	} while (u64_stats_fetch_retry(&stats->syncp, start));

	return n;
}

#endif /* PSP_REF_STATS_H */
