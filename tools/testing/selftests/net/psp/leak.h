/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does plain text of a PSP connection get out anywhere?
 *
 * Two connections between the ends of the cable carry a word of their own,
 * over and over: one in the open, one under PSP. Whatever is done to the path
 * is done to both. A test then wants the open word to be seen where the path
 * leads, which shows that it would notice, and the secret word nowhere.
 */
#ifndef LEAK_H
#define LEAK_H

#include "psp_lib.h"

#define LEAK_WORD_LEN	16
#define LEAK_BYTES	(64 << 10)
#define LEAK_MS		15000	/* deadline of anything that should work */

/**
 * struct leak_flow - a connection from end A to end B
 * @conn: the connection
 * @word: LEAK_WORD_LEN bytes that it carries again and again
 * @there: addresses and ports of its segments from A to B, on the wire
 * @back: the same from B to A
 * @tuple_len: bytes in @there and @back
 * @sent: bytes given to the socket of A
 * @rcvd: bytes received at B and found right
 */
struct leak_flow {
	struct psp_conn conn;
	const char *word;
	uint8_t there[36];
	uint8_t back[36];
	size_t tuple_len;
	uint64_t sent;
	uint64_t rcvd;
};

/**
 * struct leak_watch - what a packet socket has seen
 * @fd: packet socket, non-blocking
 * @frames: frames of any kind
 * @psp: frames that are PSP
 * @open: frames with the word of the open connection
 * @secret: frames with the word of the secret one
 * @bare: frames with addresses and ports of the secret one in plain view
 */
struct leak_watch {
	int fd;
	uint64_t frames;
	uint64_t psp;
	uint64_t open;
	uint64_t secret;
	uint64_t bare;
};

struct leak_nfq;

/**
 * struct leak - the scene
 * @net: the cable
 * @aside: namespace with the far end "leak1" of a veth pair; the near end
 *	"leak0" is with end A. 10.9.0.1, fd09::1 is near, .2 is far.
 * @tap: copies of all frames of the cable
 * @open: connection without PSP
 * @secret: connection in state PSP full
 * @wire: frames of the cable
 * @away: frames that come to @aside
 * @nfq: serves a netfilter queue while data flows, or NULL
 */
struct leak {
	struct psp_net net;
	int aside;
	struct psp_tap tap;
	struct leak_flow open;
	struct leak_flow secret;
	struct leak_watch wire;
	struct leak_watch away;
	struct leak_nfq *nfq;
};

int leak_open(struct leak *leak, enum psp_family family);
void leak_close(struct leak *leak);

/* The veth pair, when the namespaces are there */
int leak_veth_open(struct leak *leak);

/* Packet socket on an interface of @ns, or on all of them */
int leak_watch_open(struct leak_watch *watch, int ns, int ifindex);

/* Look at all frames captured so far; forget them */
void leak_look(struct leak *leak);
void leak_reset(struct leak *leak);

/* Send @len bytes on both, receive and check all that was ever sent */
int leak_exchange(struct leak *leak, uint64_t len);

/* Send what the socket of A takes, up to LEAK_BYTES */
int leak_offer(struct leak_flow *flow);

/* Let B say something, so that A acknowledges; A does not read it */
int leak_provoke(struct leak_flow *flow);

/* Receive and check all that was sent */
int leak_collect(struct leak *leak);

/* Wait until *@count is at least @min */
int leak_wait_seen(struct leak *leak, const uint64_t *count, uint64_t min);

/* Wait until no captured frame of interest has come for @ms */
void leak_wait_quiet(struct leak *leak, int ms);

/*
 * Segments that the core has dropped on their way out, for any reason. Waiting
 * for more ends with -EILSEQ if they were not.
 */
int64_t leak_drops(const struct psp_net *net);
int leak_wait_drops(struct leak *leak, int64_t more_than);

/* Tell the runner that the kernel is going to log this */
#define LEAK_ORPHAN	"unencrypted skb with no associated socket - dropping"
int leak_expect_line(const char *regex);

/*
 * A netfilter queue in @ns: segments wait in it until they are accepted.
 * @held: ids of those waiting
 */
#define LEAK_NFQ_MAX	512

struct leak_nfq {
	struct mnl_socket *nl;
	uint16_t num;
	unsigned int portid;
	uint32_t held[LEAK_NFQ_MAX];
	unsigned int nheld;
	uint64_t open;
	uint64_t secret;
};

int leak_nfq_open(struct leak_nfq *nfq, int ns, uint16_t num, bool gso);
void leak_nfq_close(struct leak_nfq *nfq);

/* Take in what has come; returns the number of new segments or -errno */
int leak_nfq_poll(struct leak_nfq *nfq, const struct leak *leak);

/* Let all segments held go on; with firewall mark @mark unless 0 */
int leak_nfq_accept(struct leak_nfq *nfq, uint32_t mark);

/* Frames seen anywhere that give something of the secret connection away */
uint64_t leak_found(struct leak *leak);

/* Frames with something that the secret connection has said */
uint64_t leak_found_words(struct leak *leak);

/* Since the last reset, both connections have used the cable as they should */
bool leak_wire_shows(struct leak *leak);

#define EXPECT_NO_LEAK(leak)	EXPECT_EQ(0, leak_found(leak))
#define EXPECT_WIRE_SHOWS(leak)	EXPECT_TRUE(leak_wire_shows(leak))

/* A shell script in a namespace; ends at the first command that fails */
#define leak_sh(ns, fmt, ...)	psp_sh(ns, "set -e\n" fmt, ##__VA_ARGS__)

#endif /* LEAK_H */
