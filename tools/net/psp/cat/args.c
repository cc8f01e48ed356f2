// SPDX-License-Identifier: GPL-2.0
/* The command line. Nothing secret is on it: others can read it. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "libpsp.h"
#include "pspcat.h"

#define VERSION		"1.0"
#define ARGS_TIMEOUT	30

/* They encrypt */
#define ARGS_BIT(version)	(1U << (version))
#define ARGS_GCM	(ARGS_BIT(PSP_AES_GCM_128) | ARGS_BIT(PSP_AES_GCM_256))

enum {
	OPT_CERT = 256,
	OPT_KEY,
	OPT_CA,
	OPT_NAME,
	OPT_ANY_NAME,
	OPT_PSK,
	OPT_FALLBACK,
	OPT_VERSIONS,
	OPT_UNENCRYPTED,
};

static const struct option options[] = {
	{ "listen", no_argument, NULL, 'l' },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "any-name", no_argument, NULL, OPT_ANY_NAME },
	{ "psk-file", required_argument, NULL, OPT_PSK },
	{ "fallback", required_argument, NULL, OPT_FALLBACK },
	{ "psp-versions", required_argument, NULL, OPT_VERSIONS },
	{ "unencrypted", no_argument, NULL, OPT_UNENCRYPTED },
	{ "timeout", required_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "report", no_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

static const char help[] =
	"Usage: pspcat [OPTION]... HOST PORT\n"
	"       pspcat -l [OPTION]... [HOST] PORT\n"
	"stdin goes to the other side, what comes from there to stdout: keys by\n"
	"TLS 1.3, data under PSP.\n"
	"  -l, --listen           wait for the other side\n"
	"  -4, -6                 IPv4, IPv6 only\n"
	"      --cert FILE        our certificate, --key FILE its key\n"
	"      --ca FILE          who may vouch for the other side\n"
	"      --name NAME        what its certificate must be for (HOST)\n"
	"      --any-name         with -l: for anybody whom --ca vouches for\n"
	"      --psk-file FILE    IDENTITY:KEY that both know, instead\n"
	"      --fallback=HOW     where there is no PSP: refuse (default), or\n"
	"                         tls: go on under TLS, if both say so\n"
	"      --psp-versions LIST  that may be used (aes-gcm-128,aes-gcm-256)\n"
	"      --unencrypted      LIST may have versions that encrypt nothing\n"
	"  -t, --timeout SECONDS  how long the other side may take (30)\n"
	"  -v, --verbose          say what happens; and as with -r\n"
	"  -r, --report           say in the end what was done, on stderr\n"
	"  -j, --json             the same as JSON\n"
	"  -h, --help, -V, --version\n";

ATTRIBUTE(noreturn, format(printf, 1, 2))
static void usage_die(const char *fmt, ...)
{
	va_list args;

	fputs("pspcat: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("; see pspcat --help\n", stderr);
	exit(CAT_USAGE);
}

ATTRIBUTE(noreturn)
static void args_print(const char *text)
{
	fputs(text, stdout);
	exit(fflush(stdout) || ferror(stdout) ? CAT_FAILED : CAT_OK);
}

static uint32_t args_versions(char *list)
{
	uint32_t mask = 0;
	char *name;
	int version;

	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		version = psp_version_parse(name);
		if (version < 0)
			usage_die("there is no PSP version \"%s\"", name);
		mask |= ARGS_BIT(version);
	}
	if (!mask)
		usage_die("--psp-versions names none");
	return mask;
}

static unsigned int args_seconds(const char *word)
{
	char *end;
	long val;

	errno = 0;
	val = strtol(word, &end, 10);
	if (errno || end == word || *end || val < 1 || val > 3600)
		usage_die("\"%s\" is no number of seconds from 1 to 3600",
			  word);
	return val;
}

/* getaddrinfo() would take the lower 16 bits of it */
static bool args_is_large(const char *port)
{
	char *end;
	unsigned long val = strtoul(port, &end, 10);

	return end != port && !*end && val > 65535;
}

static bool args_fallback(const char *word)
{
	if (strcmp(word, "tls") && strcmp(word, "refuse"))
		usage_die("--fallback is tls or refuse, not \"%s\"", word);
	return !strcmp(word, "tls");
}

struct args_flags {
	bool any_name;
	bool unencrypted;
};

static void args_long(struct cat_args *args, struct args_flags *flags, int opt)
{
	switch (opt) {
	case OPT_CERT:
		args->cert = optarg;
		break;
	case OPT_KEY:
		args->key = optarg;
		break;
	case OPT_CA:
		args->ca = optarg;
		break;
	case OPT_NAME:
		args->name = optarg;
		break;
	case OPT_ANY_NAME:
		flags->any_name = true;
		break;
	case OPT_PSK:
		args->psk = optarg;
		break;
	case OPT_FALLBACK:
		args->fallback = args_fallback(optarg);
		break;
	case OPT_VERSIONS:
		args->versions = args_versions(optarg);
		break;
	case OPT_UNENCRYPTED:
		flags->unencrypted = true;
		break;
	default:
		fputs("pspcat: see pspcat --help\n", stderr);
		exit(CAT_USAGE);
	}
}

static void args_options(struct cat_args *args, struct args_flags *flags,
			 int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "l46t:vrjhV", options,
				  NULL)) != -1) {
		switch (opt) {
		case 'l':
			args->listen = true;
			break;
		case '4':
			args->family = AF_INET;
			break;
		case '6':
			args->family = AF_INET6;
			break;
		case 't':
			args->timeout = args_seconds(optarg);
			break;
		case 'v':
			args->verbose = true;
			args->report = true;
			break;
		case 'r':
			args->report = true;
			break;
		case 'j':
			args->json = true;
			break;
		case 'h':
			args_print(help);
		case 'V':
			args_print("pspcat " VERSION "\n");
		default:
			args_long(args, flags, opt);
		}
	}
}

