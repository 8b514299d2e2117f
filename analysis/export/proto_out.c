/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/export/proto_out.h"

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_BYTES = 2,
};

void proto_out_init(struct proto_out *out)
{
	out->len = 0;
	out->full = false;
}

static void put(struct proto_out *out, const void *bytes, size_t len)
{
	if (len > sizeof(out->bytes) - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void put_varint(struct proto_out *out, uint64_t value)
{
	unsigned char bytes[10];
	size_t len = 0;

	do {
		bytes[len] = (unsigned char)(value & 0x7f);
		value >>= 7;
		if (value)
			bytes[len] |= 0x80;
		len++;
	} while (value);
	put(out, bytes, len);
}

static void put_key(struct proto_out *out, unsigned int field, enum wire_type type)
{
	put_varint(out, (uint64_t)field << 3 | type);
}

void proto_out_u64(struct proto_out *out, unsigned int field, uint64_t value)
{
	put_key(out, field, WIRE_VARINT);
	put_varint(out, value);
}

void proto_out_i64(struct proto_out *out, unsigned int field, int64_t value)
{
	proto_out_u64(out, field, (uint64_t)value);
}

void proto_out_head(struct proto_out *out, unsigned int field, size_t len)
{
	put_key(out, field, WIRE_BYTES);
	put_varint(out, len);
}

void proto_out_bytes(struct proto_out *out, unsigned int field, const void *bytes, size_t len)
{
	proto_out_head(out, field, len);
	put(out, bytes, len);
}

void proto_out_string(struct proto_out *out, unsigned int field, const char *text)
{
	char *copy = utf8_is_valid(text) ? NULL : utf8_copy(text);

	text = copy ? copy : text;
	proto_out_bytes(out, field, text, strlen(text));
	free(copy);
}

void proto_out_message(struct proto_out *out, unsigned int field,
		       const struct proto_out *message)
{
	if (message->full)
		out->full = true;
	proto_out_bytes(out, field, message->bytes, message->len);
}
