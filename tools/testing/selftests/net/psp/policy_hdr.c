// SPDX-License-Identifier: GPL-2.0
/*
 * PSP headers as other senders may write them: any crypt offset that fits, and
 * a virtualization cookie, are accepted; what does not fit is counted as an
 * error and dropped.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "policy.h"

#define TEXT		"sixteen octets.."
#define INNER_LEN	36	/* TCP header and TEXT */
#define COOKIE		0x1122334455667788
#define OFFSET_MAX	252	/* the most that the header can say */

FIXTURE(hdr)
{
	struct policy p;
	struct wire wire;
};

FIXTURE_VARIANT(hdr)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(hdr, ipv4_gcm128)
{
	.family = PSP_IPV4,
	.version = PSP_VERSION_HDR0_AES_GCM_128,
};

FIXTURE_VARIANT_ADD(hdr, ipv6_gcm256)
{
	.family = PSP_IPV6,
	.version = PSP_VERSION_HDR0_AES_GCM_256,
};

FIXTURE_VARIANT_ADD(hdr, ipv4_gmac256)
{
	.family = PSP_IPV4,
	.version = PSP_VERSION_HDR0_AES_GMAC_256,
};

FIXTURE_VARIANT_ADD(hdr, ipv6_gmac128)
{
	.family = PSP_IPV6,
	.version = PSP_VERSION_HDR0_AES_GMAC_128,
};

FIXTURE_SETUP(hdr)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_open(p, variant->family, variant->version));
	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, wire_open(&self->wire, &p->conn));
	wire_key(&self->wire, &p->conn.a.rx);
	wire_key(&self->wire, &p->conn.b.rx);
}

FIXTURE_TEARDOWN(hdr)
{
	wire_close(&self->wire);
	policy_close(&self->p);
}

/* A packet with TEXT for A; returns its length or -errno */
static int hdr_packet(struct policy *p, struct seal_hdr *hdr, uint8_t *psp)
{
	const struct forge_seg seg = {
		.flags = FORGE_ACK | FORGE_PSH,
		.data = TEXT,
		.len = strlen(TEXT),
	};

	hdr->version = p->version;
	return forge_seal(&p->forge, &seg, hdr, &p->conn.a.rx, psp);
}

/* A says, under PSP, that it has got all up to @ack */
static int hdr_acked(struct wire *wire, uint32_t ack)
{
	struct wire_seg seg;
	int ret;

	do {
		ret = wire_next(wire, &seg, POLICY_MS);
		if (ret <= 0)
			return ret ? ret : -ETIMEDOUT;
	} while (!seg.from_a || seg.ack != ack);
	return seg.psp ? 0 : -EPROTO;
}

static void expect_accepted(struct __test_metadata *_metadata,
			    struct policy *p, struct wire *wire,
			    struct seal_hdr *hdr)
{
	uint8_t psp[FORGE_PSP_MAX];
	int len;

	ASSERT_EQ(0, forge_sync(&p->forge, p->conn.a.fd));
	len = hdr_packet(p, hdr, psp);
	ASSERT_LT(0, len);
	ASSERT_EQ(0, forge_udp(&p->forge, psp, len));
	ASSERT_EQ(0, policy_reads(p->conn.a.fd, TEXT)) {
		TH_LOG("crypt offset %d", hdr->crypt_offset);
	}
	EXPECT_EQ(0, hdr_acked(wire, p->forge.seq + strlen(TEXT)));
}

TEST_F(hdr, crypt_offset_that_fits_is_accepted)
{
	struct seal_hdr hdr = { };

	for (; hdr.crypt_offset <= INNER_LEN; hdr.crypt_offset += 4)
		expect_accepted(_metadata, &self->p, &self->wire, &hdr);
	EXPECT_EQ(0, policy_dropped_none(&self->p));
}

/* The cookie counts inside the crypt offset */
TEST_F(hdr, virtualization_cookie_is_accepted)
{
	struct seal_hdr hdr = {
		.virt = true, .cookie = COOKIE, .crypt_offset = SEAL_COOKIE_LEN,
	};

	for (; hdr.crypt_offset <= SEAL_COOKIE_LEN + INNER_LEN;
	     hdr.crypt_offset += 4)
		expect_accepted(_metadata, &self->p, &self->wire, &hdr);
	EXPECT_EQ(0, policy_dropped_none(&self->p));
}

