// SPDX-License-Identifier: GPL-2.0
/* assoc-get: what is told about sockets, to whom, and how a dump goes on */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "container.h"
#include "watch.h"

#define NO_SUCH_DEV	999999
#define KEYS_TX		(ATTR_BIT(SOCK_KEY_SPI) | ATTR_BIT(SOCK_KEY_AGE))
#define KEYS_RX		(KEYS_TX | ATTR_BIT(SOCK_KEY_ROTATIONS) |	\
			 ATTR_BIT(SOCK_KEY_PACKETS))
#define ATTRS_NEW	(ATTR_BIT(SOCK_DEV_ID) | ATTR_BIT(SOCK_COOKIE) | \
			 ATTR_BIT(SOCK_VERSION) | ATTR_BIT(SOCK_STATE) | \
			 ATTR_BIT(SOCK_RX) | ATTR_BIT(SOCK_RX_REKEYS) |	\
			 ATTR_BIT(SOCK_TX_REKEYS))
#define ATTRS_CONN	(ATTRS_NEW | ATTR_BIT(SOCK_FAMILY) |		\
			 ATTR_BIT(SOCK_LOCAL_ADDR) |			\
			 ATTR_BIT(SOCK_REMOTE_ADDR) |			\
			 ATTR_BIT(SOCK_LOCAL_PORT) |			\
			 ATTR_BIT(SOCK_REMOTE_PORT))

FIXTURE(assoc_get)
{
	struct psp_net net;
	struct psp_nl *nl;
	struct psp_conn conn;
	struct psp_sock_info info;
	int fds[WATCH_MANY];
};

FIXTURE_SETUP(assoc_get)
{
	int i;

	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	for (i = 0; i < WATCH_MANY; i++)
		self->fds[i] = -1;
	ASSERT_EQ(0, psp_net_open(&self->net));
	self->nl = &self->net.a.nl;
}

FIXTURE_TEARDOWN(assoc_get)
{
	watch_close(self->fds, WATCH_MANY);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* How many sockets there are, and the first of them */
#define GET_ALL()	psp_nl_assoc_get(self->nl, 0, 0, &self->info, 1)

TEST_F(assoc_get, of_no_socket_tells_nothing)
{
	EXPECT_EQ(0, GET_ALL());
}

TEST_F(assoc_get, tells_everything_and_nothing_else)
{
	struct psp_sock_info *info = &self->info;
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, WATCH_VERSION));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_EQ(ATTRS_CONN | ATTR_BIT(SOCK_TX), info->attrs);
	EXPECT_EQ(KEYS_RX, info->rx.attrs);
	EXPECT_EQ(KEYS_TX, info->tx.attrs);
	EXPECT_EQ(self->net.a.dev_id, info->dev_id);
	EXPECT_EQ(watch_cookie(conn->a.fd), info->cookie);
	EXPECT_EQ(WATCH_VERSION, info->version);
	EXPECT_EQ(PSP_SOCK_STATE_FULL, info->state);
	EXPECT_EQ(conn->a.rx.spi, info->rx.spi);
	EXPECT_EQ(conn->a.tx.spi, info->tx.spi);
	EXPECT_EQ(0, info->rx.rotations);
	EXPECT_LT(0, info->rx.packets);
	EXPECT_EQ(0, info->rx_rekeys);
	EXPECT_EQ(0, info->tx_rekeys);
	/* The test has not been running for longer */
	EXPECT_GT(600, info->rx.age);
	EXPECT_GT(600, info->tx.age);
}

static uint16_t port_of(int fd, bool peer)
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);

	if (peer ? getpeername(fd, (struct sockaddr *)&addr, &len) :
		   getsockname(fd, (struct sockaddr *)&addr, &len))
		return 0;
	return ntohs(addr.sin6_port);
}

