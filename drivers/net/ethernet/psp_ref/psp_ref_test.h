/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit tests of the device share.
 */
#ifndef PSP_REF_TEST_H
#define PSP_REF_TEST_H

#include <linux/types.h>

struct kunit;
struct psp_ref_key;
struct sk_buff;

#define PSP_REF_TEST_FRAME_MAX	256

/**
 * struct psp_ref_test_layout - what a frame is made of
 * @desc: name of the test case
 * @ipv6: IPv6, else IPv4
 * @proto: number of what follows the IP header; UDP if it is 0
 * @options: bytes of IPv4 options
 * @cookie: PSP header with a virtualization cookie
 * @payload: bytes behind the PSP header, ICV not included
 * @padding: bytes behind the IP packet
 */
struct psp_ref_test_layout {
	const char	*desc;
	bool		ipv6;
	u8		proto;
	unsigned int	options;
	bool		cookie;
	unsigned int	payload;
	unsigned int	padding;
};

/**
 * struct psp_ref_test_frame - a PSP packet, not encrypted
 * @len: its length
 * @l3: offset of the IP header
 * @l4: offset of the UDP header
 * @psp: offset of the PSP header
 * @end: offset of the end of the IP packet
 * @data: its bytes
 */
struct psp_ref_test_frame {
	unsigned int	len;
	unsigned int	l3;
	unsigned int	l4;
	unsigned int	psp;
	unsigned int	end;
	u8		data[PSP_REF_TEST_FRAME_MAX];
};

void psp_ref_test_frame_make(struct psp_ref_test_frame *frame,
			     const struct psp_ref_test_layout *layout);
void psp_ref_test_frame_fix_csum(struct psp_ref_test_frame *frame);
struct sk_buff *psp_ref_test_skb(struct kunit *test,
				 const struct psp_ref_test_frame *frame,
				 unsigned int len, unsigned int linear);
struct psp_ref_key *psp_ref_test_key(struct kunit *test, u8 version,
				     const u8 *bytes);

#endif /* PSP_REF_TEST_H */
