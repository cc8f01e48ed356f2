// SPDX-License-Identifier: GPL-2.0
/* A connection in each column of the policy table, and what befell it */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"
#include "psp_traced.h"
#include "watch.h"

#define POLICY_COUNTERS	"/sys/kernel/debug/psp/drops"

int policy_open_net(struct policy *p, uint32_t version)
{
	memset(p, 0, sizeof(*p));
	p->version = version;
	p->conn.a.fd = -1;
	p->conn.b.fd = -1;
	p->other = p->conn;
	p->forge.fd = -1;
	return psp_net_open(&p->net);
}

/* A's socket is bound to an interface before it connects */
static int policy_connect_through(struct psp_conn *conn, struct psp_net *net,
				  const char *ifname)
{
	uint16_t port = 0;
	int listener, err;

	conn->a.fd = psp_tcp_socket(&net->a, conn->family);
	if (conn->a.fd < 0)
		return conn->a.fd;
	if (setsockopt(conn->a.fd, SOL_SOCKET, SO_BINDTODEVICE, ifname,
		       strlen(ifname)))
		return -errno;
	listener = psp_tcp_listen(&net->b, conn->family, &port);
	if (listener < 0)
		return listener;
	err = psp_conn_finish(conn, listener, port);
	close(listener);
	return err;
}

int policy_connect(struct policy *p, enum psp_family family,
		   const char *ifname)
{
	struct psp_conn *conn = &p->conn;
	int err;

	conn->family = family;
	conn->a.end = &p->net.a;
	conn->b.end = &p->net.b;
	if (ifname)
		err = policy_connect_through(conn, &p->net, ifname);
	else
		err = psp_conn_open(conn, &p->net, family);
	if (!err)
		err = forge_open(&p->forge, conn, &conn->a);
	return err ? err : policy_mark(p);
}

int policy_open(struct policy *p, enum psp_family family, uint32_t version)
{
	int err = policy_open_net(p, version);

	return err ? err : policy_connect(p, family, NULL);
}

/* Forged segments have led the two ends astray: an orderly close might take
 * minutes, and holds the module as long.
 */
