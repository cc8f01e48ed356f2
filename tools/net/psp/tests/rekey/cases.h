/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Cases that register themselves, and checks that end their case, however deep
 * in it: there are loops of many thousands.
 */
#ifndef CASES_H
#define CASES_H

#include <setjmp.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "../check.h"

extern jmp_buf cases_end;

void cases_add(const char *name, void (*run)(void));
noreturn void cases_fail(const char *file, int line, const char *what,
			 int64_t want, int64_t got);

#define TEST(test)							\
static void test##_case(void);						\
static void test##_run(void)						\
{									\
	if (!setjmp(cases_end))						\
		test##_case();						\
}									\
static void __attribute__((constructor)) test##_add(void)		\
{									\
	cases_add("rekey." #test, test##_run);				\
}									\
static void test##_case(void)

#define CHECK_OP(want, op, got)						\
do {									\
	int64_t want_ = (want), got_ = (got);				\
	if (!(want_ op got_))						\
		cases_fail(__FILE__, __LINE__, #want " " #op " " #got,	\
			   want_, got_);				\
} while (0)

#define CHECK_EQ(want, got)	CHECK_OP(want, ==, got)
#define CHECK_TRUE(cond)	CHECK_OP(true, ==, !!(cond))

#endif /* CASES_H */
