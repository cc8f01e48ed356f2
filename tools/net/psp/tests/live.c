// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * live NETNS_A ADDR_A NETNS_B ADDR_B KEYFILE - a connection under PSP between
 * two namespaces, for tests of pspctl, and of libpsp on a real kernel
 *
 * Reads commands, one a line, and answers each with a line. Writes keys and
 * SPIs in hexadecimal digits to KEYFILE, so that others can look for them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libpsp.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define VERSION		PSP_AES_GCM_256
#define PORT		4433
#define WAIT_MS		60000

/* One end of the connection */
struct end {
	struct psp_ctx *psp;
	struct psp_events *events;
	struct sockaddr_in addr;
	int fd;
	uint32_t dev_id;
	struct psp_key rx;
};

static struct end a, b;
static FILE *keys;

static void die(const char *what, int err)
{
	printf("%s: %s\n", what, psp_strerror(err));
	exit(1);
}

static void need(const char *what, int err)
{
	if (err)
		die(what, err);
}

static void need_errno(const char *what, int ret)
{
	if (ret < 0)
		die(what, -errno);
}

static void enter(const char *ns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need_errno(path, fd);
	need_errno(path, setns(fd, CLONE_NEWNET));
	close(fd);
}

/* Handles and sockets stay in the namespace that they were made in */
static void end_open(struct end *end, const char *ns, const char *addr)
{
	end->addr.sin_family = AF_INET;
	end->addr.sin_port = htons(PORT);
	if (inet_pton(AF_INET, addr, &end->addr.sin_addr) != 1)
		die(addr, -EINVAL);
	enter(ns);
	need("psp_open", psp_open(&end->psp));
	need("psp_events_open",
	     psp_events_open(&end->events, PSP_GROUP_MGMT | PSP_GROUP_USE));
	end->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need_errno("socket", end->fd);
}

/* Nothing stays behind that would hold the device: its keys may be stale */
static void linger(int fd)
{
	const struct linger none = { .l_onoff = 1 };

	need_errno("linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &none,
					sizeof(none)));
}

static void connect_ends(void)
{
	int listener = b.fd, one = 1;

	need_errno("reuse", setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one,
				       sizeof(one)));
	need_errno("bind", bind(listener, (struct sockaddr *)&b.addr,
				sizeof(b.addr)));
	need_errno("listen", listen(listener, 1));
	need_errno("connect", connect(a.fd, (struct sockaddr *)&b.addr,
				      sizeof(b.addr)));
	b.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	need_errno("accept", b.fd);
	close(listener);
	linger(a.fd);
	linger(b.fd);
}

static void tell_key(const struct psp_key *key)
{
	unsigned int i;

	for (i = 0; i < key->len; i++)
		fprintf(keys, "%02x", key->key[i]);
	fprintf(keys, " %08x\n", key->spi);
	fflush(keys);
}

static int rx(struct end *end)
{
	int err = psp_rx_assoc(end->psp, end->fd, VERSION, 0, &end->rx,
			       &end->dev_id);

	if (!err && end->rx.len != psp_version_key_len(VERSION))
		return -EPROTO;
	if (!err)
		tell_key(&end->rx);
	return err;
}

static int tx(struct end *end, struct end *peer)
{
	return psp_tx_assoc(end->psp, end->fd, VERSION, end->dev_id, &peer->rx);
}

/* The first time, or a rekey */
static int do_keys(void)
{
	int err = rx(&a);

	if (!err)
		err = rx(&b);
	if (!err)
		err = tx(&a, &b);
	if (!err)
		err = tx(&b, &a);
	psp_key_wipe(&a.rx);
	psp_key_wipe(&b.rx);
	return err;
}

static int do_pass(struct end *from, struct end *to)
{
	struct pollfd pfd = { .fd = to->fd, .events = POLLIN };
	char byte = 'x';

	if (send(from->fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	if (poll(&pfd, 1, WAIT_MS) != 1)
		return -ETIMEDOUT;
	return recv(to->fd, &byte, 1, 0) == 1 ? 0 : -EIO;
}

static int do_ping(void)
{
	int err = do_pass(&a, &b);

	if (!err)
		err = do_pass(&b, &a);
	return err ? err : do_pass(&a, &b);
}

static int do_rotate(void)
{
	int err = psp_key_rotate(a.psp, a.dev_id);

	return err ? err : psp_key_rotate(b.psp, b.dev_id);
}

/* The next event at A, which is to be one about its device */
static int do_event(void)
{
	struct pollfd pfd = { .events = POLLIN };
	const struct psp_event *event;
	int ret;

	pfd.fd = psp_events_fd(a.events);
	while (!(ret = psp_events_next(a.events, &event)))
		if (poll(&pfd, 1, WAIT_MS) != 1)
			return -ETIMEDOUT;
	if (ret > 0 && event->dev_id != a.dev_id)
		return -ENODEV;
	return ret > 0 ? -(int)event->type : ret;
}

/* What the kernel has to say of requests that make no sense */
static int do_udp(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct psp_key key;

	err = psp_rx_assoc(a.psp, fd, VERSION, a.dev_id, &key, NULL);
	close(fd);
	return err;
}

static int do_nowhere(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	struct psp_key key;

	err = psp_rx_assoc(a.psp, fd, VERSION, 0, &key, NULL);
	close(fd);
	return err;
}

static int do_spi(void)
{
	struct psp_key key = { .len = 32 };

	return psp_tx_assoc(a.psp, a.fd, VERSION, 0, &key);
}

static int do_length(void)
{
	struct psp_key key = { .spi = 5, .len = 31 };

	return psp_tx_assoc(a.psp, a.fd, VERSION, 0, &key);
}

static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "keys", do_keys },
	{ "ping", do_ping },
	{ "rotate", do_rotate },
	{ "event", do_event },
	{ "udp", do_udp },
	{ "nowhere", do_nowhere },
	{ "spi", do_spi },
	{ "length", do_length },
};

static void command(const char *name)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		err = commands[i].run();
		if (err && commands[i].run == do_event)
			printf("event %d\n", -err);
		else
			puts(err ? psp_strerror(err) : "ok");
		return;
	}
	puts("unknown");
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 6)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	keys = fopen(argv[5], "we");
	if (!keys)
		die(argv[5], -errno);
	end_open(&b, argv[3], argv[4]);
	end_open(&a, argv[1], argv[2]);
	connect_ends();
	puts("ready");

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		command(line);
	}
	psp_events_close(a.events);
	psp_events_close(b.events);
	psp_close(a.psp);
	psp_close(b.psp);
	fclose(keys);
	return 0;
}
