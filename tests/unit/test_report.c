/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's data: all is counted, what is drawn is bounded, nothing breaks out of the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/report.h"
#include "analysis/report/report_internal.h"
#include "tests/unit/trace_feed.h"

static struct feed feed;
static struct report *report;

static void begin(void)
{
	struct event connect = feed_connect(1), alloc = feed_alloc_ioas(1, 0);

	feed_init(&feed);
	report = report_create();
	assert_non_null(report);
	assert_int_equal(report_observe(report, feed.analysis), 0);
	feed_call(&feed, 1000, &connect);
	feed_call(&feed, 1100, &alloc);
}

/* Ends the trace, writes the page and returns its data. */
static struct json_object *end(void)
{
	char *traces[] = { (char *)"trace </script><!-- 1" }, *page = NULL, *data, *data_end;
	struct json_object *json;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	analysis_finish(feed.analysis, false);
	assert_int_equal(report_write(report, feed.analysis, traces, 1, out), 0);
	fclose(out);
	assert_non_null(strstr(page, "Michael Bostock"));
	assert_null(strstr(page, "src=\"http"));
	assert_null(strstr(page, "@DATA@"));
	data = strstr(page, "id=\"data\">");
	assert_non_null(data);
	data += strlen("id=\"data\">");
	data_end = strstr(data, "</script>");
	*data_end = 0;
	json = json_tokener_parse(data);
	assert_non_null(json);
	free(page);
	report_destroy(report);
	feed_fini(&feed);
	return json;
}

static struct json_object *get(struct json_object *json, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(json, key, &value))
		fail_msg("no %s", key);
	return value;
}

static uint64_t sum(struct json_object *array)
{
	uint64_t total = 0;

	for (size_t i = 0; i < json_object_array_length(array); i++)
		total += json_object_get_uint64(json_object_array_get_idx(array, i));
	return total;
}

static void test_report_of_a_small_trace_has_everything(void **state)
{
	struct event map = feed_map(1, 0x1000, 0x1000, 0), bad = feed_map(1, 0x1000, 0x1000, -17);
	struct event unmap = feed_unmap(1, 0x1000, 0x1000);
	struct report_event witness = { 2110, 7, "map_dma" };
	struct report_finding finding = {
		.rule = "overlap", .status = "violation", .cause = "</script>\"<b>",
		.time_ns = 2110, .pid = FEED_PID, .object = 1, .has_range = true,
		.iova = 0x1000, .last = 0x1fff, .events = &witness, .events_count = 1,
	};
	struct json_object *json, *space, *found;

	(void)state;
	begin();
	feed_call(&feed, 2000, &map);
	feed_call(&feed, 2100, &bad);
	feed_call(&feed, 2200, &unmap);
	map.iova = 0x8000;
	map.last = 0x8fff;
	feed_call(&feed, 2300, &map);
	assert_int_equal(report_finding(report, &finding), 0);
	assert_int_equal(report_verdict(report, "violation", "overlap", "overlap, leak"), 0);
	json = end();
	space = json_object_array_get_idx(get(json, "spaces"), 0);
	assert_int_equal(json_object_array_length(get(space, "rects")), 2);
	assert_int_equal(json_object_array_length(get(space, "rasters")), 0);
	found = json_object_array_get_idx(get(json, "violations"), 0);
	assert_int_equal(json_object_get_int(get(found, "space")), 0);
	assert_string_equal(json_object_get_string(get(found, "cause")), "</script>\"<b>");
	assert_string_equal(json_object_get_string(get(found, "iova")), "0x1000");
	assert_int_equal(sum(get(get(json, "series"), "errors")), 1);
	assert_int_equal(json_object_array_length(get(json, "objects")), 2);
	assert_string_equal(json_object_get_string(get(get(json, "verdict"), "status")),
			    "violation");
	json_object_put(json);
}

