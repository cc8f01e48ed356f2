/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit tests of packet code share: frames made by hand, that is not
 * by the code under test.
 */
#ifndef __PSP_TEST_H
#define __PSP_TEST_H

#include <linux/types.h>

struct kunit;
struct sk_buff;

#define PSP_TEST_FRAME_MAX	320

#define PSP_TEST_SPI		0x9a345678
#define PSP_TEST_VERSION	PSP_VERSION_HDR0_AES_GCM_256
#define PSP_TEST_UDP_SPORT	50000
#define PSP_TEST_SPORT		40000
#define PSP_TEST_DPORT		443

/**
 * struct psp_test_layout - what a frame is made of
 * @desc: name of the test case
 * @ipv6: IPv6, else IPv4
 * @icv: ICV behind the payload
 * @vlans: VLAN tags
 * @options: bytes of IPv4 options
 * @cookie: bytes of PSP header beyond the first 16
 * @payload: bytes behind the TCP header
 * @padding: bytes behind the IP packet
 */
struct psp_test_layout {
	const char *desc;
	bool ipv6;
	bool icv;
	unsigned int vlans;
	unsigned int options;
	unsigned int cookie;
	unsigned int payload;
	unsigned int padding;
};

/**
 * enum psp_test_part - parts of a frame
 * @PSP_TEST_ETH: Ethernet header
 * @PSP_TEST_IP: IP header
 * @PSP_TEST_UDP: UDP header
 * @PSP_TEST_PSP: PSP header
 * @PSP_TEST_TCP: TCP header
 * @PSP_TEST_ICV: ICV
 * @PSP_TEST_PARTS: number of parts
 */
enum psp_test_part {
	PSP_TEST_ETH,
	PSP_TEST_IP,
	PSP_TEST_UDP,
	PSP_TEST_PSP,
	PSP_TEST_TCP,
	PSP_TEST_ICV,
	PSP_TEST_PARTS
};

/**
 * struct psp_test_frame - a frame
 * @len: its length
 * @off: where its parts are; 0 for those that it does not have
 * @data: its bytes
 */
struct psp_test_frame {
	unsigned int len;
	unsigned int off[PSP_TEST_PARTS];
	u8 data[PSP_TEST_FRAME_MAX];
};

void psp_test_frame_tcp(struct psp_test_frame *frame,
			const struct psp_test_layout *layout);
void psp_test_frame_psp(struct psp_test_frame *frame,
			const struct psp_test_layout *layout);
void psp_test_frame_set_end(struct psp_test_frame *frame, unsigned int end);
struct sk_buff *psp_test_skb(struct kunit *test,
			     const struct psp_test_frame *frame,
			     unsigned int len, unsigned int linear);
void psp_test_expect_frame(struct kunit *test, struct sk_buff *skb,
			   const struct psp_test_frame *want);

#endif /* __PSP_TEST_H */
