// SPDX-License-Identifier: GPL-2.0
/*
 * Plain data that hides from a look at the first TCP header: in fragments and
 * behind extension headers. The policy holds for it as for any other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include "kselftest_harness.h"
#include "policy.h"

#define FRAG_TEXT	"forged segment"

/* How the segment is sent; from IP6_DEST_OPTIONS on with options */
enum disguise {
	IP4_TWO_FRAGMENTS,
	IP6_ATOMIC_FRAGMENT,
	IP6_TWO_FRAGMENTS,
	IP6_DEST_OPTIONS,
	IP6_HOP_BY_HOP,
	IP6_ATOMIC_DEST_OPTIONS,
	IP6_TWO_FRAGMENTS_DEST_OPTIONS,
};

FIXTURE(policy)
{
	struct policy p;
};

FIXTURE_VARIANT(policy)
{
	enum psp_family family;
	enum disguise disguise;
};

FIXTURE_VARIANT_ADD(policy, ip4_two_fragments)
{
	.family = PSP_IPV4,
	.disguise = IP4_TWO_FRAGMENTS,
};

FIXTURE_VARIANT_ADD(policy, ip6_atomic_fragment)
{
	.family = PSP_IPV6,
	.disguise = IP6_ATOMIC_FRAGMENT,
};

FIXTURE_VARIANT_ADD(policy, ip6_two_fragments)
{
	.family = PSP_IPV6,
	.disguise = IP6_TWO_FRAGMENTS,
};

FIXTURE_VARIANT_ADD(policy, ip6_dest_options)
{
	.family = PSP_IPV6,
	.disguise = IP6_DEST_OPTIONS,
};

FIXTURE_VARIANT_ADD(policy, ip6_hop_by_hop)
{
	.family = PSP_IPV6,
	.disguise = IP6_HOP_BY_HOP,
};

FIXTURE_VARIANT_ADD(policy, ip6_atomic_fragment_dest_options)
{
	.family = PSP_IPV6,
	.disguise = IP6_ATOMIC_DEST_OPTIONS,
};

FIXTURE_VARIANT_ADD(policy, ip6_two_fragments_dest_options)
{
	.family = PSP_IPV6,
	.disguise = IP6_TWO_FRAGMENTS_DEST_OPTIONS,
};

FIXTURE_SETUP(policy)
{
	ASSERT_EQ(0, policy_open(&self->p, variant->family, 0));
}

FIXTURE_TEARDOWN(policy)
{
	policy_close(&self->p);
}

/* An options header of 8 bytes in front of the segment, nothing but padding */
static size_t put_options(uint8_t *packet, size_t len)
{
	const uint8_t options[8] = { IPPROTO_TCP, 0, IP6OPT_PADN, 4 };

	memmove(packet + sizeof(options), packet, len);
	memcpy(packet, options, sizeof(options));
	return sizeof(options) + len;
}

static int send_fragment6(const struct forge *forge, const uint8_t *payload,
			  uint8_t proto, size_t offset, size_t end, bool more)
{
	struct ip6_frag frag = {
		.ip6f_nxt = proto,
		.ip6f_offlg = htons(offset | more),
		.ip6f_ident = htonl(forge->seq),
	};
	uint8_t packet[256];

	memcpy(packet, &frag, sizeof(frag));
	memcpy(packet + sizeof(frag), payload + offset, end - offset);
	return forge_ip(forge, IPPROTO_FRAGMENT, packet,
			sizeof(frag) + end - offset);
}

/* The first one has to hold all headers */
static int send_two_fragments6(const struct forge *forge,
			       const uint8_t *payload, uint8_t proto,
			       size_t len)
{
	int err = send_fragment6(forge, payload, proto, 0, 32, true);

	return err ? err : send_fragment6(forge, payload, proto, 32, len,
					  false);
}

static int send_two_fragments4(struct forge *forge, const uint8_t *tcp,
			       size_t len)
{
	int err;

	forge->frag = IP_MF;
	err = forge_ip(forge, IPPROTO_TCP, tcp, 32);
	forge->frag = 32 / 8;
	if (!err)
		err = forge_ip(forge, IPPROTO_TCP, tcp + 32, len - 32);
	forge->frag = 0;
	return err;
}

