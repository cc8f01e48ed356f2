// SPDX-License-Identifier: GPL-2.0
/* How dev-assoc and dev-disassoc are refused, and in which order */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "container.h"

#define NO_SUCH_DEV	0x7ffffff0
#define NO_SUCH_LINK	0x7ffffff0
#define NO_SUCH_NSID	0x7ffffff0

/* What associated namespaces may add, all together and each of them */
#define GUESTS_MAX	64
#define GUEST_MAX	16

FIXTURE(refuse)
{
	struct container c;
	struct psp_nl *host;	/* netlink at the host */
	struct psp_nl *nl;	/* netlink in the container */
	uint32_t id;		/* device of the host */
	int eth0;		/* index of the container's device */
};

FIXTURE_VARIANT(refuse)
{
	uint8_t cmd;
};

FIXTURE_VARIANT_ADD(refuse, assoc)
{
	.cmd = PSP_CMD_DEV_ASSOC,
};

FIXTURE_VARIANT_ADD(refuse, disassoc)
{
	.cmd = PSP_CMD_DEV_DISASSOC,
};

FIXTURE_SETUP(refuse)
{
	ASSERT_EQ(0, container_open(&self->c));
	self->host = &self->c.net.a.nl;
	self->nl = &self->c.pair.a.nl;
	self->id = self->c.net.a.dev_id;
	self->eth0 = self->c.pair.a.ifindex;
}

FIXTURE_TEARDOWN(refuse)
{
	container_close(&self->c);
}

/* A request with the attributes that are not -1 */
static int request(struct psp_nl *nl, uint8_t cmd, int64_t id, int64_t ifindex,
		   int64_t nsid)
{
	struct nlmsghdr *nlh = psp_nl_start(nl, cmd);

	if (id >= 0)
		mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	if (ifindex >= 0)
		mnl_attr_put_u32(nlh, PSP_A_DEV_IFINDEX, ifindex);
	if (nsid >= 0)
		mnl_attr_put_u32(nlh, PSP_A_DEV_NSID, nsid);
	return psp_nl_do(nl);
}

static int assocs(struct psp_nl *nl, uint32_t id)
{
	struct psp_dev_info info;
	int err;

	err = psp_nl_dev_get(nl, id, &info);
	return err ? err : info.assocs;
}

TEST_F(refuse, device)
{
	struct psp_nl *nl = self->host;

	EXPECT_REFUSED(nl, request(nl, variant->cmd, -1, 1, -1), -EINVAL, "",
		       "id");
	EXPECT_REFUSED(nl, request(nl, variant->cmd, 0, 1, -1), -ERANGE, "id",
		       "");
	EXPECT_REFUSED(nl, request(nl, variant->cmd, NO_SUCH_DEV, 1, -1),
		       -ENODEV, "", "");
}

TEST_F(refuse, ifindex)
{
	struct psp_nl *nl = self->host;

	EXPECT_REFUSED(nl, request(nl, variant->cmd, self->id, -1, -1),
		       -EINVAL, "", "ifindex");
	EXPECT_REFUSED(nl, request(nl, variant->cmd, self->id, NO_SUCH_LINK,
				   -1),
		       -ENODEV, "ifindex", "");
	EXPECT_REFUSED(nl, request(nl, variant->cmd, self->id, 0, -1),
		       -ENODEV, "ifindex", "");
	EXPECT_EQ(0, assocs(nl, self->id));
}

TEST_F(refuse, nsid)
{
	struct psp_nl *nl = self->host;

	EXPECT_REFUSED(nl, request(nl, variant->cmd, self->id, self->eth0,
				   NO_SUCH_NSID),
		       -EINVAL, "nsid", "");
	EXPECT_REFUSED(nl, request(nl, variant->cmd, self->id, -1,
				   NO_SUCH_NSID),
		       -EINVAL, "", "ifindex");
	EXPECT_REFUSED(nl, request(nl, variant->cmd, self->id, NO_SUCH_LINK,
				   CONTAINER_NSID),
		       -ENODEV, "ifindex", "");
	EXPECT_EQ(0, assocs(nl, self->id));
}

