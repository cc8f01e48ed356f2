// SPDX-License-Identifier: GPL-2.0
/* Ways to look at sockets with PSP state from outside */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "watch.h"

#define WATCH_EVENTS	"/sys/kernel/tracing/events/psp/enable"

uint64_t watch_cookie(int fd)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		return 0;
	return cookie;
}

int watch_sockets(struct psp_end *end, uint32_t dev_id, int *fds, int num)
{
	struct psp_key key;
	int i, err;

	for (i = 0; i < num; i++)
		fds[i] = -1;
	for (i = 0; i < num; i++) {
		fds[i] = psp_tcp_socket(end, PSP_IPV4);
		if (fds[i] < 0)
			return fds[i];
		err = psp_nl_rx_assoc(&end->nl, dev_id, WATCH_VERSION, fds[i],
				      &key);
		if (err)
			return err;
	}
	return 0;
}

void watch_close(int *fds, int num)
{
	int i;

	for (i = 0; i < num; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int watch_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int watch_trace(bool on)
{
	/* Opened for writing, the trace is emptied */
	int err = on ? watch_write(WATCH_TRACE, "\n") : 0;

	return err ? err : watch_write(WATCH_EVENTS, on ? "1" : "0");
}

int watch_traced(const char *event, const char *text)
{
	char line[512], want[64];
	FILE *file;
	int num = 0;

	file = fopen(WATCH_TRACE, "re");
	if (!file)
		return -errno;
	snprintf(want, sizeof(want), " %s: ", event);
	while (fgets(line, sizeof(line), file))
		num += strstr(line, want) && strstr(line, text);
	fclose(file);
	return num;
}

int watch_wait_traced(const char *event, const char *text)
{
	uint64_t end = psp_now_ms() + psp_slow_ms(WATCH_MS);
	int num;

	for (;;) {
		num = watch_traced(event, text);
		if (num)
			return num < 0 ? num : 0;
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
}

static int watch_diag_id(int fd, struct inet_diag_req_v2 *req)
{
	struct sockaddr_in laddr, raddr;
	socklen_t len = sizeof(laddr);

	if (getsockname(fd, (struct sockaddr *)&laddr, &len) ||
	    getpeername(fd, (struct sockaddr *)&raddr, &len))
		return -errno;
	req->id.idiag_sport = laddr.sin_port;
	req->id.idiag_dport = raddr.sin_port;
	req->id.idiag_src[0] = laddr.sin_addr.s_addr;
	req->id.idiag_dst[0] = raddr.sin_addr.s_addr;
	req->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return 0;
}

static int watch_diag_talk(struct mnl_socket *nl, int fd, bool dump, void *buf,
			   size_t len)
{
	char msg[256] = { };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(msg);
	struct inet_diag_req_v2 *req;
	int err;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | (dump ? NLM_F_DUMP : 0);
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = AF_INET;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	req->idiag_states = 1 << BPF_TCP_ESTABLISHED;
	err = watch_diag_id(fd, req);
	if (err)
		return err;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	err = mnl_socket_recvfrom(nl, buf, len);
	return err < 0 ? -errno : err;
}

int watch_diag(int ns, int fd, bool dump, void *buf, size_t len)
{
	int sk = psp_ns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	struct mnl_socket *nl;
	int ret;

	if (sk < 0)
		return sk;
	nl = mnl_socket_fdopen(sk);
	if (!nl) {
		close(sk);
		return -errno;
	}
	ret = watch_diag_talk(nl, fd, dump, buf, len);
	mnl_socket_close(nl);
	return ret;
}

static const struct nlattr *watch_find(const struct nlattr *nest, int type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

const struct nlattr *watch_diag_psp(const void *buf, size_t len)
{
	const struct nlmsghdr *nlh = buf;
	const struct nlattr *attr;

	if (!mnl_nlmsg_ok(nlh, len) || nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return NULL;
	mnl_attr_for_each(attr, nlh, sizeof(struct inet_diag_msg))
		if (mnl_attr_get_type(attr) == INET_DIAG_ULP_INFO)
			return watch_find(attr, PSP_INET_ULP_INFO);
	return NULL;
}
