// SPDX-License-Identifier: GPL-2.0
/* What keys do to the view */
#include "top.h"

#define INTERVAL_MIN	0.1
#define INTERVAL_MAX	60

static void view_sort(struct top_view *view, enum top_sort sort)
{
	view->sort = sort;
	view->reverse = false;
	view->first = 0;
}

static void view_interval(struct top_view *view, double factor)
{
	view->interval *= factor;
	if (view->interval < INTERVAL_MIN)
		view->interval = INTERVAL_MIN;
	if (view->interval > INTERVAL_MAX)
		view->interval = INTERVAL_MAX;
}

/* By so many rows; where sockets end, page_make() knows */
static void view_scroll(struct top_view *view, unsigned int rows, bool down)
{
	if (down)
		view->first += rows;
	else
		view->first = view->first > rows ? view->first - rows : 0;
}

static void view_move(struct top_view *view, int key, unsigned int num_socks)
{
	unsigned int page = view->rows > 1 ? view->rows - 1 : 1;

	switch (key) {
	case TOP_KEY_UP:
	case TOP_KEY_DOWN:
		view_scroll(view, 1, key == TOP_KEY_DOWN);
		break;
	case TOP_KEY_PAGE_UP:
	case TOP_KEY_PAGE_DOWN:
		view_scroll(view, page, key == TOP_KEY_PAGE_DOWN);
		break;
	case TOP_KEY_HOME:
		view->first = 0;
		break;
	case TOP_KEY_END:
		view->first = num_socks;
		break;
	}
}

bool view_key(struct top_view *view, int key, unsigned int num_socks)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case ' ':
	case 'p':
		view->paused = !view->paused;
		break;
	case '>':
		view_sort(view, (view->sort + 1) % SORTS_NUM);
		break;
	case '<':
		view_sort(view, (view->sort + SORTS_NUM - 1) % SORTS_NUM);
		break;
	case 'r':
	case 'R':
		view->reverse = !view->reverse;
		break;
	case '+':
		view_interval(view, 2);
		break;
	case '-':
		view_interval(view, 0.5);
		break;
	case '?':
	case 'h':
		view->help = !view->help;
		break;
	default:
		view_move(view, key, num_socks);
	}
	return true;
}
