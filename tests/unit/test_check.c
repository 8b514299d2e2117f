/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each rule of the checker: a trace that keeps it, one that breaks it, and what overlapping
 * calls do to the verdict.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/check_rig.h"

/* ---- one call after the other --------------------------------------------------- */

static void test_check_clean_session_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, PAGE, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), -ENOENT, 0);
	maker_last(&maker)->non_exist = true;
	session_end(&maker);
	expect_ok(&maker);
}

static void test_check_overlap_by_one_byte_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, PAGE - 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	session_end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma ioas 1 [0xfff");
}

static void test_check_map_refused_as_existing_is_overlap(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), -EEXIST, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "EEXIST");
}

static void test_check_map_at_the_top_of_the_space_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, UINT64_MAX - PAGE + 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, UINT64_MAX - PAGE + 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect_ok(&maker);
}

static void test_check_successful_unmap_of_nothing_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect(&maker, RULE_UNMAP_UNMAPPED, VERDICT_VIOLATION, "unmap_dma");
}

static void test_check_unmap_of_something_told_as_nothing_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), -ENOENT, 0);
	maker_last(&maker)->non_exist = true;
	session_end(&maker);
	expect(&maker, RULE_UNMAP_UNMAPPED, VERDICT_VIOLATION, "unmap_dma (non-existent)");
}

static void test_check_unmap_that_cuts_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect(&maker, RULE_PARTIAL_UNMAP, VERDICT_VIOLATION, "unmap_dma");
}

static void test_check_unmap_refused_as_cutting_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, 2 * PAGE - 1), -ENOENT, 0);
	maker_last(&maker)->non_exist = true;
	session_end(&maker);
	expect(&maker, RULE_PARTIAL_UNMAP, VERDICT_VIOLATION, "unmap_dma");
}

static void test_check_map_in_a_freed_ioas_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), -ENOENT, 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_USE_AFTER_FREE, VERDICT_VIOLATION, "map_dma");
}

static void test_check_id_given_out_again_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_call(&maker, alloc_ioas, 0, 1);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect_ok(&maker);
}

static void test_check_map_in_an_ioas_that_never_was_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 42, 0, PAGE), -ENOENT, 0);
	session_end(&maker);
	expect(&maker, RULE_UNKNOWN_ID, VERDICT_VIOLATION, "map_dma ioas 42");
}

static void test_check_free_twice_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_call(&maker, on_id(OP_FREE_ID, 1), -ENOENT, 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_DOUBLE_FREE, VERDICT_VIOLATION, "free_id");
}

static void test_check_disconnect_without_users_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	session_end(&maker);
	maker_disconnect(&maker, 0, -1);
	maker_last(&maker)->ret = -ENOTCONN;
	expect(&maker, RULE_USERS, VERDICT_VIOLATION, "disconnect");
}

static void test_check_call_without_users_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	session_end(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), -EBADF, 0);
	expect(&maker, RULE_USERS, VERDICT_VIOLATION, "map_dma");
}

static void test_check_users_that_jump_are_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_connect(&maker, 3, true, 5);
	maker_disconnect(&maker, 2, 5);
	maker_disconnect(&maker, 1, 5);
	session_end(&maker);
	expect(&maker, RULE_USERS, VERDICT_VIOLATION, "connect");
}

static void test_check_owned_fd_left_open_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_disconnect(&maker, 0, 5);
	expect(&maker, RULE_FD_OWNERSHIP, VERDICT_VIOLATION, "disconnect");
}

static void test_check_passed_in_fd_closed_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	maker_connect(&maker, 1, false, 5);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_FD_OWNERSHIP, VERDICT_VIOLATION, "disconnect");
}

static void test_check_fd_closed_under_the_backend_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	maker_connect(&maker, 1, false, 5);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), -EBADF, 0);
	maker_disconnect(&maker, 0, 5);
	expect(&maker, RULE_FD_OWNERSHIP, VERDICT_VIOLATION, "unmap_dma");
}

static void test_check_mapping_left_at_the_last_disconnect_is_leak(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_LEAK, VERDICT_VIOLATION, "disconnect");
}

static void test_check_user_left_at_the_end_is_leak(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	maker_connect(&maker, 1, true, 5);
	expect(&maker, RULE_LEAK, VERDICT_VIOLATION, "1 user");
}

static void test_check_errno_that_cannot_be_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), -EPIPE, 0);
	session_end(&maker);
	expect(&maker, RULE_ERRNO, VERDICT_VIOLATION, "EPIPE");
}

