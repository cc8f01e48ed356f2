// SPDX-License-Identifier: GPL-2.0
/*
 * A device that lacks some versions: they can neither be enabled nor used,
 * the others can.
 */
#include <errno.h>
#include <net/if.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define FEW		0x5	/* what the device has: versions 0 and 2 */

FIXTURE(version)
{
	struct psp_net net;
	struct psp_nl *nl;	/* netlink at end A */
	uint32_t id;		/* device at end A that has few versions */
	int fd;			/* socket at end A, not connected */
};

FIXTURE_SETUP(version)
{
	int err;

	ASSERT_EQ(0, psp_net_open(&self->net));
	self->nl = &self->net.a.nl;
	self->fd = psp_tcp_socket(&self->net.a, PSP_IPV4);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_param_set("versions", "5"));
	err = psp_link_add("few0", "psp_ref", 0);
	ASSERT_EQ(0, psp_param_set("versions", "15"));
	ASSERT_EQ(0, err);
	self->id = psp_dev_of(self->nl, if_nametoindex("few0"));
	ASSERT_NE(0, self->id);
}

FIXTURE_TEARDOWN(version)
{
	close(self->fd);
	psp_ns_enter(self->net.a.ns);
	psp_link_del(if_nametoindex("few0"));
	psp_net_close(&self->net);
}

TEST_F(version, dev_get_tells_the_ones_of_this_device)
{
	struct psp_dev_info info;

	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
	EXPECT_EQ(FEW, info.cap);
	EXPECT_EQ(0, info.ena);
	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->net.a.dev_id, &info));
	EXPECT_EQ(PSP_VERSIONS_ALL, info.cap);
}

TEST_F(version, dev_set_of_one_that_the_device_lacks)
{
	static const uint32_t bad[] = { 0x2, 0x8, 0xa, 0x7, 0xd, 0xf };
	struct psp_dev_info info;
	int i;

	ASSERT_EQ(0, psp_nl_dev_set(self->nl, self->id, FEW));
	for (i = 0; i < 6; i++)
		EXPECT_REFUSED(self->nl,
			       psp_nl_dev_set(self->nl, self->id, bad[i]),
			       -EINVAL,
			       psp_blame(self->nl, "psp-versions-ena"), "");
	ASSERT_EQ(0, psp_nl_dev_get(self->nl, self->id, &info));
	EXPECT_EQ(FEW, info.ena);
}

TEST_F(version, rx_assoc_of_one_that_the_device_lacks)
{
	struct psp_key key;
	char ulp[16];

	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, self->id, 1,
						 self->fd, &key),
		       -EOPNOTSUPP, "version", "");
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, self->id, 3,
						 self->fd, &key),
		       -EOPNOTSUPP, "version", "");
	ASSERT_EQ(0, psp_tcp_ulp(self->fd, ulp, sizeof(ulp)));
	EXPECT_STREQ("", ulp);
	EXPECT_EQ(0, psp_nl_rx_assoc(self->nl, self->id, 2, self->fd, &key));
}

TEST_F(version, tx_assoc_of_one_that_the_device_lacks)
{
	struct psp_key key;

	ASSERT_EQ(0, psp_nl_rx_assoc(self->nl, self->id, 0, self->fd, &key));
	key.len = psp_key_len(1);
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, self->id, 1,
						 self->fd, &key),
		       -EOPNOTSUPP, "version", "");
	key.len = psp_key_len(3);
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, self->id, 3,
						 self->fd, &key),
		       -EOPNOTSUPP, "version", "");
	key.len = psp_key_len(0);
	EXPECT_EQ(0, psp_nl_tx_assoc(self->nl, self->id, 0, self->fd, &key));
}

/* Not a matter of PSP, but a port with none would be no PSP device */
TEST(parameter_takes_masks_of_known_versions_only)
{
	EXPECT_EQ(-EINVAL, psp_param_set("versions", "0"));
	EXPECT_EQ(-EINVAL, psp_param_set("versions", "16"));
	EXPECT_EQ(0, psp_param_set("versions", "1"));
	EXPECT_EQ(0, psp_param_set("versions", "15"));
}

TEST_HARNESS_MAIN
