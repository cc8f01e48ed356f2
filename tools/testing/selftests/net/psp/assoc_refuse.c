// SPDX-License-Identifier: GPL-2.0
/*
 * rx-assoc and tx-assoc where they are refused: which error, which attribute
 * gets the blame, and that the socket is as good as before.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#ifndef AF_SMC
#define AF_SMC		43
#endif

#define NO_SUCH_DEV	0x7ffffff0
#define NO_SUCH_FD	9999

FIXTURE(refuse)
{
	struct psp_net net;
	struct psp_conn conn;
	struct psp_nl *nl;	/* netlink at end A */
	uint32_t id;		/* device at end A */
	struct psp_key key;	/* any good one */
	int idle;		/* socket at end A, not connected */
};

FIXTURE_SETUP(refuse)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	self->nl = &self->net.a.nl;
	self->id = self->net.a.dev_id;
	self->key = (struct psp_key){ .spi = 0x1234, .len = 16 };
	self->idle = psp_tcp_socket(&self->net.a, PSP_IPV4);
	ASSERT_GE(self->idle, 0);
}

FIXTURE_TEARDOWN(refuse)
{
	close(self->idle);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

static bool refuse_ack(const struct psp_ack *ack, int error, const char *bad,
		       const char *miss)
{
	if (ack->err == error && !strcmp(ack->bad, bad) &&
	    !strcmp(ack->miss, miss) && psp_ack_has_reason(ack))
		return true;
	ksft_print_msg("got %d (%s), bad '%s', missing '%s'\n", ack->err,
		       ack->msg, ack->bad, ack->miss);
	return false;
}

/* For sockets without room for the state; mainline's has a place of its own */
#define NOT_REFUSED	"mainline's PSP: such sockets are not refused"

/* Both commands give the same answer */
static bool refuse_both(struct psp_nl *nl, uint32_t dev_id, uint32_t version,
			int fd, int error, const char *bad, const char *miss)
{
	struct psp_key key = { .spi = 0x1234, .len = 16 };
	bool good;

	psp_nl_tx_assoc(nl, dev_id, version, fd, &key);
	good = refuse_ack(&nl->ack, error, bad, miss);
	psp_nl_rx_assoc(nl, dev_id, version, fd, &key);
	return refuse_ack(&nl->ack, error, bad, miss) && good;
}

/* The same for what differs from the socket's state: mainline's PSP, which has
 * no rekeying, does not compare with it at a second rx-assoc.
 */
static bool refuse_other(struct psp_nl *nl, uint32_t dev_id, uint32_t version,
			 int fd, const char *bad)
{
	struct psp_key key = { .spi = 0x1234, .len = 16 };

	if (psp_nl_rekeys(nl))
		return refuse_both(nl, dev_id, version, fd, -EINVAL, bad, "");

	psp_nl_tx_assoc(nl, dev_id, version, fd, &key);
	if (!refuse_ack(&nl->ack, -EINVAL, "", ""))
		return false;
	psp_nl_rx_assoc(nl, dev_id, version, fd, &key);
	return refuse_ack(&nl->ack, -EBUSY, "sock-fd", "");
}

TEST_F(refuse, attribute_out_of_range)
{
	struct nlmsghdr *nlh;
	int i;

	for (i = 0; i < 2; i++) {
		nlh = psp_nl_start(self->nl, i ? PSP_CMD_RX_ASSOC :
						 PSP_CMD_TX_ASSOC);
		mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, self->conn.a.fd);
		mnl_attr_put_u32(nlh, PSP_A_ASSOC_DEV_ID, 0);
		EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -ERANGE,
			       "dev-id", "");
	}
	EXPECT_TRUE(refuse_both(self->nl, self->id, 4, self->conn.a.fd, -ERANGE,
				"version", ""));
	EXPECT_TRUE(refuse_both(self->nl, self->id, 0xffffffff, self->conn.a.fd,
				-ERANGE, "version", ""));
}

