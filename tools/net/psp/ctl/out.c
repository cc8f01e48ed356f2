// SPDX-License-Identifier: GPL-2.0
/* Text for people */
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

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

/*
 * Who reads a pipe wants each line when it is there. What characters there are
 * is for the user's locale to say.
 */
void out_init(void)
{
	setlocale(LC_CTYPE, "");
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

unsigned int out_char(const char *text, unsigned int *cols)
{
	mbstate_t state = { };
	wchar_t c;
	size_t len;
	int width;

	if (*text >= ' ' && *text < 0x7f) {
		*cols = 1;
		return 1;
	}
	len = mbrtowc(&c, text, strlen(text), &state);
	if (len == 0 || len > MB_LEN_MAX)
		return 0;
	width = wcwidth(c);
	if (width < 1)
		return 0;
	*cols = width;
	return len;
}

/* No byte that a terminal might obey; returns the columns of what is left */
static int out_clean(char *text)
{
	unsigned int len, cols;
	int sum = 0;

	for (; *text; text += len) {
		len = out_char(text, &cols);
		if (!len) {
			*text = '?';
			len = 1;
			cols = 1;
		}
		sum += cols;
	}
	return sum;
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
	int cols;

	vsnprintf(text, sizeof(text), fmt, args);
	cols = out_clean(text);
	out_color(color);
	fputs(text, stdout);
	out_color_end(color);
	printf("%*s", cols < width ? width - cols : 0, "");
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