/* One way to prove who both are, and one only */
static void args_check_proof(struct cat_args *args, bool any_name)
{
	if (args->psk) {
		if (args->cert || args->key || args->ca || args->name ||
		    any_name)
			usage_die("either certificates or --psk-file");
		return;
	}
	if (!args->cert || !args->key || !args->ca)
		usage_die("--cert, --key and --ca are needed, or --psk-file");
	if (any_name && (args->name || !args->listen))
		usage_die("--any-name goes with -l, and without --name");
	if (args->listen && !args->name && !any_name)
		usage_die("who may come? --name or --any-name");
	if (!args->name && !args->listen)
		args->name = args->host;
	/* To OpenSSL these are: nobody is looked for, and anybody below */
	if (args->name && (!*args->name || *args->name == '.'))
		usage_die("\"%s\" is no name to look for", args->name);
}

void args_parse(struct cat_args *args, int argc, char **argv)
{
	struct args_flags flags = { };
	int num;

	args->family = AF_UNSPEC;
	args->versions = ARGS_GCM;
	args->timeout = ARGS_TIMEOUT;
	args_options(args, &flags, argc, argv);
	if (args->versions & ~ARGS_GCM && !flags.unencrypted)
		usage_die("AES-GMAC encrypts nothing, all can read the data: "
			  "if that is meant, say --unencrypted");
	num = argc - optind;
	if (num < (args->listen ? 1 : 2) || num > 2)
		usage_die(args->listen ? "[HOST] PORT is needed" :
					 "HOST PORT is needed");
	args->host = num == 2 ? argv[optind] : NULL;
	args->port = argv[argc - 1];
	if (args_is_large(args->port))
		usage_die("port %s: there are 65535", args->port);
	if (args->host && !*args->host)
		usage_die("HOST is empty");
	args_check_proof(args, flags.any_name);
}
