/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes protocol buffer messages: fields as they come into a buffer of the
 * caller, a message inside a message by its finished bytes.
 */
#ifndef IOASIS_ANALYSIS_PROTO_OUT_H
#define IOASIS_ANALYSIS_PROTO_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTO_OUT_MAX 2048u

/* A message being made. What does not fit sets `full`; nothing is written behind the end. */
struct proto_out {
	size_t len;
	bool full;
	unsigned char bytes[PROTO_OUT_MAX];
};

void proto_out_init(struct proto_out *out);
void proto_out_u64(struct proto_out *out, unsigned int field, uint64_t value);
/* int32 and int64: negative numbers take ten bytes, as the format wants. */
void proto_out_i64(struct proto_out *out, unsigned int field, int64_t value);
void proto_out_bytes(struct proto_out *out, unsigned int field, const void *bytes, size_t len);
/* Only the key and the length: the caller writes the len bytes itself. */
void proto_out_head(struct proto_out *out, unsigned int field, size_t len);
/* Protocol buffers demand UTF-8: what is not becomes U+FFFD. */
void proto_out_string(struct proto_out *out, unsigned int field, const char *text);
void proto_out_message(struct proto_out *out, unsigned int field,
		       const struct proto_out *message);

#endif
