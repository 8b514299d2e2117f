/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each rule of the checker: a trace that keeps it, one that breaks it, and what
 * overlapping calls and lost events do to the verdict.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/event_names.h"
#include "tests/unit/trace_maker.h"

#define PAGE 4096u

static const struct maker_call alloc_ioas = { .op = OP_ALLOC_IOAS };

static struct maker_call on_range(enum event_op op, uint64_t id, uint64_t iova, uint64_t size)
{
	return (struct maker_call){ .op = op, .id = id, .iova = iova, .size = size };
}

static struct maker_call on_id(enum event_op op, uint64_t id)
{
	return (struct maker_call){ .op = op, .id = id };
}

/* A backend that is connected, with address space 1. */
static void start(struct trace_maker *maker)
{
	maker_init(maker, false, 1);
	maker_connect(maker, 1, true, 5);
	maker_call(maker, alloc_ioas, 0, 1);
}

static void end(struct trace_maker *maker)
{
	maker_call(maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_disconnect(maker, 0, -1);
}

/* The trace breaks this rule and no other; its guilty call is the last of the witness. */
static void expect(struct trace_maker *maker, enum check_rule rule, enum check_verdict verdict,
		   const char *guilty)
{
	struct analysis *analysis;
	struct check *check = maker_play(maker, NULL, 0, &analysis);
	const struct check_finding *findings;
	size_t count;

	for (int i = 0; i < RULE_COUNT; i++)
		assert_string_equal(check_verdict_name(check_rule_verdict(check,
									  (enum check_rule)i)),
				    check_verdict_name(i == (int)rule ? verdict : VERDICT_OK));
	findings = check_findings(check, &count);
	if (verdict != VERDICT_OK) {
		assert_true(count >= 1);
		assert_true(findings[0].witness_count >= 1);
		assert_non_null(strstr(findings[0].witness[findings[0].witness_count - 1].text,
				       guilty));
	}
	assert_int_equal(check_exit_status(check), verdict == VERDICT_OK	  ? 0 :
						   verdict == VERDICT_VIOLATION ? 1 : 2);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(maker);
}

static void expect_ok(struct trace_maker *maker)
{
	expect(maker, RULE_OVERLAP, VERDICT_OK, "");
}

/* ---- one call after the other --------------------------------------------------- */

static void test_check_clean_session_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, PAGE, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), -ENOENT, 0);
	maker_last(&maker)->non_exist = true;
	end(&maker);
	expect_ok(&maker);
}

static void test_check_overlap_by_one_byte_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, PAGE - 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma ioas 1 [0xfff");
}

static void test_check_map_refused_as_existing_is_overlap(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), -EEXIST, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "EEXIST");
}

static void test_check_map_at_the_top_of_the_space_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, UINT64_MAX - PAGE + 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, UINT64_MAX - PAGE + 1, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect_ok(&maker);
}

static void test_check_successful_unmap_of_nothing_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect(&maker, RULE_UNMAP_UNMAPPED, VERDICT_VIOLATION, "unmap_dma");
}

static void test_check_unmap_of_something_told_as_nothing_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), -ENOENT, 0);
	maker_last(&maker)->non_exist = true;
	end(&maker);
	expect(&maker, RULE_UNMAP_UNMAPPED, VERDICT_VIOLATION, "unmap_dma (non-existent)");
}

static void test_check_unmap_that_cuts_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect(&maker, RULE_PARTIAL_UNMAP, VERDICT_VIOLATION, "unmap_dma");
}

static void test_check_unmap_refused_as_cutting_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, 2 * PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, 2 * PAGE - 1), -ENOENT, 0);
	maker_last(&maker)->non_exist = true;
	end(&maker);
	expect(&maker, RULE_PARTIAL_UNMAP, VERDICT_VIOLATION, "unmap_dma");
}

static void test_check_map_in_a_freed_ioas_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), -ENOENT, 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_USE_AFTER_FREE, VERDICT_VIOLATION, "map_dma");
}

static void test_check_id_given_out_again_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_call(&maker, alloc_ioas, 0, 1);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect_ok(&maker);
}

static void test_check_map_in_an_ioas_that_never_was_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 42, 0, PAGE), -ENOENT, 0);
	end(&maker);
	expect(&maker, RULE_UNKNOWN_ID, VERDICT_VIOLATION, "map_dma ioas 42");
}

