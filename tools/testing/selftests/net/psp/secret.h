/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "psp_nl.h"

#define SECRET_MAX	16

/**
 * struct secret - keys that must not be found, and where they were looked for
 * @keys: the keys
 * @num: their number
 * @bytes: searched so far
 * @found: pieces of keys found so far
 */
struct secret {
	struct psp_key keys[SECRET_MAX];
	int num;
	uint64_t bytes;
	int found;
};

void secret_add(struct secret *secret, const struct psp_key *key);

/* Search; returns the number of keys that the bytes give away */
int secret_search(struct secret *secret, const char *where, const void *data,
		  size_t len);

/* Search a file, or all files below a folder; 0 or -errno */
int secret_search_file(struct secret *secret, const char *path);
int secret_search_tree(struct secret *secret, const char *path);

#endif /* SECRET_H */
