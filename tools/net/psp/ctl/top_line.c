// SPDX-License-Identifier: GPL-2.0
/* Lines and tables: columns of a terminal, whatever the encoding */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

void line_start(struct top_line *line, unsigned int width)
{
	line->text[0] = '\0';
	line->len = 0;
	line->cols = 0;
	line->width = width < TOP_LINE / 4 ? width : TOP_LINE / 4;
	line->head = false;
	line->num_runs = 0;
}

static void line_put(struct top_line *line, const char *text, unsigned int len,
		     unsigned int cols)
{
	if (line->cols + cols > line->width || line->len + len >= TOP_LINE)
		return;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->cols += cols;
	line->text[line->len] = '\0';
}

static void line_fill(struct top_line *line, unsigned int cols)
{
	while (cols--)
		line_put(line, " ", 1, 1);
}

/* As out_char(), where "?" takes the place of a byte that may not be printed */
static unsigned int shown_len(const char *text, unsigned int *cols)
{
	unsigned int len = out_char(text, cols);

	if (len)
		return len;
	*cols = 1;
	return 1;
}

static unsigned int text_cols(const char *text)
{
	unsigned int cols, sum = 0;

	while (*text) {
		text += shown_len(text, &cols);
		sum += cols;
	}
	return sum;
}

/* As much of it as there is room for */
static void line_text(struct top_line *line, const char *text,
		      unsigned int room)
{
	unsigned int len, cols, left = text_cols(text);
	const char *shown;

	for (; *text; text += len) {
		len = shown_len(text, &cols);
		if (left > room && cols >= room) {
			line_put(line, "~", 1, 1);
			return;
		}
		shown = out_char(text, &cols) ? text : "?";
		line_put(line, shown, len, cols);
		left -= cols;
		room -= cols;
	}
}

void line_add(struct top_line *line, enum color color, int cols,
	      const char *text)
{
	unsigned int room = line->width - line->cols, used = text_cols(text);

	if (cols && (unsigned int)abs(cols) < room)
		room = abs(cols);
	used = used < room ? used : room;
	if (cols > 0)
		line_fill(line, room - used);
	line_text(line, text, room);
	if (cols < 0)
		line_fill(line, room - used);
	if (line->num_runs == TOP_RUNS)
		line->num_runs--;
	line->runs[line->num_runs].end = line->len;
	line->runs[line->num_runs++].color = color;
}

void line_addf(struct top_line *line, enum color color, const char *fmt, ...)
{
	char text[TOP_LINE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	line_add(line, color, 0, text);
}

static unsigned int table_cols(const struct top_table *table)
{
	unsigned int i, sum = 0;

	for (i = 0; i < table->num; i++)
		sum += abs(table->columns[i].cols) + !!i;
	return sum;
}

/* Take out what may be missed most easily */
static void table_drop(struct top_table *table)
{
	unsigned int i, after, worst = 0;

	for (i = 1; i < table->num; i++)
		if (table->columns[i].rank >= table->columns[worst].rank)
			worst = i;
	after = --table->num - worst;
	memmove(&table->columns[worst], &table->columns[worst + 1],
		after * sizeof(table->columns[0]));
	memmove(&table->want[worst], &table->want[worst + 1],
		after * sizeof(table->want[0]));
}

void table_start(struct top_table *table, const struct top_column *columns,
		 unsigned int num)
{
	table->num = num;
	memcpy(table->columns, columns, num * sizeof(*columns));
	memset(table->want, 0, sizeof(table->want));
}

void table_see(struct top_table *table, const void *row)
{
	unsigned int i, cols;
	char text[TOP_CELL];

	for (i = 0; i < table->num; i++) {
		if (!table->columns[i].grows)
			continue;
		table->columns[i].cell(row, text);
		cols = text_cols(text);
		if (cols > table->want[i])
			table->want[i] = cols;
	}
}

/* One step each, so that none takes all */
static unsigned int table_grow(struct top_table *table, unsigned int room)
{
	unsigned int i, grown = 0;

	for (i = 0; i < table->num && grown < room; i++) {
		if (table->want[i] <= (unsigned int)abs(table->columns[i].cols))
			continue;
		table->columns[i].cols += table->columns[i].cols < 0 ? -1 : 1;
		grown++;
	}
	return grown;
}

void table_fit(struct top_table *table, unsigned int width)
{
	while (table->num > 1 && table_cols(table) > width)
		table_drop(table);
	while (table_cols(table) < width &&
	       table_grow(table, width - table_cols(table)))
		;
}

void table_head(const struct top_table *table, struct top_line *line)
{
	unsigned int i;

	line->head = true;
	for (i = 0; i < table->num; i++) {
		if (i)
			line_add(line, COLOR_HEAD, 0, " ");
		line_add(line, COLOR_HEAD, table->columns[i].cols,
			 table->columns[i].title);
	}
}

void table_row(const struct top_table *table, struct top_line *line,
	       const void *row)
{
	char text[TOP_CELL];
	enum color color;
	unsigned int i;

	for (i = 0; i < table->num; i++) {
		if (i)
			line_add(line, COLOR_NONE, 0, " ");
		*text = '\0';
		color = table->columns[i].cell(row, text);
		line_add(line, color, table->columns[i].cols, text);
	}
}
