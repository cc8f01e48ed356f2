// SPDX-License-Identifier: GPL-2.0
/*
 * The modules come and go: psp_ref at any time, psp when no socket has state
 * any more, and nothing of them stays behind.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "leak.h"
#include "module.h"

#define GONE_MS		20000	/* what is closed has to be gone by then */
#define TIMEOUT_S	120

#define V0		PSP_VERSION_HDR0_AES_GCM_128

FIXTURE(module)
{
	struct leak leak;
};

FIXTURE_SETUP(module)
{
	ASSERT_EQ(0, module_load_all());
}

/* Whatever has failed, the next test wants them back */
FIXTURE_TEARDOWN(module)
{
	EXPECT_EQ(0, module_load_all());
}

static void module_all_gone(struct __test_metadata *_metadata)
{
	if (module_is_loaded("psp_ref"))
		ASSERT_EQ(0, module_unload_wait("psp_ref", GONE_MS));
	ASSERT_EQ(0, module_unload_wait("psp", GONE_MS));
	EXPECT_STREQ("", module_trace());
}

TEST_F_TIMEOUT(module, unused_ones_unload_and_load_again, TIMEOUT_S)
{
	int i;

	EXPECT_STRNE("", module_trace());
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EWOULDBLOCK, module_unload("psp"));
		module_all_gone(_metadata);
		ASSERT_EQ(0, module_load_all());
	}
}

