/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * A kernel for tests: behind libpsp's sockets there is nothing but this. What
 * was queued comes first; where the queue is empty, fake_world.c answers.
 */
#ifndef FAKE_H
#define FAKE_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/psp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define FAKE_FAMILY	40
#define FAKE_NSID	5
#define FAKE_MSG	4096
#define FAKE_KEY	0xa5	/* each byte of each key */

/* A datagram, or an error of recvmsg() */
struct fake_gram {
	union {
		struct nlmsghdr nlh;
		char buf[FAKE_MSG];
	};
	size_t len;
	uint32_t from;
	int err;
	bool keep_seq;
};

/**
 * struct fake - the kernel
 * @absent: it has no PSP
 * @mainline: it has mainline's
 * @refuse: errno of all requests, but for those to the controller
 * @dies: refuse from this request on, as if the module was gone; 0 never
 * @busy: dumps since this request say EAGAIN, ten of them; 0 never
 * @join_err: errno of joining the group "assoc"
 * @nsid: id that the namespace has for itself
 * @asked_nsid: how often it was asked for that
 * @no_memory: calloc() fails
 * @queue: what recvmsg() gets
 * @route: the answer that a socket of rtnetlink is waiting for
 * @room: entries that there is memory for
 * @num: entries in it
 * @pos: next one
 * @req: copy of the last request
 * @req_at: where that was
 * @sent: requests so far
 * @recv_at: the last buffer given to recvmsg()
 * @recv_len: bytes that were put there, at most
 */
struct fake {
	bool absent;
	bool mainline;
	int refuse;
	unsigned int dies;
	unsigned int busy;
	int join_err;
	int32_t nsid;
	unsigned int asked_nsid;
	bool no_memory;
	struct fake_gram *queue;
	struct fake_gram route;
	unsigned int room;
	unsigned int num;
	unsigned int pos;
	union {
		struct nlmsghdr nlh;
		char buf[FAKE_MSG];
	} req;
	const char *req_at;
	unsigned int sent;
	const char *recv_at;
	size_t recv_len;
};

extern struct fake fake;

void fake_reset(void);
bool fake_is_busy(void);

/*
 * Queue a message of the family, to be filled with mnl_attr_put*(); a refusal,
 * likewise with extack attributes; the end of a dump; an error of recvmsg().
 * fake_done() sets the length of what was filled.
 */
struct nlmsghdr *fake_msg(uint16_t type, uint8_t cmd);
struct nlmsghdr *fake_error(int err);
void fake_done(void);
void fake_end(int err);
void fake_fail(int err);
struct fake_gram *fake_last(void);

/* Answer fake.req as a kernel would that has two devices and two sockets */
void fake_world(void);

/* Events, for those who listen */
void fake_world_events(void);

void fake_put_key(struct nlmsghdr *nlh, uint16_t nest, unsigned int len);

/* What the linker puts in the place of system calls */
void *__wrap_calloc(size_t num, size_t size);
int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_setsockopt(int fd, int level, int opt, const void *val,
		      socklen_t len);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);

#endif /* FAKE_H */
