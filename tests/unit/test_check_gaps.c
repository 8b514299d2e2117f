/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a trace lacks: lost events, a beginning that came late, an end that is cut off. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/analysis_internal.h"
#include "tests/unit/check_rig.h"

/* ---- lost events ---------------------------------------------------------------- */

/* A loss on a CPU of its own, after the last event and before the next. */
static struct maker_loss loss_now(const struct trace_maker *maker)
{
	return (struct maker_loss){
		.cpu = 9, .first_ns = maker->now_ns + 1, .last_ns = maker->now_ns + 2
	};
}

static void map_page(struct trace_maker *maker)
{
	maker_call(maker, on_range(OP_MAP_DMA, 1, 0, PAGE), 0, 0);
}

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
	struct maker_loss loss;

	(void)state;
	session_start(&maker);
	loss = loss_now(&maker);
	map_page(&maker);
	map_page(&maker);
	session_end(&maker);
	expect_with_loss(&maker, &loss, RULE_OVERLAP, VERDICT_VIOLATION);
}

/* The same maps with loss between them: an unmap may be what was lost. */
static void test_check_conflict_across_a_loss_is_unknown(void **state)
{
	struct trace_maker maker;
	struct maker_loss loss;

	(void)state;
	session_start(&maker);
	map_page(&maker);
	loss = loss_now(&maker);
	map_page(&maker);
	session_end(&maker);
	expect_with_loss(&maker, &loss, RULE_OVERLAP, VERDICT_UNKNOWN);
}

