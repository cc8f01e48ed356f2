// SPDX-License-Identifier: GPL-2.0
/* The notifications: what is told, to which group, in which namespace */
#include <errno.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define DEV_ATTRS	(ATTR_BIT(DEV_ID) | ATTR_BIT(DEV_IFINDEX) |	\
			 ATTR_BIT(DEV_PSP_VERSIONS_CAP) |		\
			 ATTR_BIT(DEV_PSP_VERSIONS_ENA))
#define WAIT_MS		10000

/* Notifications are sent before the request that caused them is answered */
#define NONE_MS		0

FIXTURE(notify)
{
	struct psp_net net;
	struct psp_nl mgmt;	/* listens at end A */
	struct psp_nl use;	/* listens at end A */
	struct psp_nl other;	/* listens to both groups at end B */
};

FIXTURE_SETUP(notify)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_ns_enter(self->net.b.ns));
	ASSERT_EQ(0, psp_nl_open(&self->other));
	ASSERT_EQ(0, psp_nl_join(&self->other, self->other.mgmt));
	ASSERT_EQ(0, psp_nl_join(&self->other, self->other.use));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_nl_open(&self->mgmt));
	ASSERT_EQ(0, psp_nl_join(&self->mgmt, self->mgmt.mgmt));
	ASSERT_EQ(0, psp_nl_open(&self->use));
	ASSERT_EQ(0, psp_nl_join(&self->use, self->use.use));
}

FIXTURE_TEARDOWN(notify)
{
	psp_nl_close(&self->mgmt);
	psp_nl_close(&self->use);
	psp_nl_close(&self->other);
	psp_net_close(&self->net);
}

static uint32_t notify_u32(const struct psp_nl *nl, uint16_t type)
{
	const struct nlattr *attr = psp_nl_reply_attr(nl, type);

	return attr ? mnl_attr_get_u32(attr) : 0;
}

TEST_F(notify, added_device_is_told_to_mgmt)
{
	int ifindex;

	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	ifindex = if_nametoindex("more0");
	ASSERT_EQ(0, psp_nl_wait(&self->mgmt, PSP_CMD_DEV_ADD_NTF, WAIT_MS));
	EXPECT_EQ(DEV_ATTRS, psp_nl_reply_attrs(&self->mgmt));
	EXPECT_EQ(ifindex, notify_u32(&self->mgmt, PSP_A_DEV_IFINDEX));
	EXPECT_EQ(psp_dev_of(&self->net.a.nl, ifindex),
		  notify_u32(&self->mgmt, PSP_A_DEV_ID));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->use, 0, NONE_MS));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->other, 0, NONE_MS));
}

TEST_F(notify, removed_device_is_told_to_mgmt)
{
	ASSERT_EQ(0, psp_link_del(self->net.a.ifindex));
	ASSERT_EQ(0, psp_nl_wait(&self->mgmt, PSP_CMD_DEV_DEL_NTF, WAIT_MS));
	EXPECT_EQ(DEV_ATTRS, psp_nl_reply_attrs(&self->mgmt));
	EXPECT_EQ(self->net.a.dev_id, notify_u32(&self->mgmt, PSP_A_DEV_ID));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->use, 0, NONE_MS));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->other, 0, NONE_MS));
}

TEST_F(notify, changed_device_is_told_to_mgmt)
{
	ASSERT_EQ(0, psp_nl_dev_set(&self->net.a.nl, self->net.a.dev_id, 3));
	ASSERT_EQ(0, psp_nl_wait(&self->mgmt, PSP_CMD_DEV_CHANGE_NTF,
				 WAIT_MS));
	EXPECT_EQ(DEV_ATTRS, psp_nl_reply_attrs(&self->mgmt));
	EXPECT_EQ(self->net.a.dev_id, notify_u32(&self->mgmt, PSP_A_DEV_ID));
	EXPECT_EQ(3, notify_u32(&self->mgmt, PSP_A_DEV_PSP_VERSIONS_ENA));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->use, 0, NONE_MS));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->other, 0, NONE_MS));
}

TEST_F(notify, rotation_is_told_to_use)
{
	ASSERT_EQ(0, psp_nl_rotate(&self->net.a.nl, self->net.a.dev_id));
	ASSERT_EQ(0, psp_nl_wait(&self->use, PSP_CMD_KEY_ROTATE_NTF, WAIT_MS));
	EXPECT_EQ(ATTR_BIT(DEV_ID), psp_nl_reply_attrs(&self->use));
	EXPECT_EQ(self->net.a.dev_id, notify_u32(&self->use, PSP_A_DEV_ID));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->mgmt, 0, NONE_MS));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->other, 0, NONE_MS));
}

TEST_F(notify, refused_requests_are_not_told)
{
	struct psp_nl *nl = &self->net.a.nl;

	ASSERT_EQ(-EINVAL, psp_nl_dev_set(nl, self->net.a.dev_id, 0x10));
	ASSERT_EQ(0, psp_net_admin(false));
	ASSERT_EQ(-EPERM, psp_nl_rotate(nl, self->net.a.dev_id));
	ASSERT_EQ(-EPERM, psp_nl_dev_set(nl, self->net.a.dev_id, 1));
	ASSERT_EQ(0, psp_net_admin(true));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->mgmt, 0, NONE_MS));
	EXPECT_EQ(-ETIMEDOUT, psp_nl_wait(&self->use, 0, NONE_MS));
}

TEST_HARNESS_MAIN
