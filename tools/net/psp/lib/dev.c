// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Devices */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

static const struct attr_rule dev_rules[] = {
	[PSP_A_DEV_ID]			= { ATTR_U32, .needed = true },
	[PSP_A_DEV_IFINDEX]		= { ATTR_U32 },
	[PSP_A_DEV_PSP_VERSIONS_CAP]	= { ATTR_U32 },
	[PSP_A_DEV_PSP_VERSIONS_ENA]	= { ATTR_U32 },
	[PSP_A_DEV_ASSOC_LIST]		= { ATTR_NEST },
	[PSP_A_DEV_BY_ASSOCIATION]	= { ATTR_FLAG },
};

static const struct attr_rule assoc_rules[] = {
	[PSP_A_ASSOC_DEV_INFO_IFINDEX]	= { ATTR_U32, .needed = true },
	[PSP_A_ASSOC_DEV_INFO_NSID]	= { ATTR_U32 },
};

/* The device and its associated devices are one allocation */
struct dev_entry {
	struct psp_dev dev;
	struct psp_dev_assoc assocs[];	/* each linked to the next one */
};

/* The one attribute that comes more than once */
static const struct nlattr *dev_next_assoc(const struct nlmsghdr *nlh,
					   const struct nlattr *after)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, GENL_HLEN)
		if (attr > after &&
		    mnl_attr_get_type(attr) == PSP_A_DEV_ASSOC_LIST)
			return attr;
	return NULL;
}

static struct dev_entry *dev_alloc(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr = NULL;
	struct dev_entry *entry;
	unsigned int num = 0;

	while ((attr = dev_next_assoc(nlh, attr)))
		num++;
	entry = calloc(1, sizeof(*entry) + num * sizeof(entry->assocs[0]));
	if (!entry)
		return NULL;
	entry->dev.num_assocs = num;
	if (num)
		entry->dev.assocs = entry->assocs;
	while (num-- > 1)
		entry->assocs[num - 1].next = &entry->assocs[num];
	return entry;
}

static int dev_parse_assoc(const struct nlattr *nest,
			   struct psp_dev_assoc *assoc)
{
	const struct nlattr *tb[ARRAY_SIZE(assoc_rules)];
	int err;

	err = attr_parse_nest(tb, assoc_rules, ARRAY_SIZE(assoc_rules), nest);
	if (err)
		return err;
	assoc->ifindex = attr_u32(tb[PSP_A_ASSOC_DEV_INFO_IFINDEX]);
	assoc->nsid = -1;
	if (tb[PSP_A_ASSOC_DEV_INFO_NSID])
		assoc->nsid = attr_u32(tb[PSP_A_ASSOC_DEV_INFO_NSID]);
	return 0;
}

static int dev_parse_assocs(const struct nlmsghdr *nlh,
			    struct dev_entry *entry)
{
	const struct nlattr *attr = NULL;
	unsigned int i;
	int err;

	for (i = 0; i < entry->dev.num_assocs; i++) {
		attr = dev_next_assoc(nlh, attr);
		err = dev_parse_assoc(attr, &entry->assocs[i]);
		if (err)
			return err;
	}
	return 0;
}

int dev_parse(const struct nlmsghdr *nlh, void *list)
{
	const struct nlattr *tb[ARRAY_SIZE(dev_rules)];
	struct dev_entry *entry;
	int err;

	err = attr_parse_msg(tb, dev_rules, ARRAY_SIZE(dev_rules), nlh);
	if (err)
		return err;
	entry = dev_alloc(nlh);
	if (!entry)
		return err_plain(-ENOMEM);
	err = dev_parse_assocs(nlh, entry);
	if (err) {
		free(entry);
		return err;
	}

	entry->dev.id = attr_u32(tb[PSP_A_DEV_ID]);
	entry->dev.ifindex = attr_u32(tb[PSP_A_DEV_IFINDEX]);
	entry->dev.versions_cap = attr_u32(tb[PSP_A_DEV_PSP_VERSIONS_CAP]);
	entry->dev.versions_ena = attr_u32(tb[PSP_A_DEV_PSP_VERSIONS_ENA]);
	entry->dev.by_association = tb[PSP_A_DEV_BY_ASSOCIATION];
	list_add(list, entry);
	return 0;
}

