// SPDX-License-Identifier: GPL-2.0
/* The TCP connection */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pspcat.h"

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
static int dial_wait(struct cat *cat, int fd)
{
	struct pollfd pfd[] = { { fd, POLLOUT }, { cat->signals, POLLIN } };
	uint64_t end = now_ms() + cat->args.timeout * 1000ULL, now;
	socklen_t len = sizeof(int);
	int ret, err;

	do {
		now = now_ms();
		ret = poll(pfd, 2, now < end ? end - now : 0);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return -ETIMEDOUT;
	if (ret > 0 && pfd[1].revents && signals_take(cat))
		return -EINTR;
	if (ret < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -errno;
	return -err;
}

static int dial_connect(struct cat *cat)
{
	const struct addrinfo *ai = cat->dial.list;
	int fd, err = 0;

	for (; ai && !*cat->error; ai = ai->ai_next) {
		fd = dial_socket(ai);
		if (fd < 0) {
			err = -errno;
			continue;
		}
		err = 0;
		if (connect(fd, ai->ai_addr, ai->ai_addrlen))
			err = errno == EINPROGRESS ? dial_wait(cat, fd) :
						     -errno;
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

static int dial_listen_all(struct cat *cat)
{
	const struct addrinfo *ai = cat->dial.list;
	struct dial *dial = &cat->dial;
	int err = 0, fd;

	for (; ai && dial->num < DIAL_LISTENERS; ai = ai->ai_next) {
		fd = dial_listen(ai);
		if (fd < 0) {
			err = errno;
			continue;
		}
		dial->pfd[dial->num].fd = fd;
		dial->pfd[dial->num++].events = POLLIN;
	}
	if (!dial->num)
		return cat_fail(cat, "listen on port %s: %s", cat->args.port,
				strerror(err));
	dial->pfd[dial->num].fd = cat->signals;
	dial->pfd[dial->num].events = POLLIN;
	cat_say(cat, "listening on port %s", cat->args.port);
	return 0;
}

/* accept(2) names those that are about the one who came, and not about us */
static bool dial_goes_on(int err)
{
	static const int harmless[] = {
		EAGAIN, EINTR, ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT,
		EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
		EPERM,
	};
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (err == harmless[i])
			return true;
	return false;
}

/* Who comes to one of the sockets; -1 also if it was nothing, or a signal */
static int dial_take(struct cat *cat)
{
	struct dial *dial = &cat->dial;
	int fd, i;

	if (poll(dial->pfd, dial->num + 1, -1) < 0)
		return errno == EINTR ? -1 :
		       cat_fail(cat, "poll: %s", strerror(errno));
	if (dial->pfd[dial->num].revents && signals_take(cat))
		return -1;
	for (i = 0; i < dial->num; i++) {
		if (!dial->pfd[i].revents)
			continue;
		fd = accept4(dial->pfd[i].fd, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (!dial_goes_on(errno))
			return cat_fail(cat, "accept: %s", strerror(errno));
	}
	return -1;
}

static int dial_accept(struct cat *cat)
{
	int fd;

	do {
		fd = dial_take(cat);
	} while (fd < 0 && !*cat->error);
	return fd;
}

/* Names are looked up before signals are ours: that may take long */
int dial_open(struct cat *cat)
{
	cat->dial.list = dial_resolve(cat);
	if (!cat->dial.list || signals_open(cat))
		return -1;
	return cat->args.listen ? dial_listen_all(cat) : 0;
}

void dial_close(struct cat *cat)
{
	struct dial *dial = &cat->dial;

	while (dial->num)
		close(dial->pfd[--dial->num].fd);
	if (dial->list)
		freeaddrinfo(dial->list);
	dial->list = NULL;
}

/* The other side's address, for messages */
static void dial_name(struct cat *cat, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

	if (!getpeername(fd, (struct sockaddr *)&ss, &len))
		getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host),
			    port, sizeof(port),
			    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(cat->from, sizeof(cat->from), "%.60s port %.8s", host, port);
}

int dial(struct cat *cat)
{
	const int on = 1, unsent = DIAL_UNSENT;
	int fd = cat->args.listen ? dial_accept(cat) : dial_connect(cat);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	dial_name(cat, fd);
	return fd;
}
