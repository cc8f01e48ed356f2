// SPDX-License-Identifier: GPL-2.0
/* pspctl key: device keys */
#include <string.h>

#include "pspctl.h"

/* JSON names those that have a new key, also if another has failed */
static int key_rotate_one(uint32_t id)
{
	int err = psp_key_rotate(psp(), id);

	if (err)
		return fail_text("key rotate: device %u: %s", id,
				 psp_strerror(err));
	if (ctl.json) {
		json_open(NULL, '{');
		json_dev_name(id, dev_name(id));
		json_close();
	}
	return CTL_OK;
}

/* Devices of other namespaces are not ours to rotate */
static int key_rotate_each(const struct psp_dev *devs)
{
	const struct psp_dev *dev;
	int status = CTL_OK;

	for (dev = devs; dev; dev = dev->next)
		if (!dev->by_association && key_rotate_one(dev->id))
			status = CTL_FAILED;
	return status;
}

static int key_rotate_all(void)
{
	struct psp_dev *devs;
	int err, status;

	err = psp_dev_dump(psp(), &devs);
	if (err)
		return fail("key rotate", err);
	if (ctl.json)
		json_open(NULL, '[');
	status = key_rotate_each(devs);
	if (ctl.json)
		json_close();
	psp_dev_free(devs);
	return status;
}

static int key_rotate(struct args *args)
{
	const char *word;
	uint32_t id;
	bool all;

	all = *args->word && !strcmp(*args->word, "all");
	word = arg_dev(args);
	arg_end(args);
	if (all)
		return key_rotate_all();

	id = dev_find(word);
	if (!id)
		return CTL_FAILED;
	return dev_done("key rotate", id, psp_key_rotate(psp(), id));
}

const struct command cmds_key[] = {
	{
		"rotate", key_rotate, "{ DEV | all }",
		"make devices take a new device key",
	},
	{ }
};
