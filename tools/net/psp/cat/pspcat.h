/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pspcat: what its files share. The protocol is told in
 * Documentation/networking/psp_pspcat.rst.
 *   pspcat.c	the event loop, from the first byte to the last
 *   args.c	command line
 *   dial.c	the TCP connection
 *   signal.c	signals that end it
 *   tls.c	the TLS session on it
 *   name.c	names in certificates
 *   psk.c	a key that both sides know beforehand
 *   link.c	bytes: under TLS, or as they are
 *   frame.c	what the bytes mean
 *   agree.c	can both sides do PSP, and if not, what then?
 *   device.c	the PSP device of a connection
 *   seal.c	what is derived from the TLS session
 *   rekey.c	libpsp's part: keys, the first ones and all later ones
 *   pump.c	stdin to frames, frames to stdout
 *   report.c	what is said about it
 * ../common is pspctl's, too.
 *
 * Functions that return an int return 0, or -1 when cat_fail() has been told
 * why, unless stated otherwise.
 */
#ifndef PSPCAT_H
#define PSPCAT_H

#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "psp_rekey.h"
#include "tool.h"

enum {
	CAT_OK,
	CAT_FAILED,
	CAT_USAGE,
};

struct cat;

/* --- args.c --- */

/**
 * struct cat_args - the command line
 * @listen: wait for the other side
 * @family: AF_INET, AF_INET6 or AF_UNSPEC
 * @host: to connect to, or to listen at; NULL for all addresses
 * @port: the same
 * @cert: file with our certificate, @key: with its key, @ca: with those who
 *	may vouch for the other side's
 * @name: that must be in the other side's certificate; NULL: any will do
 * @psk: file with a key that both sides know; NULL: certificates
 * @fallback: go on under TLS if there is no PSP
 * @versions: mask of PSP versions that may be used
 * @timeout: seconds in which the other side has to get on
 * @verbose: say what happens
 * @report: say in the end what has happened
 * @json: as JSON
 */
struct cat_args {
	bool listen;
	int family;
	const char *host;
	const char *port;
	const char *cert;
	const char *key;
	const char *ca;
	const char *name;
	const char *psk;
	bool fallback;
	uint32_t versions;
	unsigned int timeout;
	bool verbose;
	bool report;
	bool json;
};

/* Does not return if they make no sense */
void args_parse(struct cat_args *args, int argc, char **argv);

/* --- frame.c --- */

#define FRAME_HEAD	4
#define FRAME_MAX	16384	/* with header: one TLS record */
#define FRAME_DATA_MAX	(FRAME_MAX - FRAME_HEAD)

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_READY,
	FRAME_KEY,
	FRAME_BIND,
	FRAME_CREDIT,
	FRAME_DATA,
	FRAME_END,
	FRAME_DONE,
	FRAME_ABORT,
};

/**
 * struct buf - bytes that wait
 * @data: memory, of @size bytes
 * @at: where in @data they begin
 * @len: how many
 */
struct buf {
	uint8_t *data;
	size_t size;
	size_t at;
	size_t len;
};

int buf_init(struct buf *buf, size_t size);
void buf_free(struct buf *buf);
/* Memory for up to @len more bytes, or NULL; buf_grow() says how many came */
uint8_t *buf_room(struct buf *buf, size_t len);
void buf_grow(struct buf *buf, size_t len);
const uint8_t *buf_peek(const struct buf *buf);
void buf_drop(struct buf *buf, size_t len);

/* Begin a frame: memory for its payload, or NULL if there is no room */
uint8_t *frame_begin(struct buf *buf, size_t max);
void frame_end(struct buf *buf, enum frame_type type, size_t len);
bool frame_put(struct buf *buf, enum frame_type type, const void *data,
	       size_t len);

/**
 * frame_get() - look at the first frame
 * Return: 1 if there is a whole one, 0 if not, -1 if it is malformed.
 */
int frame_get(const struct buf *buf, enum frame_type *type,
	      const uint8_t **data, size_t *len);

uint64_t get_be64(const uint8_t *data);
void put_be64(uint8_t *data, uint64_t val);

/* --- agree.c --- */

#define WHY_MAX		160
#define HELLO_HEAD	4
#define HELLO_MAX	(HELLO_HEAD + WHY_MAX)

/**
 * struct side - what one side can and wants
 * @can: has PSP; @why it has not
 * @fallback: would go on under TLS
 * @versions: mask of those that it may use
 * @hello: its HELLO, as sent, @hello_len bytes
 */
struct side {
	bool can;
	bool fallback;
	uint32_t versions;
	char why[WHY_MAX];
	uint8_t hello[HELLO_MAX];
	size_t hello_len;
};

enum verdict {
	VERDICT_PSP,
	VERDICT_TLS,
	VERDICT_REFUSED,
};

