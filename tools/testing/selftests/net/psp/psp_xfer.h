/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_XFER_H
#define PSP_XFER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "psp_conn.h"

/**
 * struct psp_xfer - bulk data in one direction of a connection
 * @tx: socket that sends
 * @rx: socket that receives
 * @len: bytes to send
 * @sent: bytes given to @tx
 * @rcvd: bytes received from @rx and found right
 * @seed: chooses the pattern
 * @close: half-close @tx behind the last byte; done only when @rx saw it
 * @shut: @tx is half-closed
 * @eof: @rx saw the end
 *
 * Byte N of the stream is a function of @seed and N, so a byte that is lost,
 * repeated or altered is noticed where it happens.
 */
struct psp_xfer {
	int tx;
	int rx;
	uint64_t len;
	uint64_t sent;
	uint64_t rcvd;
	uint32_t seed;
	bool close;
	bool shut;
	bool eof;
};

void psp_xfer_init(struct psp_xfer *xfer, struct psp_side *from,
		   struct psp_side *to, uint64_t len);

/* Fill @buf with the bytes of the pattern from @pos on */
void psp_pattern(uint32_t seed, uint64_t pos, void *buf, size_t len);

bool psp_xfer_done(const struct psp_xfer *xfer, int n);

/*
 * Send and receive what can be sent and received now, waiting up to
 * @timeout_ms for the first chance. -EILSEQ: wrong data; -ETIMEDOUT: nothing
 * moved; -EPIPE: end of stream too early; or what the socket said.
 */
int psp_xfer_step(struct psp_xfer *xfer, int n, int timeout_ms);

/* Step until done; -ETIMEDOUT if nothing moves for @stall_ms */
int psp_xfer_run(struct psp_xfer *xfer, int n, int stall_ms);

/* Step until @xfer has received @pos bytes */
int psp_xfer_until(struct psp_xfer *xfer, int n, uint64_t pos, int stall_ms);

/* Send @len bytes of pattern one way, and check them */
int psp_xfer_one(struct psp_side *from, struct psp_side *to, uint64_t len,
		 int stall_ms);

/* The same both ways at once */
int psp_xfer_both(struct psp_conn *conn, uint64_t len, int stall_ms);

/*
 * A flood: bulk data both ways, in two &struct psp_xfer, for as long as the
 * test likes. Flow lets at least @bytes more arrive in each direction; at the
 * end all that was sent has to arrive.
 */
void psp_flood_start(struct psp_conn *conn, struct psp_xfer *xfer);
int psp_flood_flow(struct psp_xfer *xfer, uint64_t bytes, int stall_ms);
int psp_flood_end(struct psp_xfer *xfer, int stall_ms);

#endif /* PSP_XFER_H */
