/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of `ioasis stats`, from traces made by hand. */
#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/stats/stats.h"
#include "tests/unit/trace_maker.h"

#define PAGE 4096u

static struct stats *play(const struct trace_maker *maker, struct analysis **analysis)
{
	struct stats *stats;

	*analysis = analysis_create();
	stats = stats_create(*analysis);
	assert_non_null(stats);
	quality_machine(analysis_quality(*analysis), "host", "clock");
	for (size_t i = 0; i < maker->count; i++)
		analysis_event(*analysis, &maker->events[i]);
	analysis_finish(*analysis, false);
	return stats;
}

static struct maker_call on_range(enum event_op op, uint64_t iova, uint64_t size)
{
	return (struct maker_call){ .op = op, .id = 1, .iova = iova, .size = size };
}

static void test_stats_counts_calls_errors_and_bytes(void **state)
{
	struct trace_maker maker;
	struct analysis *analysis;
	const struct stats_op *row;
	struct stats *stats;

	(void)state;
	maker_init(&maker, false, 1);
	maker_connect(&maker, 1, true, 5);
	for (uint64_t i = 0; i < 10; i++)
		maker_call(&maker, on_range(OP_MAP_DMA, i * PAGE, PAGE), 0, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 0, PAGE), -EEXIST, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 0, PAGE), -EFAULT, 0);
	maker_call(&maker, on_range(OP_MAP_DMA, 0, PAGE), -EFAULT, 0);
	maker_call(&maker, on_range(OP_UNMAP_DMA, 1ull << 40, PAGE), -ENOENT, 0);
	maker_last(&maker)->non_exist = true;
	stats = play(&maker, &analysis);
	row = stats_op(stats, OP_MAP_DMA);
	assert_int_equal(row->calls, 13);
	assert_int_equal(row->errors, 3);
	assert_int_equal(row->by_errno[EEXIST], 1);
	assert_int_equal(row->by_errno[EFAULT], 2);
	assert_int_equal(row->bytes, 10 * PAGE);
	row = stats_op(stats, OP_UNMAP_DMA);
	assert_int_equal(row->calls, 1);
	assert_int_equal(row->errors, 0);
	assert_int_equal(row->non_exist, 1);
	assert_null(stats_op(stats, OP_FREE_ID));
	stats_destroy(stats);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

