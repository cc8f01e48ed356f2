// SPDX-License-Identifier: GPL-2.0
/*
 * psp.yaml as a table. This is no YAML reader: it goes by the indentation that
 * the file has, and the tests check that it got the numbers right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

/**
 * struct spec_place - where in the file the reader is
 * @spec: what it fills in
 * @section: top-level key
 * @in_reply: in the list of attributes of a reply or an event
 */
struct spec_place {
	struct spec *spec;
	char section[SPEC_NAME];
	bool in_reply;
};

/* The rest of a line that begins with @key, or NULL */
static const char *spec_value(const char *line, const char *key)
{
	size_t len = strlen(key);

	return strncmp(line, key, len) ? NULL : line + len;
}

static void spec_copy(char *to, const char *from)
{
	snprintf(to, SPEC_NAME, "%.*s", SPEC_NAME - 1, from);
}

static void spec_set_line(struct spec *spec, const char *line)
{
	struct spec_set *set = &spec->sets[spec->num_sets - 1];
	const char *val;

	val = spec_value(line, "    name: ");
	if (val && spec->num_sets < SPEC_SETS)
		spec_copy(spec->sets[spec->num_sets++].name, val);
	val = spec_value(line, "        name: ");
	if (val && set->num < SPEC_ATTRS - 1)
		spec_copy(set->attr[++set->num], val);
	val = spec_value(line, "        nested-attributes: ");
	if (val)
		spec_copy(set->nest[set->num], val);
}

static void spec_new_op(struct spec *spec, const char *name)
{
	struct spec_op *op = &spec->ops[spec->num_ops];

	if (spec->num_ops == SPEC_OPS)
		return;
	op->value = spec->num_ops ? op[-1].value + 1 : 1;
	spec_copy(op->name, name);
	spec->num_ops++;
}

/* Only the lists of what the kernel sends: of replies and of events */
static void spec_reply_line(struct spec_place *at, struct spec_op *op,
			    const char *line)
{
	const char *val;

	if (spec_value(line, "        reply:") ||
	    spec_value(line, "      event:"))
		at->in_reply = true;
	else if (spec_value(line, "        request:"))
		at->in_reply = false;

	val = spec_value(line, "            - ");
	if (!val)
		val = spec_value(line, "          - ");
	if (val && at->in_reply && op->replies < SPEC_ATTRS)
		spec_copy(op->reply[op->replies++], val);
}

static void spec_op_line(struct spec_place *at, const char *line)
{
	struct spec *spec = at->spec;
	struct spec_op *op = &spec->ops[spec->num_ops - 1];
	const char *val;

	val = spec_value(line, "      name: ");
	if (val) {
		at->in_reply = false;
		spec_new_op(spec, val);
		return;
	}
	if (!spec->num_ops)
		return;
	val = spec_value(line, "      value: ");
	if (val)
		op->value = atoi(val);
	val = spec_value(line, "      attribute-set: ");
	if (val)
		spec_copy(op->set, val);
	val = spec_value(line, "      notify: ");
	if (val)
		spec_copy(op->notify, val);
	spec_reply_line(at, op, line);
}

static void spec_line(struct spec_place *at, char *line)
{
	line[strcspn(line, "\n")] = 0;
	if (*line && *line != ' ' && *line != '#')
		spec_copy(at->section, line);
	else if (!strcmp(at->section, "attribute-sets:"))
		spec_set_line(at->spec, line);
	else if (!strcmp(at->section, "operations:"))
		spec_op_line(at, line);
}

int spec_read(struct spec *spec, const char *path)
{
	struct spec_place at = { .spec = spec };
	char line[256];
	FILE *file;

	memset(spec, 0, sizeof(*spec));
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		spec_line(&at, line);
	fclose(file);
	return spec->num_sets && spec->num_ops ? 0 : -EPROTO;
}

const struct spec_op *spec_op(const struct spec *spec, int value)
{
	int i;

	for (i = 0; i < spec->num_ops; i++)
		if (spec->ops[i].value == value)
			return &spec->ops[i];
	return NULL;
}

const struct spec_set *spec_set(const struct spec *spec, const char *name)
{
	int i;

	for (i = 0; i < spec->num_sets; i++)
		if (!strcmp(spec->sets[i].name, name))
			return &spec->sets[i];
	return NULL;
}

int spec_attr(const struct spec_set *set, const char *name)
{
	int i;

	for (i = 1; set && i <= set->num; i++)
		if (!strcmp(set->attr[i], name))
			return i;
	return 0;
}

/* A notification looks like the reply of a command */
static const struct spec_op *spec_shape(const struct spec *spec, int cmd)
{
	const struct spec_op *op = spec_op(spec, cmd);
	int i;

	for (i = 0; op && *op->notify && i < spec->num_ops; i++)
		if (!strcmp(spec->ops[i].name, op->notify))
			return &spec->ops[i];
	return op;
}

const struct spec_set *spec_set_of(const struct spec *spec, int cmd)
{
	const struct spec_op *op = spec_shape(spec, cmd);

	return op ? spec_set(spec, op->set) : NULL;
}

bool spec_allows(const struct spec *spec, int cmd, int type)
{
	const struct spec_op *op = spec_shape(spec, cmd);
	const struct spec_set *set = spec_set_of(spec, cmd);
	int i;

	for (i = 0; op && i < op->replies; i++)
		if (spec_attr(set, op->reply[i]) == type)
			return true;
	return false;
}

const struct spec_set *spec_nest(const struct spec *spec,
				 const struct spec_set *set, int type)
{
	if (!set || type > set->num || !*set->nest[type])
		return NULL;
	return spec_set(spec, set->nest[type]);
}
