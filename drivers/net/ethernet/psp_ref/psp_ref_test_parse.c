// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's frame parser: what is PSP, where it starts and ends, and which
 * queue it is for.
 */

#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/string.h>

#include "psp_ref_hw_int.h"
#include "psp_ref_test.h"

static const struct psp_ref_test_layout psp_ref_parse_layouts[] = {
	{ .desc = "IPv4", .payload = 40 },
	{ .desc = "IPv4, nothing in it" },
	{ .desc = "IPv4 with options", .options = 12, .payload = 40 },
	{ .desc = "IPv4, all options there can be", .options = 40 },
	{ .desc = "IPv4, cookie", .cookie = true, .payload = 40 },
	{ .desc = "IPv4, Ethernet padding", .padding = 18 },
	{ .desc = "IPv6", .ipv6 = true, .payload = 40 },
	{ .desc = "IPv6, nothing in it", .ipv6 = true },
	{ .desc = "IPv6, Ethernet padding", .ipv6 = true, .padding = 18 },
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_parse, psp_ref_parse_layouts, desc);

static void psp_ref_test_parse(struct kunit *test,
			       const struct psp_ref_test_frame *frame,
			       unsigned int len, unsigned int linear,
			       struct psp_ref_frame *found)
{
	struct sk_buff *skb = psp_ref_test_skb(test, frame, len, linear);

	memset(found, 0xaa, sizeof(*found));
	psp_ref_frame_parse(skb, found);
	KUNIT_EXPECT_EQ(test, skb_headlen(skb), min(len, linear));
}

/* In one piece, and cut in two at any place */
static void psp_ref_test_parse_psp(struct kunit *test)
{
	struct psp_ref_frame found, first;
	struct psp_ref_test_frame frame;
	unsigned int linear;

	psp_ref_test_frame_make(&frame, test->param_value);
	psp_ref_test_parse(test, &frame, frame.len, frame.len, &first);
	for (linear = 0; linear <= frame.len; linear++) {
		psp_ref_test_parse(test, &frame, frame.len, linear, &found);
		KUNIT_EXPECT_TRUE(test, found.psp);
		KUNIT_EXPECT_EQ(test, found.l4_off, frame.l4);
		KUNIT_EXPECT_EQ(test, found.end, frame.end);
		KUNIT_EXPECT_EQ(test, found.hash_type, PKT_HASH_TYPE_L4);
		KUNIT_EXPECT_EQ(test, found.hash, first.hash);
	}
}

/* The rest of the frame is behind its end, in memory: nobody must look */
static void psp_ref_test_parse_cut(struct kunit *test)
{
	struct psp_ref_test_frame frame;
	struct psp_ref_frame found;
	unsigned int len;

	psp_ref_test_frame_make(&frame, test->param_value);
	for (len = 0; len < frame.end; len++) {
		psp_ref_test_parse(test, &frame, len, len, &found);
		KUNIT_EXPECT_FALSE_MSG(test, found.psp, "%u bytes", len);
		KUNIT_EXPECT_EQ(test, found.l4_off, 0);
		KUNIT_EXPECT_EQ(test, found.hash_type, PKT_HASH_TYPE_NONE);
	}
}

/* The same, and the IP header knows */
static void psp_ref_test_parse_short(struct kunit *test)
{
	const struct psp_ref_test_layout *layout = test->param_value;
	struct psp_ref_test_frame frame;
	struct psp_ref_frame found;
	unsigned int len;
	u8 *ip;

	psp_ref_test_frame_make(&frame, layout);
	ip = frame.data + frame.l3;
	for (len = frame.l4; len <= frame.end; len++) {
		if (layout->ipv6)
			ip[5] = len - frame.l4;
		else
			ip[3] = len - frame.l3;
		psp_ref_test_frame_fix_csum(&frame);

		psp_ref_test_parse(test, &frame, len, len, &found);
		KUNIT_EXPECT_EQ(test, found.l4_off, frame.l4);
		KUNIT_EXPECT_EQ(test, found.end, len);
		/* Whole or not, the UDP header makes it PSP */
		KUNIT_EXPECT_EQ_MSG(test, found.psp, len >= frame.l4 + 8,
				    "%u bytes", len);
	}
}

/**
 * struct psp_ref_parse_case - frames that are not PSP, or hardly so
 * @desc: name of the test case
 * @layout: the frame before
 * @at: offset of the byte that is changed: from the Ethernet header on, or,
 *	with @udp, from the UDP header on
 * @udp: see @at
 * @set: its new value
 * @keep_csum: the checksum of the IPv4 header is not adjusted
 * @psp: the frame is PSP all the same
 * @type: what the hash is made of
 */
