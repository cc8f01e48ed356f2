// SPDX-License-Identifier: GPL-2.0
/* Devices by number and by interface */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pspctl.h"

static struct psp_dev *known;

static bool is_number(const char *word)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	strtoull(word, &end, 0);
	return !*end;
}

uint32_t dev_find(const char *word)
{
	struct psp_dev *dev;
	unsigned int index;
	uint32_t id;
	int err;

	if (is_number(word))
		return arg_uint(word, "number of a device", 1, UINT32_MAX);

	index = if_nametoindex(word);
	if (!index) {
		fail_text("%s: %s", word, strerror(errno));
		return 0;
	}
	err = psp_dev_by_ifindex(psp(), index, &dev);
	if (err) {
		fail(word, err);
		return 0;
	}
	id = dev->id;
	psp_dev_free(dev);
	return id;
}

/* Of a device in another namespace, the interface here that may use it */
const char *dev_name_of(const struct psp_dev *dev, char *buf)
{
	const struct psp_dev_assoc *assoc;

	*buf = '\0';
	if (!dev->by_association) {
		if_indextoname(dev->ifindex, buf);
		return buf;
	}
	for (assoc = dev->assocs; assoc; assoc = assoc->next)
		if (assoc->here && if_indextoname(assoc->ifindex, buf))
			break;
	return buf;
}

const char *dev_name(uint32_t id)
{
	static char buf[IF_NAMESIZE];
	const struct psp_dev *dev;

	if (!known)
		psp_dev_dump(psp(), &known);
	for (dev = known; dev; dev = dev->next)
		if (dev->id == id)
			return dev_name_of(dev, buf);
	return "";
}

void dev_names_forget(void)
{
	psp_dev_free(known);
	known = NULL;
}

void json_dev(const char *member, uint32_t id, const char *name)
{
	json_uint(member, id);
	if (*name)
		json_str("ifname", name);
}

void json_dev_name(uint32_t id, const char *name)
{
	json_dev("id", id, name);
}

void json_dev_of(uint32_t id)
{
	json_dev("dev-id", id, dev_name(id));
}

void out_dev_name(uint32_t id, const char *name)
{
	printf("%u: ", id);
	out_text(COLOR_NAME, "%s", *name ? name : "?");
}
