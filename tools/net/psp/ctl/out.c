// SPDX-License-Identifier: GPL-2.0
/* Text for people */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "pspctl.h"

#define RESET	"\033[0m"

/* Of enum color */
static const char * const colors[] = {
	[COLOR_NONE]	= "",
	[COLOR_NAME]	= "\033[36m",
	[COLOR_ADDR]	= "\033[35m",
	[COLOR_GOOD]	= "\033[32m",
	[COLOR_BAD]	= "\033[1;31m",
	[COLOR_HEAD]	= "\033[7m",
};

/* Who reads a pipe wants each line when it is there */
void out_init(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

bool out_unread(void)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO };

	return poll(&pfd, 1, 0) > 0 && pfd.revents & POLLERR;
}

void out_wait(double seconds)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO };

	poll(&pfd, 1, seconds * 1000);
}

int out_flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return CTL_OK;
	return out_unread() ? CTL_FAILED : fail_text("cannot write");
}

/* Bytes that a terminal might obey */
static void out_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static bool is_colored(enum color color)
{
	return ctl.color && color != COLOR_NONE;
}

void out_color(enum color color)
{
	if (is_colored(color))
		fputs(colors[color], stdout);
}

void out_color_end(enum color color)
{
	if (is_colored(color))
		fputs(RESET, stdout);
}

ATTRIBUTE(format(printf, 3, 0))
static void out_vcolumn(enum color color, int width, const char *fmt,
			va_list args)
{
	char text[256];
	int len;

	vsnprintf(text, sizeof(text), fmt, args);
	out_clean(text);
	len = strlen(text);
	out_color(color);
	fputs(text, stdout);
	out_color_end(color);
	printf("%*s", len < width ? width - len : 0, "");
}

void out_text(enum color color, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	out_vcolumn(color, 0, fmt, args);
	va_end(args);
}

void out_column(enum color color, int width, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	out_vcolumn(color, width, fmt, args);
	va_end(args);
}

const char *out_time(void)
{
	static char buf[64];
	struct timeval now;
	struct tm tm;
	size_t len;

	gettimeofday(&now, NULL);
	localtime_r(&now.tv_sec, &tm);
	len = strftime(buf, sizeof(buf), "%FT%T", &tm);
	len += snprintf(buf + len, sizeof(buf) - len, ".%06ld",
			(long)now.tv_usec);
	strftime(buf + len, sizeof(buf) - len, "%z", &tm);
	return buf;
}
