/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The header: since 6.5, drop when min > 6.4. Before, linux/netdevice.h
 * declared what is in it.
 */
#ifndef _COMPAT_NET_GSO_H
#define _COMPAT_NET_GSO_H

#include <generated/compat-probes.h>
#ifdef COMPAT_HAS_NET_GSO
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>
#endif

#endif /* _COMPAT_NET_GSO_H */
