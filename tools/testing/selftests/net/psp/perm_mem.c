// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: what a socket's keys take is charged to the memory cgroup of who asks
 * for them, and given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "psp_lib.h"
#include "watch.h"

#define CGROUPS		"/sys/fs/cgroup"
#define CGROUP		CGROUPS "/psp_mem"

/* Of a state and an association together: less than they take, more than what
 * the kernel keeps for itself to round up to pages
 */
#define MEM_STATE	400

FIXTURE(memory)
{
	struct psp_net net;
	struct psp_nl nl;	/* opened by a member of the cgroup */
	int fds[WATCH_MANY];
};

static int mem_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The process goes there alone; the rest of the suite stays where it is */
static int mem_enter(void)
{
	char pid[16];
	int err;

	err = mem_write(CGROUPS "/cgroup.subtree_control", "+memory");
	if (!err && mkdir(CGROUP, 0755))
		err = -errno;
	snprintf(pid, sizeof(pid), "%d", getpid());
	return err ? err : mem_write(CGROUP "/cgroup.procs", pid);
}

static void mem_leave(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	mem_write(CGROUPS "/suite/cgroup.procs", pid);
	rmdir(CGROUP);
}

/* Bytes of kernel objects that the cgroup is charged for */
static int64_t mem_slab(void)
{
	long long bytes = -ENODATA;
	char line[128];
	FILE *file;

	file = fopen(CGROUP "/memory.stat", "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "slab %lld", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

FIXTURE_SETUP(memory)
{
	int i;

	for (i = 0; i < WATCH_MANY; i++)
		self->fds[i] = -1;
	ASSERT_EQ(0, psp_net_open(&self->net));
	ASSERT_EQ(0, psp_ns_enter(self->net.a.ns));
	ASSERT_EQ(0, mem_enter());
	ASSERT_EQ(0, psp_nl_open(&self->nl));
}

FIXTURE_TEARDOWN(memory)
{
	watch_close(self->fds, WATCH_MANY);
	psp_nl_close(&self->nl);
	psp_net_close(&self->net);
	mem_leave();
}

/* The kernel brings the statistics up to date every two seconds. Returns the
 * last value seen, which is within the limits if any was.
 */
static int64_t mem_wait(int64_t min, int64_t max)
{
	uint64_t end = psp_now_ms() + psp_slow_ms(WATCH_MS);
	int64_t bytes;

	do {
		psp_nap();
		bytes = mem_slab();
	} while ((bytes < min || bytes > max) && psp_now_ms() < end);
	return bytes;
}

TEST_F(memory, of_keys_is_charged_to_the_caller)
{
	struct psp_end *a = &self->net.a;
	const int64_t want = WATCH_MANY * MEM_STATE;
	int64_t before, after;
	struct psp_key key;
	int i;

	for (i = 0; i < WATCH_MANY; i++) {
		self->fds[i] = psp_tcp_socket(a, PSP_IPV4);
		ASSERT_LE(0, self->fds[i]);
	}
	/* A TCP socket takes more than this */
	before = mem_wait(WATCH_MANY * 1024, INT64_MAX);
	ASSERT_LT(WATCH_MANY * 1024, before);
	for (i = 0; i < WATCH_MANY; i++)
		ASSERT_EQ(0, psp_nl_rx_assoc(&self->nl, a->dev_id,
					     WATCH_VERSION, self->fds[i],
					     &key));
	after = mem_wait(before + want, INT64_MAX);
	TH_LOG("%d bytes a socket", (int)((after - before) / WATCH_MANY));
	EXPECT_LE(before + want, after);

	/* With the sockets all of it goes: what they took, and their states */
	watch_close(self->fds, WATCH_MANY);
	for (i = 0; i < WATCH_MANY; i++)
		self->fds[i] = -1;
	EXPECT_GT(before, mem_wait(0, before - 1));
}

TEST_HARNESS_MAIN
