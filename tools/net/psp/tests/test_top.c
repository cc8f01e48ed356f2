// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* pspctl top without a terminal: what is computed, and the lines of pages */
#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>

#include "check.h"
#include "fake.h"
#undef ARRAY_SIZE
#include "top.h"

#define LINES_MAX	128

/* What pspctl.c has */
struct ctl ctl;
const struct command cmds_top[1];
static struct psp_ctx *kernel;

struct psp_ctx *psp(void)
{
	if (!kernel)
		CHECK_OR_DIE(!psp_open(&kernel));
	return kernel;
}

/* A page as it was made */
static struct {
	char text[LINES_MAX][TOP_LINE];
	unsigned int num;
	unsigned int cols;
} got;

static void collect(void *arg, const struct top_line *line)
{
	CHECK_OR_DIE(got.num < LINES_MAX);
	snprintf(got.text[got.num++], TOP_LINE, "%s", line->text);
	if (line->cols > got.cols)
		got.cols = line->cols;
}

static void page(const struct top_sample *sample, struct top_view *view)
{
	got.num = 0;
	got.cols = 0;
	page_make(sample, view, collect, NULL);
}

/* The first line with both in it, or "" */
static const char *line_with(const char *word, const char *other)
{
	unsigned int i;

	for (i = 0; i < got.num; i++)
		if (strstr(got.text[i], word) && strstr(got.text[i], other))
			return got.text[i];
	return "";
}

#define HAS(word, other)	CHECK(*line_with(word, other))
#define HAS_NOT(word)		CHECK(!*line_with(word, ""))

static void numbers(void)
{
	static const struct {
		double val;
		const char *want;
	} rates[] = {
		{ TOP_UNKNOWN, "-" }, { 0, "0" }, { 0.004, "0.00" },
		{ 7, "7" }, { 9.994, "9.99" }, { 9.996, "10.0" },
		{ 99.94, "99.9" }, { 99.96, "100" }, { 999, "999" },
		{ 999.4, "999" }, { 999.6, "1.00k" }, { 12345, "12.3k" },
		{ 999600, "1.00M" }, { 1.5e9, "1.50G" }, { 2e15, "2.00P" },
		{ 1.8e19, "18.0E" }, { 1e23, "100000E" },
	}, ages[] = {
		{ -1, "0s" }, { 0.9, "0s" }, { 119, "119s" }, { 120, "2m00s" },
		{ 7199, "119m59s" }, { 7200, "2h00m" }, { 172799, "47h59m" },
		{ 172800, "2d00h" }, { 4294967295, "49710d06h" },
	};
	char buf[TOP_TEXT];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rates); i++)
		CHECK_STR(rates[i].want, text_rate(buf, rates[i].val));
	for (i = 0; i < ARRAY_SIZE(ages); i++)
		CHECK_STR(ages[i].want, text_age(buf, ages[i].val));
	CHECK_STR("99999", text_count(buf, 99999));
	CHECK_STR("100k", text_count(buf, 100000));
	CHECK_STR("18.4E", text_count(buf, UINT64_MAX - 1));
	CHECK_STR("-", text_count(buf, PSP_UNKNOWN));
}

static void graph(void)
{
	const double vals[] = { 100, 0, 1, 50, 100 }, none[] = { 0, 0 };
	char buf[32];

	text_graph(buf, sizeof(buf), vals, 5, 4, false);
	CHECK_STR(" _-#", buf);
	text_graph(buf, sizeof(buf), vals, 5, 5, true);
	CHECK_STR("\u2588 \u2581\u2584\u2588", buf);
	text_graph(buf, 4, vals, 5, 5, true);
	CHECK_STR("\u2588", buf);
	text_graph(buf, sizeof(buf), none, 2, 5, false);
	CHECK_STR("  ", buf);
	text_graph(buf, sizeof(buf), none, 0, 5, false);
	CHECK_STR("", buf);
}