TEST_F(refuse, attribute_missing)
{
	struct nlmsghdr *nlh;

	nlh = psp_nl_start(self->nl, PSP_CMD_RX_ASSOC);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_VERSION, 0);
	EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -EINVAL, "", "sock-fd");

	nlh = psp_nl_start(self->nl, PSP_CMD_RX_ASSOC);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, self->conn.a.fd);
	EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -EINVAL, "", "version");

	nlh = psp_nl_start(self->nl, PSP_CMD_TX_ASSOC);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_VERSION, 0);
	psp_nl_put_key(nlh, PSP_A_ASSOC_TX_KEY, &self->key);
	EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -EINVAL, "", "sock-fd");

	nlh = psp_nl_start(self->nl, PSP_CMD_TX_ASSOC);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, self->conn.a.fd);
	psp_nl_put_key(nlh, PSP_A_ASSOC_TX_KEY, &self->key);
	EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -EINVAL, "", "version");

	nlh = psp_nl_start(self->nl, PSP_CMD_TX_ASSOC);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, self->conn.a.fd);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_VERSION, 0);
	EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -EINVAL, "", "tx-key");
}

TEST_F(refuse, part_of_the_key_missing)
{
	struct nlmsghdr *nlh;
	struct nlattr *nest;

	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));

	nlh = psp_nl_start(self->nl, PSP_CMD_TX_ASSOC);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, self->conn.a.fd);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_VERSION, 0);
	nest = mnl_attr_nest_start(nlh, PSP_A_ASSOC_TX_KEY);
	mnl_attr_put_u32(nlh, PSP_A_KEYS_SPI, self->key.spi);
	mnl_attr_nest_end(nlh, nest);
	EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -EINVAL, "",
		       "tx-key.key");

	nlh = psp_nl_start(self->nl, PSP_CMD_TX_ASSOC);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_SOCK_FD, self->conn.a.fd);
	mnl_attr_put_u32(nlh, PSP_A_ASSOC_VERSION, 0);
	nest = mnl_attr_nest_start(nlh, PSP_A_ASSOC_TX_KEY);
	mnl_attr_put(nlh, PSP_A_KEYS_KEY, self->key.len, self->key.key);
	mnl_attr_nest_end(nlh, nest);
	EXPECT_REFUSED(self->nl, psp_nl_do(self->nl), -EINVAL, "",
		       "tx-key.spi");
}

TEST_F(refuse, unknown_device)
{
	EXPECT_TRUE(refuse_both(self->nl, NO_SUCH_DEV, 0, self->idle, -ENODEV,
				"", ""));
}

TEST_F(refuse, device_of_another_namespace)
{
	EXPECT_TRUE(refuse_both(self->nl, self->net.b.dev_id, 0, self->idle,
				-ENOENT, "", ""));
}

TEST_F(refuse, unconnected_socket_without_device)
{
	EXPECT_TRUE(refuse_both(self->nl, 0, 0, self->idle, -EINVAL, "",
				"dev-id"));
}

TEST_F(refuse, device_that_is_not_the_route_s)
{
	uint32_t other;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	other = psp_dev_of(self->nl, if_nametoindex("more0"));
	ASSERT_NE(0, other);
	EXPECT_TRUE(refuse_both(self->nl, other, 0, self->conn.a.fd, -EINVAL,
				"dev-id", ""));
	EXPECT_TRUE(refuse_both(self->nl, NO_SUCH_DEV, 0, self->conn.a.fd,
				-EINVAL, "dev-id", ""));
}

TEST_F(refuse, tx_assoc_on_a_device_other_than_the_rx_assoc_s)
{
	uint32_t other;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	other = psp_dev_of(self->nl, if_nametoindex("more0"));
	ASSERT_NE(0, other);
	ASSERT_EQ(0, psp_nl_rx_assoc(self->nl, other, 0, self->idle,
				     &self->key));
	EXPECT_TRUE(refuse_other(self->nl, self->id, 0, self->idle, "dev-id"));
}

TEST_F(refuse, socket_that_is_not_tcp)
{
	static const int kind[][3] = {
		{ AF_INET, SOCK_DGRAM, 0 },
		{ AF_INET6, SOCK_DGRAM, 0 },
		{ AF_UNIX, SOCK_STREAM, 0 },
		{ AF_INET, SOCK_RAW, IPPROTO_TCP },
		{ AF_INET, SOCK_STREAM, IPPROTO_MPTCP },
	};
	int i, fd;

	for (i = 0; i < 5; i++) {
		fd = psp_ns_socket(self->net.a.ns, kind[i][0], kind[i][1],
				   kind[i][2]);
		ASSERT_GE(fd, 0);
		EXPECT_TRUE(refuse_both(self->nl, self->id, 0, fd, -EOPNOTSUPP,
					"sock-fd", ""));
		EXPECT_TRUE(refuse_both(self->nl, 0, 0, fd, -EOPNOTSUPP,
					"sock-fd", ""));
		close(fd);
	}
}

