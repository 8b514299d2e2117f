/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line of progress: what it says, and that it says nothing where it does not know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/progress.h"

#define SECOND 1000000000ll

static void expect(const char *line, const char *noun, uint64_t count, uint64_t done,
		   uint64_t total, int64_t elapsed_ns)
{
	char text[160];
	int length = progress_print(text, sizeof(text), noun, count, done, total, elapsed_ns);

	assert_string_equal(text, line);
	assert_int_equal(length, strlen(line));
}

static void test_line_has_share_rate_and_remaining_time(void **state)
{
	(void)state;
	expect(" 25 %, 3.0 million events, 1.5 million a second, 6 s left", "events", 3000000, 256,
	       1024, 2 * SECOND);
	expect(" 50 %, 12 runs, 0 a second, 1 min 40 s left", "runs", 12, 12, 24, 100 * SECOND);
	expect("  1 %, 12.3 thousand calls, 1233 a second, 16 min 31 s left", "calls", 12339, 1,
	       100, 10 * SECOND + SECOND / 1000);
	expect("  0 %, 9999 calls, 1 a second, 2777 h 30 min left", "calls", 9999, 1, 1001,
	       9999 * SECOND);
	expect("100 %, 7 runs, 7 a second, 0 s left", "runs", 7, 7, 7, SECOND);
}

static void test_line_without_a_total_has_no_remaining_time(void **state)
{
	(void)state;
	expect("5.0 million events, 2.5 million a second", "events", 5000000, 0, 0, 2 * SECOND);
	/* Nothing is done yet, or more than there was: no one knows. */
	expect("1 runs, 1 a second", "runs", 1, 0, 10, SECOND);
	expect("11 runs, 11 a second", "runs", 11, 11, 10, SECOND);
	/* Too early for a rate. */
	expect("5 runs", "runs", 5, 5, 10, SECOND / 100);
}

static void test_large_numbers_do_not_wrap(void **state)
{
	(void)state;
	expect("100 %, 18446744073709.5 million events, 18446744073709.5 million a second, 0 s left",
	       "events", UINT64_MAX, UINT64_MAX, UINT64_MAX, SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_has_share_rate_and_remaining_time),
		cmocka_unit_test(test_line_without_a_total_has_no_remaining_time),
		cmocka_unit_test(test_large_numbers_do_not_wrap),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