static const char *line_of(unsigned int width, int cols, const char *text)
{
	static struct top_line line;

	line_start(&line, width);
	line_add(&line, COLOR_NONE, cols, text);
	CHECK(line.cols <= width);
	return line.text;
}

static void lines(void)
{
	CHECK_STR("  abc", line_of(10, 5, "abc"));
	CHECK_STR("abc  ", line_of(10, -5, "abc"));
	CHECK_STR("abc", line_of(10, 0, "abc"));
	CHECK_STR("abcde", line_of(10, 5, "abcde"));
	CHECK_STR("abcd~", line_of(10, -5, "abcdef"));
	CHECK_STR("ab~", line_of(3, 0, "abcdef"));
	CHECK_STR("~", line_of(1, 8, "abcdef"));
	CHECK_STR("", line_of(0, 8, "abcdef"));
	CHECK_STR("a?b?c?", line_of(10, 0, "a\033b\177c\n"));
}

static const char *printed(const char *text, bool json)
{
	static char *buf;
	FILE *real = stdout;
	size_t len;

	free(buf);
	stdout = open_memstream(&buf, &len);
	if (json)
		json_str(NULL, text);
	else
		out_column(COLOR_NONE, 6, "%s", text);
	fclose(stdout);
	stdout = real;
	return buf;
}

/* What a terminal would obey, in whatever form, is not what it gets */
static void controls(void)
{
	CHECK_OR_DIE(setlocale(LC_CTYPE, "C.UTF-8"));
	CHECK_STR("a?b?c ", printed("a\033b\177c", false));
	CHECK_STR("a??31m", printed("a\302\23331m", false));
	CHECK_STR("?a    ", printed("\233a", false));
	CHECK_STR("\u00e9t\u00e9   ", printed("\u00e9t\u00e9", false));
	CHECK_STR("\"a\\u001b\\u007f\"", printed("a\033\177", true));
	CHECK_STR("\"a\\u009b31m\\u0080\"",
		  printed("a\302\23331m\302\200", true));
	CHECK_STR("\"\\ufffd\u00e9\u00a0\"",
		  printed("\x9b\u00e9\u00a0", true));
	setlocale(LC_CTYPE, "C");
	CHECK_STR("a??31m", printed("a\302\23331m", false));
}

/* Columns are what counts, not bytes */
static void lines_utf8(void)
{
	CHECK_OR_DIE(setlocale(LC_CTYPE, "C.UTF-8"));
	CHECK_STR("  \u00e9t\u00e9", line_of(10, 5, "\u00e9t\u00e9"));
	CHECK_STR("\u00e9~", line_of(10, -2, "\u00e9t\u00e9"));
	CHECK_STR("  \u6f22", line_of(10, 4, "\u6f22"));
	CHECK_STR("a~", line_of(2, 0, "a\u6f22b"));
	CHECK_STR("?x?\u00e9", line_of(10, 0, "\xffx\xc3\u00e9"));
	CHECK_STR("???????", line_of(10, 0, "\xc2\x85\u200b\xed\xa0"));
	CHECK_OR_DIE(setlocale(LC_CTYPE, "C"));
	CHECK_STR("??t", line_of(10, 0, "\u00e9t"));
}

/* Devices and sockets, made by hand; sample_free() is not for them */
static struct world {
	struct top_sample sample;
	struct psp_dev dev[2];
	struct psp_stats stats[2];
	struct psp_rekey_stats rekey[2];
	uint64_t drops[2][16];
	struct psp_assoc assoc[3];
	struct psp_assoc_key key[3];
} before, after;

