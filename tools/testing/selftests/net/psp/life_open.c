// SPDX-License-Identifier: GPL-2.0
/*
 * How sockets come to be, change hands, and begin anew: children of listeners,
 * forks, descriptors that are passed on, connect() that fails, disconnection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life_fixture.h"

#define CHILDREN	6

static bool has_state(int fd)
{
	char name[16];

	return !psp_tcp_ulp(fd, name, sizeof(name)) && !strcmp(name, "psp");
}

/* Another connection between the ends, from a socket that exists already */
static int call(struct psp_conn *conn)
{
	uint16_t port = 0;
	int listener, err;

	listener = psp_tcp_listen(conn->b.end, conn->family, &port);
	if (listener < 0)
		return listener;
	err = psp_conn_finish(conn, listener, port);
	close(listener);
	return err;
}

/* Plain text both ways, of which no acknowledgment is still to come */
static int ping_and_settle(struct psp_conn *conn)
{
	int err = psp_conn_ping(conn);

	if (!err)
		err = psp_tcp_drain(conn->a.fd, LIFE_MS);
	return err ?: psp_tcp_drain(conn->b.fd, LIFE_MS);
}

/* A socket at A that is not connected, and counts whatever it says */
static int new_caller(struct policy *p, struct wire *wire)
{
	p->other = p->conn;
	p->other.b.fd = -1;
	p->other.a.fd = psp_tcp_socket(&p->net.a, p->conn.family);
	wire->a_port = 0;
	wire->b_port = 0;
	return p->other.a.fd < 0 ? p->other.a.fd : 0;
}

/* One listener, many callers: each child begins plain, beside those that have
 * been secured, and what is done to one is not done to the next.
 */
TEST_F(life, children_of_a_listener_begin_plain)
{
	struct psp_conn child[CHILDREN];
	struct policy *p = &self->p;
	uint16_t port = 0;
	int listener, i;

	listener = psp_tcp_listen(&p->net.b, variant->family, &port);
	ASSERT_GE(listener, 0);
	for (i = 0; i < CHILDREN; i++) {
		child[i] = p->conn;
		child[i].a.fd = psp_tcp_socket(&p->net.a, variant->family);
		ASSERT_GE(child[i].a.fd, 0);
		ASSERT_EQ(0, psp_conn_finish(&child[i], listener, port));
		EXPECT_FALSE(has_state(child[i].b.fd));
		EXPECT_EQ(0, ping_and_settle(&child[i]));
		if (i % 2)
			ASSERT_EQ(0, psp_conn_secure(&child[i],
						     variant->version));
	}
	EXPECT_FALSE(has_state(listener));
	for (i = 0; i < CHILDREN; i++) {
		EXPECT_EQ(i % 2, has_state(child[i].b.fd));
		EXPECT_EQ(0, psp_xfer_both(&child[i], 20000, LIFE_MS));
	}
	EXPECT_EQ(0, policy_dropped_none(p));
	for (i = 0; i < CHILDREN; i++)
		psp_conn_close(&child[i]);
	close(listener);
}

/* What a child process does with its copy of A's socket: the status is errno */
static pid_t fork_sender(struct policy *p, int wait_fd, const char *text)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	if (wait_fd >= 0 && read(wait_fd, &byte, 1) < 0)
		_exit(errno);
	_exit(-policy_send(p->conn.a.fd, text));
}

TEST_F(life, forked_child_sends_under_psp_and_takes_nothing_along)
{
	struct policy *p = &self->p;
	int refs = policy_state_refs(p);
	int status;
	pid_t pid;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	pid = fork_sender(p, -1, "from the child");
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "from the child"));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(refs + 2 * POLICY_STATE_REFS, policy_state_refs(p));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
	EXPECT_TRUE(life_is_secured(p, &self->wire));
}

