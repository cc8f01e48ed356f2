/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEFERRED_H
#define DEFERRED_H

#include "psp_lib.h"

#define DEFERRED_VERSION	PSP_VERSION_HDR0_AES_GCM_128
#define DEFERRED_STALL_MS	20000
/* Far longer than a key that nothing holds up needs to be deleted */
#define DEFERRED_QUIET_MS	500
#define DEFERRED_ALL_QUEUES	"0x3"	/* a port has two */
#define DEFERRED_MAX_HANDLES	256

/* A counter of rekey-stats-get, or -errno */
int64_t deferred_stat(struct psp_end *end, int which);

/* Poll until the counter has the value, and see that it keeps it */
int deferred_wait(struct psp_end *end, int which, int64_t want);
int deferred_stays(struct psp_end *end, int which, int64_t want);

/* Handles of the keys in the table of @end, in any order; their number */
int deferred_handles(struct psp_end *end, uint32_t *handles);
bool deferred_has_handle(struct psp_end *end, uint32_t handle);

/*
 * Keep byte queue limits out of the way of @end's queues, for tests in which
 * completions do not come; counts from a queue's next completion on
 */
int deferred_no_limits(struct psp_end *end);

/* One byte from @from to its peer, read there and acknowledged */
int deferred_message(struct psp_conn *conn, struct psp_side *from);

/*
 * @n tx rekeys of @side with the key that it has, each followed by a message:
 * while completions are held, each leaves a descriptor behind
 */
int deferred_rekey(struct psp_conn *conn, struct psp_side *side, int n);

#endif /* DEFERRED_H */