static void world_socks(struct world *world)
{
	struct psp_assoc *assoc;
	int i;

	for (i = 0; i < 3; i++) {
		assoc = &world->assoc[i];
		*assoc = (struct psp_assoc){
			.next = i < 2 ? assoc + 1 : NULL, .dev_id = 7 - 3 * i,
			.cookie = 30 - 10 * i, .family = i == 2 ? 0 : AF_INET,
			.local_port = 4433, .remote_port = 1000 + i,
			.remote_addr = { 10, 0, 0, 9 - i },
			.version = PSP_AES_GCM_128, .state = PSP_STATE_FULL,
			.rx = &world->key[i], .rx_rekeys = i,
		};
		world->key[i] = (struct psp_assoc_key){
			.spi = 0x1000 + i, .age = 50 * i, .rotations = i,
		};
	}
}

static void world_make(struct world *world, double time)
{
	int i;

	free(world->sample.dev);
	free(world->sample.sock);
	free(world->sample.order);
	memset(world, 0, sizeof(*world));
	for (i = 0; i < 2; i++) {
		world->dev[i].id = i ? 4 : 7;
		world->dev[i].versions_ena = 1 << i;
		world->stats[i].dev_id = i ? 4 : 7;
		world->rekey[i].dev_id = i ? 4 : 7;
		world->rekey[i].num_drops = 16;
		world->rekey[i].drops = world->drops[i];
	}
	world->dev[0].next = &world->dev[1];
	world->stats[0].next = &world->stats[1];
	world->rekey[0].next = &world->rekey[1];
	world_socks(world);
	world->sample = (struct top_sample){
		.time = time, .clock = "12:00:00", .devs = world->dev,
		.stats = world->stats, .rekey = world->rekey,
		.assocs = world->assoc,
	};
}

static void worlds_compare(void)
{
	CHECK_OR_DIE(!sample_tables(&before.sample));
	CHECK_OR_DIE(!sample_tables(&after.sample));
	sample_compare(&before.sample, NULL);
	sample_compare(&after.sample, &before.sample);
}

static void rates(void)
{
	struct top_dev *dev;

	world_make(&before, 100);
	world_make(&after, 102);
	after.stats[1].rx_packets = 10;
	after.stats[1].tx_bytes = 500;
	before.stats[1].rx_bytes = PSP_UNKNOWN;
	after.rekey[1].rx_rekeys = 3;
	after.rekey[1].tx_rekeys = 1;
	worlds_compare();
	dev = sample_dev(&before.sample, 4);
	CHECK(dev->rx_packets == TOP_UNKNOWN && dev->lost == TOP_UNKNOWN);
	CHECK(dev->rekeys == TOP_UNKNOWN && !dev->num_graph);
	dev = sample_dev(&after.sample, 4);
	CHECK(dev == after.sample.dev && dev->dev == &after.dev[1]);
	CHECK(dev->rekey == &after.rekey[1]);
	CHECK(dev->rx_packets == 5 && dev->tx_bytes == 250);
	CHECK(dev->rx_bytes == TOP_UNKNOWN && dev->tx_packets == 0);
	CHECK(dev->rekeys == 2 && dev->lost == 0 && !dev->num_graph);
	dev = sample_dev(&after.sample, 7);
	CHECK(dev->rx_packets == 0 && dev->num_graph == 1);
	CHECK(!sample_dev(&after.sample, 5));
}

static void losses(void)
{
	struct top_dev *dev;

	world_make(&before, 100);
	world_make(&after, 102);
	after.stats[0].rx_auth_fail = 6;
	before.stats[0].rx_bad = 3;
	after.stats[0].rx_bad = 3;
	after.drops[0][2] = 4;
	after.drops[0][15] = PSP_UNKNOWN;
	worlds_compare();
	dev = sample_dev(&after.sample, 7);
	CHECK(dev->lost == 5 && dev->num_losses == 3);
	CHECK_STR("rx-auth-fail", dev->losses[0].name);
	CHECK(dev->losses[0].count == 6 && dev->losses[0].rate == 3);
	CHECK_STR("rx-bad", dev->losses[1].name);
	CHECK(dev->losses[1].count == 3 && dev->losses[1].rate == 0);
	CHECK_STR("no-state", dev->losses[2].name);
	CHECK(dev->losses[2].count == 4 && dev->losses[2].rate == 2);
	CHECK(!sample_dev(&after.sample, 4)->num_losses);
}