TEST_F_TIMEOUT(module, psp_is_in_use_while_a_socket_has_state, TIMEOUT_S)
{
	struct psp_conn conn;
	struct psp_net net;

	ASSERT_EQ(0, psp_net_open(&net));
	ASSERT_EQ(0, psp_conn_open(&conn, &net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_rx(&conn, &conn.a, V0));
	ASSERT_EQ(0, module_unload("psp_ref"));
	EXPECT_EQ(-EWOULDBLOCK, module_unload_wait("psp", 1000));
	psp_conn_close(&conn);
	module_all_gone(_metadata);
	psp_net_close(&net);
}

/* Orphans that nobody answers go soon */
static void module_no_patience(const struct psp_net *net)
{
	psp_ns_enter(net->a.ns);
	psp_sysctl("net/ipv4/tcp_orphan_retries", "1");
	psp_ns_enter(net->b.ns);
	psp_sysctl("net/ipv4/tcp_orphan_retries", "1");
	psp_ns_enter(net->home);
}

/* Closed, but TCP wants to get rid of data and FIN first: it gives up soon */
TEST_F_TIMEOUT(module, psp_is_in_use_while_an_orphan_has_state, TIMEOUT_S)
{
	struct psp_conn conn;
	struct psp_net net;

	ASSERT_EQ(0, psp_net_open(&net));
	ASSERT_EQ(0, psp_conn_open(&conn, &net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&conn, V0));
	ASSERT_EQ(0, module_unload("psp_ref"));
	module_no_patience(&net);
	close(conn.a.fd);
	conn.a.fd = -1;
	psp_conn_close(&conn);
	EXPECT_EQ(-EWOULDBLOCK, module_unload("psp"));
	module_all_gone(_metadata);
	psp_net_close(&net);
}

static int module_hooks(int ns)
{
	return !psp_sh(ns, "nft list hooks | grep -q psp");
}

TEST_F_TIMEOUT(module, hooks_exist_while_a_socket_has_state, TIMEOUT_S)
{
	struct psp_conn conn;
	struct psp_net net;
	uint64_t end;

	ASSERT_EQ(0, psp_net_open(&net));
	ASSERT_EQ(0, psp_sh(net.b.ns, "nft -f - <<EOT\n"
			    "table ip hooked {\n"
			    "chain in {\n"
			    "type filter hook input priority filter;\n"
			    "}\n"
			    "}\n"
			    "EOT\n"));
	if (psp_sh(net.b.ns, "nft list hooks | grep -q hooked"))
		SKIP(goto out_close, "kernel cannot list netfilter hooks");

	ASSERT_EQ(0, psp_conn_open(&conn, &net, PSP_IPV4));
	EXPECT_FALSE(module_hooks(net.a.ns));
	ASSERT_EQ(0, psp_conn_rx(&conn, &conn.a, V0));
	EXPECT_TRUE(module_hooks(net.a.ns));
	EXPECT_FALSE(module_hooks(net.b.ns));
	psp_conn_close(&conn);
	end = psp_now_ms() + GONE_MS;
	while (module_hooks(net.a.ns))
		ASSERT_LT(psp_now_ms(), end);
out_close:
	psp_net_close(&net);
}

/* The route leads aside when the port is gone */
static int module_lead_aside(struct leak *leak)
{
	return leak_sh(leak->net.a.ns,
		       "ip route add default via 10.9.0.2 dev leak0\n"
		       "ip addr add 10.0.0.1/32 dev leak0\n");
}

static void module_patience(int fd, int ms)
{
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

/* Error that the socket has died of, waiting for it */
static int module_wait_error(struct leak *leak, int fd)
{
	uint64_t end = psp_now_ms() + GONE_MS;
	socklen_t len = sizeof(int);
	int err = 0;

	while (!err && psp_now_ms() < end) {
		leak_look(leak);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
			return -errno;
		psp_nap();
	}
	return err;
}

TEST_F_TIMEOUT(module, live_sockets_fail_closed_without_psp_ref, TIMEOUT_S)
{
	struct leak *leak = &self->leak;
	struct psp_side *a;
	char ulp[16];

	ASSERT_EQ(0, leak_open(leak, PSP_IPV4));
	ASSERT_EQ(0, leak_exchange(leak, LEAK_BYTES));
	EXPECT_WIRE_SHOWS(leak);
	EXPECT_NO_LEAK(leak);
	ASSERT_EQ(0, module_lead_aside(leak));

	a = &leak->secret.conn.a;
	module_patience(a->fd, 2000);
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	ASSERT_EQ(0, module_unload("psp_ref"));
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_offer(&leak->secret));

	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	EXPECT_EQ(ETIMEDOUT, module_wait_error(leak, a->fd));
	EXPECT_NO_LEAK(leak);

	/* Closed by TCP, the socket still has its state */
	EXPECT_EQ(0, psp_tcp_ulp(a->fd, ulp, sizeof(ulp)));
	EXPECT_STREQ("psp", ulp);
	EXPECT_EQ(-ENODEV, psp_conn_tx(&leak->secret.conn, a));
	EXPECT_EQ(-EWOULDBLOCK, module_unload("psp"));
	leak_close(leak);
	module_all_gone(_metadata);
}

/* Ports with the names and addresses of those that were unloaded */
static int module_new_ports(struct leak *leak)
{
	struct psp_net *net = &leak->net;

	if (psp_sh(net->a.ns,
		   "ip -batch - <<EOT\n"
		   "link add psp0 type psp_ref\n"
		   "link add link psp0 name psp1 \\\n"
		   "	netns /proc/%d/fd/%d type psp_ref\n"
		   "addr add 10.0.0.1/24 dev psp0\n"
		   "link set psp0 up\n"
		   "EOT\n", getpid(), net->b.ns) ||
	    psp_sh(net->b.ns,
		   "ip -batch - <<EOT\n"
		   "addr add 10.0.0.2/24 dev psp1\n"
		   "link set psp1 up\n"
		   "EOT\n"))
		return -EIO;

	psp_tap_close(&leak->tap);
	return psp_tap_open(&leak->tap, &net->a);
}

/* The keys of the old ports are gone with them, and no others do instead */
TEST_F_TIMEOUT(module, live_sockets_stay_silent_on_new_ports, TIMEOUT_S)
{
	struct leak *leak = &self->leak;

	ASSERT_EQ(0, leak_open(leak, PSP_IPV4));
	ASSERT_EQ(0, module_unload("psp_ref"));
	ASSERT_EQ(0, module_load("psp_ref"));
	ASSERT_EQ(0, module_new_ports(leak));
	leak->wire.fd = leak->tap.fd;
	leak_reset(leak);
	ASSERT_EQ(0, leak_offer(&leak->secret));
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->wire.open, 1));
	leak_wait_quiet(leak, 500);
	EXPECT_NO_LEAK(leak);
	EXPECT_EQ(0, leak->wire.psp);
	leak_close(leak);
	module_all_gone(_metadata);
}

static void module_abort(struct leak *leak)
{
	psp_conn_close(&leak->open.conn);
	psp_conn_close(&leak->secret.conn);
}

#define PLUG	"tc qdisc add dev %s root plug"
#define RELEASE	"tc qdisc change dev %s root plug release_indefinite"

/* Data, a reset of the socket, and one that is sent without it */
TEST_F_TIMEOUT(module, segments_queued_in_the_port, TIMEOUT_S)
{
	struct leak *leak = &self->leak;
	int a;

	ASSERT_EQ(0, leak_open(leak, PSP_IPV4));
	a = leak->net.a.ns;
	ASSERT_EQ(0, psp_sh(a, PLUG, "psp0"));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	close(leak->secret.conn.a.fd);
	leak->secret.conn.a.fd = -1;
	EXPECT_EQ(4, send(leak->secret.conn.b.fd, "test", 4, MSG_NOSIGNAL));
	EXPECT_NE(0, psp_tcp_drain(leak->secret.conn.b.fd, 300));
	module_abort(leak);
	EXPECT_EQ(-EWOULDBLOCK, module_unload("psp"));
	ASSERT_EQ(0, module_unload("psp_ref"));
	module_all_gone(_metadata);
	leak_close(leak);
}

