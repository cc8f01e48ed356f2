// SPDX-License-Identifier: GPL-2.0
/* Options of sockets that change what TCP says, or when */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "life_fixture.h"

#define GROUP		3
#define CALLERS		8

/* Data in the SYN without further ado: client and server, no cookies */
#define FASTOPEN_FREELY	"1543"

static int set_name(int fd, int name, const char *val)
{
	return setsockopt(fd, IPPROTO_TCP, name, val, strlen(val)) ? -errno : 0;
}

/* Congestion control may change whenever the application likes */
TEST_F(life, congestion_control_changes_on_the_way)
{
	static const char * const names[] = { "bbr", "reno", "cubic" };
	struct policy *p = &self->p;
	struct psp_xfer xfer[2];
	int i;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	psp_xfer_init(&xfer[0], &p->conn.a, &p->conn.b, 3 * LIFE_BULK);
	psp_xfer_init(&xfer[1], &p->conn.b, &p->conn.a, 3 * LIFE_BULK);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_name(p->conn.a.fd, TCP_CONGESTION, names[i]));
		ASSERT_EQ(0, set_name(p->conn.b.fd, TCP_CONGESTION, names[i]));
		ASSERT_EQ(0, psp_xfer_until(xfer, 2, (i + 1) * LIFE_BULK,
					    LIFE_MS));
	}
	ASSERT_EQ(0, psp_xfer_run(xfer, 2, LIFE_MS));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* Two sockets yet to be connected: a caller at A, a listener at B */
static int prepare(struct policy *p, struct wire *wire, uint16_t *port)
{
	p->other = p->conn;
	p->other.b.fd = -1;
	p->other.a.fd = psp_tcp_socket(&p->net.a, p->conn.family);
	wire->a_port = 0;
	wire->b_port = 0;
	if (p->other.a.fd < 0)
		return p->other.a.fd;
	*port = 0;
	return psp_tcp_listen(&p->net.b, p->conn.family, port);
}

static int sign(int fd, const struct psp_end *peer, enum psp_family family)
{
	struct tcp_md5sig sig = { .tcpm_keylen = 5, .tcpm_key = "hello" };
	struct sockaddr_storage addr;

	psp_addr(peer, family, 0, &addr);
	memcpy(&sig.tcpm_addr, &addr, sizeof(addr));
	return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)) ?
	       -errno : 0;
}

/* The signature is part of what is encrypted */
TEST_F(life, md5_signatures_under_psp)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->other;
	struct life_seen seen;
	int listener, mss;
	uint16_t port;

	listener = prepare(p, &self->wire, &port);
	ASSERT_GE(listener, 0);
	ASSERT_EQ(0, sign(listener, &p->net.a, variant->family));
	ASSERT_EQ(0, sign(conn->a.fd, &p->net.b, variant->family));
	ASSERT_EQ(0, psp_conn_finish(conn, listener, port));
	close(listener);
	mss = psp_tcp_mss(conn->a.fd);
	ASSERT_EQ(0, psp_conn_secure(conn, p->version));
	ASSERT_EQ(0, psp_tcp_drain(conn->b.fd, LIFE_MS));
	EXPECT_EQ(mss - 40, psp_tcp_mss(conn->a.fd));

	wire_flush(&self->wire);
	wire_key(&self->wire, &conn->a.tx);
	wire_key(&self->wire, &conn->b.tx);
	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rekey(conn));
	wire_key(&self->wire, &conn->a.tx);
	wire_key(&self->wire, &conn->b.tx);
	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	/* A reset that is made without the socket has to be signed as well */
	ASSERT_EQ(0, shutdown(conn->a.fd, SHUT_RDWR));
	ASSERT_EQ(0, policy_wait_state(conn->a.fd, BPF_TCP_FIN_WAIT2));
	ASSERT_EQ(0, policy_send(conn->b.fd, "too late"));
	EXPECT_EQ(0, policy_wait_state(conn->b.fd, BPF_TCP_CLOSE));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_EQ(1, seen.rst[FROM_A]);
	EXPECT_EQ(0, policy_dropped_none(p));
}

static int fastopen_freely(struct policy *p)
{
	int err = psp_ns_enter(p->net.a.ns);

	if (!err)
		err = psp_sysctl("net/ipv4/tcp_fastopen", FASTOPEN_FREELY);
	if (!err)
		err = psp_ns_enter(p->net.b.ns);
	if (!err)
		err = psp_sysctl("net/ipv4/tcp_fastopen", FASTOPEN_FREELY);
	return psp_ns_enter(p->net.home) ?: err;
}

