// SPDX-License-Identifier: GPL-2.0
/* The user's end of a netfilter queue */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>
#include <unistd.h>

#include "leak.h"

#define LEAK_NFQ_BUF	(128 << 10)

static struct nlmsghdr *leak_nfq_start(struct leak_nfq *nfq, char *buf,
				       uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(nfq->num);
	return nlh;
}

static int leak_nfq_send(struct leak_nfq *nfq, struct nlmsghdr *nlh)
{
	return mnl_socket_sendto(nfq->nl, nlh, nlh->nlmsg_len) < 0 ? -errno :
								     0;
}

/* Bind to the queue, and ask for whole packets, up to 64 kB */
static int leak_nfq_config(struct leak_nfq *nfq, bool gso)
{
	struct nfqnl_msg_config_cmd cmd = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = {
		.copy_range = htonl(0xffff),
		.copy_mode = NFQNL_COPY_PACKET,
	};
	char buf[512];
	struct nlmsghdr *nlh;
	int len;

	nlh = leak_nfq_start(nfq, buf, NFQNL_MSG_CONFIG);
	nlh->nlmsg_flags |= NLM_F_ACK;
	mnl_attr_put(nlh, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	mnl_attr_put(nlh, NFQA_CFG_PARAMS, sizeof(params), &params);
	if (gso) {
		mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
		mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	}
	if (mnl_socket_sendto(nfq->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	len = mnl_socket_recvfrom(nfq->nl, buf, sizeof(buf));
	if (len < 0 || mnl_cb_run(buf, len, 0, nfq->portid, NULL, NULL) < 0)
		return -errno;
	return 0;
}

static struct mnl_socket *leak_nfq_socket(int ns)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct mnl_socket *nl = NULL;

	if (home < 0)
		return NULL;
	if (!psp_ns_enter(ns)) {
		nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
		psp_ns_enter(home);
	}
	close(home);
	return nl;
}

int leak_nfq_open(struct leak_nfq *nfq, int ns, uint16_t num, bool gso)
{
	int err, size = 16 << 20;

	memset(nfq, 0, sizeof(*nfq));
	nfq->num = num;
	nfq->nl = leak_nfq_socket(ns);
	if (!nfq->nl || mnl_socket_bind(nfq->nl, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	setsockopt(mnl_socket_get_fd(nfq->nl), SOL_SOCKET, SO_RCVBUFFORCE,
		   &size, sizeof(size));
	nfq->portid = mnl_socket_get_portid(nfq->nl);
	err = leak_nfq_config(nfq, gso);
	if (err)
		leak_nfq_close(nfq);
	return err;
}

/* Closing the socket makes the kernel drop what is still held */
void leak_nfq_close(struct leak_nfq *nfq)
{
	mnl_socket_close(nfq->nl);
	nfq->nl = NULL;
	nfq->nheld = 0;
}

struct leak_nfq_seen {
	struct leak_nfq *nfq;
	const struct leak *leak;
};

static int leak_nfq_packet(const struct nlmsghdr *nlh, void *data)
{
	const struct nfqnl_msg_packet_hdr *hdr = NULL;
	struct leak_nfq_seen *seen = data;
	struct leak_nfq *nfq = seen->nfq;
	const struct nlattr *attr;
	const void *payload;
	size_t len;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		payload = mnl_attr_get_payload(attr);
		len = mnl_attr_get_payload_len(attr);
		switch (mnl_attr_get_type(attr)) {
		case NFQA_PACKET_HDR:
			hdr = payload;
			break;
		case NFQA_PAYLOAD:
			nfq->open += !!memmem(payload, len,
					      seen->leak->open.word,
					      LEAK_WORD_LEN);
			nfq->secret += !!memmem(payload, len,
						seen->leak->secret.word,
						LEAK_WORD_LEN);
			break;
		}
	}
	if (!hdr || nfq->nheld == LEAK_NFQ_MAX) {
		errno = hdr ? ENOBUFS : EPROTO;
		return MNL_CB_ERROR;
	}
	nfq->held[nfq->nheld++] = ntohl(hdr->packet_id);
	return MNL_CB_OK;
}

int leak_nfq_poll(struct leak_nfq *nfq, const struct leak *leak)
{
	struct leak_nfq_seen seen = { .nfq = nfq, .leak = leak };
	static char buf[LEAK_NFQ_BUF];
	int fd = mnl_socket_get_fd(nfq->nl);
	unsigned int before = nfq->nheld;
	ssize_t len;

	for (;;) {
		len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len < 0)
			break;
		if (mnl_cb_run(buf, len, 0, nfq->portid, leak_nfq_packet,
			       &seen) < 0)
			return -errno;
	}
	return errno == EAGAIN ? nfq->nheld - before : -errno;
}

int leak_nfq_accept(struct leak_nfq *nfq, uint32_t mark)
{
	struct nfqnl_msg_verdict_hdr verdict = {
		.verdict = htonl(NF_ACCEPT),
	};
	struct nlmsghdr *nlh;
	unsigned int i;
	char buf[256];
	int err;

	for (i = 0; i < nfq->nheld; i++) {
		verdict.id = htonl(nfq->held[i]);
		nlh = leak_nfq_start(nfq, buf, NFQNL_MSG_VERDICT);
		mnl_attr_put(nlh, NFQA_VERDICT_HDR, sizeof(verdict),
			     &verdict);
		if (mark)
			mnl_attr_put_u32(nlh, NFQA_MARK, htonl(mark));
		err = leak_nfq_send(nfq, nlh);
		if (err)
			return err;
	}
	nfq->nheld = 0;
	return 0;
}