TEST_F(refuse, namespace_without_association)
{
	EXPECT_REFUSED(self->nl, request(self->nl, variant->cmd, self->id,
					 self->eth0, -1),
		       -ENOENT, "", "");
	EXPECT_EQ(0, assocs(self->host, self->id));
}

/* Even if the id, here that of the host, is known there: eth0's peer has it */
TEST_F(refuse, nsid_from_an_associated_namespace)
{
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(-EEXIST, psp_ns_set_id(self->c.net.a.ns, 0));
	ASSERT_EQ(0, container_assoc(&self->c));
	EXPECT_REFUSED(self->nl, request(self->nl, variant->cmd, self->id,
					 self->c.host_ifindex, 0),
		       -EPERM, "nsid", "");
	EXPECT_REFUSED(self->nl, request(self->nl, variant->cmd, self->id,
					 NO_SUCH_LINK, NO_SUCH_NSID),
		       -EPERM, "nsid", "");
	EXPECT_EQ(1, assocs(self->host, self->id));
}

TEST_F(refuse, caller_without_net_admin)
{
	struct psp_nl nl;

	ASSERT_EQ(0, psp_ns_enter(self->c.net.a.ns));
	ASSERT_EQ(0, psp_net_admin(false));
	ASSERT_EQ(0, psp_nl_open(&nl));
	EXPECT_REFUSED(&nl, request(&nl, variant->cmd, self->id,
				    self->c.host_ifindex, -1),
		       -EPERM, "", "");
	psp_nl_close(&nl);
	ASSERT_EQ(0, psp_net_admin(true));
	EXPECT_EQ(0, assocs(self->host, self->id));
}

/* In a child: its user namespace gives it all capabilities, but only there */
static int request_as_container_root(int ns, uint8_t cmd, uint32_t id,
				     int ifindex)
{
	struct psp_nl nl;
	int err;

	if (psp_ns_enter(ns) || unshare(CLONE_NEWUSER))
		return errno;
	err = psp_nl_open(&nl);
	if (err)
		return -err;
	return -request(&nl, cmd, id, ifindex, -1);
}

