/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The header: since 6.3, drop when min > 6.2. Kernels without it, as far as we
 * support them, come without KUnit: there is nothing to redirect.
 */
#ifndef _COMPAT_KUNIT_STATIC_STUB_H
#define _COMPAT_KUNIT_STATIC_STUB_H

#include <generated/compat-probes.h>
#ifdef COMPAT_HAS_KUNIT_STATIC_STUB
#include_next <kunit/static_stub.h>
#else
#define KUNIT_STATIC_STUB_REDIRECT(...) do {} while (0)
#endif

#endif /* _COMPAT_KUNIT_STATIC_STUB_H */
