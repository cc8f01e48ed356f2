// SPDX-License-Identifier: GPL-2.0
/* Numbers, times and graphs in few characters */
#include <stdio.h>
#include <string.h>

#include "top.h"

#define DAY	86400

/* Three digits; where they would be rounded to four, the next prefix */
const char *text_rate(char *buf, double val)
{
	static const char prefixes[] = " kMGTPE";
	const char *prefix = prefixes;
	int digits;

	if (val < 0) {
		snprintf(buf, TOP_TEXT, "-");
		return buf;
	}
	while (val >= 999.5 && prefix[1]) {
		val /= 1000;
		prefix++;
	}
	digits = val >= 99.95 ? 0 : val >= 9.995 ? 1 : 2;
	if (*prefix == ' ' && val == (unsigned int)val)
		digits = 0;
	snprintf(buf, TOP_TEXT, "%.*f%.*s", digits, val, *prefix != ' ',
		 prefix);
	return buf;
}

const char *text_count(char *buf, uint64_t val)
{
	if (val != PSP_UNKNOWN && val < 100000)
		snprintf(buf, TOP_TEXT, "%llu", ULL(val));
	else
		text_rate(buf, val == PSP_UNKNOWN ? TOP_UNKNOWN : (double)val);
	return buf;
}

const char *text_age(char *buf, double seconds)
{
	unsigned long long s = seconds < 0 ? 0 : (unsigned long long)seconds;

	if (s < 120)
		snprintf(buf, TOP_TEXT, "%llus", s);
	else if (s < 7200)
		snprintf(buf, TOP_TEXT, "%llum%02llus", s / 60, s % 60);
	else if (s < 2 * DAY)
		snprintf(buf, TOP_TEXT, "%lluh%02llum", s / 3600, s / 60 % 60);
	else
		snprintf(buf, TOP_TEXT, "%llud%02lluh", s / DAY,
			 s % DAY / 3600);
	return buf;
}

static const char * const bars_utf8[] = {
	" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586",
	"\u2587", "\u2588",
};

static const char * const bars_ascii[] = {
	" ", "_", ".", ",", "-", "=", "+", "*", "#",
};

#define BARS	((int)ARRAY_SIZE(bars_utf8) - 1)

/* What is not nothing can be seen */
static int bar_of(double val, double max)
{
	int bar = max > 0 ? val / max * BARS + 0.5 : 0;

	return val > 0 && !bar ? 1 : bar;
}

void text_graph(char *buf, size_t size, const double *vals, unsigned int num,
		unsigned int cols, bool utf8)
{
	const char * const *bars = utf8 ? bars_utf8 : bars_ascii;
	unsigned int i, first = num > cols ? num - cols : 0;
	const char *bar;
	double max = 0;
	size_t len = 0;

	for (i = first; i < num; i++)
		max = vals[i] > max ? vals[i] : max;
	for (i = first; i < num; i++) {
		bar = bars[bar_of(vals[i], max)];
		if (len + strlen(bar) >= size)
			break;
		len += snprintf(buf + len, size - len, "%s", bar);
	}
	buf[len] = '\0';
}
