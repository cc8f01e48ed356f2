// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "module.h"

static int module_insert_file(const char *path)
{
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	return err;
}

static int module_probe(const char *name)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "modprobe %s", name);
	return system(cmd) ? -ENOENT : 0;
}

/* Other modules stand beside the core */
static const char *module_file(const char *name)
{
	const char *core = getenv("PSP_KO");
	static char path[512];

	if (!core || !strcmp(name, "psp"))
		return core;
	if (!strcmp(name, "psp_ref"))
		return getenv("PSP_REF_KO");
	snprintf(path, sizeof(path), "%.*s/%s.ko",
		 (int)(strrchr(core, '/') - core), core, name);
	return path;
}

int module_load(const char *name)
{
	const char *path = module_file(name);

	return path ? module_insert_file(path) : module_probe(name);
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int module_unload_wait(const char *name, int timeout_ms)
{
	uint64_t end = psp_now_ms() + timeout_ms;
	int err;

	for (;;) {
		err = module_unload(name);
		if (err != -EWOULDBLOCK || psp_now_ms() >= end)
			return err;
		psp_nap();
	}
}

bool module_is_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

/* With mainline's PSP there is a family without the module */
static bool module_is_needed(void)
{
	struct psp_nl nl;

	if (module_is_loaded("psp") || psp_nl_open(&nl))
		return !module_is_loaded("psp");
	psp_nl_close(&nl);
	return false;
}

int module_load_all(void)
{
	int err = 0;

	if (module_is_needed())
		err = module_load("psp");
	if (!err && !module_is_loaded("psp_ref"))
		err = module_load("psp_ref");
	return err;
}

/* Does a line of @path have @word in it? */
static bool module_grep(const char *path, const char *word)
{
	bool found = false;
	char line[512];
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, word);
	fclose(file);
	return found;
}

static bool module_reads(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool read;

	if (!file)
		return false;
	read = fgets(line, size, file);
	fclose(file);
	return read;
}

/*
 * A kernel thread, which has no command line. Workers that many share do bear
 * the name of what they did last.
 */
static bool module_is_thread(const char *pid)
{
	char path[300], line[64];

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	if (access(path, F_OK) || module_reads(path, line, sizeof(line)))
		return false;
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	return module_reads(path, line, sizeof(line)) &&
	       (!strncmp(line, "psp", 3) || strstr(line, "/R-psp"));
}

static bool module_has_thread(void)
{
	DIR *proc = opendir("/proc");
	bool found = false;
	struct dirent *de;

	if (!proc)
		return false;
	while (!found && (de = readdir(proc)))
		found = module_is_thread(de->d_name);
	closedir(proc);
	return found;
}

/* Kernels that cannot tell about hooks say nothing */
static bool module_has_hook(void)
{
	return !system("nft list hooks 2> /dev/null | grep -q psp");
}

static bool module_has_family(void)
{
	struct psp_nl nl;

	if (psp_nl_open(&nl))
		return false;
	psp_nl_close(&nl);
	return true;
}

const char *module_trace(void)
{
	if (module_is_loaded("psp"))
		return "/sys/module/psp";
	if (module_has_family())
		return "netlink family";
	if (!access("/sys/kernel/debug/psp", F_OK))
		return "/sys/kernel/debug/psp";
	if (!access("/sys/kernel/debug/psp_ref", F_OK))
		return "/sys/kernel/debug/psp_ref";
	if (!access("/sys/kernel/tracing/events/psp", F_OK))
		return "/sys/kernel/tracing/events/psp";
	if (module_grep("/proc/net/protocols", "PSP"))
		return "/proc/net/protocols";
	if (module_grep("/proc/kallsyms", "[psp"))
		return "/proc/kallsyms";
	if (module_has_thread())
		return "kernel thread";
	if (module_has_hook())
		return "netfilter hook";
	return "";
}

/* Objects of slabs that a CPU has set aside count as used: give them back */
static void module_slab_shrink(const char *cache)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		perror(path);
	close(fd);
}

int64_t module_slab_objects(const char *cache)
{
	char line[512], name[64];
	int64_t found = -ENOENT;
	long long active;
	FILE *file;

	module_slab_shrink(cache);
	file = fopen("/proc/slabinfo", "re");
	if (!file)
		return -errno;
	while (found < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %lld", name, &active) == 2 &&
		    !strcmp(name, cache))
			found = active;
	fclose(file);
	return found;
}
