// SPDX-License-Identifier: GPL-2.0
/* pspctl: look at PSP devices and sockets, and set what can be set */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pspctl.h"

#define VERSION		"1.0"
#define NETNS_DIR	"/run/netns/"

struct ctl ctl;

static struct psp_ctx *kernel;

/* The first that begins with the word is meant */
static const struct object {
	const char *name;
	const struct command *commands;
} objects[] = {
	{ "dev", cmds_dev },
	{ "key", cmds_key },
	{ "stats", cmds_stats },
	{ "assoc", cmds_assoc },
	{ "monitor", cmds_monitor },
	{ "top", cmds_top },
};

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "color", optional_argument, NULL, 'c' },
	{ "netns", required_argument, NULL, 'n' },
	{ "interval", required_argument, NULL, 'i' },
	{ "help", no_argument, NULL, 'h' },
	{ "Version", no_argument, NULL, 'V' },
	{ }
};

struct psp_ctx *psp(void)
{
	int err;

	if (kernel)
		return kernel;
	err = psp_open(&kernel);
	if (err)
		exit(fail_text("%s", psp_strerror(err)));
	return kernel;
}

static void print_object(const struct object *object)
{
	const struct command *cmd;

	for (cmd = object->commands; cmd->name; cmd++)
		printf("  pspctl %s%s%s %s\n\t%s\n", object->name,
		       *cmd->name ? " " : "", cmd->name, cmd->usage, cmd->help);
}

static int print_help(void)
{
	unsigned int i;

	puts("Usage: pspctl [OPTION]... OBJECT [COMMAND] [ARGUMENT]...");
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		print_object(&objects[i]);
	puts("DEV: the number of a PSP device, or an interface that has one.\n"
	     "Options:\n"
	     "  -j, -json            JSON\n"
	     "  -p, -pretty          JSON that people can read\n"
	     "  -c, -color[=WHEN]    colours: always, auto, never\n"
	     "  -n, -netns NAME      in this network namespace\n"
	     "  -i, -interval SECONDS  stats: rates instead of counters; top\n"
	     "  -h, -help            this text\n"
	     "  -V, -Version         version");
	return CTL_OK;
}

static bool color_auto(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no) && term &&
	       strcmp(term, "dumb");
}

static bool color_parse(const char *when)
{
	if (!when || !strcmp(when, "always"))
		return true;
	if (!strcmp(when, "auto"))
		return color_auto();
	if (strcmp(when, "never"))
		usage_die("colours \"%s\"?", when);
	return false;
}

static int netns_enter(const char *name)
{
	char path[256];
	int fd, err = 0;

	if (strchr(name, '/') || snprintf(path, sizeof(path), NETNS_DIR "%s",
					  name) >= (int)sizeof(path))
		usage_die("\"%s\" is no name of a namespace", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err = errno;
	if (fd >= 0)
		close(fd);
	return err ? fail_text("namespace %s: %s", name, strerror(err)) :
		     CTL_OK;
}

/* Returns the name of a namespace to go to, or NULL; or does not return */
static const char *options_parse(int argc, char **argv)
{
	const char *netns = NULL;
	int opt;

	ctl.color = color_auto();
	while ((opt = getopt_long_only(argc, argv, "+jpc::n:i:hV", options,
				       NULL)) != -1) {
		switch (opt) {
		case 'p':
			ctl.pretty = true;
			ctl.json = true;
			break;
		case 'j':
			ctl.json = true;
			break;
		case 'c':
			ctl.color = color_parse(optarg);
			break;
		case 'n':
			netns = optarg;
			break;
		case 'i':
			ctl.interval = arg_seconds(optarg);
			break;
		case 'h':
			exit(print_help() || out_flush());
		case 'V':
			puts("pspctl " VERSION);
			exit(out_flush());
		default:
			exit(CTL_USAGE);
		}
	}
	return netns;
}

static const struct object *object_find(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(objects); i++)
		if (arg_is(word, objects[i].name))
			return &objects[i];
	usage_die("there is no object \"%s\"", word);
}

/* Without a word that says what to do, the first command, if it shows */
static const struct command *command_find(const struct object *object,
					  struct args *args)
{
	const struct command *first = object->commands, *cmd;

	if (!*first->name)
		return first;
	for (cmd = first; cmd->name; cmd++)
		if (arg_option(args, cmd->name))
			return cmd;
	if (!strcmp(first->name, "show"))
		return first;
	usage_die("%s: what to do with it is %s", object->name,
		  *args->word ? "not known" : "missing");
}

static int run(struct args *args)
{
	const struct object *object = object_find(arg_take(args));
	int status;

	if (arg_option(args, "help")) {
		print_object(object);
		return CTL_OK;
	}
	status = command_find(object, args)->run(args);
	dev_names_forget();
	psp_close(kernel);
	return status;
}

int main(int argc, char **argv)
{
	struct args args;
	const char *netns;
	int status;

	fds_init();
	netns = options_parse(argc, argv);
	args.word = argv + optind;
	if (!*args.word)
		usage_die("nothing to do");
	out_init();
	if (arg_is(*args.word, "help"))
		status = print_help();
	else if (netns && netns_enter(netns))
		status = CTL_FAILED;
	else
		status = run(&args);
	return out_flush() ? CTL_FAILED : status;
}
