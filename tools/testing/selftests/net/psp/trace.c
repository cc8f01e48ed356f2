// SPDX-License-Identifier: GPL-2.0
/* Tracepoints: each change of state of a socket or a device can be seen */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "watch.h"

FIXTURE(trace)
{
	struct psp_net net;
	struct psp_conn conn;
	char text[128];
};

FIXTURE_SETUP(trace)
{
	self->conn.a.fd = -1;
	self->conn.b.fd = -1;
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, watch_trace(true));
}

FIXTURE_TEARDOWN(trace)
{
	watch_trace(false);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* What the events about A's socket say, with an SPI */
static const char *about(struct psp_conn *conn, uint32_t spi, char *text)
{
	snprintf(text, 128, "dev_id=%u cookie=%llu spi=0x%08x\n",
		 conn->a.end->dev_id,
		 (unsigned long long)watch_cookie(conn->a.fd), spi);
	return text;
}

#define EXPECT_TRACED(num, event, spi)				\
	EXPECT_EQ(num, watch_traced("psp_sock_" event,		\
				    about(conn, spi, self->text)))

TEST_F(trace, shows_how_a_socket_becomes_secure)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	EXPECT_TRACED(1, "rx_set", conn->a.rx.spi);
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, WATCH_VERSION));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_TRACED(1, "tx_pending", conn->a.tx.spi);
	EXPECT_TRACED(1, "tx_set", conn->a.tx.spi);
	EXPECT_TRACED(0, "full", conn->a.rx.spi);
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(0, psp_conn_ping(conn));
	EXPECT_TRACED(1, "full", conn->a.rx.spi);
	/* No other socket, no other step */
	EXPECT_EQ(2, watch_traced("psp_sock_rx_set", ""));
	EXPECT_EQ(2, watch_traced("psp_sock_full", ""));
	EXPECT_EQ(0, watch_traced("psp_sock_tx_undo", ""));
}

/* B sends under PSP before A has a tx key: then that is A's last step */
TEST_F(trace, shows_the_last_state_in_either_order)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, WATCH_VERSION));
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->b));
	ASSERT_EQ(1, send(conn->b.fd, "x", 1, MSG_NOSIGNAL));
	ASSERT_EQ(0, psp_tcp_drain(conn->b.fd, psp_slow_ms(WATCH_MS)));
	EXPECT_TRACED(0, "full", conn->a.rx.spi);
	ASSERT_EQ(0, psp_conn_tx(conn, &conn->a));
	EXPECT_TRACED(1, "full", conn->a.rx.spi);
}

TEST_F(trace, shows_a_tx_assoc_that_fails)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, WATCH_VERSION));
	ASSERT_EQ(0, psp_knob_set(&self->net.a, "tx_key_limit", "0"));
	ASSERT_EQ(-ENOSPC, psp_conn_tx(conn, &conn->a));
	EXPECT_TRACED(1, "tx_pending", conn->b.rx.spi);
	EXPECT_TRACED(1, "tx_undo", conn->b.rx.spi);
	EXPECT_TRACED(0, "tx_set", conn->b.rx.spi);
}

TEST_F(trace, shows_rotations_and_rekeys)
{
	struct psp_conn *conn = &self->conn;
	uint32_t spi;

	ASSERT_EQ(0, psp_conn_secure(conn, WATCH_VERSION));
	snprintf(self->text, sizeof(self->text), "dev_id=%u ifindex=%d epoch=1",
		 self->net.a.dev_id, self->net.a.ifindex);
	ASSERT_EQ(0, psp_conn_rotate(conn));
	EXPECT_EQ(1, watch_traced("psp_dev_rotate", self->text));

	ASSERT_EQ(0, psp_conn_rekey(conn));
	EXPECT_TRACED(1, "rx_rekey", conn->a.rx.spi);
	EXPECT_TRACED(1, "tx_rekey", conn->a.tx.spi);

	/* Nobody listens to the group: the trace is enough */
	spi = conn->a.rx.spi;
	ASSERT_EQ(0, psp_conn_rotate(conn));
	EXPECT_TRACED(0, "stale", spi);
	ASSERT_EQ(0, psp_conn_rotate(conn));
	EXPECT_EQ(0, watch_wait_traced("psp_sock_stale",
				       about(conn, spi, self->text)));
	EXPECT_TRACED(1, "stale", spi);
}

TEST_F(trace, shows_the_end_of_a_state)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_rx(conn, &conn->a, WATCH_VERSION));
	about(conn, conn->a.rx.spi, self->text);
	EXPECT_EQ(0, watch_traced("psp_sock_free", ""));
	psp_conn_close(conn);
	EXPECT_EQ(0, watch_wait_traced("psp_sock_free", self->text));
}

TEST_F(trace, shows_devices_come_and_go)
{
	uint32_t id;
	int ifindex;

	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, psp_link_add("more0", "psp_ref", 0));
	ifindex = if_nametoindex("more0");
	id = psp_dev_of(&self->net.a.nl, ifindex);
	snprintf(self->text, sizeof(self->text), "dev_id=%u ifindex=%d epoch=0",
		 id, ifindex);
	EXPECT_EQ(1, watch_traced("psp_dev_add", self->text));
	EXPECT_EQ(0, watch_traced("psp_dev_del", ""));
	ASSERT_EQ(0, psp_link_del(ifindex));
	EXPECT_EQ(1, watch_traced("psp_dev_del", self->text));
}

TEST_HARNESS_MAIN
