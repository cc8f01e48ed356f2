// SPDX-License-Identifier: GPL-2.0
/*
 * Another implementation of PSP, seal.c, reads what is on the wire with the
 * keys that rx-assoc returned, and is read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "policy.h"

#define WIRE_BYTES	65536

FIXTURE(wire)
{
	struct policy p;
	struct wire wire;
	uint8_t want[WIRE_BYTES];
	uint8_t got[WIRE_BYTES];
};

FIXTURE_VARIANT(wire)
{
	enum psp_family family;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(wire, ipv4_gcm128)
{
	.family = PSP_IPV4,
	.version = 0,
};

FIXTURE_VARIANT_ADD(wire, ipv4_gcm256)
{
	.family = PSP_IPV4,
	.version = 1,
};

FIXTURE_VARIANT_ADD(wire, ipv4_gmac128)
{
	.family = PSP_IPV4,
	.version = 2,
};

FIXTURE_VARIANT_ADD(wire, ipv4_gmac256)
{
	.family = PSP_IPV4,
	.version = 3,
};

FIXTURE_VARIANT_ADD(wire, ipv6_gcm128)
{
	.family = PSP_IPV6,
	.version = 0,
};

FIXTURE_VARIANT_ADD(wire, ipv6_gcm256)
{
	.family = PSP_IPV6,
	.version = 1,
};

FIXTURE_VARIANT_ADD(wire, ipv6_gmac128)
{
	.family = PSP_IPV6,
	.version = 2,
};

FIXTURE_VARIANT_ADD(wire, ipv6_gmac256)
{
	.family = PSP_IPV6,
	.version = 3,
};

FIXTURE_SETUP(wire)
{
	ASSERT_EQ(0, policy_open(&self->p, variant->family, variant->version));
	ASSERT_EQ(0, wire_open(&self->wire, &self->p.conn));
}

FIXTURE_TEARDOWN(wire)
{
	wire_close(&self->wire);
	policy_close(&self->p);
}

/* Put the payload where it belongs in the stream; returns bytes not yet seen */
static size_t collect(const struct wire_seg *seg, uint32_t start, uint8_t *got,
		      size_t *end)
{
	uint32_t pos = seg->seq - start;

	if (pos > *end || pos + seg->len > WIRE_BYTES)
		return WIRE_BYTES - *end;
	memcpy(got + pos, seg->data, seg->len);
	if (pos + seg->len > *end)
		*end = pos + seg->len;
	return WIRE_BYTES - *end;
}

/* Encrypted: the plain text must not be there. GMAC: it must. */
static void expect_hidden(struct __test_metadata *_metadata,
			  const struct wire *wire, const struct wire_seg *seg,
			  bool hidden)
{
	const struct psp_frame *frame = &wire->frame;

	EXPECT_EQ(hidden, !memmem(frame->data, frame->len, seg->data,
				  seg->len));
}

static void expect_stream(struct __test_metadata *_metadata, struct wire *wire,
			  bool from_a, uint32_t start, const uint8_t *want,
			  uint8_t *got, bool hidden)
{
	size_t end = 0, left = WIRE_BYTES;
	struct wire_seg seg;

	while (left) {
		ASSERT_EQ(1, wire_next(wire, &seg, POLICY_MS));
		if (seg.from_a != from_a || !seg.len)
			continue;
		ASSERT_TRUE(seg.psp);
		if (seg.len >= 16)
			expect_hidden(_metadata, wire, &seg, hidden);
		left = collect(&seg, start, got, &end);
	}
	EXPECT_EQ(0, memcmp(want, got, WIRE_BYTES));
}

/* Keys come from rx-assoc of the receiving end, nothing else is known */
TEST_F(wire, packets_open_with_the_key_of_rx_assoc)
{
	struct policy *p = &self->p;
	bool hidden = variant->version < 2;
	struct psp_xfer xfer;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	wire_flush(&self->wire);
	wire_key(&self->wire, &p->conn.b.rx);
	wire_key(&self->wire, &p->conn.a.rx);

	psp_xfer_init(&xfer, &p->conn.a, &p->conn.b, WIRE_BYTES);
	psp_pattern(xfer.seed, 0, self->want, WIRE_BYTES);
	ASSERT_EQ(0, psp_xfer_run(&xfer, 1, POLICY_MS));
	expect_stream(_metadata, &self->wire, true, p->forge.ack, self->want,
		      self->got, hidden);

	psp_xfer_init(&xfer, &p->conn.b, &p->conn.a, WIRE_BYTES);
	psp_pattern(xfer.seed, 0, self->want, WIRE_BYTES);
	ASSERT_EQ(0, psp_xfer_run(&xfer, 1, POLICY_MS));
	expect_stream(_metadata, &self->wire, false, p->forge.seq, self->want,
		      self->got, hidden);
}

