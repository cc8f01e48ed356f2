// SPDX-License-Identifier: GPL-2.0
/* The lines of sockets */
#include <stdio.h>
#include <string.h>

#include "top.h"

static const struct psp_assoc *assoc_of(const void *row)
{
	return ((const struct top_sock *)row)->assoc;
}

static enum color sock_state(const void *row, char *buf)
{
	const struct psp_assoc *assoc = assoc_of(row);

	if (key_is_stale(assoc->rx)) {
		snprintf(buf, TOP_CELL, "stale");
		return COLOR_BAD;
	}
	snprintf(buf, TOP_CELL, "%s", known_or(psp_state_name(assoc->state)));
	return assoc->state == PSP_STATE_FULL ? COLOR_GOOD : COLOR_NONE;
}

static enum color sock_device(const void *row, char *buf)
{
	const struct top_sock *sock = row;

	if (sock->dev && *sock->dev->name)
		snprintf(buf, TOP_CELL, "%s", sock->dev->name);
	else
		snprintf(buf, TOP_CELL, "%u", sock->assoc->dev_id);
	return COLOR_NAME;
}

/* All begin alike */
static enum color sock_version(const void *row, char *buf)
{
	const char *name = known_or(psp_version_name(assoc_of(row)->version));

	snprintf(buf, TOP_CELL, "%s",
		 strncmp(name, "hdr0-", 5) ? name : name + 5);
	return COLOR_NONE;
}

static enum color sock_local(const void *row, char *buf)
{
	const struct psp_assoc *assoc = assoc_of(row);

	assoc_end(assoc, assoc->local_addr, assoc->local_port, buf);
	return COLOR_ADDR;
}

static enum color sock_peer(const void *row, char *buf)
{
	const struct psp_assoc *assoc = assoc_of(row);

	assoc_end(assoc, assoc->remote_addr, assoc->remote_port, buf);
	return COLOR_ADDR;
}

static enum color cell_spi(const struct psp_assoc_key *key, char *buf)
{
	snprintf(buf, TOP_CELL, key ? "%08x" : "-", key ? key->spi : 0);
	return COLOR_NONE;
}

static enum color sock_rx_spi(const void *row, char *buf)
{
	return cell_spi(assoc_of(row)->rx, buf);
}

static enum color sock_tx_spi(const void *row, char *buf)
{
	return cell_spi(assoc_of(row)->tx, buf);
}

static enum color cell_age(const struct psp_assoc_key *key, char *buf)
{
	if (key)
		text_age(buf, key->age);
	else
		snprintf(buf, TOP_CELL, "-");
	return COLOR_NONE;
}

static enum color sock_rx_age(const void *row, char *buf)
{
	return cell_age(assoc_of(row)->rx, buf);
}

static enum color sock_tx_age(const void *row, char *buf)
{
	return cell_age(assoc_of(row)->tx, buf);
}

static enum color sock_rotations(const void *row, char *buf)
{
	const struct psp_assoc_key *rx = assoc_of(row)->rx;

	text_count(buf, rx ? rx->rotations : PSP_UNKNOWN);
	return key_is_stale(rx) ? COLOR_BAD : COLOR_NONE;
}

static enum color sock_rx_rekeys(const void *row, char *buf)
{
	text_count(buf, assoc_of(row)->rx_rekeys);
	return COLOR_NONE;
}

static enum color sock_tx_rekeys(const void *row, char *buf)
{
	text_count(buf, assoc_of(row)->tx_rekeys);
	return COLOR_NONE;
}

static enum color cell_bits(const void *row, int way, char *buf)
{
	double rate = ((const struct top_sock *)row)->rates[way];

	text_rate(buf, rate < 0 ? rate : rate * 8);
	return COLOR_NONE;
}

static enum color sock_rx_bits(const void *row, char *buf)
{
	return cell_bits(row, 0, buf);
}

static enum color sock_tx_bits(const void *row, char *buf)
{
	return cell_bits(row, 1, buf);
}

static enum color sock_cookie(const void *row, char *buf)
{
	snprintf(buf, TOP_CELL, "%llu", ULL(assoc_of(row)->cookie));
	return COLOR_NONE;
}

static const struct top_column sock_columns[] = {
	{ "STATE", -10, 2, false, sock_state },
	{ "DEVICE", -8, 8, false, sock_device },
	{ "VERSION", -12, 11, false, sock_version },
	{ "LOCAL", -17, 9, true, sock_local },
	{ "PEER", -17, 0, true, sock_peer },
	{ "RX SPI", 8, 10, false, sock_rx_spi },
	{ "RX AGE", 7, 5, false, sock_rx_age },
	{ "ROT", 3, 1, false, sock_rotations },
	{ "TX SPI", 8, 13, false, sock_tx_spi },
	{ "TX AGE", 7, 12, false, sock_tx_age },
	{ "RX REK", 6, 6, false, sock_rx_rekeys },
	{ "TX REK", 6, 7, false, sock_tx_rekeys },
	{ "RX BIT/S", 8, 3, false, sock_rx_bits },
	{ "TX BIT/S", 8, 4, false, sock_tx_bits },
	{ "COOKIE", 8, 14, false, sock_cookie },
};

/* Those that there is room for; returns the one after the last */
static unsigned int page_range(const struct top_page *page, unsigned int head)
{
	unsigned int num = page->sample->num_socks;
	struct top_view *view = page->view;

	view->rows = !view->height ? num :
		     page->left > head ? page->left - head : 0;
	if (view->rows > num)
		view->rows = num;
	if (view->first > num - view->rows)
		view->first = num - view->rows;
	return view->first + view->rows;
}

static void page_none(struct top_page *page)
{
	const char *why = page->sample->why;
	struct top_line line;

	line_start(&line, page->view->width);
	line_addf(&line, COLOR_NONE, "no socket%s%s", *why ? ": " : "", why);
	page_line(page, &line);
}

void page_socks(struct top_page *page)
{
	const struct top_sample *sample = page->sample;
	unsigned int i, end = page_range(page, 1);
	struct top_view *view = page->view;
	struct top_table table;
	struct top_line line;

	table_start(&table, sock_columns, ARRAY_SIZE(sock_columns));
	for (i = view->first; i < end; i++)
		table_see(&table, sample->order[i]);
	table_fit(&table, view->width);
	line_start(&line, view->width);
	table_head(&table, &line);
	page_line(page, &line);
	if (!sample->num_socks)
		page_none(page);
	for (i = view->first; i < end; i++) {
		line_start(&line, view->width);
		table_row(&table, &line, sample->order[i]);
		page_line(page, &line);
	}
}
