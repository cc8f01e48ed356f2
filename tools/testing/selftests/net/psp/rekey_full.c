// SPDX-License-Identifier: GPL-2.0
/*
 * A device whose key table is full: no new tx key, and what has one goes on.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128

FIXTURE(full)
{
	struct psp_net net;
	struct psp_conn conn;		/* has the only key of each device */
};

FIXTURE_SETUP(full)
{
	int err;

	ASSERT_EQ(0, psp_param_set("key_table_size", "1"));
	err = psp_net_open(&self->net);
	ASSERT_EQ(0, psp_param_set("key_table_size", "8192"));
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
}

FIXTURE_TEARDOWN(full)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

static int full_tx(struct psp_conn *conn, const struct psp_key *key)
{
	struct psp_nl *nl = &conn->a.end->nl;
	int err;

	err = psp_nl_tx_assoc(nl, conn->a.end->dev_id, VERSION, conn->a.fd,
			      key);

	return psp_ack_has_reason(&nl->ack) ? err : 0;
}

TEST_F(full, tx_rekey_is_refused_and_the_old_key_keeps_working)
{
	struct psp_conn *conn = &self->conn;

	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rx(conn, &conn->b, VERSION));
	EXPECT_EQ(-ENOSPC, full_tx(conn, &conn->b.rx));
	EXPECT_EQ(0, psp_xfer_both(conn, 50000, STALL_MS));
}

TEST_F(full, first_tx_assoc_is_refused_and_the_socket_stays_plain)
{
	struct psp_conn other;

	ASSERT_EQ(0, psp_conn_open(&other, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_rx(&other, &other.a, VERSION));
	ASSERT_EQ(0, psp_conn_rx(&other, &other.b, VERSION));
	EXPECT_EQ(-ENOSPC, full_tx(&other, &other.b.rx));
	EXPECT_EQ(0, psp_xfer_both(&other, 50000, STALL_MS));
	EXPECT_EQ(0, psp_xfer_both(&self->conn, 50000, STALL_MS));
	psp_conn_close(&other);
}

TEST_HARNESS_MAIN
