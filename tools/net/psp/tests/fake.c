// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* System calls on netlink sockets, redirected here by the linker */
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake.h"

struct fake fake = { .nsid = FAKE_NSID };

/* For pspctl: the environment tells what kernel it meets */
__attribute__((constructor))
static void fake_from_env(void)
{
	const char *kernel = getenv("FAKE_KERNEL");

	if (!kernel)
		return;
	fake.absent = !strcmp(kernel, "absent");
	fake.mainline = !strcmp(kernel, "mainline");
	if (!strcmp(kernel, "dies"))
		fake.dies = 20;
	if (!strcmp(kernel, "busy"))
		fake.busy = 20;
	if (!strcmp(kernel, "refuse")) {
		fake.refuse = EPERM;
		fake.join_err = EPERM;
	}
}

void fake_reset(void)
{
	struct fake_gram *queue = fake.queue;
	unsigned int room = fake.room;

	memset(&fake, 0, sizeof(fake));
	fake.nsid = FAKE_NSID;
	fake.queue = queue;
	fake.room = room;
}

bool fake_is_busy(void)
{
	return fake.busy && fake.sent >= fake.busy &&
	       fake.sent < fake.busy + 10;
}

/* The next entry of the queue, which may move for it */
static struct fake_gram *fake_add(void)
{
	if (fake.num == fake.room) {
		fake.room = fake.room ? 2 * fake.room : 64;
		fake.queue = realloc(fake.queue,
				     fake.room * sizeof(*fake.queue));
		if (!fake.queue)
			abort();
	}
	return memset(&fake.queue[fake.num++], 0, sizeof(*fake.queue));
}

struct fake_gram *fake_last(void)
{
	return &fake.queue[fake.num - 1];
}

struct nlmsghdr *fake_msg(uint16_t type, uint8_t cmd)
{
	struct fake_gram *gram = fake_add();
	struct genlmsghdr *genlh;

	mnl_nlmsg_put_header(gram->buf);
	gram->nlh.nlmsg_type = type;
	genlh = mnl_nlmsg_put_extra_header(&gram->nlh, sizeof(*genlh));
	genlh->cmd = cmd;
	fake_done();
	return &gram->nlh;
}

void fake_done(void)
{
	fake_last()->len = fake_last()->nlh.nlmsg_len;
}

struct nlmsghdr *fake_error(int err)
{
	struct fake_gram *gram = fake_add();
	struct nlmsgerr *body;

	mnl_nlmsg_put_header(gram->buf);
	gram->nlh.nlmsg_type = NLMSG_ERROR;
	gram->nlh.nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	body = mnl_nlmsg_put_extra_header(&gram->nlh, sizeof(*body));
	body->error = err;
	fake_done();
	return &gram->nlh;
}

void fake_end(int err)
{
	struct fake_gram *gram = fake_add();

	mnl_nlmsg_put_header(gram->buf);
	gram->nlh.nlmsg_type = NLMSG_DONE;
	*(int *)mnl_nlmsg_put_extra_header(&gram->nlh, sizeof(int)) = err;
	fake_done();
}

void fake_fail(int err)
{
	fake_add()->err = err;
}

void fake_put_key(struct nlmsghdr *nlh, uint16_t nest, unsigned int len)
{
	struct nlattr *start = mnl_attr_nest_start(nlh, nest);
	uint8_t key[64];

	memset(key, FAKE_KEY, sizeof(key));
	mnl_attr_put(nlh, PSP_A_KEYS_KEY, len, key);
	mnl_attr_put_u32(nlh, PSP_A_KEYS_SPI, 0x80000011);
	mnl_attr_nest_end(nlh, start);
}

void *__real_calloc(size_t num, size_t size);

void *__wrap_calloc(size_t num, size_t size)
{
	return fake.no_memory ? NULL : __real_calloc(num, size);
}

int __wrap_socket(int family, int type, int protocol)
{
	return open("/dev/zero", O_RDONLY | O_CLOEXEC);
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return 0;
}

int __wrap_setsockopt(int fd, int level, int opt, const void *val,
		      socklen_t len)
{
	if (level != SOL_NETLINK || opt != NETLINK_ADD_MEMBERSHIP)
		return 0;
	if (fake.join_err && *(const uint32_t *)val == 3) {
		errno = fake.join_err;
		return -1;
	}
	return 0;
}

/* A request on the socket that is for nothing else: its answer overtakes all */
static void fake_route(const struct nlmsghdr *req)
{
	struct nlmsghdr *nlh;

	memset(&fake.route, 0, sizeof(fake.route));
	nlh = mnl_nlmsg_put_header(fake.route.buf);
	nlh->nlmsg_type = RTM_NEWNSID;
	nlh->nlmsg_seq = req->nlmsg_seq;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_NSID, fake.nsid);
	fake.route.len = nlh->nlmsg_len;
	nlh = mnl_nlmsg_put_header(fake.route.buf + fake.route.len);
	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_seq = req->nlmsg_seq;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nlmsgerr));
	fake.route.len += nlh->nlmsg_len;
	fake.route.keep_seq = true;
	fake.asked_nsid++;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const struct iovec *iov = msg->msg_iov;
	const struct nlmsghdr *req = iov->iov_base;

	if (req->nlmsg_type == RTM_GETNSID) {
		fake_route(req);
		return iov->iov_len;
	}
	memcpy(fake.req.buf, iov->iov_base, iov->iov_len);
	fake.req_at = iov->iov_base;
	fake.sent++;
	if (fake.sent == fake.dies)
		fake.refuse = ENOENT;
	if (fake.pos == fake.num) {
		fake.pos = 0;
		fake.num = 0;
		fake_world();
	}
	return iov->iov_len;
}

static void fake_deliver(struct fake_gram *gram, struct msghdr *msg)
{
	struct sockaddr_nl *addr = msg->msg_name;
	char *buf = msg->msg_iov->iov_base;

	memset(addr, 0, sizeof(*addr));
	addr->nl_family = AF_NETLINK;
	addr->nl_pid = gram->from;
	if (gram->len >= sizeof(gram->nlh) && !gram->keep_seq)
		gram->nlh.nlmsg_seq = fake.req.nlh.nlmsg_seq;
	memcpy(buf, gram->buf, gram->len);
	msg->msg_flags = 0;
	fake.recv_at = buf;
	if (gram->len > fake.recv_len)
		fake.recv_len = gram->len;
}

/* Only who does not wait for an answer can mean an event */
static void fake_next_event(void)
{
	static unsigned int next;

	/* What there was before an error is gone after it: a pause */
	if (fake.num && fake.queue[fake.num - 1].err) {
		fake.pos = 0;
		fake.num = 0;
		return;
	}
	fake.num = 0;
	fake_world_events();
	fake.pos = next++ % fake.num;
	fake.num = fake.pos + 1;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct fake_gram *gram = &fake.route;
	size_t len = gram->len;

	if (len) {
		fake_deliver(gram, msg);
		gram->len = 0;
		return len;
	}
	if (flags & MSG_DONTWAIT && getenv("FAKE_EVENTS"))
		fake_next_event();
	if (fake.pos == fake.num) {
		errno = EAGAIN;
		return -1;
	}
	gram = &fake.queue[fake.pos++];
	if (gram->err) {
		errno = gram->err;
		return -1;
	}
	fake_deliver(gram, msg);
	return gram->len;
}