TEST_F(refuse, net_admin_of_a_user_namespace)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, container_assoc(&self->c));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(request_as_container_root(self->c.pair.a.ns,
						variant->cmd, self->id, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
	EXPECT_EQ(1, assocs(self->host, self->id));
}

FIXTURE(taken)
{
	struct container c;
	struct psp_nl *host;	/* netlink at the host */
	uint32_t id;		/* device of the host */
};

FIXTURE_SETUP(taken)
{
	ASSERT_EQ(0, container_open(&self->c));
	self->host = &self->c.net.a.nl;
	self->id = self->c.net.a.dev_id;
	ASSERT_EQ(0, psp_ns_enter(self->c.net.a.ns));
}

FIXTURE_TEARDOWN(taken)
{
	container_close(&self->c);
}

TEST_F(taken, network_device_that_is_associated)
{
	struct psp_nl *nl = self->host;
	uint32_t more;

	ASSERT_EQ(0, container_assoc(&self->c));
	EXPECT_REFUSED(nl, container_assoc(&self->c), -EBUSY, "", "");

	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	more = psp_dev_of(nl, if_nametoindex("more0"));
	EXPECT_REFUSED(nl, psp_nl_dev_assoc_in(nl, more,
					       self->c.pair.a.ifindex,
					       CONTAINER_NSID),
		       -EBUSY, "", "");
	/* It is not the other device's to give back either */
	EXPECT_REFUSED(nl, psp_nl_dev_disassoc_in(nl, more,
						  self->c.pair.a.ifindex,
						  CONTAINER_NSID),
		       -ENODEV, "ifindex", "");
	EXPECT_EQ(1, assocs(nl, self->id));
	EXPECT_EQ(0, assocs(nl, more));
}

TEST_F(taken, network_device_of_a_psp_device)
{
	struct psp_nl *nl = self->host;
	int ifindex;

	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	ifindex = if_nametoindex("more0");
	EXPECT_REFUSED(nl, psp_nl_dev_assoc(nl, self->id, ifindex), -EBUSY, "",
		       "");
	EXPECT_REFUSED(nl, psp_nl_dev_assoc(nl, self->id,
					    self->c.net.a.ifindex),
		       -EBUSY, "", "");
	EXPECT_EQ(0, assocs(nl, self->id));
}

/* Interfaces in numbers, made by one program */
static int add_links(int ns, int num)
{
	return psp_sh(ns,
		      "for i in $(seq %d); do"
		      " echo link add many$i type dummy; done | ip -b -", num);
}

TEST_F(taken, at_most_128)
{
	struct psp_nl *nl = self->host;
	struct psp_dev_info info;
	char name[IFNAMSIZ];
	int i;

	ASSERT_EQ(0, add_links(self->c.net.a.ns, PSP_ASSOC_DEVS_MAX + 1));
	for (i = 1; i <= PSP_ASSOC_DEVS_MAX; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		ASSERT_EQ(0, psp_nl_dev_assoc(nl, self->id,
					      if_nametoindex(name)));
	}
	ASSERT_EQ(0, psp_nl_dev_get(nl, self->id, &info));
	EXPECT_EQ(PSP_ASSOC_DEVS_MAX, info.assocs);
	ASSERT_EQ(1, psp_nl_dev_dump(nl, &info, 1));
	EXPECT_EQ(PSP_ASSOC_DEVS_MAX, info.assocs);

	/* This comes before everything else that may be wrong */
	snprintf(name, sizeof(name), "many%d", i);
	EXPECT_REFUSED(nl, psp_nl_dev_assoc(nl, self->id,
					    if_nametoindex(name)),
		       -ENOSPC, "", "");
	EXPECT_REFUSED(nl, request(nl, PSP_CMD_DEV_ASSOC, self->id, -1, -1),
		       -ENOSPC, "", "");

	ASSERT_EQ(0, psp_nl_dev_disassoc(nl, self->id,
					 if_nametoindex("many1")));
	EXPECT_EQ(0, psp_nl_dev_assoc(nl, self->id, if_nametoindex(name)));
}

/* Associate interfaces of the current namespace, from @first on */
static int assoc_links(struct psp_nl *nl, uint32_t id, int first, int last)
{
	char name[IFNAMSIZ];
	int err = 0;

	for (; !err && first <= last; first++) {
		snprintf(name, sizeof(name), "many%d", first);
		err = psp_nl_dev_assoc(nl, id, if_nametoindex(name));
	}
	return err;
}

/* eth0 is one of its 16; the host may give it more */
TEST_F(taken, associated_namespace_has_its_share)
{
	struct psp_nl *nl = &self->c.pair.a.nl;
	int last;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, add_links(self->c.pair.a.ns, GUEST_MAX));
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(0, assoc_links(nl, self->id, 1, GUEST_MAX - 1));
	last = GUEST_MAX;
	EXPECT_REFUSED(nl, assoc_links(nl, self->id, last, last), -ENOSPC, "",
		       "");
	EXPECT_EQ(0, psp_nl_dev_assoc_in(self->host, self->id,
					 if_nametoindex("many16"),
					 CONTAINER_NSID));
	EXPECT_EQ(GUEST_MAX + 1, assocs(self->host, self->id));
}

TEST_F(taken, half_is_left_to_the_host)
{
	struct psp_nl *nl = &self->c.pair.a.nl;

	ASSERT_EQ(0, container_assoc(&self->c));
	ASSERT_EQ(0, add_links(self->c.net.a.ns, GUESTS_MAX));
	ASSERT_EQ(0, assoc_links(self->host, self->id, 1, GUESTS_MAX - 2));
	ASSERT_EQ(0, psp_ns_enter(self->c.pair.a.ns));
	ASSERT_EQ(0, psp_nl_dev_assoc(nl, self->id, 1));
	ASSERT_EQ(0, psp_nl_dev_disassoc(nl, self->id, 1));

	ASSERT_EQ(0, psp_ns_enter(self->c.net.a.ns));
	ASSERT_EQ(0, assoc_links(self->host, self->id, GUESTS_MAX - 1,
				 GUESTS_MAX - 1));
	EXPECT_REFUSED(nl, psp_nl_dev_assoc(nl, self->id, 1), -ENOSPC, "", "");
	EXPECT_EQ(0, assoc_links(self->host, self->id, GUESTS_MAX,
				 GUESTS_MAX));
}

TEST_HARNESS_MAIN