/* 60,000 mappings: a fifth of them drawn, all of them counted, the raster shows the rest. */
static void test_report_of_many_mappings_draws_few_and_counts_all(void **state)
{
	struct json_object *json, *space, *op, *series, *calls;
	uint64_t counted = 0;

	(void)state;
	begin();
	for (int i = 0; i < 60000; i++) {
		struct event map = feed_map(1, 0x100000 + (uint64_t)(i % 5000) * 0x4000, 0x1000, 0);
		struct event unmap = feed_unmap(1, map.iova, 0x1000);

		feed_call(&feed, 10000 + i * 100, &map);
		feed_call(&feed, 10050 + i * 100, &unmap);
	}
	json = end();
	space = json_object_array_get_idx(get(json, "spaces"), 0);
	assert_in_range(json_object_array_length(get(space, "rects")), 100, REPORT_RECTS_MAX);
	assert_int_equal(json_object_array_length(get(space, "rasters")),
			 json_object_array_length(get(space, "segments")));
	assert_non_null(strstr(json_object_get_string(get(space, "note")), "60000 mappings"));
	for (size_t i = 0; i < json_object_array_length(get(json, "ops")); i++) {
		op = json_object_array_get_idx(get(json, "ops"), i);
		counted += json_object_get_uint64(get(op, "calls"));
	}
	assert_int_equal(counted, 120002);
	series = get(json, "series");
	calls = get(series, "calls");
	counted = 0;
	for (size_t i = 0; i < json_object_array_length(calls); i++)
		counted += sum(get(json_object_array_get_idx(calls, i), "bins"));
	assert_int_equal(counted, 120002);
	assert_in_range(json_object_array_length(get(series, "errors")), TIMELINE_BINS / 2,
			TIMELINE_BINS);
	json_object_put(json);
}

static void test_report_of_nothing_is_a_page(void **state)
{
	struct json_object *json;

	(void)state;
	feed_init(&feed);
	report = report_create();
	assert_int_equal(report_observe(report, feed.analysis), 0);
	json = end();
	assert_int_equal(json_object_array_length(get(json, "spaces")), 0);
	assert_string_equal(json_object_get_string(get(get(json, "verdict"), "status")), "unknown");
	json_object_put(json);
}

/* Whatever is added, regions stay sorted, apart, few, and hold all of it. */
static void test_report_regions_hold_what_was_added(void **state)
{
	struct report_regions regions = { 0 };
	uint64_t seed = 3, iovas[500], lasts[500];

	(void)state;
	for (int i = 0; i < 500; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		iovas[i] = i == 100 ? 0 : seed >> (seed % 50);
		lasts[i] = iovas[i] + (seed >> 40);
		if (lasts[i] < iovas[i])
			lasts[i] = UINT64_MAX;
		report_regions_add(&regions, iovas[i], lasts[i]);
		assert_in_range(regions.count, 1, REPORT_REGIONS_MAX);
		for (unsigned int k = 0; k + 1 < regions.count; k++) {
			assert_true(regions.first[k] <= regions.last[k]);
			assert_true(regions.last[k] < regions.first[k + 1]);
		}
		for (int k = 0; k <= i; k++) {
			unsigned int r = 0;

			while (r < regions.count && regions.last[r] < iovas[k])
				r++;
			assert_true(r < regions.count && regions.first[r] <= iovas[k] &&
				    regions.last[r] >= lasts[k]);
		}
	}
}

/* Bins of a timeline that grew many times hold what was counted. */
static void test_timeline_keeps_counts_and_extremes_as_it_grows(void **state)
{
	struct timeline timeline;
	struct timeline_band *band;
	struct timeline_counter *counter;
	uint64_t total = 0, max = 0;

	(void)state;
	timeline_init(&timeline);
	band = timeline_band_add(&timeline);
	counter = timeline_counter_add(&timeline);
	for (int64_t t = 0; t < 100000000; t += 7919) {
		counter->bins[timeline_bin(&timeline, t)]++;
		timeline_band_set(&timeline, band, t, t == 79190 ? 999 : 5);
		total++;
	}
	for (unsigned int i = 0; i < timeline.used; i++) {
		total -= counter->bins[i];
		max = band->max[i] > max ? band->max[i] : max;
		assert_true(band->min[i] <= band->last[i] && band->last[i] <= band->max[i]);
	}
	assert_int_equal(total, 0);
	assert_int_equal(max, 999);
	assert_in_range(timeline.used, TIMELINE_BINS / 2, TIMELINE_BINS);
	timeline_fini(&timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_of_a_small_trace_has_everything),
		cmocka_unit_test(test_report_of_many_mappings_draws_few_and_counts_all),
		cmocka_unit_test(test_report_of_nothing_is_a_page),
		cmocka_unit_test(test_report_regions_hold_what_was_added),
		cmocka_unit_test(test_timeline_keeps_counts_and_extremes_as_it_grows),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
