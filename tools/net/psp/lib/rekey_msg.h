/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef REKEY_MSG_H
#define REKEY_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libpsp.h"

#define REKEY_MSG_VERSION	1

enum rekey_msg_type {
	REKEY_MSG_OFFER = 1,	/* send to me under this */
	REKEY_MSG_ACK,		/* I do now */
	REKEY_MSG_LATER,	/* not yet, but I go on to try */
	REKEY_MSG_REFUSE,	/* I shall not */
};

enum rekey_reason {
	REKEY_WHY_PROTOCOL = 1,	/* message of an unknown version */
	REKEY_WHY_MALFORMED,	/* bad length, key or SPI */
	REKEY_WHY_VERSION,	/* another PSP version than the connection's */
	REKEY_WHY_NO_SPACE,	/* the device is full */
	REKEY_WHY_BUSY,		/* the socket is not ready for it */
	REKEY_WHY_KERNEL,	/* any other refusal of the kernel */
};

/**
 * struct rekey_msg - a message, taken apart
 * @type: of enum rekey_msg_type
 * @seq: the offer that it is, or is about
 * @reason: of enum rekey_reason, for LATER and REFUSE
 * @version: PSP version, for OFFER
 * @key: for OFFER
 */
struct rekey_msg {
	uint8_t type;
	uint32_t seq;
	uint16_t reason;
	uint8_t version;
	struct psp_key key;
};

/* A kernel accepts it, as far as SPI and length tell */
bool rekey_key_is_sane(const struct psp_key *key, uint32_t version);

/* @buf has PSP_REKEY_MSG_MAX bytes; returns the length */
size_t rekey_msg_put(const struct rekey_msg *msg, uint8_t *buf);

/*
 * 0; -EBADMSG; -EPROTONOSUPPORT: another version, -EOPNOTSUPP: another type:
 * then @msg has type and sequence.
 */
int rekey_msg_get(struct rekey_msg *msg, const void *buf, size_t len);

#endif /* REKEY_MSG_H */
