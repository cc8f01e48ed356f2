/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MODULE_IMPORT_NS() of a string: since 6.13, drop when min > 6.12. Before, it
 * made a string of the name.
 */
#ifndef _COMPAT_LINUX_MODULE_H
#define _COMPAT_LINUX_MODULE_H

#include <generated/compat-probes.h>
#include_next <linux/module.h>

#ifndef COMPAT_HAS_IMPORT_NS_STRING
#undef MODULE_IMPORT_NS
#define MODULE_IMPORT_NS(ns) MODULE_INFO(import_ns, ns)
#endif

#endif /* _COMPAT_LINUX_MODULE_H */
