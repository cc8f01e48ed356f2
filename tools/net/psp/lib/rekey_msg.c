// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Messages between the two ends of a connection: bytes and back */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "psp_rekey.h"
#include "rekey_msg.h"

#define REKEY_SPI_MASK	0x7fffffffU

/* Offsets; those of the header are for ever */
enum {
	REKEY_OFF_VERSION = 0,
	REKEY_OFF_TYPE = 1,
	REKEY_OFF_LEN = 2,
	REKEY_OFF_SEQ = 4,
	REKEY_OFF_BODY = PSP_REKEY_MSG_MIN,

	REKEY_OFF_REASON = REKEY_OFF_BODY,
	REKEY_OFF_REASON_ZERO = REKEY_OFF_BODY + 2,
	REKEY_OFF_ANSWER_END = REKEY_OFF_BODY + 4,

	REKEY_OFF_PSP_VERSION = REKEY_OFF_BODY,
	REKEY_OFF_OFFER_ZERO = REKEY_OFF_BODY + 1,
	REKEY_OFF_SPI = REKEY_OFF_BODY + 4,
	REKEY_OFF_KEY = REKEY_OFF_BODY + 8,
};

static void rekey_put16(uint8_t *to, uint16_t val)
{
	val = htons(val);
	memcpy(to, &val, sizeof(val));
}

static void rekey_put32(uint8_t *to, uint32_t val)
{
	val = htonl(val);
	memcpy(to, &val, sizeof(val));
}

static uint16_t rekey_get16(const uint8_t *from)
{
	uint16_t val;

	memcpy(&val, from, sizeof(val));
	return ntohs(val);
}

static uint32_t rekey_get32(const uint8_t *from)
{
	uint32_t val;

	memcpy(&val, from, sizeof(val));
	return ntohl(val);
}

bool rekey_key_is_sane(const struct psp_key *key, uint32_t version)
{
	return key->len && key->len == psp_version_key_len(version) &&
	       (key->spi & REKEY_SPI_MASK);
}

size_t rekey_msg_put(const struct rekey_msg *msg, uint8_t *buf)
{
	size_t len = REKEY_OFF_BODY;

	memset(buf, 0, PSP_REKEY_MSG_MAX);
	switch (msg->type) {
	case REKEY_MSG_OFFER:
		buf[REKEY_OFF_PSP_VERSION] = msg->version;
		rekey_put32(buf + REKEY_OFF_SPI, msg->key.spi);
		memcpy(buf + REKEY_OFF_KEY, msg->key.key, msg->key.len);
		len = REKEY_OFF_KEY + msg->key.len;
		break;
	case REKEY_MSG_LATER:
	case REKEY_MSG_REFUSE:
		rekey_put16(buf + REKEY_OFF_REASON, msg->reason);
		len = REKEY_OFF_ANSWER_END;
		break;
	}
	buf[REKEY_OFF_VERSION] = REKEY_MSG_VERSION;
	buf[REKEY_OFF_TYPE] = msg->type;
	rekey_put16(buf + REKEY_OFF_LEN, len);
	rekey_put32(buf + REKEY_OFF_SEQ, msg->seq);
	return len;
}

ssize_t psp_rekey_msg_len(const void *buf, size_t len)
{
	uint16_t msg_len;

	if (len < REKEY_OFF_LEN + sizeof(msg_len))
		return 0;
	msg_len = rekey_get16((const uint8_t *)buf + REKEY_OFF_LEN);
	return msg_len < PSP_REKEY_MSG_MIN ? -EBADMSG : msg_len;
}

/* A key that is none is the sender's mistake, not one of the format */
static int rekey_msg_get_offer(struct rekey_msg *msg, const uint8_t *buf,
			       size_t len)
{
	static const uint8_t zero[3];

	if (len < REKEY_OFF_KEY || len > REKEY_OFF_KEY + PSP_KEY_LEN_MAX ||
	    memcmp(buf + REKEY_OFF_OFFER_ZERO, zero, sizeof(zero)))
		return -EBADMSG;
	msg->version = buf[REKEY_OFF_PSP_VERSION];
	msg->key.spi = rekey_get32(buf + REKEY_OFF_SPI);
	msg->key.len = len - REKEY_OFF_KEY;
	memcpy(msg->key.key, buf + REKEY_OFF_KEY, msg->key.len);
	return 0;
}

static int rekey_msg_get_reason(struct rekey_msg *msg, const uint8_t *buf,
				size_t len)
{
	if (len != REKEY_OFF_ANSWER_END ||
	    rekey_get16(buf + REKEY_OFF_REASON_ZERO))
		return -EBADMSG;
	msg->reason = rekey_get16(buf + REKEY_OFF_REASON);
	return 0;
}

int rekey_msg_get(struct rekey_msg *msg, const void *data, size_t len)
{
	const uint8_t *buf = data;

	memset(msg, 0, sizeof(*msg));
	if (len < PSP_REKEY_MSG_MIN || rekey_get16(buf + REKEY_OFF_LEN) != len)
		return -EBADMSG;
	msg->type = buf[REKEY_OFF_TYPE];
	msg->seq = rekey_get32(buf + REKEY_OFF_SEQ);
	/* REFUSE is the same in all versions: it says that there are others */
	if (buf[REKEY_OFF_VERSION] != REKEY_MSG_VERSION &&
	    msg->type != REKEY_MSG_REFUSE)
		return -EPROTONOSUPPORT;

	switch (msg->type) {
	case REKEY_MSG_OFFER:
		return rekey_msg_get_offer(msg, buf, len);
	case REKEY_MSG_ACK:
		return len == REKEY_OFF_BODY ? 0 : -EBADMSG;
	case REKEY_MSG_LATER:
	case REKEY_MSG_REFUSE:
		return rekey_msg_get_reason(msg, buf, len);
	default:
		return -EOPNOTSUPP;
	}
}