/* Fill in hello from the rest, or the rest from it: -1 if it makes no sense */
void agree_pack(struct side *side);
int agree_parse(struct side *side, const uint8_t *data, size_t len);

/* Both sides come to the same verdict. @why: the reason, of @len bytes */
enum verdict agree_decide(const struct side *me, const struct side *peer,
			  unsigned int *version, char *why, size_t len);

/* Text of the other side, as it can be shown */
void agree_text(char *to, size_t size, const uint8_t *data, size_t len);

/* --- seal.c --- */

#define SEAL_KEY_LEN	32
#define SEAL_TAG_LEN	16
#define BIND_LEN	32

/**
 * struct seal - one direction
 * @key: that KEY frames are sealed with
 * @count: of such frames
 * @bind: what the first frame under PSP says
 */
struct seal {
	uint8_t key[SEAL_KEY_LEN];
	uint64_t count;
	uint8_t bind[BIND_LEN];
};

/* Both directions, bound to what the sides have said to each other */
int seal_export(SSL *ssl, struct seal *client, struct seal *server,
		const struct side *client_side, const struct side *server_side);
/* @len bytes and a tag, or what it was without; -1: it is not authentic */
int seal_put(struct seal *seal, const void *msg, size_t len, uint8_t *out);
int seal_get(struct seal *seal, const uint8_t *in, size_t len, uint8_t *msg);

/* --- link.c --- */

/**
 * struct link - the connection as a stream
 * @fd: socket
 * @ssl: TLS session, NULL where there is none
 * @in: bytes received, @out: to be sent
 * @under_key: so many bytes were sent under the key that TLS has now
 * @eof: the other side has ended the stream
 * @blocked: the socket takes no more
 */
struct link {
	int fd;
	SSL *ssl;
	struct buf in;
	struct buf out;
	uint64_t under_key;
	bool eof;
	bool blocked;
};

/* After so many TLS gets a new key */
extern uint64_t link_key_bytes;

/* 1: there is something new in link.in, or the end; 0: not now */
int link_read(struct cat *cat);
/* Send what can be sent */
int link_flush(struct cat *cat);
/* End the TLS stream of our side: 1 done, 0 not now */
int link_end_tls(struct cat *cat);
/* From TLS to what is below it: nothing of it may be left */
int link_leave_tls(struct cat *cat);

/* --- dial.c --- */

#define DIAL_LISTENERS	8

/**
 * struct dial - where to connect to, or to listen at
 * @list: addresses
 * @pfd: listening sockets, and behind them our signals
 * @num: how many sockets
 */
struct dial {
	struct addrinfo *list;
	struct pollfd pfd[DIAL_LISTENERS + 1];
	int num;
};

int dial_open(struct cat *cat);
/* A connected, non-blocking socket, or -1; with -l the next one */
int dial(struct cat *cat);
void dial_close(struct cat *cat);

/* --- signal.c --- */

int signals_open(struct cat *cat);
void signals_close(struct cat *cat);
/* If there is one: -1 */
int signals_take(struct cat *cat);

/* --- name.c --- */

bool name_expect(SSL *ssl, const char *name);
/* All names, as far as there is room, or the subject: can be shown */
void name_of(X509 *cert, char *to, size_t size);

/* --- tls.c, psk.c --- */

int tls_open(struct cat *cat);
/* The session, so that there can be another one */
void tls_forget(struct cat *cat);
void tls_close(struct cat *cat);
/* 1 when it is done, 0 if it has to wait: *events for what */
int tls_handshake(struct cat *cat, short *events);
/* Say why a call of SSL_*() has failed */
int tls_fail(struct cat *cat, const char *what, int ret);
int psk_load(struct cat *cat, SSL_CTX *ctx);
/* A file with a secret: nobody else's, and nobody else may read it */
int psk_guarded(struct cat *cat, const char *path, int fd);
/* Here and in the session, if there is one */
void psk_wipe(SSL *ssl);

/* --- device.c --- */

/* The PSP device of the connection's route: its id or 0; fills in @side */
uint32_t device_find(int fd, uint32_t versions, struct side *side);

/* --- rekey.c --- */

/**
 * struct rekey - what libpsp does for us
 * @pool: its pool, of one connection
 * @conn: the connection
 * @dev: PSP device, @version: of PSP
 * @go: the first message may be sent; @put: it is in the stream; @sent: all of
 *	it, and nothing plain will follow
 * @waiting: libpsp wants to be told when it can send
 * @offer: the other side's first key, until it may be used
 * @stuck_at: when it was found that the other side cannot be heard, 0: it can
 * @counters: in the end
 */