TEST_F(refuse, socket_of_smc)
{
	int fd;

	fd = psp_ns_socket(self->net.a.ns, AF_SMC, SOCK_STREAM, 0);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(refuse_both(self->nl, self->id, 0, fd, -EOPNOTSUPP,
				"sock-fd", ""));
	close(fd);
}

/* The peer does not speak SMC: the file changes over to the TCP socket, but
 * SMC still owns it
 */
TEST_F(refuse, tcp_socket_that_smc_owns)
{
	struct psp_conn conn = self->conn;
	uint16_t port = 0;
	int listener;

	if (!psp_nl_rekeys(self->nl))
		SKIP(return, NOT_REFUSED);
	conn.a.fd = psp_ns_socket(self->net.a.ns, AF_SMC, SOCK_STREAM, 0);
	ASSERT_GE(conn.a.fd, 0);
	listener = psp_tcp_listen(&self->net.b, PSP_IPV4, &port);
	ASSERT_GE(listener, 0);
	ASSERT_EQ(0, psp_conn_finish(&conn, listener, port));
	close(listener);

	EXPECT_TRUE(refuse_both(self->nl, 0, 0, conn.a.fd, -EINVAL, "sock-fd",
				""));
	EXPECT_EQ(0, psp_conn_ping(&conn));
	psp_conn_close(&conn);
}

TEST_F(refuse, fd_that_is_no_socket)
{
	struct psp_key key;
	int fd;

	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOTSOCK, psp_nl_rx_assoc(self->nl, self->id, 0, fd, &key));
	EXPECT_EQ(-ENOTSOCK, psp_nl_tx_assoc(self->nl, self->id, 0, fd,
					     &self->key));
	EXPECT_EQ(-EBADF, psp_nl_rx_assoc(self->nl, self->id, 0, NO_SUCH_FD,
					  &key));
	EXPECT_EQ(-EBADF, psp_nl_tx_assoc(self->nl, self->id, 0, NO_SUCH_FD,
					  &self->key));
	EXPECT_EQ(-EBADF, psp_nl_rx_assoc(self->nl, self->id, 0, -1, &key));
	close(fd);
}

TEST_F(refuse, listener)
{
	uint16_t port = 0;
	int fd;

	if (!psp_nl_rekeys(self->nl))
		SKIP(return, NOT_REFUSED);
	fd = psp_tcp_listen(&self->net.a, PSP_IPV4, &port);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(refuse_both(self->nl, self->id, 0, fd, -EINVAL, "sock-fd",
				""));
	close(fd);
}

TEST_F(refuse, to_listen_on_a_socket_with_state)
{
	if (!psp_nl_rekeys(self->nl))
		SKIP(return, NOT_REFUSED);
	ASSERT_EQ(0, psp_nl_rx_assoc(self->nl, self->id, 0, self->idle,
				     &self->key));
	EXPECT_EQ(-1, listen(self->idle, 1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(refuse, socket_with_a_ulp)
{
	ASSERT_EQ(0, setsockopt(self->conn.a.fd, IPPROTO_TCP, TCP_ULP, "tls",
				sizeof("tls")));
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &self->key),
		       -EINVAL, psp_blame(self->nl, "sock-fd"), "");
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &self->key),
		       -EINVAL, "sock-fd", "");
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(refuse, ulp_on_a_socket_with_state)
{
	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	EXPECT_EQ(-1, setsockopt(self->conn.a.fd, IPPROTO_TCP, TCP_ULP, "tls",
				 sizeof("tls")));
	EXPECT_EQ(psp_nl_rekeys(self->nl) ? EEXIST : EINVAL, errno);
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

/* A socket map with @fd in it, or -errno */
static int refuse_sockmap(int fd)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = 4, .value_size = 4, .max_entries = 1,
	};
	int map, key = 0;

	map = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (map < 0)
		return -errno;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&fd;
	if (!syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
		return map;
	key = -errno;
	close(map);
	return key;
}

