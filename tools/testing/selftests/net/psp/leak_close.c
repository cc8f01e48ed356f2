// SPDX-License-Identifier: GPL-2.0
/*
 * Connections are closed, aborted or lose their device while the queue of the
 * device is stopped and full of their segments. What it holds, and what TCP
 * still has to say, leaves under PSP or not at all.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leak_fixture.h"

/* Holds all back, and has room for a few segments */
#define PLUG	"tc qdisc add dev psp0 root plug limit 100000"
#define RELEASE	"tc qdisc change dev psp0 root plug release_indefinite"

/* Fill what room is left with packets of others */
static int leak_fill_queue(struct leak *leak)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = leak->net.b.v4,
	};
	char junk[1000] = { };
	int fd, i, err = 0, sndbuf = 1 << 20, one = 1;

	fd = psp_ns_socket(leak->net.a.ns, AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof(sndbuf));
	/* Queues that are full are told of only with this */
	setsockopt(fd, SOL_IP, IP_RECVERR, &one, sizeof(one));
	for (i = 0; i < 500 && !err; i++)
		if (sendto(fd, junk, sizeof(junk), MSG_DONTWAIT,
			   (struct sockaddr *)&to, sizeof(to)) < 0)
			err = -errno;
	close(fd);
	return err == -ENOBUFS ? 0 : err ? err : -ENODATA;
}

/* Stop the queue, fill it with segments of both connections */
static void leak_stop(struct __test_metadata *_metadata, struct leak *leak)
{
	ASSERT_EQ(0, psp_sh(leak->net.a.ns, PLUG));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	ASSERT_EQ(0, leak_offer(&leak->open));
	leak_reset(leak);
}

static void leak_fill(struct __test_metadata *_metadata, struct leak *leak)
{
	leak_stop(_metadata, leak);
	ASSERT_EQ(0, leak_fill_queue(leak));
	leak_wait_quiet(leak, 50);
	EXPECT_EQ(0, leak->wire.open);
}

static void leak_linger(struct leak_flow *flow, int seconds)
{
	struct linger opt = { .l_onoff = 1, .l_linger = seconds };
	int *fd = &flow->conn.a.fd;

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &opt, sizeof(opt));
	close(*fd);
	*fd = -1;
}

static void leak_hang_up(struct leak_flow *flow)
{
	close(flow->conn.a.fd);
	flow->conn.a.fd = -1;
}

static void leak_release(struct __test_metadata *_metadata, struct leak *leak)
{
	ASSERT_EQ(0, psp_sh(leak->net.a.ns, RELEASE));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->wire.open, 1));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->wire.psp, 1));
	leak_wait_quiet(leak, 300);
	/* Mainline's PSP resets what comes too late, in plain text */
	if (psp_nl_rekeys(&leak->net.a.nl))
		EXPECT_NO_LEAK(leak);
	EXPECT_EQ(0, leak_found_words(leak));
}

TEST_F(leak, abort_with_a_stopped_queue)
{
	struct leak *leak = &self->leak;

	leak_stop(_metadata, leak);
	leak_linger(&leak->open, 0);
	leak_linger(&leak->secret, 0);
	leak_release(_metadata, leak);
}

TEST_F(leak, abort_with_a_full_stopped_queue)
{
	struct leak *leak = &self->leak;

	leak_fill(_metadata, leak);
	leak_linger(&leak->open, 0);
	leak_linger(&leak->secret, 0);
	leak_release(_metadata, leak);
}

TEST_F(leak, lingering_close_with_a_full_stopped_queue)
{
	struct leak *leak = &self->leak;

	leak_fill(_metadata, leak);
	leak_linger(&leak->open, 1);
	leak_linger(&leak->secret, 1);
	leak_release(_metadata, leak);
}

TEST_F(leak, close_with_a_full_stopped_queue)
{
	struct leak *leak = &self->leak;

	leak_fill(_metadata, leak);
	leak_hang_up(&leak->open);
	leak_hang_up(&leak->secret);
	leak_release(_metadata, leak);
}

/* There is something to be read: TCP resets instead of closing */
TEST_F(leak, close_unread_with_a_full_stopped_queue)
{
	struct leak *leak = &self->leak;

	ASSERT_EQ(1, send(leak->open.conn.b.fd, "x", 1, 0));
	ASSERT_EQ(1, send(leak->secret.conn.b.fd, "x", 1, 0));
	ASSERT_EQ(0, psp_tcp_drain(leak->open.conn.b.fd, LEAK_MS));
	ASSERT_EQ(0, psp_tcp_drain(leak->secret.conn.b.fd, LEAK_MS));
	leak_fill(_metadata, leak);
	leak_hang_up(&leak->open);
	leak_hang_up(&leak->secret);
	leak_release(_metadata, leak);
}

TEST_F(leak, device_down_with_a_full_stopped_queue)
{
	struct leak *leak = &self->leak;

	leak_fill(_metadata, leak);
	ON_A("ip link set psp0 down\n"
	     "ip route add default via %s dev leak0\n", variant->far);
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	leak_wait_quiet(leak, 300);
	EXPECT_NO_LEAK(leak);
}

/* The device goes, and its namesake of later has none of its keys */
TEST_F(leak, device_deleted_under_live_sockets)
{
	struct leak *leak = &self->leak;

	leak_fill(_metadata, leak);
	ON_A("ip route add default via %s dev leak0\n"
	     "ip link del psp0\n"
	     "ip addr add %s/%d dev leak0 %s\n", variant->far, variant->a,
	     variant->host, variant->family == PSP_IPV6 ? "nodad" : "");
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	leak_wait_quiet(leak, 300);
	EXPECT_NO_LEAK(leak);

	ASIDE("ip link add psp1 type psp_ref\n"
	      "ip link set psp1 up\n"
	      "ip link add link psp1 name psp0 \\\n"
	      "	netns /proc/%d/fd/%d type psp_ref\n",
	      getpid(), leak->net.a.ns);
	leak_reset(leak);
	ON_A("ip -%s route del default dev leak0\n"
	     "ip link set psp0 up\n"
	     "ip route add %s/%d dev psp0 src %s\n"
	     "ip neigh replace %s dev psp0 lladdr 02:00:00:00:00:99\n",
	     variant->v, variant->b, variant->host, variant->a, variant->b);
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	leak_wait_quiet(leak, 300);
	EXPECT_NO_LEAK(leak);
}

TEST_HARNESS_MAIN
