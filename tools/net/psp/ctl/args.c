// SPDX-License-Identifier: GPL-2.0
/* Words of the command line, and what is said about them */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pspctl.h"

#define SECONDS_MAX	86400

bool arg_is(const char *word, const char *name)
{
	return *word && !strncmp(word, name, strlen(word));
}

const char *arg_take(struct args *args)
{
	return *args->word ? *args->word++ : NULL;
}

const char *arg_need(struct args *args, const char *what)
{
	const char *word = arg_take(args);

	if (!word)
		usage_die("%s is missing", what);
	return word;
}

const char *arg_dev(struct args *args)
{
	if (*args->word && !strcmp(*args->word, "dev"))
		args->word++;
	return arg_need(args, "DEV");
}

bool arg_option(struct args *args, const char *name)
{
	if (!*args->word || !arg_is(*args->word, name))
		return false;
	args->word++;
	return true;
}

void arg_end(struct args *args)
{
	if (*args->word)
		usage_die("what is \"%s\"?", *args->word);
}

uint64_t arg_uint(const char *word, const char *what, uint64_t min,
		  uint64_t max)
{
	unsigned long long val;
	char *end;

	errno = 0;
	val = strtoull(word, &end, 0);
	if (errno || *end || *word < '0' || *word > '9' || val < min ||
	    val > max)
		usage_die("\"%s\" is no %s", word, what);
	return val;
}

int32_t arg_nsid(const char *word)
{
	return arg_uint(word, "id of a namespace", 0, INT32_MAX);
}

double arg_seconds(const char *word)
{
	double val;
	char *end;

	val = strtod(word, &end);
	if (end == word || *end || !(val >= 0.01 && val <= SECONDS_MAX))
		usage_die("\"%s\" is no number of seconds", word);
	return val;
}

void usage_die(const char *fmt, ...)
{
	va_list args;

	fputs("pspctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("; see pspctl help\n", stderr);
	exit(CTL_USAGE);
}

int fail(const char *what, int err)
{
	return fail_text("%s: %s", what, psp_strerror(err));
}

int fail_text(const char *fmt, ...)
{
	va_list args;

	fputs("pspctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return CTL_FAILED;
}