TEST_F(assoc_get, tells_addresses_and_ports)
{
	const struct { enum psp_family family; int af; } kinds[] = {
		{ PSP_IPV4, AF_INET }, { PSP_IPV6, AF_INET6 },
		{ PSP_MAPPED, AF_INET },
	};
	const struct psp_end *a = &self->net.a, *b = &self->net.b;
	struct psp_sock_info *info = &self->info;
	struct psp_conn *conn = &self->conn;
	bool v4;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_conn_open(conn, &self->net, kinds[i].family));
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, WATCH_VERSION));
		ASSERT_EQ(1, GET_ALL());
		v4 = kinds[i].af == AF_INET;
		EXPECT_EQ(ATTRS_CONN, info->attrs);
		EXPECT_EQ(kinds[i].af, info->family);
		EXPECT_EQ(0, memcmp(info->laddr, v4 ? (void *)&a->v4 :
				    (void *)&a->v6, v4 ? 4 : 16));
		EXPECT_EQ(0, memcmp(info->raddr, v4 ? (void *)&b->v4 :
				    (void *)&b->v6, v4 ? 4 : 16));
		EXPECT_EQ(port_of(conn->a.fd, false), info->lport);
		EXPECT_EQ(port_of(conn->a.fd, true), info->rport);
		psp_conn_close(conn);
		ASSERT_EQ(0, GET_ALL());
	}
}

TEST_F(assoc_get, follows_the_states)
{
	struct psp_sock_info *info = &self->info;
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, watch_sockets(&self->net.a, self->net.a.dev_id,
				   self->fds, 1));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_EQ(ATTRS_NEW, info->attrs);
	EXPECT_EQ(PSP_SOCK_STATE_RX, info->state);
	watch_close(self->fds, 1);
	self->fds[0] = -1;

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, GET_ALL());
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_EQ(PSP_SOCK_STATE_RX, info->state);
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, WATCH_VERSION));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_EQ(PSP_SOCK_STATE_TX, info->state);
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(0, psp_conn_ping(conn));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_EQ(PSP_SOCK_STATE_FULL, info->state);
}

TEST_F(assoc_get, follows_rekeys)
{
	struct psp_sock_info *info = &self->info;
	struct psp_conn *conn = &self->conn;
	uint32_t spi;

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, WATCH_VERSION));
	spi = conn->a.rx.spi;
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_EQ(1, info->rx.rotations);

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_EQ(ATTRS_CONN | ATTR_BIT(SOCK_TX) | ATTR_BIT(SOCK_RX_PREV),
		  info->attrs);
	EXPECT_EQ(KEYS_RX, info->rx_prev.attrs);
	EXPECT_EQ(conn->a.rx.spi, info->rx.spi);
	EXPECT_EQ(spi, info->rx_prev.spi);
	EXPECT_EQ(0, info->rx.rotations);
	EXPECT_EQ(1, info->rx_prev.rotations);
	EXPECT_EQ(0, info->rx.packets);
	EXPECT_LT(0, info->rx_prev.packets);
	EXPECT_EQ(1, info->rx_rekeys);
	EXPECT_EQ(0, info->tx_rekeys);

	/* The peer changes over: seen in the packets of the current key */
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(0, psp_conn_ping(conn));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(1, GET_ALL());
	EXPECT_LT(0, info->rx.packets);
	EXPECT_EQ(1, info->tx_rekeys);
	EXPECT_EQ(conn->b.rx.spi, info->tx.spi);
}

/* A second device in A's namespace, with a socket of its own */
TEST_F(assoc_get, can_be_asked_for_a_device_or_a_cookie)
{
	struct psp_sock_info *info = &self->info;
	struct psp_end *a = &self->net.a;
	struct psp_nl *nl = self->nl;
	uint64_t first, second;
	uint32_t more;

	ASSERT_EQ(0, psp_ns_enter(a->ns));
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	more = psp_dev_of(nl, if_nametoindex("more0"));
	ASSERT_NE(0, more);
	ASSERT_EQ(0, watch_sockets(a, a->dev_id, &self->fds[0], 1));
	ASSERT_EQ(0, watch_sockets(a, more, &self->fds[1], 1));
	first = watch_cookie(self->fds[0]);
	second = watch_cookie(self->fds[1]);

	ASSERT_EQ(2, psp_nl_assoc_get(nl, 0, 0, info, 1));
	ASSERT_EQ(1, psp_nl_assoc_get(nl, a->dev_id, 0, info, 1));
	EXPECT_EQ(first, info->cookie);
	ASSERT_EQ(1, psp_nl_assoc_get(nl, more, 0, info, 1));
	EXPECT_EQ(second, info->cookie);
	EXPECT_EQ(more, info->dev_id);
	ASSERT_EQ(1, psp_nl_assoc_get(nl, 0, first, info, 1));
	EXPECT_EQ(first, info->cookie);
	ASSERT_EQ(1, psp_nl_assoc_get(nl, more, second, info, 1));
	EXPECT_EQ(0, psp_nl_assoc_get(nl, more, first, info, 1));
	EXPECT_EQ(0, psp_nl_assoc_get(nl, 0, ~0ULL, info, 1));
}

