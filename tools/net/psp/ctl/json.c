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

/* Length of the UTF-8 character at @text, 0 if it is none */
static int utf8_len(const unsigned char *text)
{
	int len, i;

	if (text[0] < 0x80)
		return 1;
	len = text[0] >= 0xc2 && text[0] < 0xe0 ? 2 :
	      text[0] >= 0xe0 && text[0] < 0xf0 ? 3 :
	      text[0] >= 0xf0 && text[0] < 0xf5 ? 4 : 0;
	for (i = 1; i < len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Too long a form, surrogates, beyond the last character */
	if ((text[0] == 0xe0 && text[1] < 0xa0) ||
	    (text[0] == 0xed && text[1] >= 0xa0) ||
	    (text[0] == 0xf0 && text[1] < 0x90) ||
	    (text[0] == 0xf4 && text[1] >= 0x90))
		return 0;
	return len;
}

static void json_char(const unsigned char *text, int len)
{
	if (!len)
		fputs("\\ufffd", stdout);
	else if (*text < ' ' || *text == 0x7f)
		printf("\\u%04x", *text);
	else if (*text == 0xc2 && text[1] < 0xa0)
		printf("\\u%04x", text[1]);
	else if (*text == '"' || *text == '\\')
		printf("\\%c", *text);
	else
		printf("%.*s", len, text);
}

static void json_quote(const char *val)
{
	const unsigned char *text = (const unsigned char *)val;
	int len;

	putchar('"');
	for (; *text; text += len ? len : 1) {
		len = utf8_len(text);
		json_char(text, len);
	}
	putchar('"');
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
		json_quote(name);
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
	json_quote(val);
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