static void test_check_slow_call_is_violation_of_the_budget(void **state)
{
	struct check_config config = { .latency_ns[OP_MAP_DMA] = 10 };
	struct trace_maker maker;
	struct analysis *analysis = analysis_create();
	struct check *check = check_create(analysis, &config);

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	quality_machine(analysis_quality(analysis), "host", "clock");
	for (size_t i = 0; i < maker.count; i++)
		analysis_event(analysis, &maker.events[i]);
	analysis_finish(analysis, true);
	assert_int_equal(check_rule_verdict(check, RULE_LATENCY), VERDICT_VIOLATION);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

/* ---- overlapping calls without commits ------------------------------------------ */

/* Both calls are under way at the same time; the first to begin ends last. */
static void overlapping(struct trace_maker *maker, struct maker_call a, int64_t a_ret,
			struct maker_call b, int64_t b_ret)
{
	a.tid = 201;
	b.tid = 202;
	maker_begin(maker, &a);
	maker_begin(maker, &b);
	maker_end(maker, &b, b_ret, 0);
	maker_last(maker)->non_exist = b_ret == -ENOENT && b.op == OP_UNMAP_DMA;
	maker_end(maker, &a, a_ret, 0);
	maker_last(maker)->non_exist = a_ret == -ENOENT && a.op == OP_UNMAP_DMA;
}

/* A map that overlaps the unmap of what was there: right if the unmap came first. */
static void test_check_map_during_unmap_is_possible(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	overlapping(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0,
		    on_range(OP_MAP_DMA, 1, 0, PAGE), 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_POSSIBLE, "map_dma");
}

/* No order of two maps of the same addresses is right. */
static void test_check_two_overlapping_maps_are_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	overlapping(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, on_range(OP_MAP_DMA, 1, 0, PAGE),
		    0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma");
}

static void test_check_overlapping_calls_on_other_addresses_are_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	overlapping(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0,
		    on_range(OP_MAP_DMA, 1, PAGE, PAGE), 0);
	overlapping(&maker, on_range(OP_UNMAP_DMA, 1, PAGE, PAGE), 0,
		    on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0);
	session_end(&maker);
	expect_ok(&maker);
}

/* The map was answered as if the free came later: right in one order only. */
static void test_check_map_during_free_is_possible(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	overlapping(&maker, on_id(OP_FREE_ID, 1), 0, on_range(OP_MAP_DMA, 1, 0, PAGE), 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_USE_AFTER_FREE, VERDICT_POSSIBLE, "map_dma");
}

/* Refused: the free was first in every order that explains it. */
static void test_check_map_refused_during_free_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	overlapping(&maker, on_id(OP_FREE_ID, 1), 0, on_range(OP_MAP_DMA, 1, 0, PAGE), -ENOENT);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_USE_AFTER_FREE, VERDICT_VIOLATION, "map_dma");
}

/* The last byte of the space cannot be named otherwise; of an empty space it succeeds. */
static void test_check_unmap_of_everything_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	session_start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, UINT64_MAX - PAGE + 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, UINT64_MAX), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, UINT64_MAX), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, UINT64_MAX - PAGE + 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, UINT64_MAX), 0, 0);
	session_end(&maker);
	expect_ok(&maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_unmap_of_everything_is_ok),
		cmocka_unit_test(test_check_clean_session_is_ok),
		cmocka_unit_test(test_check_overlap_by_one_byte_is_violation),
		cmocka_unit_test(test_check_map_refused_as_existing_is_overlap),
		cmocka_unit_test(test_check_map_at_the_top_of_the_space_is_ok),
		cmocka_unit_test(test_check_successful_unmap_of_nothing_is_violation),
		cmocka_unit_test(test_check_unmap_of_something_told_as_nothing_is_violation),
		cmocka_unit_test(test_check_unmap_that_cuts_is_violation),
		cmocka_unit_test(test_check_unmap_refused_as_cutting_is_violation),
		cmocka_unit_test(test_check_map_in_a_freed_ioas_is_violation),
		cmocka_unit_test(test_check_id_given_out_again_is_ok),
		cmocka_unit_test(test_check_map_in_an_ioas_that_never_was_is_violation),
		cmocka_unit_test(test_check_free_twice_is_violation),
		cmocka_unit_test(test_check_disconnect_without_users_is_violation),
		cmocka_unit_test(test_check_call_without_users_is_violation),
		cmocka_unit_test(test_check_users_that_jump_are_violation),
		cmocka_unit_test(test_check_owned_fd_left_open_is_violation),
		cmocka_unit_test(test_check_passed_in_fd_closed_is_violation),
		cmocka_unit_test(test_check_fd_closed_under_the_backend_is_violation),
		cmocka_unit_test(test_check_mapping_left_at_the_last_disconnect_is_leak),
		cmocka_unit_test(test_check_user_left_at_the_end_is_leak),
		cmocka_unit_test(test_check_errno_that_cannot_be_is_violation),
		cmocka_unit_test(test_check_slow_call_is_violation_of_the_budget),
		cmocka_unit_test(test_check_map_during_unmap_is_possible),
		cmocka_unit_test(test_check_two_overlapping_maps_are_violation),
		cmocka_unit_test(test_check_overlapping_calls_on_other_addresses_are_ok),
		cmocka_unit_test(test_check_map_during_free_is_possible),
		cmocka_unit_test(test_check_map_refused_during_free_is_violation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
