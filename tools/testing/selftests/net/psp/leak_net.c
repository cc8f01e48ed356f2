// SPDX-License-Identifier: GPL-2.0
/* The cable, a way around it, and the two connections */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leak.h"

#define LEAK_CHUNK	(16 << 10)

static const char leak_word_open[] = "seen by everyone";
static const char leak_word_secret[] = "Schweigen=Gold!?";

/* Addresses and ports as an IP header and what follows it have them */
static size_t leak_tuple(uint8_t *out, const struct psp_side *from,
			 const struct psp_side *to, enum psp_family family)
{
	bool v6 = family == PSP_IPV6;
	size_t alen = v6 ? 16 : 4;
	const void *saddr, *daddr;
	struct sockaddr_in6 sa, da;
	socklen_t len;

	saddr = v6 ? (void *)&from->end->v6 : (void *)&from->end->v4;
	daddr = v6 ? (void *)&to->end->v6 : (void *)&to->end->v4;
	memcpy(out, saddr, alen);
	memcpy(out + alen, daddr, alen);

	/* Ports are in the same place in both families */
	len = sizeof(sa);
	getsockname(from->fd, (struct sockaddr *)&sa, &len);
	len = sizeof(da);
	getpeername(from->fd, (struct sockaddr *)&da, &len);
	memcpy(out + 2 * alen, &sa.sin6_port, 2);
	memcpy(out + 2 * alen + 2, &da.sin6_port, 2);
	return 2 * alen + 4;
}

static void leak_flow_name(struct leak_flow *flow)
{
	struct psp_conn *conn = &flow->conn;

	leak_tuple(flow->back, &conn->b, &conn->a, conn->family);
	flow->tuple_len = leak_tuple(flow->there, &conn->a, &conn->b,
				     conn->family);
}

static int leak_flow_open(struct leak_flow *flow, struct psp_net *net,
			  enum psp_family family)
{
	int err;

	flow->sent = 0;
	flow->rcvd = 0;
	err = psp_conn_open(&flow->conn, net, family);
	if (!err)
		leak_flow_name(flow);
	return err;
}

static int leak_flows(struct leak *leak, enum psp_family family)
{
	int err;

	leak->open.word = leak_word_open;
	leak->secret.word = leak_word_secret;
	err = leak_flow_open(&leak->open, &leak->net, family);
	if (!err)
		err = psp_conn_ping(&leak->open.conn);
	if (!err)
		err = leak_flow_open(&leak->secret, &leak->net, family);
	if (!err)
		err = psp_conn_secure(&leak->secret.conn,
				      PSP_VERSION_HDR0_AES_GCM_128);
	return err;
}

static int leak_way_aside(struct leak *leak)
{
	int err;

	leak->aside = psp_ns_new();
	if (leak->aside < 0)
		return leak->aside;
	err = leak_veth_open(leak);
	return err ? err : leak_watch_open(&leak->away, leak->aside, 0);
}

int leak_open(struct leak *leak, enum psp_family family)
{
	int err;

	memset(leak, 0, sizeof(*leak));
	leak->aside = -1;
	leak->away.fd = -1;
	leak->tap.fd = -1;

	err = psp_net_open(&leak->net);
	if (err)
		return err;
	err = leak_way_aside(leak);
	if (!err)
		err = psp_tap_open(&leak->tap, &leak->net.a);
	leak->wire.fd = leak->tap.fd;
	if (!err)
		err = leak_flows(leak, family);
	if (err) {
		leak_close(leak);
		return err;
	}
	/* The handshake of the secret one was in plain */
	leak_reset(leak);
	return 0;
}

void leak_close(struct leak *leak)
{
	psp_conn_close(&leak->open.conn);
	psp_conn_close(&leak->secret.conn);
	if (leak->tap.end)
		psp_tap_close(&leak->tap);
	if (leak->away.fd >= 0)
		close(leak->away.fd);
	if (leak->aside >= 0)
		close(leak->aside);
	psp_net_close(&leak->net);
}

static void leak_fill(const struct leak_flow *flow, uint64_t pos, char *buf,
		      size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = flow->word[(pos + i) % LEAK_WORD_LEN];
}

/* Bytes sent now, 0 if none can be, or -errno */
static int leak_send(struct leak_flow *flow, uint64_t len)
{
	char buf[LEAK_CHUNK];
	ssize_t n;

	if (!len)
		return 0;
	if (len > sizeof(buf))
		len = sizeof(buf);
	leak_fill(flow, flow->sent, buf, len);
	n = send(flow->conn.a.fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	flow->sent += n;
	return n;
}

static int leak_recv(struct leak_flow *flow)
{
	char buf[LEAK_CHUNK], want[LEAK_CHUNK];
	ssize_t n;

	if (flow->rcvd == flow->sent)
		return 0;
	n = recv(flow->conn.b.fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!n)
		return -EPIPE;
	leak_fill(flow, flow->rcvd, want, n);
	if (memcmp(buf, want, n))
		return -EILSEQ;
	flow->rcvd += n;
	return n;
}

/* Returns a positive number if anything moved */
static int leak_step_flow(struct leak_flow *flow, uint64_t end)
{
	int n, m;

	n = leak_send(flow, end - flow->sent);
	if (n < 0)
		return n;
	m = leak_recv(flow);
	return m < 0 ? m : n + m;
}

static int leak_step_queue(struct leak *leak)
{
	int n;

	if (!leak->nfq)
		return 0;
	n = leak_nfq_poll(leak->nfq, leak);
	if (n <= 0)
		return n;
	return leak_nfq_accept(leak->nfq, 0) ?: n;
}

static int leak_step(struct leak *leak, uint64_t open_end, uint64_t secret_end)
{
	int n, moved;

	leak_look(leak);
	moved = leak_step_queue(leak);
	if (moved < 0)
		return moved;
	n = leak_step_flow(&leak->open, open_end);
	if (n < 0)
		return n;
	moved += n;
	n = leak_step_flow(&leak->secret, secret_end);
	return n < 0 ? n : moved + n;
}

static bool leak_flow_done(const struct leak_flow *flow, uint64_t end)
{
	return flow->sent == end && flow->rcvd == end;
}

int leak_exchange(struct leak *leak, uint64_t len)
{
	uint64_t open_end = leak->open.sent + len;
	uint64_t secret_end = leak->secret.sent + len;
	uint64_t deadline = psp_now_ms() + LEAK_MS;
	int n;

	while (!leak_flow_done(&leak->open, open_end) ||
	       !leak_flow_done(&leak->secret, secret_end)) {
		n = leak_step(leak, open_end, secret_end);
		if (n < 0)
			return n;
		if (n) {
			deadline = psp_now_ms() + LEAK_MS;
			continue;
		}
		if (psp_now_ms() >= deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

int leak_collect(struct leak *leak)
{
	return leak_exchange(leak, 0);
}

int leak_offer(struct leak_flow *flow)
{
	uint64_t end = flow->sent + LEAK_BYTES;
	int n;

	do {
		n = leak_send(flow, end - flow->sent);
	} while (n > 0);
	return n;
}

int leak_provoke(struct leak_flow *flow)
{
	return send(flow->conn.b.fd, "?", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}