/* One packet that A's device counts as an error, and as nothing else */
static void expect_error(struct __test_metadata *_metadata, struct policy *p,
			 const uint8_t *psp, int len)
{
	struct psp_stats now;

	ASSERT_EQ(0, policy_mark(p));
	ASSERT_EQ(0, forge_udp(&p->forge, psp, len));
	ASSERT_EQ(0, policy_refused(p, 1));
	ASSERT_EQ(0, psp_nl_stats(&p->net.a.nl, p->net.a.dev_id, &now));
	EXPECT_EQ(psp_stat(&p->stats, RX_ERROR) + 1, psp_stat(&now, RX_ERROR));
	EXPECT_TRUE(policy_is_quiet(p->conn.a.fd));
}

TEST_F(hdr, crypt_offset_beyond_the_payload_is_rx_error)
{
	struct policy *p = &self->p;
	uint8_t psp[FORGE_PSP_MAX];
	struct seal_hdr hdr = { };
	int len, offset;

	len = hdr_packet(p, &hdr, psp);
	ASSERT_LT(0, len);
	for (offset = INNER_LEN + 4; offset <= INNER_LEN + PSP_ICV_LEN + 4;
	     offset += 4) {
		psp[2] = offset / 4;
		expect_error(_metadata, p, psp, len);
	}
	psp[2] = OFFSET_MAX / 4;
	expect_error(_metadata, p, psp, len);
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

TEST_F(hdr, crypt_offset_that_does_not_fit_a_cookie_is_rx_error)
{
	struct policy *p = &self->p;
	uint8_t psp[FORGE_PSP_MAX];
	struct seal_hdr hdr = {
		.virt = true, .cookie = COOKIE, .crypt_offset = SEAL_COOKIE_LEN,
	};
	int len;

	len = hdr_packet(p, &hdr, psp);
	ASSERT_LT(0, len);
	/* Part of the cookie, or none of it, in clear; more than there is */
	psp[2] = 0;
	expect_error(_metadata, p, psp, len);
	psp[2] = 1;
	expect_error(_metadata, p, psp, len);
	psp[2] = (SEAL_COOKIE_LEN + INNER_LEN) / 4 + 1;
	expect_error(_metadata, p, psp, len);
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

TEST_F(hdr, header_length_that_is_not_the_cookie_s_is_rx_error)
{
	struct seal_hdr cookie = {
		.virt = true, .cookie = COOKIE, .crypt_offset = SEAL_COOKIE_LEN,
	};
	struct policy *p = &self->p;
	uint8_t psp[FORGE_PSP_MAX];
	struct seal_hdr none = { };
	int len;

	/* A cookie without the room for it, or more room than that */
	len = hdr_packet(p, &cookie, psp);
	ASSERT_LT(0, len);
	psp[1] = 1;
	expect_error(_metadata, p, psp, len);
	psp[1] = 3;
	expect_error(_metadata, p, psp, len);

	/* Room, but no cookie */
	len = hdr_packet(p, &none, psp);
	ASSERT_LT(0, len);
	psp[1] = 2;
	expect_error(_metadata, p, psp, len);
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

/* The cookie is not encrypted, but nobody may change it on the way */
TEST_F(hdr, altered_cookie_is_rx_auth_fail)
{
	struct seal_hdr hdr = {
		.virt = true, .cookie = COOKIE, .crypt_offset = SEAL_COOKIE_LEN,
	};
	struct policy *p = &self->p;
	uint8_t psp[FORGE_PSP_MAX];
	struct psp_stats now;
	int len;

	len = hdr_packet(p, &hdr, psp);
	ASSERT_LT(0, len);
	psp[PSP_HDR_LEN] ^= 1;
	ASSERT_EQ(0, policy_mark(p));
	ASSERT_EQ(0, forge_udp(&p->forge, psp, len));
	ASSERT_EQ(0, policy_refused(p, 1));
	ASSERT_EQ(0, psp_nl_stats(&p->net.a.nl, p->net.a.dev_id, &now));
	EXPECT_EQ(psp_stat(&p->stats, RX_AUTH_FAIL) + 1,
		  psp_stat(&now, RX_AUTH_FAIL));
	EXPECT_EQ(0, psp_conn_ping(&p->conn));
}

TEST_HARNESS_MAIN
