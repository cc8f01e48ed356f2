/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A table of these goes to check_all() */
struct check_case {
	const char *name;
	void (*run)(void);
};

extern int check_failed;

#define CHECK(cond)							\
do {									\
	if (!(cond)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		check_failed = 1;					\
	}								\
} while (0)

#define CHECK_STR(want, got)	check_str(__FILE__, __LINE__, want, got)

/* What comes after would make no sense */
#define CHECK_OR_DIE(cond)						\
do {									\
	if (!(cond)) {							\
		printf("Bail out! %s:%d: %s\n", __FILE__, __LINE__,	\
		       #cond);						\
		exit(1);						\
	}								\
} while (0)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define CASE(name)	{ #name, name }

void check_str(const char *file, int line, const char *want,
	       const char *got);
/*
 * All bytes are 0; some bytes in a row are @byte. Also for buffers that may be
 * gone by now.
 */
bool check_wiped(const void *at, size_t len);
bool check_finds(const void *at, size_t len, unsigned char byte);

/* @many, but @few where it is slow, as under valgrind: with CHECK_QUICK */
unsigned int check_many(unsigned int many, unsigned int few);

int check_all(const struct check_case *cases, int num);

#endif /* CHECK_H */
