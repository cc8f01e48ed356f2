// SPDX-License-Identifier: GPL-2.0
/* assoc-stale-ntf: which sockets are announced, when, and to whom */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "container.h"
#include "watch.h"

#define STALE_ATTRS	(ATTR_BIT(SOCK_DEV_ID) | ATTR_BIT(SOCK_COOKIE) | \
			 ATTR_BIT(SOCK_SPI))

FIXTURE(stale)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_nl nl;	/* listens at end A */
	struct psp_nl other;	/* listens at end B */
	struct psp_sock_info info;
	int fds[WATCH_MANY];
};

FIXTURE_SETUP(stale)
{
	int i;

	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	for (i = 0; i < WATCH_MANY; i++)
		self->fds[i] = -1;
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_ns_enter(self->net.b.ns));
	ASSERT_EQ(0, psp_nl_open(&self->other));
	ASSERT_EQ(0, psp_nl_join(&self->other, self->other.assoc));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_nl_open(&self->nl));
	ASSERT_EQ(0, psp_nl_join(&self->nl, self->nl.assoc));
}

FIXTURE_TEARDOWN(stale)
{
	watch_close(self->fds, WATCH_MANY);
	psp_conn_close(&self->conn);
	psp_nl_close(&self->nl);
	psp_nl_close(&self->other);
	psp_net_close(&self->net);
}

static int rotate(struct psp_net *net, int num)
{
	int err = 0;

	while (!err && num--)
		err = psp_nl_rotate(&net->a.nl, net->a.dev_id);
	return err;
}

/* The next one that listens at A hears of */
static int next(struct psp_nl *nl, struct psp_sock_info *info)
{
	int err = psp_nl_wait(nl, PSP_CMD_ASSOC_STALE_NTF,
			      psp_slow_ms(WATCH_MS));

	if (!err)
		psp_nl_sock_parse((const struct nlmsghdr *)nl->reply, info);
	return err;
}

static int one_socket_of(struct psp_end *end, int *fd, struct psp_key *key)
{
	*fd = psp_tcp_socket(end, PSP_IPV4);
	return *fd < 0 ? *fd : psp_nl_rx_assoc(&end->nl, end->dev_id,
					       WATCH_VERSION, *fd, key);
}

static int one_socket(struct psp_net *net, int *fd, struct psp_key *key)
{
	return one_socket_of(&net->a, fd, key);
}

/* A is told of its first socket after its second rotation, and never again;
 * the second one, made a rotation later, is the next to be told of
 */
TEST_F(stale, is_told_once_at_the_second_rotation)
{
	struct psp_sock_info *info = &self->info;
	struct psp_key first, second;

	ASSERT_EQ(0, one_socket(&self->net, &self->fds[0], &first));
	ASSERT_EQ(0, rotate(&self->net, 1));
	ASSERT_EQ(0, one_socket(&self->net, &self->fds[1], &second));
	ASSERT_EQ(0, rotate(&self->net, 1));
	ASSERT_EQ(0, next(&self->nl, info));
	EXPECT_EQ(STALE_ATTRS, info->attrs);
	EXPECT_EQ(self->net.a.dev_id, info->dev_id);
	EXPECT_EQ(watch_cookie(self->fds[0]), info->cookie);
	EXPECT_EQ(first.spi, info->spi);

	ASSERT_EQ(0, rotate(&self->net, 1));
	ASSERT_EQ(0, next(&self->nl, info));
	EXPECT_EQ(watch_cookie(self->fds[1]), info->cookie);
	EXPECT_EQ(second.spi, info->spi);
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->other, 0, 0));
}

/* Not of the socket that keeps its keys fresh, but of the one that does not */
TEST_F(stale, is_not_told_of_a_rekeyed_socket)
{
	struct psp_sock_info *info = &self->info;
	struct psp_conn *conn = &self->conn;
	struct psp_key key, last;

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, WATCH_VERSION));
	ASSERT_EQ(0, one_socket(&self->net, &self->fds[0], &key));
	ASSERT_EQ(0, rotate(&self->net, 1));
	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->b));
	ASSERT_EQ(0, rotate(&self->net, 1));
	ASSERT_EQ(0, next(&self->nl, info));
	EXPECT_EQ(watch_cookie(self->fds[0]), info->cookie);

	/* Anything more about this rotation would come before this one */
	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->b));
	ASSERT_EQ(0, one_socket(&self->net, &self->fds[1], &last));
	ASSERT_EQ(0, rotate(&self->net, 1));
	ASSERT_EQ(0, psp_conn_rekey_dir(conn, &conn->b));
	ASSERT_EQ(0, rotate(&self->net, 1));
	ASSERT_EQ(0, next(&self->nl, info));
	EXPECT_EQ(watch_cookie(self->fds[1]), info->cookie);
	ASSERT_EQ(0, psp_conn_ping(conn));
}

/* Without a listener nobody is told, not even later. Listeners count whatever
 * namespace they are in: the kernel has one mask for all.
 */
TEST_F(stale, is_not_told_to_those_who_come_late)
{
	struct psp_sock_info *info = &self->info;
	struct psp_nl late;
	struct psp_key key;

	psp_nl_close(&self->nl);
	psp_nl_close(&self->other);
	ASSERT_EQ(0, one_socket(&self->net, &self->fds[0], &key));
	ASSERT_EQ(0, rotate(&self->net, 2));

	ASSERT_EQ(0, psp_nl_open(&late));
	ASSERT_EQ(0, psp_nl_join(&late, late.assoc));
	ASSERT_EQ(0, one_socket(&self->net, &self->fds[1], &key));
	ASSERT_EQ(0, rotate(&self->net, 2));
	EXPECT_EQ(0, next(&late, info));
	EXPECT_EQ(watch_cookie(self->fds[1]), info->cookie);
	psp_nl_close(&late);
}

