/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the benchmarks say of their figures: intervals, bars, and the file that compares runs. */
#include "tests/bench/bench_rows.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_estimate_of_runs_is_students(void **state)
{
	struct bench_rows rows = { 0 };
	struct bench_estimate estimate;

	(void)state;
	for (int i = 1; i <= 3; i++)
		bench_rows_add(&rows, "a", "x", "ns", BENCH_AT_MOST, 2.5, i);
	estimate = bench_row_estimate(&rows.rows[0]);
	/* Mean 2, deviation 1, t of two degrees 4.303: 2 +- 4.303 / sqrt(3). */
	assert_true(estimate.known);
	assert_true(estimate.value > 1.9999 && estimate.value < 2.0001);
	assert_true(estimate.low > -0.4844 && estimate.low < -0.4843);
	assert_true(estimate.high > 4.4843 && estimate.high < 4.4844);
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.rows[0].missed, 1);
	bench_rows_fini(&rows);
}

static void test_estimate_of_one_run_is_not_known(void **state)
{
	struct bench_rows rows = { 0 };

	(void)state;
	bench_rows_add(&rows, "a", "x", "ns", BENCH_AT_LEAST, 4, 5);
	assert_false(bench_row_estimate(&rows.rows[0]).known);
	assert_int_equal(rows.rows[0].missed, 0);
	bench_rows_fini(&rows);
}

/* Two sets of the same numbers 1000 to 1999, one doubled: the ratio is 2, its interval narrow. */
static void test_bootstrap_holds_the_ratio(void **state)
{
	static const size_t counts[] = { 9, 1000 };
	uint64_t above[1000], below[1000];

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct bench_estimate ratio;

		for (size_t i = 0; i < counts[k]; i++) {
			below[i] = 1000 + i * 617 % 1000;
			above[i] = 2 * below[i];
		}
		ratio = bench_bootstrap_ratio(above, below, counts[k]);
		assert_true(ratio.known && ratio.value == 2);
		assert_true(ratio.low < 2 && ratio.high > 2);
		assert_true(ratio.high - ratio.low < (k ? 0.3 : 2));
		assert_true(ratio.high - ratio.low > (k ? 0.05 : 0.2));
	}
}

static int write_file(char *path, const char *text)
{
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	assert_non_null(file);
	fputs(text, file);
	return fclose(file);
}

static void test_json_is_read_as_it_was_written(void **state)
{
	struct bench_rows rows = { 0 }, back = { 0 };
	char path[] = "/tmp/ioasis-test-XXXXXX", why[128], *text = NULL, *table = NULL;
	size_t size;
	FILE *file;

	(void)state;
	bench_rows_add(&rows, "a", "x", "ns", BENCH_AT_MOST, 2.5, 1);
	bench_rows_add(&rows, "a", "x", "ns", BENCH_AT_MOST, 2.5, 2);
	bench_rows_add(&rows, "a", "y", "", BENCH_FIGURE, 0, 7);
	bench_rows_add(&rows, "b", "x", "", BENCH_AT_LEAST, 4, 3);
	file = open_memstream(&text, &size);
	bench_rows_print_json(&rows, file);
	fclose(file);
	assert_int_equal(write_file(path, text), 0);
	assert_int_equal(bench_rows_read(&back, path, why, sizeof(why)), 0);
	unlink(path);
	assert_int_equal(back.count, 3);
	assert_int_equal(back.rows[0].values_count, 2);
	assert_true(back.rows[0].bar == 2.5 && back.rows[0].values[1] == 2);
	assert_int_equal(back.rows[1].relation, BENCH_FIGURE);
	assert_int_equal(back.rows[2].relation, BENCH_AT_LEAST);
	assert_int_equal(back.rows[2].missed, 1);

	file = open_memstream(&table, &size);
	bench_rows_print_table(&rows, &back, file);
	fclose(file);
	assert_non_null(strstr(table, "a: x, ns"));
	assert_non_null(strstr(table, "was 1.500"));
	assert_null(strstr(table, "WORSE"));
	assert_null(strstr(table, "a: y"));
	assert_non_null(strstr(table, "1 of 2 bars are met"));
	free(text);
	free(table);
	bench_rows_fini(&rows);
	bench_rows_fini(&back);
}

/* Intervals that do not meet, each way round. */
static void test_table_names_what_changed(void **state)
{
	static const enum bench_relation relations[] = { BENCH_AT_MOST, BENCH_AT_LEAST };

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct bench_rows now = { 0 }, then = { 0 };
		char *table = NULL;
		size_t size;
		FILE *file;

		for (int i = 0; i < 5; i++) {
			bench_rows_add(&now, "a", "x", "", relations[k], 10, 10 + i % 2 * 0.1);
			bench_rows_add(&then, "a", "x", "", relations[k], 10, 20 + i % 2 * 0.1);
		}
		file = open_memstream(&table, &size);
		bench_rows_print_table(&now, &then, file);
		fclose(file);
		assert_non_null(strstr(table, k ? "was 20.04: WORSE" : "was 20.04: BETTER"));
		free(table);
		bench_rows_fini(&now);
		bench_rows_fini(&then);
	}
}

static void test_other_files_are_refused(void **state)
{
	static const char *const texts[] = {
		"", "{}", "[1]", "[{\"name\":\"a\"}]", "[{\"name\":\"a\",\"figures\":[{}]}]",
		"[{\"name\":\"a\",\"figures\":[{\"what\":\"x\",\"runs\":[]}]}]", "[",
	};
	char why[128];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char path[] = "/tmp/ioasis-test-XXXXXX";
		struct bench_rows rows = { 0 };

		assert_int_equal(write_file(path, texts[i]), 0);
		assert_true(bench_rows_read(&rows, path, why, sizeof(why)) < 0);
		assert_non_null(strstr(why, "is not what 'ioasis bench --json' prints"));
		unlink(path);
		bench_rows_fini(&rows);
	}
	assert_true(bench_rows_read(&(struct bench_rows){ 0 }, "/nonexistent", why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_estimate_of_runs_is_students),
		cmocka_unit_test(test_estimate_of_one_run_is_not_known),
		cmocka_unit_test(test_bootstrap_holds_the_ratio),
		cmocka_unit_test(test_json_is_read_as_it_was_written),
		cmocka_unit_test(test_table_names_what_changed),
		cmocka_unit_test(test_other_files_are_refused),
	};

	return cmocka_run_group_tests_name("bench_rows", tests, NULL, NULL);
}
