// SPDX-License-Identifier: GPL-2.0
/*
 * Search for key bytes: as they are; as hexadecimal digits, whatever stands
 * between them; and as hexadecimal words of either byte order.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"

/* A piece of a key that nothing else has by chance */
#define SECRET_PIECE	8
#define SECRET_FILE_MAX	(4 << 20)

static struct secret *secret_tree;	/* nftw() has no argument for it */

void secret_add(struct secret *secret, const struct psp_key *key)
{
	if (secret->num < SECRET_MAX)
		secret->keys[secret->num++] = *key;
}

/* The digits of a piece, its bytes in groups of @word turned around */
static void secret_hex(const uint8_t *piece, int word, char *hex)
{
	int i;

	for (i = 0; i < SECRET_PIECE; i++)
		sprintf(hex + 2 * i, "%02x",
			piece[i - i % word + word - 1 - i % word]);
}

static bool secret_has_digits(const char *digits, const uint8_t *piece)
{
	char hex[2 * SECRET_PIECE + 1];
	int word;

	for (word = 1; word <= SECRET_PIECE; word *= 2) {
		secret_hex(piece, word, hex);
		if (strstr(digits, hex))
			return true;
	}
	return false;
}

static bool secret_has_key(const struct psp_key *key, const void *data,
			   size_t len, const char *digits)
{
	int i;

	for (i = 0; i + SECRET_PIECE <= key->len; i += SECRET_PIECE)
		if (memmem(data, len, key->key + i, SECRET_PIECE) ||
		    secret_has_digits(digits, key->key + i))
			return true;
	return false;
}

/* Only the hexadecimal digits of a text, as small letters; "0x" is none */
static char *secret_digits(const char *data, size_t len)
{
	char *digits = malloc(len + 1);
	size_t i, n = 0;

	for (i = 0; digits && i < len; i++) {
		if (data[i] == '0' && i + 1 < len && data[i + 1] == 'x')
			continue;
		if (isxdigit((unsigned char)data[i]))
			digits[n++] = tolower((unsigned char)data[i]);
	}
	if (digits)
		digits[n] = 0;
	return digits;
}

int secret_search(struct secret *secret, const char *where, const void *data,
		  size_t len)
{
	char *digits = secret_digits(data, len);
	int i, found = 0;

	if (!digits)
		return -ENOMEM;
	for (i = 0; i < secret->num; i++) {
		if (!secret_has_key(&secret->keys[i], data, len, digits))
			continue;
		printf("# key %d stands in %s\n", i, where);
		found++;
	}
	free(digits);
	secret->bytes += len;
	secret->found += found;
	return found;
}

/* A file of debugfs may be write-only, or have nothing to say for now */
int secret_search_file(struct secret *secret, const char *path)
{
	char *data = malloc(SECRET_FILE_MAX);
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !data) {
		free(data);
		return fd < 0 ? -errno : -ENOMEM;
	}
	while (len < SECRET_FILE_MAX &&
	       (n = read(fd, data + len, SECRET_FILE_MAX - len)) > 0)
		len += n;
	secret_search(secret, path, data, len);
	close(fd);
	free(data);
	return 0;
}

static int secret_visit(const char *path, const struct stat *stat, int type,
			struct FTW *ftw)
{
	if (type == FTW_F && stat->st_mode & 0444)
		secret_search_file(secret_tree, path);
	return 0;
}

int secret_search_tree(struct secret *secret, const char *path)
{
	secret_tree = secret;
	return nftw(path, secret_visit, 8, FTW_PHYS) ? -errno : 0;
}