static int send_disguised(struct forge *forge, enum disguise disguise)
{
	const struct forge_seg seg = {
		.flags = FORGE_ACK,
		.data = FRAG_TEXT,
		.len = strlen(FRAG_TEXT),
	};
	uint8_t packet[256];
	size_t len = forge_tcp(forge, &seg, packet);

	if (disguise >= IP6_DEST_OPTIONS)
		len = put_options(packet, len);
	switch (disguise) {
	case IP4_TWO_FRAGMENTS:
		return send_two_fragments4(forge, packet, len);
	case IP6_ATOMIC_FRAGMENT:
		return send_fragment6(forge, packet, IPPROTO_TCP, 0, len,
				      false);
	case IP6_TWO_FRAGMENTS:
		return send_two_fragments6(forge, packet, IPPROTO_TCP, len);
	case IP6_DEST_OPTIONS:
		return forge_ip(forge, IPPROTO_DSTOPTS, packet, len);
	case IP6_HOP_BY_HOP:
		return forge_ip(forge, IPPROTO_HOPOPTS, packet, len);
	case IP6_ATOMIC_DEST_OPTIONS:
		return send_fragment6(forge, packet, IPPROTO_DSTOPTS, 0, len,
				      false);
	case IP6_TWO_FRAGMENTS_DEST_OPTIONS:
		return send_two_fragments6(forge, packet, IPPROTO_DSTOPTS,
					   len);
	}
	return -EINVAL;
}

TEST_F(policy, rx_disguised_plain_data__no_state_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_NO_STATE));
	ASSERT_EQ(0, send_disguised(&p->forge, variant->disguise));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, FRAG_TEXT));
}

TEST_F(policy, rx_disguised_plain_data__rx_assoc_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_RX_ASSOC));
	ASSERT_EQ(0, send_disguised(&p->forge, variant->disguise));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, FRAG_TEXT));
	EXPECT_EQ(0, policy_dropped_none(p));
}

TEST_F(policy, rx_disguised_plain_data__tx_key_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	ASSERT_EQ(0, send_disguised(&p->forge, variant->disguise));
	EXPECT_EQ(0, policy_dropped(p, "plain-data", 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(0, policy_complete(p));
}

TEST_F(policy, rx_disguised_plain_data__psp_full_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, send_disguised(&p->forge, variant->disguise));
	EXPECT_EQ(0, policy_dropped(p, "plain-full", 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

FIXTURE(left_alone)
{
	struct policy p;
};

/* What is not to be tracked is not put together before LOCAL_IN either */
FIXTURE_SETUP(left_alone)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_open(p, PSP_IPV6, 0));
	ASSERT_EQ(0, psp_sh(p->net.a.ns,
			    "nft 'add table ip6 t;"
			    "add chain ip6 t c { type filter hook prerouting priority -500; };"
			    "add rule ip6 t c exthdr frag exists notrack;"
			    "'"));
}

FIXTURE_TEARDOWN(left_alone)
{
	policy_close(&self->p);
}

/* TCP would get it from the reassembly behind LOCAL_IN. Mainline's PSP drops
 * what comes out of that.
 */
static void expect_fragments_dropped(struct __test_metadata *_metadata,
				     struct policy *p, enum disguise disguise)
{
	ASSERT_EQ(0, policy_mark(p));
	ASSERT_EQ(0, send_disguised(&p->forge, disguise));
	EXPECT_EQ(0, policy_dropped(p, "rx-fragment",
				    psp_nl_rekeys(&p->net.a.nl) ? 2 : 1));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
}

TEST_F(left_alone, rx_fragments_of_plain_data__tx_key_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_TX_KEY));
	expect_fragments_dropped(_metadata, p, IP6_TWO_FRAGMENTS);
	expect_fragments_dropped(_metadata, p, IP6_TWO_FRAGMENTS_DEST_OPTIONS);
	EXPECT_EQ(0, policy_complete(p));
}

TEST_F(left_alone, rx_fragments_of_plain_data__psp_full_dropped)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	expect_fragments_dropped(_metadata, p, IP6_TWO_FRAGMENTS);
	expect_fragments_dropped(_metadata, p, IP6_TWO_FRAGMENTS_DEST_OPTIONS);
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

TEST_HARNESS_MAIN
