// SPDX-License-Identifier: GPL-2.0
/* pspctl dev: devices */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pspctl.h"

typedef int (*dev_assoc_t)(struct psp_ctx *ctx, uint32_t id, uint32_t ifindex,
			   const int32_t *nsid);

void versions_json(const char *name, uint32_t versions)
{
	unsigned int i;

	json_open(name, '[');
	for (i = 0; i < PSP_VERSIONS_NUM; i++)
		if (versions & 1u << i)
			json_str(NULL, psp_version_name(i));
	json_close();
}

static void versions_text(const char *name, enum color color,
			  uint32_t versions)
{
	unsigned int i;

	printf("    %-11s", name);
	if (!versions)
		fputs(" none", stdout);
	for (i = 0; i < PSP_VERSIONS_NUM; i++)
		if (versions & 1u << i) {
			putchar(' ');
			out_text(color, "%s", psp_version_name(i));
		}
	putchar('\n');
}

static void assocs_json(const struct psp_dev *dev)
{
	const struct psp_dev_assoc *assoc;
	char name[IF_NAMESIZE];

	json_open("assoc-list", '[');
	for (assoc = dev->assocs; assoc; assoc = assoc->next) {
		json_open(NULL, '{');
		json_uint("ifindex", assoc->ifindex);
		if (assoc->nsid >= 0)
			json_int("nsid", assoc->nsid);
		if (assoc->here && if_indextoname(assoc->ifindex, name))
			json_str("ifname", name);
		json_close();
	}
	json_close();
}

static void assocs_text(const struct psp_dev *dev)
{
	const struct psp_dev_assoc *assoc;
	char name[IF_NAMESIZE];

	for (assoc = dev->assocs; assoc; assoc = assoc->next) {
		printf("    associated  ifindex %u", assoc->ifindex);
		if (!assoc->here && assoc->nsid >= 0) {
			printf(" nsid %d", assoc->nsid);
		} else if (assoc->here &&
			   if_indextoname(assoc->ifindex, name)) {
			fputs(" ifname ", stdout);
			out_text(COLOR_NAME, "%s", name);
		}
		putchar('\n');
	}
}

void dev_json(const struct psp_dev *dev)
{
	char name[IF_NAMESIZE];

	json_dev_name(dev->id, dev_name_of(dev, name));
	json_uint("ifindex", dev->ifindex);
	json_bool("by-association", dev->by_association);
	versions_json("psp-versions-cap", dev->versions_cap);
	versions_json("psp-versions-ena", dev->versions_ena);
	assocs_json(dev);
}

void dev_text(const struct psp_dev *dev)
{
	char name[IF_NAMESIZE];

	out_dev_name(dev->id, dev_name_of(dev, name));
	puts(dev->by_association ? " (of another namespace)" : "");
	versions_text("versions", COLOR_NONE, dev->versions_cap);
	versions_text("enabled", COLOR_GOOD, dev->versions_ena);
	assocs_text(dev);
}

static void devs_print(const struct psp_dev *devs)
{
	const struct psp_dev *dev;

	if (ctl.json)
		json_open(NULL, '[');
	for (dev = devs; dev; dev = dev->next) {
		if (!ctl.json) {
			dev_text(dev);
			continue;
		}
		json_open(NULL, '{');
		dev_json(dev);
		json_close();
	}
	if (ctl.json)
		json_close();
}

static int dev_show(struct args *args)
{
	struct psp_dev *devs;
	const char *word = NULL;
	uint32_t id = 0;
	int err;

	if (*args->word)
		word = arg_dev(args);
	arg_end(args);
	if (word) {
		id = dev_find(word);
		if (!id)
			return CTL_FAILED;
	}

	err = id ? psp_dev_get(psp(), id, &devs) :
		   psp_dev_dump(psp(), &devs);
	if (err)
		return fail("dev show", err);
	devs_print(devs);
	psp_dev_free(devs);
	return CTL_OK;
}

