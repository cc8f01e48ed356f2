/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pspctl: what its files share.
 *   pspctl.c	options, objects, help
 *   args.c	words of the command line
 *   out.c	text: colours, names, times
 *   json.c	JSON
 *   name.c	devices by id or by interface
 *   value.c	what is computed
 *   cmd_*.c	an object each
 *   top_*.c	what is behind cmd_top.c; see top.h
 * ../common is pspcat's, too.
 */
#ifndef PSPCTL_H
#define PSPCTL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libpsp.h"
#include "tool.h"

enum {
	CTL_OK,
	CTL_FAILED,	/* the kernel, or the file system, has refused */
	CTL_USAGE,
};

/**
 * struct ctl - the options
 * @json: print JSON
 * @pretty: with line breaks
 * @color: with colours
 * @interval: seconds between rates, 0 for none
 */
struct ctl {
	bool json;
	bool pretty;
	bool color;
	double interval;
};

extern struct ctl ctl;

/* The kernel, from the first time that it is asked; ends the program if not */
struct psp_ctx *psp(void);

/* Words that are left; the last is followed by NULL */
struct args {
	char **word;
};

/**
 * struct command - what may be done with an object
 * @name: its word; what comes first in a table is meant by an abbreviation
 * @run: do it; returns CTL_*
 * @usage: words that follow it
 * @help: what it does, in a line
 */
struct command {
	const char *name;
	int (*run)(struct args *args);
	const char *usage;
	const char *help;
};

/* Tables end with an entry that has no name */
extern const struct command cmds_dev[];
extern const struct command cmds_key[];
extern const struct command cmds_stats[];
extern const struct command cmds_assoc[];
extern const struct command cmds_monitor[];
extern const struct command cmds_top[];

/* --- args.c; who misuses it does not come back --- */

/* @word is @name, or its beginning */
bool arg_is(const char *word, const char *name);

/* Take the next word, NULL if there is none; the same of one that is needed */
const char *arg_take(struct args *args);
const char *arg_need(struct args *args, const char *what);

/*
 * Take a device, with or without the keyword "dev" before it. That is never
 * abbreviated: what may be a name is one.
 */
const char *arg_dev(struct args *args);

/* Take the next word if it is @name */
bool arg_option(struct args *args, const char *name);
void arg_end(struct args *args);

/* Numbers: a whole one from @min to @max; seconds */
uint64_t arg_uint(const char *word, const char *what, uint64_t min,
		  uint64_t max);
int32_t arg_nsid(const char *word);
double arg_seconds(const char *word);

ATTRIBUTE(noreturn, format(printf, 1, 2))
void usage_die(const char *fmt, ...);

/* Say why, on stderr, and return CTL_FAILED; @err is libpsp's */
int fail(const char *what, int err);
ATTRIBUTE(format(printf, 1, 2))
int fail_text(const char *fmt, ...);

/* --- out.c --- */

enum color {
	COLOR_NONE, COLOR_NAME, COLOR_ADDR, COLOR_GOOD, COLOR_BAD, COLOR_HEAD,
	COLORS_NUM
};

void out_init(void);

/*
 * At the end, or after a line: CTL_FAILED if it could not be written. That
 * nobody reads any more gets no message.
 */
int out_flush(void);
bool out_unread(void);

/* Sleep, unless the reader goes away */
void out_wait(double seconds);

/* Before and after what is printed otherwise */
void out_color(enum color color);
void out_color_end(enum color color);

/*
 * Bytes of the first character of @text, and its columns; 0 if a terminal may
 * not get it: it is a control character, or none in the user's locale.
 */
unsigned int out_char(const char *text, unsigned int *cols);

/* Print what may have come from elsewhere: such bytes become "?" */
ATTRIBUTE(format(printf, 2, 3))
void out_text(enum color color, const char *fmt, ...);

/* The same, filled with spaces up to @width */
ATTRIBUTE(format(printf, 3, 4))
void out_column(enum color color, int width, const char *fmt, ...);

/* Now, as "2026-11-29T20:11:32.123456+0000"; in a buffer of its own */
const char *out_time(void);

/* --- json.c --- */

/* @name is NULL for elements of arrays */
void json_open(const char *name, char bracket);
void json_close(void);
void json_str(const char *name, const char *val);
void json_uint(const char *name, uint64_t val);
void json_int(const char *name, int64_t val);
void json_float(const char *name, double val);
void json_bool(const char *name, bool val);

/* --- name.c --- */

/*
 * The number of a device that is called by it, or by an interface; 0 failed.
 * An interface may begin with a digit, but must not look like a number.
 */
uint32_t dev_find(const char *word);

/*
 * The interface that a device has in this namespace, or "". What was once asked
 * for is remembered until it is to be forgotten.
 */
const char *dev_name(uint32_t id);
void dev_names_forget(void);
const char *dev_name_of(const struct psp_dev *dev, char *buf);

/*
 * Members "id" and "ifname"; the same with "dev-id", as the specification calls
 * it where it is not all about the device; "id: ifname"
 */
void json_dev(const char *member, uint32_t id, const char *name);
void json_dev_name(uint32_t id, const char *name);
void json_dev_of(uint32_t id);
void out_dev_name(uint32_t id, const char *name);

/* --- value.c --- */

/* Of the clock that is never set */
double time_now(void);

/*
 * In a second; 0 where one is not told. A device that came back under the same
 * number counts from 0 again.
 */
double rate_of(uint64_t new, uint64_t old, double seconds);
uint64_t drops_sum(const struct psp_rekey_stats *rekey);

/*
 * An address, and ADDRESS:PORT in the manner of ss, "*:*" if not connected;
 * buffers for INET6_ADDRSTRLEN and ADDR_MAX characters
 */
#define ADDR_MAX	(INET6_ADDRSTRLEN + sizeof("[]:65535"))

void assoc_addr(const struct psp_assoc *assoc, const uint8_t *addr, char *buf);
void assoc_end(const struct psp_assoc *assoc, const uint8_t *addr,
	       uint16_t port, char *buf);
bool key_is_stale(const struct psp_assoc_key *key);

/* @name, or that it is "unknown" */
const char *known_or(const char *name);

/* --- cmd_*.c, also for others: members of JSON but for names of devices --- */
void versions_json(const char *name, uint32_t versions);
void stats_json(const struct psp_stats *stats,
		const struct psp_rekey_stats *rekey);
void assoc_json(const struct psp_assoc *assoc);

/* --- cmd_dev.c, also for others --- */

/* A device was to be changed: a failure is told, success in JSON only */
int dev_done(const char *what, uint32_t id, int err);

void dev_json(const struct psp_dev *dev);
void dev_text(const struct psp_dev *dev);

#endif /* PSPCTL_H */
