/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of others becomes UTF-8, in every writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/export/proto_out.h"
#include "analysis/json_add.h"
#include "text/json_out.h"
#include "text/utf8.h"

#define R UTF8_REPLACEMENT

/* The Unicode Standard's examples of what is no UTF-8, and what is. */
static const struct {
	const char *from, *to;
} texts[] = {
	{ "", "" },
	{ "qemu-system-x86", "qemu-system-x86" },
	{ "gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e" },
	{ "aaaaaaaaaaaaaa\xc3", "aaaaaaaaaaaaaa" R },	    /* cut after 15 bytes */
	{ "\xe2\x82", R R },				    /* a euro sign, cut */
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	{ "\xf0\x9f\x98", R R R },
	{ "\xc0\x80", R R },				    /* two bytes for 0 */
	{ "\xe0\x80\x80", R R R },			    /* three */
	{ "\xed\xa0\x80", R R R },			    /* half of a surrogate pair */
	{ "\xf4\x90\x80\x80", R R R R },		    /* beyond the last character */
	{ "\xff\xfe" "a\x80", R R "a" R },
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static void test_utf8_copy_replaces_what_is_no_character(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		char *copy = utf8_copy(texts[i].from);

		assert_string_equal(copy, texts[i].to);
		assert_true(utf8_is_valid(copy));
		assert_int_equal(utf8_is_valid(texts[i].from), !strcmp(copy, texts[i].from));
		free(copy);
	}
}

/* json-c 0.18 in its strict mode refuses every character of more than one byte. */
static int strict_flags(void)
{
	bool broken = json_c_version_num() >> 8 == 18;

	return broken ? 0 : JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8;
}

/* The text that a line of JSON holds as "t", by json-c in its strict mode. */
static void assert_json_text(const char *line, const char *expected)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object, *text;

	json_tokener_set_flags(tokener, strict_flags());
	object = json_tokener_parse_ex(tokener, line, (int)strlen(line));
	assert_int_equal(json_tokener_get_error(tokener), json_tokener_success);
	assert_true(json_object_object_get_ex(object, "t", &text));
	assert_string_equal(json_object_get_string(text), expected);
	json_object_put(object);
	json_tokener_free(tokener);
}

static void test_json_out_writes_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		struct json_out json;
		char *line = NULL;
		size_t size;
		FILE *file = open_memstream(&line, &size);

		json_out_init(&json, file);
		json_out_begin(&json, NULL, '{');
		json_out_string(&json, "t", texts[i].from);
		json_out_end(&json, '}');
		fclose(file);
		assert_json_text(line, texts[i].to);
		free(line);
	}
}

static void test_json_add_text_writes_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		struct json_object *object = json_object_new_object();

		json_add_text(object, "t", texts[i].from);
		assert_json_text(json_object_to_json_string(object), texts[i].to);
		json_object_put(object);
	}
}

static void test_proto_out_string_writes_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		struct proto_out out;

		proto_out_init(&out);
		proto_out_string(&out, 1, texts[i].from);
		assert_int_equal(out.bytes[1], strlen(texts[i].to));
		assert_memory_equal(out.bytes + 2, texts[i].to, strlen(texts[i].to));
	}
}

static void test_json_out_decimal_of_no_number_is_null(void **state)
{
	struct json_out json;
	char *line = NULL;
	size_t size;
	FILE *file = open_memstream(&line, &size);

	(void)state;
	json_out_init(&json, file);
	json_out_begin(&json, NULL, '[');
	json_out_decimal(&json, NULL, 1.5);
	json_out_decimal(&json, NULL, 0.0 / (double)(size - size));
	json_out_end(&json, ']');
	fclose(file);
	assert_string_equal(line, "[1.500000,null]");
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_copy_replaces_what_is_no_character),
		cmocka_unit_test(test_json_out_writes_utf8),
		cmocka_unit_test(test_json_add_text_writes_utf8),
		cmocka_unit_test(test_proto_out_string_writes_utf8),
		cmocka_unit_test(test_json_out_decimal_of_no_number_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