void policy_abort(struct psp_conn *conn)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(conn->a.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	setsockopt(conn->b.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	psp_conn_close(conn);
}

void policy_close(struct policy *p)
{
	if (psp_nl_rekeys(&p->net.a.nl))
		watch_trace(false);
	forge_close(&p->forge);
	policy_abort(&p->other);
	policy_abort(&p->conn);
	psp_net_close(&p->net);
}

static int policy_advance(struct policy *p, enum policy_column column)
{
	struct psp_conn *conn = &p->conn;
	int err = 0;

	if (column >= POLICY_RX_ASSOC)
		err = psp_conn_rx(conn, &conn->a, p->version);
	if (!err && column >= POLICY_TX_KEY)
		err = psp_conn_rx(conn, &conn->b, p->version);
	if (!err && column >= POLICY_TX_KEY)
		err = psp_conn_tx(conn, &conn->a);
	if (!err && column >= POLICY_PSP_FULL)
		err = policy_complete(p);
	return err;
}

int policy_reach(struct policy *p, enum policy_column column)
{
	int err = policy_advance(p, column);

	if (!err)
		err = psp_tcp_drain(p->conn.a.fd, POLICY_MS);
	if (!err)
		err = psp_tcp_drain(p->conn.b.fd, POLICY_MS);
	if (!err)
		err = forge_sync(&p->forge, p->conn.a.fd);
	return err ? err : policy_mark(p);
}

int policy_complete(struct policy *p)
{
	int err = psp_conn_tx(&p->conn, &p->conn.b);

	return err ? err : psp_conn_ping(&p->conn);
}

/* Mainline's PSP knows two reasons only: one for each direction */
static int policy_drops_traced(struct policy_drops *drops)
{
	static const char *const reason[] = { PSP_TRACED_RX, PSP_TRACED_TX };
	int64_t count;
	int i;

	for (i = 0; i < 2; i++) {
		count = psp_traced(reason[i]);
		if (count < 0)
			return count;
		snprintf(drops->name[i], sizeof(*drops->name), "%s", reason[i]);
		drops->count[i] = count;
	}
	drops->num = 2;
	return 0;
}

static const char *policy_reason(const struct policy *p, const char *reason)
{
	if (!*reason || psp_nl_rekeys(&p->net.a.nl))
		return reason;
	return strncmp(reason, "tx-", 3) ? PSP_TRACED_RX : PSP_TRACED_TX;
}

static int policy_drops_read(const struct policy *p, struct policy_drops *drops)
{
	unsigned long long count;
	FILE *file;

	if (!psp_nl_rekeys(&p->net.a.nl))
		return policy_drops_traced(drops);

	drops->num = 0;
	file = fopen(POLICY_COUNTERS, "re");
	if (!file)
		return -errno;
	while (drops->num < POLICY_DROPS &&
	       fscanf(file, "%23s %llu", drops->name[drops->num], &count) == 2)
		drops->count[drops->num++] = count;
	fclose(file);
	return drops->num ? 0 : -ENODATA;
}

int policy_mark(struct policy *p)
{
	int err = psp_nl_rekeys(&p->net.a.nl) ? watch_trace(true) : 0;

	if (!err)
		err = policy_drops_read(p, &p->drops);
	return err ? err : psp_nl_stats(&p->net.a.nl, p->net.a.dev_id,
					&p->stats);
}

/* How many more for @reason, and how many more for all others */
static int policy_drops_since(const struct policy *p, const char *reason,
			      uint64_t *num, uint64_t *others)
{
	struct policy_drops now;
	bool known = !*reason;
	uint64_t more;
	int err, i;

	*num = 0;
	*others = 0;
	reason = policy_reason(p, reason);
	err = policy_drops_read(p, &now);
	if (err)
		return err;
	for (i = 0; i < now.num; i++) {
		more = now.count[i] - p->drops.count[i];
		if (strcmp(now.name[i], reason)) {
			*others += more;
			if (more)
				printf("# dropped: %s %llu\n", now.name[i],
				       (unsigned long long)more);
			continue;
		}
		*num += more;
		known = true;
	}
	return known ? 0 : -ENOENT;
}

int64_t policy_drop_count(struct policy *p, const char *reason)
{
	uint64_t num, others;
	int err = policy_drops_since(p, reason, &num, &others);

	return err ? err : (int64_t)num;
}

static uint64_t policy_refused_count(const struct policy *p,
				     const struct psp_stats *now)
{
	return psp_stat(now, RX_AUTH_FAIL) - psp_stat(&p->stats, RX_AUTH_FAIL) +
	       psp_stat(now, RX_BAD) - psp_stat(&p->stats, RX_BAD) +
	       psp_stat(now, RX_ERROR) - psp_stat(&p->stats, RX_ERROR);
}

/* One look at all counters: dropped by the core, refused by the device */
static int policy_counted(struct policy *p, const char *reason,
			  uint64_t *dropped, uint64_t *others,
			  uint64_t *refused)
{
	struct psp_stats now;
	int err;

	err = psp_nl_stats(&p->net.a.nl, p->net.a.dev_id, &now);
	if (err)
		return err;
	*refused = policy_refused_count(p, &now);
	return policy_drops_since(p, reason, dropped, others);
}

/* Wait until both counts are right; too many of anything is an error */
static int policy_wait_counts(struct policy *p, const char *reason,
			      uint64_t want_dropped, uint64_t want_refused)
{
	uint64_t end = psp_now_ms() + POLICY_MS;
	uint64_t dropped, others, refused;
	int err;

	for (;;) {
		err = policy_counted(p, reason, &dropped, &others, &refused);
		if (err)
			return err;
		if (others || dropped > want_dropped || refused > want_refused)
			return -ERANGE;
		if (dropped == want_dropped && refused == want_refused)
			return 0;
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
}

/* The count comes first, the line in the trace right behind it */
int policy_traced(const struct policy *p, const char *reason, int num)
{
	uint64_t end = psp_now_ms() + POLICY_MS;
	char text[40];
	int traced;

	/* Mainline's PSP has no such tracepoint */
	if (!psp_nl_rekeys(&p->net.a.nl))
		return 0;

	snprintf(text, sizeof(text), " reason=%s\n", reason);
	for (;;) {
		traced = watch_traced("psp_drop", text);
		if (traced < 0 || traced >= num)
			return traced < 0 ? traced : 0;
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
}

int policy_dropped_some(struct policy *p, const char *reason, int num)
{
	uint64_t end = psp_now_ms() + POLICY_MS;
	int64_t count;

	do {
		count = policy_drop_count(p, reason);
		if (count < 0)
			return count;
		if (count >= num)
			return policy_traced(p, reason, num);
		psp_nap();
	} while (psp_now_ms() < end);
	return -ETIMEDOUT;
}

int policy_dropped(struct policy *p, const char *reason, uint64_t num)
{
	int err = policy_wait_counts(p, reason, num, 0);

	return err ? err : policy_traced(p, reason, num);
}

int policy_refused(struct policy *p, uint64_t num)
{
	return policy_wait_counts(p, "", 0, num);
}

int policy_dropped_none(struct policy *p)
{
	return policy_wait_counts(p, "", 0, 0);
}

int policy_read(int fd, void *buf, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, POLICY_MS) <= 0)
		return -ETIMEDOUT;
	n = recv(fd, buf, len, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

int policy_reads(int fd, const char *text)
{
	size_t len = strlen(text), done = 0;
	char buf[256];
	int n;

	while (done < len) {
		n = policy_read(fd, buf + done, sizeof(buf) - 1 - done);
		if (n <= 0)
			return n ? n : -EPIPE;
		done += n;
	}
	buf[done] = 0;
	if (strcmp(buf, text)) {
		printf("# read \"%s\" instead of \"%s\"\n", buf, text);
		return -EILSEQ;
	}
	return 0;
}

bool policy_is_quiet(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       errno == EAGAIN;
}

int policy_tcp_state(int fd)
{
	struct tcp_info info;
	int err = psp_tcp_info(fd, &info);

	return err ? err : info.tcpi_state;
}

int policy_wait_state(int fd, int state)
{
	uint64_t end = psp_now_ms() + POLICY_MS;

	while (policy_tcp_state(fd) != state) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

int policy_send(int fd, const char *text)
{
	ssize_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == len ?
	       0 : -errno;
}

/* Lines of /proc/net/tcp: "sl: laddr:lport raddr:rport state ..." */
static int policy_count_timewaits(const char *path, uint16_t port)
{
	unsigned int lport, state;
	char line[512];
	FILE *file;
	int num = 0;

	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x",
			   &lport, &state) == 2)
			num += lport == port && state == BPF_TCP_TIME_WAIT;
	fclose(file);
	return num;
}

int policy_timewaits(const struct psp_end *end, uint16_t port)
{
	int home, num4, num6;

	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	psp_ns_enter(end->ns);
	num4 = policy_count_timewaits("/proc/thread-self/net/tcp", port);
	num6 = policy_count_timewaits("/proc/thread-self/net/tcp6", port);
	psp_ns_enter(home);
	close(home);
	return num4 < 0 ? num4 : num6 < 0 ? num6 : num4 + num6;
}

int policy_state_refs(struct policy *p)
{
	int refs = -ENODATA;
	FILE *file;

	if (!psp_nl_rekeys(&p->net.a.nl))
		return POLICY_STATE_REFS * psp_gauge(&p->net.a, "tx_keys");

	file = fopen("/sys/module/psp/refcnt", "re");
	if (!file)
		return -errno;
	if (fscanf(file, "%d", &refs) != 1)
		refs = -ENODATA;
	fclose(file);
	return refs;
}

int policy_wait_state_refs(struct policy *p, int refs)
{
	uint64_t end = psp_now_ms() + POLICY_MS;

	while (policy_state_refs(p) != refs) {
		if (psp_now_ms() > end)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

int policy_expect_log(const char *regex)
{
	FILE *file;
	int err;

	file = fopen("/dev/kmsg", "we");
	if (!file)
		return -errno;
	err = fprintf(file, "psp-expect: %s\n", regex) < 0;
	return fclose(file) || err ? -EIO : 0;
}
