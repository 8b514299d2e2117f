/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/json_out.h"

#include <inttypes.h>

void json_out_init(struct json_out *json, FILE *file)
{
	*json = (struct json_out){ .file = file };
}

/* Length of the UTF-8 sequence at s; 0: there is none. */
static int utf8_length(const unsigned char *s)
{
	int len = s[0] < 0x80 ? 1
		: s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		: s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		: s[0] >= 0xf0 && s[0] < 0xf5 ? 4
					      : 0;

	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

static void write_text(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	putc('"', file);
	while (*at) {
		int len = utf8_length(at);

		if (!len) {
			fputs("\\ufffd", file);
			len = 1;
		} else if (*at == '"' || *at == '\\') {
			fprintf(file, "\\%c", *at);
		} else if (*at == '/' && at > (const unsigned char *)text && at[-1] == '<') {
			fputs("\\/", file);
		} else if (*at == '!' && at > (const unsigned char *)text && at[-1] == '<') {
			fputs("\\u0021", file);
		} else if (*at < 0x20) {
			fprintf(file, "\\u%04x", *at);
		} else {
			fwrite(at, 1, (size_t)len, file);
		}
		at += len;
	}
	putc('"', file);
}

void json_out_raw(struct json_out *json, const char *key)
{
	if (json->started >> json->depth & 1)
		putc(',', json->file);
	json->started |= 1ull << json->depth;
	if (key) {
		write_text(json->file, key);
		putc(':', json->file);
	}
}

void json_out_begin(struct json_out *json, const char *key, char bracket)
{
	json_out_raw(json, key);
	putc(bracket, json->file);
	json->depth++;
	json->started &= ~(1ull << json->depth);
}

void json_out_end(struct json_out *json, char bracket)
{
	putc(bracket, json->file);
	json->depth--;
}

void json_out_u64(struct json_out *json, const char *key, uint64_t value)
{
	json_out_raw(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_out_i64(struct json_out *json, const char *key, int64_t value)
{
	json_out_raw(json, key);
	fprintf(json->file, "%" PRId64, value);
}

void json_out_bool(struct json_out *json, const char *key, bool value)
{
	json_out_raw(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_out_null(struct json_out *json, const char *key)
{
	json_out_raw(json, key);
	fputs("null", json->file);
}

void json_out_hex(struct json_out *json, const char *key, uint64_t value)
{
	json_out_raw(json, key);
	fprintf(json->file, "\"0x%" PRIx64 "\"", value);
}

void json_out_string(struct json_out *json, const char *key, const char *text)
{
	json_out_raw(json, key);
	write_text(json->file, text);
}
