// SPDX-License-Identifier: GPL-2.0
/* What the driver tells through ethtool's ioctl */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "psp_wire.h"

int psp_ethtool(struct psp_end *end, void *cmd)
{
	struct ifreq ifr = { .ifr_data = cmd };
	int fd, err = 0;

	fd = psp_ns_socket(end->ns, AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	memcpy(ifr.ifr_name, end->ifname, sizeof(ifr.ifr_name));
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		err = -errno;
	close(fd);
	return err;
}

int psp_ethtool_bus(struct psp_end *end, char *bus, size_t len)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int err = psp_ethtool(end, &info);

	if (!err)
		snprintf(bus, len, "%s", info.bus_info);
	return err;
}

static int64_t psp_ethtool_count(struct psp_end *end)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int err = psp_ethtool(end, &info);

	return err ? err : info.n_stats;
}

/* Is @string @name, or @name of a queue: qN_@name? */
static bool psp_ethtool_is(const char *string, const char *name)
{
	const char *own = string;

	if (*own == 'q') {
		own += strspn(own + 1, "0123456789") + 1;
		own += *own == '_';
	}
	return !strcmp(string, name) || !strcmp(own, name);
}

int64_t psp_ethtool_stat(struct psp_end *end, const char *name)
{
	int64_t n = psp_ethtool_count(end), val = -ENOENT, i;
	struct ethtool_gstrings *strings;
	struct ethtool_stats *stats;

	if (n < 0)
		return n;
	strings = calloc(1, sizeof(*strings) + n * ETH_GSTRING_LEN);
	stats = calloc(1, sizeof(*stats) + n * sizeof(uint64_t));
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_STATS;
	strings->len = n;
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = n;
	if (psp_ethtool(end, strings) || psp_ethtool(end, stats))
		n = 0;
	for (i = 0; i < n; i++)
		if (psp_ethtool_is((char *)strings->data + i * ETH_GSTRING_LEN,
				   name))
			val = (val < 0 ? 0 : val) + stats->data[i];
	free(strings);
	free(stats);
	return val;
}
