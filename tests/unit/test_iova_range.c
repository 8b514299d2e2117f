/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of I/O addresses, at the ends of the space. The values are written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analysis/iova_range.h"

#define LAST 0xffffffffffffffffull

static void expect_range(uint64_t start, uint64_t length, uint64_t last)
{
	struct iova_range range = iova_range_of_length(start, length);

	assert_int_equal(range.start, start);
	assert_true(range.last == last);
}

static void test_iova_range_of_a_page_ends_with_its_last_byte(void **state)
{
	(void)state;
	expect_range(0, 0x1000, 0xfff);
	expect_range(0x200000, 0x1000, 0x200fff);
	expect_range(0xfffffffffffff000ull, 0x1000, LAST);
}

static void test_iova_range_of_no_length_is_its_start(void **state)
{
	(void)state;
	expect_range(0, 0, 0);
	expect_range(0x1000, 0, 0x1000);
	expect_range(LAST, 0, LAST);
}

/* As IOMMU_IOAS_UNMAP means it, and as QEMU asks for it. */
static void test_iova_range_of_everything_is_the_whole_space(void **state)
{
	struct iova_range range = iova_range_of_length(0, LAST);

	(void)state;
	assert_true(range.start == 0 && range.last == LAST);
	assert_true(iova_range_is_whole(range));
	assert_false(iova_range_is_whole(iova_range_of_length(0, LAST - 1)));
	expect_range(0, LAST - 1, LAST - 2);
}

static void test_iova_range_over_the_end_stops_there(void **state)
{
	(void)state;
	expect_range(1, LAST, LAST);
	expect_range(2, LAST, LAST);
	expect_range(0x1000, LAST - 0xffe, LAST);
	expect_range(LAST, 2, LAST);
}

static void test_iova_range_bytes_of_the_whole_space_does_not_wrap(void **state)
{
	(void)state;
	assert_int_equal(iova_range_bytes(0, 0), 1);
	assert_int_equal(iova_range_bytes(0x1000, 0x1fff), 0x1000);
	assert_true(iova_range_bytes(0, LAST) == LAST);
	assert_true(iova_range_bytes(1, LAST) == LAST);
}

static void test_iova_range_neighbours_do_not_overlap(void **state)
{
	struct iova_range low = { 0, 0xfff }, high = { 0x1000, 0x1fff }, both = { 0, 0x1fff };

	(void)state;
	assert_false(iova_range_overlaps(low, high));
	assert_true(iova_range_overlaps(low, both));
	assert_true(iova_range_contains(both, high));
	assert_false(iova_range_contains(high, both));
	assert_true(iova_range_contains(IOVA_RANGE_WHOLE, high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iova_range_of_a_page_ends_with_its_last_byte),
		cmocka_unit_test(test_iova_range_of_no_length_is_its_start),
		cmocka_unit_test(test_iova_range_of_everything_is_the_whole_space),
		cmocka_unit_test(test_iova_range_over_the_end_stops_there),
		cmocka_unit_test(test_iova_range_bytes_of_the_whole_space_does_not_wrap),
		cmocka_unit_test(test_iova_range_neighbours_do_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
