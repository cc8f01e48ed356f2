// SPDX-License-Identifier: GPL-2.0
/* The lines of devices */
#include <stdio.h>
#include <string.h>

#include "top.h"

static enum color cell_rate(double rate, char *buf)
{
	text_rate(buf, rate);
	return COLOR_NONE;
}

static enum color cell_bits(double bytes, char *buf)
{
	return cell_rate(bytes < 0 ? bytes : bytes * 8, buf);
}

static enum color cell_count(uint64_t count, char *buf)
{
	text_count(buf, count);
	return COLOR_NONE;
}

static enum color dev_id(const void *row, char *buf)
{
	const struct top_dev *dev = row;

	snprintf(buf, TOP_CELL, "%u", dev->id);
	return COLOR_NONE;
}

static enum color dev_ifname(const void *row, char *buf)
{
	const struct top_dev *dev = row;

	snprintf(buf, TOP_CELL, "%s", *dev->name ? dev->name : "?");
	return COLOR_NAME;
}

static enum color dev_rotations(const void *row, char *buf)
{
	const struct top_dev *dev = row;

	return cell_count(dev->stats->key_rotations, buf);
}

/* It is as old as its last rotation; before one is seen, older than our look */
static enum color dev_key_age(const void *row, char *buf)
{
	const struct top_dev *dev = row;
	char age[TOP_TEXT];

	text_age(age, dev->now - (dev->turned ? dev->rotated : dev->since));
	snprintf(buf, TOP_CELL, "%s%s", dev->turned ? "" : ">", age);
	return COLOR_NONE;
}

/* In the first minutes one rotation would be hundreds in an hour */
static enum color dev_rotation_rate(const void *row, char *buf)
{
	const struct top_dev *dev = row;
	double hours = (dev->now - dev->since) / 3600;

	return cell_rate(dev->turned && hours > 0.05 ? dev->turned / hours :
			 TOP_UNKNOWN, buf);
}

static enum color dev_rx_packets(const void *row, char *buf)
{
	return cell_rate(((const struct top_dev *)row)->rx_packets, buf);
}

static enum color dev_rx_bits(const void *row, char *buf)
{
	return cell_bits(((const struct top_dev *)row)->rx_bytes, buf);
}

static enum color dev_tx_packets(const void *row, char *buf)
{
	return cell_rate(((const struct top_dev *)row)->tx_packets, buf);
}

static enum color dev_tx_bits(const void *row, char *buf)
{
	return cell_bits(((const struct top_dev *)row)->tx_bytes, buf);
}

static enum color dev_keys(const void *row, char *buf)
{
	const struct top_dev *dev = row;

	return cell_count(dev->rekey ? dev->rekey->tx_keys : PSP_UNKNOWN, buf);
}

static enum color dev_retired(const void *row, char *buf)
{
	const struct top_dev *dev = row;

	return cell_count(dev->rekey ? dev->rekey->tx_keys_retired :
				       PSP_UNKNOWN, buf);
}

static enum color dev_rekeys(const void *row, char *buf)
{
	return cell_rate(((const struct top_dev *)row)->rekeys, buf);
}

static enum color dev_stale(const void *row, char *buf)
{
	const struct top_dev *dev = row;

	return cell_count(dev->stats->stale_events, buf);
}

static enum color dev_lost(const void *row, char *buf)
{
	const struct top_dev *dev = row;

	text_rate(buf, dev->lost);
	return dev->lost > 0 ? COLOR_BAD : COLOR_NONE;
}

static const struct top_column dev_columns[] = {
	{ "ID", 4, 1, false, dev_id },
	{ "DEVICE", -10, 0, true, dev_ifname },
	{ "ROTATED", 7, 5, false, dev_rotations },
	{ "KEY AGE", 8, 6, false, dev_key_age },
	{ "/HOUR", 5, 11, false, dev_rotation_rate },
	{ "RX PKT/S", 8, 9, false, dev_rx_packets },
	{ "RX BIT/S", 8, 2, false, dev_rx_bits },
	{ "TX PKT/S", 8, 10, false, dev_tx_packets },
	{ "TX BIT/S", 8, 3, false, dev_tx_bits },
	{ "TX KEYS", 7, 8, false, dev_keys },
	{ "RETIRED", 7, 7, false, dev_retired },
	{ "REKEY/S", 7, 12, false, dev_rekeys },
	{ "STALE", 5, 13, false, dev_stale },
	{ "LOST/S", 6, 4, false, dev_lost },
};

