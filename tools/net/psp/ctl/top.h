/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pspctl top: what its files share. All but the first three are pure: they ask
 * nobody and print nothing.
 *   cmd_top.c		command line; text and JSON, sample after sample
 *   top_screen.c	full screen, with curses
 *   top_sample.c	what the kernel tells
 *   top_next.c		the next sample, in time
 *   top_tcp.c		bytes of TCP sockets, which the kernel tells elsewhere
 *   top_index.c	tables of that
 *   top_rate.c		what became of the sample before
 *   top_sort.c		the order of sockets
 *   top_keys.c		what keys do
 *   top_page.c		the lines of a page
 *   top_dev.c		those of devices
 *   top_sock.c		those of sockets
 *   top_line.c		a line, its columns, its colours
 *   top_text.c		numbers, times and graphs in few characters
 */
#ifndef PSPCTL_TOP_H
#define PSPCTL_TOP_H

#include <net/if.h>

#include "pspctl.h"

/* A rate that there is none of yet */
#define TOP_UNKNOWN	-1.0

/* --- text --- */

#define TOP_TEXT	24

/* Three digits and a prefix; "-" for what is not known */
const char *text_rate(char *buf, double val);
const char *text_count(char *buf, uint64_t val);

/* "75s", "12m05s", "3h20m", "12d03h" */
const char *text_age(char *buf, double seconds);

/* The last @cols values, the greatest as high as it gets */
void text_graph(char *buf, size_t size, const double *vals, unsigned int num,
		unsigned int cols, bool utf8);

/* --- lines --- */

#define TOP_LINE	1024
#define TOP_RUNS	64

/**
 * struct top_line - a line of text, made from left to right
 * @text: characters that a terminal may be sent, in the user's encoding
 * @len: bytes of them
 * @cols: columns that they take
 * @width: and may take at most
 * @head: is above others
 * @runs: where colours end
 * @num_runs: how many there are
 */
struct top_line {
	char text[TOP_LINE];
	unsigned int len;
	unsigned int cols;
	unsigned int width;
	bool head;
	struct {
		unsigned int end;
		enum color color;
	} runs[TOP_RUNS];
	unsigned int num_runs;
};

void line_start(struct top_line *line, unsigned int width);

/*
 * Add text, filled with spaces to as many columns as @cols says; at the left if
 * that is negative; as long as it is with 0. What is too long ends with "~".
 */
void line_add(struct top_line *line, enum color color, int cols,
	      const char *text);
ATTRIBUTE(format(printf, 3, 4))
void line_addf(struct top_line *line, enum color color, const char *fmt, ...);

/**
 * struct top_column - a column of a table
 * @title: its title
 * @cols: columns of the terminal; negative for text
 * @rank: where there is no room, those with the greatest go first
 * @grows: where there is room, it is as wide as what is in it
 * @cell: put into @buf, of TOP_CELL bytes, what is to be shown of a @row
 */
struct top_column {
	const char *title;
	int cols;
	unsigned int rank;
	bool grows;
	enum color (*cell)(const void *row, char *buf);
};

#define TOP_CELL	128
#define TOP_COLUMNS	16

/**
 * struct top_table - columns, as many as there is room for
 * @columns: as wide as they are to be
 * @want: as wide as what is in them
 * @num: how many there are
 */
struct top_table {
	struct top_column columns[TOP_COLUMNS];
	unsigned int want[TOP_COLUMNS];
	unsigned int num;
};

/* Begin with all; then let it see what rows there will be; then make it fit */
void table_start(struct top_table *table, const struct top_column *columns,
		 unsigned int num);
void table_see(struct top_table *table, const void *row);
void table_fit(struct top_table *table, unsigned int width);
void table_head(const struct top_table *table, struct top_line *line);
void table_row(const struct top_table *table, struct top_line *line,
	       const void *row);

/* --- samples --- */

/* Packets that got lost, for a reason; @rate in a second */
struct top_loss {
	const char *name;
	uint64_t count;
	double rate;
};

#define TOP_LOSSES	48
#define TOP_GRAPH	64

/**
 * struct top_dev - a device
 * @id: its number
 * @name: its interface here, or ""
 * @dev: what it is; NULL if it has just come or gone
 * @stats: its counters
 * @rekey: those of rekeying, or NULL
 * @rx_packets: in a second, as all rates
 * @rx_bytes: likewise
 * @tx_packets: likewise
 * @tx_bytes: likewise
 * @rekeys: likewise
 * @lost: likewise
 * @losses: why packets got lost
 * @num_losses: how many reasons
 * @since: when it was first seen
 * @turned: rotations since
 * @rotated: when the last of them was seen
 * @graph: bytes in a second, sent and received, oldest first
 * @num_graph: how many of them
 * @now: time of the sample
 */
struct top_dev {
	uint32_t id;
	char name[IF_NAMESIZE];
	const struct psp_dev *dev;
	const struct psp_stats *stats;
	const struct psp_rekey_stats *rekey;
	double rx_packets;
	double rx_bytes;
	double tx_packets;
	double tx_bytes;
	double rekeys;
	double lost;
	struct top_loss losses[TOP_LOSSES];
	unsigned int num_losses;
	double since;
	uint64_t turned;
	double rotated;
	double graph[TOP_GRAPH];
	unsigned int num_graph;
	double now;
};

