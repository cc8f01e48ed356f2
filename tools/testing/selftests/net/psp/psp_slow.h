/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernels on which all takes longer, by the runner's word: they get more time,
 * in $PSP_SLOW, and less to do, in $PSP_SCALE.
 */
#ifndef PSP_SLOW_H
#define PSP_SLOW_H

/*
 * How much to move or how often to repeat, where full size, @num, takes many
 * seconds. At least 1.
 */
unsigned int psp_scaled(unsigned int num);

/* How long to wait where @ms will do on a fast one */
unsigned int psp_slow_ms(unsigned int ms);

/* For the linker: see psp_slow.c */
unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

#endif /* PSP_SLOW_H */
