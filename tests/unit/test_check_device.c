/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that need the device's side of the trace: its commits and its DMA. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/check_rig.h"

static void test_check_device_clean_session_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	device_start(&maker);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 2, 0, 0);
	maker_dma(&maker, 1, 0, PAGE, true, 0);
	device_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), TRACE_COMMIT_UNMAP, 1, 3, PAGE, 0);
	device_end(&maker, 4);
	expect_ok(&maker);
}

/* The commits come in another order than their numbers: the numbers count. */
static void test_check_device_commits_out_of_order_are_ok(void **state)
{
	struct maker_call map = on_range(OP_MAP_DMA, 1, 0, PAGE);
	struct maker_call unmap = on_range(OP_UNMAP_DMA, 1, 0, PAGE);
	struct trace_maker maker;

	(void)state;
	device_start(&maker);
	device_call(&maker, map, TRACE_COMMIT_MAP, 1, 2, 0, 0);
	map.tid = 201;
	unmap.tid = 202;
	maker_begin(&maker, &map);
	maker_begin(&maker, &unmap);
	maker_ioctl_begin(&maker, &map);
	maker_ioctl_begin(&maker, &unmap);
	maker_commit(&maker, &map, TRACE_COMMIT_MAP, 1, 4, 0);
	maker_commit(&maker, &unmap, TRACE_COMMIT_UNMAP, 1, 3, PAGE);
	maker_ioctl_end(&maker, &map, 0);
	maker_ioctl_end(&maker, &unmap, 0);
	maker_end(&maker, &map, 0, 0);
	maker_end(&maker, &unmap, 0, 0);
	device_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), TRACE_COMMIT_UNMAP, 1, 5, PAGE, 0);
	device_end(&maker, 6);
	expect_ok(&maker);
}

/* The device commits the whole space, and nothing when it was empty. */
static void test_check_device_unmap_of_everything_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	device_start(&maker);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 2, 0, 0);
	device_call(&maker, on_range(OP_MAP_DMA, 1, UINT64_MAX - PAGE + 1, PAGE), TRACE_COMMIT_MAP,
		    1, 3, 0, 0);
	device_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, UINT64_MAX), TRACE_COMMIT_UNMAP, 1, 4,
		    2 * PAGE, 0);
	maker_last(&maker)[-2].range = IOVA_RANGE_WHOLE;
	device_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, UINT64_MAX), 0, 1, 0, 0, 0);
	device_end(&maker, 5);
	expect_ok(&maker);
}

static void test_check_device_that_did_nothing_breaks_layers_agree(void **state)
{
	struct trace_maker maker;

	(void)state;
	device_start(&maker);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 0, 0, 0);
	device_end(&maker, 2);
	expect(&maker, RULE_LAYERS_AGREE, VERDICT_VIOLATION, "map_dma");
}

static void test_check_device_that_did_it_elsewhere_breaks_layers_agree(void **state)
{
	struct trace_maker maker;

	(void)state;
	device_start(&maker);
	device_call(&maker, alloc_ioas, TRACE_COMMIT_ALLOC, 2, 1, 0, 2);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 2, 2, 0, 0);
	device_call(&maker, on_id(OP_FREE_ID, 2), TRACE_COMMIT_DESTROY, 2, 3, 0, 0);
	device_end(&maker, 2);
	expect(&maker, RULE_LAYERS_AGREE, VERDICT_VIOLATION, "map_dma");
}

static void test_check_device_dma_outside_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	device_start(&maker);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 2, 0, 0);
	maker_dma(&maker, 1, 0, PAGE + 1, false, 0);
	device_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), TRACE_COMMIT_UNMAP, 1, 3, PAGE, 0);
	device_end(&maker, 4);
	expect(&maker, RULE_DMA_OUTSIDE, VERDICT_VIOLATION, "dma");
}

static void test_check_device_write_to_readonly_is_violation(void **state)
{
	struct maker_call map = on_range(OP_MAP_DMA, 1, 0, PAGE);
	struct trace_maker maker;

	(void)state;
	map.readonly = true;
	device_start(&maker);
	device_call(&maker, map, TRACE_COMMIT_MAP, 1, 2, 0, 0);
	maker_dma(&maker, 1, 0, PAGE, false, 0);
	maker_dma(&maker, 1, 0, PAGE, true, 0);
	device_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), TRACE_COMMIT_UNMAP, 1, 3, PAGE, 0);
	device_end(&maker, 4);
	expect(&maker, RULE_DMA_OUTSIDE, VERDICT_VIOLATION, "dma");
}

static void test_check_device_release_with_objects_is_leak(void **state)
{
	struct trace_maker maker;

	(void)state;
	device_start(&maker);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 2, 0, 0);
	maker_commit(&maker, NULL, TRACE_COMMIT_DESTROY, 1, 3, 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_LEAK, VERDICT_VIOLATION, "closed");
}

/* ---- programs without the backend library ------------------------------------------- */

