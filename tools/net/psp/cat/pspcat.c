// SPDX-License-Identifier: GPL-2.0
/*
 * pspcat: a netcat whose connection is keyed by TLS and runs under PSP. The
 * protocol: Documentation/networking/psp_pspcat.rst.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libpsp.h"
#include "pspcat.h"

#define CAT_BUF		(4 * FRAME_MAX)
#define CAT_READS	64	/* then others have their turn */
#define CAT_PART_MS	5000
#define CAT_GIVE_UP_MS	1000
#define CAT_WRITE_MS	5000

enum { FD_SOCK, FD_STDIN, FD_STDOUT, FD_POOL, FD_SIGNALS, FD_NUM };

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* When both have everything, nothing can go wrong any more */
static bool cat_is_settled(const struct cat *cat)
{
	return cat->pump.done && cat->pump.peer_done;
}

int cat_fail(struct cat *cat, const char *fmt, ...)
{
	va_list args;

	if (cat_is_settled(cat))
		cat->link.eof = true;
	if (*cat->error || cat_is_settled(cat))
		return -1;
	va_start(args, fmt);
	vsnprintf(cat->error, sizeof(cat->error), fmt, args);
	va_end(args);
	return -1;
}

ATTRIBUTE(format(printf, 1, 0))
static void cat_print(const char *fmt, va_list args)
{
	fputs("pspcat: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void cat_say(const struct cat *cat, const char *fmt, ...)
{
	va_list args;

	if (!cat->args.verbose)
		return;
	va_start(args, fmt);
	cat_print(fmt, args);
	va_end(args);
}

void cat_warn(const struct cat *cat, const char *fmt, ...)
{
	va_list args;

	if (cat->args.json && !cat->args.verbose)
		return;
	va_start(args, fmt);
	cat_print(fmt, args);
	va_end(args);
}

void cat_phase(struct cat *cat, enum phase phase)
{
	cat->phase = phase;
	cat->deadline = phase == PHASE_DATA ? 0 :
			now_ms() + cat->args.timeout * 1000ULL;
	if (phase == PHASE_DATA)
		cat->since = now_ms();
}

const char *cat_late(const struct cat *cat)
{
	if (cat->phase == PHASE_QUIET || cat->phase == PHASE_BIND)
		return "nothing came under PSP: is UDP port 1000 let through, "
		       "is the MTU large enough?";
	return cat->phase == PHASE_TLS ? "the TLS handshake does not get on" :
					 "the other side does not get on";
}

static int cat_put(struct cat *cat, enum frame_type type, const void *data,
		   size_t len)
{
	return frame_put(&cat->link.out, type, data, len) ? 0 :
	       cat_fail(cat, "no room for what is to be said");
}

static int cat_hello(struct cat *cat)
{
	struct side *me = &cat->me;

	me->fallback = cat->args.fallback;
	cat->rekey.dev = device_find(cat->link.fd, cat->args.versions, me);
	if (!cat->rekey.dev)
		cat_say(cat, "no PSP: %s", me->why);
	agree_pack(me);
	cat_phase(cat, PHASE_HELLO);
	return cat_put(cat, FRAME_HELLO, me->hello, me->hello_len);
}

/* The facts may have changed since the first time; both still have the same */
static int cat_decide(struct cat *cat, enum verdict *verdict,
		      unsigned int *version)
{
	char why[sizeof(cat->error)];

	*verdict = agree_decide(&cat->me, &cat->peer, version, why,
				sizeof(why));
	if (*verdict == VERDICT_REFUSED)
		return cat_fail(cat, "%s", why);
	if (*verdict == VERDICT_TLS) {
		rekey_close(cat);
		cat_say(cat, "%s; going on under TLS", why);
		cat_phase(cat, PHASE_DATA);
	}
	return 0;
}

/* The rx key is made before anything is promised */
static int cat_ready(struct cat *cat, unsigned int version)
{
	uint8_t data[1 + WHY_MAX];
	struct side *me = &cat->me;
	int err;

	err = rekey_open(cat, version);
	if (err) {
		me->can = false;
		snprintf(me->why, sizeof(me->why), "rx-assoc: %s",
			 psp_strerror(err));
	}
	data[0] = me->can;
	memcpy(data + 1, me->why, strlen(me->why));
	cat_phase(cat, PHASE_READY);
	return cat_put(cat, FRAME_READY, data, 1 + strlen(me->why));
}

static int cat_take_hello(struct cat *cat, const uint8_t *data, size_t len)
{
	bool server = cat->args.listen;
	enum verdict verdict;
	unsigned int version;

	if (agree_parse(&cat->peer, data, len))
		return cat_fail(cat, "the other side speaks another protocol");
	if (seal_export(cat->link.ssl, server ? &cat->rx : &cat->tx,
			server ? &cat->tx : &cat->rx,
			server ? &cat->peer : &cat->me,
			server ? &cat->me : &cat->peer))
		return cat_fail(cat, "TLS: no keys can be derived");
	if (cat_decide(cat, &verdict, &version))
		return -1;
	return verdict == VERDICT_PSP ? cat_ready(cat, version) : 0;
}

static int cat_take_ready(struct cat *cat, const uint8_t *data, size_t len)
{
	enum verdict verdict;
	unsigned int version;

	if (!len)
		return cat_fail(cat, "the other side says what makes no sense");
	cat->peer.can = data[0];
	agree_text(cat->peer.why, sizeof(cat->peer.why), data + 1, len - 1);
	if (cat_decide(cat, &verdict, &version))
		return -1;
	if (verdict != VERDICT_PSP)
		return 0;
	cat_phase(cat, PHASE_SWITCH);
	return rekey_start(cat);
}

int cat_under_psp(struct cat *cat)
{
	if (link_leave_tls(cat))
		return -1;
	cat->psp = true;
	cat_phase(cat, PHASE_BIND);
	return cat_put(cat, FRAME_BIND, cat->tx.bind, BIND_LEN);
}

/* Is the one who has these keys the one that we have met under TLS? */
static int cat_take_bind(struct cat *cat, const uint8_t *data, size_t len)
{
	if (len != BIND_LEN || CRYPTO_memcmp(data, cat->rx.bind, BIND_LEN))
		return cat_fail(cat, "PSP: this is not the other side of the "
				"TLS session");
	cat_say(cat, "PSP %s, device %u", psp_version_name(cat->rekey.version),
		cat->rekey.dev);
	cat_phase(cat, PHASE_DATA);
	return 0;
}

static int cat_take_abort(struct cat *cat, const uint8_t *data, size_t len)
{
	char text[sizeof(cat->error)];

	agree_text(text, sizeof(text), data, len);
	cat->told = true;
	return cat_fail(cat, "the other side gives up: %s", text);
}

static int cat_frame(struct cat *cat, enum frame_type type,
		     const uint8_t *data, size_t len)
{
	if (type == FRAME_ABORT)
		return cat_take_abort(cat, data, len);
	if (cat->phase == PHASE_HELLO && type == FRAME_HELLO)
		return cat_take_hello(cat, data, len);
	if (cat->phase == PHASE_READY && type == FRAME_READY)
		return cat_take_ready(cat, data, len);
	if (cat->phase == PHASE_SWITCH && type == FRAME_KEY &&
	    !cat->rekey.offer_len)
		return rekey_frame(cat, data, len);
	if (cat->phase == PHASE_BIND && type == FRAME_BIND)
		return cat_take_bind(cat, data, len);
	if (cat->phase == PHASE_DATA && type == FRAME_KEY && cat->psp)
		return rekey_frame(cat, data, len);
	if (cat->phase == PHASE_DATA)
		return pump_frame(cat, type, data, len);
	return cat_fail(cat, "the other side says what it must not say yet");
}

static int cat_frames(struct cat *cat)
{
	enum frame_type type;
	const uint8_t *data;
	size_t len;
	int ret;

	while ((ret = frame_get(&cat->link.in, &type, &data, &len)) > 0) {
		if (cat_frame(cat, type, data, len))
			return -1;
		buf_drop(&cat->link.in, FRAME_HEAD + len);
	}
	return ret ? cat_fail(cat, "the other side sends no frames") : 0;
}

/* The end of TLS is the last that the other side says in plain */
static int cat_eof(struct cat *cat)
{
	if (cat_is_settled(cat))
		return 0;
	if (cat->phase != PHASE_SWITCH || !cat->rekey.offer_len ||
	    cat->link.in.len)
		return cat_fail(cat, "the connection ended before the data");
	cat_phase(cat, PHASE_QUIET);
	return rekey_switch(cat);
}

static int cat_read(struct cat *cat)
{
	int i, ret;

	for (i = 0; i < CAT_READS; i++) {
		ret = link_read(cat);
		if (ret <= 0)
			return ret;
		if (cat_frames(cat))
			return -1;
		if (cat->link.eof)
			return cat_eof(cat);
	}
	return 0;
}

/* What is read before the first tx-assoc may be anybody's */
static bool cat_may_read(const struct cat *cat)
{
	return cat->phase != PHASE_QUIET;
}

/* poll() does not know what OpenSSL has decrypted already */
static bool cat_has_more(const struct cat *cat)
{
	return cat->phase != PHASE_TLS && cat->link.ssl && cat_may_read(cat) &&
	       SSL_pending(cat->link.ssl);
}

static int cat_sock(struct cat *cat, short revents)
{
	if (revents & POLLOUT) {
		cat->pump.sock_ready = true;
		cat->link.blocked = false;
	}
	if (!cat_may_read(cat)) {
		if (revents & (POLLERR | POLLHUP))
			return cat_fail(cat, "the other side has gone");
		return 0;
	}
	if (revents & (POLLIN | POLLERR | POLLHUP) || cat_has_more(cat))
		return cat_read(cat);
	return 0;
}

static int cat_shake(struct cat *cat, short *events)
{
	int ret = tls_handshake(cat, events);

	return ret > 0 ? cat_hello(cat) : ret;
}

static short cat_sock_events(const struct cat *cat, short tls_events)
{
	short events = cat_may_read(cat) ? POLLIN : 0;

	if (cat->phase == PHASE_TLS)
		return tls_events;
	if (cat->link.out.len || cat->link.blocked || pump_wants_socket(cat))
		events |= POLLOUT;
	return events;
}

static int cat_poll(struct cat *cat, struct pollfd *pfd)
{
	int ms = rekey_timeout(cat);
	uint64_t now = now_ms();

	if (cat->deadline) {
		int left = cat->deadline > now ? cat->deadline - now : 0;

		if (ms < 0 || ms > left)
			ms = left;
	}
	if (cat_has_more(cat))
		ms = 0;
	if (poll(pfd, FD_NUM, ms) < 0) {
		if (errno != EINTR)
			return cat_fail(cat, "poll: %s", strerror(errno));
		for (ms = 0; ms < FD_NUM; ms++)
			pfd[ms].revents = 0;
	}
	if (pfd[FD_SIGNALS].revents && signals_take(cat))
		return -1;
	if (cat->deadline && now_ms() >= cat->deadline)
		return cat_fail(cat, "%s", cat_late(cat));
	return 0;
}

/* What there is to do besides reading the connection */
static int cat_work(struct cat *cat, const struct pollfd *pfd)
{
	if (pfd[FD_STDIN].revents)
		cat->pump.stdin_ready = true;
	if (pfd[FD_STDOUT].revents && pump_stdout(cat))
		return -1;
	if (rekey_process(cat) || pump_tell(cat) || pump_stdin(cat))
		return -1;
	if (!cat->link.blocked && link_flush(cat))
		return -1;
	if (!cat->link.blocked)
		rekey_writable(cat);
	return *cat->error ? -1 : 0;
}

static int cat_turn(struct cat *cat, short *tls_events)
{
	struct pollfd pfd[FD_NUM] = {
		[FD_SOCK] = { cat->link.fd, cat_sock_events(cat, *tls_events) },
		[FD_STDIN] = { pump_wants_stdin(cat) ? STDIN_FILENO : -1,
			       POLLIN },
		[FD_STDOUT] = { pump_wants_stdout(cat) ? cat->pump.out : -1,
				POLLOUT },
		[FD_POOL] = { rekey_fd(cat), POLLIN },
		[FD_SIGNALS] = { cat->signals, POLLIN },
	};

	if (cat_poll(cat, pfd))
		return -1;
	if (cat->phase == PHASE_TLS)
		return cat_shake(cat, tls_events);
	if (cat_sock(cat, pfd[FD_SOCK].revents))
		return -1;
	return cat_work(cat, pfd);
}

/*
 * What still comes is thrown away: closing before it came would be a reset. A
 * signal ends the wait.
 */
static void cat_drain(struct cat *cat, int ms)
{
	struct pollfd pfd[] = { { cat->link.fd, POLLIN },
				{ cat->signals, POLLIN } };
	uint64_t end = now_ms() + ms, now;
	char buf[4096];
	ssize_t n = 1;

	shutdown(cat->link.fd, SHUT_WR);
	while (n > 0 && (now = now_ms()) < end) {
		if (poll(pfd, 2, end - now) < 0 && errno != EINTR)
			break;
		if (pfd[1].revents && signals_take(cat))
			break;
		if (pfd[0].revents)
			n = recv(cat->link.fd, buf, sizeof(buf), 0);
	}
}

static bool cat_can_say(const struct cat *cat)
{
	return !cat->told && cat->phase != PHASE_TLS &&
	       cat->phase != PHASE_SWITCH && cat->phase != PHASE_QUIET;
}

/* What has come is good, whatever came of the connection */
static void cat_write_rest(struct cat *cat)
{
	struct pollfd pfd[] = { { cat->pump.out, POLLOUT },
				{ cat->signals, POLLIN } };
	uint64_t end = now_ms() + CAT_WRITE_MS, now;

	while (pump_wants_stdout(cat) && (now = now_ms()) < end) {
		if (poll(pfd, 2, end - now) < 0 && errno != EINTR)
			break;
		if (pfd[1].revents && signals_take(cat))
			break;
		if (pfd[0].revents && pump_stdout(cat))
			break;
	}
}

static void cat_part(struct cat *cat)
{
	if (*cat->error && cat_can_say(cat) && !cat->link.eof) {
		frame_put(&cat->link.out, FRAME_ABORT, cat->error,
			  strlen(cat->error));
		link_flush(cat);
	}
	rekey_close(cat);
	if (cat->link.ssl && cat->phase == PHASE_DATA)
		link_end_tls(cat);
	cat_write_rest(cat);
	cat_drain(cat, *cat->error ? CAT_GIVE_UP_MS : CAT_PART_MS);
}

/* Who has not proved who he is must not keep others from coming */
static void cat_turn_away(struct cat *cat)
{
	cat_warn(cat, "%s: %s; still listening", cat->from, cat->error);
	*cat->error = '\0';
	*cat->who = '\0';
	cat_drain(cat, CAT_GIVE_UP_MS);
	close(cat->link.fd);
	tls_forget(cat);
}

/* One connection. False: it was not the one that is waited for. */
static bool cat_met(struct cat *cat)
{
	short tls_events = POLLIN | POLLOUT;
	int ret;

	cat->link.fd = dial(cat);
	if (cat->link.fd < 0)
		return true;
	cat_phase(cat, PHASE_TLS);
	ret = cat_shake(cat, &tls_events);
	while (!ret && cat->phase == PHASE_TLS)
		ret = cat_turn(cat, &tls_events);
	if (cat->phase == PHASE_TLS && cat->args.listen && !cat->ended) {
		cat_turn_away(cat);
		return cat->ended;
	}
	dial_close(cat);
	while (!ret && !pump_is_over(cat))
		ret = cat_turn(cat, &tls_events);
	cat_part(cat);
	close(cat->link.fd);
	return true;
}

static void cat_talk(struct cat *cat)
{
	if (!dial_open(cat))
		while (!cat_met(cat))
			;
	dial_close(cat);
	signals_close(cat);
}

/*
 * Keys must not get into a core file, nor into the program that core_pattern
 * pipes it to, which no limit stops.
 */
static void cat_prepare(void)
{
	const struct rlimit none = { 0, 0 };

	fds_init();
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

int main(int argc, char **argv)
{
	static struct cat cat;

	cat_prepare();
	args_parse(&cat.args, argc, argv);
	cat.link.fd = -1;
	cat.signals = -1;
	if (buf_init(&cat.link.in, CAT_BUF) ||
	    buf_init(&cat.link.out, CAT_BUF))
		cat_fail(&cat, "no memory");
	if (!*cat.error && !pump_open(&cat) && !tls_open(&cat))
		cat_talk(&cat);
	tls_close(&cat);
	buf_free(&cat.link.in);
	buf_free(&cat.link.out);
	pump_close(&cat);
	OPENSSL_cleanse(&cat.tx, sizeof(cat.tx));
	OPENSSL_cleanse(&cat.rx, sizeof(cat.rx));
	report(&cat);
	return *cat.error ? CAT_FAILED : CAT_OK;
}
