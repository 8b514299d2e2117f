/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tests of `ioasis diff` against what can be computed in other ways: pairs
 * counted one by one, tables enumerated by hand, a false-alarm rate over seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "analysis/stats/stat_test.h"
#include "tests/model/seed.h"

/* Cliff's delta by looking at every pair; values below 64 have buckets of their own. */
static void test_mann_whitney_effect_is_that_of_all_pairs(void **state)
{
	uint64_t a[37], b[53];
	struct seed seed = { 5 };
	struct histogram ha, hb;
	struct stat_test test;
	long above = 0, below = 0;

	(void)state;
	histogram_init(&ha);
	histogram_init(&hb);
	for (int i = 0; i < 37; i++)
		histogram_add(&ha, a[i] = seed_below(&seed, 40));
	for (int i = 0; i < 53; i++)
		histogram_add(&hb, b[i] = seed_below(&seed, 50));
	for (int i = 0; i < 37; i++) {
		for (int k = 0; k < 53; k++) {
			above += b[k] > a[i];
			below += b[k] < a[i];
		}
	}
	test = stat_mann_whitney(&ha, &hb);
	assert_true(test.tested);
	assert_int_equal(test.effect_ppm, lround((above - below) * 1e6 / (37 * 53)));
}

/* 1..10 against 11..20: U is 0, its variance 175, the corrected deviate 49.5 / sqrt(175). */
static void test_mann_whitney_of_separate_samples_has_the_known_p(void **state)
{
	struct histogram a, b;
	struct stat_test test;

	(void)state;
	histogram_init(&a);
	histogram_init(&b);
	for (uint64_t v = 1; v <= 10; v++) {
		histogram_add(&a, v);
		histogram_add(&b, v + 10);
	}
	test = stat_mann_whitney(&a, &b);
	assert_int_equal(test.effect_ppm, 1000000);
	assert_true(fabsl(test.p - 0.000182672L) < 1e-7L);
	test = stat_mann_whitney(&b, &a);
	assert_int_equal(test.effect_ppm, -1000000);
}

/* Two samples of the same: p below 0.05 in about one of twenty. */
static void test_mann_whitney_of_like_samples_seldom_alarms(void **state)
{
	struct seed seed = { 11 };
	int alarms = 0;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		struct histogram a, b;

		histogram_init(&a);
		histogram_init(&b);
		for (int i = 0; i < 60; i++) {
			histogram_add(&a, 1000 + seed_below(&seed, 3000));
			histogram_add(&b, 1000 + seed_below(&seed, 3000));
		}
		alarms += stat_mann_whitney(&a, &b).p < 0.05L;
	}
	assert_in_range(alarms, 25, 80);
}

static void test_mann_whitney_without_data_tests_nothing(void **state)
{
	struct histogram a, b;

	(void)state;
	histogram_init(&a);
	histogram_init(&b);
	histogram_add(&a, 3);
	assert_false(stat_mann_whitney(&a, &b).tested);
	/* All values tied: nothing can be told. */
	histogram_add(&b, 3);
	assert_true(stat_mann_whitney(&a, &b).p == 1);
}

/* Fisher's tea: 3 of 4 against 1 of 4 is 34/70; 4 of 4 against 0 of 4 is 2/70. */
static void test_proportions_are_fishers(void **state)
{
	struct stat_test test = stat_proportions(3, 4, 1, 4);

	(void)state;
	assert_true(fabsl(test.p - 34.0L / 70) < 1e-9L);
	assert_int_equal(test.effect_ppm, -500000);
	test = stat_proportions(0, 4, 4, 4);
	assert_true(fabsl(test.p - 2.0L / 70) < 1e-9L);
	assert_false(stat_proportions(0, 0, 1, 2).tested);
	/* Many: the normal approximation takes over without a jump. */
	assert_true(stat_proportions(10000, 100000, 10000, 100000).p > 0.99L);
	assert_true(stat_proportions(10000, 100000, 12000, 100000).p < 1e-6L);
}

/* 0.01, 0.02, 0.03 of three become 0.03, 0.04, 0.04; the untested one counts for nothing. */
static void test_holm_adjusts_in_steps(void **state)
{
	struct stat_test a = { true, 0.03L, 0 }, b = { true, 0.01L, 0 }, c = { true, 0.02L, 0 };
	struct stat_test none = { false, 1, 0 };
	struct stat_test *tests[] = { &a, &none, &b, &c };

	(void)state;
	stat_holm(tests, 4);
	assert_true(fabsl(b.p - 0.03L) < 1e-12L);
	assert_true(fabsl(c.p - 0.04L) < 1e-12L);
	assert_true(fabsl(a.p - 0.04L) < 1e-12L);
	assert_true(none.p == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mann_whitney_effect_is_that_of_all_pairs),
		cmocka_unit_test(test_mann_whitney_of_separate_samples_has_the_known_p),
		cmocka_unit_test(test_mann_whitney_of_like_samples_seldom_alarms),
		cmocka_unit_test(test_mann_whitney_without_data_tests_nothing),
		cmocka_unit_test(test_proportions_are_fishers),
		cmocka_unit_test(test_holm_adjusts_in_steps),
	};

	return cmocka_run_group_tests_name("stat_test", tests, NULL, NULL);
}
