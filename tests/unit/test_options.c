/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values on the command line: what is accepted and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/options.h"

static void test_bytes_with_units_are_bytes(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_true(cli_parse_bytes("4096", &bytes));
	assert_int_equal(bytes, 4096);
	assert_true(cli_parse_bytes("4KiB", &bytes));
	assert_int_equal(bytes, 4096);
	assert_true(cli_parse_bytes("1T", &bytes));
	assert_int_equal(bytes, 1ull << 40);
}

static void test_bytes_of_no_known_unit_are_refused(void **state)
{
	static const char *const bad[] = { "", "-1", "4kb", "4 KiB", "KiB", "99999999999999T" };
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(cli_parse_bytes(bad[i], &bytes));
}

static void test_times_need_a_unit(void **state)
{
	uint64_t ns;

	(void)state;
	assert_true(cli_parse_ns("50us", &ns));
	assert_int_equal(ns, 50000);
	assert_false(cli_parse_ns("50", &ns));
	assert_false(cli_parse_ns("50m", &ns));
}

struct given {
	bool first, last;
	const char *text;
};

static void test_flags_and_texts_go_where_the_table_says(void **state)
{
	static const struct cli_option options[] = {
		{ "last", 'l', NULL, NULL, "", CLI_FLAG(struct given, last) },
		{ "text", 't', "TEXT", "a text", "", CLI_TEXT(struct given, text) },
		{ "first", 0, NULL, NULL, "", CLI_FLAG(struct given, first) },
		{ 0 },
	};
	const struct cli_command command = {
		.name = "x", .synopsis = "", .summary = "", .options = options, .error_status = 3
	};
	char *argv[] = { "x", "-l", "argument", "--text=some", NULL };
	char *empty[] = { "x", "--text", "", NULL };
	struct given given = { .first = false };
	int status = 0;

	(void)state;
	assert_int_equal(cli_parse(&command, 4, argv, &given, &status), 3);
	assert_string_equal(argv[3], "argument");
	assert_true(given.last);
	assert_false(given.first);
	assert_string_equal(given.text, "some");
	assert_int_equal(cli_parse(&command, 3, empty, &given, &status), -1);
	assert_int_equal(status, 3);
}

static const char *some_name(void *opaque, size_t index)
{
	static const char *const names[] = { "check", "exec", "export", "stats", "top", NULL };

	(void)opaque;
	return names[index];
}

static void assert_meant(const char *text, const char *meant)
{
	const char *nearest = cli_nearest(text, strlen(text), some_name, NULL);

	if (meant)
		assert_string_equal(nearest, meant);
	else
		assert_null(nearest);
}

static void test_nearest_name_of_a_misspelt_word(void **state)
{
	(void)state;
	assert_meant("chekc", "check");
	assert_meant("chck", "check");
	assert_meant("checkk", "check");
	assert_meant("exprot", "export");
	assert_meant("exp", "export"); /* a beginning */
	assert_meant("exce", "exec");
	assert_meant("tpo", "top");
	assert_meant("frobnicate", NULL);
	assert_meant("x", NULL);
	assert_meant("", NULL);
	assert_meant("a-word-that-is-longer-than-any-name-of-a-command", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_with_units_are_bytes),
		cmocka_unit_test(test_bytes_of_no_known_unit_are_refused),
		cmocka_unit_test(test_times_need_a_unit),
		cmocka_unit_test(test_nearest_name_of_a_misspelt_word),
		cmocka_unit_test(test_flags_and_texts_go_where_the_table_says),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
