/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The demonstration: end A sends text to end B, as any application would that
 * uses PSP; what is known to whom is what the two ends have told each other in
 * the stream. A watch sees every frame of the cable.
 */
#ifndef DEMO_H
#define DEMO_H

#include "psp_lib.h"

#define DEMO_LINE	64		/* bytes in a line of text */
#define DEMO_TEXT	(256 * DEMO_LINE)
#define DEMO_SECRET	"nobody else's business"
#define DEMO_HELLO	"hello, this can be read"
#define DEMO_KEYS	64

/**
 * struct demo_end - one end of the connection
 * @side: its socket and keys
 * @name: 'A' or 'B'
 * @notes: netlink socket that hears of rotations
 * @secure: it has a tx key: what it sends is under PSP
 * @texting: has text to send
 * @ending: is to say that there is no more text, when @texting is over
 * @ended: the peer has said so
 * @greeted: the peer has said hello, in plain text
 * @key_due: has a new rx key to tell the peer
 * @rotations: device key rotations it has heard of
 * @rx_rekeys: times that its rx key was replaced
 * @tx_rekeys: times that its tx key was replaced
 * @prev_spi: SPI of the rx key before the current one
 * @sent: bytes of text given to TCP
 * @good: bytes of text received and found right
 * @out: record being sent
 * @out_len: bytes in @out
 * @out_pos: bytes of @out that TCP has taken
 * @in: record being received
 * @in_len: bytes in @in
 */
struct demo_end {
	struct psp_side *side;
	char name;
	struct psp_nl notes;
	bool secure;
	bool texting;
	bool ending;
	bool ended;
	bool greeted;
	bool key_due;
	unsigned int rotations;
	unsigned int rx_rekeys;
	unsigned int tx_rekeys;
	uint32_t prev_spi;
	uint64_t sent;
	uint64_t good;
	uint8_t out[DEMO_TEXT + 64];
	size_t out_len;
	size_t out_pos;
	uint8_t in[DEMO_TEXT + 64];
	size_t in_len;
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
 * @sample: a frame with text from A to B
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
	struct psp_frame sample;
	struct psp_frame frame;
};

/**
 * struct demo - all of it
 * @net: the cable
 * @conn: the connection
 * @a: sends the text
 * @b: receives it
 * @watch: sees all
 * @keys: rx keys that end B was given, the latest last
 * @nkeys: their number
 * @rotated: times that both device keys were rotated
 * @start: time of the beginning
 * @row_time: time of the last row of the table
 * @row_good: what &demo_end.good of B was at that time
 * @fault: what went wrong first, "" if nothing
 */
struct demo {
	struct psp_net net;
	struct psp_conn conn;
	struct demo_end a;
	struct demo_end b;
	struct demo_watch watch;
	struct psp_key keys[DEMO_KEYS];
	int nkeys;
	unsigned int rotated;
	uint64_t start;
	uint64_t row_time;
	uint64_t row_good;
	char fault[128];
};

/* Remember the first thing that went wrong */
__printf(2, 3) void demo_fail(struct demo *demo, const char *fmt, ...);
bool demo_failed(const struct demo *demo);

/* Line number @n of the text */
void demo_line(uint64_t n, char *line);

/* An end with its connected socket; does what there is to do, never waits */
int demo_end_open(struct demo_end *end, struct psp_side *side, char name,
		  int home);
void demo_end_close(struct demo_end *end);
bool demo_end_step(struct demo *demo, struct demo_end *end);
void demo_end_greet(struct demo_end *end);

/* A new rx key, to be told to the peer */
void demo_end_new_key(struct demo *demo, struct demo_end *end);

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