TEST_F(assoc_get, refusals)
{
	struct psp_nl *nl = self->nl;

	mnl_attr_put_u32(psp_nl_start(nl, PSP_CMD_ASSOC_GET),
			 PSP_A_SOCK_DEV_ID, 0);
	EXPECT_REFUSED(nl, psp_nl_dump(nl, NULL, NULL), -ERANGE, "dev-id", "");
	psp_nl_assoc_get_start(nl, NO_SUCH_DEV, 0);
	EXPECT_REFUSED(nl, psp_nl_dump(nl, NULL, NULL), -ENODEV, "", "");
	psp_nl_assoc_get_start(nl, self->net.b.dev_id, 0);
	EXPECT_REFUSED(nl, psp_nl_dump(nl, NULL, NULL), -ENOENT, "", "");
	/* It can only be dumped */
	psp_nl_assoc_get_start(nl, self->net.a.dev_id, 0);
	EXPECT_EQ(-EOPNOTSUPP, psp_nl_do(nl));
}

/* The namespace of the device sees who uses it, others do not */
TEST_F(assoc_get, keeps_to_namespaces)
{
	struct psp_end *a = &self->net.a, *b = &self->net.b;
	struct psp_conn *conn = &self->conn;
	struct psp_sock_info socks[2];
	struct psp_key key;

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_assoc(conn, WATCH_VERSION));
	ASSERT_EQ(1, psp_nl_assoc_get(&a->nl, 0, 0, socks, 1));
	EXPECT_EQ(watch_cookie(conn->a.fd), socks[0].cookie);
	ASSERT_EQ(1, psp_nl_assoc_get(&b->nl, 0, 0, socks, 1));
	EXPECT_EQ(watch_cookie(conn->b.fd), socks[0].cookie);

	/* A socket of B's namespace, but a key of A's device */
	self->fds[0] = psp_tcp_socket(b, PSP_IPV4);
	ASSERT_LE(0, self->fds[0]);
	ASSERT_EQ(0, psp_nl_rx_assoc(&a->nl, a->dev_id, WATCH_VERSION,
				     self->fds[0], &key));
	ASSERT_EQ(2, psp_nl_assoc_get(&a->nl, 0, 0, socks, 2));
	ASSERT_EQ(1, psp_nl_assoc_get(&b->nl, 0, 0, socks, 1));
	EXPECT_EQ(watch_cookie(conn->b.fd), socks[0].cookie);
}

/* Three sockets that use a device: of its own namespace and of two others */
#define GET_HOST	0
#define GET_FIRST	1
#define GET_MORE	2
#define GET_SOCKETS	3

FIXTURE(assoc_get_container)
{
	struct container c;
	struct psp_sock_info info[GET_SOCKETS];
	int fds[GET_SOCKETS];
};

FIXTURE_SETUP(assoc_get_container)
{
	struct container *c = &self->c;
	uint32_t id;

	ASSERT_EQ(0, container_open(c));
	ASSERT_EQ(0, container_assoc(c));
	ASSERT_EQ(0, container_open_more(c));
	id = c->net.a.dev_id;
	ASSERT_EQ(0, watch_sockets(&c->net.a, id, &self->fds[GET_HOST], 1));
	ASSERT_EQ(0, watch_sockets(&c->pair.a, id, &self->fds[GET_FIRST], 1));
	ASSERT_EQ(0, watch_sockets(&c->more, id, &self->fds[GET_MORE], 1));
}

FIXTURE_TEARDOWN(assoc_get_container)
{
	watch_close(self->fds, GET_SOCKETS);
	container_close(&self->c);
}

