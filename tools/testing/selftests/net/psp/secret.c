// SPDX-License-Identifier: GPL-2.0
/*
 * Keys are told once, in the answer to rx-assoc. After that they must not be
 * found in anything that the kernel says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "secret.h"
#include "watch.h"

#define VERSION		PSP_VERSION_HDR0_AES_GCM_256

FIXTURE(secret)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_nl events;	/* hears all groups at end A */
	struct secret keys;
};

FIXTURE_SETUP(secret)
{
	struct psp_nl *nl = &self->events;

	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_nl_open(nl));
	ASSERT_EQ(0, psp_nl_join(nl, nl->mgmt));
	ASSERT_EQ(0, psp_nl_join(nl, nl->use));
	ASSERT_EQ(0, psp_nl_join(nl, nl->assoc));
	ASSERT_EQ(0, watch_trace(true));
}

FIXTURE_TEARDOWN(secret)
{
	watch_trace(false);
	psp_conn_close(&self->conn);
	psp_nl_close(&self->events);
	psp_net_close(&self->net);
}

static void add_keys(struct secret *keys, const struct psp_conn *conn)
{
	secret_add(keys, &conn->a.rx);
	secret_add(keys, &conn->b.rx);
}

/* The only message with a key in it: this also shows that the search works */
static int search_rx_reply(struct secret *keys, const struct psp_conn *conn)
{
	struct psp_nl *nl = &conn->b.end->nl;
	char text[128] = "", *at = text;
	int i;

	/* The last that either has asked for was B's rx-assoc */
	if (secret_search(keys, "the reply", nl->reply, nl->reply_len) != 1)
		return -ENOENT;
	for (i = 0; i < 16; i++)
		at += sprintf(at, i % 4 ? "%02X" : " 0x%02X",
			      conn->b.rx.key[i]);
	if (secret_search(keys, "a text", text, strlen(text)) != 1)
		return -ENOENT;
	keys->found = 0;
	return 0;
}

/* A connection's life: keys, data, rotations until it is stale */
static int live(struct psp_conn *conn, struct secret *keys)
{
	int err = psp_conn_rx(conn, &conn->a, VERSION);

	if (!err)
		err = psp_conn_rx(conn, &conn->b, VERSION);
	add_keys(keys, conn);
	if (!err)
		err = search_rx_reply(keys, conn);
	if (!err)
		err = psp_conn_tx(conn, &conn->a);
	if (!err)
		err = psp_conn_tx(conn, &conn->b);
	if (!err)
		err = psp_conn_ping(conn);
	if (!err)
		err = psp_conn_rotate(conn);
	if (!err)
		err = psp_conn_rekey(conn);
	add_keys(keys, conn);
	if (!err)
		err = psp_conn_ping(conn);
	if (!err)
		err = psp_conn_rotate(conn);
	return err ? err : psp_conn_rotate(conn);
}

static int dump_cb(const struct nlmsghdr *nlh, void *data)
{
	secret_search(data, "a dump", nlh, nlh->nlmsg_len);
	return 0;
}

static int search_dumps(struct psp_nl *nl, struct secret *keys)
{
	const uint8_t cmds[] = {
		PSP_CMD_DEV_GET, PSP_CMD_GET_STATS, PSP_CMD_REKEY_STATS_GET,
		PSP_CMD_ASSOC_GET,
	};
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(cmds); i++) {
		psp_nl_start(nl, cmds[i]);
		err = psp_nl_dump(nl, dump_cb, keys);
	}
	return err;
}

/* Until the last event has been heard */
static int search_events(struct psp_nl *nl, struct secret *keys)
{
	int err;

	do {
		err = psp_nl_wait(nl, 0, psp_slow_ms(WATCH_MS));
		if (!err)
			secret_search(keys, "an event", nl->reply,
				      nl->reply_len);
	} while (!err && psp_nl_reply_cmd(nl) != PSP_CMD_ASSOC_STALE_NTF);
	return err;
}

static int search_diag(const struct psp_conn *conn, struct secret *keys)
{
	char buf[PSP_MSG_MAX];
	int len;

	len = watch_diag(conn->a.end->ns, conn->a.fd, true, buf, sizeof(buf));
	if (len > 0)
		secret_search(keys, "sock_diag", buf, len);
	return len < 0 ? len : 0;
}

/* The kernel log, one record a read */
static int search_log(struct secret *keys)
{
	char buf[8192];
	ssize_t n;
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0 || errno == EPIPE)
		if (n > 0)
			secret_search(keys, "the log", buf, n);
	close(fd);
	return 0;
}

TEST_F(secret, keys_stand_in_the_answer_to_rx_assoc_only)
{
	struct secret *keys = &self->keys;
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, live(conn, keys));
	ASSERT_EQ(4, keys->num);
	EXPECT_EQ(0, search_events(&self->events, keys));
	EXPECT_EQ(0, search_dumps(&self->net.a.nl, keys));
	EXPECT_EQ(0, search_diag(conn, keys));
	EXPECT_EQ(0, secret_search_file(keys, WATCH_TRACE));
	EXPECT_EQ(0, secret_search_tree(keys, "/sys/kernel/debug/psp"));
	EXPECT_EQ(0, secret_search_tree(keys, "/sys/kernel/debug/psp_ref"));
	EXPECT_EQ(0, secret_search_tree(keys, "/sys/module/psp"));
	EXPECT_EQ(0, secret_search_tree(keys, "/sys/module/psp_ref"));
	EXPECT_EQ(0, search_log(keys));
	TH_LOG("searched %llu bytes", (unsigned long long)keys->bytes);
	EXPECT_EQ(0, keys->found);
}

TEST_HARNESS_MAIN