/* Header fields that the AEAD does not need to be right to be opened */
TEST_F(wire, headers_are_as_specified)
{
	const struct psp_frame *frame = &self->wire.frame;
	struct policy *p = &self->p;
	struct wire_seg seg;
	const uint8_t *udp;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	wire_flush(&self->wire);
	wire_key(&self->wire, &p->conn.b.rx);
	wire_key(&self->wire, &p->conn.a.rx);
	ASSERT_EQ(0, policy_send(p->conn.a.fd, "hello"));
	do {
		ASSERT_EQ(1, wire_next(&self->wire, &seg, POLICY_MS));
	} while (!seg.from_a);

	udp = frame->data + frame->l4;
	EXPECT_EQ(IPPROTO_UDP, frame->proto);
	EXPECT_EQ(1000, udp[2] << 8 | udp[3]);
	EXPECT_EQ(frame->len - frame->l4, udp[4] << 8 | udp[5]);
	EXPECT_EQ(0, udp[6] | udp[7]);
	EXPECT_EQ(IPPROTO_TCP, udp[8]);
	EXPECT_EQ(1, udp[9]);
	EXPECT_EQ(0, udp[10]);
	EXPECT_EQ(variant->version << 2 | 1, udp[11]);
	EXPECT_EQ(p->conn.b.rx.spi, frame->spi);
	EXPECT_NE(0, frame->spi & 0x7fffffff);
}

TEST_F(wire, packets_sealed_elsewhere_are_accepted)
{
	struct policy *p = &self->p;

	ASSERT_EQ(0, policy_reach(p, POLICY_PSP_FULL));
	ASSERT_EQ(0, forge_psp_text(&p->forge, "from elsewhere", p->version,
				    &p->conn.a.rx));
	EXPECT_EQ(0, policy_reads(p->conn.a.fd, "from elsewhere"));
	EXPECT_EQ(0, policy_dropped_none(p));
}

/* A published packet, so that seal.c itself is held to the specification:
 * IPv4 from 127.0.0.1 to itself, UDP port 1234 to 5678, nine times "A".
 */
static const uint8_t known_plain[] = {
	0x45, 0x00, 0x00, 0x25, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11, 0x7c, 0xc5,
	0x7f, 0x00, 0x00, 0x01, 0x7f, 0x00, 0x00, 0x01, 0x04, 0xd2, 0x16, 0x2e,
	0x00, 0x11, 0xa0, 0xc4, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41,
	0x41,
};

static const uint8_t known_hdr[] = {
	0x04, 0x01, 0x05, 0x01, 0x11, 0x22, 0x33, 0x44,
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
};

static const uint8_t known_sealed[] = {
	0x8e, 0x3e, 0x2b, 0x13, 0x45, 0xc7, 0x6b, 0xf9, 0x5c, 0xda, 0xc3, 0x9b,
	0x86, 0x17, 0x62, 0xa0, 0xcf, 0xdf, 0xfb, 0xbe, 0xbb, 0xc6, 0x31, 0x3a,
	0x2b, 0x9d, 0xe0, 0x64, 0x75, 0x9c, 0xdd, 0x71, 0xc9,
};

static const struct psp_key known_key = {
	.spi = 0x11223344,
	.len = 16,
	.key = {
		0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88,
		0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00,
	},
};

TEST(seal_writes_the_published_packet)
{
	const struct seal_hdr hdr = {
		.nexthdr = 4, .crypt_offset = 20, .iv = 0x0102030405060708,
	};
	uint8_t out[128];

	ASSERT_EQ(sizeof(known_hdr) + sizeof(known_plain) + PSP_ICV_LEN,
		  seal_packet(&known_key, &hdr, known_plain,
			      sizeof(known_plain), out));
	EXPECT_EQ(0, memcmp(out, known_hdr, sizeof(known_hdr)));
	EXPECT_EQ(0, memcmp(out + sizeof(known_hdr), known_plain, 20));
	EXPECT_EQ(0, memcmp(out + sizeof(known_hdr) + 20, known_sealed,
			    sizeof(known_sealed)));
}

TEST(seal_opens_the_published_packet)
{
	static struct psp_frame frame;
	uint8_t *data = frame.data + 28, plain[64];

	memcpy(data, known_hdr, sizeof(known_hdr));
	memcpy(data + 16, known_plain, 20);
	memcpy(data + 36, known_sealed, sizeof(known_sealed));
	frame.psp = true;
	frame.l4 = 20;
	frame.payload = 28 + 16;
	frame.payload_len = sizeof(known_plain);
	frame.len = 28 + 36 + sizeof(known_sealed);
	ASSERT_EQ(sizeof(known_plain), seal_open(&known_key, &frame, plain));
	EXPECT_EQ(0, memcmp(plain, known_plain, sizeof(known_plain)));

	frame.data[frame.len - 1] ^= 1;
	EXPECT_EQ(-EBADMSG, seal_open(&known_key, &frame, plain));
}

TEST_HARNESS_MAIN
