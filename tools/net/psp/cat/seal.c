// SPDX-License-Identifier: GPL-2.0
/*
 * What is derived from the TLS session, by its exporter: keys that seal each
 * later message with a PSP key, and what the first frame under PSP has to say.
 */
#include <openssl/evp.h>
#include <string.h>

#include "pspcat.h"

#define SEAL_NONCE_LEN	12
#define SEAL_LEN	2

static bool seal_derive(SSL *ssl, const char *label, const uint8_t *context,
			size_t len, uint8_t *out, size_t out_len)
{
	return SSL_export_keying_material(ssl, out, out_len, label,
					  strlen(label), context, len, 1) == 1;
}

/* Behind its length: a HELLO ends with text, which may look like another one */
static size_t seal_hello(uint8_t *to, const struct side *side)
{
	to[0] = side->hello_len >> 8;
	to[1] = side->hello_len;
	memcpy(to + SEAL_LEN, side->hello, side->hello_len);
	return SEAL_LEN + side->hello_len;
}

int seal_export(SSL *ssl, struct seal *client, struct seal *server,
		const struct side *client_side, const struct side *server_side)
{
	uint8_t context[2 * (SEAL_LEN + HELLO_MAX)];
	size_t len = seal_hello(context, client_side);

	len += seal_hello(context + len, server_side);
	client->count = 0;
	server->count = 0;
	if (seal_derive(ssl, "EXPERIMENTAL pspcat client key", context, len,
			client->key, SEAL_KEY_LEN) &&
	    seal_derive(ssl, "EXPERIMENTAL pspcat server key", context, len,
			server->key, SEAL_KEY_LEN) &&
	    seal_derive(ssl, "EXPERIMENTAL pspcat client bind", context, len,
			client->bind, BIND_LEN) &&
	    seal_derive(ssl, "EXPERIMENTAL pspcat server bind", context, len,
			server->bind, BIND_LEN))
		return 0;
	return -1;
}

/* The stream loses nothing and keeps the order: counting is enough */
static void seal_nonce(struct seal *seal, uint8_t *nonce)
{
	memset(nonce, 0, SEAL_NONCE_LEN);
	put_be64(nonce + SEAL_NONCE_LEN - 8, seal->count++);
}

int seal_put(struct seal *seal, const void *msg, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[SEAL_NONCE_LEN];
	int n, ok;

	seal_nonce(seal, nonce);
	ok = ctx &&
	     EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key,
				nonce) == 1 &&
	     EVP_EncryptUpdate(ctx, out, &n, msg, len) == 1 &&
	     EVP_EncryptFinal_ex(ctx, out + len, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN,
				 out + len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -1;
}

int seal_get(struct seal *seal, const uint8_t *in, size_t len, uint8_t *msg)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[SEAL_NONCE_LEN], tag[SEAL_TAG_LEN];
	int n, ok;

	seal_nonce(seal, nonce);
	memcpy(tag, in + len, sizeof(tag));
	ok = ctx &&
	     EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key,
				nonce) == 1 &&
	     EVP_DecryptUpdate(ctx, msg, &n, in, len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN,
				 tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, msg + len, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -1;
}
