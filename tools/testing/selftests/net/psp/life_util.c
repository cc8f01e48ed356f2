// SPDX-License-Identifier: GPL-2.0
/* See life.h */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "life.h"

static void life_keys(struct policy *p, struct wire *wire)
{
	wire_key(wire, &p->conn.a.tx);
	wire_key(wire, &p->conn.b.tx);
}

int life_secure(struct policy *p, struct wire *wire)
{
	int err = policy_reach(p, POLICY_PSP_FULL);

	if (err)
		return err;
	wire_flush(wire);
	life_keys(p, wire);
	return 0;
}

int life_rekey(struct policy *p, struct wire *wire)
{
	int err = psp_conn_rotate(&p->conn);

	if (!err)
		err = psp_conn_rekey(&p->conn);
	life_keys(p, wire);
	return err;
}

int life_look(struct wire *wire, struct life_seen *seen)
{
	struct wire_seg seg;
	int ret;

	memset(seen, 0, sizeof(*seen));
	while ((ret = wire_next(wire, &seg, 0)) > 0) {
		if (!seg.psp) {
			seen->plain++;
			continue;
		}
		seen->psp[seg.from_a]++;
		seen->fin[seg.from_a] += !!(seg.flags & FORGE_FIN);
		seen->rst[seg.from_a] += !!(seg.flags & FORGE_RST);
	}
	return ret;
}

bool life_is_secured(struct policy *p, struct wire *wire)
{
	struct life_seen seen;

	return !life_look(wire, &seen) && !seen.plain && seen.psp[FROM_A] &&
	       seen.psp[FROM_B] && !policy_dropped_none(p);
}

int life_next(struct wire *wire, bool from_a, uint8_t flags,
	      struct wire_seg *seg)
{
	uint64_t end = psp_now_ms() + LIFE_MS;
	int ret;

	do {
		ret = wire_next(wire, seg, LIFE_MS);
		if (ret < 0)
			return ret;
		if (!ret || psp_now_ms() > end)
			return -ETIMEDOUT;
		if (!seg->psp)
			return -EPERM;
	} while (seg->from_a != from_a || (seg->flags & flags) != flags);
	return 0;
}

int64_t life_fill(int fd, uint32_t seed)
{
	uint8_t buf[4096];
	int64_t sent = 0;
	ssize_t n;

	for (;;) {
		psp_pattern(seed, sent, buf, sizeof(buf));
		n = send(fd, buf, sizeof(buf), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? sent : -errno;
		sent += n;
	}
}

int life_read(int fd, uint32_t seed, uint64_t len, bool eof)
{
	struct psp_xfer xfer = {
		.tx = -1, .rx = fd, .len = len, .sent = len, .seed = seed,
		.close = eof, .shut = eof,
	};

	return psp_xfer_run(&xfer, 1, LIFE_MS);
}

int life_wait_snmp(const struct psp_end *end, const char *name, int64_t since,
		   int64_t num)
{
	uint64_t deadline = psp_now_ms() + LIFE_MS;
	int64_t now;

	for (;;) {
		now = psp_snmp(end->ns, "TcpExt", name);
		if (now < 0)
			return now;
		if (now - since >= num)
			return 0;
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
}

int life_wait_drops(struct policy *p, const char *reason, int64_t num)
{
	uint64_t deadline = psp_now_ms() + LIFE_MS;

	while (policy_drop_count(p, reason) < num) {
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

int life_cut(struct psp_end *end, bool cut)
{
	return psp_wire_harm(end, "loss", cut ? 100 : 0);
}

void life_close(struct psp_side *side)
{
	close(side->fd);
	side->fd = -1;
}

int life_poll(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, LIFE_MS) > 0 ? 0 : -ETIMEDOUT;
}