static void rotations(void)
{
	struct top_view view = { .width = 200, .interval = 1 };
	struct top_dev *dev;

	world_make(&before, 1000);
	world_make(&after, 1360);
	after.stats[0].key_rotations = 2;
	worlds_compare();
	dev = sample_dev(&after.sample, 7);
	CHECK(dev->turned == 2 && dev->rotated == 1360 && dev->since == 1000);
	page(&after.sample, &view);
	HAS("  7 ?", " 2       0s    20 ");
	HAS("  4 ?", " 0   >6m00s     - ");
}

/* One rotation in a second is not 3600 in an hour */
static void first_minutes(void)
{
	struct top_view view = { .width = 200, .interval = 1 };

	world_make(&before, 1000);
	world_make(&after, 1001);
	after.stats[0].key_rotations = 1;
	worlds_compare();
	page(&after.sample, &view);
	HAS("  7 ?", " 1       0s     - ");
}

/* Another device has come under the same number */
static void restart(void)
{
	struct top_dev *dev;

	world_make(&before, 100);
	world_make(&after, 102);
	before.stats[0].rx_packets = 1000;
	after.stats[0].rx_packets = 10;
	after.stats[0].tx_packets = 10;
	worlds_compare();
	dev = sample_dev(&after.sample, 7);
	CHECK(dev->tx_packets == TOP_UNKNOWN && dev->since == 102);
	CHECK(!dev->num_graph && dev->lost == TOP_UNKNOWN);
}

/* Another one, whose counters do not tell, but whose interface does */
static void moved(void)
{
	world_make(&before, 100);
	world_make(&after, 102);
	before.dev[1].ifindex = 5;
	after.dev[1].ifindex = 6;
	worlds_compare();
	CHECK(sample_dev(&after.sample, 4)->since == 102);
	CHECK(sample_dev(&after.sample, 7)->since == 100);
}

/* One has gone, one has come */
static void vanish(void)
{
	world_make(&before, 100);
	world_make(&after, 102);
	before.sample.stats = &before.stats[1];
	before.sample.assocs = &before.assoc[1];
	after.stats[0].next = NULL;
	after.assoc[0].next = NULL;
	worlds_compare();
	CHECK(before.sample.num_devs == 1 && after.sample.num_devs == 1);
	CHECK(after.sample.dev->id == 7);
	CHECK(after.sample.dev->rx_packets == TOP_UNKNOWN);
	CHECK(after.sample.num_socks == 1);
	CHECK(after.sample.sock->rates[0] == TOP_UNKNOWN);
	CHECK(!before.sample.sock[0].dev);
	CHECK(before.sample.sock[1].dev == before.sample.dev);
}

static void history(void)
{
	struct top_sample *old = &before.sample, *new = &after.sample, *tmp;
	int i;

	world_make(&before, 100);
	world_make(&after, 101);
	after.stats[0].rx_bytes = 64;
	worlds_compare();
	for (i = 0; i < 2 * TOP_GRAPH + 9; i++) {
		tmp = old;
		old = new;
		new = tmp;
		new->time = old->time + 1;
		new->dev[1].num_losses = 0;
		new->dev[1].num_graph = 0;
		new->stats->rx_bytes = old->stats->rx_bytes + i;
		sample_compare(new, old);
	}
	CHECK(new->dev[1].id == 7 && new->dev[1].num_graph == TOP_GRAPH);
	CHECK(new->dev[1].graph[TOP_GRAPH - 1] == i - 1);
	CHECK(new->dev[1].graph[0] == i - TOP_GRAPH);
}

static void order(enum top_sort sort, bool reverse, const char *want)
{
	char text[64] = "";
	unsigned int i;

	sample_sort(&after.sample, sort, reverse);
	for (i = 0; i < after.sample.num_socks; i++)
		sprintf(text + strlen(text), "%llu ",
			ULL(after.sample.order[i]->assoc->cookie));
	CHECK_STR(want, text);
}

