// SPDX-License-Identifier: GPL-2.0
/*
 * Who may do what: without CAP_NET_ADMIN, in a user namespace, in another
 * network namespace.
 */
#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "watch.h"

FIXTURE(perm)
{
	struct psp_net net;
	struct psp_end *a;
	struct psp_end *b;
	struct psp_conn conn;
};

FIXTURE_SETUP(perm)
{
	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	self->a = &self->net.a;
	self->b = &self->net.b;
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_ns_enter(self->a->ns));
}

FIXTURE_TEARDOWN(perm)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* All that a dev-set or a rotation would change */
static int device_as_new(struct psp_end *end)
{
	struct psp_dev_info info;
	struct psp_stats stats;
	int err = psp_nl_dev_get(&end->nl, end->dev_id, &info);

	if (!err)
		err = psp_nl_stats(&end->nl, end->dev_id, &stats);
	if (err)
		return err;
	return info.ena == info.cap && !psp_stat(&stats, KEY_ROTATIONS) ?
	       0 : -EILSEQ;
}

/*
 * What needs the capability, tried through @nl. Returns the error that all of
 * them have had, -EILSEQ if they differ, 0 if one has worked.
 */
static int privileged(struct psp_nl *nl, uint32_t id)
{
	int want = psp_nl_dev_set(nl, id, 0);

	if (psp_nl_rotate(nl, id) != want ||
	    psp_nl_assoc_get(nl, 0, 0, NULL, 0) != want)
		return -EILSEQ;
	return want;
}

TEST_F(perm, admin_commands_need_the_capability)
{
	struct psp_nl *nl = &self->a->nl;
	struct psp_sock_info info;

	ASSERT_EQ(0, psp_net_admin(false));
	EXPECT_EQ(-EPERM, privileged(nl, self->a->dev_id));
	EXPECT_EQ(-EPERM, psp_nl_assoc_get(nl, self->a->dev_id, 0, &info, 1));
	EXPECT_EQ(-EPERM, psp_nl_join(nl, nl->assoc));
	EXPECT_EQ(0, psp_net_admin(true));
	EXPECT_EQ(0, device_as_new(self->a));
	EXPECT_EQ(0, psp_nl_join(nl, nl->assoc));
}

/* The rest is for everybody who has the file descriptor */
TEST_F(perm, other_commands_need_nothing)
{
	struct psp_conn *conn = &self->conn;
	struct psp_nl *nl = &self->a->nl;
	struct psp_rekey_stats rekey;
	struct psp_dev_info info;
	struct psp_stats stats;

	ASSERT_EQ(0, psp_net_admin(false));
	EXPECT_EQ(0, psp_nl_dev_get(nl, self->a->dev_id, &info));
	EXPECT_EQ(1, psp_nl_dev_dump(nl, &info, 1));
	EXPECT_EQ(0, psp_nl_stats(nl, self->a->dev_id, &stats));
	EXPECT_EQ(0, psp_nl_rekey_stats(nl, self->a->dev_id, &rekey));
	EXPECT_EQ(0, psp_nl_join(nl, nl->mgmt));
	EXPECT_EQ(0, psp_nl_join(nl, nl->use));
	EXPECT_EQ(0, psp_conn_secure(conn, WATCH_VERSION));
	EXPECT_EQ(0, psp_net_admin(true));
}

/* Run @call in a child, in a user namespace of its own; its return value */
static int in_userns(int (*call)(struct psp_end *end), struct psp_end *end)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(unshare(CLONE_NEWUSER) ? 255 : -call(end));
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

/* With a netlink socket of its own: the creator of one counts, too */
static int userns_host(struct psp_end *end)
{
	struct psp_nl nl;
	int err = psp_nl_open(&nl);

	if (err)
		return err;
	if (psp_nl_join(&nl, nl.assoc) != -EPERM)
		return -EILSEQ;
	return privileged(&nl, end->dev_id);
}

static int userns_borrowed(struct psp_end *end)
{
	return privileged(&end->nl, end->dev_id);
}

TEST_F(perm, root_of_a_user_namespace_is_nobody)
{
	EXPECT_EQ(-EPERM, in_userns(userns_host, self->a));
	EXPECT_EQ(-EPERM, in_userns(userns_borrowed, self->a));
	EXPECT_EQ(0, device_as_new(self->a));
}

/* A network namespace that it owns: it may listen there, and hears nothing */
static int userns_own_net(struct psp_end *end)
{
	struct psp_dev_info info;
	struct psp_nl nl;
	int err;

	if (unshare(CLONE_NEWNET))
		return -errno;
	err = psp_nl_open(&nl);
	if (err)
		return err;
	if (psp_nl_dev_get(&nl, end->dev_id, &info) != -ENOENT ||
	    psp_nl_dev_dump(&nl, &info, 1) || psp_nl_join(&nl, nl.assoc))
		return -EILSEQ;
	return privileged(&nl, end->dev_id);
}

TEST_F(perm, root_of_a_container_does_not_see_the_device)
{
	EXPECT_EQ(-EPERM, in_userns(userns_own_net, self->a));
	EXPECT_EQ(0, device_as_new(self->a));
}

/* With every capability, from where the device is not */
TEST_F(perm, other_namespaces_cannot_touch_a_device)
{
	struct psp_nl *nl = &self->b->nl;
	uint32_t id = self->a->dev_id;
	struct psp_rekey_stats rekey;
	struct psp_dev_info info;
	struct psp_stats stats;
	struct psp_key key;
	int fd;

	EXPECT_EQ(-ENOENT, psp_nl_dev_get(nl, id, &info));
	EXPECT_EQ(-ENOENT, psp_nl_dev_set(nl, id, 0));
	EXPECT_EQ(-ENOENT, psp_nl_rotate(nl, id));
	EXPECT_EQ(-ENOENT, psp_nl_stats(nl, id, &stats));
	EXPECT_EQ(-ENOENT, psp_nl_rekey_stats(nl, id, &rekey));
	EXPECT_EQ(-ENOENT, psp_nl_assoc_get(nl, id, 0, NULL, 0));
	fd = psp_tcp_socket(self->b, PSP_IPV4);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOENT, psp_nl_rx_assoc(nl, id, WATCH_VERSION, fd, &key));
	close(fd);

	ASSERT_EQ(1, psp_nl_dev_dump(nl, &info, 1));
	EXPECT_EQ(self->b->dev_id, info.id);
	ASSERT_EQ(1, psp_nl_stats_dump(nl, &stats, 1));
	EXPECT_EQ(self->b->dev_id, psp_stat(&stats, DEV_ID));
	ASSERT_EQ(1, psp_nl_rekey_stats_dump(nl, &rekey, 1));
	EXPECT_EQ(self->b->dev_id, rekey.val[PSP_A_REKEY_STATS_DEV_ID]);
	EXPECT_EQ(0, device_as_new(self->a));
}

TEST_HARNESS_MAIN
