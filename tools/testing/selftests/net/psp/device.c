// SPDX-License-Identifier: GPL-2.0
/*
 * Device commands: dev-get, dev-set, key-rotate, get-stats, who may give
 * them, and how each of them is refused.
 */
#include <errno.h>
#include <sched.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define DEV_ATTRS	(ATTR_BIT(DEV_ID) | ATTR_BIT(DEV_IFINDEX) |	\
			 ATTR_BIT(DEV_PSP_VERSIONS_CAP) |		\
			 ATTR_BIT(DEV_PSP_VERSIONS_ENA))
#define STATS_ATTRS	((2ULL << PSP_A_STATS_MAX) - 2)
#define NO_SUCH_DEV	0x7ffffff0

FIXTURE(dev)
{
	struct psp_net net;
	struct psp_nl *nl;	/* netlink at end A */
	uint32_t id;		/* device at end A */
};

FIXTURE_SETUP(dev)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	self->nl = &self->net.a.nl;
	self->id = self->net.a.dev_id;
}

FIXTURE_TEARDOWN(dev)
{
	psp_net_close(&self->net);
}

/* A request with one u32, or with none if @attr is 0 */
static int dev_request(struct psp_nl *nl, uint8_t cmd, uint16_t attr,
		       uint32_t val)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, cmd);

	if (attr)
		mnl_attr_put_u32(nlh, attr, val);
	return psp_nl_do(nl);
}

TEST_F(dev, get_tells_id_ifindex_and_versions)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
	EXPECT_EQ(DEV_ATTRS, info.attrs);
	EXPECT_EQ(self->id, info.id);
	EXPECT_EQ(self->net.a.ifindex, info.ifindex);
	EXPECT_EQ(PSP_VERSIONS_ALL, info.cap);
	EXPECT_EQ(PSP_VERSIONS_ALL, info.ena);
}

TEST_F(dev, get_dump_lists_devices_of_own_namespace_only)
{
	struct psp_dev_info info[4];

	ASSERT_EQ(1, psp_nl_dev_dump(self->nl, info, 4));
	EXPECT_EQ(DEV_ATTRS, info[0].attrs);
	EXPECT_EQ(self->id, info[0].id);

	ASSERT_EQ(1, psp_nl_dev_dump(&self->net.b.nl, info, 4));
	EXPECT_EQ(self->net.b.dev_id, info[0].id);
}

TEST_F(dev, get_dump_lists_each_device_once)
{
	struct psp_dev_info info[8];
	int i, j;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	ASSERT_EQ(0, psp_link_add("more1", "psp_ref", 0));
	ASSERT_EQ(3, psp_nl_dev_dump(self->nl, info, 8));
	for (i = 0; i < 3; i++)
		for (j = 0; j < i; j++) {
			EXPECT_NE(info[i].id, info[j].id);
			EXPECT_NE(info[i].ifindex, info[j].ifindex);
		}
}

TEST_F(dev, get_errors)
{
	struct psp_dev_info info;
	struct psp_nl *nl = self->nl;

	EXPECT_REFUSED(nl, dev_request(nl, PSP_CMD_DEV_GET, 0, 0), -EINVAL,
		       "", "id");
	EXPECT_REFUSED(nl, psp_nl_dev_get(nl, 0, &info), -ERANGE, "id", "");
	EXPECT_REFUSED(nl, psp_nl_dev_get(nl, NO_SUCH_DEV, &info), -ENODEV,
		       "", "");
}

TEST_F(dev, set_changes_enabled_versions)
{
	struct psp_dev_info info;
	uint32_t ena;

	for (ena = 0; ena <= PSP_VERSIONS_ALL; ena += 5) {
		ASSERT_EQ(0, psp_nl_dev_set(self->nl, self->id, ena));
		EXPECT_EQ(0, psp_nl_reply_attrs(self->nl));
		ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
		EXPECT_EQ(ena, info.ena);
		EXPECT_EQ(PSP_VERSIONS_ALL, info.cap);
	}
}

