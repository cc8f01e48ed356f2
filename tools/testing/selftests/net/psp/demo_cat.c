// SPDX-License-Identifier: GPL-2.0
/*
 * One end of the connection: a pspcat, which exchanges keys, encrypts by PSP
 * and rekeys by itself. What it reads and writes are pipes to here; what it
 * says is read as well.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

void demo_line(uint64_t n, char *line)
{
	static const char text[] =
		"line 00000000: this is " DEMO_SECRET ", as it should be.\n";
	int i;

	static_assert(sizeof(text) == DEMO_LINE + 1, "not a line");

	memcpy(line, text, DEMO_LINE);
	for (i = 12; i > 4; i--, n /= 10)
		line[i] = '0' + n % 10;
}

void demo_text(uint64_t pos, char *text, size_t len)
{
	size_t at;

	for (at = 0; at < len; at += DEMO_LINE)
		demo_line((pos + at) / DEMO_LINE, text + at);
}

/* In the child: what it has is three pipes, a namespace, and a program */
static void demo_cat_exec(const struct demo_cat *cat, int in, int out, int err,
			  char *const argv[])
{
	const char *tools = getenv("PSP_TOOLS");
	char path[512];

	snprintf(path, sizeof(path), "%s/pspcat", tools ? tools : ".");
	if (tools)
		setenv("LD_LIBRARY_PATH", tools, 1);
	if (psp_ns_enter(cat->end->ns) || dup2(in, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(127);
	execv(path, argv);
	perror(path);
	_exit(127);
}

int demo_cat_start(struct demo_cat *cat, struct psp_end *end, char name,
		   char *const argv[])
{
	int in[2], out[2], err[2];

	cat->end = end;
	cat->name = name;
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(err, O_CLOEXEC))
		return -errno;
	cat->pid = fork();
	if (cat->pid < 0)
		return -errno;
	if (!cat->pid)
		demo_cat_exec(cat, in[0], out[1], err[1], argv);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	cat->in = in[1];
	cat->out = out[0];
	cat->err = err[0];
	if (fcntl(cat->in, F_SETFL, O_NONBLOCK) ||
	    fcntl(cat->out, F_SETFL, O_NONBLOCK) ||
	    fcntl(cat->err, F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

void demo_cat_close(struct demo_cat *cat)
{
	if (cat->pid <= 0)
		return;
	if (!cat->ended) {
		kill(cat->pid, SIGKILL);
		waitpid(cat->pid, NULL, 0);
	}
	if (cat->in >= 0)
		close(cat->in);
	close(cat->out);
	close(cat->err);
}

void demo_cat_end(struct demo_cat *cat)
{
	close(cat->in);
	cat->in = -1;
}

/* What it says with -v */
static void demo_cat_hear(struct demo *demo, struct demo_cat *cat, char *line)
{
	if (strstr(line, "listening"))
		cat->listening = true;
	else if (strstr(line, "TLS 1.3"))
		snprintf(cat->tls, sizeof(cat->tls), "%s", line);
	else if (strstr(line, "PSP hdr0") && !cat->secure)
		cat->secure = true;
	else if (strstr(line, "new key: the other side uses it"))
		cat->rx_rekeys++;
	else if (strstr(line, "new key of the other side in use"))
		cat->tx_rekeys++;
	else if (!strstr(line, "bytes sent"))
		demo_fail(demo, "%c: %s", cat->name, line);
}

static bool demo_cat_lines(struct demo *demo, struct demo_cat *cat)
{
	size_t room = sizeof(cat->said) - 1 - cat->said_len;
	char *line = cat->said, *end;
	ssize_t n = read(cat->err, cat->said + cat->said_len, room);

	if (n <= 0)
		return false;
	cat->said_len += n;
	cat->said[cat->said_len] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		demo_cat_hear(demo, cat, line);
		line = end + 1;
	}
	cat->said_len = strlen(line);
	memmove(cat->said, line, cat->said_len);
	return true;
}

/* Lines of text, as long as the pipe takes them */
static bool demo_cat_feed(struct demo_cat *cat)
{
	char text[DEMO_TEXT];
	ssize_t n;

	if (!cat->texting)
		return false;
	demo_text(cat->sent - cat->sent % DEMO_LINE, text, sizeof(text));
	n = write(cat->in, text + cat->sent % DEMO_LINE,
		  sizeof(text) - cat->sent % DEMO_LINE);
	if (n > 0)
		cat->sent += n;
	return n > 0;
}

static bool demo_cat_check(struct demo *demo, struct demo_cat *cat)
{
	char got[DEMO_TEXT], want[DEMO_TEXT + DEMO_LINE];
	size_t skip = cat->good % DEMO_LINE;
	ssize_t n;

	n = read(cat->out, got, sizeof(got));
	if (n <= 0) {
		cat->eof |= !n;
		return false;
	}
	demo_text(cat->good - skip, want, sizeof(want));
	if (memcmp(got, want + skip, n))
		demo_fail(demo, "wrong text after byte %llu",
			  (unsigned long long)cat->good);
	else
		cat->good += n;
	return true;
}

static void demo_cat_reap(struct demo *demo, struct demo_cat *cat)
{
	int status;

	if (cat->ended || waitpid(cat->pid, &status, WNOHANG) != cat->pid)
		return;
	cat->ended = true;
	while (demo_cat_lines(demo, cat))
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		demo_fail(demo, "pspcat at %c has failed", cat->name);
}

bool demo_cat_step(struct demo *demo, struct demo_cat *cat)
{
	bool moved;

	if (cat->pid <= 0)
		return false;
	moved = demo_cat_lines(demo, cat);
	moved |= demo_cat_feed(cat);
	moved |= demo_cat_check(demo, cat);
	demo_cat_reap(demo, cat);
	return moved;
}

void demo_cat_look(struct demo_cat *cat)
{
	memset(&cat->sock, 0, sizeof(cat->sock));
	psp_nl_assoc_get(&cat->end->nl, cat->end->dev_id, 0, &cat->sock, 1);
}