static void sorting(void)
{
	world_make(&before, 100);
	world_make(&after, 102);
	worlds_compare();
	CHECK(after.sample.num_full == 3 && after.sample.num_stale == 1);
	order(SORT_RATE, false, "10 20 30 ");
	order(SORT_RATE, true, "10 20 30 ");
	sample_sock(&after.sample, 20)->rates[1] = 5;
	order(SORT_RATE, false, "20 10 30 ");
	order(SORT_AGE, false, "10 20 30 ");
	order(SORT_AGE, true, "30 20 10 ");
	order(SORT_ROTATIONS, false, "10 20 30 ");
	after.key[1].rotations = PSP_UNKNOWN;
	order(SORT_ROTATIONS, false, "10 30 20 ");
	after.assoc[2].rx = NULL;
	order(SORT_ROTATIONS, false, "30 10 20 ");
	order(SORT_REKEYS, false, "10 20 30 ");
	order(SORT_PEER, false, "20 30 10 ");
	order(SORT_PEER, true, "10 30 20 ");
	order(SORT_DEVICE, false, "10 20 30 ");
	CHECK(sort_parse("rot") == SORT_ROTATIONS && sort_parse("x") == -1);
	CHECK(!sample_sock(&after.sample, 25));
}

static void keys(void)
{
	struct top_view view = { .interval = 1, .rows = 10 };

	CHECK(!view_key(&view, 'q', 0) && !view_key(&view, 'Q', 0));
	CHECK(view_key(&view, ' ', 0) && view.paused);
	CHECK(view_key(&view, 'p', 0) && !view.paused);
	view.first = 5;
	CHECK(view_key(&view, '<', 0) && view.sort == SORT_DEVICE);
	CHECK(!view.first);
	CHECK(view_key(&view, 'r', 0) && view.reverse);
	CHECK(view_key(&view, '>', 0) && view.sort == SORT_RATE);
	CHECK(!view.reverse);
	CHECK(view_key(&view, '+', 0) && view.interval == 2);
	while (view.interval > 0.1)
		view_key(&view, '-', 0);
	CHECK(view.interval == 0.1);
	CHECK(view_key(&view, 'h', 0) && view.help);
	CHECK(view_key(&view, TOP_KEY_DOWN, 99) && view.first == 1);
	CHECK(view_key(&view, TOP_KEY_PAGE_DOWN, 99) && view.first == 10);
	CHECK(view_key(&view, TOP_KEY_UP, 99) && view.first == 9);
	CHECK(view_key(&view, TOP_KEY_PAGE_UP, 99) && view.first == 0);
	CHECK(view_key(&view, TOP_KEY_UP, 99) && view.first == 0);
	CHECK(view_key(&view, TOP_KEY_END, 99) && view.first == 99);
	CHECK(view_key(&view, TOP_KEY_HOME, 99) && view.first == 0);
	CHECK(view_key(&view, 0, 99) && view_key(&view, 'z', 99));
}

/* Whatever the size, a page fits, and its last line is that with help */
static void sizes(void)
{
	struct top_view view = { .help = true, .interval = 1 };
	unsigned int step = check_many(1, 11);

	world_make(&before, 100);
	world_make(&after, 102);
	worlds_compare();
	for (view.height = 1; view.height < 42; view.height++)
		for (view.width = 1; view.width < 300; view.width += step) {
			page(&after.sample, &view);
			CHECK(got.num <= view.height && got.num);
			CHECK(got.cols <= view.width);
			if (view.height < 8 || view.width < 40)
				CHECK(got.num == 1);
			else
				CHECK(got.num == view.height);
		}
	HAS("q quit", "scroll");
	CHECK(!strncmp(got.text[got.num - 1], "q quit", 6));
	HAS("STATE", "COOKIE");
	HAS("stale", "*:*");
	HAS("full", "10.0.0.9:1000");
	HAS("accepts aes-gcm-128", "lost nothing");
	HAS("up to 0 bit/s", "");
}

