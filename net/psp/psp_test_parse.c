// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes from a driver: whole TCP segments in PSP in UDP are found and
 * stripped wherever their bytes are, and nothing else is.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <net/psp.h>
#include <uapi/linux/psp.h>

#include "psp.h"
#include "psp_test.h"

static const struct psp_test_layout psp_parse_layouts[] = {
	{ .desc = "IPv4", .icv = true, .payload = 100 },
	{ .desc = "IPv4, no payload", .icv = true },
	{ .desc = "IPv4, ICV cut off", .payload = 100 },
	{ .desc = "IPv4, ICV cut off, no payload" },
	{ .desc = "IPv4 with options", .icv = true, .options = 12,
	  .payload = 100 },
	{ .desc = "IPv4, all options there can be", .icv = true,
	  .options = 40 },
	{ .desc = "IPv4, VLAN tag", .icv = true, .vlans = 1, .payload = 100 },
	{ .desc = "IPv4, two VLAN tags", .icv = true, .vlans = 2,
	  .payload = 100 },
	{ .desc = "IPv4, cookie", .icv = true, .cookie = 8, .payload = 100 },
	{ .desc = "IPv4, longer header", .icv = true, .cookie = 24,
	  .payload = 100 },
	{ .desc = "IPv4, Ethernet padding", .icv = true, .padding = 18 },
	{ .desc = "IPv4, padding, ICV cut off", .padding = 18 },
	{ .desc = "IPv6", .ipv6 = true, .icv = true, .payload = 100 },
	{ .desc = "IPv6, no payload", .ipv6 = true, .icv = true },
	{ .desc = "IPv6, ICV cut off", .ipv6 = true, .payload = 100 },
	{ .desc = "IPv6, VLAN tag", .ipv6 = true, .icv = true, .vlans = 1,
	  .payload = 100 },
	{ .desc = "IPv6, cookie", .ipv6 = true, .icv = true, .cookie = 8,
	  .payload = 100 },
	{ .desc = "IPv6, Ethernet padding", .ipv6 = true, .icv = true,
	  .padding = 18 },
	{ .desc = "IPv6, tag, cookie, padding", .ipv6 = true, .icv = true,
	  .vlans = 1, .cookie = 8, .payload = 1, .padding = 3 },
};

KUNIT_ARRAY_PARAM_DESC(psp_parse, psp_parse_layouts, desc);

static void psp_test_expect_info(struct kunit *test,
				 const struct psp_encap_info *info,
				 const struct psp_test_frame *frame,
				 const struct psp_test_layout *layout)
{
	const u8 *ip = frame->data + frame->off[PSP_TEST_IP];
	const u8 *addresses = ip + (layout->ipv6 ? 8 : 12);
	unsigned int size = layout->ipv6 ? 16 : 4;
	struct psp_tuple want = {
		.proto = htons(layout->ipv6 ? ETH_P_IPV6 : ETH_P_IP),
		.lport = htons(PSP_TEST_DPORT),
		.rport = htons(PSP_TEST_SPORT),
	};

	memcpy(&want.raddr, addresses, size);
	memcpy(&want.laddr, addresses + size, size);

	KUNIT_EXPECT_EQ(test, info->l2_len, frame->off[PSP_TEST_IP]);
	KUNIT_EXPECT_EQ(test, info->l2_len + info->l3_len,
			frame->off[PSP_TEST_UDP]);
	KUNIT_EXPECT_EQ(test, info->psp_len, 16 + layout->cookie);
	KUNIT_EXPECT_EQ(test, info->len, frame->len - layout->padding);
	KUNIT_EXPECT_EQ(test, info->spi, cpu_to_be32(PSP_TEST_SPI));
	KUNIT_EXPECT_EQ(test, info->version, PSP_TEST_VERSION);
	KUNIT_EXPECT_MEMEQ(test, &info->tuple, &want, sizeof(want));
}

/* All in one piece, and cut in two at any place from the Ethernet header on */
static void psp_test_parse_strip(struct kunit *test)
{
	const struct psp_test_layout *layout = test->param_value;
	struct psp_test_frame frame, plain;
	struct psp_encap_info info;
	unsigned int linear;
	struct sk_buff *skb;

	psp_test_frame_psp(&frame, layout);
	psp_test_frame_tcp(&plain, layout);

	for (linear = ETH_HLEN; linear <= frame.len; linear++) {
		skb = psp_test_skb(test, &frame, frame.len, linear);
		memset(&info, 0xaa, sizeof(info));
		KUNIT_ASSERT_EQ(test, 0,
				psp_encap_parse(skb, &info, layout->icv));
		psp_test_expect_info(test, &info, &frame, layout);
		/* Parsing has changed nothing */
		psp_test_expect_frame(test, skb, &frame);

		KUNIT_ASSERT_EQ(test, 0,
				psp_encap_strip(skb, &info, layout->icv));
		psp_test_expect_frame(test, skb, &plain);
	}
}

