// SPDX-License-Identifier: GPL-2.0
/* The machine's own end, and how it finds the other one */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

/* More would only make new keys wait behind data */
#define PAIR_SNDBUF	(32 << 10)

static void pair_name(struct psp_end *end, int n)
{
	char addr[32];

	snprintf(end->ifname, sizeof(end->ifname), "psp0");
	snprintf(addr, sizeof(addr), "10.0.0.%d", n);
	inet_pton(AF_INET, addr, &end->v4);
	snprintf(addr, sizeof(addr), "fd00::%d", n);
	inet_pton(AF_INET6, addr, &end->v6);
}

static int pair_link(void)
{
	return system("modprobe -q virtio_net; ip link set " PAIR_LOWER " up &&"
		      "ip link add link " PAIR_LOWER " name psp0 type psp_ref")
		? -EIO : 0;
}

static int pair_up(struct psp_end *end)
{
	int err;

	end->ifindex = if_nametoindex(end->ifname);
	err = psp_link_addr4(end->ifindex, end->v4, 24);
	if (!err)
		err = psp_link_addr6(end->ifindex, &end->v6, 64);
	return err ? err : psp_link_up(end->ifindex, true);
}

int pair_open(struct pair *pair, bool first)
{
	const char *keys = getenv("PSP_KEYS");
	struct psp_end *end = &pair->end;
	int err = 0;

	memset(pair, 0, sizeof(*pair));
	pair->fd = -1;
	pair->first = first;
	pair_name(end, first ? 1 : 2);
	pair_name(&pair->other, first ? 2 : 1);
	if (keys)
		pair->keys = fopen(keys, "we");
	end->ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (end->ns < 0)
		return -errno;

	if (!if_nametoindex(end->ifname)) {
		err = pair_link();
		if (!err)
			err = pair_up(end);
	}
	end->ifindex = if_nametoindex(end->ifname);
	if (!err)
		err = psp_nl_open(&end->nl);
	if (err)
		return err;
	end->dev_id = psp_dev_of(&end->nl, end->ifindex);
	return psp_nl_dev_set(&end->nl, end->dev_id, PSP_VERSIONS_ALL);
}

/* The port stays: somebody may still be waiting for an acknowledgment */
void pair_close(struct pair *pair)
{
	const struct linger linger = { .l_onoff = 1 };

	if (pair->fd >= 0) {
		setsockopt(pair->fd, SOL_SOCKET, SO_LINGER, &linger,
			   sizeof(linger));
		close(pair->fd);
	}
	psp_nl_close(&pair->end.nl);
	if (pair->keys)
		fclose(pair->keys);
	close(pair->end.ns);
}

static int pair_accept(struct pair *pair, enum psp_family family)
{
	struct pollfd pfd = { .events = POLLIN };
	int listener, fd = -ETIMEDOUT;

	listener = psp_tcp_listen(&pair->end, family, &pair->port);
	if (listener < 0)
		return listener;
	pfd.fd = listener;
	if (poll(&pfd, 1, PAIR_MEET_MS) > 0) {
		fd = accept4(listener, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	close(listener);
	return fd;
}

static int pair_try_connect(struct pair *pair, enum psp_family family)
{
	struct sockaddr_storage addr;
	struct pollfd pfd = { .events = POLLOUT };
	socklen_t len;
	int err, fd;

	fd = psp_tcp_socket(&pair->end, family);
	if (fd < 0)
		return fd;
	len = psp_addr(&pair->other, family, pair->port, &addr);
	if (connect(fd, (struct sockaddr *)&addr, len) && errno != EINPROGRESS)
		goto err_close;
	pfd.fd = fd;
	errno = ETIMEDOUT;
	if (poll(&pfd, 1, 5000) <= 0)
		goto err_close;
	len = sizeof(err);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) || !err)
		return fd;
	errno = err;

err_close:
	err = -errno;
	close(fd);
	return err;
}

/* The other one boots in its own time */
static int pair_connect(struct pair *pair, enum psp_family family)
{
	uint64_t end = psp_now_ms() + PAIR_MEET_MS;
	int fd;

	do {
		fd = pair_try_connect(pair, family);
		if (fd < 0)
			usleep(100000);
	} while (fd < 0 && psp_now_ms() < end);
	return fd;
}

int pair_meet(struct pair *pair, enum psp_family family)
{
	int size = PAIR_SNDBUF;

	pair->port = PAIR_PORT + family;
	pair->fd = pair->first ? pair_accept(pair, family) :
				 pair_connect(pair, family);
	if (pair->fd < 0)
		return pair->fd;
	setsockopt(pair->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}