/* What matters stays where there is little room */
static void narrow(void)
{
	struct top_view view = { .width = 40, .height = 20, .interval = 1 };

	world_make(&before, 100);
	world_make(&after, 102);
	worlds_compare();
	page(&after.sample, &view);
	HAS("STATE", "PEER");
	HAS("DEVICE", "RX BIT/S");
	HAS_NOT("COOKIE");
	HAS("full", "10.0.0.9:1000");
}

static void nothing_there(void)
{
	struct top_view view = { .width = 80, .height = 24, .interval = 1 };
	struct top_sample sample = { .clock = "12:00:00" };

	CHECK_OR_DIE(!sample_tables(&sample));
	sample_compare(&sample, NULL);
	page(&sample, &view);
	HAS("no PSP device", "");
	HAS("no socket", "");
	HAS("0 devices, 0 sockets", "");
	snprintf(sample.why, sizeof(sample.why), "not for you");
	page(&sample, &view);
	HAS("no socket: not for you", "");
	free(sample.dev);
	free(sample.sock);
	free(sample.order);
}

#define MANY	20000

static void many(void)
{
	struct top_view view = { .width = 80, .height = 24, .interval = 1 };
	struct psp_assoc *assocs = calloc(MANY, sizeof(*assocs));
	unsigned int i;

	world_make(&before, 100);
	world_make(&after, 102);
	for (i = 0; i < MANY; i++) {
		assocs[i] = before.assoc[0];
		assocs[i].cookie = i * 7919 % MANY + 1;
		assocs[i].rx_rekeys = assocs[i].cookie;
		assocs[i].next = i + 1 < MANY ? &assocs[i + 1] : NULL;
	}
	before.sample.assocs = assocs;
	after.sample.assocs = assocs;
	worlds_compare();
	CHECK(after.sample.num_socks == MANY);
	CHECK(sample_sock(&after.sample, MANY)->assoc->cookie == MANY);
	sample_sort(&after.sample, SORT_REKEYS, false);
	page(&after.sample, &view);
	CHECK(got.num == 24 && view.rows > 8);
	HAS("full", " 20000 ");
	view_key(&view, TOP_KEY_END, MANY);
	page(&after.sample, &view);
	CHECK(got.num == 24 && view.first == MANY - view.rows);
	CHECK(strstr(got.text[23], " 1 "));
	free(assocs);
}

#define DEVS	40

static void many_devs(void)
{
	struct top_view view = { .width = 80, .height = 24, .interval = 1 };
	struct psp_stats stats[DEVS] = { };
	unsigned int i;

	world_make(&before, 100);
	world_make(&after, 102);
	for (i = 0; i < DEVS; i++) {
		stats[i].dev_id = i + 1;
		stats[i].next = i + 1 < DEVS ? &stats[i + 1] : NULL;
	}
	after.sample.stats = stats;
	worlds_compare();
	page(&after.sample, &view);
	CHECK(got.num == 17);
	HAS("     and 31 more", "");
	HAS("stale", "*:*");
	view.height = 0;
	page(&after.sample, &view);
	HAS("  40 ?", "");
}

static void kernel_told(void)
{
	struct top_view view = { .width = 200, .interval = 1 };
	struct top_sample sample, next;

	fake_reset();
	CHECK_OR_DIE(!sample_take(&sample, 0));
	CHECK(sample.num_devs == 2 && sample.num_socks == 2 && !*sample.why);
	CHECK_STR("lo", sample_dev(&sample, 1)->name);
	CHECK(sample_sock(&sample, 6)->bytes[0] == 5000);
	CHECK(sample_sock(&sample, 6)->bytes[1] >= 1000000);
	CHECK(sample_sock(&sample, 5)->bytes[0] == PSP_UNKNOWN);
	sample_compare(&sample, NULL);
	CHECK_OR_DIE(!sample_take(&next, 0));
	sample_compare(&next, &sample);
	CHECK(sample_sock(&next, 6)->rates[1] > 0);
	CHECK(sample_sock(&next, 6)->rates[0] == 0);
	page(&next, &view);
	HAS("full       lo", "[fd00::2]:55555");
	sample_free(&sample);
	sample_free(&next);
}