/* A tap has a clone: what it sees stays as it was */
static void psp_test_strip_clone(struct kunit *test)
{
	const struct psp_test_layout *layout = test->param_value;
	struct psp_test_frame frame, plain;
	struct psp_encap_info info;
	struct sk_buff *skb, *clone;

	psp_test_frame_psp(&frame, layout);
	psp_test_frame_tcp(&plain, layout);
	skb = psp_test_skb(test, &frame, frame.len, frame.len);
	clone = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);

	KUNIT_EXPECT_EQ(test, 0, psp_encap_parse(clone, &info, layout->icv));
	KUNIT_EXPECT_EQ(test, 0, psp_encap_strip(clone, &info, layout->icv));
	psp_test_expect_frame(test, clone, &plain);
	psp_test_expect_frame(test, skb, &frame);
	kfree_skb(clone);
}

/* Shorter than its headers say. The missing bytes are behind the end, in
 * memory: nobody must look.
 */
static void psp_test_parse_cut(struct kunit *test)
{
	const struct psp_test_layout *layout = test->param_value;
	struct psp_test_frame frame;
	struct psp_encap_info info;
	struct sk_buff *skb;
	unsigned int len;

	psp_test_frame_psp(&frame, layout);
	for (len = 0; len < frame.len - layout->padding; len++) {
		skb = psp_test_skb(test, &frame, len, len);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    psp_encap_parse(skb, &info, layout->icv),
				    "%u of %u bytes, linear", len, frame.len);

		skb = psp_test_skb(test, &frame, len, ETH_HLEN);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    psp_encap_parse(skb, &info, layout->icv),
				    "%u of %u bytes, paged", len, frame.len);
	}
}

/* As short as its headers say: good if a TCP header and the ICV fit */
static void psp_test_parse_short(struct kunit *test)
{
	const struct psp_test_layout *layout = test->param_value;
	unsigned int len, least;
	struct psp_test_frame frame;
	struct psp_encap_info info;
	struct sk_buff *skb;
	int want;

	psp_test_frame_psp(&frame, layout);
	least = frame.off[PSP_TEST_TCP] + 20 + (layout->icv ? 16 : 0);

	for (len = 0; len <= frame.len - layout->padding; len++) {
		want = len < least ? -EINVAL : 0;
		psp_test_frame_set_end(&frame, len);

		skb = psp_test_skb(test, &frame, len, len);
		KUNIT_EXPECT_EQ_MSG(test, want,
				    psp_encap_parse(skb, &info, layout->icv),
				    "%u bytes, linear", len);

		/* The same with padding behind */
		skb = psp_test_skb(test, &frame, frame.len, frame.len);
		KUNIT_EXPECT_EQ_MSG(test, want,
				    psp_encap_parse(skb, &info, layout->icv),
				    "%u bytes, padded", len);
	}
}

/**
 * struct psp_parse_fault - one byte that makes a packet none of ours
 * @desc: name of the test case
 * @layout: the packet before
 * @part: part of the packet that the byte is in
 * @at: where in that part
 * @add: what is added to the byte
 */
struct psp_parse_fault {
	const char *desc;
	struct psp_test_layout layout;
	enum psp_test_part part;
	unsigned int at;
	int add;
};

#define PSP_TEST_4	{ .icv = true, .payload = 100 }
#define PSP_TEST_6	{ .icv = true, .payload = 100, .ipv6 = true }
#define PSP_TEST_VLAN	{ .icv = true, .payload = 100, .vlans = 1 }

