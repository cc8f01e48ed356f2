// SPDX-License-Identifier: GPL-2.0
/* The same connection twice: a socket that TCP_REPAIR made somewhere else */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container.h"

static int twin_opt(int fd, int name, int val)
{
	return setsockopt(fd, IPPROTO_TCP, name, &val, sizeof(val)) ? -errno :
								       0;
}

/* What @fd expects next (TCP_RECV_QUEUE), or is to send next */
static int twin_seq(int fd, int queue, uint32_t *seq)
{
	socklen_t len = sizeof(*seq);
	int err;

	err = twin_opt(fd, TCP_REPAIR, TCP_REPAIR_ON);
	if (!err)
		err = twin_opt(fd, TCP_REPAIR_QUEUE, queue);
	if (!err && getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, seq, &len))
		err = -errno;
	return twin_opt(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP) ?: err;
}

/* In repair mode, connect() asks nobody */
static int twin_connect(int fd, int twin, uint32_t rcv, uint32_t snd)
{
	struct sockaddr_storage local, remote;
	socklen_t len = sizeof(local);
	int err;

	if (getsockname(twin, (struct sockaddr *)&local, &len) ||
	    getpeername(twin, (struct sockaddr *)&remote, &len))
		return -errno;
	err = twin_opt(fd, TCP_REPAIR, TCP_REPAIR_ON);
	if (!err && bind(fd, (struct sockaddr *)&local, len))
		err = -errno;
	if (!err)
		err = twin_opt(fd, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
	if (!err)
		err = twin_opt(fd, TCP_QUEUE_SEQ, rcv);
	if (!err)
		err = twin_opt(fd, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	if (!err)
		err = twin_opt(fd, TCP_QUEUE_SEQ, snd);
	if (!err && connect(fd, (struct sockaddr *)&remote, len))
		err = -errno;
	return err ? err : twin_opt(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
}

/* The address of @twin becomes one of @end's */
static int twin_address(const struct psp_end *end, int twin)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int err;

	if (getsockname(twin, (struct sockaddr *)&addr, &len))
		return -errno;
	err = psp_ns_enter(end->ns);
	if (err)
		return err;
	if (addr.ss_family == AF_INET)
		err = psp_link_addr4(end->ifindex,
				     ((struct sockaddr_in *)&addr)->sin_addr,
				     32);
	else
		err = psp_link_addr6(end->ifindex,
				     &((struct sockaddr_in6 *)&addr)->sin6_addr,
				     128);
	return err == -EEXIST ? 0 : err;
}

int container_twin(const struct psp_end *end, enum psp_family family, int twin)
{
	uint32_t rcv, snd;
	int fd, err;

	err = twin_address(end, twin);
	if (!err)
		err = twin_seq(twin, TCP_RECV_QUEUE, &rcv);
	if (!err)
		err = twin_seq(twin, TCP_SEND_QUEUE, &snd);
	if (err)
		return err;

	fd = psp_tcp_socket(end, family);
	if (fd < 0)
		return fd;
	err = twin_connect(fd, twin, rcv, snd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
