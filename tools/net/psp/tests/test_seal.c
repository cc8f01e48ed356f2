// SPDX-License-Identifier: GPL-2.0
/* What pspcat derives from its TLS session: over what? */
#include <openssl/ssl.h>

#include "../cat/pspcat.h"
#include "check.h"

static uint8_t context[2 * HELLO_MAX + 64];
static size_t context_len;

/* The session's exporter, which keeps what it is given */
int SSL_export_keying_material(SSL *ssl, unsigned char *out, size_t out_len,
			       const char *label, size_t label_len,
			       const unsigned char *data, size_t len,
			       int use_context)
{
	CHECK(use_context && len <= sizeof(context));
	memcpy(context, data, len);
	context_len = len;
	memset(out, 0, out_len);
	return 1;
}

#define HELLO(text)	"\1\0\0\0" text

static void export(const char *client, size_t client_len, const char *server,
		   size_t server_len)
{
	struct side client_side = { }, server_side = { };
	struct seal tx, rx;

	CHECK(!agree_parse(&client_side, (const void *)client, client_len));
	CHECK(!agree_parse(&server_side, (const void *)server, server_len));
	CHECK(!seal_export(NULL, &tx, &rx, &client_side, &server_side));
}

#define EXPORT(client, server)						\
	export(client, sizeof(client) - 1, server, sizeof(server) - 1)

/* The text at its end is whatever the other side likes, be it a HELLO */
static void hellos_are_told_apart(void)
{
	uint8_t first[sizeof(context)];
	size_t first_len;

	EXPORT(HELLO("a") HELLO("b"), HELLO("c"));
	first_len = context_len;
	memcpy(first, context, first_len);
	EXPORT(HELLO("a"), HELLO("b") HELLO("c"));
	CHECK(context_len != first_len || memcmp(context, first, first_len));
}

/* As psp_pspcat.rst tells */
static void hellos_have_lengths(void)
{
	static const char want[] = "\0\5" HELLO("a") "\0\6" HELLO("bc");

	EXPORT(HELLO("a"), HELLO("bc"));
	CHECK(context_len == sizeof(want) - 1);
	CHECK(!memcmp(context, want, context_len));
}

static const struct check_case cases[] = {
	CASE(hellos_are_told_apart),
	CASE(hellos_have_lengths),
};

int main(void)
{
	return check_all(cases, ARRAY_SIZE(cases));
}
