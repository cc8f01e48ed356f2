/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parameter net_admin of the ULP operations get_info() and get_info_size():
 * since 7.0, drop when min > 6.19. Kernels before ask administrators' questions
 * only.
 *
 * No function registers the operations that hang on a socket, so there is no
 * place to translate a table of them at. Instead the macros take the parameter
 * off where psp_ulp.c defines the two, and it becomes a constant in there.
 * Where one is named without parentheses they do nothing.
 */
#ifndef _COMPAT_NET_TCP_H
#define _COMPAT_NET_TCP_H

#include <generated/compat-probes.h>
#include_next <net/tcp.h>

#ifndef COMPAT_HAS_ULP_INFO_NET_ADMIN

enum { net_admin = true };

#define psp_ulp_get_info(_sk, _skb, ...) psp_ulp_get_info(_sk, _skb)
#define psp_ulp_get_info_size(_sk, ...) psp_ulp_get_info_size(_sk)

#endif /* COMPAT_HAS_ULP_INFO_NET_ADMIN */

#endif /* _COMPAT_NET_TCP_H */
