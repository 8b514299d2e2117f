/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON to a stream as it is told, without holding it in memory.
 *
 * key is NULL inside an array and at the top. Errors stay with the stream
 * (ferror). "</" is written as "<\/", so the text may stand in an HTML page.
 */
#ifndef IOASIS_TEXT_JSON_OUT_H
#define IOASIS_TEXT_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_out {
	FILE *file; /* borrowed */
	unsigned int depth;
	uint64_t started; /* bit n: level n has something already */
};

void json_out_init(struct json_out *json, FILE *file);
void json_out_begin(struct json_out *json, const char *key, char bracket); /* '{' or '[' */
void json_out_end(struct json_out *json, char bracket);			   /* '}' or ']' */
void json_out_u64(struct json_out *json, const char *key, uint64_t value);
void json_out_i64(struct json_out *json, const char *key, int64_t value);
/* With six digits behind the point; null for what is no number. */
void json_out_decimal(struct json_out *json, const char *key, double value);
void json_out_bool(struct json_out *json, const char *key, bool value);
void json_out_null(struct json_out *json, const char *key);
/* "0x..." as a string: JSON numbers lose the low bits of large addresses. */
void json_out_hex(struct json_out *json, const char *key, uint64_t value);
/* text: UTF-8; what is not is written as U+FFFD. */
void json_out_string(struct json_out *json, const char *key, const char *text);
/* Key and comma for a value that the caller writes to the stream itself. */
void json_out_raw(struct json_out *json, const char *key);

#endif
