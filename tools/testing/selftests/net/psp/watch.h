/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_H
#define WATCH_H

#include "psp_lib.h"

#define WATCH_VERSION	PSP_VERSION_HDR0_AES_GCM_128
#define WATCH_MS	10000	/* deadline of what has to happen */
#define WATCH_MANY	300	/* more sockets than one buffer can tell */

/* Cookie of a socket, 0 on an error */
uint64_t watch_cookie(int fd);

/*
 * Sockets of @end that are not connected, each with an rx key of @dev_id: they
 * take a device nothing but an SPI
 */
int watch_sockets(struct psp_end *end, uint32_t dev_id, int *fds, int num);
void watch_close(int *fds, int num);

/*
 * Tracepoints of psp, from now on or no more; then how many lines there are of
 * an event ("psp_drop") that hold @text, or -errno; or wait for the first
 */
#define WATCH_TRACE	"/sys/kernel/tracing/trace"
int watch_trace(bool on);
int watch_traced(const char *event, const char *text);
int watch_wait_traced(const char *event, const char *text);

/*
 * Ask sock_diag for the connection of @fd, as `ss -ti` does. Fills @buf with
 * the answer; returns its length, or -errno. @dump: by a dump, not one socket.
 */
int watch_diag(int ns, int fd, bool dump, void *buf, size_t len);

/* PSP_INET_ULP_INFO in such an answer, or NULL */
const struct nlattr *watch_diag_psp(const void *buf, size_t len);

#endif /* WATCH_H */