/* A call takes from its begin to its end; one that never ends is counted apart. */
static void test_stats_times_calls_from_begin_to_end(void **state)
{
	struct maker_call slow = on_range(OP_MAP_DMA, 0, PAGE);
	struct maker_call lost = on_range(OP_MAP_DMA, PAGE, PAGE);
	struct json_object *object, *threads, *thread;
	struct trace_maker maker;
	struct analysis *analysis;
	const struct stats_op *row;
	struct stats *stats;

	(void)state;
	maker_init(&maker, false, 1);
	maker_connect(&maker, 1, true, 5);
	slow.tid = 201;
	maker_begin(&maker, &slow);
	for (uint64_t i = 2; i < 102; i++)
		maker_call(&maker, on_range(OP_MAP_DMA, i * PAGE, PAGE), 0, 0);
	maker_end(&maker, &slow, 0, 0);
	lost.tid = 202;
	maker_begin(&maker, &lost);
	stats = play(&maker, &analysis);
	object = stats_to_json(stats);
	threads = json_object_object_get(object, "threads");
	assert_int_equal(json_object_array_length(threads), 2); /* one's only call never ended */
	thread = json_object_array_get_idx(threads, 1);
	assert_int_equal(json_object_get_int(json_object_object_get(thread, "tid")), 201);
	assert_int_equal(json_object_get_int(json_object_object_get(thread, "calls")), 1);
	assert_int_equal(json_object_get_int64(json_object_object_get(thread, "total_ns")),
			 201 * MAKER_STEP_NS);
	json_object_put(object);
	row = stats_op(stats, OP_MAP_DMA);
	assert_int_equal(row->calls, 101);
	assert_int_equal(row->no_return, 1);
	assert_int_equal(row->latency_ns.min, MAKER_STEP_NS);
	assert_int_equal(row->latency_ns.max, 201 * MAKER_STEP_NS);
	assert_int_equal(row->total_ns, (100 + 201) * MAKER_STEP_NS);
	assert_in_range(histogram_percentile(&row->latency_ns, 500000), MAKER_STEP_NS,
			MAKER_STEP_NS + MAKER_STEP_NS / 32);
	stats_destroy(stats);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

static uint64_t number_of(struct json_object *stats, const char *rows, const char *key)
{
	struct json_object *array = json_object_object_get(stats, rows);

	assert_int_equal(json_object_array_length(array), 1);
	return (uint64_t)json_object_get_int64(
		json_object_object_get(json_object_array_get_idx(array, 0), key));
}

/* A program without the backend library is a process with address spaces, too. */
static void test_stats_counts_ioctls_without_a_backend(void **state)
{
	struct maker_call alloc = { .op = OP_ALLOC_IOAS, .tid = MAKER_PID };
	struct maker_call map = on_range(OP_MAP_DMA, 0, PAGE);
	struct json_object *object;
	struct trace_maker maker;
	struct analysis *analysis;
	struct stats *stats;

	(void)state;
	maker_init(&maker, true, 1);
	maker_open(&maker);
	maker_ioctl_begin(&maker, &alloc);
	maker_commit(&maker, &alloc, TRACE_COMMIT_ALLOC, 1, 1, 0);
	maker_ioctl_end(&maker, &alloc, 0);
	map.tid = MAKER_PID;
	maker_ioctl_begin(&maker, &map);
	maker_commit(&maker, &map, TRACE_COMMIT_MAP, 1, 2, 0);
	maker_ioctl_end(&maker, &map, 0);
	maker_ioctl_begin(&maker, &map);
	maker_refused(&maker, &map);
	maker_ioctl_end(&maker, &map, -EEXIST);
	stats = play(&maker, &analysis);
	assert_int_equal(stats_op(stats, event_op_of_cmd(0x3b85))->bytes, PAGE);
	object = stats_to_json(stats);
	assert_int_equal(number_of(object, "processes", "calls"), 3);
	assert_int_equal(number_of(object, "processes", "errors"), 1);
	assert_int_equal(number_of(object, "processes", "mapped_bytes"), PAGE);
	assert_int_equal(number_of(object, "address_spaces", "ioas"), 1);
	assert_int_equal(number_of(object, "address_spaces", "calls"), 2);
	assert_int_equal(number_of(object, "address_spaces", "mapped_bytes"), PAGE);
	json_object_put(object);
	stats_destroy(stats);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

static void test_stats_text_of_times_and_bytes(void **state)
{
	char text[16];

	(void)state;
	assert_string_equal(stats_time_text(0, text), "0 ns");
	assert_string_equal(stats_time_text(999, text), "999 ns");
	assert_string_equal(stats_time_text(1250, text), "1.25 us");
	assert_string_equal(stats_time_text(3100000, text), "3.10 ms");
	assert_string_equal(stats_time_text(2000000000, text), "2.00 s");
	assert_string_equal(stats_bytes_text(4096, text), "4096 B");
	assert_string_equal(stats_bytes_text(3 << 19, text), "1.50 MiB");
	assert_string_equal(stats_bytes_text(1ull << 40, text), "1.00 TiB");
	assert_true(strlen(stats_bytes_text(UINT64_MAX, text)) < 16);
	assert_true(strlen(stats_time_text(UINT64_MAX, text)) < 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stats_counts_calls_errors_and_bytes),
		cmocka_unit_test(test_stats_times_calls_from_begin_to_end),
		cmocka_unit_test(test_stats_counts_ioctls_without_a_backend),
		cmocka_unit_test(test_stats_text_of_times_and_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
