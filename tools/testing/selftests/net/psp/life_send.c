// SPDX-License-Identifier: GPL-2.0
/*
 * All the ways to hand data to a socket. What is encrypted is a copy: neither a
 * page of the sender nor one of the page cache ever changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "life_fixture.h"

#define SEED	5
#define LEN	(256 << 10)
#define PIECE	(16 << 10)

/* A pattern in memory of the process, page aligned */
static uint8_t *pattern_pages(void)
{
	uint8_t *buf = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buf == MAP_FAILED)
		return NULL;
	psp_pattern(SEED, 0, buf, LEN);
	return buf;
}

/* A pattern in the page cache, and the pages as they are seen there */
static int pattern_file(uint8_t **pages)
{
	int fd = memfd_create("life", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, LEN))
		return -errno;
	*pages = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*pages == MAP_FAILED)
		return -errno;
	psp_pattern(SEED, 0, *pages, LEN);
	return fd;
}

static bool is_unchanged(const uint8_t *buf)
{
	uint8_t want[PIECE];
	int pos;

	for (pos = 0; pos < LEN; pos += PIECE) {
		psp_pattern(SEED, pos, want, PIECE);
		if (memcmp(want, buf + pos, PIECE))
			return false;
	}
	return true;
}

/* The pages are as they were when all of them have arrived, and stay so when
 * everything has left the device
 */
static void expect_arrival(struct __test_metadata *_metadata, struct policy *p,
			   struct wire *wire, uint8_t *pages)
{
	EXPECT_TRUE(is_unchanged(pages));
	EXPECT_EQ(0, psp_tcp_drain(p->conn.a.fd, LIFE_MS));
	EXPECT_TRUE(is_unchanged(pages));
	EXPECT_TRUE(life_is_secured(p, wire));
	munmap(pages, LEN);
}

/* Notifications of zero copy that have come: how many sends they speak for */
static int completions(int fd, bool *copied)
{
	char ctl[128];
	struct msghdr msg = { .msg_control = ctl };
	const struct sock_extended_err *err;
	const struct cmsghdr *cmsg;
	int num = 0;

	for (;;) {
		msg.msg_controllen = sizeof(ctl);
		if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return errno == EAGAIN ? num : -errno;
		cmsg = CMSG_FIRSTHDR(&msg);
		if (!cmsg)
			return -EBADMSG;
		err = (const void *)CMSG_DATA(cmsg);
		if (err->ee_errno || err->ee_origin != SO_EE_ORIGIN_ZEROCOPY)
			return -EBADMSG;
		*copied |= err->ee_code & SO_EE_CODE_ZEROCOPY_COPIED;
		num += err->ee_data - err->ee_info + 1;
	}
}

/* Send the pages without copying them, while B reads: the number of sends */
static int send_zerocopy(struct policy *p, const uint8_t *pages)
{
	int one = 1, sends = 0, pos, err;
	ssize_t n;

	if (setsockopt(p->conn.a.fd, SOL_SOCKET, SO_ZEROCOPY, &one,
		       sizeof(one)))
		return -errno;
	for (pos = 0; pos < LEN; pos += n) {
		n = send(p->conn.a.fd, pages + pos, LEN - pos,
			 MSG_ZEROCOPY | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			sends++;
			continue;
		}
		if (errno != EAGAIN)
			return -errno;
		n = 0;
		err = life_poll(p->conn.a.fd, POLLOUT);
		if (err)
			return err;
	}
	return sends;
}

/* B's buffer holds all of it, so that one can be done before the other */
static int big_buffers(struct psp_conn *conn)
{
	int size = 4 * LEN;

	return setsockopt(conn->b.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			  sizeof(size)) ||
	       setsockopt(conn->a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
			  sizeof(size)) ? -errno : 0;
}

static void expect_completions(struct __test_metadata *_metadata, int fd,
			       int sends)
{
	bool copied = false;
	int num = 0, ret;

	while (num < sends) {
		ASSERT_EQ(0, life_poll(fd, 0));
		ret = completions(fd, &copied);
		ASSERT_GE(ret, 0);
		num += ret;
	}
	EXPECT_EQ(sends, num);
	EXPECT_FALSE(copied);
}

TEST_F(life, zerocopy_send_is_notified_and_leaves_the_pages_alone)
{
	struct policy *p = &self->p;
	uint8_t *pages = pattern_pages();
	int sends;

	ASSERT_NE(NULL, pages);
	ASSERT_EQ(0, big_buffers(&p->conn));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	sends = send_zerocopy(p, pages);
	ASSERT_LT(0, sends);
	EXPECT_EQ(0, life_read(p->conn.b.fd, SEED, LEN, false));
	expect_completions(_metadata, p->conn.a.fd, sends);
	expect_arrival(_metadata, p, &self->wire, pages);
}

