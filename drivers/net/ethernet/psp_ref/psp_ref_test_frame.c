// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames for the KUnit tests of the device.
 */

#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <linux/unaligned.h>
#include <net/ip.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

static u8 *psp_ref_test_put(struct psp_ref_test_frame *frame, unsigned int len)
{
	u8 *data = frame->data + frame->len;

	frame->len += len;
	return data;
}

static void psp_ref_test_put_ip(struct psp_ref_test_frame *frame,
				const struct psp_ref_test_layout *layout)
{
	static const u8 ipv4[20] = {
		0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 17, 0, 0,
		192, 0, 2, 1, 198, 51, 100, 2,
	};
	static const u8 ipv6[40] = {
		0x60, 0, 0, 0, 0, 0, 17, 64,
		0x20, 0x01, 0x0d, 0xb8, [23] = 1,
		[24] = 0x20, 0x01, 0x0d, 0xb8, [39] = 2,
	};
	u8 *ip;

	if (layout->ipv6) {
		ip = psp_ref_test_put(frame, sizeof(ipv6));
		memcpy(ip, ipv6, sizeof(ipv6));
		ip[6] = layout->proto ?: ip[6];
		return;
	}

	ip = psp_ref_test_put(frame, sizeof(ipv4));
	memcpy(ip, ipv4, sizeof(ipv4));
	ip[0] += layout->options / 4;
	ip[9] = layout->proto ?: ip[9];
	/* No operation */
	memset(psp_ref_test_put(frame, layout->options), 1, layout->options);
}

static void psp_ref_test_put_psp(struct psp_ref_test_frame *frame,
				 const struct psp_ref_test_layout *layout)
{
	static const u8 headers[24] = {
		/* UDP: 50000 to 1000 */
		0xc3, 0x50, 0x03, 0xe8, 0, 0, 0, 0,
		/* PSP: TCP, 8 bytes more than 8, version 0 */
		6, 1, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8,
	};
	u8 *udp = psp_ref_test_put(frame, sizeof(headers));
	unsigned int i;
	u8 *payload;

	frame->l4 = udp - frame->data;
	frame->psp = frame->l4 + 8;
	memcpy(udp, headers, sizeof(headers));
	if (layout->cookie) {
		udp[9] = 2;
		udp[10] = 2;
		udp[11] |= 2;
		memset(psp_ref_test_put(frame, 8), 0xcc, 8);
	}

	payload = psp_ref_test_put(frame, layout->payload);
	for (i = 0; i < layout->payload; i++)
		payload[i] = i;
	memset(psp_ref_test_put(frame, PSP_TRL_SIZE), 0xee, PSP_TRL_SIZE);
}

/**
 * psp_ref_test_frame_fix_csum() - make the IPv4 header's checksum right
 * @frame: frame; IPv6 has none
 */
void psp_ref_test_frame_fix_csum(struct psp_ref_test_frame *frame)
{
	u8 *ip = frame->data + frame->l3;

	if (ip[0] >> 4 == 6)
		return;

	put_unaligned_be16(0, ip + 10);
	*(__sum16 *)(ip + 10) = ip_compute_csum(ip, (ip[0] & 0xf) * 4);
}

/**
 * psp_ref_test_frame_make() - make a frame with all lengths right
 * @frame: filled in
 * @layout: what it is made of
 */
void psp_ref_test_frame_make(struct psp_ref_test_frame *frame,
			     const struct psp_ref_test_layout *layout)
{
	static const u8 eth[14] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };
	u8 *ip;

	memset(frame, 0, sizeof(*frame));
	memcpy(psp_ref_test_put(frame, sizeof(eth)), eth, sizeof(eth));
	if (layout->ipv6)
		memcpy(frame->data + 12, "\x86\xdd", 2);

	frame->l3 = frame->len;
	psp_ref_test_put_ip(frame, layout);
	psp_ref_test_put_psp(frame, layout);
	frame->end = frame->len;
	psp_ref_test_put(frame, layout->padding);

	ip = frame->data + frame->l3;
	put_unaligned_be16(frame->end - frame->l4, frame->data + frame->l4 + 4);
	if (layout->ipv6)
		put_unaligned_be16(frame->end - frame->l4, ip + 4);
	else
		put_unaligned_be16(frame->end - frame->l3, ip + 2);
	psp_ref_test_frame_fix_csum(frame);
}

KUNIT_DEFINE_ACTION_WRAPPER(psp_ref_test_kfree_skb, kfree_skb,
			    struct sk_buff *);

/**
 * psp_ref_test_skb() - put a frame into a buffer
 * @test: test that owns the buffer; it is freed with it
 * @frame: the frame
 * @len: length of the buffer; the rest of the frame is behind it in memory, so
 *	that whoever reads on finds what is expected there
 * @linear: bytes in the linear part at most, the rest is in a page
 *
 * Return: the buffer, from the Ethernet header on.
 */
struct sk_buff *psp_ref_test_skb(struct kunit *test,
				 const struct psp_ref_test_frame *frame,
				 unsigned int len, unsigned int linear)
{
	struct sk_buff *skb;
	struct page *page;
	int err;

	skb = alloc_skb(NET_IP_ALIGN + sizeof(frame->data), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	err = kunit_add_action_or_reset(test, psp_ref_test_kfree_skb, skb);
	KUNIT_ASSERT_EQ(test, err, 0);

	skb_reserve(skb, NET_IP_ALIGN);
	memcpy(skb->data, frame->data, sizeof(frame->data));
	skb_put(skb, min(len, linear));
	if (len > linear) {
		memset(skb_tail_pointer(skb), 0, skb_tailroom(skb));
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page), frame->data + linear,
		       sizeof(frame->data) - linear);
		skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	}

	return skb;
}
