// SPDX-License-Identifier: GPL-2.0
/* Namespaces, privileges, time: what a single test process can change */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "psp_net.h"

#define PSP_NS_SELF	"/proc/thread-self/ns/net"

int psp_ns_new(void)
{
	int home, ns = -1, err = 0;

	home = open(PSP_NS_SELF, O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	if (unshare(CLONE_NEWNET)) {
		err = -errno;
		goto out_close;
	}

	ns = open(PSP_NS_SELF, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		err = -errno;
	else
		psp_link_up(1, true);
	if (psp_ns_enter(home))
		err = -errno;
out_close:
	close(home);
	return err ? err : ns;
}

int psp_ns_enter(int ns)
{
	return setns(ns, CLONE_NEWNET) ? -errno : 0;
}

int psp_ns_socket(int ns, int family, int type, int protocol)
{
	int home, fd, err;

	home = open(PSP_NS_SELF, O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;

	err = psp_ns_enter(ns);
	if (err) {
		close(home);
		return err;
	}
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		fd = -errno;
	err = psp_ns_enter(home);
	close(home);
	return err ? err : fd;
}

int psp_sysctl(const char *path, const char *val)
{
	char name[256];
	int fd, err = 0;

	snprintf(name, sizeof(name), "/proc/sys/%s", path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, val, strlen(val)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int psp_sh(int ns, const char *fmt, ...)
{
	char cmd[1024];
	va_list args;
	int status;
	pid_t pid;

	va_start(args, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, args);
	va_end(args);

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		if (psp_ns_enter(ns))
			_exit(126);
		execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int psp_net_admin(bool on)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &hdr, data))
		return -errno;
	if (on)
		data[0].effective |= 1U << CAP_NET_ADMIN;
	else
		data[0].effective &= ~(1U << CAP_NET_ADMIN);
	return syscall(SYS_capset, &hdr, data) ? -errno : 0;
}

uint64_t psp_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void psp_nap(void)
{
	const struct timespec ts = { .tv_nsec = 2000000 };

	nanosleep(&ts, NULL);
}
