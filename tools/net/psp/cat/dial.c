// SPDX-License-Identifier: GPL-2.0
/* The TCP connection */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pspcat.h"

#define DIAL_LISTENERS	8

/* More would only make new keys wait behind data that is not sent yet */
#define DIAL_UNSENT	(128 << 10)

static struct addrinfo *dial_resolve(struct cat *cat)
{
	const struct cat_args *args = &cat->args;
	const struct addrinfo hints = {
		.ai_family = args->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = args->listen ? AI_PASSIVE : 0,
	};
	struct addrinfo *list;
	int err;

	err = getaddrinfo(args->host, args->port, &hints, &list);
	if (!err)
		return list;
	cat_fail(cat, "%s port %s: %s", args->host ? args->host : "any address",
		 args->port, gai_strerror(err));
	return NULL;
}

static int dial_socket(const struct addrinfo *ai)
{
	return socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK |
		      SOCK_CLOEXEC, ai->ai_protocol);
}

/* Wait until it is connected: 0 or a negative errno */
static int dial_wait(int fd, unsigned int seconds)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	uint64_t end = now_ms() + seconds * 1000ULL, now;
	socklen_t len = sizeof(int);
	int ret, err;

	do {
		now = now_ms();
		ret = poll(&pfd, 1, now < end ? end - now : 0);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return -ETIMEDOUT;
	if (ret < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -errno;
	return -err;
}

static int dial_connect(struct cat *cat, const struct addrinfo *ai)
{
	int fd, err = 0;

	for (; ai; ai = ai->ai_next) {
		fd = dial_socket(ai);
		if (fd < 0) {
			err = -errno;
			continue;
		}
		err = 0;
		if (connect(fd, ai->ai_addr, ai->ai_addrlen))
			err = errno == EINPROGRESS ?
			      dial_wait(fd, cat->args.timeout) : -errno;
		if (!err)
			return fd;
		close(fd);
	}
	return cat_fail(cat, "%s port %s: %s", cat->args.host, cat->args.port,
			strerror(-err));
}

/* One family each: IPv4 addresses in an IPv6 socket would be a third kind */
static int dial_listen(const struct addrinfo *ai)
{
	const int on = 1;
	int fd, err;

	fd = dial_socket(ai);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, 1))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* The first that comes */
static int dial_take(struct pollfd *pfd, int num)
{
	int fd = -1, i;

	while (fd < 0) {
		if (poll(pfd, num, -1) < 0 && errno != EINTR)
			return -1;
		for (i = 0; fd < 0 && i < num; i++)
			if (pfd[i].revents)
				fd = accept4(pfd[i].fd, NULL, NULL,
					     SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	return fd;
}

static int dial_accept(struct cat *cat, const struct addrinfo *ai)
{
	struct pollfd pfd[DIAL_LISTENERS];
	int num = 0, err = 0, fd = -1, i;

	for (; ai && num < DIAL_LISTENERS; ai = ai->ai_next) {
		pfd[num].fd = dial_listen(ai);
		pfd[num].events = POLLIN;
		pfd[num].revents = 0;
		if (pfd[num].fd < 0)
			err = errno;
		else
			num++;
	}
	if (num) {
		cat_say(cat, "listening on port %s", cat->args.port);
		fd = dial_take(pfd, num);
		err = errno;
	}
	for (i = 0; i < num; i++)
		close(pfd[i].fd);
	if (fd < 0)
		cat_fail(cat, "listen on port %s: %s", cat->args.port,
			 strerror(err));
	return fd;
}

int dial(struct cat *cat)
{
	struct addrinfo *list = dial_resolve(cat);
	const int on = 1, unsent = DIAL_UNSENT;
	int fd;

	if (!list)
		return -1;
	fd = cat->args.listen ? dial_accept(cat, list) :
				dial_connect(cat, list);
	freeaddrinfo(list);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	return fd;
}