/* What is gone is no error; what is refused is, but for sockets */
static void kernel_refused(void)
{
	struct top_sample sample;

	fake_reset();
	CHECK_OR_DIE(!sample_take(&sample, 5));
	CHECK(!sample.num_devs && !sample.num_socks);
	sample_free(&sample);
	psp_close(kernel);
	kernel = NULL;
	fake.mainline = true;
	CHECK_OR_DIE(!sample_take(&sample, 0));
	CHECK(sample.num_devs == 2 && !sample.dev->rekey);
	CHECK(strstr(sample.why, "assoc-get"));
	sample_free(&sample);
	fake.refuse = EPERM;
	CHECK(sample_take(&sample, 0) == -EPERM && !sample.devs);
	fake.refuse = 0;
	fake.no_memory = true;
	CHECK(sample_take(&sample, 0) == -ENOMEM && !sample.devs);
	fake_reset();
	psp_close(kernel);
	kernel = NULL;
}

/* Rates are since the last sample that there was, not since the last try */
static void kernel_busy(void)
{
	struct top top = { .view.interval = 1 };
	double first;

	fake_reset();
	CHECK_OR_DIE(!top_next(&top));
	first = top.now.time;
	fake.busy = fake.sent;
	CHECK(top_next(&top) == -EAGAIN);
	CHECK(top.now.time == first && top.now.num_devs == 2);
	CHECK(top_due(&top) > first + 0.5);
	fake.busy = 0;
	CHECK(!top_next(&top));
	CHECK(top.now.time > first && top.now.seconds == top.now.time - first);
	sample_free(&top.now);
}

/* Who asks for long does not ask all the time */
static void slow(void)
{
	struct top top = { .view.interval = 1, .now.seconds = 1, .asked = 100,
			   .told = 100.25 };

	CHECK(top_due(&top) == 101);
	top.told = 103;
	CHECK(top_due(&top) == 106);
	top.view.interval = 10;
	CHECK(top_due(&top) == 110);
	top.now.seconds = 0;
	top.told = 100;
	CHECK(top_due(&top) == 100.5);
}

static void count_bytes(void *arg, uint64_t cookie, uint64_t rx, uint64_t tx)
{
	++*(int *)arg;
}

/* Of a dump that says it is not whole there need be no rest to wait for */
static void interrupted(void)
{
	int num = 0;

	fake_reset();
	fake_end(0);
	fake_last()->nlh.nlmsg_flags |= NLM_F_DUMP_INTR;
	CHECK(tcp_bytes(count_bytes, &num) == -EINTR && !num);
	fake_reset();
	CHECK(!tcp_bytes(count_bytes, &num) && num == 1);
}

static const struct check_case cases[] = {
	CASE(numbers), CASE(graph), CASE(lines), CASE(lines_utf8),
	CASE(controls), CASE(rates), CASE(losses), CASE(rotations),
	CASE(first_minutes),
	CASE(restart), CASE(moved), CASE(vanish),
	CASE(history), CASE(sorting), CASE(keys), CASE(sizes), CASE(narrow),
	CASE(nothing_there), CASE(many), CASE(many_devs), CASE(kernel_told),
	CASE(kernel_refused), CASE(kernel_busy), CASE(slow), CASE(interrupted),
};

int main(void)
{
	int ret = check_all(cases, ARRAY_SIZE(cases));

	world_make(&before, 0);
	world_make(&after, 0);
	return ret;
}