/* With commit numbers the object's own numbers prove that nothing of it was lost. */
static void test_check_conflict_across_a_loss_with_dense_commits_is_violation(void **state)
{
	struct trace_maker maker;
	struct maker_loss loss;

	(void)state;
	device_start(&maker);
	device_call(&maker, on_range(OP_MAP_DMA, 1, 0, PAGE), TRACE_COMMIT_MAP, 1, 2, 0, 0);
	loss = loss_now(&maker);
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

/* A late trace: an address space with one mapped page lives already. */
static void start_late(struct trace_maker *maker)
{
	maker_init(maker, false, 1);
	dump_event(maker, EVENT_BE_STATE, 0, 0, 0);
	dump_event(maker, EVENT_BE_OBJECT, 1, 0, 0);
	dump_event(maker, EVENT_BE_MAPPING, 1, 0, PAGE);
	dump_event(maker, EVENT_BE_STATE_END, 0, 0, 0);
}

static void test_check_state_dump_is_where_a_late_trace_starts(void **state)
{
	struct trace_maker maker;

	(void)state;
	start_late(&maker);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	expect_ok(&maker);
}

static void test_check_mapping_of_a_state_dump_counts(void **state)
{
	struct trace_maker maker;

	(void)state;
	start_late(&maker);
	map_page(&maker);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
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
	map_page(&maker);
	maker_call(&maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_disconnect(&maker, 0, -1);
	check = maker_play(&maker, NULL, 0, &analysis);
	assert_int_equal(check_verdict(check), VERDICT_UNKNOWN);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

/* ---- what a loss can have held --------------------------------------------------- */

/* The verdict on a clean session in whose middle a stream lost events. */
static void expect_with_one_loss(const struct event_loss *loss, enum check_verdict verdict)
{
	struct analysis *analysis = analysis_create();
	struct check *check = check_create(analysis, NULL);
	struct trace_maker maker;

	session_start(&maker);
	map_page(&maker);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1, 0, PAGE), 0, 0);
	session_end(&maker);
	quality_machine(analysis_quality(analysis), "host", "clock");
	quality_machine(analysis_quality(analysis), "another", "clock");
	for (size_t i = 0; i < maker.count; i++) {
		if (i == maker.count / 2)
			analysis_loss(analysis, loss);
		analysis_event(analysis, &maker.events[i]);
	}
	analysis_finish(analysis, false);
	assert_string_equal(check_verdict_name(check_verdict(check)), check_verdict_name(verdict));
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

static void test_check_loss_that_cannot_be_ours_changes_nothing(void **state)
{
	struct event_loss loss = { .first_ns = 0, .last_ns = INT64_MAX, .events = 7 };

	(void)state;
	expect_with_one_loss(&loss, VERDICT_UNKNOWN);
	loss.lacks = EVENT_LAYERS_ALL; /* of another channel, or the kernel's */
	expect_with_one_loss(&loss, VERDICT_OK);
}

/* Nothing was found, but something may have been there: of each rule that is not known. */
static void test_check_loss_touches_its_layer_machine_and_process(void **state)
{
	struct quality quality;
	struct event_loss loss = { .first_ns = 10, .last_ns = 20, .events = 7 };

	(void)state;
	quality_init(&quality);
	quality_machine(&quality, "host", "clock");
	quality_machine(&quality, "another", "clock");
	loss.lacks = 1u << EVENT_LAYER_DEVICE;
	loss.pid = 77;
	quality_loss(&quality, &loss);
	assert_true(quality_lost_since(&quality, 0, EVENT_LAYER_BACKEND, 77, 15));
	assert_true(quality_lost_since(&quality, 0, EVENT_LAYER_BACKEND, 0, 15)); /* whoever */
	assert_false(quality_lost_since(&quality, 0, EVENT_LAYER_BACKEND, 77, 21));
	assert_false(quality_lost_since(&quality, 0, EVENT_LAYER_BACKEND, 78, 15));
	assert_false(quality_lost_since(&quality, 0, EVENT_LAYER_DEVICE, 77, 15));
	assert_false(quality_lost_since(&quality, 1, EVENT_LAYER_BACKEND, 77, 15));
	quality_fini(&quality);
}

/* Nine streams end, and one event shows it: all of them are told. */
static void test_check_every_end_of_a_stream_is_told(void **state)
{
	struct analysis *analysis = analysis_create();
	struct event event = { .kind = EVENT_OTHER, .time_ns = 100 };

	(void)state;
	quality_machine(analysis_quality(analysis), "host", "clock");
	for (int i = 0; i < 9; i++) {
		struct event_loss loss = { .first_ns = 50 + i, .last_ns = INT64_MAX,
					   .is_end = true };

		analysis_loss_later(analysis, &loss);
	}
	analysis_event(analysis, &event);
	assert_int_equal(analysis_quality(analysis)->lost_windows, 9);
	analysis_destroy(analysis);
}

/* ---- the end -------------------------------------------------------------------- */

/* The verdict of `leak` on a recorded trace. */
static void expect_leak(struct trace_maker *maker, enum check_leaks leaks,
			enum check_verdict verdict)
{
	struct analysis *analysis = analysis_create();
	struct check_config config = { .leaks = leaks };
	struct check *check = check_create(analysis, &config);

	quality_machine(analysis_quality(analysis), "host", "clock");
	analysis_quality(analysis)->machines[0].by_lttng = true;
	for (size_t i = 0; i < maker->count; i++)
		analysis_event(analysis, &maker->events[i]);
	analysis_finish(analysis, false);
	assert_string_equal(check_verdict_name(check_rule_verdict(check, RULE_LEAK)),
			    check_verdict_name(verdict));
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(maker);
}

/* A session that ends with a mapping and a user left. */
static void leave_things(struct trace_maker *maker)
{
	session_start(maker);
	map_page(maker);
}

static void process_end(struct trace_maker *maker, uint64_t last_op)
{
	struct maker_call none = { .op = OP_NONE };

	maker_begin(maker, &none);
	maker_last(maker)->kind = EVENT_BE_PROCESS_END;
	maker_last(maker)->op_id = last_op;
}

static void test_check_leftovers_of_a_process_that_told_its_end_are_leak(void **state)
{
	struct trace_maker maker;

	(void)state;
	leave_things(&maker);
	process_end(&maker, maker.last_op);
	expect_leak(&maker, CHECK_LEAKS_EXIT, VERDICT_VIOLATION);
}

static void test_check_leftovers_with_the_last_calls_missing_are_unknown(void **state)
{
	struct trace_maker maker;

	(void)state;
	leave_things(&maker);
	process_end(&maker, maker.last_op + 2);
	expect_leak(&maker, CHECK_LEAKS_EXIT, VERDICT_UNKNOWN);
}

static void test_check_leftovers_with_a_call_missing_are_unknown(void **state)
{
	struct trace_maker maker;

	(void)state;
	leave_things(&maker);
	maker.last_op++; /* whatever that one did */
	maker_call(&maker, on_range(OP_MAP_DMA, 1, PAGE, PAGE), 0, 0);
	process_end(&maker, maker.last_op);
	expect_leak(&maker, CHECK_LEAKS_EXIT, VERDICT_UNKNOWN);
}

/* A process that is killed tells no end; nor does one that goes on. */
static void test_check_leftovers_without_an_end_are_unknown(void **state)
{
	struct trace_maker maker;

	(void)state;
	leave_things(&maker);
	expect_leak(&maker, CHECK_LEAKS_EXIT, VERDICT_UNKNOWN);
	leave_things(&maker);
	expect_leak(&maker, CHECK_LEAKS_CLOSE, VERDICT_UNKNOWN);
}

/* Who asks strictly says that nothing goes on. */
static void test_check_leftovers_without_an_end_are_leak_if_asked_strictly(void **state)
{
	struct trace_maker maker;

	(void)state;
	leave_things(&maker);
	expect_leak(&maker, CHECK_LEAKS_STRICT, VERDICT_VIOLATION);
}

/* The mapping goes with the address space that is freed. */
static void test_check_mapping_in_freed_space_is_leak_if_asked_strictly(void **state)
{
	struct trace_maker maker;

	(void)state;
	leave_things(&maker);
	session_end(&maker);
	expect_leak(&maker, CHECK_LEAKS_CLOSE, VERDICT_OK);
	leave_things(&maker);
	session_end(&maker);
	expect_leak(&maker, CHECK_LEAKS_STRICT, VERDICT_VIOLATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_fault_after_a_loss_is_violation),
		cmocka_unit_test(test_check_conflict_across_a_loss_is_unknown),
		cmocka_unit_test(test_check_conflict_across_a_loss_with_dense_commits_is_violation),
		cmocka_unit_test(test_check_state_dump_is_where_a_late_trace_starts),
		cmocka_unit_test(test_check_mapping_of_a_state_dump_counts),
		cmocka_unit_test(test_check_late_start_without_dump_is_unknown),
		cmocka_unit_test(test_check_loss_that_cannot_be_ours_changes_nothing),
		cmocka_unit_test(test_check_loss_touches_its_layer_machine_and_process),
		cmocka_unit_test(test_check_every_end_of_a_stream_is_told),
		cmocka_unit_test(test_check_leftovers_of_a_process_that_told_its_end_are_leak),
		cmocka_unit_test(test_check_leftovers_with_the_last_calls_missing_are_unknown),
		cmocka_unit_test(test_check_leftovers_with_a_call_missing_are_unknown),
		cmocka_unit_test(test_check_leftovers_without_an_end_are_unknown),
		cmocka_unit_test(test_check_leftovers_without_an_end_are_leak_if_asked_strictly),
		cmocka_unit_test(test_check_mapping_in_freed_space_is_leak_if_asked_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
