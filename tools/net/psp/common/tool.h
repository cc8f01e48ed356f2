/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs, pspctl and pspcat, share */
#ifndef PSP_TOOL_H
#define PSP_TOOL_H

#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
/* For printf() */
#define ULL(val)	((unsigned long long)(val))

#define ATTRIBUTE(...)	__attribute__((__VA_ARGS__))

/*
 * What is opened later must not become stdout because that was closed. Writing
 * to one of these fails, as it should.
 */
void fds_init(void);

/* A string of JSON, whatever bytes it has: what is no UTF-8 is replaced */
void json_quote(FILE *to, const char *val);

#endif /* PSP_TOOL_H */