static void line_versions(struct top_line *line, const struct psp_dev *dev)
{
	const char *name, *comma = "";
	unsigned int i;

	line_add(line, COLOR_NONE, 0, "     accepts ");
	if (!dev || !dev->versions_ena) {
		line_add(line, COLOR_NONE, 0, dev ? "nothing" : "?");
		return;
	}
	for (i = 0; i < PSP_VERSIONS_NUM; i++) {
		if (!(dev->versions_ena & 1u << i))
			continue;
		name = psp_version_name(i);
		line_addf(line, COLOR_GOOD, "%s%s", comma,
			  strncmp(name, "hdr0-", 5) ? name : name + 5);
		comma = ",";
	}
}

/* Most reasons have never happened: only those that have */
static void line_losses(struct top_line *line, const struct top_dev *dev)
{
	char count[TOP_TEXT], rate[TOP_TEXT];
	const struct top_loss *loss;
	unsigned int i;

	line_add(line, COLOR_NONE, 0, "  lost");
	if (!dev->num_losses)
		line_add(line, COLOR_NONE, 0, " nothing");
	for (i = 0; i < dev->num_losses; i++) {
		loss = &dev->losses[i];
		line_addf(line, COLOR_NONE, " %s ", loss->name);
		line_add(line, loss->rate > 0 ? COLOR_BAD : COLOR_NONE, 0,
			 text_count(count, loss->count));
		if (loss->rate > 0)
			line_addf(line, COLOR_BAD, " (+%s/s)",
				  text_rate(rate, loss->rate));
	}
}

static void page_detail(struct top_page *page, const struct top_dev *dev)
{
	struct top_line line;

	line_start(&line, page->view->width);
	line_versions(&line, dev->dev);
	line_losses(&line, dev);
	page_line(page, &line);
}

static void page_graph(struct top_page *page, const struct top_dev *dev)
{
	char bars[TOP_GRAPH * 3 + 1], rate[TOP_TEXT];
	struct top_line line;
	double max = 0;
	unsigned int i;

	text_graph(bars, sizeof(bars), dev->graph, dev->num_graph, TOP_GRAPH,
		   page->view->utf8);
	for (i = 0; i < dev->num_graph; i++)
		max = dev->graph[i] > max ? dev->graph[i] : max;
	line_start(&line, page->view->width);
	line_addf(&line, COLOR_NONE, "     up to %s bit/s ",
		  text_rate(rate, max * 8));
	line_add(&line, COLOR_ADDR, 0, bars);
	page_line(page, &line);
}

static void page_dev(struct top_page *page, const struct top_table *table,
		     const struct top_dev *dev, unsigned int lines)
{
	struct top_line line;

	line_start(&line, page->view->width);
	table_row(table, &line, dev);
	page_line(page, &line);
	if (lines > 1)
		page_detail(page, dev);
	if (lines > 2)
		page_graph(page, dev);
}

/* Sockets need a place as well: half of the page at most, but for the graphs */
static unsigned int dev_lines(const struct top_page *page, unsigned int *num)
{
	unsigned int room = page->left > 6 ? (page->left - 2) / 2 : 2;

	*num = page->sample->num_devs;
	if (!page->view->height || *num * 3 <= room)
		return page->view->height ? 3 : 2;
	if (*num * 2 <= room)
		return 2;
	if (*num > room)
		*num = room > 1 ? room - 1 : 1;
	return 1;
}

void page_devs(struct top_page *page)
{
	const struct top_sample *sample = page->sample;
	unsigned int i, num, lines = dev_lines(page, &num);
	struct top_table table;
	struct top_line line;

	table_start(&table, dev_columns, ARRAY_SIZE(dev_columns));
	for (i = 0; i < num; i++)
		table_see(&table, &sample->dev[i]);
	table_fit(&table, page->view->width);
	line_start(&line, page->view->width);
	table_head(&table, &line);
	page_line(page, &line);
	for (i = 0; i < num; i++)
		page_dev(page, &table, &sample->dev[i], lines);
	line_start(&line, page->view->width);
	if (!sample->num_devs)
		line_add(&line, COLOR_NONE, 0, "     no PSP device");
	else if (num < sample->num_devs)
		line_addf(&line, COLOR_NONE, "     and %u more",
			  sample->num_devs - num);
	if (line.len)
		page_line(page, &line);
}