/* An ioctl of no backend; seq 0: it changed nothing. */
static void raw_call(struct trace_maker *maker, struct maker_call call, uint64_t kind, uint64_t seq,
		     uint64_t arg, int64_t ret)
{
	call.tid = MAKER_PID;
	maker_ioctl_begin(maker, &call);
	if (seq)
		maker_commit(maker, &call, kind, 1, seq, arg);
	if (ret < 0)
		maker_refused(maker, &call);
	maker_ioctl_end(maker, &call, ret);
}

static void raw_start(struct trace_maker *maker)
{
	maker_init(maker, true, 1);
	maker_open(maker);
	raw_call(maker, alloc_ioas, TRACE_COMMIT_ALLOC, 1, 0, 0);
	raw_call(maker, on_range(OP_MAP_DMA, 1, 0, 2 * PAGE), TRACE_COMMIT_MAP, 2, 0, 0);
}

static void raw_end(struct trace_maker *maker)
{
	raw_call(maker, on_range(OP_UNMAP_DMA, 1, 0, 2 * PAGE), TRACE_COMMIT_UNMAP, 3, 2 * PAGE, 0);
	raw_call(maker, on_id(OP_FREE_ID, 1), TRACE_COMMIT_DESTROY, 4, 0, 0);
}

static void test_check_raw_unmap_of_nothing_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	raw_start(&maker);
	raw_call(&maker, on_range(OP_UNMAP_DMA, 1, 4 * PAGE, PAGE), 0, 0, 0, -ENOENT);
	raw_end(&maker);
	maker_release(&maker);
	expect_ok(&maker);
}

/* No program sees this answer. */
static void test_check_raw_call_of_a_killed_caller_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	raw_start(&maker);
	raw_call(&maker, on_range(OP_MAP_DMA, 1, 4 * PAGE, PAGE), 0, 0, 0, -EINTR);
	raw_end(&maker);
	maker_release(&maker);
	expect_ok(&maker);
}

static void test_check_raw_partial_unmap_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	raw_start(&maker);
	raw_call(&maker, on_range(OP_UNMAP_DMA, 1, PAGE, PAGE), 0, 0, 0, -ENOENT);
	raw_end(&maker);
	maker_release(&maker);
	expect(&maker, RULE_PARTIAL_UNMAP, VERDICT_VIOLATION,
	       "IOAS_UNMAP id 1 [0x1000, 0x1fff] = ENOENT");
}

static void test_check_raw_overlap_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	raw_start(&maker);
	raw_call(&maker, on_range(OP_MAP_DMA, 1, PAGE, PAGE), 0, 0, 0, -EEXIST);
	raw_end(&maker);
	maker_release(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "IOAS_MAP id 1 [0x1000, 0x1fff] = EEXIST");
}

static void test_check_raw_use_after_free_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	raw_start(&maker);
	raw_end(&maker);
	raw_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0, 0, -ENOENT);
	maker_release(&maker);
	expect(&maker, RULE_USE_AFTER_FREE, VERDICT_VIOLATION, "IOAS_UNMAP");
}

static void test_check_raw_double_free_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	raw_start(&maker);
	raw_end(&maker);
	raw_call(&maker, on_id(OP_FREE_ID, 1), 0, 0, 0, -ENOENT);
	maker_release(&maker);
	expect(&maker, RULE_DOUBLE_FREE, VERDICT_VIOLATION, "DESTROY id 1 = ENOENT");
}

static void test_check_raw_unknown_id_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	raw_start(&maker);
	raw_call(&maker, on_range(OP_MAP_DMA, 7, 0, PAGE), 0, 0, 0, -ENOENT);
	raw_end(&maker);
	maker_release(&maker);
	expect(&maker, RULE_UNKNOWN_ID, VERDICT_VIOLATION, "IOAS_MAP id 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_device_unmap_of_everything_is_ok),
		cmocka_unit_test(test_check_device_clean_session_is_ok),
		cmocka_unit_test(test_check_device_commits_out_of_order_are_ok),
		cmocka_unit_test(test_check_device_that_did_nothing_breaks_layers_agree),
		cmocka_unit_test(test_check_device_that_did_it_elsewhere_breaks_layers_agree),
		cmocka_unit_test(test_check_device_dma_outside_is_violation),
		cmocka_unit_test(test_check_device_write_to_readonly_is_violation),
		cmocka_unit_test(test_check_device_release_with_objects_is_leak),
		cmocka_unit_test(test_check_raw_unmap_of_nothing_is_ok),
		cmocka_unit_test(test_check_raw_call_of_a_killed_caller_is_ok),
		cmocka_unit_test(test_check_raw_partial_unmap_is_violation),
		cmocka_unit_test(test_check_raw_overlap_is_violation),
		cmocka_unit_test(test_check_raw_use_after_free_is_violation),
		cmocka_unit_test(test_check_raw_double_free_is_violation),
		cmocka_unit_test(test_check_raw_unknown_id_is_violation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
