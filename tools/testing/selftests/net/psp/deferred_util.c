// SPDX-License-Identifier: GPL-2.0
/* What the tests of deferred deletion share */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deferred.h"

int64_t deferred_stat(struct psp_end *end, int which)
{
	struct psp_rekey_stats stats;
	int err = psp_nl_rekey_stats(&end->nl, end->dev_id, &stats);

	return err ? err : (int64_t)stats.val[which];
}

int deferred_wait(struct psp_end *end, int which, int64_t want)
{
	uint64_t deadline = psp_now_ms() + DEFERRED_STALL_MS;
	int64_t got;

	while ((got = deferred_stat(end, which)) != want) {
		if (got < 0)
			return got;
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

int deferred_stays(struct psp_end *end, int which, int64_t want)
{
	uint64_t deadline;
	int err;

	err = deferred_wait(end, which, want);
	if (err)
		return err;
	deadline = psp_now_ms() + DEFERRED_QUIET_MS;
	while (psp_now_ms() < deadline) {
		if (deferred_stat(end, which) != want)
			return -ERANGE;
		psp_nap();
	}
	return 0;
}

int deferred_handles(struct psp_end *end, uint32_t *handles)
{
	static char buf[DEFERRED_MAX_HANDLES * 16];
	char *line, *save;
	int n = 0, err;

	err = psp_knob_get(end, "tx_key_handles", buf, sizeof(buf));
	if (err)
		return err;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (n == DEFERRED_MAX_HANDLES)
			return -E2BIG;
		handles[n++] = strtoul(line, NULL, 16);
	}
	return n;
}

bool deferred_has_handle(struct psp_end *end, uint32_t handle)
{
	uint32_t handles[DEFERRED_MAX_HANDLES];
	int n = deferred_handles(end, handles);

	while (n-- > 0)
		if (handles[n] == handle)
			return true;
	return false;
}

int deferred_no_limits(struct psp_end *end)
{
	/* A sysfs that shows the end's namespace */
	return psp_sh(end->ns,
		      "unshare -m sh -c 'mount -t sysfs none /sys && "
		      "for q in /sys/class/net/%s/queues/tx-*; do "
		      "echo 1000000 > $q/byte_queue_limits/limit_min || exit 1;"
		      " done'", end->ifname) ? -EIO : 0;
}

int deferred_message(struct psp_conn *conn, struct psp_side *from)
{
	int fd = psp_conn_peer(conn, from)->fd;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char c = 'x';

	if (send(from->fd, &c, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	if (poll(&pfd, 1, DEFERRED_STALL_MS) != 1)
		return -ETIMEDOUT;
	if (recv(fd, &c, 1, 0) != 1)
		return -EIO;
	return psp_tcp_drain(from->fd, DEFERRED_STALL_MS);
}

int deferred_rekey(struct psp_conn *conn, struct psp_side *side, int n)
{
	int err = 0;

	while (!err && n--) {
		err = psp_conn_tx(conn, side);
		if (!err)
			err = deferred_message(conn, side);
	}
	return err;
}