TEST_F(dev, set_errors)
{
	struct psp_nl *nl = self->nl;
	struct psp_dev_info info;

	EXPECT_REFUSED(nl, dev_request(nl, PSP_CMD_DEV_SET,
				       PSP_A_DEV_PSP_VERSIONS_ENA, 1),
		       -EINVAL, "", "id");
	EXPECT_REFUSED(nl, psp_nl_dev_set(nl, 0, 1), -ERANGE, "id", "");
	EXPECT_REFUSED(nl, psp_nl_dev_set(nl, NO_SUCH_DEV, 1), -ENODEV, "",
		       "");
	EXPECT_REFUSED(nl, psp_nl_dev_set(nl, self->id, 0x10), -EINVAL,
		       "psp-versions-ena", "");
	EXPECT_REFUSED(nl, psp_nl_dev_set(nl, self->id, 0x80000001), -EINVAL,
		       "psp-versions-ena", "");

	ASSERT_EQ(0, psp_nl_dev_get(nl, self->id, &info));
	EXPECT_EQ(PSP_VERSIONS_ALL, info.ena);
}

TEST_F(dev, set_without_settings_is_refused)
{
	EXPECT_REFUSED(self->nl, dev_request(self->nl, PSP_CMD_DEV_SET,
					     PSP_A_DEV_ID, self->id),
		       -EINVAL, "", "");
}

TEST_F(dev, rotate_replies_with_id_and_is_counted)
{
	struct psp_stats before, after;
	int i;

	ASSERT_EQ(0, psp_nl_stats(self->nl, self->id, &before));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, psp_nl_rotate(self->nl, self->id));
		EXPECT_EQ(PSP_CMD_KEY_ROTATE, psp_nl_reply_cmd(self->nl));
		EXPECT_EQ(ATTR_BIT(DEV_ID), psp_nl_reply_attrs(self->nl));
	}
	ASSERT_EQ(0, psp_nl_stats(self->nl, self->id, &after));
	EXPECT_EQ(psp_stat(&before, KEY_ROTATIONS) + 3,
		  psp_stat(&after, KEY_ROTATIONS));
	EXPECT_EQ(0, psp_stat(&after, STALE_EVENTS));
}

TEST_F(dev, rotate_errors)
{
	struct psp_nl *nl = self->nl;

	EXPECT_REFUSED(nl, dev_request(nl, PSP_CMD_KEY_ROTATE, 0, 0), -EINVAL,
		       "", "id");
	EXPECT_REFUSED(nl, psp_nl_rotate(nl, 0), -ERANGE, "id", "");
	EXPECT_REFUSED(nl, psp_nl_rotate(nl, NO_SUCH_DEV), -ENODEV, "", "");
}

TEST_F(dev, stats_of_new_device_are_zero_and_complete)
{
	struct psp_stats stats;
	int i;

	ASSERT_EQ(0, psp_nl_stats(self->nl, self->id, &stats));
	EXPECT_EQ(STATS_ATTRS, stats.attrs);
	EXPECT_EQ(self->id, psp_stat(&stats, DEV_ID));
	for (i = PSP_A_STATS_KEY_ROTATIONS; i <= PSP_A_STATS_MAX; i++)
		EXPECT_EQ(0, stats.val[i]);
}

TEST_F(dev, stats_dump_lists_devices_of_own_namespace_only)
{
	struct psp_stats stats[4];

	ASSERT_EQ(1, psp_nl_stats_dump(self->nl, stats, 4));
	EXPECT_EQ(STATS_ATTRS, stats[0].attrs);
	EXPECT_EQ(self->id, psp_stat(&stats[0], DEV_ID));
}

TEST_F(dev, stats_errors)
{
	struct psp_nl *nl = self->nl;
	struct psp_stats stats;

	EXPECT_REFUSED(nl, dev_request(nl, PSP_CMD_GET_STATS, 0, 0), -EINVAL,
		       "", "dev-id");
	EXPECT_REFUSED(nl, psp_nl_stats(nl, 0, &stats), -ERANGE, "dev-id", "");
	EXPECT_REFUSED(nl, psp_nl_stats(nl, NO_SUCH_DEV, &stats), -ENODEV, "",
		       "");
}

