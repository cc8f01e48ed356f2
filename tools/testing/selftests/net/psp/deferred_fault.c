// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that calls back too early, or with tickets that are not out: a line
 * in the log that names the device, and nothing else happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "deferred.h"
#include "watch.h"

#define ROUNDS		5
#define FAULT_EARLY	"1"
#define FAULT_TWICE	"2"
#define FAULT_UNKNOWN	"3"
#define WARNING		"PSP: driver gave back tx key ticket"

FIXTURE(fault)
{
	struct psp_net net;
	struct psp_conn conn;
	int kmsg;
};

static int fault_kmsg(const char *line)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, line, strlen(line)) < 0)
		err = -errno;
	close(fd);
	return err;
}

FIXTURE_SETUP(fault)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(conn, DEFERRED_VERSION));
	self->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->kmsg);
	ASSERT_LE(0, lseek(self->kmsg, 0, SEEK_END));
}

FIXTURE_TEARDOWN(fault)
{
	close(self->kmsg);
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* Lines of the log since the setup that say so, and name the port of @end */
static int fault_warnings(int kmsg, const struct psp_end *end)
{
	char line[1024], name[IFNAMSIZ + 2];
	int found = 0;
	ssize_t n;

	snprintf(name, sizeof(name), "%s:", end->ifname);
	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		found += strstr(line, WARNING) && strstr(line, name);
	}
	return found;
}

/* Keys with descriptors in flight and without, none of which stays behind */
static int fault_rekey(struct psp_conn *conn)
{
	struct psp_end *a = conn->a.end;
	int i, err = 0;

	for (i = 0; !err && i < ROUNDS; i++) {
		err = deferred_rekey(conn, &conn->a, 1);
		/* Else that key might wait for what is about to be held, too */
		if (!err)
			err = deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS, 1);
		if (!err)
			err = psp_knob_set(a, "tx_hold_completions",
					   DEFERRED_ALL_QUEUES);
		if (!err)
			err = deferred_message(conn, &conn->a);
		if (!err)
			err = psp_conn_tx(conn, &conn->a);
		if (!err)
			err = deferred_wait(a,
					    PSP_A_REKEY_STATS_TX_KEYS_RETIRED,
					    1);
		if (!err)
			err = psp_knob_set(a, "tx_hold_completions", "0");
		if (!err)
			err = deferred_wait(a, PSP_A_REKEY_STATS_TX_KEYS, 1);
	}
	return err;
}

TEST_F(fault, callback_before_retire_has_returned_is_fine)
{
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, psp_knob_set(a, "quiesce_fault", FAULT_EARLY));
	ASSERT_EQ(0, watch_trace(true));
	EXPECT_EQ(0, fault_rekey(&self->conn));
	/* Those with nothing in flight too, which otherwise have no callback */
	EXPECT_EQ(2 * ROUNDS, watch_traced("psp_tx_key_quiesced", ""));
	EXPECT_EQ(0, watch_trace(false));
	EXPECT_EQ(2 * ROUNDS,
		  deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED));
	EXPECT_EQ(0, fault_warnings(self->kmsg, a));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
}

/* A driver that gives back a ticket that is not out, as @fault says */
static void fault_ticket(struct __test_metadata *_metadata,
			 struct psp_conn *conn, int kmsg, const char *fault)
{
	struct psp_end *a = conn->a.end;

	ASSERT_EQ(0, fault_kmsg("psp-expect: " WARNING));
	ASSERT_EQ(0, psp_knob_set(a, "quiesce_fault", fault));
	EXPECT_EQ(0, fault_rekey(conn));
	EXPECT_EQ(2 * ROUNDS,
		  deferred_stat(a, PSP_A_REKEY_STATS_TX_KEYS_DELETED));
	EXPECT_EQ(1, fault_warnings(kmsg, a));
	EXPECT_EQ(0, psp_gauge(a, "tx_stale_handle"));
	EXPECT_EQ(0, psp_conn_ping(conn));
}

TEST_F(fault, ticket_given_back_twice_is_told_once_and_ignored)
{
	fault_ticket(_metadata, &self->conn, self->kmsg, FAULT_TWICE);
}

TEST_F(fault, unknown_ticket_is_told_once_and_ignored)
{
	fault_ticket(_metadata, &self->conn, self->kmsg, FAULT_UNKNOWN);
}

TEST_HARNESS_MAIN
