// SPDX-License-Identifier: GPL-2.0
/* Strings of JSON */
#include "tool.h"

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

static void json_char(FILE *to, const unsigned char *text, int len)
{
	if (!len)
		fputs("\\ufffd", to);
	else if (*text < ' ' || *text == 0x7f)
		fprintf(to, "\\u%04x", *text);
	else if (*text == 0xc2 && text[1] < 0xa0)
		fprintf(to, "\\u%04x", text[1]);
	else if (*text == '"' || *text == '\\')
		fprintf(to, "\\%c", *text);
	else
		fprintf(to, "%.*s", len, text);
}

void json_quote(FILE *to, const char *val)
{
	const unsigned char *text = (const unsigned char *)val;
	int len;

	fputc('"', to);
	for (; *text; text += len ? len : 1) {
		len = utf8_len(text);
		json_char(to, text, len);
	}
	fputc('"', to);
}
