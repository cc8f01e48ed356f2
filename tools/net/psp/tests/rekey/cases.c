// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Run all cases, or those whose names begin with an argument */
#include "cases.h"

#define CASES_MAX	200

jmp_buf cases_end;
static struct check_case cases[CASES_MAX];
static int num;

void cases_add(const char *name, void (*run)(void))
{
	if (num == CASES_MAX)
		abort();
	cases[num++] = (struct check_case) { name, run };
}

/* What such a case leaves behind is no leak worth a word */
void cases_fail(const char *file, int line, const char *what, int64_t want,
		int64_t got)
{
	printf("# %s:%d: %s: %lld, %lld\n", file, line, what,
	       (long long)want, (long long)got);
	check_failed = 1;
	longjmp(cases_end, 1);
}

static bool cases_is_wanted(const char *name, char **argv)
{
	if (!*argv)
		return true;
	for (; *argv; argv++) {
		if (!strncmp(name, *argv, strlen(*argv)))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	int i, wanted = 0;

	for (i = 0; i < num; i++) {
		if (cases_is_wanted(cases[i].name, argv + 1))
			cases[wanted++] = cases[i];
	}
	return check_all(cases, wanted) || !wanted;
}