/* Pages that wait to be acknowledged when the key changes */
TEST_F(life, zerocopy_send_across_a_rekey)
{
	struct policy *p = &self->p;
	uint8_t *pages = pattern_pages();
	int sends;

	ASSERT_NE(NULL, pages);
	ASSERT_EQ(0, big_buffers(&p->conn));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, life_cut(&p->net.a, true));
	sends = send_zerocopy(p, pages);
	ASSERT_LT(0, sends);
	ASSERT_EQ(0, life_rekey(p, &self->wire));
	ASSERT_EQ(0, life_cut(&p->net.a, false));
	EXPECT_EQ(0, life_read(p->conn.b.fd, SEED, LEN, false));
	expect_completions(_metadata, p->conn.a.fd, sends);
	expect_arrival(_metadata, p, &self->wire, pages);
}

TEST_F(life, sendfile_leaves_the_file_alone)
{
	struct policy *p = &self->p;
	uint8_t *pages;
	off_t pos = 0;
	int file;

	file = pattern_file(&pages);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, big_buffers(&p->conn));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	while (pos < LEN) {
		ASSERT_EQ(0, life_poll(p->conn.a.fd, POLLOUT));
		ASSERT_LE(0, sendfile(p->conn.a.fd, file, &pos, LEN - pos));
	}
	EXPECT_EQ(0, life_read(p->conn.b.fd, SEED, LEN, false));
	expect_arrival(_metadata, p, &self->wire, pages);
	close(file);
}

/* From a pipe to the socket of A */
static int drain_pipe(struct policy *p, int from, size_t len)
{
	ssize_t n;
	int err;

	for (; len; len -= n) {
		err = life_poll(p->conn.a.fd, POLLOUT);
		if (err)
			return err;
		n = splice(from, NULL, p->conn.a.fd, NULL, len,
			   SPLICE_F_MOVE | SPLICE_F_MORE);
		if (n < 0)
			return -errno;
	}
	return 0;
}

TEST_F(life, splice_from_a_file_leaves_the_file_alone)
{
	struct policy *p = &self->p;
	int file, pipe_fd[2];
	uint8_t *pages;
	loff_t pos = 0;
	ssize_t n;

	file = pattern_file(&pages);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, pipe(pipe_fd));
	ASSERT_EQ(0, big_buffers(&p->conn));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	while (pos < LEN) {
		n = splice(file, &pos, pipe_fd[1], NULL, PIECE, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(0, drain_pipe(p, pipe_fd[0], n));
	}
	EXPECT_EQ(0, life_read(p->conn.b.fd, SEED, LEN, false));
	expect_arrival(_metadata, p, &self->wire, pages);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	close(file);
}

TEST_F(life, vmsplice_leaves_the_pages_alone)
{
	struct policy *p = &self->p;
	uint8_t *pages = pattern_pages();
	struct iovec iov;
	int pipe_fd[2], pos;
	ssize_t n;

	ASSERT_NE(NULL, pages);
	ASSERT_EQ(0, pipe(pipe_fd));
	ASSERT_EQ(0, big_buffers(&p->conn));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	for (pos = 0; pos < LEN; pos += n) {
		iov.iov_base = pages + pos;
		iov.iov_len = PIECE;
		n = vmsplice(pipe_fd[1], &iov, 1, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(0, drain_pipe(p, pipe_fd[0], n));
	}
	EXPECT_EQ(0, life_read(p->conn.b.fd, SEED, LEN, false));
	expect_arrival(_metadata, p, &self->wire, pages);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* The receiving end hands pages on as well */
TEST_F(life, splice_out_of_the_socket_brings_the_right_bytes)
{
	struct policy *p = &self->p;
	uint8_t got[PIECE], want[PIECE];
	int pipe_fd[2];
	size_t pos;
	ssize_t n;

	ASSERT_EQ(0, pipe(pipe_fd));
	ASSERT_EQ(0, big_buffers(&p->conn));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	psp_pattern(SEED, 0, want, PIECE);
	ASSERT_EQ(PIECE, send(p->conn.a.fd, want, PIECE, 0));
	for (pos = 0; pos < PIECE; pos += n) {
		ASSERT_EQ(0, life_poll(p->conn.b.fd, POLLIN));
		n = splice(p->conn.b.fd, NULL, pipe_fd[1], NULL, PIECE - pos,
			   SPLICE_F_MOVE);
		ASSERT_LT(0, n);
		ASSERT_EQ(n, read(pipe_fd[0], got + pos, n));
	}
	EXPECT_EQ(0, memcmp(want, got, PIECE));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* The mark is where it belongs, whether it is taken out of line or in line */
TEST_F(life, urgent_data_is_marked_and_secured)
{
	struct policy *p = &self->p;
	int b = p->conn.b.fd, one = 1, mark;
	char byte;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "ahead"));
	ASSERT_EQ(1, send(p->conn.a.fd, "!", 1, MSG_OOB));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "behind"));
	ASSERT_EQ(0, life_poll(b, POLLPRI));
	ASSERT_EQ(0, psp_tcp_drain(p->conn.a.fd, LIFE_MS));
	ASSERT_EQ(1, recv(b, &byte, 1, MSG_OOB));
	EXPECT_EQ('!', byte);
	EXPECT_EQ(0, policy_reads(b, "ahead"));
	EXPECT_EQ(0, policy_reads(b, "behind"));

	ASSERT_EQ(0, setsockopt(b, SOL_SOCKET, SO_OOBINLINE, &one,
				sizeof(one)));
	ASSERT_EQ(1, send(p->conn.a.fd, "?", 1, MSG_OOB));
	ASSERT_EQ(0, life_poll(b, POLLPRI));
	mark = sockatmark(b);
	EXPECT_EQ(1, mark);
	EXPECT_EQ(0, policy_reads(b, "?"));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* One segment of as many bytes as were written while it was corked */
