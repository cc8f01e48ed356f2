/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_ACK_H
#define PSP_ACK_H

#include "psp_nl.h"

/* Fill in @ack from @nlh, the answer (NLMSG_ERROR or _DONE) to @req */
void psp_ack_parse(struct psp_ack *ack, const struct nlmsghdr *nlh,
		   const void *req);

#endif /* PSP_ACK_H */