/*
 * Which associated devices are in the namespace of @nl: of a device of others
 * all that are told, else those with the id that the namespace has for itself.
 */
void dev_mark_here(struct nl_sock *nl, struct psp_dev *dev)
{
	struct dev_entry *entry = (struct dev_entry *)dev;
	struct psp_dev_assoc *assoc = entry->assocs;
	unsigned int i;

	for (i = 0; i < dev->num_assocs; i++, assoc++)
		assoc->here = dev->by_association ||
			      (assoc->nsid >= 0 &&
			       assoc->nsid == nsid_own(nl));
}

static void devs_mark_here(struct psp_ctx *ctx, struct psp_dev *devs)
{
	pthread_mutex_lock(&ctx->lock);
	for (; devs; devs = devs->next)
		dev_mark_here(&ctx->nl, devs);
	pthread_mutex_unlock(&ctx->lock);
}

int psp_dev_get(struct psp_ctx *ctx, uint32_t id, struct psp_dev **dev)
{
	struct node *head;
	int err = nl_get(ctx, PSP_CMD_DEV_GET, PSP_A_DEV_ID, id, dev_parse,
			 &head);

	*dev = (struct psp_dev *)head;
	devs_mark_here(ctx, *dev);
	return err;
}

int psp_dev_dump(struct psp_ctx *ctx, struct psp_dev **devs)
{
	struct node *head;
	int err = nl_dump_all(ctx, PSP_CMD_DEV_GET, dev_parse, &head);

	*devs = (struct psp_dev *)head;
	devs_mark_here(ctx, *devs);
	return err;
}

/* Indices of other namespaces mean nothing here */
static bool dev_serves(const struct psp_dev *dev, uint32_t ifindex)
{
	const struct psp_dev_assoc *assoc;

	if (!dev->by_association && dev->ifindex == ifindex)
		return true;
	for (assoc = dev->assocs; assoc; assoc = assoc->next)
		if (assoc->here && assoc->ifindex == ifindex)
			return true;
	return false;
}

int psp_dev_by_ifindex(struct psp_ctx *ctx, uint32_t ifindex,
		       struct psp_dev **dev)
{
	struct psp_dev **link, *found;
	int err;

	err = psp_dev_dump(ctx, dev);
	if (err)
		return err;
	for (link = dev; *link; link = &(*link)->next)
		if (dev_serves(*link, ifindex))
			break;

	found = *link;
	if (found) {
		*link = found->next;
		found->next = NULL;
	}
	psp_dev_free(*dev);
	*dev = found;
	return found ? 0 : err_set(-ENODEV, "Interface has no PSP device");
}

void psp_dev_free(struct psp_dev *devs)
{
	list_free(devs);
}

int psp_dev_set_versions(struct psp_ctx *ctx, uint32_t id, uint32_t versions)
{
	struct nl_req req;

	nl_start(&req, PSP_CMD_DEV_SET);
	mnl_attr_put_u32(&req.nlh, PSP_A_DEV_ID, id);
	mnl_attr_put_u32(&req.nlh, PSP_A_DEV_PSP_VERSIONS_ENA, versions);
	return nl_do(ctx, &req, NULL, NULL);
}

static int dev_assoc(struct psp_ctx *ctx, uint8_t cmd, uint32_t id,
		     uint32_t ifindex, const int32_t *nsid)
{
	struct nl_req req;

	nl_start(&req, cmd);
	mnl_attr_put_u32(&req.nlh, PSP_A_DEV_ID, id);
	mnl_attr_put_u32(&req.nlh, PSP_A_DEV_IFINDEX, ifindex);
	if (nsid)
		mnl_attr_put_u32(&req.nlh, PSP_A_DEV_NSID, *nsid);
	return nl_do(ctx, &req, NULL, NULL);
}

int psp_dev_assoc(struct psp_ctx *ctx, uint32_t id, uint32_t ifindex,
		  const int32_t *nsid)
{
	return dev_assoc(ctx, PSP_CMD_DEV_ASSOC, id, ifindex, nsid);
}

int psp_dev_disassoc(struct psp_ctx *ctx, uint32_t id, uint32_t ifindex,
		     const int32_t *nsid)
{
	return dev_assoc(ctx, PSP_CMD_DEV_DISASSOC, id, ifindex, nsid);
}
