// SPDX-License-Identifier: GPL-2.0
/*
 * A key that both sides know beforehand, from a file: one line, "IDENTITY:KEY",
 * the key in hexadecimal. TLS 1.3 mixes it with a fresh key exchange.
 */
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pspcat.h"

#define PSK_LINE_MAX	512
#define PSK_KEY_MIN	16
#define PSK_KEY_MAX	64
#define PSK_SUITE	"TLS_AES_128_GCM_SHA256"

/* OpenSSL's callbacks know nothing but the session */
static struct {
	char name[PSK_LINE_MAX];
	uint8_t key[PSK_KEY_MAX];
	size_t len;
} psk;

/* The session has one more copy, as its "master key" */
void psk_wipe(SSL *ssl)
{
	static const uint8_t zero[PSK_KEY_MAX];
	SSL_SESSION *session = ssl ? SSL_get_session(ssl) : NULL;

	if (psk.len && session)
		SSL_SESSION_set1_master_key(session, zero, psk.len);
	OPENSSL_cleanse(&psk, sizeof(psk));
}

static int psk_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= ' ';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool psk_hex(const char *text, size_t len)
{
	size_t i;
	int high, low;

	if (len % 2 || len / 2 > sizeof(psk.key) || len / 2 < PSK_KEY_MIN)
		return false;
	for (i = 0; i < len / 2; i++) {
		high = psk_digit(text[2 * i]);
		low = psk_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		psk.key[i] = high << 4 | low;
	}
	psk.len = len / 2;
	return true;
}

static bool psk_parse(char *line)
{
	char *colon = strrchr(line, ':');

	line[strcspn(line, "\r\n")] = '\0';
	if (!colon || colon == line || colon - line > 128)
		return false;
	*colon++ = '\0';
	memcpy(psk.name, line, colon - line);
	return psk_hex(colon, strlen(colon));
}

/* As PostgreSQL has it: root can let a group read it, as Debian's ssl-cert */
int psk_guarded(struct cat *cat, const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return cat_fail(cat, "%s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode) && st.st_mode & (st.st_uid ? 077 : 037))
		return cat_fail(cat, "%s: others than its owner may read or "
				"change it (chmod 600)", path);
	if (st.st_uid && st.st_uid != geteuid())
		return cat_fail(cat, "%s: it belongs to somebody else", path);
	return 0;
}

static int psk_take_line(struct cat *cat, FILE *file)
{
	const char *path = cat->args.psk;
	char line[PSK_LINE_MAX];
	bool ok;

	ok = fgets(line, sizeof(line), file) && psk_parse(line);
	OPENSSL_cleanse(line, sizeof(line));
	if (ok)
		return 0;
	if (ferror(file))
		return cat_fail(cat, "%s: %s", path, strerror(errno));
	return cat_fail(cat, "%s: no line IDENTITY:KEY, with at least %d bytes "
			"in hexadecimal", path, PSK_KEY_MIN);
}

/* Unbuffered, so that no copy stays in stdio */
static int psk_read(struct cat *cat)
{
	FILE *file = fopen(cat->args.psk, "re");
	int ret;

	if (!file)
		return cat_fail(cat, "%s: %s", cat->args.psk, strerror(errno));
	setvbuf(file, NULL, _IONBF, 0);
	ret = psk_guarded(cat, cat->args.psk, fileno(file));
	if (!ret)
		ret = psk_take_line(cat, file);
	fclose(file);
	return ret;
}

/* TLS_AES_128_GCM_SHA256, as it is called on the wire */
static SSL_SESSION *psk_session(SSL *ssl)
{
	static const unsigned char suite[] = { 0x13, 0x01 };
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
	SSL_SESSION *session = SSL_SESSION_new();

	if (session && cipher &&
	    SSL_SESSION_set1_master_key(session, psk.key, psk.len) &&
	    SSL_SESSION_set_cipher(session, cipher) &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION))
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

static int psk_use(SSL *ssl, const EVP_MD *md, const unsigned char **id,
		   size_t *len, SSL_SESSION **session)
{
	*session = NULL;
	*id = NULL;
	*len = 0;
	if (md && EVP_MD_get_type(md) != NID_sha256)
		return 1;
	*session = psk_session(ssl);
	if (!*session)
		return 0;
	*id = (const unsigned char *)psk.name;
	*len = strlen(psk.name);
	return 1;
}

static int psk_find(SSL *ssl, const unsigned char *id, size_t len,
		    SSL_SESSION **session)
{
	*session = NULL;
	if (len != strlen(psk.name) || memcmp(id, psk.name, len))
		return 1;
	*session = psk_session(ssl);
	return !!*session;
}

int psk_load(struct cat *cat, SSL_CTX *ctx)
{
	if (psk_read(cat))
		return -1;
	/* A server that has no certificate asks for none */
	SSL_CTX_set_verify(ctx, cat->args.listen ? SSL_VERIFY_NONE :
						   SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_psk_use_session_callback(ctx, psk_use);
	SSL_CTX_set_psk_find_session_callback(ctx, psk_find);
	if (!SSL_CTX_set_ciphersuites(ctx, PSK_SUITE))
		return tls_fail(cat, "TLS", 0);
	return 0;
}
