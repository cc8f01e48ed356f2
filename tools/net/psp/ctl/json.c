// SPDX-License-Identifier: GPL-2.0
/* JSON: one value at a time, in a line or, with -p, over several */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pspctl.h"

#define DEPTH_MAX	8

static char closing[DEPTH_MAX];
static bool filled[DEPTH_MAX];	/* something is in there already */
static int depth;

static void json_break(void)
{
	if (ctl.pretty)
		printf("\n%*s", 4 * depth, "");
}

static void json_begin(const char *name)
{
	if (depth) {
		if (filled[depth - 1])
			putchar(',');
		filled[depth - 1] = true;
		json_break();
	}
	if (name) {
		json_quote(stdout, name);
		fputs(ctl.pretty ? ": " : ":", stdout);
	}
}

void json_open(const char *name, char bracket)
{
	json_begin(name);
	putchar(bracket);
	if (depth == DEPTH_MAX)
		abort();
	closing[depth] = bracket == '{' ? '}' : ']';
	filled[depth++] = false;
}

void json_close(void)
{
	bool any = filled[--depth];

	if (any)
		json_break();
	putchar(closing[depth]);
	if (!depth)
		putchar('\n');
}

void json_str(const char *name, const char *val)
{
	json_begin(name);
	json_quote(stdout, val);
}

void json_uint(const char *name, uint64_t val)
{
	json_begin(name);
	printf("%llu", ULL(val));
}

void json_int(const char *name, int64_t val)
{
	json_begin(name);
	printf("%lld", (long long)val);
}

void json_float(const char *name, double val)
{
	json_begin(name);
	printf("%.3f", val);
}

void json_bool(const char *name, bool val)
{
	json_begin(name);
	fputs(val ? "true" : "false", stdout);
}