/* The only one that it is told of, by whatever it asks for, is @fd */
static void expect_only(struct __test_metadata *_metadata, struct psp_nl *nl,
			uint32_t id, int fd, int other)
{
	struct psp_sock_info info;

	ASSERT_EQ(1, psp_nl_assoc_get(nl, 0, 0, &info, 1));
	EXPECT_EQ(watch_cookie(fd), info.cookie);
	EXPECT_EQ(id, info.dev_id);
	EXPECT_EQ(ATTRS_NEW, info.attrs);
	ASSERT_EQ(1, psp_nl_assoc_get(nl, id, 0, &info, 1));
	EXPECT_EQ(watch_cookie(fd), info.cookie);
	EXPECT_EQ(1, psp_nl_assoc_get(nl, id, watch_cookie(fd), &info, 1));
	EXPECT_EQ(0, psp_nl_assoc_get(nl, id, watch_cookie(other), &info, 1));
	EXPECT_EQ(0, psp_nl_assoc_get(nl, 0, watch_cookie(other), &info, 1));
}

TEST_F(assoc_get_container, sees_its_own_sockets)
{
	struct container *c = &self->c;
	uint32_t id = c->net.a.dev_id;
	int i, k, found;

	expect_only(_metadata, &c->pair.a.nl, id, self->fds[GET_FIRST],
		    self->fds[GET_MORE]);
	expect_only(_metadata, &c->more.nl, id, self->fds[GET_MORE],
		    self->fds[GET_HOST]);

	ASSERT_EQ(GET_SOCKETS, psp_nl_assoc_get(&c->net.a.nl, id, 0, self->info,
						GET_SOCKETS));
	for (i = 0; i < GET_SOCKETS; i++) {
		found = 0;
		for (k = 0; k < GET_SOCKETS; k++)
			found += self->info[k].cookie ==
				 watch_cookie(self->fds[i]);
		EXPECT_EQ(1, found);
	}
}

/* They live on, for the device's own namespace to see */
TEST_F(assoc_get_container, sees_nothing_when_the_association_has_ended)
{
	struct container *c = &self->c;
	struct psp_nl *nl = &c->pair.a.nl;

	ASSERT_EQ(0, container_disassoc(c));
	EXPECT_EQ(0, psp_nl_assoc_get(nl, 0, 0, self->info, GET_SOCKETS));
	EXPECT_EQ(-ENOENT, psp_nl_assoc_get(nl, c->net.a.dev_id, 0, self->info,
					    GET_SOCKETS));
	EXPECT_EQ(GET_SOCKETS, psp_nl_assoc_get(&c->net.a.nl, 0, 0, self->info,
						GET_SOCKETS));
}

/**
 * struct walk - a dump of many sockets, and what happens after its first entry
 * @end: end of the dump
 * @fds: the sockets
 * @seen: how often each was told
 * @bytes: length of all messages
 * @entries: messages
 * @event: what happens, or NULL
 * @err: how that went
 */
struct walk {
	struct psp_end *end;
	int *fds;
	uint64_t cookies[WATCH_MANY];
	int seen[WATCH_MANY];
	size_t bytes;
	int entries;
	int (*event)(struct walk *walk);
	int err;
};

static int walk_cb(const struct nlmsghdr *nlh, void *data)
{
	struct walk *walk = data;
	struct psp_sock_info info;
	int i;

	psp_nl_sock_parse(nlh, &info);
	walk->bytes += nlh->nlmsg_len;
	for (i = 0; i < WATCH_MANY; i++)
		walk->seen[i] += walk->cookies[i] == info.cookie;
	if (!walk->entries++ && walk->event)
		walk->err = walk->event(walk);
	return 0;
}

static int walk_run(struct walk *walk, struct psp_nl *nl)
{
	int i, err;

	for (i = 0; i < WATCH_MANY; i++)
		walk->cookies[i] = watch_cookie(walk->fds[i]);
	psp_nl_assoc_get_start(nl, 0, 0);
	err = psp_nl_dump(nl, walk_cb, walk);
	return err ? err : walk->err;
}

/* How many of the sockets were told just once */
static int walk_once(const struct walk *walk, int first, int last)
{
	int i, num = 0;

	for (i = first; i < last; i++)
		num += walk->seen[i] == 1;
	return num;
}

TEST_F(assoc_get, goes_on_from_buffer_to_buffer)
{
	struct walk walk = { .end = &self->net.a, .fds = self->fds };

	ASSERT_EQ(0, watch_sockets(walk.end, walk.end->dev_id, self->fds,
				   WATCH_MANY));
	ASSERT_EQ(0, walk_run(&walk, self->nl));
	EXPECT_EQ(WATCH_MANY, walk.entries);
	EXPECT_EQ(WATCH_MANY, walk_once(&walk, 0, WATCH_MANY));
	/* That is more than one buffer can have held */
	EXPECT_LT(2 * PSP_MSG_MAX, walk.bytes);
}

