// SPDX-License-Identifier: GPL-2.0
/* TCP connections across the cable, and their keys */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "psp_conn.h"

#define PSP_CONN_MS	20000	/* deadline of anything that should just work */

socklen_t psp_addr(const struct psp_end *end, enum psp_family family,
		   uint16_t port, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *sin = (struct sockaddr_in *)addr;

	memset(addr, 0, sizeof(*addr));
	if (family == PSP_IPV4) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		sin->sin_addr = end->v4;
		return sizeof(*sin);
	}

	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	sin6->sin6_addr = end->v6;
	if (family == PSP_MAPPED) {
		memset(&sin6->sin6_addr, 0, 10);
		memset(&sin6->sin6_addr.s6_addr[10], 0xff, 2);
		memcpy(&sin6->sin6_addr.s6_addr[12], &end->v4, 4);
	}
	return sizeof(*sin6);
}

int psp_tcp_socket(const struct psp_end *end, enum psp_family family)
{
	int domain = family == PSP_IPV4 ? AF_INET : AF_INET6;
	int fd, one = 1;

	fd = psp_ns_socket(end->ns, domain, SOCK_STREAM | SOCK_NONBLOCK,
			   IPPROTO_TCP);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))) {
		close(fd);
		return -errno;
	}
	return fd;
}

int psp_tcp_listen(const struct psp_end *end, enum psp_family family,
		   uint16_t *port)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd, err;

	fd = psp_tcp_socket(end, family);
	if (fd < 0)
		return fd;
	len = psp_addr(end, family, *port, &addr);
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len)) {
		err = -errno;
		close(fd);
		return err;
	}
	*port = ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
	return fd;
}

static int psp_conn_poll(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n = poll(&pfd, 1, PSP_CONN_MS);

	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int psp_conn_connect(int fd, const struct psp_end *end,
			    enum psp_family family, uint16_t port)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int err;

	len = psp_addr(end, family, port, &addr);
	if (!connect(fd, (struct sockaddr *)&addr, len))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;

	err = psp_conn_poll(fd, POLLOUT);
	if (err)
		return err;
	len = sizeof(err);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -errno;
	return -err;
}

static int psp_conn_accept(int listener)
{
	int fd, err, one = 1;

	err = psp_conn_poll(listener, POLLIN);
	if (err)
		return err;
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

int psp_conn_finish(struct psp_conn *conn, int listener, uint16_t port)
{
	int err;

	err = psp_conn_connect(conn->a.fd, conn->b.end, conn->family, port);
	if (err)
		return err;
	conn->b.fd = psp_conn_accept(listener);
	return conn->b.fd < 0 ? conn->b.fd : 0;
}

int psp_conn_open(struct psp_conn *conn, struct psp_net *net,
		  enum psp_family family)
{
	uint16_t port = 0;
	int listener, err;

	memset(conn, 0, sizeof(*conn));
	conn->family = family;
	conn->a.end = &net->a;
	conn->b.end = &net->b;
	conn->b.fd = -1;
	conn->a.fd = psp_tcp_socket(&net->a, family);
	if (conn->a.fd < 0)
		return conn->a.fd;

	listener = psp_tcp_listen(&net->b, family, &port);
	if (listener < 0) {
		psp_conn_close(conn);
		return listener;
	}
	err = psp_conn_finish(conn, listener, port);
	close(listener);
	if (err)
		psp_conn_close(conn);
	return err;
}

/* Abort: orphans in FIN_WAIT would hold the module for minutes */
static void psp_conn_abort(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

void psp_conn_close(struct psp_conn *conn)
{
	psp_conn_abort(conn->a.fd);
	psp_conn_abort(conn->b.fd);
	conn->a.fd = -1;
	conn->b.fd = -1;
}

struct psp_side *psp_conn_peer(struct psp_conn *conn, struct psp_side *side)
{
	return side == &conn->a ? &conn->b : &conn->a;
}

int psp_conn_rx(struct psp_conn *conn, struct psp_side *side,
		uint32_t version)
{
	conn->version = version;
	return psp_nl_rx_assoc(&side->end->nl, side->end->dev_id, version,
			       side->fd, &side->rx);
}

int psp_conn_tx(struct psp_conn *conn, struct psp_side *side)
{
	side->tx = psp_conn_peer(conn, side)->rx;
	return psp_nl_tx_assoc(&side->end->nl, side->end->dev_id,
			       conn->version, side->fd, &side->tx);
}

int psp_conn_assoc(struct psp_conn *conn, uint32_t version)
{
	int err;

	err = psp_conn_rx(conn, &conn->a, version);
	if (!err)
		err = psp_conn_rx(conn, &conn->b, version);
	if (!err)
		err = psp_conn_tx(conn, &conn->a);
	if (!err)
		err = psp_conn_tx(conn, &conn->b);
	return err;
}

int psp_conn_secure(struct psp_conn *conn, uint32_t version)
{
	int err = psp_conn_assoc(conn, version);

	return err ? err : psp_conn_ping(conn);
}

static int psp_conn_ping_one(int tx, int rx)
{
	static const char msg[] = "ping over PSP";
	char buf[sizeof(msg)];
	size_t done = 0;
	ssize_t n;
	int err;

	if (send(tx, msg, sizeof(msg), MSG_NOSIGNAL) != sizeof(msg))
		return -errno;
	while (done < sizeof(msg)) {
		err = psp_conn_poll(rx, POLLIN);
		if (err)
			return err;
		n = recv(rx, buf + done, sizeof(buf) - done, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		done += n;
	}
	return memcmp(buf, msg, sizeof(msg)) ? -EILSEQ : 0;
}

int psp_conn_ping(struct psp_conn *conn)
{
	int err = psp_conn_ping_one(conn->a.fd, conn->b.fd);

	return err ? err : psp_conn_ping_one(conn->b.fd, conn->a.fd);
}

int psp_conn_rekey_dir(struct psp_conn *conn, struct psp_side *from)
{
	int err = psp_conn_rx(conn, psp_conn_peer(conn, from), conn->version);

	return err ? err : psp_conn_tx(conn, from);
}

int psp_conn_rekey(struct psp_conn *conn)
{
	return psp_conn_assoc(conn, conn->version);
}

int psp_conn_rotate(struct psp_conn *conn)
{
	int err = psp_nl_rotate(&conn->a.end->nl, conn->a.end->dev_id);

	return err ? err : psp_nl_rotate(&conn->b.end->nl,
					 conn->b.end->dev_id);
}