static int send_fastopen(struct psp_conn *conn, uint16_t port,
			 const char *text)
{
	struct sockaddr_storage addr;
	socklen_t len = psp_addr(conn->b.end, conn->family, port, &addr);
	ssize_t n = sendto(conn->a.fd, text, strlen(text), MSG_FASTOPEN,
			   (struct sockaddr *)&addr, len);

	return n < 0 ? -errno : n;
}

/* The next segment with SYN from A */
static int next_syn(struct wire *wire, struct wire_seg *seg)
{
	int ret;

	do {
		ret = wire_next(wire, seg, LIFE_MS);
	} while (ret > 0 && !(seg->from_a && seg->flags & FORGE_SYN));
	return ret;
}

/* Data in the SYN is from before there is a tx key, and plain. What follows is
 * secured as ever, whether the rx key came before or after it.
 */
static void expect_fastopen(struct __test_metadata *_metadata,
			    struct policy *p, struct wire *wire, bool rx_first)
{
	struct psp_conn *conn = &p->other;
	struct wire_seg seg;
	uint16_t port;
	int listener;

	ASSERT_EQ(0, fastopen_freely(p));
	listener = prepare(p, wire, &port);
	ASSERT_GE(listener, 0);
	if (rx_first)
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, p->version));
	ASSERT_EQ(5, send_fastopen(conn, port, "early"));
	ASSERT_EQ(0, life_poll(listener, POLLIN));
	conn->b.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	ASSERT_GE(conn->b.fd, 0);
	close(listener);
	ASSERT_EQ(1, next_syn(wire, &seg));
	EXPECT_FALSE(seg.psp);
	EXPECT_EQ(5, seg.len);
	EXPECT_EQ(0, policy_reads(conn->b.fd, "early"));

	if (!rx_first)
		ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, p->version));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, p->version));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(life, fast_open_then_keys)
{
	expect_fastopen(_metadata, &self->p, &self->wire, false);
}

TEST_F(life, fast_open_of_a_socket_with_an_rx_key)
{
	expect_fastopen(_metadata, &self->p, &self->wire, true);
}

/* The data is handed over when the tx key is there: no SYN bears it in plain */
TEST_F(life, fast_open_of_a_socket_with_a_tx_key_is_secured)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->other;
	struct life_seen seen;
	struct wire_seg seg;
	uint16_t port;
	int listener;

	ASSERT_EQ(0, fastopen_freely(p));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	listener = prepare(p, &self->wire, &port);
	ASSERT_GE(listener, 0);
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, p->version));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(6, send_fastopen(conn, port, "secret"));
	ASSERT_EQ(1, next_syn(&self->wire, &seg));
	EXPECT_TRUE(seg.psp);
	EXPECT_EQ(6, seg.len);
	/* Again, after a while: then without the data, or under PSP as well */
	ASSERT_EQ(1, next_syn(&self->wire, &seg));
	EXPECT_TRUE(seg.psp);
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_EQ(-1, accept4(listener, NULL, NULL, SOCK_NONBLOCK));
	close(listener);
}

/* Several listeners with one port */
static int listen_in_group(struct policy *p, int *listener, uint16_t *port)
{
	struct sockaddr_storage addr;
	int one = 1, i, fd;
	socklen_t len;

	*port = 0;
	for (i = 0; i < GROUP; i++) {
		fd = psp_tcp_socket(&p->net.b, p->conn.family);
		if (fd < 0)
			return fd;
		len = psp_addr(&p->net.b, p->conn.family, *port, &addr);
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
			       sizeof(one)) ||
		    bind(fd, (struct sockaddr *)&addr, len) ||
		    listen(fd, 16) ||
		    getsockname(fd, (struct sockaddr *)&addr, &len))
			return -errno;
		*port = ntohs(((struct sockaddr_in *)&addr)->sin_port);
		listener[i] = fd;
	}
	return 0;
}

/* The listener that the next caller has been given to */
static int whose_turn(const int *listener)
{
	struct pollfd pfd[GROUP];
	int i;

	for (i = 0; i < GROUP; i++)
		pfd[i] = (struct pollfd) { .fd = listener[i],
					   .events = POLLIN };
	if (poll(pfd, GROUP, LIFE_MS) <= 0)
		return -1;
	for (i = 0; i < GROUP && !pfd[i].revents; i++)
		;
	return i;
}