static void test_check_free_twice_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_call(&maker, on_id(OP_FREE_ID, 1), -ENOENT, 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_DOUBLE_FREE, VERDICT_VIOLATION, "free_id");
}

static void test_check_disconnect_without_users_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	end(&maker);
	maker_disconnect(&maker, 0, -1);
	maker_last(&maker)->ret = -ENOTCONN;
	expect(&maker, RULE_USERS, VERDICT_VIOLATION, "disconnect");
}

static void test_check_users_that_jump_are_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	maker_connect(&maker, 3, true, 5);
	maker_disconnect(&maker, 2, 5);
	maker_disconnect(&maker, 1, 5);
	end(&maker);
	expect(&maker, RULE_USERS, VERDICT_VIOLATION, "connect");
}

static void test_check_owned_fd_left_open_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
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
	start(&maker);
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
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), -EPIPE, 0);
	end(&maker);
	expect(&maker, RULE_ERRNO, VERDICT_VIOLATION, "EPIPE");
}

static void test_check_slow_call_is_violation_of_the_budget(void **state)
{
	struct check_config config = { .latency_ns[OP_MAP_DMA] = 10 };
	struct trace_maker maker;
	struct analysis *analysis = analysis_create();
	struct check *check = check_create(analysis, &config);

	(void)state;
	start(&maker);
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
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	overlapping(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0,
		    on_range(OP_MAP_DMA, 1, 0, PAGE), 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_POSSIBLE, "map_dma");
}

/* No order of two maps of the same addresses is right. */
static void test_check_two_overlapping_maps_are_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	overlapping(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, on_range(OP_MAP_DMA, 1, 0, PAGE),
		    0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma");
}

static void test_check_overlapping_calls_on_other_addresses_are_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	overlapping(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0,
		    on_range(OP_MAP_DMA, 1, PAGE, PAGE), 0);
	overlapping(&maker, on_range(OP_UNMAP_DMA, 1, PAGE, PAGE), 0,
		    on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0);
	end(&maker);
	expect_ok(&maker);
}

/* The map was answered as if the free came later: right in one order only. */
static void test_check_map_during_free_is_possible(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	overlapping(&maker, on_id(OP_FREE_ID, 1), 0, on_range(OP_MAP_DMA, 1, 0, PAGE), 0);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_USE_AFTER_FREE, VERDICT_POSSIBLE, "map_dma");
}

/* Refused: the free was first in every order that explains it. */
static void test_check_map_refused_during_free_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	start(&maker);
	overlapping(&maker, on_id(OP_FREE_ID, 1), 0, on_range(OP_MAP_DMA, 1, 0, PAGE), -ENOENT);
	maker_disconnect(&maker, 0, -1);
	expect(&maker, RULE_USE_AFTER_FREE, VERDICT_VIOLATION, "map_dma");
}

/* ---- with the device's commits -------------------------------------------------- */

static void device_call(struct trace_maker *maker, struct maker_call call, uint64_t kind,
			uint64_t object, uint64_t seq, uint64_t arg, uint64_t new_id)
{
	call.tid = MAKER_PID;
	maker_begin(maker, &call);
	maker_ioctl_begin(maker, &call);
	if (seq)
		maker_commit(maker, &call, kind, object, seq, arg);
	maker_ioctl_end(maker, &call, 0);
	maker_end(maker, &call, 0, new_id);
}

static void device_start(struct trace_maker *maker)
{
	maker_init(maker, true, 1);
	maker_open(maker);
	maker_connect(maker, 1, true, 5);
	device_call(maker, alloc_ioas, TRACE_COMMIT_ALLOC, 1, 1, 0, 1);
}

static void device_end(struct trace_maker *maker, uint64_t seq)
{
	device_call(maker, on_id(OP_FREE_ID, 1), TRACE_COMMIT_DESTROY, 1, seq, 0, 0);
	maker_disconnect(maker, 0, -1);
}

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

/* ---- lost events ---------------------------------------------------------------- */

/* Plays with one loss in the middle and ends all; the verdict of rule, and of `users`. */
static void expect_with_loss(struct trace_maker *maker, const struct maker_loss *loss,
			     enum check_rule rule, enum check_verdict verdict)
{
	struct analysis *analysis;
	struct check *check = maker_play(maker, loss, 1, &analysis);

