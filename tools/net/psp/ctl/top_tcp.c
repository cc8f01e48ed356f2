// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes of TCP sockets, from inet_diag: PSP has no counter for a socket.
 * Kernels that lack it, or do not let us ask, tell none.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "top.h"

#define BUF_SIZE	32768

/* All but those that listen (10) or wait for their end (6) */
#define STATES		(0xfffu & ~(1u << 10 | 1u << 6))

struct tcp_talk {
	tcp_bytes_t tell;
	void *arg;
};

static int tcp_attr(const struct nlattr *attr, void *info)
{
	if (mnl_attr_get_type(attr) == INET_DIAG_INFO &&
	    mnl_attr_get_payload_len(attr) >=
	    offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(__u64))
		*(const void **)info = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

/* Attributes are aligned to 4 bytes only */
static uint64_t tcp_u64(const char *info, size_t offset)
{
	uint64_t val;

	memcpy(&val, info + offset, sizeof(val));
	return val;
}

static int tcp_msg(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *diag = mnl_nlmsg_get_payload(nlh);
	const struct tcp_talk *talk = data;
	const char *info = NULL;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*diag))
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*diag), tcp_attr, &info);
	if (info)
		talk->tell(talk->arg, (uint64_t)diag->id.idiag_cookie[1] << 32 |
				      diag->id.idiag_cookie[0],
			   tcp_u64(info, offsetof(struct tcp_info,
						  tcpi_bytes_received)),
			   tcp_u64(info, offsetof(struct tcp_info,
						  tcpi_bytes_acked)));
	return MNL_CB_OK;
}

static int tcp_send(int fd, uint8_t family, uint32_t seq)
{
	ATTRIBUTE(aligned(8)) char buf[256];
	struct inet_diag_req_v2 *req;
	struct nlmsghdr *nlh;
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = STATES;
	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	iov = (struct iovec){ nlh, nlh->nlmsg_len };
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

static int tcp_dump(int fd, uint8_t family, uint32_t seq, char *buf,
		    struct tcp_talk *talk)
{
	struct sockaddr_nl addr;
	struct iovec iov = { buf, BUF_SIZE };
	struct msghdr msg;
	int ret;

	ret = tcp_send(fd, family, seq);
	if (ret)
		return ret;
	do {
		msg = (struct msghdr){ &addr, sizeof(addr), &iov, 1 };
		ret = recvmsg(fd, &msg, 0);
		if (ret < 0 && errno == EINTR)
			continue;
		/* Here EINTR is a dump that is not whole, maybe at its end */
		if (ret >= 0 && !addr.nl_pid)
			ret = mnl_cb_run(buf, ret, seq, 0, tcp_msg, talk);
		if (ret < 0)
			return -errno;
	} while (ret);
	return 0;
}

int tcp_bytes(tcp_bytes_t tell, void *arg)
{
	struct tcp_talk talk = { tell, arg };
	char *buf;
	int fd, err;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	buf = malloc(BUF_SIZE);
	err = buf ? tcp_dump(fd, AF_INET, 1, buf, &talk) : -ENOMEM;
	if (!err)
		err = tcp_dump(fd, AF_INET6, 2, buf, &talk);
	free(buf);
	close(fd);
	return err;
}
