// SPDX-License-Identifier: GPL-2.0
/*
 * Every message of the kernel, against psp.yaml: clients that were made from
 * mainline's part of it give up on an attribute that they do not know.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "spec.h"
#include "watch.h"

#define SPEC_FILE	"Documentation/netlink/specs/psp.yaml"
#define OURS		64	/* first number that is not mainline's */
#define SPEC_NSID	7	/* of the namespace of a guest, for end A */

FIXTURE(spec)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_nl events;	/* hears all groups at end A */
	struct spec spec;
	uint64_t seen[2];	/* bit N: a message of command N was judged */
};

FIXTURE_SETUP(spec)
{
	struct psp_nl *nl = &self->events;
	char path[512];

	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	snprintf(path, sizeof(path), "%s/" SPEC_FILE, getenv("PSP_TREE"));
	ASSERT_EQ(0, spec_read(&self->spec, path));
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_nl_open(nl));
	ASSERT_EQ(0, psp_nl_join(nl, nl->mgmt));
	ASSERT_EQ(0, psp_nl_join(nl, nl->use));
	ASSERT_EQ(0, psp_nl_join(nl, nl->assoc));
}

FIXTURE_TEARDOWN(spec)
{
	psp_conn_close(&self->conn);
	psp_nl_close(&self->events);
	psp_net_close(&self->net);
}

#define EXPECT_ATTR(number, set, name)				\
	EXPECT_EQ(number, spec_attr(spec_set(spec, set), name))
#define EXPECT_CMD(number, cmd)					\
do {								\
	const struct spec_op *op_ = spec_op(spec, number);	\
								\
	ASSERT_NE(NULL, op_);					\
	EXPECT_STREQ(cmd, op_->name);				\
} while (0)

/* The last of each list: then the others are in their places, too */
TEST_F(spec, numbers_are_those_of_the_header)
{
	const struct spec *spec = &self->spec;

	EXPECT_ATTR(PSP_A_ASSOC_DEV_INFO_MAX, "assoc-dev-info", "nsid");
	EXPECT_ATTR(PSP_A_DEV_MAX, "dev", "by-association");
	EXPECT_ATTR(PSP_A_ASSOC_MAX, "assoc", "sock-fd");
	EXPECT_ATTR(PSP_A_KEYS_MAX, "keys", "spi");
	EXPECT_ATTR(PSP_A_STATS_MAX, "stats", "tx-error");
	EXPECT_ATTR(PSP_A_REKEY_STATS_MAX, "rekey-stats", "drops");
	EXPECT_ATTR(PSP_A_DROPS_MAX, "drops", "tx-peer");
	EXPECT_ATTR(PSP_A_SOCK_MAX, "sock", "spi");
	EXPECT_ATTR(PSP_A_SOCK_KEY_MAX, "sock-key", "packets");
	EXPECT_CMD(PSP_CMD_DEV_GET, "dev-get");
	EXPECT_CMD(PSP_CMD_MAX, "dev-disassoc");
	EXPECT_CMD(PSP_CMD_REKEY_STATS_GET, "rekey-stats-get");
	EXPECT_CMD(PSP_CMD_ASSOC_GET, "assoc-get");
	EXPECT_CMD(PSP_CMD_ASSOC_STALE_NTF, "assoc-stale-ntf");
	EXPECT_TRUE(spec_allows(spec, PSP_CMD_GET_STATS, PSP_A_STATS_MAX));
	EXPECT_TRUE(spec_allows(spec, PSP_CMD_DEV_ADD_NTF, PSP_A_DEV_IFINDEX));
	EXPECT_FALSE(spec_allows(spec, PSP_CMD_KEY_ROTATE, PSP_A_DEV_IFINDEX));
}

static int judge_nest(const struct spec *spec, const struct spec_set *set,
		      const struct nlattr *nest)
{
	const struct spec_set *inner;
	const struct nlattr *attr;
	int type, err = 0;

	mnl_attr_for_each_nested(attr, nest) {
		type = mnl_attr_get_type(attr);
		if (type < 1 || type > set->num) {
			printf("# attribute %d in a nest of %s\n", type,
			       set->name);
			return -EILSEQ;
		}
		inner = spec_nest(spec, set, type);
		err = inner ? judge_nest(spec, inner, attr) : err;
	}
	return err;
}

