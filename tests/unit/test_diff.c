/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `ioasis diff` sees between two traces, and its limits for CI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analysis/stats/diff_internal.h"
#include "tests/unit/trace_feed.h"

/* A side whose calls to map take the same time each, but a few. */
struct made {
	struct feed feed;
	struct diff_side *side;
	int64_t now_ns;
};

static void made_begin(struct made *made)
{
	struct event connect = feed_connect(1), alloc = feed_alloc_ioas(1, 0);

	feed_init(&made->feed);
	made->side = diff_side_create();
	assert_int_equal(diff_side_observe(made->side, made->feed.analysis), 0);
	feed_call(&made->feed, 100, &connect);
	feed_call(&made->feed, 200, &alloc);
	made->now_ns = 1000;
}

static void made_calls(struct made *made, unsigned int count, int64_t took_ns, int64_t ret)
{
	for (unsigned int i = 0; i < count; i++) {
		struct event map = feed_map(1, 0x1000, 0x1000, ret);
		struct event unmap = feed_unmap(1, 0x1000, 0x1000);
		uint64_t op_id = feed_begin(&made->feed, made->now_ns, &map);

		feed_end(&made->feed, made->now_ns + took_ns, op_id, &map);
		made->now_ns += took_ns + 10;
		if (!ret)
			feed_call(&made->feed, made->now_ns, &unmap);
		made->now_ns += 100;
	}
}

static void made_end(struct made *made)
{
	diff_side_destroy(made->side);
	feed_fini(&made->feed);
}

static const struct diff_row *row_of(const struct comparison *c, enum event_op op)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->rows[i].op == op)
			return &c->rows[i];
	}
	fail_msg("no row");
	return NULL;
}

static size_t broken(const struct comparison *c, const char *text)
{
	struct diff_limit limit;

	assert_true(diff_limit_parse(text, &limit));
	return diff_check(c, &limit, 1, NULL);
}

/* A has 3,000 calls of 1 us; B as many, of which some take longer. */
static struct comparison *compare_with(struct made *a, struct made *b, unsigned int long_calls,
				       int64_t long_ns)
{
	made_begin(a);
	made_calls(a, 3000, 1000, 0);
	made_begin(b);
	made_calls(b, 3000 - long_calls, 1000, 0);
	made_calls(b, long_calls, long_ns, 0);
	analysis_finish(a->feed.analysis, false);
	analysis_finish(b->feed.analysis, false);
	return diff_compare(a->side, b->side);
}

static void test_diff_tail_that_grew_a_hundredfold_is_seen(void **state)
{
	struct made a, b;
	struct comparison *c = compare_with(&a, &b, 30, 100000), *back;
	const struct diff_row *row = row_of(c, OP_MAP_DMA);
	uint64_t value;

	(void)state;
	assert_string_equal(diff_latency_word(&row->latency), "differs, hardly");
	assert_string_equal(diff_tail_word(&row->tail), "longer tail");
	assert_int_equal(row->tail.longer_a, 0);
	assert_int_equal(row->tail.longer_b, 30);
	assert_true(diff_metric_get(a.side, row->a, DIFF_MEAN, &value));
	assert_int_equal(value, 1000);
	assert_true(diff_metric_get(b.side, row->b, DIFF_MEAN, &value));
	assert_int_equal(value, (2970 * 1000 + 30 * 100000) / 3000);
	assert_true(diff_metric_get(b.side, row->b, DIFF_TOTAL, &value));
	assert_int_equal(value, 2970 * 1000 + 30 * 100000);
	assert_true(diff_metric_get(b.side, row->b, DIFF_MAX, &value));
	assert_int_equal(value, 100000);
	assert_int_equal(broken(c, "tail"), 1);
	assert_int_equal(broken(c, "slower"), 0);
	assert_int_equal(broken(c, "fails"), 0);
	assert_int_equal(broken(c, "mean:90%"), 1);
	assert_int_equal(broken(c, "mean:100%"), 0);
	assert_int_equal(broken(c, "map_dma.p99.9:1000%"), 1);
	assert_int_equal(broken(c, "unmap_dma.p99.9:1000%"), 0);
	back = diff_compare(b.side, a.side);
	assert_string_equal(diff_tail_word(&row_of(back, OP_MAP_DMA)->tail), "shorter tail");
	assert_int_equal(broken(back, "tail"), 0);
	free(back);
	free(c);
	made_end(&a);
	made_end(&b);
}

