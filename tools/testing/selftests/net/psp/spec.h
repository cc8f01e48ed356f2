/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SPEC_H
#define SPEC_H

#include <stdbool.h>
#include <stdint.h>

#define SPEC_NAME	32
#define SPEC_ATTRS	24
#define SPEC_SETS	16
#define SPEC_OPS	24

/* A set of attributes, numbered from 1 in the order of the file */
struct spec_set {
	char name[SPEC_NAME];
	char attr[SPEC_ATTRS][SPEC_NAME];
	char nest[SPEC_ATTRS][SPEC_NAME];	/* set inside, or "" */
	int num;
};

/* A command or notification, numbered in the order of the file */
struct spec_op {
	char name[SPEC_NAME];
	char set[SPEC_NAME];
	char notify[SPEC_NAME];		/* command whose reply it looks like */
	char reply[SPEC_ATTRS][SPEC_NAME];
	int replies;
	int value;
};

/* What the tests want to know of psp.yaml */
struct spec {
	struct spec_set sets[SPEC_SETS];
	int num_sets;
	struct spec_op ops[SPEC_OPS];
	int num_ops;
};

int spec_read(struct spec *spec, const char *path);

const struct spec_op *spec_op(const struct spec *spec, int value);
const struct spec_set *spec_set(const struct spec *spec, const char *name);

/* Number of an attribute, 0 if the set has none of this name */
int spec_attr(const struct spec_set *set, const char *name);

/* May messages of this command or notification hold the attribute? */
bool spec_allows(const struct spec *spec, int cmd, int type);

/* The set inside of an attribute, or NULL */
const struct spec_set *spec_nest(const struct spec *spec,
				 const struct spec_set *set, int type);

/* The set of the messages of a command or notification, or NULL */
const struct spec_set *spec_set_of(const struct spec *spec, int cmd);

#endif /* SPEC_H */
