// SPDX-License-Identifier: GPL-2.0-only
/*
 * Headers on, and the way of a segment to the other end.
 */
#include <kunit/test.h>
#include <net/ip.h>
#include <net/psp.h>
#include <uapi/linux/psp.h>

#include "psp.h"
#include "psp_test.h"

static const struct psp_test_layout psp_encap_layouts[] = {
	{ .desc = "IPv4", .payload = 100 },
	{ .desc = "IPv4, no payload" },
	{ .desc = "IPv4, one byte", .payload = 1 },
	{ .desc = "IPv4 with options", .options = 12, .payload = 100 },
	{ .desc = "IPv4, all options there can be", .options = 40 },
	{ .desc = "IPv6", .ipv6 = true, .payload = 100 },
	{ .desc = "IPv6, no payload", .ipv6 = true },
	{ .desc = "IPv6, one byte", .ipv6 = true, .payload = 1 },
};

KUNIT_ARRAY_PARAM_DESC(psp_encap, psp_encap_layouts, desc);

static bool psp_test_encapsulate(struct sk_buff *skb)
{
	return psp_dev_encapsulate(&init_net, skb, cpu_to_be32(PSP_TEST_SPI),
				   PSP_TEST_VERSION,
				   cpu_to_be16(PSP_TEST_UDP_SPORT));
}

static void psp_test_expect_encap(struct kunit *test, struct sk_buff *skb,
				  const struct psp_test_frame *want)
{
	psp_test_expect_frame(test, skb, want);
	KUNIT_EXPECT_EQ(test, skb_mac_offset(skb), 0);
	KUNIT_EXPECT_EQ(test, skb_network_offset(skb), want->off[PSP_TEST_IP]);
	KUNIT_EXPECT_EQ(test, skb_transport_offset(skb),
			want->off[PSP_TEST_UDP]);
	KUNIT_EXPECT_EQ(test, skb_inner_transport_offset(skb),
			want->off[PSP_TEST_TCP]);
	KUNIT_EXPECT_EQ(test, skb->inner_ipproto, IPPROTO_TCP);
	KUNIT_EXPECT_TRUE(test, skb->encapsulation);
}

/* There is less headroom than the headers need */
static void psp_test_encap_write(struct kunit *test)
{
	struct psp_test_frame plain, want;
	struct sk_buff *skb;

	psp_test_frame_tcp(&plain, test->param_value);
	psp_test_frame_psp(&want, test->param_value);
	skb = psp_test_skb(test, &plain, plain.len, plain.len);

	KUNIT_ASSERT_LT(test, skb_headroom(skb), PSP_ENCAP_HLEN);
	KUNIT_ASSERT_TRUE(test, psp_test_encapsulate(skb));
	psp_test_expect_encap(test, skb, &want);
}

static void psp_test_encap_write_with_room(struct kunit *test)
{
	struct psp_test_frame plain, want;
	struct sk_buff *skb;
	u8 *head;

	psp_test_frame_tcp(&plain, test->param_value);
	psp_test_frame_psp(&want, test->param_value);
	skb = psp_test_skb(test, &plain, plain.len, plain.len);
	KUNIT_ASSERT_EQ(test, 0, pskb_expand_head(skb, 64, 0, GFP_KERNEL));
	head = skb->head;

	KUNIT_ASSERT_TRUE(test, psp_test_encapsulate(skb));
	KUNIT_EXPECT_PTR_EQ(test, head, skb->head);
	psp_test_expect_encap(test, skb, &want);
}

/* Payload in a page, as TCP has it, and somebody else looks at the same bytes:
 * the retransmit queue
 */
static void psp_test_encap_write_clone(struct kunit *test)
{
	struct psp_test_frame plain, want;
	struct sk_buff *skb, *clone;
	unsigned int hlen;

	psp_test_frame_tcp(&plain, test->param_value);
	psp_test_frame_psp(&want, test->param_value);
	hlen = plain.off[PSP_TEST_TCP] + sizeof(struct tcphdr);
	skb = psp_test_skb(test, &plain, plain.len, hlen);
	clone = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);

	KUNIT_EXPECT_TRUE(test, psp_test_encapsulate(clone));
	psp_test_expect_encap(test, clone, &want);
	psp_test_expect_frame(test, skb, &plain);
	kfree_skb(clone);
}

/* The lengths are those of the whole unit; cutting it is the device's task */
static void psp_test_encap_write_gso(struct kunit *test)
{
	const struct psp_test_layout *layout = test->param_value;
	struct psp_test_frame plain, want;
	struct sk_buff *skb;

	psp_test_frame_tcp(&plain, layout);
	psp_test_frame_psp(&want, layout);
	skb = psp_test_skb(test, &plain, plain.len, plain.len);
	skb_shinfo(skb)->gso_size = 16;
	skb_shinfo(skb)->gso_segs = 7;
	skb_shinfo(skb)->gso_type = layout->ipv6 ? SKB_GSO_TCPV6 :
						   SKB_GSO_TCPV4;
	skb->ip_summed = CHECKSUM_PARTIAL;

	KUNIT_ASSERT_TRUE(test, psp_test_encapsulate(skb));
	psp_test_expect_encap(test, skb, &want);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->gso_size, 16);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->gso_segs, 7);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->gso_type,
			layout->ipv6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4);
	KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_PARTIAL);
}