TEST_F(stale, is_told_of_each_of_many)
{
	int seen[WATCH_MANY] = { }, size = 16 << 20, num = 0, i, k;
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, setsockopt(mnl_socket_get_fd(self->nl.sk), SOL_SOCKET,
				SO_RCVBUFFORCE, &size, sizeof(size)));
	ASSERT_EQ(0, watch_sockets(a, a->dev_id, self->fds, WATCH_MANY));
	ASSERT_EQ(0, rotate(&self->net, 2));
	for (i = 0; i < WATCH_MANY; i++) {
		ASSERT_EQ(0, next(&self->nl, &self->info));
		for (k = 0; k < WATCH_MANY; k++)
			seen[k] += watch_cookie(self->fds[k]) ==
				   self->info.cookie;
	}
	for (k = 0; k < WATCH_MANY; k++)
		num += seen[k] == 1;
	EXPECT_EQ(WATCH_MANY, num);
}

/* The device goes while the worker may still be at it */
TEST_F(stale, survives_the_device)
{
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, watch_sockets(a, a->dev_id, self->fds, WATCH_MANY));
	ASSERT_EQ(0, rotate(&self->net, 2));
	ASSERT_EQ(0, psp_link_del(a->ifindex));
}

/* Who listens, and whose socket */
enum stale_who {
	STALE_HOST,
	STALE_FIRST,
	STALE_MORE,
	STALE_ALL,
};

FIXTURE(stale_container)
{
	struct container c;
	struct psp_end *end[STALE_ALL];
	struct psp_nl nl[STALE_ALL];
	struct psp_key key[STALE_ALL];
	struct psp_sock_info info;
	int fds[STALE_ALL];
};

FIXTURE_SETUP(stale_container)
{
	struct container *c = &self->c;
	int i;

	for (i = 0; i < STALE_ALL; i++)
		self->fds[i] = -1;
	ASSERT_EQ(0, container_open(c));
	ASSERT_EQ(0, container_assoc(c));
	ASSERT_EQ(0, container_open_more(c));
	self->end[STALE_HOST] = &c->net.a;
	self->end[STALE_FIRST] = &c->pair.a;
	self->end[STALE_MORE] = &c->more;
	for (i = 0; i < STALE_ALL; i++) {
		ASSERT_EQ(0, psp_ns_enter(self->end[i]->ns));
		ASSERT_EQ(0, psp_nl_open(&self->nl[i]));
		ASSERT_EQ(0, psp_nl_join(&self->nl[i], self->nl[i].assoc));
		ASSERT_EQ(0, one_socket_of(self->end[i], &self->fds[i],
					   &self->key[i]));
	}
}

FIXTURE_TEARDOWN(stale_container)
{
	int i;

	watch_close(self->fds, STALE_ALL);
	for (i = 0; i < STALE_ALL; i++)
		psp_nl_close(&self->nl[i]);
	container_close(&self->c);
}

/* Of which of the sockets does the next announcement tell? */
static int next_of(struct psp_nl *nl, const int *fds)
{
	struct psp_sock_info info;
	int err = next(nl, &info), i;

	if (err)
		return err;
	for (i = 0; i < STALE_ALL; i++)
		if (info.cookie == watch_cookie(fds[i]))
			return i;
	return -ENOENT;
}

/* The host is told of all of them, a container of its own and, as there is more
 * to tell later, of that.
 */
TEST_F(stale_container, is_told_of_its_own_sockets)
{
	struct psp_nl *nl = self->nl;
	unsigned int told = 0;
	int who;

	ASSERT_EQ(0, rotate(&self->c.net, 2));
	for (who = 0; who < STALE_ALL; who++)
		told |= 1 << next_of(&nl[STALE_HOST], self->fds);
	EXPECT_EQ((1 << STALE_ALL) - 1, told);

	for (who = STALE_FIRST; who < STALE_ALL; who++) {
		ASSERT_EQ(0, next(&nl[who], &self->info));
		EXPECT_EQ(STALE_ATTRS, self->info.attrs);
		EXPECT_EQ(self->c.net.a.dev_id, self->info.dev_id);
		EXPECT_EQ(watch_cookie(self->fds[who]), self->info.cookie);
		EXPECT_EQ(self->key[who].spi, self->info.spi);
		close(self->fds[who]);
		ASSERT_EQ(0, one_socket_of(self->end[who], &self->fds[who],
					   &self->key[who]));
	}

	ASSERT_EQ(0, rotate(&self->c.net, 2));
	EXPECT_EQ(STALE_FIRST, next_of(&nl[STALE_FIRST], self->fds));
	EXPECT_EQ(STALE_MORE, next_of(&nl[STALE_MORE], self->fds));
}

/* Not of what became stale meanwhile, but of what does so afterwards */
TEST_F(stale_container, is_told_nothing_while_there_is_no_association)
{
	struct psp_nl *nl = self->nl;
	struct psp_key key;
	int who, fd;

	ASSERT_EQ(0, container_disassoc(&self->c));
	ASSERT_EQ(0, rotate(&self->c.net, 2));
	for (who = 0; who < STALE_ALL; who++)
		ASSERT_LE(0, next_of(&nl[STALE_HOST], self->fds));
	EXPECT_EQ(STALE_MORE, next_of(&nl[STALE_MORE], self->fds));

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, one_socket_of(self->end[STALE_FIRST], &fd, &key));
	ASSERT_EQ(0, rotate(&self->c.net, 2));
	ASSERT_EQ(0, next(&nl[STALE_FIRST], &self->info));
	EXPECT_EQ(watch_cookie(fd), self->info.cookie);
	close(fd);
}

TEST_HARNESS_MAIN