struct psp_ref_parse_case {
	const char			*desc;
	struct psp_ref_test_layout	layout;
	unsigned int			at;
	bool				udp;
	u8				set;
	bool				keep_csum;
	bool				psp;
	enum pkt_hash_types		type;
};

#define PSP_REF_TEST_4	{ .payload = 40 }
#define PSP_REF_TEST_6	{ .payload = 40, .ipv6 = true }
#define PSP_REF_TEST_ETH(off)	.at = (off)
#define PSP_REF_TEST_IP(off)	.at = ETH_HLEN + (off)
#define PSP_REF_TEST_UDP(off)	.at = (off), .udp = true

static const struct psp_ref_parse_case psp_ref_parse_cases[] = {
	{ "ARP", PSP_REF_TEST_4, PSP_REF_TEST_ETH(13), .set = 6 },
	{ "VLAN tag", PSP_REF_TEST_4, PSP_REF_TEST_ETH(12), .set = 0x81 },
	{ "IPv4 of version 6", PSP_REF_TEST_4, PSP_REF_TEST_IP(0),
	  .set = 0x65 },
	{ "IPv4 header of 16 bytes", PSP_REF_TEST_4, PSP_REF_TEST_IP(0),
	  .set = 0x44 },
	{ "IPv4 header of 60 bytes, longer than the packet", {},
	  PSP_REF_TEST_IP(0), .set = 0x4f, .type = PKT_HASH_TYPE_L3 },
	{ "IPv4, bad checksum", PSP_REF_TEST_4, PSP_REF_TEST_IP(11),
	  .set = 0xff, .keep_csum = true },
	{ "IPv4, TTL changed on the way", PSP_REF_TEST_4, PSP_REF_TEST_IP(8),
	  .set = 63, .keep_csum = true },
	{ "IPv4, TTL changed by a router", PSP_REF_TEST_4, PSP_REF_TEST_IP(8),
	  .set = 63, .psp = true, .type = PKT_HASH_TYPE_L4 },
	{ "IPv4, longer than the frame", PSP_REF_TEST_4, PSP_REF_TEST_IP(2),
	  .set = 1 },
	{ "IPv4, shorter than its header", PSP_REF_TEST_4, PSP_REF_TEST_IP(3),
	  .set = 19 },
	{ "IPv4, UDP is padding", PSP_REF_TEST_4, PSP_REF_TEST_IP(3),
	  .set = 20, .type = PKT_HASH_TYPE_L3 },
	{ "IPv4, end of UDP is padding", PSP_REF_TEST_4, PSP_REF_TEST_IP(3),
	  .set = 27, .type = PKT_HASH_TYPE_L3 },
	{ "IPv4, first fragment", PSP_REF_TEST_4, PSP_REF_TEST_IP(6),
	  .set = 0x20, .type = PKT_HASH_TYPE_L3 },
	{ "IPv4, second fragment", PSP_REF_TEST_4, PSP_REF_TEST_IP(7),
	  .set = 1, .type = PKT_HASH_TYPE_L3 },
	{ "IPv4, may be fragmented", PSP_REF_TEST_4, PSP_REF_TEST_IP(6),
	  .set = 0, .psp = true, .type = PKT_HASH_TYPE_L4 },
	{ "IPv4, TCP to port 1000", PSP_REF_TEST_4, PSP_REF_TEST_IP(9),
	  .set = IPPROTO_TCP, .type = PKT_HASH_TYPE_L4 },
	{ "IPv4, ICMP", PSP_REF_TEST_4, PSP_REF_TEST_IP(9),
	  .set = IPPROTO_ICMP, .type = PKT_HASH_TYPE_L3 },
	{ "IPv6 of version 4", PSP_REF_TEST_6, PSP_REF_TEST_IP(0),
	  .set = 0x45 },
	{ "IPv6, longer than the frame", PSP_REF_TEST_6, PSP_REF_TEST_IP(4),
	  .set = 1 },
	{ "IPv6, UDP is padding", PSP_REF_TEST_6, PSP_REF_TEST_IP(5),
	  .set = 0, .type = PKT_HASH_TYPE_L3 },
	{ "IPv6, end of UDP is padding", PSP_REF_TEST_6, PSP_REF_TEST_IP(5),
	  .set = 7, .type = PKT_HASH_TYPE_L3 },
	{ "IPv6, hop-by-hop options", PSP_REF_TEST_6, PSP_REF_TEST_IP(6),
	  .set = 0, .type = PKT_HASH_TYPE_L3 },
	{ "IPv6, fragment", PSP_REF_TEST_6, PSP_REF_TEST_IP(6),
	  .set = 44, .type = PKT_HASH_TYPE_L3 },
	{ "IPv6, destination options", PSP_REF_TEST_6, PSP_REF_TEST_IP(6),
	  .set = 60, .type = PKT_HASH_TYPE_L3 },
	{ "IPv6, TCP to port 1000", PSP_REF_TEST_6, PSP_REF_TEST_IP(6),
	  .set = IPPROTO_TCP, .type = PKT_HASH_TYPE_L4 },
	{ "IPv4, UDP to port 1001", PSP_REF_TEST_4, PSP_REF_TEST_UDP(3),
	  .set = 0xe9, .type = PKT_HASH_TYPE_L4 },
	{ "IPv6, UDP to port 1001", PSP_REF_TEST_6, PSP_REF_TEST_UDP(3),
	  .set = 0xe9, .type = PKT_HASH_TYPE_L4 },
	{ "UDP from port 1000 only", PSP_REF_TEST_4, PSP_REF_TEST_UDP(2),
	  .set = 0, .type = PKT_HASH_TYPE_L4 },
};

