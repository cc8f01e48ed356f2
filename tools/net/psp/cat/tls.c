// SPDX-License-Identifier: GPL-2.0
/* TLS 1.3, and who the other side has to be */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pspcat.h"

/* Length and name: who speaks something else is found out in the handshake */
static const unsigned char tls_alpn[] = "\x08pspcat/1";
#define TLS_ALPN_LEN	(sizeof(tls_alpn) - 1)

/* The other side's alerts come as errors from here on */
static bool tls_is_alert(int reason)
{
	return reason >= SSL_AD_REASON_OFFSET &&
	       reason <= SSL_AD_REASON_OFFSET + 255;
}

static int tls_fail_reason(struct cat *cat, const char *what,
			   unsigned long err)
{
	int reason = ERR_GET_REASON(err);
	const char *text = ERR_reason_error_string(err);

	if (ERR_GET_LIB(err) == ERR_LIB_SSL && tls_is_alert(reason)) {
		reason -= SSL_AD_REASON_OFFSET;
		return cat_fail(cat, "%s: the other side refuses: %s", what,
				SSL_alert_desc_string_long(reason));
	}
	return cat_fail(cat, "%s: %s", what, text ? text : "failed");
}

int tls_fail(struct cat *cat, const char *what, int ret)
{
	SSL *ssl = cat->link.ssl;
	int sys = errno;	/* of the last system call */
	unsigned long err = ERR_peek_last_error();
	long verify = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;

	if (verify != X509_V_OK && *cat->who)
		return cat_fail(cat, "certificate of the other side: %s: it is "
				"for %s, not for %s",
				X509_verify_cert_error_string(verify), cat->who,
				cat->args.name);
	if (verify != X509_V_OK)
		return cat_fail(cat, "certificate of the other side: %s",
				X509_verify_cert_error_string(verify));
	if (ssl && ret && SSL_get_error(ssl, ret) == SSL_ERROR_SYSCALL && sys)
		return cat_fail(cat, "%s: %s", what, strerror(sys));
	if (!err || ERR_GET_REASON(err) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return cat_fail(cat, "%s: the other side has gone", what);
	return tls_fail_reason(cat, what, err);
}

static int tls_select(SSL *ssl, const unsigned char **out,
		      unsigned char *out_len, const unsigned char *in,
		      unsigned int in_len, void *arg)
{
	if (SSL_select_next_proto((unsigned char **)out, out_len, tls_alpn,
				  TLS_ALPN_LEN, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/* No tickets: nothing is to be resumed, and nothing comes unasked */
static bool tls_settle(SSL_CTX *ctx)
{
	SSL_CTX_set_read_ahead(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	/* A file with OpenSSL's configuration may have set them */
	SSL_CTX_clear_options(ctx, SSL_OP_ENABLE_KTLS |
			      SSL_OP_IGNORE_UNEXPECTED_EOF |
			      SSL_OP_ALLOW_NO_DHE_KEX);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
			      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_alpn_select_cb(ctx, tls_select, NULL);
	return SSL_CTX_set_num_tickets(ctx, 0) &&
	       SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
	       !SSL_CTX_set_alpn_protos(ctx, tls_alpn, TLS_ALPN_LEN);
}

/* The first error is the cause, the last one only that nothing was read */
static int tls_fail_file(struct cat *cat, const char *opt, const char *path)
{
	unsigned long err = ERR_peek_error();
	const char *text = ERR_SYSTEM_ERROR(err) ?
			   strerror(ERR_GET_REASON(err)) :
			   ERR_reason_error_string(err);

	return cat_fail(cat, "%s %s: %s", opt, path, text ? text : "failed");
}

/* stdin is data, and OpenSSL would ask there */
static int tls_passphrase(char *buf, int size, int writing, void *asked)
{
	if (asked)
		*(bool *)asked = true;
	return -1;
}

static int tls_load_key(struct cat *cat, SSL *proof)
{
	const char *path = cat->args.key;
	bool asked = false;
	int ok, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ok = psk_guarded(cat, path, fd);
		close(fd);
		if (ok)
			return -1;
	}
	SSL_set_default_passwd_cb_userdata(proof, &asked);
	ok = SSL_use_PrivateKey_file(proof, path, SSL_FILETYPE_PEM);
	SSL_set_default_passwd_cb_userdata(proof, NULL);
	if (ok == 1)
		return 0;
	if (asked)
		return cat_fail(cat, "--key %s: it is encrypted, and pspcat "
				"takes none that needs a passphrase", path);
	return tls_fail_file(cat, "--key", path);
}

/* After a failure nobody can ask any more who it was */
static int tls_verified(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
					SSL_get_ex_data_X509_STORE_CTX_idx());
	struct cat *cat = SSL_get_app_data(ssl);
	int err = X509_STORE_CTX_get_error(store);

	if (!ok && (err == X509_V_ERR_HOSTNAME_MISMATCH ||
		    err == X509_V_ERR_IP_ADDRESS_MISMATCH))
		name_of(X509_STORE_CTX_get0_cert(store), cat->who,
			sizeof(cat->who));
	return ok;
}

/* What is in the context stays as long as the session does: the key must not */
static int tls_load(struct cat *cat, SSL_CTX *ctx)
{
	const struct cat_args *args = &cat->args;
	SSL *proof;

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
				SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   tls_verified);
	proof = SSL_new(ctx);
	if (!proof)
		return tls_fail(cat, "TLS", 0);
	cat->proof = proof;
	SSL_set_default_passwd_cb(proof, tls_passphrase);
	if (SSL_use_certificate_chain_file(proof, args->cert) != 1)
		return tls_fail_file(cat, "--cert", args->cert);
	if (tls_load_key(cat, proof))
		return -1;
	if (SSL_CTX_load_verify_file(ctx, args->ca) != 1)
		return tls_fail_file(cat, "--ca", args->ca);
	return 0;
}

static bool tls_show_proof(SSL *ssl, SSL *proof)
{
	struct stack_st_X509 *chain;

	return SSL_get0_chain_certs(proof, &chain) == 1 &&
	       SSL_use_cert_and_key(ssl, SSL_get_certificate(proof),
				    SSL_get_privatekey(proof), chain, 1) == 1;
}

static SSL *tls_session(struct cat *cat)
{
	const struct cat_args *args = &cat->args;
	SSL *ssl = SSL_new(cat->ctx);

	if (!ssl)
		return NULL;
	if (SSL_set_fd(ssl, cat->link.fd) != 1 ||
	    SSL_set_app_data(ssl, cat) != 1 ||
	    (cat->proof && !tls_show_proof(ssl, cat->proof)) ||
	    (args->name && !name_expect(ssl, args->name))) {
		SSL_free(ssl);
		return NULL;
	}
	if (args->listen)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

/*
 * Not all of OpenSSL wipes what it frees: its decoders leave the bytes of a
 * private key behind.
 */
static void tls_free(void *mem, const char *file, int line)
{
	if (mem)
		OPENSSL_cleanse(mem, malloc_usable_size(mem));
	free(mem);
}

static void *tls_alloc(size_t size, const char *file, int line)
{
	return malloc(size);
}

static void *tls_realloc(void *mem, size_t size, const char *file, int line)
{
	size_t had = mem ? malloc_usable_size(mem) : 0;
	void *to = malloc(size);

	if (!to)
		return NULL;
	if (had)
		memcpy(to, mem, had < size ? had : size);
	tls_free(mem, file, line);
	return to;
}

/* What it takes: certificates or a key. Before there is a connection. */
int tls_open(struct cat *cat)
{
	CRYPTO_set_mem_functions(tls_alloc, tls_realloc, tls_free);
	ERR_clear_error();
	cat->ctx = SSL_CTX_new(TLS_method());
	if (!cat->ctx || !tls_settle(cat->ctx))
		return tls_fail(cat, "TLS", 0);
	return cat->args.psk ? psk_load(cat, cat->ctx) :
			       tls_load(cat, cat->ctx);
}

void tls_forget(struct cat *cat)
{
	SSL_free(cat->link.ssl);
	cat->link.ssl = NULL;
}

/* What we have proved who we are with: done once */
static void tls_wipe(struct cat *cat)
{
	if (cat->link.ssl)
		SSL_certs_clear(cat->link.ssl);
	SSL_free(cat->proof);
	cat->proof = NULL;
	psk_wipe(cat->link.ssl);
}

void tls_close(struct cat *cat)
{
	tls_wipe(cat);
	tls_forget(cat);
	SSL_CTX_free(cat->ctx);
	cat->ctx = NULL;
}

static void tls_name_peer(struct cat *cat)
{
	const char *name = SSL_get0_peername(cat->link.ssl);
	X509 *cert = SSL_get0_peer_certificate(cat->link.ssl);

	if (!cert)
		name = "the key that both know";
	else if (!name)
		name = cat->args.name;
	if (name)
		agree_text(cat->who, sizeof(cat->who), (const uint8_t *)name,
			   strlen(name));
	else
		name_of(cert, cat->who, sizeof(cat->who));
}

/* OpenSSL has verified; that it had something to verify is ours to see */
static int tls_check(struct cat *cat)
{
	SSL *ssl = cat->link.ssl;
	const unsigned char *alpn;
	unsigned int len;

	SSL_get0_alpn_selected(ssl, &alpn, &len);
	if (len != TLS_ALPN_LEN - 1 || memcmp(alpn, tls_alpn + 1, len))
		return cat_fail(cat, "the other side is no pspcat");
	if (cat->args.psk ? !SSL_session_reused(ssl) :
			    !SSL_get0_peer_certificate(ssl))
		return cat_fail(cat, "TLS: the other side has proved nothing");
	if (SSL_version(ssl) != TLS1_3_VERSION)
		return cat_fail(cat, "TLS: not version 1.3");
	tls_name_peer(cat);
	tls_wipe(cat);
	snprintf(cat->tls, sizeof(cat->tls), "%s", SSL_get_cipher_name(ssl));
	cat_say(cat, "TLS 1.3, %s, with %s at %s", cat->tls, cat->who,
		cat->from);
	return 1;
}

int tls_handshake(struct cat *cat, short *events)
{
	int ret, err;

	ERR_clear_error();
	if (!cat->link.ssl)
		cat->link.ssl = tls_session(cat);
	if (!cat->link.ssl)
		return tls_fail(cat, "TLS", 0);
	ret = SSL_do_handshake(cat->link.ssl);
	if (ret == 1)
		return tls_check(cat);
	err = SSL_get_error(cat->link.ssl, ret);
	if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE)
		return tls_fail(cat, "TLS handshake", ret);
	*events = err == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
	return 0;
}
