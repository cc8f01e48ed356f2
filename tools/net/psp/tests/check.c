// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Cases that print TAP */
#include "check.h"

int check_failed;

void check_str(const char *file, int line, const char *want, const char *got)
{
	if (!strcmp(want, got))
		return;
	printf("# %s:%d: \"%s\", not \"%s\"\n", file, line, got, want);
	check_failed = 1;
}

bool check_wiped(const void *at, size_t len)
{
	const unsigned char *bytes = at;
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

bool check_finds(const void *at, size_t len, unsigned char byte)
{
	const unsigned char *bytes = at;
	size_t i, run = 0;

	for (i = 0; i < len; i++) {
		run = bytes[i] == byte ? run + 1 : 0;
		if (run == 4)
			return true;
	}
	return false;
}

unsigned int check_many(unsigned int many, unsigned int few)
{
	return getenv("CHECK_QUICK") ? few : many;
}

int check_all(const struct check_case *cases, int num)
{
	int i, bad = 0;

	printf("TAP version 13\n1..%d\n", num);
	for (i = 0; i < num; i++) {
		check_failed = 0;
		cases[i].run();
		printf("%sok %d %s\n", check_failed ? "not " : "", i + 1,
		       cases[i].name);
		bad |= check_failed;
	}
	return bad;
}