KUNIT_ARRAY_PARAM_DESC(psp_ref_parse_case, psp_ref_parse_cases, desc);

static void psp_ref_test_parse_case(struct kunit *test)
{
	const struct psp_ref_parse_case *c = test->param_value;
	struct psp_ref_test_frame frame;
	struct psp_ref_frame found;

	psp_ref_test_frame_make(&frame, &c->layout);
	frame.data[c->udp ? frame.l4 + c->at : c->at] = c->set;
	if (!c->keep_csum)
		psp_ref_test_frame_fix_csum(&frame);

	psp_ref_test_parse(test, &frame, frame.len, frame.len, &found);
	KUNIT_EXPECT_EQ(test, found.psp, c->psp);
	KUNIT_EXPECT_EQ(test, found.hash_type, c->type);
	KUNIT_EXPECT_EQ(test, !!found.l4_off, c->type != PKT_HASH_TYPE_NONE);
}

/* A flow stays in its queue, and only what names the flow chooses the queue */
static void psp_ref_test_parse_hash(struct kunit *test)
{
	static const struct psp_ref_test_layout layouts[] = {
		{ .payload = 40 }, { .payload = 40, .ipv6 = true },
	};
	struct psp_ref_test_frame frame;
	struct psp_ref_frame found;
	unsigned int i, at, address;
	bool names;
	u32 hash;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		psp_ref_test_frame_make(&frame, &layouts[i]);
		psp_ref_test_parse(test, &frame, frame.len, frame.len, &found);
		hash = found.hash;
		address = frame.l3 + (layouts[i].ipv6 ? 8 : 12);

		for (at = address; at < frame.len; at++) {
			/* Addresses, and the UDP source port */
			names = at < frame.l4 + 2;
			/* The destination port makes it PSP */
			if (at == frame.l4 + 2 || at == frame.l4 + 3)
				continue;

			frame.data[at] ^= 0x10;
			psp_ref_test_frame_fix_csum(&frame);
			psp_ref_test_parse(test, &frame, frame.len, frame.len,
					   &found);
			KUNIT_EXPECT_EQ_MSG(test, found.hash != hash, names,
					    "byte %u", at);
			frame.data[at] ^= 0x10;
			psp_ref_test_frame_fix_csum(&frame);
		}
	}
}

static struct kunit_case psp_ref_parse_test_cases[] = {
	KUNIT_CASE_PARAM(psp_ref_test_parse_psp, psp_ref_parse_gen_params),
	KUNIT_CASE_PARAM(psp_ref_test_parse_cut, psp_ref_parse_gen_params),
	KUNIT_CASE_PARAM(psp_ref_test_parse_short, psp_ref_parse_gen_params),
	KUNIT_CASE_PARAM(psp_ref_test_parse_case,
			 psp_ref_parse_case_gen_params),
	KUNIT_CASE(psp_ref_test_parse_hash),
	{}
};

static struct kunit_suite psp_ref_parse_suite = {
	.name = "psp_ref_parse",
	.test_cases = psp_ref_parse_test_cases,
};

kunit_test_suite(psp_ref_parse_suite);
