// SPDX-License-Identifier: GPL-2.0
/* The lines of a page, from top to bottom */
#include "top.h"

#define HEIGHT_MIN	8

static const char help[] =
	"q quit  space pause  < > sort  r reverse  arrows scroll  "
	"+ - interval  h help";

void page_line(struct top_page *page, const struct top_line *line)
{
	if (!page->left)
		return;
	page->left--;
	page->emit(page->arg, line);
}

static const char *plural(unsigned int num)
{
	return num == 1 ? "" : "s";
}

static void title_socks(struct top_line *line, const struct top_page *page)
{
	const struct top_sample *sample = page->sample;

	if (*sample->why)
		return;
	line_addf(line, COLOR_NONE, ", %u socket%s: %u full, ",
		  sample->num_socks, plural(sample->num_socks),
		  sample->num_full);
	line_addf(line, sample->num_stale ? COLOR_BAD : COLOR_NONE,
		  "%u stale", sample->num_stale);
}

static void page_title(struct top_page *page)
{
	const struct top_view *view = page->view;
	struct top_line line;

	line_start(&line, view->width);
	line_addf(&line, COLOR_NONE, "pspctl top %s", page->sample->clock);
	if (view->paused)
		line_add(&line, COLOR_BAD, 0, " paused");
	else
		line_addf(&line, COLOR_NONE, " every %g s", view->interval);
	line_addf(&line, COLOR_NONE, " by %s%s, %u device%s",
		  view->reverse ? "-" : "", sort_name(view->sort),
		  page->sample->num_devs, plural(page->sample->num_devs));
	title_socks(&line, page);
	page_line(page, &line);
}

static void page_blank(struct top_page *page)
{
	struct top_line line;

	line_start(&line, page->view->width);
	page_line(page, &line);
}

/* The last line stays in its place, whatever comes above */
static void page_help(struct top_page *page)
{
	struct top_line line;

	while (page->left > 1)
		page_blank(page);
	line_start(&line, page->view->width);
	line_add(&line, COLOR_HEAD, 0, help);
	page_line(page, &line);
}

static void page_small(struct top_page *page)
{
	struct top_line line;

	line_start(&line, page->view->width);
	line_addf(&line, COLOR_BAD, "needs %dx%d", TOP_WIDTH_MIN, HEIGHT_MIN);
	page_line(page, &line);
}

void page_make(const struct top_sample *sample, struct top_view *view,
	       top_emit_t emit, void *arg)
{
	struct top_page page = { sample, view, emit, arg, view->height };
	bool last = view->height && view->help;

	if (!view->height)
		page.left = UINT32_MAX;
	if (view->width < TOP_WIDTH_MIN || page.left < HEIGHT_MIN) {
		page_small(&page);
		return;
	}
	page_title(&page);
	page_devs(&page);
	page_blank(&page);
	page.left -= last;
	page_socks(&page);
	page.left += last;
	if (last)
		page_help(&page);
}