/* Not until they are gone, for each has a socket, which has state */
TEST_F_TIMEOUT(module, segments_queued_in_another_interface, TIMEOUT_S)
{
	struct leak *leak = &self->leak;
	int a;

	ASSERT_EQ(0, leak_open(leak, PSP_IPV4));
	a = leak->net.a.ns;
	ASSERT_EQ(0, leak_sh(a, "ip -batch - <<EOT\n"
			     "neigh replace 10.9.0.2 dev leak0 lladdr 2:0:0:0:0:9\n"
			     "route add 10.0.0.2/32 via 10.9.0.2 dev leak0\n"
			     "EOT\n"));
	ASSERT_EQ(0, psp_sh(a, PLUG, "leak0"));
	leak_reset(leak);
	ASSERT_EQ(0, leak_offer(&leak->open));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	module_abort(leak);
	ASSERT_EQ(0, module_unload("psp_ref"));
	EXPECT_EQ(-EWOULDBLOCK, module_unload_wait("psp", 1000));
	ASSERT_EQ(0, psp_sh(a, RELEASE, "leak0"));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	module_all_gone(_metadata);
	leak_wait_quiet(leak, 100);
	EXPECT_NO_LEAK(leak);
	leak_close(leak);
}

/* They have no socket, so nothing waits for them; the stack drops them later */
TEST_F_TIMEOUT(module, copies_queued_in_another_interface, TIMEOUT_S)
{
	struct leak *leak = &self->leak;
	int a;

	ASSERT_EQ(0, leak_open(leak, PSP_IPV4));
	a = leak->net.a.ns;
	ASSERT_EQ(0, psp_sh(a, PLUG, "leak0"));
	ASSERT_EQ(0, leak_sh(a, "tc qdisc add dev psp0 clsact\n"
			     "tc filter add dev psp0 egress matchall \\\n"
			     "	action mirred egress mirror dev leak0\n"));
	leak_reset(leak);
	ASSERT_EQ(0, leak_exchange(leak, LEAK_BYTES));
	EXPECT_EQ(0, leak->away.open);
	module_abort(leak);
	module_all_gone(_metadata);

	ASSERT_EQ(0, leak_expect_line(LEAK_ORPHAN));
	ASSERT_EQ(0, psp_sh(a, RELEASE, "leak0"));
	ASSERT_EQ(0, leak_wait_seen(leak, &leak->away.open, 1));
	leak_wait_quiet(leak, 100);
	EXPECT_NO_LEAK(leak);
	leak_close(leak);
}

TEST_F_TIMEOUT(module, segments_held_by_nfqueue, TIMEOUT_S)
{
	struct leak *leak = &self->leak;
	struct leak_nfq nfq;

	ASSERT_EQ(0, leak_open(leak, PSP_IPV4));
	ASSERT_EQ(0, leak_nfq_open(&nfq, leak->net.a.ns, 9, true));
	ASSERT_EQ(0, psp_sh(leak->net.a.ns,
			    "nft -f - <<EOT\n"
			    "table ip leak {\n"
			    "chain wait {\n"
			    "type filter hook output priority filter;\n"
			    "ip daddr 10.0.0.2 queue to 9\n"
			    "}\n"
			    "}\n"
			    "EOT\n"));
	ASSERT_EQ(0, leak_offer(&leak->secret));
	while (!nfq.secret)
		ASSERT_LE(0, leak_nfq_poll(&nfq, leak));
	module_abort(leak);
	EXPECT_EQ(-EWOULDBLOCK, module_unload("psp"));
	ASSERT_EQ(0, module_unload("psp_ref"));
	module_all_gone(_metadata);
	leak_nfq_close(&nfq);
	leak_close(leak);
}

/* A time-wait socket outlives the module, as a plain one */
TEST_F_TIMEOUT(module, connections_in_time_wait, TIMEOUT_S)
{
	static const char count[] =
		"test $(ss -Htan state time-wait | wc -l) = 1";
	struct psp_conn conn;
	struct psp_net net;
	uint64_t end;

	ASSERT_EQ(0, psp_net_open(&net));
	ASSERT_EQ(0, psp_conn_open(&conn, &net, PSP_IPV6));
	ASSERT_EQ(0, psp_conn_secure(&conn, V0));
	close(conn.a.fd);
	close(conn.b.fd);
	end = psp_now_ms() + GONE_MS;
	while (psp_sh(net.a.ns, count))
		ASSERT_LT(psp_now_ms(), end);
	module_all_gone(_metadata);
	EXPECT_EQ(0, psp_sh(net.a.ns, count));
	psp_net_close(&net);
}