/* Whichever of them gets it, its child can be secured */
TEST_F(life, children_of_a_reuseport_group)
{
	struct psp_conn child[CALLERS];
	struct policy *p = &self->p;
	struct sockaddr_storage addr;
	int listener[GROUP], turn, i;
	unsigned int used = 0;
	uint16_t port;
	socklen_t len;

	ASSERT_EQ(0, listen_in_group(p, listener, &port));
	len = psp_addr(&p->net.b, variant->family, port, &addr);
	for (i = 0; i < CALLERS; i++) {
		child[i] = p->conn;
		child[i].a.fd = psp_tcp_socket(&p->net.a, variant->family);
		ASSERT_GE(child[i].a.fd, 0);
		if (connect(child[i].a.fd, (struct sockaddr *)&addr, len))
			ASSERT_EQ(EINPROGRESS, errno);
		turn = whose_turn(listener);
		ASSERT_GE(turn, 0);
		used |= 1 << turn;
		child[i].b.fd = accept4(listener[turn], NULL, NULL,
					SOCK_NONBLOCK);
		ASSERT_GE(child[i].b.fd, 0);
		EXPECT_EQ(0, psp_conn_secure(&child[i], p->version));
	}
	for (i = 0; i < CALLERS; i++)
		EXPECT_EQ(0, psp_xfer_both(&child[i], 20000, LIFE_MS));
	EXPECT_EQ(0, policy_dropped_none(p));
	for (i = 0; i < CALLERS; i++)
		psp_conn_close(&child[i]);
	for (i = 0; i < GROUP; i++)
		close(listener[i]);
	/* Mostly two or three, but which is the kernel's choice */
	EXPECT_NE(0, used);
}

/* A listener of MPTCP whose port is @port */
static int listen_mptcp(struct policy *p, uint16_t *port)
{
	int domain = p->conn.family == PSP_IPV4 ? AF_INET : AF_INET6;
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;

	fd = psp_ns_socket(p->net.b.ns, domain, SOCK_STREAM | SOCK_NONBLOCK,
			   IPPROTO_MPTCP);
	if (fd < 0)
		return fd;
	len = psp_addr(&p->net.b, p->conn.family, 0, &addr);
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		return -errno;
	*port = ntohs(((struct sockaddr_in *)&addr)->sin_port);
	return fd;
}

/* Both ends speak MPTCP: neither may have keys, and asking does no harm */
TEST_F(life, mptcp_connection_is_refused)
{
	int domain = variant->family == PSP_IPV4 ? AF_INET : AF_INET6;
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->other;
	struct psp_key key;
	uint16_t port;
	int listener;

	*conn = p->conn;
	conn->b.fd = -1;
	conn->a.fd = psp_ns_socket(p->net.a.ns, domain,
				   SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_MPTCP);
	ASSERT_GE(conn->a.fd, 0);
	listener = listen_mptcp(p, &port);
	ASSERT_GE(listener, 0);
	ASSERT_EQ(0, psp_conn_finish(conn, listener, port));
	close(listener);
	EXPECT_REFUSED(&p->net.a.nl,
		       psp_nl_rx_assoc(&p->net.a.nl, p->net.a.dev_id, 0,
				       conn->a.fd, &key),
		       -EOPNOTSUPP, "sock-fd", "");
	EXPECT_REFUSED(&p->net.b.nl,
		       psp_nl_rx_assoc(&p->net.b.nl, p->net.b.dev_id, 0,
				       conn->b.fd, &key),
		       -EOPNOTSUPP, "sock-fd", "");
	EXPECT_EQ(0, psp_conn_ping(conn));
}

/* The caller does not speak MPTCP: what is accepted is plain TCP */
TEST_F(life, plain_child_of_an_mptcp_listener_may_have_keys)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->other;
	uint16_t port;
	int listener;

	*conn = p->conn;
	conn->b.fd = -1;
	conn->a.fd = psp_tcp_socket(&p->net.a, variant->family);
	ASSERT_GE(conn->a.fd, 0);
	listener = listen_mptcp(p, &port);
	ASSERT_GE(listener, 0);
	ASSERT_EQ(0, psp_conn_finish(conn, listener, port));
	close(listener);
	ASSERT_EQ(0, psp_conn_secure(conn, p->version));
	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_HARNESS_MAIN
