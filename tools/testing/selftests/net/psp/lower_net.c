// SPDX-License-Identifier: GPL-2.0
/* Two ends on a veth pair, a connection, and what is seen of it in between */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lower.h"
#include "seal.h"

#define LOWER_FLOW	50000	/* bytes each way between two rekeys */

int lower_open(struct lower *lower, enum psp_family family)
{
	int err;

	memset(lower, 0, sizeof(*lower));
	lower->tap.fd = -1;
	lower->conn.a.fd = -1;
	lower->conn.b.fd = -1;
	err = psp_net_open_lower(&lower->net);
	if (err)
		return err;
	err = psp_tap_open_on(&lower->tap, &lower->net.a, PSP_LOWER_A);
	if (!err)
		err = psp_conn_open(&lower->conn, &lower->net, family);
	if (err)
		lower_close(lower);
	return err;
}

void lower_close(struct lower *lower)
{
	psp_conn_close(&lower->conn);
	psp_tap_close(&lower->tap);
	psp_net_close(&lower->net);
}

static int lower_find_dev(struct psp_end *end)
{
	int err = psp_ns_enter(end->ns);

	if (err)
		return err;
	end->ifindex = if_nametoindex(end->ifname);
	end->dev_id = psp_dev_of(&end->nl, end->ifindex);
	return psp_nl_dev_set(&end->nl, end->dev_id, PSP_VERSIONS_ALL);
}

int lower_find_devs(struct lower *lower)
{
	int err = lower_find_dev(&lower->net.a);

	if (!err)
		err = lower_find_dev(&lower->net.b);
	return psp_ns_enter(lower->net.home) ?: err;
}

static void lower_know_keys(struct lower *lower)
{
	if (lower->keys + 2 > LOWER_KEYS)
		return;
	lower->key[lower->keys++] = lower->conn.a.rx;
	lower->key[lower->keys++] = lower->conn.b.rx;
}

int lower_secure(struct lower *lower, uint32_t version)
{
	int err;

	err = psp_conn_secure(&lower->conn, version);
	if (!err)
		err = psp_tcp_drain(lower->conn.a.fd, LOWER_MS);
	if (!err)
		err = psp_tcp_drain(lower->conn.b.fd, LOWER_MS);
	lower_know_keys(lower);
	lower_reset(lower);
	return err;
}

/* Where there is rekeying; else the flow goes on under the same keys */
static int lower_rekey(struct psp_conn *conn)
{
	int err;

	if (!psp_nl_rekeys(&conn->a.end->nl))
		return 0;
	err = psp_conn_rotate(conn);
	return err ? err : psp_conn_rekey(conn);
}

int lower_rekey_in_flow(struct lower *lower, int times)
{
	struct psp_conn *conn = &lower->conn;
	struct psp_xfer xfer[2];
	int err = 0;

	psp_flood_start(conn, xfer);
	while (!err && times--) {
		err = psp_flood_flow(xfer, LOWER_FLOW, LOWER_MS);
		if (!err)
			err = lower_rekey(conn);
		lower_know_keys(lower);
		lower_look(lower);
	}
	if (!err)
		err = psp_flood_flow(xfer, LOWER_FLOW, LOWER_MS);
	return err ? err : psp_flood_end(xfer, LOWER_MS);
}

static void lower_look_psp(struct lower *lower, const struct psp_frame *frame)
{
	static uint8_t plain[PSP_FRAME_MAX];
	int i;

	lower->count.psp++;
	for (i = 0; i < lower->keys; i++) {
		if (lower->key[i].spi == frame->spi &&
		    seal_open(&lower->key[i], frame, plain) > 0) {
			lower->count.opened++;
			break;
		}
	}
}

void lower_look(struct lower *lower)
{
	static struct psp_frame frame;

	while (psp_tap_next(&lower->tap, &frame, 0) > 0) {
		if (frame.psp)
			lower_look_psp(lower, &frame);
		else if (frame.proto == IPPROTO_TCP)
			lower->count.plain++;
		lower->count.big += frame.len > 1514;
	}
}

void lower_reset(struct lower *lower)
{
	psp_tap_flush(&lower->tap);
	memset(&lower->count, 0, sizeof(lower->count));
}

bool lower_is_private(struct lower *lower)
{
	const struct lower_count *count = &lower->count;

	lower_look(lower);
	if (count->psp && count->psp == count->opened && !count->plain)
		return true;
	ksft_print_msg("%d PSP packets, %d opened, %d plain segments\n",
		       count->psp, count->opened, count->plain);
	return false;
}

int lower_wait_link(int ns, const char *ifname, const char *text, bool want)
{
	uint64_t end = psp_now_ms() + LOWER_MS;
	bool found;

	do {
		found = !psp_sh(ns, "ip -d link show %s | grep -q -e '%s'",
				ifname, text);
		if (found == want)
			return 0;
		psp_nap();
	} while (psp_now_ms() < end);
	return -ETIMEDOUT;
}
