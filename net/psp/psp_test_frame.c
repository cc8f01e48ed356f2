// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames for the KUnit tests.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/psp.h>
#include <uapi/linux/psp.h>

#include "psp_test.h"

#define PSP_TEST_HEADROOM	(ETH_HLEN + 2)

static u8 *psp_test_put(struct psp_test_frame *frame, unsigned int len)
{
	u8 *data = frame->data + frame->len;

	frame->len += len;
	return data;
}

static void psp_test_put_eth(struct psp_test_frame *frame,
			     const struct psp_test_layout *layout)
{
	static const u8 addresses[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	unsigned int i;

	memcpy(psp_test_put(frame, sizeof(addresses)), addresses,
	       sizeof(addresses));
	for (i = 0; i < layout->vlans; i++)
		memcpy(psp_test_put(frame, 4), "\x81\x00\x00\x64", 4);
	memcpy(psp_test_put(frame, 2), layout->ipv6 ? "\x86\xdd" : "\x08\x00",
	       2);
}

static void psp_test_put_ipv4(struct psp_test_frame *frame,
			      const struct psp_test_layout *layout, u8 proto)
{
	static const u8 header[20] = {
		0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 0, 0, 0,
		192, 0, 2, 1, 198, 51, 100, 2,
	};
	u8 *ip = psp_test_put(frame, sizeof(header));

	memcpy(ip, header, sizeof(header));
	ip[0] += layout->options / 4;
	ip[9] = proto;
	/* No operation */
	memset(psp_test_put(frame, layout->options), 1, layout->options);
}

static void psp_test_put_ipv6(struct psp_test_frame *frame, u8 proto)
{
	static const u8 header[40] = {
		0x60, 0, 0, 0, 0, 0, 0, 64,
		0x20, 0x01, 0x0d, 0xb8, [23] = 1,
		[24] = 0x20, 0x01, 0x0d, 0xb8, [39] = 2,
	};
	u8 *ip = psp_test_put(frame, sizeof(header));

	memcpy(ip, header, sizeof(header));
	ip[6] = proto;
}

static void psp_test_put_encap(struct psp_test_frame *frame,
			       const struct psp_test_layout *layout)
{
	static const u8 headers[24] = {
		/* UDP: 50000 to 1000 */
		0xc3, 0x50, 0x03, 0xe8, 0, 0, 0, 0,
		/* PSP: TCP, 8 bytes more than 8, version 1 */
		6, 1, 0, 0x05, 0x9a, 0x34, 0x56, 0x78,
	};
	u8 *udp = psp_test_put(frame, sizeof(headers));
	u8 *psp = udp + 8;

	frame->off[PSP_TEST_UDP] = udp - frame->data;
	frame->off[PSP_TEST_PSP] = psp - frame->data;
	memcpy(udp, headers, sizeof(headers));
	psp[1] += layout->cookie / 8;
	if (layout->cookie) {
		psp[2] = layout->cookie / 4;
		psp[3] |= 0x02;
	}
	memset(psp_test_put(frame, layout->cookie), 0xcc, layout->cookie);
}

static void psp_test_put_tcp(struct psp_test_frame *frame,
			     const struct psp_test_layout *layout)
{
	static const u8 header[20] = {
		/* 40000 to 443 */
		0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8,
		0x50, 0x18, 0x01, 0x00,
	};
	unsigned int i;
	u8 *payload;

	frame->off[PSP_TEST_TCP] = frame->len;
	memcpy(psp_test_put(frame, sizeof(header)), header, sizeof(header));
	payload = psp_test_put(frame, layout->payload);
	for (i = 0; i < layout->payload; i++)
		payload[i] = i;
}

/**
 * psp_test_frame_set_end() - make all headers say that the IP packet ends here
 * @frame: frame
 * @end: offset of the end, even within the headers
 */
void psp_test_frame_set_end(struct psp_test_frame *frame, unsigned int end)
{
	unsigned int l3 = frame->off[PSP_TEST_IP];
	unsigned int l4 = frame->off[PSP_TEST_UDP];
	u8 *ip = frame->data + l3;

	if (l4)
		put_unaligned_be16(end > l4 ? end - l4 : 0,
				   frame->data + l4 + 4);

	if (ip[0] >> 4 == 6) {
		put_unaligned_be16(end > l3 + 40 ? end - l3 - 40 : 0, ip + 4);
		return;
	}

	put_unaligned_be16(end > l3 ? end - l3 : 0, ip + 2);
	put_unaligned_be16(0, ip + 10);
	*(__sum16 *)(ip + 10) = ip_compute_csum(ip, (ip[0] & 0xf) * 4);
}

static void psp_test_frame_make(struct psp_test_frame *frame,
				const struct psp_test_layout *layout, bool psp)
{
	u8 proto = psp ? IPPROTO_UDP : IPPROTO_TCP;

	memset(frame, 0, sizeof(*frame));
	psp_test_put_eth(frame, layout);
	frame->off[PSP_TEST_IP] = frame->len;
	if (layout->ipv6)
		psp_test_put_ipv6(frame, proto);
	else
		psp_test_put_ipv4(frame, layout, proto);
	if (psp)
		psp_test_put_encap(frame, layout);
	psp_test_put_tcp(frame, layout);
	if (psp && layout->icv) {
		frame->off[PSP_TEST_ICV] = frame->len;
		memset(psp_test_put(frame, 16), 0xee, 16);
	}
	psp_test_frame_set_end(frame, frame->len);
}

/**
 * psp_test_frame_tcp() - make a frame as TCP has it, without UDP and PSP header
 * @frame: filled in
 * @layout: what it is made of; ICV, cookie and padding are left out
 */
void psp_test_frame_tcp(struct psp_test_frame *frame,
			const struct psp_test_layout *layout)
{
	psp_test_frame_make(frame, layout, false);
}

/**
 * psp_test_frame_psp() - make a frame as PSP has it, but not encrypted
 * @frame: filled in
 * @layout: what it is made of
 */
void psp_test_frame_psp(struct psp_test_frame *frame,
			const struct psp_test_layout *layout)
{
	psp_test_frame_make(frame, layout, true);
	psp_test_put(frame, layout->padding);
}

KUNIT_DEFINE_ACTION_WRAPPER(psp_test_kfree_skb, kfree_skb, struct sk_buff *);

/**
 * psp_test_skb() - put a frame into a buffer
 * @test: test that owns the buffer; it is freed with it
 * @frame: the frame
 * @len: length of the buffer; the rest of the frame is behind it in memory, so
 *	that whoever reads on finds what is expected there
 * @linear: bytes in the linear part at most, the rest is in a page
 *
 * Return: the buffer, from the Ethernet header on.
 */
struct sk_buff *psp_test_skb(struct kunit *test,
			     const struct psp_test_frame *frame,
			     unsigned int len, unsigned int linear)
{
	struct sk_buff *skb;
	struct page *page;
	int err;

	skb = alloc_skb(PSP_TEST_HEADROOM + PSP_TEST_FRAME_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	err = kunit_add_action_or_reset(test, psp_test_kfree_skb, skb);
	KUNIT_ASSERT_EQ(test, err, 0);

	skb_reserve(skb, PSP_TEST_HEADROOM);
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

	skb_reset_mac_header(skb);
	skb->mac_len = frame->off[PSP_TEST_IP];
	skb_set_network_header(skb, frame->off[PSP_TEST_IP]);
	skb_set_transport_header(skb, frame->off[PSP_TEST_UDP] ?:
				      frame->off[PSP_TEST_TCP]);
	skb->protocol = get_unaligned((__be16 *)(frame->data + 12));

	return skb;
}

/**
 * psp_test_expect_frame() - a buffer must hold a frame, byte by byte
 * @test: test
 * @skb: the buffer
 * @want: the frame
 */
void psp_test_expect_frame(struct kunit *test, struct sk_buff *skb,
			   const struct psp_test_frame *want)
{
	u8 *data;

	KUNIT_ASSERT_EQ(test, skb->len, want->len);
	data = kunit_kzalloc(test, want->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test, 0, skb_copy_bits(skb, 0, data, want->len));
	KUNIT_EXPECT_MEMEQ(test, data, want->data, want->len);
	kunit_kfree(test, data);
}
