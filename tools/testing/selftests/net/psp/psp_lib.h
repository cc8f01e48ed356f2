/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that the PSP tests share:
 *   psp_nl.h	the netlink family, its errors and notifications
 *   psp_net.h	two namespaces with two cabled psp_ref ports
 *   psp_conn.h	TCP connections across the cable, association and rekeying
 *   psp_xfer.h	checked bulk data
 *   psp_wire.h	psp_ref's debugfs knobs and frames seen on the wire
 *   psp_tune.h	rings, channels, interrupts and offloads of a port
 *   psp_slow.h	less to do on slow kernels
 *
 * Functions return 0 or -errno unless stated otherwise, and never wait
 * without a deadline.
 */
#ifndef PSP_LIB_H
#define PSP_LIB_H

#include "psp_nl.h"
#include "psp_net.h"
#include "psp_conn.h"
#include "psp_xfer.h"
#include "psp_wire.h"
#include "psp_tune.h"
#include "psp_slow.h"

/*
 * A request that must fail with @error and name the attribute @bad_attr as
 * bad and @miss_attr as missing ("" for none). A refusal that is not plain
 * from its errno has to give a reason.
 */
#define EXPECT_REFUSED(nl, call, error, bad_attr, miss_attr)	\
do {								\
	const struct psp_ack *ack_ = &(nl)->ack;		\
								\
	EXPECT_EQ(error, (call));				\
	EXPECT_STREQ(bad_attr, ack_->bad);			\
	EXPECT_STREQ(miss_attr, ack_->miss);			\
	EXPECT_TRUE(psp_ack_has_reason(ack_));			\
} while (0)

/* Rekeying, its statistics and counted drops: mainline's PSP has none of it */
static inline bool psp_nl_rekeys(const struct psp_nl *nl)
{
	return psp_nl_has(nl, PSP_CMD_REKEY_STATS_GET);
}

/* Why a test that cannot do without is skipped */
#define PSP_NO_REKEYING	"mainline's PSP: no rekeying"

/*
 * The attribute that gets the blame when a tx-assoc does not fit the socket's
 * state: mainline's PSP names none there.
 */
static inline const char *psp_blame(const struct psp_nl *nl, const char *attr)
{
	return psp_nl_rekeys(nl) ? attr : "";
}

#define ATTR_BIT(name)		(1ULL << PSP_A_##name)

#endif /* PSP_LIB_H */
