// SPDX-License-Identifier: GPL-2.0
/* Rates: what has become of the sample before */
#include <string.h>

#include "top.h"

/* A kernel that does not tell it, or no second sample yet */
static double rate_or_unknown(uint64_t new, uint64_t old, double seconds)
{
	if (new == PSP_UNKNOWN || old == PSP_UNKNOWN || seconds <= 0)
		return TOP_UNKNOWN;
	return rate_of(new, old, seconds);
}

static void loss_add(struct top_dev *dev, const char *name, uint64_t new,
		     uint64_t old, double seconds)
{
	struct top_loss *loss = &dev->losses[dev->num_losses];

	if (!new || new == PSP_UNKNOWN || !name ||
	    dev->num_losses == TOP_LOSSES)
		return;
	loss->name = name;
	loss->count = new;
	loss->rate = rate_or_unknown(new, old, seconds);
	if (loss->rate > 0 && dev->lost >= 0)
		dev->lost += loss->rate;
	dev->num_losses++;
}

/* As pspctl stats show calls them, but for what is received and what is sent */
static void losses_stats(struct top_dev *dev, const struct psp_stats *old,
			 double seconds)
{
	const struct psp_stats *new = dev->stats;

	loss_add(dev, "rx-auth-fail", new->rx_auth_fail, old->rx_auth_fail,
		 seconds);
	loss_add(dev, "rx-error", new->rx_error, old->rx_error, seconds);
	loss_add(dev, "rx-bad", new->rx_bad, old->rx_bad, seconds);
	loss_add(dev, "tx-error", new->tx_error, old->tx_error, seconds);
}

static void losses_drops(struct top_dev *dev,
			 const struct psp_rekey_stats *old, double seconds)
{
	const struct psp_rekey_stats *new = dev->rekey;
	uint64_t before;
	unsigned int i;

	for (i = 0; new && i < new->num_drops; i++) {
		before = old && i < old->num_drops ? old->drops[i] :
						     PSP_UNKNOWN;
		loss_add(dev, psp_drop_name(i), new->drops[i], before, seconds);
	}
}

static double rekeys_rate(const struct top_dev *dev, const struct top_dev *old,
			  double seconds)
{
	double rx, tx;

	if (!dev->rekey || !old->rekey)
		return TOP_UNKNOWN;
	rx = rate_or_unknown(dev->rekey->rx_rekeys, old->rekey->rx_rekeys,
			     seconds);
	tx = rate_or_unknown(dev->rekey->tx_rekeys, old->rekey->tx_rekeys,
			     seconds);
	return rx < 0 ? tx : tx < 0 ? rx : rx + tx;
}

static void dev_rates(struct top_dev *dev, const struct top_dev *old,
		      double seconds)
{
	const struct psp_stats *n = dev->stats, *o = old->stats;

	dev->rx_packets = rate_or_unknown(n->rx_packets, o->rx_packets,
					  seconds);
	dev->rx_bytes = rate_or_unknown(n->rx_bytes, o->rx_bytes, seconds);
	dev->tx_packets = rate_or_unknown(n->tx_packets, o->tx_packets,
					  seconds);
	dev->tx_bytes = rate_or_unknown(n->tx_bytes, o->tx_bytes, seconds);
	dev->rekeys = rekeys_rate(dev, old, seconds);
	dev->lost = seconds > 0 ? 0 : TOP_UNKNOWN;
	losses_stats(dev, o, seconds);
	losses_drops(dev, old->rekey, seconds);
}

/* How often, and when last, the device key was seen to change */
static void dev_rotations(struct top_dev *dev, const struct top_dev *old,
			  double now)
{
	uint64_t new = dev->stats->key_rotations;
	uint64_t before = old->stats->key_rotations;

	dev->since = old->since;
	dev->turned = old->turned;
	dev->rotated = old->rotated;
	if (new == PSP_UNKNOWN || before == PSP_UNKNOWN || new == before)
		return;
	dev->turned += new - before;
	dev->rotated = now;
}

static void dev_graph(struct top_dev *dev, const struct top_dev *old)
{
	unsigned int keep = old->num_graph;

	if (keep == TOP_GRAPH)
		keep--;
	memcpy(dev->graph, old->graph + old->num_graph - keep,
	       keep * sizeof(*dev->graph));
	dev->num_graph = keep;
	if (dev->rx_bytes >= 0 && dev->tx_bytes >= 0)
		dev->graph[dev->num_graph++] = dev->rx_bytes + dev->tx_bytes;
}

/*
 * Another device under the same number has another interface, fewer rotations,
 * or fewer packets
 */
static bool dev_is_same(const struct top_dev *dev, const struct top_dev *old)
{
	const struct psp_stats *n = dev->stats, *o = old->stats;

	if (dev->dev && old->dev && dev->dev->ifindex != old->dev->ifindex)
		return false;
	return n->key_rotations >= o->key_rotations &&
	       n->rx_packets >= o->rx_packets && n->tx_packets >= o->tx_packets;
}

static void dev_compare(struct top_dev *dev, const struct top_dev *old,
			double now, double seconds)
{
	dev->now = now;
	if (old && dev_is_same(dev, old)) {
		dev_rates(dev, old, seconds);
		dev_rotations(dev, old, now);
		dev_graph(dev, old);
	} else {
		dev_rates(dev, dev, 0);
		dev->since = now;
	}
}

static void sock_compare(struct top_sock *sock, const struct top_sock *old,
			 double seconds)
{
	int i;

	for (i = 0; i < 2; i++)
		sock->rates[i] = old ? rate_or_unknown(sock->bytes[i],
						       old->bytes[i], seconds) :
				       TOP_UNKNOWN;
}

/* Both tables are sorted: one walk through each */
void sample_compare(struct top_sample *sample, const struct top_sample *old)
{
	const struct top_sock *sock = old ? old->sock : NULL;
	const struct top_sock *end = old ? sock + old->num_socks : NULL;
	uint64_t cookie;
	unsigned int i;

	sample->seconds = old ? sample->time - old->time : 0;
	for (i = 0; i < sample->num_devs; i++)
		dev_compare(&sample->dev[i],
			    old ? sample_dev(old, sample->dev[i].id) : NULL,
			    sample->time, sample->seconds);
	for (i = 0; i < sample->num_socks; i++) {
		cookie = sample->sock[i].assoc->cookie;
		while (sock != end && sock->assoc->cookie < cookie)
			sock++;
		sock_compare(&sample->sock[i],
			     sock != end && sock->assoc->cookie == cookie ?
			     sock : NULL, sample->seconds);
	}
}
