// SPDX-License-Identifier: GPL-2.0
/*
 * What mainline's PSP drops. It counts nothing, but gives a reason to each
 * packet that it frees, which the tracepoint skb:kfree_skb tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "psp_traced.h"

#define TRACED		"/sys/kernel/tracing/instances/psp_drops"
#define TRACED_EVENT	TRACED "/events/skb/kfree_skb"

static int traced_write(const char *path, const char *text, int flags)
{
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The number that stands before a name: "{ 93, "PSP_INPUT" }" */
static int traced_number(const char *format, const char *name)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	at = strstr(format, quoted);
	while (at && at > format && *at != '{')
		at--;
	return at ? atoi(at + 1) : -ENOENT;
}

static int traced_filter(char *filter, size_t size)
{
	static char format[64 << 10];
	int input, output;
	size_t len;
	FILE *file;

	file = fopen(TRACED_EVENT "/format", "re");
	if (!file)
		return -errno;
	len = fread(format, 1, sizeof(format) - 1, file);
	format[len] = 0;
	fclose(file);

	input = traced_number(format, PSP_TRACED_RX);
	output = traced_number(format, PSP_TRACED_TX);
	if (input <= 0 || output <= 0)
		return -ENOENT;
	snprintf(filter, size, "reason == %d || reason == %d", input, output);
	return 0;
}

static int traced_begin(void)
{
	static bool begun;
	char filter[64];
	int err;

	if (begun)
		return 0;
	if (mkdir(TRACED, 0700) && errno != EEXIST)
		return -errno;
	err = traced_filter(filter, sizeof(filter));
	if (!err)
		err = traced_write(TRACED_EVENT "/filter", filter, 0);
	if (!err)
		err = traced_write(TRACED_EVENT "/enable", "1", 0);
	if (!err)
		err = traced_write(TRACED "/trace", "", O_TRUNC);
	begun = !err;
	return err;
}

int64_t psp_traced(const char *reason)
{
	char line[512], want[40];
	int64_t num = 0;
	FILE *file;
	int err;

	err = traced_begin();
	if (err)
		return err;
	file = fopen(TRACED "/trace", "re");
	if (!file)
		return -errno;
	snprintf(want, sizeof(want), "reason: %s", reason);
	while (fgets(line, sizeof(line), file))
		num += !!strstr(line, want);
	fclose(file);
	return num;
}