/* One message: only attributes that its command may hold, in nests as well */
static int judge(const struct spec *spec, const struct nlmsghdr *nlh,
		 uint64_t *seen)
{
	const struct genlmsghdr *genlh = mnl_nlmsg_get_payload(nlh);
	const struct spec_set *set = spec_set_of(spec, genlh->cmd);
	const struct spec_set *inner;
	const struct nlattr *attr;
	int type, err = 0;

	seen[genlh->cmd / OURS] |= 1ULL << (genlh->cmd % OURS);
	mnl_attr_for_each(attr, nlh, sizeof(*genlh)) {
		type = mnl_attr_get_type(attr);
		if (!spec_allows(spec, genlh->cmd, type)) {
			printf("# attribute %d in command %d\n", type,
			       genlh->cmd);
			return -EILSEQ;
		}
		inner = spec_nest(spec, set, type);
		err = inner ? judge_nest(spec, inner, attr) : err;
	}
	return err;
}

struct judge_dump {
	const struct spec *spec;
	uint64_t *seen;
	int err;
};

static int judge_cb(const struct nlmsghdr *nlh, void *data)
{
	struct judge_dump *dump = data;

	dump->err = dump->err ? : judge(dump->spec, nlh, dump->seen);
	return 0;
}

static int judge_dump(const struct spec *spec, struct psp_nl *nl, uint8_t cmd,
		      uint64_t *seen)
{
	struct judge_dump dump = { .spec = spec, .seen = seen };
	int err;

	psp_nl_start(nl, cmd);
	err = psp_nl_dump(nl, judge_cb, &dump);
	return err ? err : dump.err;
}

#define JUDGE_REPLY(call)						\
do {									\
	ASSERT_EQ(0, (call));						\
	ASSERT_NE(0, nl->reply_len);					\
	EXPECT_EQ(0, judge(spec, (struct nlmsghdr *)nl->reply,		\
			   self->seen));				\
} while (0)

#define JUDGE_EVENT(event)						\
do {									\
	struct psp_nl *ev_ = &self->events;				\
									\
	ASSERT_EQ(0, psp_nl_wait(ev_, event, psp_slow_ms(WATCH_MS)));	\
	EXPECT_EQ(0, judge(spec, (struct nlmsghdr *)ev_->reply,		\
			   self->seen));				\
} while (0)

/* Another namespace, whose loopback device is associated */
static int open_guest(struct psp_net *net, struct psp_nl *guest)
{
	int ns = psp_ns_new();
	int err = ns < 0 ? ns : psp_ns_enter(net->a.ns);

	if (!err)
		err = psp_ns_set_id(ns, SPEC_NSID);
	if (!err)
		err = psp_ns_enter(ns);
	if (!err)
		err = psp_nl_open(guest);
	close(ns);
	return psp_ns_enter(net->a.ns) ?: err;
}

#define ASSOC_SEEN	0x1822ULL	/* these two, dev-get, dev-change-ntf */

TEST_F(spec, messages_about_associated_devices)
{
	const struct spec *spec = &self->spec;
	struct psp_nl *nl = &self->net.a.nl;
	uint32_t id = self->net.a.dev_id;
	struct psp_dev_info info;
	struct psp_nl guest;

	ASSERT_EQ(0, open_guest(&self->net, &guest));
	JUDGE_REPLY(psp_nl_dev_assoc_in(nl, id, 1, SPEC_NSID));
	JUDGE_EVENT(PSP_CMD_DEV_CHANGE_NTF);
	JUDGE_REPLY(psp_nl_dev_get(nl, id, &info));
	EXPECT_EQ(1, info.assocs);
	nl = &guest;
	JUDGE_REPLY(psp_nl_dev_get(nl, id, &info));
	EXPECT_TRUE(info.attrs & ATTR_BIT(DEV_BY_ASSOCIATION));
	nl = &self->net.a.nl;
	JUDGE_REPLY(psp_nl_dev_disassoc_in(nl, id, 1, SPEC_NSID));
	JUDGE_EVENT(PSP_CMD_DEV_CHANGE_NTF);
	psp_nl_close(&guest);
	EXPECT_EQ(ASSOC_SEEN, self->seen[0]);
}