/* The parent closes: the connection goes on until the child is gone as well */
TEST_F(life, state_lives_until_the_last_descriptor_is_closed)
{
	struct policy *p = &self->p;
	int refs = policy_state_refs(p);
	int pipe_fd[2], status;
	struct life_seen seen;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, pipe(pipe_fd));
	pid = fork_sender(p, pipe_fd[0], "last words");
	ASSERT_LT(0, pid);
	life_close(&p->conn.a);
	ASSERT_EQ(0, policy_send(p->conn.b.fd, "still there?"));
	ASSERT_EQ(0, psp_tcp_drain(p->conn.b.fd, LIFE_MS));
	EXPECT_EQ(BPF_TCP_ESTABLISHED, policy_tcp_state(p->conn.b.fd));
	EXPECT_EQ(refs + 2 * POLICY_STATE_REFS, policy_state_refs(p));

	ASSERT_EQ(1, write(pipe_fd[1], "", 1));
	EXPECT_EQ(0, policy_reads(p->conn.b.fd, "last words"));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* "still there?" was never read: the end is a reset */
	EXPECT_EQ(-ECONNRESET, policy_read(p->conn.b.fd, &byte, 1));
	life_close(&p->conn.b);
	EXPECT_EQ(0, policy_wait_state_refs(p, refs));
	/* B's last acknowledgment may find nobody: it is a drop then */
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_LE(1, seen.rst[FROM_A]);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

union fd_control {
	struct cmsghdr hdr;
	char buf[CMSG_SPACE(sizeof(int))];
};

/* Pass a descriptor on, with the key that its new owner shall send under */
static int pass_fd(int to, int fd, struct psp_key *key)
{
	struct iovec iov = { .iov_base = key, .iov_len = sizeof(*key) };
	union fd_control ctl = { };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};

	ctl.hdr.cmsg_level = SOL_SOCKET;
	ctl.hdr.cmsg_type = SCM_RIGHTS;
	ctl.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&ctl.hdr), &fd, sizeof(fd));
	return sendmsg(to, &msg, 0) == sizeof(*key) ? 0 : -errno;
}

static int take_fd(int from, struct psp_key *key)
{
	struct iovec iov = { .iov_base = key, .iov_len = sizeof(*key) };
	union fd_control ctl = { };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};
	int fd;

	if (recvmsg(from, &msg, 0) != sizeof(*key) ||
	    ctl.hdr.cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(&ctl.hdr), sizeof(fd));
	return fd;
}

/* A process without capabilities, with a netlink socket of its own */
static int rekey_passed_fd(struct policy *p, int from)
{
	struct psp_key key;
	struct psp_nl nl;
	int fd, err;

	life_close(&p->conn.a);
	fd = take_fd(from, &key);
	if (fd < 0)
		return fd;
	err = psp_ns_enter(p->net.a.ns);
	if (!err)
		err = psp_net_admin(false);
	if (!err)
		err = psp_nl_open(&nl);
	if (!err)
		err = psp_nl_tx_assoc(&nl, 0, p->version, fd, &key);
	return err ?: policy_send(fd, "under the key that came along");
}

TEST_F(life, whoever_is_passed_the_socket_may_rekey_it)
{
	struct policy *p = &self->p;
	int sv[2], status;
	struct wire_seg seg;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(-rekey_passed_fd(p, sv[1]));
	ASSERT_EQ(0, psp_conn_rotate(&p->conn));
	ASSERT_EQ(0, psp_conn_rx(&p->conn, &p->conn.b, p->version));
	wire_key(&self->wire, &p->conn.b.rx);
	ASSERT_EQ(0, pass_fd(sv[0], p->conn.a.fd, &p->conn.b.rx));
	life_close(&p->conn.a);

	EXPECT_EQ(0, policy_reads(p->conn.b.fd,
				  "under the key that came along"));
	EXPECT_EQ(0, policy_read(p->conn.b.fd, &byte, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, life_next(&self->wire, true, FORGE_PSH, &seg));
	EXPECT_EQ(p->conn.b.rx.spi, seg.spi);
	EXPECT_EQ(0, policy_dropped_none(p));
	close(sv[0]);
	close(sv[1]);
}

/* A port of B where nobody listens */
static int closed_port(struct policy *p, uint16_t *port)
{
	int listener = psp_tcp_listen(&p->net.b, p->conn.family, port);

	if (listener < 0)
		return listener;
	close(listener);
	return 0;
}

static int disconnect(int fd)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };

	return connect(fd, &none, sizeof(none)) ? -errno : 0;
}

