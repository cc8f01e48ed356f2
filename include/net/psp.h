/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __NET_PSP_PSP_H
#define __NET_PSP_PSP_H

#include <net/psp/functions.h>
#include <net/psp/types.h>
#include <uapi/linux/psp.h>

#endif /* __NET_PSP_PSP_H */
