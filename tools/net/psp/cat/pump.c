// SPDX-License-Identifier: GPL-2.0
/*
 * stdin to frames, frames to stdout. The other side sends no more than was
 * granted, so the connection never stands still because stdout does: keys go
 * on to get through.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pspcat.h"

/* Grants are worth a frame when they are this much more */
#define PUMP_STEP	(PUMP_WINDOW / 4)

/* What it shares with others must not be set to be non-blocking for them */
static void pump_reopen(struct pump *pump)
{
	struct stat st;
	int fd = -1;

	pump->out = STDOUT_FILENO;
	if (fstat(STDOUT_FILENO, &st))
		return;
	pump->is_sock = S_ISSOCK(st.st_mode);
	pump->nonblock = pump->is_sock || S_ISREG(st.st_mode);
	if (S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO))
		fd = open("/proc/self/fd/1",
			  O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	pump->out = fd;
	pump->nonblock = true;
}

int pump_open(struct cat *cat)
{
	struct pump *pump = &cat->pump;

	/* Twice, so that what waits is seldom moved within it */
	if (buf_init(&pump->buf, 2 * PUMP_WINDOW))
		return cat_fail(cat, "no memory");
	pump_reopen(pump);
	return 0;
}

static int pump_close_stdout(struct cat *cat)
{
	struct pump *pump = &cat->pump;
	int out = pump->out;

	pump->out = -1;
	if (out > STDOUT_FILENO)
		close(out);
	if (out >= 0 && close(STDOUT_FILENO))
		return cat_fail(cat, "stdout: %s", strerror(errno));
	return 0;
}

void pump_close(struct cat *cat)
{
	buf_free(&cat->pump.buf);
}

static bool pump_may_send(const struct cat *cat)
{
	const struct pump *pump = &cat->pump;

	return cat->phase == PHASE_DATA && !pump->ended &&
	       pump->sent < pump->limit;
}

bool pump_wants_stdin(const struct cat *cat)
{
	return pump_may_send(cat) && !cat->pump.stdin_ready;
}

bool pump_wants_socket(const struct cat *cat)
{
	return pump_may_send(cat) && cat->pump.stdin_ready;
}

bool pump_wants_stdout(const struct cat *cat)
{
	return cat->pump.out >= 0 && cat->pump.buf.len;
}

static int pump_say_end(struct cat *cat)
{
	struct pump *pump = &cat->pump;
	uint8_t total[8];

	put_be64(total, pump->sent);
	if (frame_put(&cat->link.out, FRAME_END, total, sizeof(total)))
		pump->ended = true;
	return 0;
}

/* It may be shared: what was there when poll() said so may be gone */
static bool pump_stdin_has(void)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* One frame, when both are ready and nothing else waits to be sent */
int pump_stdin(struct cat *cat)
{
	struct pump *pump = &cat->pump;
	size_t len = FRAME_DATA_MAX;
	uint8_t *to;
	ssize_t n;

	if (!pump_may_send(cat) || !pump->stdin_ready || !pump->sock_ready ||
	    cat->link.out.len)
		return 0;
	if (len > pump->limit - pump->sent)
		len = pump->limit - pump->sent;
	to = frame_begin(&cat->link.out, len);
	pump->stdin_ready = false;
	if (!pump_stdin_has())
		return 0;
	n = read(STDIN_FILENO, to, len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return cat_fail(cat, "stdin: %s", strerror(errno));
	pump->sock_ready = false;
	if (!n)
		return pump_say_end(cat);
	frame_end(&cat->link.out, FRAME_DATA, n);
	pump->sent += n;
	return 0;
}

/* No more than a pipe surely takes, where writing might wait */
int pump_stdout(struct cat *cat)
{
	struct pump *pump = &cat->pump;
	size_t len = pump->buf.len;
	ssize_t n;

	if (!pump->nonblock && len > PIPE_BUF)
		len = PIPE_BUF;
	n = pump->is_sock ? send(pump->out, buf_peek(&pump->buf), len,
				 MSG_DONTWAIT | MSG_NOSIGNAL) :
			    write(pump->out, buf_peek(&pump->buf), len);
	if (n >= 0)
		buf_drop(&pump->buf, n);
	else if (errno != EAGAIN && errno != EINTR)
		return cat_fail(cat, "stdout: %s", strerror(errno));
	return 0;
}

static int pump_take_data(struct cat *cat, const uint8_t *data, size_t len)
{
	struct pump *pump = &cat->pump;
	uint8_t *to = buf_room(&pump->buf, len);

	if (!to || pump->peer_ended || pump->received + len > pump->granted)
		return cat_fail(cat, "the other side sends too much");
	memcpy(to, data, len);
	buf_grow(&pump->buf, len);
	pump->received += len;
	return 0;
}

static int pump_take_end(struct cat *cat, const uint8_t *data, size_t len)
{
	struct pump *pump = &cat->pump;

	if (pump->peer_ended || len != 8)
		return cat_fail(cat, "the other side says what makes no sense");
	if (get_be64(data) != pump->received)
		return cat_fail(cat, "the other side says that it has sent "
				"%llu bytes, and %llu have come",
				ULL(get_be64(data)), ULL(pump->received));
	pump->peer_ended = true;
	return 0;
}

int pump_frame(struct cat *cat, enum frame_type type, const uint8_t *data,
	       size_t len)
{
	struct pump *pump = &cat->pump;

	switch (type) {
	case FRAME_DATA:
		return pump_take_data(cat, data, len);
	case FRAME_END:
		return pump_take_end(cat, data, len);
	case FRAME_CREDIT:
		if (len != 8 || get_be64(data) < pump->limit)
			break;
		pump->limit = get_be64(data);
		return 0;
	case FRAME_DONE:
		if (len || !pump->ended || pump->done)
			break;
		pump->done = true;
		return 0;
	default:
		break;
	}
	return cat_fail(cat, "the other side says what makes no sense");
}

static void pump_grant(struct cat *cat)
{
	struct pump *pump = &cat->pump;
	uint64_t limit = pump->received - pump->buf.len + PUMP_WINDOW;
	uint8_t data[8];

	if (pump->peer_ended || limit - pump->granted < PUMP_STEP)
		return;
	put_be64(data, limit);
	if (frame_put(&cat->link.out, FRAME_CREDIT, data, sizeof(data)))
		pump->granted = limit;
}

int pump_tell(struct cat *cat)
{
	struct pump *pump = &cat->pump;

	if (cat->phase != PHASE_DATA)
		return 0;
	pump_grant(cat);
	if (!pump->peer_ended || pump->peer_done || pump->buf.len)
		return 0;
	if (pump->out >= 0 && pump_close_stdout(cat))
		return -1;
	if (frame_put(&cat->link.out, FRAME_DONE, NULL, 0))
		pump->peer_done = true;
	return 0;
}

bool pump_is_over(const struct cat *cat)
{
	return cat->pump.done && cat->pump.peer_done && !cat->link.out.len;
}