/* Both have calls that take long, in B a hundred times as long: as many lie above A's p99. */
static void test_diff_tail_of_the_same_calls_that_grew_is_seen(void **state)
{
	struct comparison *c;
	struct made a, b;

	(void)state;
	made_begin(&a);
	made_calls(&a, 2970, 1000, 0);
	made_calls(&a, 30, 10000, 0);
	made_begin(&b);
	made_calls(&b, 2970, 1000, 0);
	made_calls(&b, 30, 1000000, 0);
	analysis_finish(a.feed.analysis, false);
	analysis_finish(b.feed.analysis, false);
	c = diff_compare(a.side, b.side);
	assert_string_equal(diff_tail_word(&row_of(c, OP_MAP_DMA)->tail), "longer tail");
	free(c);
	made_end(&a);
	made_end(&b);
}

static void test_diff_of_like_traces_says_nothing(void **state)
{
	static const char *const limits[] = { "slower", "tail", "fails", "mean:1%", "total:1%",
					      "rate:1%", "p50:1%", "p99.9:1%", "max:1%",
					      "calls:1%" };
	struct made a, b;
	struct comparison *c = compare_with(&a, &b, 0, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		assert_int_equal(broken(c, limits[i]), 0);
	free(c);
	made_end(&a);
	made_end(&b);
}

/* One long call of three thousand is chance. */
static void test_diff_tail_of_one_call_is_chance(void **state)
{
	struct made a, b;
	struct comparison *c = compare_with(&a, &b, 1, 1000000);

	(void)state;
	assert_int_equal(broken(c, "tail"), 0);
	assert_int_equal(broken(c, "max:500%"), 1);
	free(c);
	made_end(&a);
	made_end(&b);
}

static void test_diff_slower_and_failing_calls_break_their_limits(void **state)
{
	struct comparison *c;
	struct made a, b;

	(void)state;
	made_begin(&a);
	made_calls(&a, 500, 1000, 0);
	made_begin(&b);
	made_calls(&b, 400, 3000, 0);
	made_calls(&b, 100, 3000, -12);
	analysis_finish(a.feed.analysis, false);
	analysis_finish(b.feed.analysis, false);
	c = diff_compare(a.side, b.side);
	assert_int_equal(broken(c, "slower"), 1);
	assert_int_equal(broken(c, "fails"), 1);
	assert_int_equal(broken(c, "map_dma.rate:10%"), 1);
	assert_int_equal(broken(c, "p50:150%"), 1);
	free(c);
	made_end(&a);
	made_end(&b);
}

static void test_diff_limits_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", "fast", "mean", "mean:", "mean:x%", "mean:10",
					   "mean:0%", "frob.mean:10%", "map_dma:10%",
					   "map_dma.:10%", "mean:-5%", "mean:99999999999999%" };
	struct diff_limit limit;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(diff_limit_parse(bad[i], &limit));
	assert_true(diff_limit_parse("IOAS_MAP.p99.9:7%", &limit));
	assert_int_equal(limit.metric, DIFF_P999);
	assert_int_equal(limit.percent, 7);
	assert_string_equal(event_op_name((enum event_op)limit.op), "IOAS_MAP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff_tail_that_grew_a_hundredfold_is_seen),
		cmocka_unit_test(test_diff_tail_of_the_same_calls_that_grew_is_seen),
		cmocka_unit_test(test_diff_of_like_traces_says_nothing),
		cmocka_unit_test(test_diff_tail_of_one_call_is_chance),
		cmocka_unit_test(test_diff_slower_and_failing_calls_break_their_limits),
		cmocka_unit_test(test_diff_limits_that_are_none_are_refused),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