TEST_F(refuse, socket_in_a_sockmap)
{
	int map;

	if (!psp_nl_rekeys(self->nl))
		SKIP(return, NOT_REFUSED);
	map = refuse_sockmap(self->conn.a.fd);
	ASSERT_GE(map, 0);
	EXPECT_TRUE(refuse_both(self->nl, 0, 0, self->conn.a.fd, -EINVAL,
				"sock-fd", ""));
	close(map);
}

TEST_F(refuse, to_put_a_socket_with_state_into_a_sockmap)
{
	if (!psp_nl_rekeys(self->nl))
		SKIP(return, NOT_REFUSED);
	ASSERT_EQ(0, psp_conn_secure(&self->conn, 0));
	EXPECT_EQ(-EINVAL, refuse_sockmap(self->conn.a.fd));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(refuse, tx_assoc_without_rx_assoc)
{
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &self->key),
		       -EINVAL, psp_blame(self->nl, "sock-fd"), "");
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(refuse, version_other_than_the_rx_assoc_s)
{
	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));
	EXPECT_TRUE(refuse_other(self->nl, 0, 2, self->conn.a.fd, "sock-fd"));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(refuse, key_of_wrong_length)
{
	static const unsigned int bad[] = { 0, 1, 15, 17, 31, 32 };
	uint32_t version;
	int i, fd;

	for (version = 0; version < PSP_VERSIONS; version++) {
		fd = psp_tcp_socket(&self->net.a, PSP_IPV4);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, psp_nl_rx_assoc(self->nl, self->id, version, fd,
					     &self->key));
		for (i = 0; i < 6; i++) {
			self->key.len = bad[i];
			if (self->key.len == psp_key_len(version))
				self->key.len = 16;
			EXPECT_REFUSED(self->nl,
				       psp_nl_tx_assoc(self->nl, self->id,
						       version, fd,
						       &self->key),
				       -EINVAL, "tx-key.key", "");
		}
		close(fd);
	}
}

TEST_F(refuse, spi_whose_low_31_bits_are_0)
{
	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));
	self->key.spi = 0;
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &self->key),
		       -EINVAL, "tx-key.key", "");
	self->key.spi = 0x80000000;
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &self->key),
		       -EINVAL, "tx-key.key", "");
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(refuse, second_rx_assoc_before_psp_full)
{
	struct psp_key key;

	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &key),
		       -EBUSY, "sock-fd", "");
	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.b, 0));
	ASSERT_EQ(0, psp_conn_tx(&self->conn, &self->conn.a));
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &key),
		       -EBUSY, "sock-fd", "");

	/* The first key is still the one */
	ASSERT_EQ(0, psp_conn_tx(&self->conn, &self->conn.b));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(refuse, second_tx_assoc_before_psp_full)
{
	ASSERT_EQ(0, psp_conn_assoc(&self->conn, 0));
	EXPECT_REFUSED(self->nl, psp_nl_tx_assoc(self->nl, 0, 0,
						 self->conn.a.fd, &self->key),
		       -EBUSY, psp_blame(self->nl, "sock-fd"), "");
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

TEST_F(refuse, tx_assoc_while_plain_text_waits_to_be_read)
{
	char buf[8];

	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.a, 0));
	ASSERT_EQ(0, psp_conn_rx(&self->conn, &self->conn.b, 0));
	ASSERT_EQ(5, send(self->conn.b.fd, "plain", 5, 0));
	ASSERT_EQ(0, psp_tcp_drain(self->conn.b.fd, 10000));
	EXPECT_REFUSED(self->nl, psp_conn_tx(&self->conn, &self->conn.a),
		       -EBUSY, psp_blame(self->nl, "sock-fd"), "");

	ASSERT_EQ(5, recv(self->conn.a.fd, buf, sizeof(buf), 0));
	EXPECT_EQ(0, psp_conn_tx(&self->conn, &self->conn.a));
	EXPECT_EQ(0, psp_conn_tx(&self->conn, &self->conn.b));
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
}

/* No rx assoc, device, version, state: the first of them is told */
TEST_F(refuse, in_the_order_of_the_checks)
{
	ASSERT_EQ(0, psp_conn_assoc(&self->conn, 0));
	EXPECT_TRUE(refuse_other(self->nl, 0, 2, self->conn.a.fd, "sock-fd"));
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, NO_SUCH_DEV, 2,
						 self->conn.a.fd, &self->key),
		       -EINVAL, "dev-id", "");
}

TEST_HARNESS_MAIN