/* While the dump waits for its reader: others come, the first ones go */
#define WALK_GONE	50

static int walk_swap(struct walk *walk)
{
	struct psp_nl nl;
	struct psp_end end = *walk->end;
	int err;

	/* The end's own netlink socket is busy with the dump */
	err = psp_ns_enter(end.ns);
	if (!err)
		err = psp_nl_open(&nl);
	if (err)
		return err;
	end.nl = nl;
	watch_close(walk->fds, WALK_GONE);
	err = watch_sockets(&end, end.dev_id, walk->fds, WALK_GONE);
	psp_nl_close(&nl);
	return err;
}

TEST_F(assoc_get, tells_once_what_stays_while_others_come_and_go)
{
	struct walk walk = {
		.end = &self->net.a, .fds = self->fds, .event = walk_swap,
	};

	ASSERT_EQ(0, watch_sockets(walk.end, walk.end->dev_id, self->fds,
				   WATCH_MANY));
	ASSERT_EQ(0, walk_run(&walk, self->nl));
	EXPECT_EQ(WATCH_MANY - WALK_GONE,
		  walk_once(&walk, WALK_GONE, WATCH_MANY));
}

static int walk_unplug(struct walk *walk)
{
	int err = psp_ns_enter(walk->end->ns);

	return err ? err : psp_link_del(walk->end->ifindex);
}

TEST_F(assoc_get, ends_early_when_the_device_goes)
{
	struct walk walk = {
		.end = &self->net.a, .fds = self->fds, .event = walk_unplug,
	};

	ASSERT_EQ(0, watch_sockets(walk.end, walk.end->dev_id, self->fds,
				   WATCH_MANY));
	ASSERT_EQ(0, walk_run(&walk, self->nl));
	EXPECT_LT(0, walk.entries);
	EXPECT_GT(WATCH_MANY, walk.entries);
	EXPECT_EQ(0, GET_ALL());
}

/* `ss -ti`: one socket, then all */
TEST_F(assoc_get, is_told_by_sock_diag_too)
{
	struct psp_conn *conn = &self->conn;
	struct psp_sock_info *info = &self->info;
	const struct nlattr *nest;
	char buf[PSP_MSG_MAX];
	int len, dump;

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, WATCH_VERSION));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rekey(conn));
	for (dump = 0; dump < 2; dump++) {
		len = watch_diag(self->net.a.ns, conn->a.fd, dump, buf,
				 sizeof(buf));
		nest = watch_diag_psp(buf, len < 0 ? 0 : len);
		ASSERT_NE(NULL, nest);
		psp_nl_sock_parse_nest(nest, info);
		EXPECT_EQ((ATTRS_NEW & ~ATTR_BIT(SOCK_COOKIE)) |
			  ATTR_BIT(SOCK_TX) | ATTR_BIT(SOCK_RX_PREV),
			  info->attrs);
		EXPECT_EQ(PSP_SOCK_STATE_FULL, info->state);
		EXPECT_EQ(conn->a.rx.spi, info->rx.spi);
		EXPECT_EQ(conn->a.tx.spi, info->tx.spi);
		EXPECT_EQ(1, info->rx_rekeys);
	}

	ASSERT_EQ(0, psp_net_admin(false));
	len = watch_diag(self->net.a.ns, conn->a.fd, true, buf, sizeof(buf));
	EXPECT_EQ(0, psp_net_admin(true));
	EXPECT_LT(0, len);
	EXPECT_EQ(NULL, watch_diag_psp(buf, len < 0 ? 0 : len));
}

/* What psp.rst says about ss: the protocol, and the cookie that leads on */
TEST_F(assoc_get, is_told_by_ss_in_part)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, WATCH_VERSION));
	EXPECT_EQ(0, psp_sh(self->net.a.ns,
			    "ss -tieOHn | grep -q 'sk:%llx .*tcp-ulp-psp'",
			    (unsigned long long)watch_cookie(conn->a.fd)));
}

TEST_HARNESS_MAIN