TEST_F(life, corked_writes_leave_as_one_segment)
{
	struct policy *p = &self->p;
	int on = 1, off = 0, i, len = 0;
	struct wire_seg seg;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, setsockopt(p->conn.a.fd, IPPROTO_TCP, TCP_CORK, &on,
				sizeof(on)));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, policy_send(p->conn.a.fd, "0123456789"));
	ASSERT_EQ(0, setsockopt(p->conn.a.fd, IPPROTO_TCP, TCP_CORK, &off,
				sizeof(off)));
	while (!len) {
		ASSERT_EQ(0, life_next(&self->wire, true, 0, &seg));
		len = seg.len;
	}
	EXPECT_EQ(100, len);
}

/* Nothing but Nagle's algorithm holds data back, nothing else lets it go */
static int only_nagle(struct policy *p)
{
	int err = psp_ns_enter(p->net.a.ns);

	if (!err)
		err = psp_sysctl("net/ipv4/tcp_autocorking", "0");
	if (!err)
		err = psp_sysctl("net/ipv4/tcp_early_retrans", "0");
	return psp_ns_enter(p->net.home) ?: err;
}

/* Small writes behind unacknowledged data wait, and go as one segment then */
TEST_F(life, writes_without_nodelay_are_gathered)
{
	struct policy *p = &self->p;
	int a = p->conn.a.fd, b = p->conn.b.fd, off = 0, i;
	struct wire_seg seg;
	uint32_t first;

	ASSERT_EQ(0, only_nagle(p));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &off,
				sizeof(off)));
	ASSERT_EQ(0, forge_deafen(b, true));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, policy_send(a, "x"));
	ASSERT_EQ(0, life_next(&self->wire, true, FORGE_PSH, &seg));
	EXPECT_EQ(1, seg.len);
	first = seg.seq;
	ASSERT_EQ(0, forge_deafen(b, false));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(1, policy_read(b, &(char){ 0 }, 1));
	/* The first one comes again, for B has not heard it */
	while (seg.seq == first)
		ASSERT_EQ(0, life_next(&self->wire, true, FORGE_PSH, &seg));
	EXPECT_EQ(49, seg.len);
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(life, tcp_inq_and_rcvlowat_count_what_psp_brought)
{
	struct policy *p = &self->p;
	struct pollfd pfd = { .fd = p->conn.b.fd, .events = POLLIN };
	int one = 1, lowat = 10;
	char buf[4], ctl[64];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, setsockopt(pfd.fd, IPPROTO_TCP, TCP_INQ, &one,
				sizeof(one)));
	ASSERT_EQ(0, setsockopt(pfd.fd, SOL_SOCKET, SO_RCVLOWAT, &lowat,
				sizeof(lowat)));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "123456789"));
	ASSERT_EQ(0, psp_tcp_drain(p->conn.a.fd, LIFE_MS));
	EXPECT_EQ(9, psp_tcp_inq(pfd.fd));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "0"));
	ASSERT_EQ(0, life_poll(pfd.fd, POLLIN));

	ASSERT_EQ(4, recvmsg(pfd.fd, &msg, 0));
	ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
	EXPECT_EQ(TCP_CM_INQ, CMSG_FIRSTHDR(&msg)->cmsg_type);
	EXPECT_EQ(6, *(int *)CMSG_DATA(CMSG_FIRSTHDR(&msg)));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

TEST_HARNESS_MAIN