/* The reset is plain, the rx key stays, and the second try is secured */
TEST_F(life, refused_connect_with_an_rx_key_can_be_repeated)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->other;
	uint16_t port = 0;

	ASSERT_EQ(0, new_caller(p, &self->wire));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, p->version));
	ASSERT_EQ(0, closed_port(p, &port));
	EXPECT_EQ(-ECONNREFUSED, psp_conn_finish(conn, -1, port));
	ASSERT_EQ(0, disconnect(conn->a.fd));
	ASSERT_EQ(0, call(conn));
	EXPECT_EQ(0, ping_and_settle(conn));

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, p->version));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* With a tx key the SYN is PSP: no listener can answer that */
TEST_F(life, listener_is_deaf_to_a_syn_under_psp)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->other;
	struct life_seen seen;
	int once = 1;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, new_caller(p, &self->wire));
	ASSERT_EQ(0, setsockopt(conn->a.fd, IPPROTO_TCP, TCP_SYNCNT, &once,
				sizeof(once)));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, p->version));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_EQ(-ETIMEDOUT, call(conn));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_LE(2, seen.psp[FROM_A]);
	EXPECT_EQ(0, seen.psp[FROM_B]);
	EXPECT_EQ(0, policy_dropped(p, "rx-tuple", seen.psp[FROM_A]));
}

/* Keys are the socket's: they stay, and with them all that they forbid */
TEST_F(life, disconnection_resets_under_psp_and_keeps_the_state)
{
	struct policy *p = &self->p;
	struct life_seen seen;
	struct psp_key key;
	char byte;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, disconnect(p->conn.a.fd));
	EXPECT_EQ(-ECONNRESET, policy_read(p->conn.b.fd, &byte, 1));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_EQ(1, seen.rst[FROM_A]);

	EXPECT_TRUE(has_state(p->conn.a.fd));
	EXPECT_EQ(-1, listen(p->conn.a.fd, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_REFUSED(&p->net.a.nl,
		       psp_nl_rx_assoc(&p->net.a.nl, 0, p->version,
				       p->conn.a.fd, &key),
		       -EINVAL, "", "dev-id");
	EXPECT_REFUSED(&p->net.a.nl,
		       psp_nl_rx_assoc(&p->net.a.nl, p->net.a.dev_id,
				       p->version, p->conn.a.fd, &key),
		       -EBUSY, "sock-fd", "");
}

/* From @from at one end to @to at the other; the answer is yet to come */
static int call_to(struct psp_side *side, const struct psp_end *peer,
		   enum psp_family family, uint16_t from, uint16_t to)
{
	struct sockaddr_storage addr;
	socklen_t len;

	len = psp_addr(side->end, family, from, &addr);
	if (from && bind(side->fd, (struct sockaddr *)&addr, len))
		return -errno;
	len = psp_addr(peer, family, to, &addr);
	if (connect(side->fd, (struct sockaddr *)&addr, len) &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}

/* Both ends have the keys still: they may call each other again, and not even
 * the handshake is plain
 */
TEST_F(life, disconnected_sockets_meet_again_under_their_keys)
{
	struct policy *p = &self->p;
	uint16_t a_port = ntohs(p->forge.dport), b_port = ntohs(p->forge.sport);
	struct life_seen seen;
	int64_t lost;
	char byte;

	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, disconnect(p->conn.a.fd));
	EXPECT_EQ(-ECONNRESET, policy_read(p->conn.b.fd, &byte, 1));
	ASSERT_EQ(0, disconnect(p->conn.b.fd));

	/* The first SYN is lost: the other end would have no socket for it */
	lost = psp_gauge(&p->net.a, "wire_lost");
	ASSERT_EQ(0, life_cut(&p->net.a, true));
	ASSERT_EQ(0, call_to(&p->conn.a, &p->net.b, variant->family, a_port,
			     b_port));
	ASSERT_EQ(0, psp_wire_wait_lost(&p->net.a, lost + 1));
	ASSERT_EQ(0, life_cut(&p->net.a, false));
	ASSERT_EQ(0, call_to(&p->conn.b, &p->net.a, variant->family, b_port,
			     a_port));
	ASSERT_EQ(0, psp_xfer_both(&p->conn, LIFE_BULK, LIFE_MS));
	ASSERT_EQ(0, life_rekey(p, &self->wire));
	ASSERT_EQ(0, psp_xfer_both(&p->conn, LIFE_BULK, LIFE_MS));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain);
	EXPECT_LT(100, seen.psp[FROM_A]);
	EXPECT_LT(100, seen.psp[FROM_B]);
}

