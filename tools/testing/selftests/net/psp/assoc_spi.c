// SPDX-License-Identifier: GPL-2.0
/*
 * SPIs of a device: counted on and on, never 0, and what happens when all of
 * them have been given out since the last rotation.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"

#define STALL_MS	20000
#define VERSION		PSP_VERSION_HDR0_AES_GCM_128
#define PHASE_BIT	0x80000000
#define SPI_MAX		0x7fffffff

FIXTURE(spi)
{
	struct psp_net net;
	struct psp_conn conn;	/* runs under PSP all the while */
	struct psp_nl *nl;	/* netlink at end A */
	uint32_t id;		/* device at end A */
};

FIXTURE_SETUP(spi)
{
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_conn_open(&self->conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&self->conn, VERSION));
	self->nl = &self->net.a.nl;
	self->id = self->net.a.dev_id;
}

FIXTURE_TEARDOWN(spi)
{
	psp_conn_close(&self->conn);
	psp_net_close(&self->net);
}

/* rx-assoc of a socket made for it: its SPI in @spi, or -errno */
static int spi_take(struct psp_end *end, uint32_t *spi)
{
	struct psp_key key = { };
	int fd, err;

	fd = psp_tcp_socket(end, PSP_IPV4);
	if (fd < 0)
		return fd;
	err = psp_nl_rx_assoc(&end->nl, end->dev_id, VERSION, fd, &key);
	close(fd);
	*spi = key.spi;
	return err;
}

/* After a rotation: the first SPIs of the device key are in use */
static void expect_wrap(struct __test_metadata *_metadata, struct psp_end *end,
			uint32_t phase)
{
	static const uint32_t want[] = { SPI_MAX - 1, SPI_MAX, 1, 2 };
	uint32_t spi;
	int i;

	ASSERT_EQ(0, psp_knob_set(end, "next_spi", "%u", want[0]));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(want[i], psp_gauge(end, "next_spi"));
		ASSERT_EQ(0, spi_take(end, &spi));
		EXPECT_EQ(phase | want[i], spi);
	}
}

TEST_F(spi, counter_wraps_to_1_and_is_never_0)
{
	uint32_t phase = self->conn.a.rx.spi & PHASE_BIT;
	struct psp_end *a = &self->net.a;

	ASSERT_EQ(0, psp_nl_rotate(self->nl, self->id));
	expect_wrap(_metadata, a, phase ^ PHASE_BIT);
	EXPECT_EQ(0, psp_conn_ping(&self->conn));
	ASSERT_EQ(0, psp_nl_rotate(self->nl, self->id));
	expect_wrap(_metadata, a, phase);
}

/* A key made across the wrap is a key like any other */
TEST_F(spi, connection_with_the_last_and_the_first_one_works)
{
	struct psp_conn conn;

	ASSERT_EQ(0, psp_knob_set(&self->net.a, "next_spi", "%u", SPI_MAX));
	ASSERT_EQ(0, psp_conn_open(&conn, &self->net, PSP_IPV4));
	ASSERT_EQ(0, psp_conn_secure(&conn, VERSION));
	ASSERT_EQ(SPI_MAX, conn.a.rx.spi & SPI_MAX);
	EXPECT_EQ(0, psp_xfer_both(&conn, 20000, STALL_MS));
	ASSERT_EQ(0, psp_conn_rotate(&conn));
	if (psp_nl_rekeys(self->nl)) {
		ASSERT_EQ(0, psp_conn_rekey(&conn));
	} else {
		psp_conn_close(&conn);
		ASSERT_EQ(0, psp_conn_open(&conn, &self->net, PSP_IPV4));
		ASSERT_EQ(0, psp_conn_secure(&conn, VERSION));
	}
	ASSERT_EQ(1, conn.a.rx.spi & SPI_MAX);
	EXPECT_EQ(0, psp_xfer_both(&conn, 20000, STALL_MS));
	psp_conn_close(&conn);
}

TEST_F(spi, exhaustion_refuses_rx_assoc_and_changes_nothing)
{
	struct psp_end *a = &self->net.a;
	struct psp_stats before, after;
	struct psp_key key;
	uint32_t spi, next;
	char ulp[16];
	int fd;

	ASSERT_EQ(0, psp_knob_set(a, "spis_used", "%u", SPI_MAX - 1));
	ASSERT_EQ(0, spi_take(a, &spi));
	EXPECT_EQ(SPI_MAX, psp_gauge(a, "spis_used"));
	next = psp_gauge(a, "next_spi");
	ASSERT_EQ(0, psp_nl_stats(self->nl, self->id, &before));

	fd = psp_tcp_socket(a, PSP_IPV4);
	ASSERT_GE(fd, 0);
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, self->id, VERSION,
						 fd, &key), -ENOSPC, "", "");
	EXPECT_STRNE("", self->nl->ack.msg);
	EXPECT_EQ(next, psp_gauge(a, "next_spi"));
	EXPECT_EQ(SPI_MAX, psp_gauge(a, "spis_used"));
	EXPECT_EQ(0, psp_tcp_ulp(fd, ulp, sizeof(ulp)));
	EXPECT_STREQ("", ulp);
	ASSERT_EQ(0, psp_nl_stats(self->nl, self->id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));

	EXPECT_EQ(0, psp_xfer_both(&self->conn, 20000, STALL_MS));
	ASSERT_EQ(0, psp_nl_rotate(self->nl, self->id));
	EXPECT_EQ(0, psp_gauge(a, "spis_used"));
	EXPECT_EQ(0, psp_nl_rx_assoc(self->nl, self->id, VERSION, fd, &key));
	EXPECT_EQ(next, key.spi & SPI_MAX);
	EXPECT_EQ(0, psp_xfer_both(&self->conn, 20000, STALL_MS));
	close(fd);
}

TEST_F(spi, exhaustion_refuses_rx_rekey_and_the_old_key_keeps_working)
{
	struct psp_conn *conn = &self->conn;
	struct psp_key key;

	if (!psp_nl_rekeys(self->nl))
		SKIP(return, PSP_NO_REKEYING);
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_knob_set(&self->net.a, "spis_used", "%u", SPI_MAX));
	EXPECT_REFUSED(self->nl, psp_nl_rx_assoc(self->nl, self->id, VERSION,
						 conn->a.fd, &key), -ENOSPC,
		       "", "");
	EXPECT_STRNE("", self->nl->ack.msg);
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));

	/* The first key is stale now, the chain is what it was: it heals */
	ASSERT_EQ(0, psp_conn_rotate(conn));
	ASSERT_EQ(0, psp_conn_rekey(conn));
	EXPECT_EQ(0, psp_xfer_both(conn, 20000, STALL_MS));
}

TEST_F(spi, knobs_take_nothing_out_of_range)
{
	struct psp_end *a = &self->net.a;
	int64_t next = psp_gauge(a, "next_spi");

	EXPECT_EQ(-EINVAL, psp_knob_set(a, "next_spi", "0"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "next_spi", "0x80000000"));
	EXPECT_EQ(next, psp_gauge(a, "next_spi"));
	EXPECT_EQ(1, psp_gauge(a, "spis_used"));
	EXPECT_EQ(-EINVAL, psp_knob_set(a, "spis_used", "0x80000000"));
	EXPECT_EQ(1, psp_gauge(a, "spis_used"));
}

TEST_HARNESS_MAIN
