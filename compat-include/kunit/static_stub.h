/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUNIT_STATIC_STUB_REDIRECT(): since 6.3, drop when min > 6.2. Kernels without
 * it, such as Debian's, come without KUnit: there is nothing to redirect.
 */
#ifndef _COMPAT_KUNIT_STATIC_STUB_H
#define _COMPAT_KUNIT_STATIC_STUB_H

#if __has_include_next(<kunit/static_stub.h>)
#include_next <kunit/static_stub.h>
#else
#define KUNIT_STATIC_STUB_REDIRECT(real_fn_name, args...) do {} while (0)
#endif

#endif /* _COMPAT_KUNIT_STATIC_STUB_H */