/* End B as another host would be: a second address */
static int second_address(struct policy *p, struct psp_end *other)
{
	*other = p->net.b;
	inet_pton(AF_INET, "10.0.0.3", &other->v4);
	inet_pton(AF_INET6, "fd00::3", &other->v6);
	if (psp_sh(p->net.b.ns,
		   "set -e; ip addr add 10.0.0.3/24 dev %s;"
		   "ip addr add fd00::3/64 dev %s nodad", other->ifname,
		   other->ifname))
		return -EIO;
	return psp_sh(p->net.a.ns,
		      "m=%02x:%02x:%02x:%02x:%02x:%02x; set -e;"
		      "for a in 10.0.0.3 fd00::3; do"
		      " ip neigh add $a lladdr $m dev %s; done",
		      other->mac[0], other->mac[1], other->mac[2],
		      other->mac[3], other->mac[4], other->mac[5],
		      p->net.a.ifname) ? -EIO : 0;
}

/* The old peer knows the keys. They are no proof that somebody else is at the
 * other end: the call to another peer does not leave, and an answer that the
 * old peer makes up is not believed.
 */
TEST_F(life, keys_do_not_serve_another_peer)
{
	const struct forge_seg answer = { .flags = FORGE_SYN | FORGE_ACK };
	struct policy *p = &self->p;
	struct life_seen seen;
	struct psp_end other;
	struct wire_seg seg;

	ASSERT_EQ(0, second_address(p, &other));
	ASSERT_EQ(0, life_secure(p, &self->wire));
	ASSERT_EQ(0, disconnect(p->conn.a.fd));
	ASSERT_EQ(0, life_next(&self->wire, true, FORGE_RST, &seg));
	self->wire.a_port = 0;
	self->wire.b_port = 0;

	ASSERT_EQ(0, call_to(&p->conn.a, &other, variant->family, 7003, 7004));
	EXPECT_EQ(0, life_wait_drops(p, "tx-peer", 2));
	ASSERT_EQ(0, life_look(&self->wire, &seen));
	EXPECT_EQ(0, seen.plain + seen.psp[FROM_A] + seen.psp[FROM_B]);

	p->forge.ipv6 = variant->family == PSP_IPV6;
	memcpy(&p->forge.saddr, p->forge.ipv6 ? (void *)&other.v6 :
	       (void *)&other.v4, p->forge.ipv6 ? 16 : 4);
	p->forge.sport = htons(7004);
	p->forge.dport = htons(7003);
	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	ASSERT_EQ(0, forge_psp(&p->forge, &answer, p->version,
			       &p->conn.a.rx));
	EXPECT_EQ(0, life_wait_drops(p, "rx-tuple", 1));
	EXPECT_EQ(BPF_TCP_SYN_SENT, policy_tcp_state(p->conn.a.fd));
}

/* As long as nobody has used the keys they are nobody's */
TEST_F(life, unused_rx_key_does_not_bind_the_socket_to_a_peer)
{
	struct policy *p = &self->p;
	struct psp_conn *conn = &p->conn;
	struct psp_end other;

	ASSERT_EQ(0, second_address(p, &other));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, p->version));
	EXPECT_EQ(0, psp_conn_ping(conn));
	ASSERT_EQ(0, disconnect(conn->a.fd));
	close(conn->b.fd);
	conn->b.end = &other;
	conn->b.fd = -1;
	ASSERT_EQ(0, call(conn));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, p->version));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	EXPECT_EQ(0, psp_xfer_both(conn, LIFE_BULK, LIFE_MS));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_HARNESS_MAIN
