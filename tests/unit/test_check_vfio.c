/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule device and the numbers of devices, from traces made by hand. */
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/stats/stats.h"
#include "tests/unit/check_rig.h"

#define ATTACH 0x3b77u
#define DETACH 0x3b78u
#define SET_IRQS 0x3b6eu
#define PT 3u

static const enum check_leaks all_leaks[] = { CHECK_LEAKS_EXIT, CHECK_LEAKS_CLOSE,
					      CHECK_LEAKS_STRICT };

static void begin(struct trace_maker *maker, enum check_leaks leaks)
{
	device_start(maker);
	maker->leaks = leaks;
	maker_vfio(maker, EVENT_VFIO_BIND, 0, 0, 0);
}

static void unbind(struct trace_maker *maker, bool by_exit)
{
	maker_vfio(maker, EVENT_VFIO_UNBIND, 0, 0, 0)->by_exit = by_exit;
	device_end(maker, 2);
}

static void test_check_device_detached_and_closed_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(&maker, all_leaks[i]);
		maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, PT, 0);
		maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, PT + 1, 0); /* instead of the first */
		maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, 7ull << 32 | PT, 0);
		maker_vfio(&maker, EVENT_VFIO_CALL, DETACH, 0, 0);
		maker_vfio(&maker, EVENT_VFIO_CALL, DETACH, 7ull << 32, 0);
		unbind(&maker, false);
		expect_ok(&maker);
	}
}

static void test_check_device_left_attached_is_told_when_asked(void **state)
{
	struct trace_maker maker;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(&maker, all_leaks[i]);
		maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, PT, 0);
		maker_vfio(&maker, EVENT_VFIO_CALL, DETACH, 0, -22); /* refused */
		unbind(&maker, false);
		expect(&maker, RULE_DEVICE, i ? VERDICT_VIOLATION : VERDICT_OK,
		       "its file was closed");
	}
}

static void test_check_device_left_attached_with_pasid_is_told(void **state)
{
	struct trace_maker maker;

	(void)state;
	begin(&maker, CHECK_LEAKS_CLOSE);
	maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, 7ull << 32 | PT, 0);
	maker_vfio(&maker, EVENT_VFIO_CALL, DETACH, 0, 0);
	unbind(&maker, false);
	expect(&maker, RULE_DEVICE, VERDICT_VIOLATION, "its file was closed");
}

static void test_check_device_refused_attach_leaves_nothing(void **state)
{
	struct trace_maker maker;

	(void)state;
	begin(&maker, CHECK_LEAKS_STRICT);
	maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, PT, -2);
	unbind(&maker, false);
	expect_ok(&maker);
}

static void test_check_device_bound_at_exit_is_told_when_asked(void **state)
{
	struct trace_maker maker;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(&maker, all_leaks[i]);
		unbind(&maker, true);
		expect(&maker, RULE_DEVICE, i ? VERDICT_VIOLATION : VERDICT_OK,
		       "its file was closed as its process ended");
	}
}

static void test_check_device_bound_when_the_trace_ends_is_told_when_asked(void **state)
{
	struct trace_maker maker;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(&maker, all_leaks[i]);
		device_call(&maker, on_id(OP_FREE_ID, 1), TRACE_COMMIT_DESTROY, 1, 2, 0, 0);
		maker_disconnect(&maker, 0, -1);
		expect(&maker, RULE_DEVICE, i ? VERDICT_VIOLATION : VERDICT_OK, "the trace ended");
	}
}

/* The DETACH may be what was lost. */
static void test_check_device_loss_since_the_attach_is_unknown(void **state)
{
	struct maker_loss loss = { .cpu = 0 };
	struct analysis *analysis;
	struct trace_maker maker;
	struct check *check;

	(void)state;
	begin(&maker, CHECK_LEAKS_CLOSE);
	maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, PT, 0)->stream = 1;
	loss.first_ns = maker.now_ns + 1;
	loss.last_ns = maker.now_ns += MAKER_STEP_NS;
	unbind(&maker, false);
	check = maker_play(&maker, &loss, 1, &analysis);
	assert_int_equal(check_rule_verdict(check, RULE_DEVICE), VERDICT_UNKNOWN);
	assert_int_equal(check_rule_count(check, RULE_DEVICE, VERDICT_VIOLATION), 0);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