	assert_int_equal(check_rule_verdict(check, rule), verdict);
	assert_int_equal(check_rule_verdict(check, RULE_USERS), VERDICT_UNKNOWN);
	assert_int_equal(check_exit_status(check), verdict == VERDICT_VIOLATION ? 1 : 2);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(maker);
}

/* A fault, and loss long before it: the fault is still certain. */
static void test_check_fault_after_a_loss_is_violation(void **state)
{
	struct trace_maker maker;
	struct maker_loss loss = { .cpu = 9 };

	(void)state;
	start(&maker);
	loss.first_ns = maker.now_ns + 1;
	loss.last_ns = maker.now_ns + 2;
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect_with_loss(&maker, &loss, RULE_OVERLAP, VERDICT_VIOLATION);
}

/* The same maps with loss between them: an unmap may be what was lost. */
static void test_check_conflict_across_a_loss_is_unknown(void **state)
{
	struct trace_maker maker;
	struct maker_loss loss = { .cpu = 9 };

	(void)state;
	start(&maker);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	loss.first_ns = maker.now_ns + 1;
	loss.last_ns = maker.now_ns + 2;
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect_with_loss(&maker, &loss, RULE_OVERLAP, VERDICT_UNKNOWN);
}

/* With commit numbers the object's own numbers prove that nothing of it was lost. */
static void test_check_conflict_across_a_loss_with_dense_commits_is_violation(void **state)
{
	struct trace_maker maker;
	struct maker_loss loss = { .cpu = 9 };

	(void)state;
	device_start(&maker);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 2, 0, 0);
	loss.first_ns = maker.now_ns + 1;
	loss.last_ns = maker.now_ns + 2;
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 3, 0, 0);
	device_end(&maker, 4);
	expect_with_loss(&maker, &loss, RULE_OVERLAP, VERDICT_VIOLATION);
}

/* ---- late start ----------------------------------------------------------------- */

static void dump_event(struct trace_maker *maker, enum event_kind kind, uint64_t id, uint64_t iova,
		       uint64_t size)
{
	struct maker_call none = { .op = OP_NONE };
	struct event *event;

	maker_begin(maker, &none);
	event = maker_last(maker);
	event->kind = kind;
	event->op_id = 0;
	event->fd = 5;
	event->owned = 1;
	event->users = 1;
	event->id = id;
	event->iova = iova;
	event->size = size;
	event->last = size ? iova + size - 1 : iova;
}