TEST_F(dev, other_namespace_sees_no_device)
{
	struct psp_nl *nl = &self->net.b.nl;
	struct psp_dev_info info;
	struct psp_stats stats;

	EXPECT_REFUSED(nl, psp_nl_dev_get(nl, self->id, &info), -ENOENT, "",
		       "");
	EXPECT_REFUSED(nl, psp_nl_dev_set(nl, self->id, 1), -ENOENT, "", "");
	EXPECT_REFUSED(nl, psp_nl_rotate(nl, self->id), -ENOENT, "", "");
	EXPECT_REFUSED(nl, psp_nl_stats(nl, self->id, &stats), -ENOENT, "",
		       "");

	ASSERT_EQ(0, psp_nl_stats(self->nl, self->id, &stats));
	EXPECT_EQ(0, psp_stat(&stats, KEY_ROTATIONS));
}

TEST_F(dev, caller_without_net_admin_may_only_look)
{
	struct psp_dev_info info;
	struct psp_stats stats;
	struct psp_nl nl;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_net_admin(false));
	ASSERT_EQ(0, psp_nl_open(&nl));
	EXPECT_EQ(0, psp_nl_dev_get(&nl, self->id, &info));
	EXPECT_EQ(1, psp_nl_dev_dump(&nl, &info, 1));
	EXPECT_EQ(0, psp_nl_stats(&nl, self->id, &stats));
	EXPECT_EQ(1, psp_nl_stats_dump(&nl, &stats, 1));
	EXPECT_REFUSED(&nl, psp_nl_dev_set(&nl, self->id, 1), -EPERM, "", "");
	EXPECT_REFUSED(&nl, psp_nl_rotate(&nl, self->id), -EPERM, "", "");
	psp_nl_close(&nl);
	ASSERT_EQ(0, psp_net_admin(true));

	ASSERT_EQ(0, psp_nl_stats(self->nl, self->id, &stats));
	EXPECT_EQ(0, psp_stat(&stats, KEY_ROTATIONS));
}

/* In a child: its user namespace gives it all capabilities, but only there */
static int dev_rotate_as_container_root(uint32_t id)
{
	struct psp_nl nl;
	int err;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return errno;
	err = psp_nl_open(&nl);
	if (err)
		return -err;
	return -psp_nl_rotate(&nl, id);
}

TEST_F(dev, net_admin_of_a_user_namespace_is_not_enough)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(dev_rotate_as_container_root(self->id));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
}

TEST_F(dev, notifications_are_not_requests)
{
	static const uint8_t cmds[] = {
		PSP_CMD_DEV_ADD_NTF, PSP_CMD_DEV_DEL_NTF,
		PSP_CMD_DEV_CHANGE_NTF, PSP_CMD_KEY_ROTATE_NTF,
	};
	unsigned int i;

	for (i = 0; i < sizeof(cmds); i++)
		EXPECT_EQ(-EOPNOTSUPP, dev_request(self->nl, cmds[i],
						   PSP_A_DEV_ID, self->id));
}

TEST_F(dev, removed_device_is_gone_and_its_peer_stays)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_del(self->net.a.ifindex));
	EXPECT_REFUSED(self->nl, psp_nl_dev_get(self->nl, self->id, &info),
		       -ENODEV, "", "");
	EXPECT_EQ(0, psp_nl_dev_dump(self->nl, &info, 1));
	EXPECT_EQ(0, psp_nl_dev_get(&self->net.b.nl, self->net.b.dev_id,
				    &info));
}

TEST_F(dev, moved_device_is_seen_where_it_went)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_move(self->net.a.ifindex, self->net.b.ns));
	EXPECT_REFUSED(self->nl, psp_nl_dev_get(self->nl, self->id, &info),
		       -ENOENT, "", "");
	EXPECT_EQ(0, psp_nl_dev_get(&self->net.b.nl, self->id, &info));
	EXPECT_EQ(2, psp_nl_dev_dump(&self->net.b.nl, &info, 1));

	ASSERT_EQ(0, psp_ns_enter(self->net.b.ns));
	EXPECT_EQ(0, psp_link_del(info.ifindex));
}

TEST_HARNESS_MAIN