/* 1 to 10; the two others have the test above */
#define MAINLINE_SEEN	0x7feULL
#define OURS_SEEN	0x7ULL

TEST_F(spec, messages_hold_what_it_allows_and_nothing_else)
{
	const struct spec *spec = &self->spec;
	struct psp_conn *conn = &self->conn;
	struct psp_nl *nl = &self->net.a.nl;
	uint32_t id = self->net.a.dev_id;
	struct psp_rekey_stats rekey;
	struct psp_dev_info info;
	struct psp_stats stats;

	JUDGE_REPLY(psp_nl_dev_get(nl, id, &info));
	JUDGE_REPLY(psp_nl_dev_set(nl, id, 1));
	JUDGE_EVENT(PSP_CMD_DEV_CHANGE_NTF);
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, WATCH_VERSION));
	JUDGE_REPLY(psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	JUDGE_REPLY(psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(0, psp_conn_ping(conn));
	JUDGE_REPLY(psp_nl_rotate(nl, id));
	JUDGE_EVENT(PSP_CMD_KEY_ROTATE_NTF);
	JUDGE_REPLY(psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	JUDGE_REPLY(psp_nl_stats(nl, id, &stats));
	JUDGE_REPLY(psp_nl_rekey_stats(nl, id, &rekey));
	EXPECT_EQ(0, judge_dump(spec, nl, PSP_CMD_DEV_GET, self->seen));
	EXPECT_EQ(0, judge_dump(spec, nl, PSP_CMD_GET_STATS, self->seen));
	EXPECT_EQ(0, judge_dump(spec, nl, PSP_CMD_REKEY_STATS_GET, self->seen));
	EXPECT_EQ(0, judge_dump(spec, nl, PSP_CMD_ASSOC_GET, self->seen));
	ASSERT_EQ(0, psp_nl_rotate(nl, id));
	ASSERT_EQ(0, psp_nl_rotate(nl, id));
	JUDGE_EVENT(PSP_CMD_ASSOC_STALE_NTF);
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	JUDGE_EVENT(PSP_CMD_DEV_ADD_NTF);
	ASSERT_EQ(0, psp_link_del(if_nametoindex("more0")));
	JUDGE_EVENT(PSP_CMD_DEV_DEL_NTF);

	EXPECT_EQ(MAINLINE_SEEN, self->seen[0]);
	EXPECT_EQ(OURS_SEEN, self->seen[1]);
}

/* None of ours can come to who listens to mainline's groups */
TEST_F(spec, groups_of_mainline_hold_mainline_events_only)
{
	struct psp_nl *nl = &self->events;
	struct psp_nl *own = &self->net.a.nl;
	struct psp_nl assoc;
	struct psp_key key;
	int fd;

	psp_nl_close(nl);
	ASSERT_EQ(0, psp_nl_open(nl));
	ASSERT_EQ(0, psp_nl_join(nl, nl->mgmt));
	ASSERT_EQ(0, psp_nl_join(nl, nl->use));
	ASSERT_EQ(0, psp_nl_open(&assoc));
	ASSERT_EQ(0, psp_nl_join(&assoc, assoc.assoc));
	fd = psp_tcp_socket(&self->net.a, PSP_IPV4);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, psp_nl_rx_assoc(own, self->net.a.dev_id, WATCH_VERSION,
				     fd, &key));
	EXPECT_EQ(0, psp_nl_rotate(own, self->net.a.dev_id));
	EXPECT_EQ(0, psp_nl_rotate(own, self->net.a.dev_id));
	EXPECT_EQ(0, psp_nl_wait(&assoc, PSP_CMD_ASSOC_STALE_NTF,
				 psp_slow_ms(WATCH_MS)));
	EXPECT_EQ(0, psp_nl_wait(nl, PSP_CMD_KEY_ROTATE_NTF, 0));
	EXPECT_EQ(0, psp_nl_wait(nl, PSP_CMD_KEY_ROTATE_NTF, 0));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(nl, 0, 0));
	close(fd);
	psp_nl_close(&assoc);
}

TEST_HARNESS_MAIN
