/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SEAL_H
#define SEAL_H

#include "psp_nl.h"
#include "psp_wire.h"

/*
 * PSP in user space, written from the specification on top of OpenSSL: what
 * the device sends can be opened without it, and what nobody sent be made up.
 */

/**
 * struct seal_hdr - what a PSP header says
 * @nexthdr: protocol of the payload
 * @crypt_offset: bytes behind the 16 of the header that stay readable, a
 *	multiple of 4; a cookie's 8 are among them
 * @version: PSP version
 * @virt: there is a virtualization cookie
 * @cookie: the cookie
 * @iv: initialisation vector
 */
struct seal_hdr {
	uint8_t nexthdr;
	uint8_t crypt_offset;
	uint8_t version;
	bool virt;
	uint64_t cookie;
	uint64_t iv;
};

#define SEAL_COOKIE_LEN	8

/*
 * Write PSP header, @len bytes of @plain under @key, and ICV to @out. Returns
 * the number of bytes written or -errno.
 */
int seal_packet(const struct psp_key *key, const struct seal_hdr *hdr,
		const void *plain, size_t len, uint8_t *out);

/*
 * Decrypt what follows the PSP header of @frame to @plain. Returns its length,
 * -EBADMSG if the ICV is wrong, -EINVAL if the frame is none that can be.
 */
int seal_open(const struct psp_key *key, const struct psp_frame *frame,
	      uint8_t *plain);

#endif /* SEAL_H */