/* Nothing but IP, with no tag in between */
static void psp_test_encap_refuses(struct kunit *test)
{
	static const struct psp_test_layout layout = { .payload = 100 };
	static const u16 protocols[] = {
		ETH_P_ARP, ETH_P_8021Q, ETH_P_8021AD, ETH_P_MPLS_UC, 0,
	};
	struct psp_test_frame plain;
	struct sk_buff *skb;
	unsigned int i;

	psp_test_frame_tcp(&plain, &layout);
	skb = psp_test_skb(test, &plain, plain.len, plain.len);
	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		skb->protocol = htons(protocols[i]);
		KUNIT_EXPECT_FALSE(test, psp_test_encapsulate(skb));
		psp_test_expect_frame(test, skb, &plain);
	}
}

/* UDP source port that a segment of a socket gets */
static u16 psp_test_sport(struct kunit *test, struct sock *sk)
{
	static const struct psp_test_layout layout = { .payload = 100 };
	struct psp_test_frame plain;
	struct sk_buff *skb;
	bool done;

	psp_test_frame_tcp(&plain, &layout);
	skb = psp_test_skb(test, &plain, plain.len, plain.len);
	/* Without a socket, it is the flow hash that counts */
	skb_set_hash(skb, 0x87654321, PKT_HASH_TYPE_L4);
	skb->sk = sk;
	done = psp_dev_encapsulate(&init_net, skb, cpu_to_be32(PSP_TEST_SPI),
				   PSP_TEST_VERSION, 0);
	skb->sk = NULL;
	KUNIT_ASSERT_TRUE(test, done);

	return ntohs(udp_hdr(skb)->source);
}

/* One source port for the life of a connection: what TCP changes when it looks
 * for another path must not count.
 */
static void psp_test_encap_sport(struct kunit *test)
{
	int low, high, first, i, others = 0;
	struct sock *sk;
	u16 sport;

	inet_get_local_port_range(&init_net, &low, &high);
	sk = kunit_kzalloc(test, sizeof(*sk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sk);

	sk->sk_hash = 0x12345678;
	first = psp_test_sport(test, sk);
	for (i = 0; i < 8; i++) {
		sk->sk_txhash = i;
		KUNIT_EXPECT_EQ(test, first, psp_test_sport(test, sk));
	}

	for (i = 1; i < 256; i++) {
		sk->sk_hash = i * 0x01010101;
		sport = psp_test_sport(test, sk);
		KUNIT_EXPECT_GE(test, sport, low);
		KUNIT_EXPECT_LE(test, sport, high);
		others += sport != first;
	}
	KUNIT_EXPECT_GT(test, others, 200);

	/* Segments without a socket have one as well */
	sport = psp_test_sport(test, NULL);
	KUNIT_EXPECT_GE(test, sport, low);
	KUNIT_EXPECT_LE(test, sport, high);
}

/* What a device does when it sends: an ICV behind, and in all lengths */
static void psp_test_add_icv(struct kunit *test, struct sk_buff *skb,
			     const struct psp_test_frame *like)
{
	struct psp_test_frame frame = *like;

	KUNIT_ASSERT_EQ(test, 0, skb_linearize(skb));
	KUNIT_ASSERT_GE(test, skb_tailroom(skb), PSP_TRL_SIZE);
	memset(skb_put(skb, PSP_TRL_SIZE), 0xee, PSP_TRL_SIZE);

	memcpy(frame.data, skb->data, skb->len);
	psp_test_frame_set_end(&frame, skb->len);
	memcpy(skb->data, frame.data, skb->len);
}

static void psp_test_encap_round_trip(struct kunit *test)
{
	struct psp_test_frame plain, sealed;
	struct psp_encap_info info;
	struct sk_buff *skb;

	psp_test_frame_tcp(&plain, test->param_value);
	psp_test_frame_psp(&sealed, test->param_value);
	skb = psp_test_skb(test, &plain, plain.len, plain.len);

	KUNIT_ASSERT_TRUE(test, psp_test_encapsulate(skb));
	psp_test_add_icv(test, skb, &sealed);

	KUNIT_ASSERT_EQ(test, 0, psp_encap_parse(skb, &info, true));
	KUNIT_EXPECT_EQ(test, info.spi, cpu_to_be32(PSP_TEST_SPI));
	KUNIT_EXPECT_EQ(test, info.version, PSP_TEST_VERSION);
	KUNIT_ASSERT_EQ(test, 0, psp_encap_strip(skb, &info, true));
	psp_test_expect_frame(test, skb, &plain);
}

static struct kunit_case psp_encap_cases[] = {
	KUNIT_CASE_PARAM(psp_test_encap_write, psp_encap_gen_params),
	KUNIT_CASE_PARAM(psp_test_encap_write_with_room, psp_encap_gen_params),
	KUNIT_CASE_PARAM(psp_test_encap_write_clone, psp_encap_gen_params),
	KUNIT_CASE_PARAM(psp_test_encap_write_gso, psp_encap_gen_params),
	KUNIT_CASE(psp_test_encap_refuses),
	KUNIT_CASE(psp_test_encap_sport),
	KUNIT_CASE_PARAM(psp_test_encap_round_trip, psp_encap_gen_params),
	{}
};

static struct kunit_suite psp_encap_suite = {
	.name = "psp_encap",
	.test_cases = psp_encap_cases,
};

kunit_test_suite(psp_encap_suite);
