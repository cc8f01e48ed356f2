// SPDX-License-Identifier: GPL-2.0
/* The order of sockets */
#include <stdlib.h>
#include <string.h>

#include "top.h"

static const char * const sort_names[] = {
	[SORT_RATE]		= "rate",
	[SORT_AGE]		= "age",
	[SORT_ROTATIONS]	= "rotations",
	[SORT_REKEYS]		= "rekeys",
	[SORT_PEER]		= "peer",
	[SORT_DEVICE]		= "device",
};

const char *sort_name(enum top_sort sort)
{
	return sort_names[sort];
}

int sort_parse(const char *name)
{
	int i;

	for (i = 0; i < SORTS_NUM; i++)
		if (arg_is(name, sort_names[i]))
			return i;
	return -1;
}

/* What is to be greatest first; what is not known comes last */
static double sort_val(const struct top_sock *sock, enum top_sort sort)
{
	const struct psp_assoc *assoc = sock->assoc;

	switch (sort) {
	case SORT_RATE:
		return sock->rates[0] + sock->rates[1];
	case SORT_AGE:
		return assoc->rx ? assoc->rx->age : TOP_UNKNOWN;
	case SORT_ROTATIONS:
		return assoc->rx && assoc->rx->rotations != PSP_UNKNOWN ?
		       (double)assoc->rx->rotations : TOP_UNKNOWN;
	case SORT_REKEYS:
		return (double)assoc->rx_rekeys + assoc->tx_rekeys;
	case SORT_DEVICE:
		return -(double)assoc->dev_id;
	default:
		return 0;
	}
}

/* Ones without an address come last */
static int peer_cmp(const struct psp_assoc *x, const struct psp_assoc *y)
{
	int ret;

	if (x->family != y->family)
		return !x->family ? 1 : !y->family ? -1 :
		       (int)x->family - (int)y->family;
	ret = memcmp(x->remote_addr, y->remote_addr, sizeof(x->remote_addr));
	return ret ? ret : (int)x->remote_port - (int)y->remote_port;
}

struct sort_how {
	enum top_sort sort;
	bool reverse;
};

/* Cookies tell apart what is equal, so that nothing moves without a reason */
static int order_cmp(const void *a, const void *b, void *arg)
{
	const struct top_sock *x = *(const struct top_sock **)a;
	const struct top_sock *y = *(const struct top_sock **)b;
	const struct sort_how *how = arg;
	double m, n;
	int ret;

	if (how->sort == SORT_PEER) {
		ret = peer_cmp(x->assoc, y->assoc);
	} else {
		m = sort_val(x, how->sort);
		n = sort_val(y, how->sort);
		ret = (m < n) - (m > n);
	}
	if (ret)
		return how->reverse ? -ret : ret;
	return (x->assoc->cookie > y->assoc->cookie) -
	       (x->assoc->cookie < y->assoc->cookie);
}

void sample_sort(struct top_sample *sample, enum top_sort sort, bool reverse)
{
	struct sort_how how = { sort, reverse };

	qsort_r(sample->order, sample->num_socks, sizeof(*sample->order),
		order_cmp, &how);
}