static void test_check_state_dump_is_where_a_late_trace_starts(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	dump_event(&maker, EVENT_BE_STATE, 0, 0, 0);
	dump_event(&maker, EVENT_BE_OBJECT, 1, 0, 0);
	dump_event(&maker, EVENT_BE_MAPPING, 1, 0, PAGE);
	dump_event(&maker, EVENT_BE_STATE_END, 0, 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect_ok(&maker);
}

static void test_check_mapping_of_a_state_dump_counts(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	dump_event(&maker, EVENT_BE_STATE, 0, 0, 0);
	dump_event(&maker, EVENT_BE_OBJECT, 1, 0, 0);
	dump_event(&maker, EVENT_BE_MAPPING, 1, 0, PAGE);
	dump_event(&maker, EVENT_BE_STATE_END, 0, 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	end(&maker);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma");
}

/* Without one, what was there before is not known, and that is what it says. */
static void test_check_late_start_without_dump_is_unknown(void **state)
{
	struct trace_maker maker;
	struct analysis *analysis;
	struct check *check;

	(void)state;
	maker_init(&maker, false, 1);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_disconnect(&maker, 0, -1);
	check = maker_play(&maker, NULL, 0, &analysis);
	assert_int_equal(check_verdict(check), VERDICT_UNKNOWN);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

/* ---- QEMU's own events ---------------------------------------------------------- */

/* It names no backend and no call, and ends calls only. */
static void qemu_event(struct trace_maker *maker, enum event_op op, int64_t fd, uint64_t id,
		       uint64_t iova, uint64_t size, int64_t ret)
{
	struct maker_call call = { .op = op, .tid = 300, .id = id, .iova = iova, .size = size };
	struct event *event;

	maker_end(maker, &call, ret, op == OP_ALLOC_IOAS ? id : 0);
	event = maker_last(maker);
	event->qemu = true;
	event->op_id = 0;
	event->be = 0;
	event->fd = fd;
	event->owned = 1;
	event->users = op == OP_CONNECT;
}

static void qemu_session(struct trace_maker *maker, bool twice)
{
	maker_init(maker, false, 1);
	qemu_event(maker, OP_CONNECT, 9, 0, 0, 0, 0);
	qemu_event(maker, OP_ALLOC_IOAS, 9, 2, 0, 0, 0);
	qemu_event(maker, OP_MAP_DMA, 9, 2, 0, PAGE, 0);
	if (twice)
		qemu_event(maker, OP_MAP_DMA, 9, 2, 0, PAGE, 0);
	qemu_event(maker, OP_UNMAP_DMA, 9, 2, 0, PAGE, 0);
	qemu_event(maker, OP_UNMAP_DMA, 9, 2, 0, PAGE, -1);
	maker_last(maker)->non_exist = true;
	qemu_event(maker, OP_FREE_ID, 9, 2, 0, 0, 0);
	qemu_event(maker, OP_DISCONNECT, -1, 0, 0, 0, 0);
}

static void test_check_qemu_clean_session_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	qemu_session(&maker, false);
	expect_ok(&maker);
}

static void test_check_qemu_double_map_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	qemu_session(&maker, true);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma");
}

/* ---- what the decoder asks by name ---------------------------------------------- */

static void test_event_class_of_names(void **state)
{
	struct event_class class = event_class_find("iommufd_backend:unmap_dma_non_exist");

	(void)state;
	assert_int_equal(class.kind, EVENT_OP_END);
	assert_int_equal(class.op, OP_UNMAP_DMA);
	assert_true(class.non_exist);
	class = event_class_find("iommufd_backend:map_file_dma_begin");
	assert_int_equal(class.kind, EVENT_OP_BEGIN);
	assert_int_equal(event_field_offset(&class, "fd"), offsetof(struct event, file_fd));
	class = event_class_find("qemu:iommufd_backend_map_dma");
	assert_int_equal(class.kind, EVENT_OP_END);
	assert_true(class.qemu);
	assert_int_equal(event_field_offset(&class, "iommufd"), offsetof(struct event, fd));
	class = event_class_find("qemu:iommu_backend_set_fd");
	assert_int_equal(class.op, OP_SET_FD);
	assert_int_equal(event_class_find("qemu:something").kind, EVENT_OTHER);
	assert_int_equal(event_class_find("").kind, EVENT_OTHER);
	assert_string_equal(event_op_name(event_op_of_cmd(0x3b85)), "IOAS_MAP");
	assert_string_equal(event_op_name(event_op_of_cmd(0x3ba0)), "TEST_CMD");
	assert_string_equal(event_op_name(event_op_of_cmd(0x3b71)), "VFIO_IOMMU_MAP_DMA");
	assert_string_equal(event_op_name(event_op_of_cmd(0x1234)), "other ioctl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(test_check_device_clean_session_is_ok),
		cmocka_unit_test(test_check_device_commits_out_of_order_are_ok),
		cmocka_unit_test(test_check_device_that_did_nothing_breaks_layers_agree),
		cmocka_unit_test(test_check_device_that_did_it_elsewhere_breaks_layers_agree),
		cmocka_unit_test(test_check_device_dma_outside_is_violation),
		cmocka_unit_test(test_check_device_write_to_readonly_is_violation),
		cmocka_unit_test(test_check_device_release_with_objects_is_leak),
		cmocka_unit_test(test_check_fault_after_a_loss_is_violation),
		cmocka_unit_test(test_check_conflict_across_a_loss_is_unknown),
		cmocka_unit_test(test_check_conflict_across_a_loss_with_dense_commits_is_violation),
		cmocka_unit_test(test_check_state_dump_is_where_a_late_trace_starts),
		cmocka_unit_test(test_check_mapping_of_a_state_dump_counts),
		cmocka_unit_test(test_check_late_start_without_dump_is_unknown),
		cmocka_unit_test(test_check_qemu_clean_session_is_ok),
		cmocka_unit_test(test_check_qemu_double_map_is_violation),
		cmocka_unit_test(test_event_class_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
