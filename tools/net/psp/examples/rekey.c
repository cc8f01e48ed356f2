// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * rekey [-l] ADDRESS PORT - a connection under PSP that rekeys by itself, until
 * the client has got a new key
 *
 * stdin and stdout are the channel that both ends trust. Example program of
 * Documentation/networking/psp_app.rst.
 */
#include <errno.h>
#include <poll.h>
#include <psp_rekey.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"

/* What this program knows about its connection, the only one here */
struct connection {
	int fd;
	bool server;
	bool secret;		/* what we write leaves under PSP */
	bool established;	/* and what we read came under it */
	bool over;
};

/*
 * A message for the peer: stdout is the way there. It does not depend on the
 * connection, so that it will do for PSP_REKEY_OUT_OF_BAND as well; where the
 * connection itself bears the messages, that flag must get -EOPNOTSUPP.
 */
static int to_peer(void *data, const void *msg, size_t len, unsigned int flags)
{
	return write(STDOUT_FILENO, msg, len) == (ssize_t)len ? 0 : -EPIPE;
}

static void happened(void *data, enum psp_rekey_event event, int err)
{
	struct connection *c = data;

	switch (event) {
	case PSP_REKEY_EV_TX:
		c->secret = true;
		break;
	case PSP_REKEY_EV_ESTABLISHED:
		c->established = true;
		fprintf(stderr, "established\n");
		break;
	case PSP_REKEY_EV_RX_REKEYED:
		fprintf(stderr, "rekeyed\n");
		c->over = !c->server;
		break;
	case PSP_REKEY_EV_FAILED:
		errx(1, "%s", psp_strerror(err));
	default:
		break;
	}
}

static const struct psp_rekey_conn_ops ops = { to_peer, happened };

/* A message of the peer: stdin has them, one behind the other */
static void from_peer(struct psp_rekey_conn *conn)
{
	static char buf[4 * PSP_REKEY_MSG_MAX];
	static size_t have;
	ssize_t len = read(STDIN_FILENO, buf + have, sizeof(buf) - have);

	if (len <= 0)
		exit(0);
	have += len;
	while ((len = psp_rekey_msg_len(buf, have)) > 0) {
		if ((size_t)len > have)
			break;
		need(psp_rekey_conn_input(conn, buf, len), "message");
		have -= len;
		memmove(buf, buf + len, have);
	}
	need(len, "message");
	explicit_bzero(buf + have, sizeof(buf) - have);
}

/* Data goes on meanwhile: the server sends back what the client sends */
static void data(struct connection *c)
{
	char buf[64];
	ssize_t len = read(c->fd, buf, sizeof(buf));

	if (len <= 0)
		exit(0);
	if (c->secret)
		need_errno(write(c->fd, buf, len), "write");
}

static void loop(struct psp_rekey_pool *pool, struct psp_rekey_conn *conn,
		 struct connection *c)
{
	struct pollfd fds[] = {
		{ .fd = psp_rekey_pool_fd(pool), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = c->fd, .events = POLLIN },
	};
	bool begun = false;

	while (!c->over) {
		if (poll(fds, 3, psp_rekey_pool_timeout(pool)) < 0) {
			if (errno == EINTR)
				continue;
			err(1, "poll");
		}
		need(psp_rekey_pool_process(pool), "pool");
		if (fds[1].revents)
			from_peer(conn);
		if (fds[2].revents)
			data(c);
		if (c->established && !c->server && !begun)
			begun = write(c->fd, "ping", 4) == 4;
	}
}

/* There is one PSP device in this network namespace */
static uint32_t the_device(void)
{
	struct psp_ctx *ctx;
	struct psp_dev *devs;
	uint32_t id;

	need(psp_open(&ctx), "psp");
	need(psp_dev_dump(ctx, &devs), "devices");
	if (!devs)
		errx(1, "no PSP device");
	id = devs->id;
	psp_dev_free(devs);
	psp_close(ctx);
	return id;
}

int main(int argc, char **argv)
{
	struct connection c = { .server = argc == 4 && !strcmp(argv[1], "-l") };
	struct psp_rekey_pool *pool;
	struct psp_rekey_conn *conn;

	if (argc != (c.server ? 4 : 3))
		errx(2, "usage: rekey [-l] ADDRESS PORT");
	c.fd = get_connection(c.server, argv[argc - 2], argv[argc - 1]);
	need_errno(c.fd, "connection");

	need(psp_rekey_pool_open(&pool, NULL), "pool");

	struct psp_rekey_conn_config config = {
		.size = sizeof(config),
		.fd = c.fd,		/* connected, or accepted */
		.dev_id = the_device(),
		.version = PSP_AES_GCM_128,
		.ops = &ops,		/* send(), event() */
		.data = &c,
	};
	need(psp_rekey_conn_add(pool, &config, &conn), "connection");

	loop(pool, conn, &c);

	psp_rekey_conn_del(conn);
	psp_rekey_pool_free(pool);
	return 0;
}