static uint64_t number(struct json_object *object, const char *name)
{
	return (uint64_t)json_object_get_int64(json_object_object_get(object, name));
}

static void test_stats_has_a_row_for_each_device(void **state)
{
	struct json_object *all, *devices, *row;
	struct trace_maker maker;
	struct analysis *analysis;
	struct stats *stats;

	(void)state;
	begin(&maker, CHECK_LEAKS_EXIT);
	maker_vfio(&maker, EVENT_VFIO_CALL, ATTACH, PT, 0);
	maker_vfio(&maker, EVENT_VFIO_CALL, SET_IRQS, 0, -22)->duration_ns = 4000;
	maker_vfio(&maker, EVENT_VFIO_IRQ, 0, 0, 0);
	maker_vfio(&maker, EVENT_VFIO_IRQ, 0, 0, 0)->bdf = 6 << 3;
	maker_dma(&maker, PT, 0, 100, true, 0);
	maker_last(&maker)->bdf = 5 << 3;
	maker_dma(&maker, PT, 0, 30, false, 0);
	maker_last(&maker)->bdf = 5 << 3;
	maker_dma(&maker, PT, 0, 7, false, -14);
	maker_last(&maker)->bdf = 5 << 3;
	maker_dma(&maker, PT, 0, 9, true, 0); /* of a device on no bus */
	maker_last(&maker)->bdf = EVENT_NO_BDF;
	unbind(&maker, false);

	analysis = analysis_create();
	stats = stats_create(analysis);
	assert_non_null(stats);
	quality_machine(analysis_quality(analysis), "host", "clock");
	for (size_t i = 0; i < maker.count; i++)
		analysis_event(analysis, &maker.events[i]);
	analysis_finish(analysis, false);
	all = stats_to_json(stats);
	devices = json_object_object_get(all, "devices");
	assert_int_equal(json_object_array_length(devices), 3);
	row = json_object_array_get_idx(devices, 0);
	assert_string_equal(json_object_get_string(json_object_object_get(row, "bdf")),
			    "0000:00:05.0");
	assert_int_equal(number(row, "group"), 5);
	assert_int_equal(number(row, "pid"), MAKER_PID);
	assert_int_equal(number(row, "binds"), 1);
	assert_int_equal(number(row, "calls"), 2);
	assert_int_equal(number(row, "errors"), 1);
	assert_int_equal(number(row, "total_ns"), 6000);
	assert_int_equal(number(row, "max_ns"), 4000);
	assert_int_equal(number(row, "dma_written_bytes"), 100);
	assert_int_equal(number(row, "dma_reads"), 2);
	assert_int_equal(number(row, "dma_read_bytes"), 30);
	assert_int_equal(number(row, "dma_faults"), 1);
	assert_int_equal(number(row, "irqs"), 1);
	row = json_object_array_get_idx(devices, 1);
	assert_int_equal(number(row, "irqs"), 1);
	assert_null(json_object_object_get(row, "group"));
	row = json_object_array_get_idx(devices, 2);
	assert_null(json_object_object_get(row, "bdf"));
	assert_int_equal(number(row, "dev"), 90);
	assert_int_equal(number(row, "dma_written_bytes"), 9);
	json_object_put(all);
	stats_destroy(stats);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_device_detached_and_closed_is_ok),
		cmocka_unit_test(test_check_device_left_attached_is_told_when_asked),
		cmocka_unit_test(test_check_device_left_attached_with_pasid_is_told),
		cmocka_unit_test(test_check_device_refused_attach_leaves_nothing),
		cmocka_unit_test(test_check_device_bound_at_exit_is_told_when_asked),
		cmocka_unit_test(test_check_device_bound_when_the_trace_ends_is_told_when_asked),
		cmocka_unit_test(test_check_device_loss_since_the_attach_is_unknown),
		cmocka_unit_test(test_stats_has_a_row_for_each_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
