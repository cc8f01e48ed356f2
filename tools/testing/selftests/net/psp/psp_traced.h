/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_TRACED_H
#define PSP_TRACED_H

#include <stdbool.h>
#include <stdint.h>

/* Reasons of mainline's PSP */
#define PSP_TRACED_RX	"PSP_INPUT"
#define PSP_TRACED_TX	"PSP_OUTPUT"

/*
 * Packets that the kernel has dropped for @reason since this process asked for
 * the first time, or -errno.
 */
int64_t psp_traced(const char *reason);

#endif /* PSP_TRACED_H */
