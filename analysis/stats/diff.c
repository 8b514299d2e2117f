/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ioasis diff`.
 *
 * A row an operation: calls, failed calls, latency. Three tests: the latencies as a whole
 * (Mann-Whitney), the share of failed calls (Fisher), and the tail, which moves too few calls for
 * the first one. All p-values of one diff are corrected together (Holm). A difference counts when
 * its p is below 0.01 and its size is not negligible: Cliff's delta of 0.147 or more (Romano et
 * al. 2006); of the tail twice as many calls, and 200 in a million.
 *
 * The tail: for each of p90, p99, p99.9 and the maximum of one side, how many calls of each side
 * took more than twice as long (Fisher). The smallest p counts, times the number of these tests.
 *
 * Fragmentation is what the live mappings look like over time: how many, how large,
 * and in how many runs without a gap between them.
 */
#include "analysis/stats/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/stats/diff_internal.h"

#define LEVEL 0.01L
#define EFFECT_PPM 147000
#define TAIL_EFFECT_PPM 200
#define TAIL_FACTOR 2u

/* ---- collecting -------------------------------------------------------------------- */

static void gauge_set(struct gauge *gauge, int64_t time_ns, uint64_t value)
{
	if (!gauge->begun) {
		gauge->begun = true;
		gauge->first_ns = gauge->last_ns = time_ns;
	}
	if (time_ns > gauge->last_ns) {
		gauge->area += (unsigned __int128)gauge->value *
			       (uint64_t)(time_ns - gauge->last_ns);
		gauge->last_ns = time_ns;
	}
	gauge->value = value;
	if (value > gauge->peak)
		gauge->peak = value;
}

uint64_t gauge_mean(const struct gauge *gauge)
{
	uint64_t span = (uint64_t)(gauge->last_ns - gauge->first_ns);

	return span ? (uint64_t)(gauge->area / span) : gauge->value;
}

/* How many live mappings lie right beside this one: 0, 1 or 2. */
static uint64_t neighbours(const struct state_object *object,
			   const struct state_mapping *mapping)
{
	struct range_iter iter;
	uint64_t count = 0;

	if (mapping->iova && range_set_overlap(&object->mappings, mapping->iova - 1,
					       mapping->iova - 1, &iter))
		count++;
	if (mapping->last != UINT64_MAX && range_set_overlap(&object->mappings, mapping->last + 1,
							     mapping->last + 1, &iter))
		count++;
	return count;
}

static void on_mapping_begin(void *opaque, const struct state_object *object,
			     const struct state_mapping *mapping)
{
	struct diff_side *side = opaque;
	struct gauge *gauges = side->gauges;
	int64_t now_ns = mapping->born_ns;

	gauge_set(&gauges[GAUGE_MAPPINGS], now_ns, gauges[GAUGE_MAPPINGS].value + 1);
	gauge_set(&gauges[GAUGE_BYTES], now_ns,
		  gauges[GAUGE_BYTES].value + (mapping->last - mapping->iova + 1));
	gauge_set(&gauges[GAUGE_RUNS], now_ns,
		  gauges[GAUGE_RUNS].value + 1 - neighbours(object, mapping));
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	struct diff_side *side = opaque;
	struct gauge *gauges = side->gauges;

	(void)op_id;
	gauge_set(&gauges[GAUGE_MAPPINGS], time_ns, gauges[GAUGE_MAPPINGS].value - 1);
	gauge_set(&gauges[GAUGE_BYTES], time_ns,
		  gauges[GAUGE_BYTES].value - (mapping->last - mapping->iova + 1));
	gauge_set(&gauges[GAUGE_RUNS], time_ns,
		  gauges[GAUGE_RUNS].value - 1 + neighbours(object, mapping));
}

static void on_finish(void *opaque)
{
	struct diff_side *side = opaque;
	const struct quality *quality = analysis_quality(side->analysis);

	for (int i = 0; i < GAUGES; i++)
		gauge_set(&side->gauges[i], quality->last_ns, side->gauges[i].value);
}

struct diff_side *diff_side_create(void)
{
	return calloc(1, sizeof(struct diff_side));
}

void diff_side_destroy(struct diff_side *side)
{
	if (!side)
		return;
	stats_destroy(side->stats);
	free(side);
}

int diff_side_observe(struct diff_side *side, struct analysis *analysis)
{
	static const struct analysis_observer observer = {
		.mapping_begin = on_mapping_begin,
		.mapping_end = on_mapping_end,
		.finish = on_finish,
	};

	side->analysis = analysis;
	side->stats = stats_create(analysis);
	return side->stats ? analysis_observe(analysis, &observer, side) : -ENOMEM;
}

/* ---- comparing ---------------------------------------------------------------------- */

/* Calls that took longer than value: of the buckets above its own. */
static uint64_t count_longer(const struct histogram *histogram, uint64_t value)
{
	uint64_t count = 0;

	for (unsigned int i = histogram_bucket(value) + 1; i < HISTOGRAM_BUCKETS; i++)
		count += histogram->buckets[i];
	return count;
}

/* The thresholds that one side gives: twice its own percentiles. */
static void try_tails(const struct histogram *of, const struct histogram *a,
		      const struct histogram *b, struct diff_tail *best)
{
	static const uint32_t shares_ppm[] = { 900000, 990000, 999000, 1000000 };

	for (size_t i = 0; i < sizeof(shares_ppm) / sizeof(shares_ppm[0]); i++) {
		uint64_t from = histogram_percentile(of, shares_ppm[i]);
		struct diff_tail tail = { .test.p = 1 };

		if (__builtin_mul_overflow(from, TAIL_FACTOR, &tail.threshold_ns))
			continue;
		tail.longer_a = count_longer(a, tail.threshold_ns);
		tail.longer_b = count_longer(b, tail.threshold_ns);
		tail.test = stat_proportions(tail.longer_a, a->count, tail.longer_b, b->count);
		tail.test.p = tail.test.p * 8 < 1 ? tail.test.p * 8 : 1; /* 4 of each side */
		if (!best->test.tested || tail.test.p < best->test.p)
			*best = tail;
	}
}

/* Whether the share of `more` is at least twice that of `less`, without dividing. */
static bool is_twice(uint64_t more, uint64_t all_more, uint64_t less, uint64_t all_less)
{
	return (unsigned __int128)more * all_less >= (unsigned __int128)less * all_more * 2;
}

static struct diff_tail compare_tails(const struct histogram *a, const struct histogram *b)
{
	struct diff_tail best = { .test.tested = false, .test.p = 1 };

	if (!a->count || !b->count)
		return best;
	try_tails(a, a, b, &best);
	try_tails(b, a, b, &best);
	best.is_twice = best.test.effect_ppm > 0
				? is_twice(best.longer_b, b->count, best.longer_a, a->count)
				: is_twice(best.longer_a, a->count, best.longer_b, b->count);
	return best;
}

struct comparison *diff_compare(const struct diff_side *a, const struct diff_side *b)
{
	struct comparison *c = calloc(1, sizeof(*c));
	struct stat_test *tests[3 * OP_COUNT];
	size_t tests_count = 0;

	if (!c)
		return NULL;
	c->a = a;
	c->b = b;
	histogram_init(&c->none.latency_ns);
	for (int op = 0; op < OP_COUNT; op++) {
		struct diff_row *row = &c->rows[c->count];

		row->op = (enum event_op)op;
		row->a = stats_op(a->stats, row->op);
		row->b = stats_op(b->stats, row->op);
		if (!row->a && !row->b)
			continue;
		row->a = row->a ? row->a : &c->none;
		row->b = row->b ? row->b : &c->none;
		row->latency = stat_mann_whitney(&row->a->latency_ns, &row->b->latency_ns);
		row->tail = compare_tails(&row->a->latency_ns, &row->b->latency_ns);
		row->errors = stat_proportions(row->a->errors, row->a->calls, row->b->errors,
					       row->b->calls);
		/* Where nobody failed there is nothing to test. */
		if (!row->a->errors && !row->b->errors)
			row->errors.tested = false;
		tests[tests_count++] = &row->latency;
		tests[tests_count++] = &row->tail.test;
		tests[tests_count++] = &row->errors;
		c->count++;
	}
	stat_holm(tests, tests_count);
	return c;
}

const char *diff_latency_word(const struct stat_test *test)
{
	if (!test->tested)
		return "";
	if (test->p >= LEVEL)
		return "no clear difference";
	if (test->effect_ppm >= EFFECT_PPM)
		return "slower";
	if (test->effect_ppm <= -EFFECT_PPM)
		return "faster";
	return "differs, hardly";
}

const char *diff_errors_word(const struct stat_test *test)
{
	if (!test->tested)
		return "";
	if (test->p >= LEVEL)
		return "no clear difference";
	return test->effect_ppm > 0 ? "fails more" : "fails less";
}

const char *diff_tail_word(const struct diff_tail *tail)
{
	if (!tail->test.tested)
		return "";
	if (tail->test.p >= LEVEL)
		return "no clear difference";
	if (tail->test.effect_ppm >= TAIL_EFFECT_PPM && tail->is_twice)
		return "longer tail";
	if (tail->test.effect_ppm <= -TAIL_EFFECT_PPM && tail->is_twice)
		return "shorter tail";
	return "differs, hardly";
}

/* ---- numbers ------------------------------------------------------------------------ */

const char *const diff_metric_names[DIFF_METRICS] = {
	[DIFF_CALLS] = "calls", [DIFF_RATE] = "rate", [DIFF_MEAN] = "mean",
	[DIFF_TOTAL] = "total", [DIFF_P50] = "p50",   [DIFF_P90] = "p90",
	[DIFF_P99] = "p99",	[DIFF_P999] = "p99.9", [DIFF_MAX] = "max",
};

bool diff_metric_get(const struct diff_side *side, const struct stats_op *stats,
		     enum diff_metric metric, uint64_t *value)
{
	const struct quality *quality = analysis_quality(side->analysis);
	const struct histogram *latency = &stats->latency_ns;
	uint64_t window_ns;

	switch (metric) {
	case DIFF_CALLS:
		*value = stats->calls;
		return true;
	case DIFF_RATE:
		window_ns = quality->events ? (uint64_t)(quality->last_ns - quality->first_ns) : 0;
		if (!window_ns)
			return false;
		*value = (uint64_t)((unsigned __int128)stats->calls * 1000000000000 / window_ns);
		return true;
	case DIFF_MEAN:
		*value = latency->count ? latency->sum / latency->count : 0;
		break;
	case DIFF_TOTAL:
		*value = latency->sum;
		break;
	case DIFF_P50:
		*value = histogram_percentile(latency, 500000);
		break;
	case DIFF_P90:
		*value = histogram_percentile(latency, 900000);
		break;
	case DIFF_P99:
		*value = histogram_percentile(latency, 990000);
		break;
	case DIFF_P999:
		*value = histogram_percentile(latency, 999000);
		break;
	case DIFF_MAX:
		*value = latency->max;
		break;
	case DIFF_METRICS:
		break;
	}
	return latency->count;
}

const char *diff_metric_text(enum diff_metric metric, uint64_t value, char text[24])
{
	if (metric == DIFF_CALLS)
		snprintf(text, 24, "%" PRIu64, value);
	else if (metric == DIFF_RATE)
		snprintf(text, 24, "%" PRIu64 ".%01" PRIu64 "/s", value / 1000, value % 1000 / 100);
	else
		stats_time_text(value, text);
	return text;
}
