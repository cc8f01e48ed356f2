/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The demonstration: text goes from a pspcat at end A to one at end B, while
 * the device keys rotate. A watch sees every frame of the cable.
 */
#ifndef DEMO_H
#define DEMO_H

#include "psp_lib.h"

#define DEMO_LINE	64		/* bytes in a line of text */
#define DEMO_TEXT	(256 * DEMO_LINE)
#define DEMO_SECRET	"nobody else's business"
#define DEMO_HELLO	"hello, this can be read"
#define DEMO_PORT	"4433"

/**
 * struct demo_cat - one end of the connection: a pspcat
 * @end: where it runs
 * @name: 'A' or 'B'
 * @pid: its process, 0 if there is none yet
 * @in: pipe that it reads, -1 if there is no more to be read
 * @out: pipe that it writes the text to
 * @err: pipe that it says to what it does
 * @said: of that, a line that is not whole yet, @said_len bytes
 * @listening: it waits for the other one
 * @tls: what it says of TLS
 * @secure: the connection is under PSP
 * @rx_rekeys: times that its rx key was replaced
 * @tx_rekeys: times that its tx key was replaced
 * @texting: it is given text
 * @sent: bytes of text that it has taken
 * @good: bytes of text that it has written, and found right
 * @eof: it has written all
 * @ended: it has come to a good end
 * @sock: its socket, as the kernel tells
 */
struct demo_cat {
	struct psp_end *end;
	char name;
	pid_t pid;
	int in;
	int out;
	int err;
	char said[1024];
	size_t said_len;
	bool listening;
	char tls[128];
	bool secure;
	unsigned int rx_rekeys;
	unsigned int tx_rekeys;
	bool texting;
	uint64_t sent;
	uint64_t good;
	bool eof;
	bool ended;
	struct psp_sock_info sock;
};

/**
 * struct demo_watch - what has been seen on the cable
 * @tap: copies of all frames
 * @frames: frames of any kind
 * @psp: frames that are PSP
 * @hello: frames in which the greeting can be read
 * @secret: frames in which text can be read
 * @bare: TCP segments with payload beside PSP, once that is on
 * @secure: it is
 * @spi: of the frames that one is wanted of
 * @sample: a long one of them
 * @frame: the frame being looked at
 */
struct demo_watch {
	struct psp_tap tap;
	uint64_t frames;
	uint64_t psp;
	uint64_t hello;
	uint64_t secret;
	uint64_t bare;
	bool secure;
	uint32_t spi;
	struct psp_frame sample;
	struct psp_frame frame;
};

/**
 * struct demo - all of it
 * @net: the cable
 * @a: sends the text
 * @b: receives it
 * @watch: sees all
 * @key: key of a connection of its own, by which a frame can be opened
 * @dir: folder with certificates
 * @rotated: times that both device keys were rotated
 * @start: time of the beginning
 * @row_time: time of the last row of the table
 * @row_good: what &demo_cat.good of B was at that time
 * @fault: what went wrong first, "" if nothing
 */
struct demo {
	struct psp_net net;
	struct demo_cat a;
	struct demo_cat b;
	struct demo_watch watch;
	struct psp_key key;
	char dir[32];
	unsigned int rotated;
	uint64_t start;
	uint64_t row_time;
	uint64_t row_good;
	char fault[256];
};

/* Remember the first thing that went wrong */
__printf(2, 3) void demo_fail(struct demo *demo, const char *fmt, ...);
bool demo_failed(const struct demo *demo);

/* Line number @n of the text */
void demo_line(uint64_t n, char *line);

/* @len bytes of text, whole lines, from byte @pos on, which begins one */
void demo_text(uint64_t pos, char *text, size_t len);

/* Run pspcat at an end; a step does what there is to do, and never waits */
int demo_cat_start(struct demo_cat *cat, struct psp_end *end, char name,
		   char *const argv[]);
void demo_cat_close(struct demo_cat *cat);
bool demo_cat_step(struct demo *demo, struct demo_cat *cat);

/* It gets no more text */
void demo_cat_end(struct demo_cat *cat);

/* Ask the kernel about its socket */
void demo_cat_look(struct demo_cat *cat);

int demo_watch_open(struct demo_watch *watch, struct psp_end *end);
void demo_watch_close(struct demo_watch *watch);
bool demo_watch_look(struct demo_watch *watch);

/* What people see: 80 columns, and not more lines than they have */
void demo_show_title(void);
void demo_show_table(void);
void demo_show_row(struct demo *demo);
void demo_show_packet(struct demo *demo);
__printf(2, 3) void demo_say(const struct demo *demo, const char *fmt, ...);

#endif /* DEMO_H */
