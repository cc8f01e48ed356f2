// SPDX-License-Identifier: GPL-2.0
/* What is said in the end, on stderr: stdout is the other side's */
#include <stdio.h>

#include "libpsp.h"
#include "pspcat.h"

static double report_seconds(const struct cat *cat)
{
	return cat->since ? (now_ms() - cat->since) / 1000.0 : 0;
}

static const char *report_mode(const struct cat *cat)
{
	return !cat->since ? "none" : cat->psp ? "psp" : "tls";
}

static void report_text(const struct cat *cat)
{
	const struct psp_rekey_counters *c = &cat->rekey.counters;

	fprintf(stderr, "pspcat: %llu bytes sent, %llu received, %.1f s, ",
		ULL(cat->pump.sent), ULL(cat->pump.received),
		report_seconds(cat));
	if (cat->since && cat->psp)
		fprintf(stderr,
			"PSP %s: rekeys rx %llu tx %llu, %llu rotations seen\n",
			psp_version_name(cat->rekey.version), ULL(c->rx_rekeys),
			ULL(c->tx_rekeys), ULL(c->rotations));
	else
		fprintf(stderr, "%s\n", cat->since ? "TLS, no PSP" :
			"no connection");
}

static void report_string(const char *name, const char *text)
{
	fprintf(stderr, ",\"%s\":", name);
	json_quote(stderr, text);
}

static void report_json(const struct cat *cat)
{
	const struct psp_rekey_counters *c = &cat->rekey.counters;

	fprintf(stderr, "{\"ok\":%s", *cat->error ? "false" : "true");
	report_string("mode", report_mode(cat));
	if (cat->psp)
		report_string("version", psp_version_name(cat->rekey.version));
	if (*cat->tls)
		report_string("tls", cat->tls);
	if (*cat->who)
		report_string("peer", cat->who);
	fprintf(stderr, ",\"sent\":%llu,\"received\":%llu,\"seconds\":%.3f",
		ULL(cat->pump.sent), ULL(cat->pump.received),
		report_seconds(cat));
	fprintf(stderr,
		",\"rx-rekeys\":%llu,\"tx-rekeys\":%llu,\"rotations\":%llu,",
		ULL(c->rx_rekeys), ULL(c->tx_rekeys), ULL(c->rotations));
	fprintf(stderr, "\"missed\":%llu,\"stuck\":%llu,\"recovered\":%llu,",
		ULL(c->missed), ULL(c->stuck), ULL(c->recovered));
	fprintf(stderr, "\"deferred\":%llu,\"refused\":%llu,"
		"\"kernel-errors\":%llu", ULL(c->deferred), ULL(c->refused),
		ULL(c->kernel_errors));
	if (*cat->error)
		report_string("error", cat->error);
	fputs("}\n", stderr);
}

void report(const struct cat *cat)
{
	if (cat->args.json) {
		report_json(cat);
		return;
	}
	if (*cat->error)
		fprintf(stderr, "pspcat: %s\n", cat->error);
	if (cat->args.report)
		report_text(cat);
}