/* One life of the modules: psp_ref goes in the middle of a transfer */
static void module_live(struct __test_metadata *_metadata)
{
	struct psp_xfer xfer[2];
	struct psp_conn conn;
	struct psp_net net;

	ASSERT_EQ(0, module_load_all());
	ASSERT_EQ(0, psp_net_open(&net));
	ASSERT_EQ(0, psp_conn_open(&conn, &net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&conn, V0));
	psp_xfer_init(&xfer[0], &conn.a, &conn.b, 64 << 20);
	psp_xfer_init(&xfer[1], &conn.b, &conn.a, 64 << 20);
	ASSERT_EQ(0, psp_xfer_until(xfer, 2, 256 << 10, GONE_MS));
	ASSERT_EQ(0, module_unload("psp_ref"));
	psp_conn_close(&conn);
	module_all_gone(_metadata);
	psp_net_close(&net);
}

TEST_F_TIMEOUT(module, unloading_again_and_again_under_traffic, TIMEOUT_S)
{
	int i;

	for (i = 0; i < 5; i++)
		module_live(_metadata);
}

/* Another process that does not care for errors */
static void module_make_requests(void)
{
	struct psp_conn conn;
	struct psp_net net;

	for (;;) {
		if (psp_net_open(&net))
			continue;
		module_no_patience(&net);
		if (!psp_conn_open(&conn, &net, PSP_IPV4)) {
			psp_conn_secure(&conn, V0);
			psp_conn_rotate(&conn);
			psp_conn_rekey(&conn);
			psp_conn_close(&conn);
		}
		psp_net_close(&net);
	}
}

TEST_F_TIMEOUT(module, unloading_while_requests_are_made, TIMEOUT_S)
{
	uint64_t end;
	pid_t child;
	int i;

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		module_make_requests();
		_exit(0);
	}
	for (i = 0; i < 4; i++) {
		for (end = psp_now_ms() + 700 + i * 130; psp_now_ms() < end;)
			psp_nap();
		EXPECT_EQ(0, module_unload_wait("psp_ref", GONE_MS));
		EXPECT_EQ(0, module_load("psp_ref"));
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	module_all_gone(_metadata);
}

static const char * const module_caches[] = {
	"kmalloc-cg-64", "kmalloc-cg-96", "kmalloc-cg-128", "kmalloc-cg-192",
	"kmalloc-cg-256", "kmalloc-cg-512", "kmalloc-cg-1k",
};

static int64_t module_objects(void)
{
	int64_t n, sum = 0;
	int i;

	for (i = 0; i < sizeof(module_caches) / sizeof(*module_caches); i++) {
		n = module_slab_objects(module_caches[i]);
		if (n < 0)
			return n;
		sum += n;
	}
	return sum;
}

#define MANY	24

static void module_connect_many(struct __test_metadata *_metadata)
{
	struct psp_conn conn;
	struct psp_net net;
	int i;

	ASSERT_EQ(0, psp_net_open(&net));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, psp_conn_open(&conn, &net, PSP_IPV4));
		ASSERT_EQ(0, psp_conn_secure(&conn, V0));
		ASSERT_EQ(0, psp_conn_rotate(&conn));
		ASSERT_EQ(0, psp_conn_rekey(&conn));
		psp_conn_close(&conn);
	}
	psp_net_close(&net);
	module_all_gone(_metadata);
	ASSERT_EQ(0, module_load_all());
}

/* kfree_rcu() takes its time, up to some seconds */
static int64_t module_settled_objects(int64_t good_enough)
{
	uint64_t end = psp_now_ms() + 7000;
	int64_t n, min = INT64_MAX;

	while (psp_now_ms() < end && min > good_enough) {
		n = module_objects();
		if (n < min)
			min = n;
		usleep(250000);
	}
	return min;
}

/* A leak of one object for each connection would be MANY */
TEST_F_TIMEOUT(module, no_memory_is_lost, TIMEOUT_S)
{
	int64_t before;

	module_connect_many(_metadata);
	before = module_settled_objects(0);
	ASSERT_LT(0, before);
	module_connect_many(_metadata);
	EXPECT_GT(before + MANY, module_settled_objects(before + MANY - 1));
}

TEST_HARNESS_MAIN