struct rekey {
	struct psp_rekey_pool *pool;
	struct psp_rekey_conn *conn;
	uint32_t dev;
	unsigned int version;
	bool go;
	bool put;
	bool sent;
	bool waiting;
	uint8_t offer[PSP_REKEY_MSG_MAX];
	size_t offer_len;
	uint64_t stuck_at;
	struct psp_rekey_counters counters;
};

/* Make the first rx key: 0, or a negative errno, and no state is left */
int rekey_open(struct cat *cat, unsigned int version);
void rekey_close(struct cat *cat);
int rekey_start(struct cat *cat);	/* send the first key */
int rekey_frame(struct cat *cat, const uint8_t *data, size_t len);
int rekey_switch(struct cat *cat);	/* use the other side's */
int rekey_process(struct cat *cat);
void rekey_writable(struct cat *cat);
int rekey_fd(const struct cat *cat);
int rekey_timeout(const struct cat *cat);

/* --- pump.c --- */

#define PUMP_WINDOW	(4U << 20)	/* bytes that may wait for stdout */

/**
 * struct pump - data, both ways
 * @out: stdout, as we write to it; -1: closed
 * @is_sock: it is a socket
 * @nonblock: writing to it never waits
 * @buf: data for stdout
 * @stdin_ready: there is something to read
 * @sock_ready: the socket wants it
 * @sent: bytes of data sent, of @limit that the other side has room for
 * @received: bytes of data received, of @granted
 * @ended: we have said END, @done: and the other side has written it all
 * @peer_ended: the other side has said END, @peer_done: and we have
 */
struct pump {
	int out;
	bool is_sock;
	bool nonblock;
	struct buf buf;
	bool stdin_ready;
	bool sock_ready;
	uint64_t sent;
	uint64_t limit;
	uint64_t received;
	uint64_t granted;
	bool ended;
	bool done;
	bool peer_ended;
	bool peer_done;
};

int pump_open(struct cat *cat);
void pump_close(struct cat *cat);
bool pump_wants_stdin(const struct cat *cat);
bool pump_wants_stdout(const struct cat *cat);
bool pump_wants_socket(const struct cat *cat);
int pump_stdin(struct cat *cat);
int pump_stdout(struct cat *cat);
int pump_frame(struct cat *cat, enum frame_type type, const uint8_t *data,
	       size_t len);
/* Say what is to be said about it */
int pump_tell(struct cat *cat);
bool pump_is_over(const struct cat *cat);

/* --- pspcat.c, report.c --- */

enum phase {
	PHASE_TLS,	/* handshake */
	PHASE_HELLO,	/* what can they? */
	PHASE_READY,	/* have they got keys? */
	PHASE_SWITCH,	/* keys go, and then the ends of TLS */
	PHASE_QUIET,	/* nothing is read before the first tx-assoc */
	PHASE_BIND,	/* under PSP, but is it who we have met? */
	PHASE_DATA,
};

/**
 * struct cat - all of it
 * @args: command line
 * @signals: descriptor to read signals from, @ended: one has come
 * @dial: addresses
 * @from: address of the other side
 * @ctx: TLS
 * @proof: has our certificate and its key, until TLS is established
 * @link: connection
 * @phase: how far it is
 * @deadline: when the phase has to be over (ms), 0: never
 * @me: what we can, @peer: what the other side can
 * @tx: seals what we send, @rx: opens what we receive
 * @rekey: libpsp
 * @pump: data
 * @psp: data goes under PSP
 * @since: when data began to flow (ms)
 * @tls: cipher suite, @who: name of the other side; both once known
 * @told: the other side has said why it gives up
 * @error: what went wrong first, "" for nothing
 */
struct cat {
	struct cat_args args;
	int signals;
	bool ended;
	struct dial dial;
	char from[80];
	SSL_CTX *ctx;
	SSL *proof;
	struct link link;
	enum phase phase;
	uint64_t deadline;
	struct side me;
	struct side peer;
	struct seal tx;
	struct seal rx;
	struct rekey rekey;
	struct pump pump;
	bool psp;
	uint64_t since;
	char tls[64];
	char who[128];
	bool told;
	char error[512];
};

uint64_t now_ms(void);

/* Remember what went wrong first; returns -1 */
ATTRIBUTE(format(printf, 2, 3))
int cat_fail(struct cat *cat, const char *fmt, ...);

/* With -v */
ATTRIBUTE(format(printf, 2, 3))
void cat_say(const struct cat *cat, const char *fmt, ...);

/* Always, but where stderr is for a line of JSON */
ATTRIBUTE(format(printf, 2, 3))
void cat_warn(const struct cat *cat, const char *fmt, ...);

void cat_phase(struct cat *cat, enum phase phase);
/* What it means that the phase lasts so long */
const char *cat_late(const struct cat *cat);
/* The first tx-assoc is done */
int cat_under_psp(struct cat *cat);

void report(const struct cat *cat);

#endif /* PSPCAT_H */