static const struct psp_parse_fault psp_parse_faults[] = {
	{ "ARP", PSP_TEST_4, PSP_TEST_ETH, 13, 0x06 },
	{ "no IP behind a VLAN tag", PSP_TEST_VLAN, PSP_TEST_ETH, 17, 0x06 },
	{ "IPv4 of version 6", PSP_TEST_4, PSP_TEST_IP, 0, 0x20 },
	{ "IPv4 of version 5", PSP_TEST_4, PSP_TEST_IP, 0, 0x10 },
	{ "IPv4 header of 16 bytes", PSP_TEST_4, PSP_TEST_IP, 0, -1 },
	{ "IPv4 header of 0 bytes", PSP_TEST_4, PSP_TEST_IP, 0, -5 },
	{ "IPv4 header of 24 bytes", PSP_TEST_4, PSP_TEST_IP, 0, 1 },
	{ "IPv4 header of 60 bytes", PSP_TEST_4, PSP_TEST_IP, 0, 10 },
	{ "IPv4, one byte more than UDP", PSP_TEST_4, PSP_TEST_IP, 3, 1 },
	{ "IPv4, one byte less than UDP", PSP_TEST_4, PSP_TEST_IP, 3, -1 },
	{ "IPv4, far longer than the frame", PSP_TEST_4, PSP_TEST_IP, 2, 9 },
	{ "IPv4, more fragments to come", PSP_TEST_4, PSP_TEST_IP, 6, 0x20 },
	{ "IPv4, second fragment", PSP_TEST_4, PSP_TEST_IP, 7, 1 },
	{ "IPv4, a far fragment", PSP_TEST_4, PSP_TEST_IP, 6, 0x10 },
	{ "IPv4, TCP", PSP_TEST_4, PSP_TEST_IP, 9, 6 - 17 },
	{ "IPv4, UDP-Lite", PSP_TEST_4, PSP_TEST_IP, 9, 136 - 17 },
	{ "IPv6 of version 4", PSP_TEST_6, PSP_TEST_IP, 0, -0x20 },
	{ "IPv6, one byte more than UDP", PSP_TEST_6, PSP_TEST_IP, 5, 1 },
	{ "IPv6, one byte less than UDP", PSP_TEST_6, PSP_TEST_IP, 5, -1 },
	{ "IPv6, far longer than the frame", PSP_TEST_6, PSP_TEST_IP, 4, 9 },
	{ "IPv6, hop-by-hop options", PSP_TEST_6, PSP_TEST_IP, 6, 0 - 17 },
	{ "IPv6, TCP", PSP_TEST_6, PSP_TEST_IP, 6, 6 - 17 },
	{ "IPv6, routing header", PSP_TEST_6, PSP_TEST_IP, 6, 43 - 17 },
	{ "IPv6, fragment", PSP_TEST_6, PSP_TEST_IP, 6, 44 - 17 },
	{ "IPv6, destination options", PSP_TEST_6, PSP_TEST_IP, 6, 60 - 17 },
	{ "UDP to port 1001", PSP_TEST_4, PSP_TEST_UDP, 3, 1 },
	{ "UDP to port 744", PSP_TEST_4, PSP_TEST_UDP, 2, -1 },
	{ "IPv6, UDP to port 1001", PSP_TEST_6, PSP_TEST_UDP, 3, 1 },
	{ "UDP one byte too long", PSP_TEST_4, PSP_TEST_UDP, 5, 1 },
	{ "UDP one byte too short", PSP_TEST_4, PSP_TEST_UDP, 5, -1 },
	{ "UDP far too long", PSP_TEST_4, PSP_TEST_UDP, 4, 1 },
	{ "IPv6, UDP one byte too short", PSP_TEST_6, PSP_TEST_UDP, 5, -1 },
	{ "IPv4 in PSP", PSP_TEST_4, PSP_TEST_PSP, 0, 4 - 6 },
	{ "IPv6 in PSP", PSP_TEST_4, PSP_TEST_PSP, 0, 41 - 6 },
	{ "UDP in PSP", PSP_TEST_4, PSP_TEST_PSP, 0, 17 - 6 },
	{ "nothing in PSP", PSP_TEST_6, PSP_TEST_PSP, 0, 59 - 6 },
	{ "PSP header of 8 bytes", PSP_TEST_4, PSP_TEST_PSP, 1, -1 },
	{ "PSP header up to the end", PSP_TEST_4, PSP_TEST_PSP, 1, 15 },
	{ "PSP header beyond the end", PSP_TEST_4, PSP_TEST_PSP, 1, 100 },
	{ "PSP header, the longest", PSP_TEST_6, PSP_TEST_PSP, 1, 254 },
};

KUNIT_ARRAY_PARAM_DESC(psp_parse_fault, psp_parse_faults, desc);

static void psp_test_parse_fault(struct kunit *test)
{
	const struct psp_parse_fault *fault = test->param_value;
	struct psp_test_frame frame;
	struct psp_encap_info info;
	unsigned int linear;
	struct sk_buff *skb;

	psp_test_frame_psp(&frame, &fault->layout);
	skb = psp_test_skb(test, &frame, frame.len, frame.len);
	KUNIT_ASSERT_EQ(test, 0, psp_encap_parse(skb, &info, true));

	frame.data[frame.off[fault->part] + fault->at] += fault->add;
	for (linear = ETH_HLEN; linear <= frame.len; linear++) {
		skb = psp_test_skb(test, &frame, frame.len, linear);
		KUNIT_EXPECT_EQ(test, -EINVAL,
				psp_encap_parse(skb, &info, true));
	}
}

static struct kunit_case psp_parse_cases[] = {
	KUNIT_CASE_PARAM(psp_test_parse_strip, psp_parse_gen_params),
	KUNIT_CASE_PARAM(psp_test_strip_clone, psp_parse_gen_params),
	KUNIT_CASE_PARAM(psp_test_parse_cut, psp_parse_gen_params),
	KUNIT_CASE_PARAM(psp_test_parse_short, psp_parse_gen_params),
	KUNIT_CASE_PARAM(psp_test_parse_fault, psp_parse_fault_gen_params),
	{}
};

static struct kunit_suite psp_parse_suite = {
	.name = "psp_parse",
	.test_cases = psp_parse_cases,
};

kunit_test_suite(psp_parse_suite);
