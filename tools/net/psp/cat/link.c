// SPDX-License-Identifier: GPL-2.0
/*
 * The connection as a stream of bytes: under TLS, or as they are. OpenSSL is
 * told not to read ahead: it takes the header of a record from the socket, then
 * the record, and never a byte of what follows. So what comes behind the last
 * record is still in the socket when TLS is over.
 */
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#include "pspcat.h"

static int link_read_tls(struct cat *cat, uint8_t *to, size_t len)
{
	struct link *link = &cat->link;
	int n, err;

	ERR_clear_error();
	n = SSL_read(link->ssl, to, len);
	if (n > 0) {
		buf_grow(&link->in, n);
		return 1;
	}
	err = SSL_get_error(link->ssl, n);
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return 0;
	if (err == SSL_ERROR_ZERO_RETURN) {
		link->eof = true;
		return 1;
	}
	return tls_fail(cat, "TLS", n);
}

int link_read(struct cat *cat)
{
	struct link *link = &cat->link;
	size_t len = link->in.size - link->in.len;
	uint8_t *to = buf_room(&link->in, len);
	ssize_t n;

	if (link->ssl)
		return link_read_tls(cat, to, len);
	n = recv(link->fd, to, len, 0);
	if (n > 0)
		buf_grow(&link->in, n);
	else if (!n)
		link->eof = true;
	else if (errno == EAGAIN || errno == EINTR)
		return 0;
	else
		return cat_fail(cat, "connection: %s", strerror(errno));
	return 1;
}

/* A key of AES-GCM is good for some 2^38 bytes (RFC 8446, 5.5) */
uint64_t link_key_bytes = 16ULL << 30;

/* Behind a whole write: OpenSSL sends it ahead of the next one */
static int link_count_tls(struct cat *cat, int len)
{
	struct link *link = &cat->link;

	link->under_key += len;
	if (cat->phase != PHASE_DATA || link->under_key < link_key_bytes)
		return len;
	link->under_key = 0;
	if (SSL_key_update(link->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1)
		return tls_fail(cat, "TLS: new key", 0);
	cat_say(cat, "new TLS key");
	return len;
}

/* Returns bytes, 0 if it has to wait */
static int link_write_tls(struct cat *cat)
{
	struct link *link = &cat->link;
	int n, err;

	ERR_clear_error();
	n = SSL_write(link->ssl, buf_peek(&link->out), link->out.len);
	if (n > 0)
		return link_count_tls(cat, n);
	err = SSL_get_error(link->ssl, n);
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return 0;
	return tls_fail(cat, "TLS", n);
}

static int link_write(struct cat *cat)
{
	struct link *link = &cat->link;
	ssize_t n;

	if (link->ssl)
		return link_write_tls(cat);
	n = send(link->fd, buf_peek(&link->out), link->out.len, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return cat_fail(cat, "connection: %s", strerror(errno));
}

int link_flush(struct cat *cat)
{
	struct link *link = &cat->link;
	int n;

	link->blocked = false;
	while (link->out.len) {
		n = link_write(cat);
		if (n < 0)
			return -1;
		if (!n) {
			link->blocked = true;
			break;
		}
		buf_drop(&link->out, n);
	}
	return 0;
}

int link_end_tls(struct cat *cat)
{
	struct link *link = &cat->link;
	int ret, err;

	ERR_clear_error();
	ret = SSL_shutdown(link->ssl);
	if (ret >= 0)
		return 1;
	err = SSL_get_error(link->ssl, ret);
	if (err == SSL_ERROR_WANT_WRITE || err == SSL_ERROR_WANT_READ) {
		link->blocked = true;
		return 0;
	}
	return tls_fail(cat, "TLS", ret);
}

/*
 * Both ends of TLS have been said, so nothing else can have come; but what can
 * be looked at is looked at.
 */
int link_leave_tls(struct cat *cat)
{
	struct link *link = &cat->link;
	const int both = SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN;

	if (SSL_get_shutdown(link->ssl) != both ||
	    SSL_has_pending(link->ssl) || link->in.len || link->out.len)
		return cat_fail(cat, "something is left of TLS");
	SSL_free(link->ssl);
	link->ssl = NULL;
	link->eof = false;
	return 0;
}
