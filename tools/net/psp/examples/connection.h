/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * What the example programs have in common, and what is not about PSP: a TCP
 * connection, and the end if something fails.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <arpa/inet.h>
#include <err.h>
#include <libpsp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void need(int ret, const char *what)
{
	if (ret < 0)
		errx(1, "%s: %s", what, psp_strerror(ret));
}

static inline void need_errno(ssize_t ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
}

/* Connects, or waits for somebody who does */
static inline int get_connection(bool listening, const char *addr,
				 const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, conn;

	need_errno(fd, "socket");
	sin.sin_port = htons(atoi(port));
	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1)
		errx(2, "%s: not an address", addr);
	if (!listening) {
		need_errno(connect(fd, (void *)&sin, sizeof(sin)), addr);
		return fd;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	need_errno(bind(fd, (void *)&sin, sizeof(sin)), addr);
	need_errno(listen(fd, 1), addr);
	conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	need_errno(conn, "accept");
	close(fd);
	return conn;
}

#endif /* CONNECTION_H */
