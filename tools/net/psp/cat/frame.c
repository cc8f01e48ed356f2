// SPDX-License-Identifier: GPL-2.0
/* Frames: type, 0, length of the payload in two bytes, payload */
#include <stdlib.h>
#include <string.h>

#include "pspcat.h"

int buf_init(struct buf *buf, size_t size)
{
	memset(buf, 0, sizeof(*buf));
	buf->data = malloc(size);
	buf->size = buf->data ? size : 0;
	return buf->data ? 0 : -1;
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

uint8_t *buf_room(struct buf *buf, size_t len)
{
	if (len > buf->size - buf->len)
		return NULL;
	if (len > buf->size - buf->at - buf->len) {
		memmove(buf->data, buf->data + buf->at, buf->len);
		buf->at = 0;
	}
	return buf->data + buf->at + buf->len;
}

void buf_grow(struct buf *buf, size_t len)
{
	buf->len += len;
}

const uint8_t *buf_peek(const struct buf *buf)
{
	return buf->data + buf->at;
}

void buf_drop(struct buf *buf, size_t len)
{
	buf->len -= len;
	buf->at = buf->len ? buf->at + len : 0;
}

uint8_t *frame_begin(struct buf *buf, size_t max)
{
	uint8_t *head = buf_room(buf, FRAME_HEAD + max);

	return head ? head + FRAME_HEAD : NULL;
}

void frame_end(struct buf *buf, enum frame_type type, size_t len)
{
	uint8_t *head = buf->data + buf->at + buf->len;

	head[0] = type;
	head[1] = 0;
	head[2] = len >> 8;
	head[3] = len;
	buf_grow(buf, FRAME_HEAD + len);
}

bool frame_put(struct buf *buf, enum frame_type type, const void *data,
	       size_t len)
{
	uint8_t *to = frame_begin(buf, len);

	if (!to)
		return false;
	if (len)
		memcpy(to, data, len);
	frame_end(buf, type, len);
	return true;
}

int frame_get(const struct buf *buf, enum frame_type *type,
	      const uint8_t **data, size_t *len)
{
	const uint8_t *head = buf_peek(buf);

	if (buf->len < FRAME_HEAD)
		return 0;
	*len = head[2] << 8 | head[3];
	if (head[1] || *len > FRAME_DATA_MAX)
		return -1;
	if (buf->len - FRAME_HEAD < *len)
		return 0;
	*type = head[0];
	*data = head + FRAME_HEAD;
	return 1;
}

uint64_t get_be64(const uint8_t *data)
{
	uint64_t val = 0;
	int i;

	for (i = 0; i < 8; i++)
		val = val << 8 | data[i];
	return val;
}

void put_be64(uint8_t *data, uint64_t val)
{
	int i;

	for (i = 7; i >= 0; i--, val >>= 8)
		data[i] = val;
}