int dev_done(const char *what, uint32_t id, int err)
{
	if (err)
		return fail(what, err);
	if (!ctl.json)
		return CTL_OK;
	json_open(NULL, '[');
	json_open(NULL, '{');
	json_dev_name(id, dev_name(id));
	json_close();
	json_close();
	return CTL_OK;
}

/* A mask of versions, from names with commas in between */
static uint32_t versions_parse(const char *list)
{
	char *copy = strdup(list), *rest = copy, *name;
	uint32_t versions = 0;
	int version;

	while ((name = strsep(&rest, ","))) {
		version = psp_version_parse(name);
		if (version < 0)
			usage_die("\"%s\" is no version of PSP", name);
		versions |= 1u << version;
	}
	free(copy);
	return versions;
}

/* "all" is what the device has */
static int versions_of(const char *word, uint32_t id, uint32_t *versions)
{
	struct psp_dev *dev;
	int err;

	*versions = 0;
	if (!strcmp(word, "none"))
		return 0;
	if (strcmp(word, "all")) {
		*versions = versions_parse(word);
		return 0;
	}
	err = psp_dev_get(psp(), id, &dev);
	if (err)
		return err;
	*versions = dev->versions_cap;
	psp_dev_free(dev);
	return 0;
}

static int dev_set(struct args *args)
{
	const char *word = arg_dev(args), *list;
	uint32_t id, versions;
	int err;

	if (!arg_option(args, "versions"))
		usage_die("\"versions\" is missing");
	list = arg_need(args, "VERSIONS");
	arg_end(args);
	if (strcmp(list, "all") && strcmp(list, "none"))
		versions_parse(list);
	id = dev_find(word);
	if (!id)
		return CTL_FAILED;

	err = versions_of(list, id, &versions);
	if (!err)
		err = psp_dev_set_versions(psp(), id, versions);
	return dev_done("dev set", id, err);
}

static uint32_t ifindex_parse(struct args *args)
{
	if (!arg_option(args, "ifindex"))
		return 0;
	return arg_uint(arg_need(args, "INDEX"), "index of an interface", 1,
			INT32_MAX);
}

/* assoc and disassoc: DEV { ifname NAME | ifindex INDEX [nsid NSID] } */
static int dev_assoc_with(struct args *args, const char *what,
			  dev_assoc_t assoc)
{
	const char *word = arg_dev(args), *name = NULL;
	uint32_t id, ifindex;
	bool elsewhere;
	int32_t nsid = 0;

	ifindex = ifindex_parse(args);
	if (!ifindex && !arg_option(args, "ifname"))
		usage_die("\"ifname\" or \"ifindex\" is missing");
	if (!ifindex)
		name = arg_need(args, "NAME");
	elsewhere = ifindex && arg_option(args, "nsid");
	if (elsewhere)
		nsid = arg_nsid(arg_need(args, "NSID"));
	arg_end(args);

	id = dev_find(word);
	if (!id)
		return CTL_FAILED;
	if (name)
		ifindex = if_nametoindex(name);
	if (!ifindex)
		return fail_text("%s: %s", name, strerror(errno));
	return dev_done(what, id, assoc(psp(), id, ifindex,
					elsewhere ? &nsid : NULL));
}

static int dev_assoc(struct args *args)
{
	return dev_assoc_with(args, "dev assoc", psp_dev_assoc);
}

static int dev_disassoc(struct args *args)
{
	return dev_assoc_with(args, "dev disassoc", psp_dev_disassoc);
}

const struct command cmds_dev[] = {
	{
		"show", dev_show, "[DEV]",
		"devices, what they can do, and what they accept",
	},
	{
		"set", dev_set,
		"DEV versions { VERSION[,VERSION]... | all | none }",
		"accept packets of these versions",
	},
	{
		"assoc", dev_assoc,
		"DEV { ifname NAME | ifindex INDEX [nsid NSID] }",
		"let another interface use the device",
	},
	{
		"disassoc", dev_disassoc,
		"DEV { ifname NAME | ifindex INDEX [nsid NSID] }",
		"let it do so no more",
	},
	{ }
};
