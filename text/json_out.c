/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/json_out.h"

#include <inttypes.h>

#include "text/utf8.h"

void json_out_init(struct json_out *json, FILE *file)
{
	*json = (struct json_out){ .file = file };
}

static void write_text(FILE *file, const char *text)
{
	const char *at = text;

	putc('"', file);
	while (*at) {
		int len = utf8_length(at);

		if (!len) {
			fputs("\\ufffd", file);
			len = 1;
		} else if (*at == '"' || *at == '\\') {
			fprintf(file, "\\%c", *at);
		} else if (*at == '/' && at > text && at[-1] == '<') {
			fputs("\\/", file);
		} else if (*at == '!' && at > text && at[-1] == '<') {
			fputs("\\u0021", file);
		} else if (len == 1 && (unsigned char)*at < 0x20) {
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

void json_out_decimal(struct json_out *json, const char *key, double value)
{
	json_out_raw(json, key);
	if (value != value || value - value != 0) /* JSON has neither NaN nor infinity */
		fputs("null", json->file);
	else
		fprintf(json->file, "%.6f", value);
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