/**
 * struct top_sock - a socket
 * @assoc: what the kernel tells of it
 * @dev: its device, or NULL
 * @bytes: received and sent so far, or PSP_UNKNOWN
 * @rates: in a second
 */
struct top_sock {
	const struct psp_assoc *assoc;
	const struct top_dev *dev;
	uint64_t bytes[2];
	double rates[2];
};

/**
 * struct top_sample - all, at a time
 * @time: by time_now()
 * @clock: the same for people
 * @seconds: since the sample before; 0 if there was none
 * @devs: as libpsp told it
 * @stats: likewise
 * @rekey: likewise
 * @assocs: likewise
 * @dev: devices, by number
 * @num_devs: how many
 * @sock: sockets, by cookie
 * @order: the same as they are to be shown
 * @num_socks: how many
 * @num_full: those with PSP in both directions
 * @num_stale: those whose rx key the device has lost
 * @why: why there are no sockets, or ""
 */
struct top_sample {
	double time;
	char clock[16];
	double seconds;
	struct psp_dev *devs;
	struct psp_stats *stats;
	struct psp_rekey_stats *rekey;
	struct psp_assoc *assocs;
	struct top_dev *dev;
	unsigned int num_devs;
	struct top_sock *sock;
	const struct top_sock **order;
	unsigned int num_socks;
	unsigned int num_full;
	unsigned int num_stale;
	char why[128];
};

/* Ask the kernel, about one device or all (0). Returns 0 or -errno. */
int sample_take(struct top_sample *sample, uint32_t dev_id);
void sample_free(struct top_sample *sample);

/* Make the tables from the lists */
int sample_tables(struct top_sample *sample);
struct top_dev *sample_dev(const struct top_sample *sample, uint32_t id);
struct top_sock *sample_sock(const struct top_sample *sample, uint64_t cookie);

/* Fill in what takes two samples; @old is NULL if there is no other */
void sample_compare(struct top_sample *sample, const struct top_sample *old);

/* Tell each TCP socket's bytes. Returns 0 or a negative errno. */
typedef void (*tcp_bytes_t)(void *arg, uint64_t cookie, uint64_t rx,
			    uint64_t tx);
int tcp_bytes(tcp_bytes_t tell, void *arg);

/* --- views --- */

/* Narrower than that there is no page */
#define TOP_WIDTH_MIN	40

enum top_sort {
	SORT_RATE, SORT_AGE, SORT_ROTATIONS, SORT_REKEYS, SORT_PEER,
	SORT_DEVICE, SORTS_NUM
};

const char *sort_name(enum top_sort sort);
int sort_parse(const char *name);	/* or -1 */

/* Sort @sample's order; what comes first is what is worth a look */
void sample_sort(struct top_sample *sample, enum top_sort sort, bool reverse);

/**
 * struct top_view - how it is to be shown
 * @width: columns
 * @height: lines; 0 for all that there are
 * @utf8: characters may be other than ASCII
 * @sort: order of sockets
 * @reverse: the other way round
 * @first: number of the first socket on the page
 * @rows: sockets that the page had room for
 * @paused: no more samples for now
 * @help: with help
 * @interval: seconds between samples
 */
struct top_view {
	unsigned int width;
	unsigned int height;
	bool utf8;
	enum top_sort sort;
	bool reverse;
	unsigned int first;
	unsigned int rows;
	bool paused;
	bool help;
	double interval;
};

/* Keys are characters, but for these */
enum {
	TOP_KEY_UP = 256, TOP_KEY_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME, TOP_KEY_END
};

/* What a key does to the view; false if it is the end */
bool view_key(struct top_view *view, int key, unsigned int num_socks);

/* Called for each line of a page */
typedef void (*top_emit_t)(void *arg, const struct top_line *line);

/**
 * struct top_page - a page that is being made
 * @sample: what is shown
 * @view: how
 * @emit: takes lines
 * @arg: its argument
 * @left: lines that are left
 */
struct top_page {
	const struct top_sample *sample;
	struct top_view *view;
	top_emit_t emit;
	void *arg;
	unsigned int left;
};

/* @sample is sorted; sets the view's rows, and first if that is too far */
void page_make(const struct top_sample *sample, struct top_view *view,
	       top_emit_t emit, void *arg);
void page_line(struct top_page *page, const struct top_line *line);
void page_devs(struct top_page *page);
void page_socks(struct top_page *page);

/* --- programs --- */

/**
 * struct top - the program
 * @dev_id: only this device, or 0
 * @count: samples that are left; 0 for no end
 * @view: how it is shown
 * @now: the last sample
 * @asked: when the kernel was asked last
 * @told: when it had answered, or refused
 */
struct top {
	uint32_t dev_id;
	uint64_t count;
	struct top_view view;
	struct top_sample now;
	double asked;
	double told;
};

/*
 * Take the next sample in the place of the last. Returns 0 or -errno; then the
 * last is still there, and with -EAGAIN the kernel may be asked again.
 */
int top_next(struct top *top);

/* When it is time for the next; no more than half of the time goes by asking */
double top_due(const struct top *top);

/* Full screen; returns CTL_* */
int top_screen(struct top *top);

#endif /* PSPCTL_TOP_H */
