// SPDX-License-Identifier: GPL-2.0
/* What TCP tells about a socket, and the counters of a namespace */
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "psp_conn.h"

int psp_tcp_info(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) ? -errno : 0;
}

int psp_tcp_mss(int fd)
{
	socklen_t len = sizeof(int);
	int mss;

	if (getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len))
		return -errno;
	return mss;
}

int psp_tcp_unacked(int fd)
{
	struct tcp_info info;
	int err = psp_tcp_info(fd, &info);

	return err ? err : (int)info.tcpi_unacked;
}

int psp_tcp_retrans(int fd)
{
	struct tcp_info info;
	int err = psp_tcp_info(fd, &info);

	return err ? err : (int)info.tcpi_total_retrans;
}

static int psp_tcp_ioctl(int fd, unsigned long cmd)
{
	int val;

	return ioctl(fd, cmd, &val) ? -errno : val;
}

int psp_tcp_inq(int fd)
{
	return psp_tcp_ioctl(fd, SIOCINQ);
}

int psp_tcp_outq(int fd)
{
	return psp_tcp_ioctl(fd, SIOCOUTQ);
}

int psp_tcp_wmem(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len))
		return -errno;
	return mem[SK_MEMINFO_WMEM_ALLOC];
}

int psp_tcp_ulp(int fd, char *name, socklen_t len)
{
	memset(name, 0, len);
	return getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) ? -errno : 0;
}

int psp_tcp_drain(int fd, int timeout_ms)
{
	uint64_t end = psp_now_ms() + timeout_ms;
	int left;

	for (;;) {
		left = psp_tcp_outq(fd);
		if (left <= 0)
			return left;
		if (psp_now_ms() >= end)
			return -ETIMEDOUT;
		psp_nap();
	}
}

/* The value in line @vals that stands below @name in line @names */
static int64_t psp_snmp_pick(char *names, char *vals, const char *name)
{
	char *nsave, *vsave, *n, *v;

	n = strtok_r(names, "\n ", &nsave);
	v = strtok_r(vals, "\n ", &vsave);
	while (n && v) {
		if (!strcmp(n, name))
			return strtoll(v, NULL, 10);
		n = strtok_r(NULL, "\n ", &nsave);
		v = strtok_r(NULL, "\n ", &vsave);
	}
	return -ENOENT;
}

static int64_t psp_snmp_file(const char *path, const char *group,
			     const char *name)
{
	static char names[8192], vals[8192];
	int64_t val = -ENOENT;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (val < 0 && fgets(names, sizeof(names), file) &&
	       fgets(vals, sizeof(vals), file)) {
		if (strncmp(names, group, strlen(group)) ||
		    names[strlen(group)] != ':')
			continue;
		val = psp_snmp_pick(names, vals, name);
	}
	fclose(file);
	return val;
}

int64_t psp_snmp(int ns, const char *group, const char *name)
{
	int64_t val;
	int home;

	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	val = psp_ns_enter(ns);
	if (!val)
		val = psp_snmp_file("/proc/thread-self/net/netstat", group,
				    name);
	if (val == -ENOENT)
		val = psp_snmp_file("/proc/thread-self/net/snmp", group, name);
	psp_ns_enter(home);
	close(home);
	return val;
}
