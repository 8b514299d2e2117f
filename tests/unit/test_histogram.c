/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The histogram: buckets cover every value once, percentiles are near the true ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/stats/histogram.h"

static void test_histogram_buckets_cover_all_values_once(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket_low(0), 0);
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t low = histogram_bucket_low(i), high = histogram_bucket_high(i);

		assert_true(low <= high);
		assert_int_equal(histogram_bucket(low), i);
		assert_int_equal(histogram_bucket(high), i);
		if (i)
			assert_true(histogram_bucket_high(i - 1) + 1 == low);
		assert_true(high - low <= low / 32);
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void test_histogram_percentiles_of_a_ramp_are_within_a_bucket(void **state)
{
	static const uint32_t shares[] = { 1, 10000, 500000, 900000, 990000, 999000, 1000000 };
	struct histogram h;

	(void)state;
	histogram_init(&h);
	for (uint64_t v = 1; v <= 100000; v++)
		histogram_add(&h, v);
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		uint64_t right = (100000ull * shares[i] + 999999) / 1000000;
		uint64_t got = histogram_percentile(&h, shares[i]);

		assert_true(got >= right && got <= right + right / 32);
	}
	assert_int_equal(h.min, 1);
	assert_int_equal(h.max, 100000);
	assert_int_equal(h.sum, 100000ull * 100001 / 2);
}

static void test_histogram_sum_that_is_full_stays_full(void **state)
{
	struct histogram h;

	(void)state;
	histogram_init(&h);
	assert_int_equal(histogram_percentile(&h, 500000), 0);
	histogram_add(&h, 1);
	histogram_add(&h, UINT64_MAX);
	assert_true(h.sum == UINT64_MAX);
	assert_true(histogram_percentile(&h, 1000000) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histogram_buckets_cover_all_values_once),
		cmocka_unit_test(test_histogram_percentiles_of_a_ramp_are_within_a_bucket),
		cmocka_unit_test(test_histogram_sum_that_is_full_stays_full),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
