/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One of two machines that talk to each other: both run the same program, and
 * know each other by their connection only. The stream is made of records:
 * type, length, contents. Keys travel in it: in plain before the connection is
 * secure, under PSP when it is rekeyed.
 */
#ifndef PAIR_H
#define PAIR_H

#include <stdio.h>

#include "psp_lib.h"

#define PAIR_LOWER	"eth0"
#define PAIR_PORT	5000
#define PAIR_CHUNK	8192		/* bytes of data in a record */
#define PAIR_REKEYS	8
#define PAIR_STEP	(20 * PAIR_CHUNK)	/* received between two */
#define PAIR_MS		20000		/* deadline of all that goes on */
#define PAIR_MEET_MS	100000		/* and of the other one's coming */

/**
 * struct pair - this machine's part
 * @first: it is the one that the other connects to
 * @end: its port, on a real interface
 * @other: what it knows of the other's
 * @fd: connection
 * @port: TCP port that the first one listens at
 * @version: PSP version
 * @keys: where to write rx keys, so that a capture can be judged; may be NULL
 * @rx: the latest rx key
 * @key_due: the other one has to be told of it
 * @key_wait: it has not said yet that it uses it
 * @key_pos: @good when it said so
 * @taken_due: the other one has to be told that its key is in use
 * @done_due: the other one has to be told that this one needs no more data
 * @done: the other one needs no more data
 * @ending: the last word is said
 * @secure: there is a tx key
 * @greeted: the other one has said something under PSP
 * @ended: the other one has said its last word
 * @sent: bytes of data given to the connection
 * @good: bytes of data received and found right
 * @rotations: how often the device key was rotated, and the rx key renewed
 * @switched: how often the tx key was replaced
 * @out: record being sent, @out_len bytes long, @out_pos of them sent
 * @in: record being received, @in_len bytes so far
 */
struct pair {
	bool first;
	struct psp_end end;
	struct psp_end other;
	int fd;
	uint16_t port;
	uint32_t version;
	FILE *keys;
	struct psp_key rx;
	bool key_due;
	bool key_wait;
	uint64_t key_pos;
	bool taken_due;
	bool done_due;
	bool done;
	bool ending;
	bool secure;
	bool greeted;
	bool ended;
	uint64_t sent;
	uint64_t good;
	int rotations;
	int switched;
	size_t out_len;
	size_t out_pos;
	uint8_t out[PAIR_CHUNK + 64];
	size_t in_len;
	uint8_t in[PAIR_CHUNK + 64];
};

/* Put the port on its interface, if it is not there yet */
int pair_open(struct pair *pair, bool first);
void pair_close(struct pair *pair);

/* Meet, exchange keys, hear from each other under PSP */
int pair_meet(struct pair *pair, enum psp_family family);
int pair_secure(struct pair *pair, uint32_t version);

/*
 * Send and receive data. After every PAIR_STEP bytes received, the own device
 * key is rotated and the connection gets a new rx key; but not before the
 * other one uses the previous one, or what it sends, acknowledgments too, would
 * be of no use. It ends when both have done so PAIR_REKEYS times. @good is then
 * all that the other one has sent.
 */
int pair_run(struct pair *pair);

/* Wait until the other one has everything, too; the connection is reset then */
int pair_part(struct pair *pair);

#endif /* PAIR_H */
