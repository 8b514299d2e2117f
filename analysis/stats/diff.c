/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ioasis diff`.
 *
 * A row an operation: calls, failed calls, latency percentiles. The latencies are
 * compared with a Mann-Whitney test, the shares of failed calls with Fisher's; all
 * p-values of one diff are corrected together (Holm). A difference counts when its
 * p is below 0.01 and its size is not negligible (Cliff's delta of 0.147 or more,
 * Romano et al. 2006).
 *
 * Fragmentation is what the live mappings look like over time: how many, how large,
 * and in how many runs without a gap between them.
 */
#include "analysis/stats/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/json_add.h"
#include "analysis/stats/stat_test.h"
#include "analysis/stats/stats.h"

#define LEVEL 0.01L
#define EFFECT_PPM 147000

/* A quantity over time: its mean weighted by time, and its peak. */
struct gauge {
	uint64_t value, peak;
	unsigned __int128 area; /* value x ns */
	int64_t first_ns, last_ns;
	bool begun;
};

enum gauge_kind {
	GAUGE_MAPPINGS,
	GAUGE_BYTES,
	GAUGE_RUNS,
	GAUGES,
};

static const char *const gauge_names[GAUGES] = {
	[GAUGE_MAPPINGS] = "live mappings",
	[GAUGE_BYTES] = "live bytes",
	[GAUGE_RUNS] = "runs without a gap",
};

struct diff_side {
	struct analysis *analysis;
	struct stats *stats; /* owned */
	struct gauge gauges[GAUGES];
};

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

static uint64_t gauge_mean(const struct gauge *gauge)
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

struct diff_row {
	enum event_op op;
	const struct stats_op *a, *b; /* never NULL */
	struct stat_test latency, errors;
};

struct comparison {
	struct diff_row rows[OP_COUNT];
	size_t count;
};

static void compare(const struct diff_side *a, const struct diff_side *b,
		    const struct stats_op *none, struct comparison *c)
{
	struct stat_test *tests[2 * OP_COUNT];
	size_t tests_count = 0;

	c->count = 0;
	for (int op = 0; op < OP_COUNT; op++) {
		struct diff_row *row = &c->rows[c->count];

		row->op = (enum event_op)op;
		row->a = stats_op(a->stats, row->op);
		row->b = stats_op(b->stats, row->op);
		if (!row->a && !row->b)
			continue;
		row->a = row->a ? row->a : none;
		row->b = row->b ? row->b : none;
		row->latency = stat_mann_whitney(&row->a->latency_ns, &row->b->latency_ns);
		row->errors = stat_proportions(row->a->errors, row->a->calls, row->b->errors,
					       row->b->calls);
		/* Where nobody failed there is nothing to test. */
		if (!row->a->errors && !row->b->errors)
			row->errors.tested = false;
		tests[tests_count++] = &row->latency;
		tests[tests_count++] = &row->errors;
		c->count++;
	}
	stat_holm(tests, tests_count);
}

static const char *latency_word(const struct stat_test *test)
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

static const char *errors_word(const struct stat_test *test)
{
	if (!test->tested)
		return "";
	if (test->p >= LEVEL)
		return "no clear difference";
	return test->effect_ppm > 0 ? "fails more" : "fails less";
}

/* ---- text --------------------------------------------------------------------------------- */

static const char *p_text(const struct stat_test *test, char text[24])
{
	if (!test->tested)
		snprintf(text, 24, "-");
	else if (test->p < 0.0001L)
		snprintf(text, 24, "<0.0001");
	else
		snprintf(text, 24, "%.4Lf", test->p);
	return text;
}

static void row_print(const struct diff_row *row, FILE *out)
{
	static const struct {
		const char *name;
		uint32_t ppm;
	} shares[] = { { "p50", 500000 }, { "p90", 900000 }, { "p99", 990000 } };
	char a[16], b[16], p[24];

	fprintf(out, "%-20s calls   %14" PRIu64 " %14" PRIu64 "\n", event_op_name(row->op),
		row->a->calls, row->b->calls);
	if (row->errors.tested)
		fprintf(out, "%-20s failed  %14" PRIu64 " %14" PRIu64 "  %8s  %s\n", "",
			row->a->errors, row->b->errors, p_text(&row->errors, p),
			errors_word(&row->errors));
	for (unsigned int i = 0; row->latency.tested && i < 3; i++) {
		fprintf(out, "%-20s %-7s %14s %14s", "", shares[i].name,
			stats_time_text(histogram_percentile(&row->a->latency_ns, shares[i].ppm), a),
			stats_time_text(histogram_percentile(&row->b->latency_ns, shares[i].ppm), b));
		if (!i)
			fprintf(out, "  %8s  %s (effect %+.3f)", p_text(&row->latency, p),
				latency_word(&row->latency), row->latency.effect_ppm / 1e6);
		putc('\n', out);
	}
}

static void gauge_print(enum gauge_kind kind, const struct gauge *a, const struct gauge *b,
			FILE *out)
{
	const uint64_t values[] = { gauge_mean(a), a->peak, gauge_mean(b), b->peak };
	char text[16];

	fprintf(out, "%-28s", gauge_names[kind]);
	for (int i = 0; i < 4; i++) {
		if (kind == GAUGE_BYTES)
			fprintf(out, " %14s", stats_bytes_text(values[i], text));
		else
			fprintf(out, " %14" PRIu64, values[i]);
	}
	putc('\n', out);
}

void diff_print(const struct diff_side *a, const struct diff_side *b, const char *name_a,
		const char *name_b, FILE *out)
{
	struct stats_op *none = calloc(1, sizeof(*none));
	struct comparison *c = malloc(sizeof(*c));

	if (!none || !c) {
		fprintf(out, "out of memory\n");
		goto out_free;
	}
	histogram_init(&none->latency_ns);
	compare(a, b, none, c);
	fprintf(out, "A: %s\n", name_a);
	quality_print(analysis_quality(a->analysis), out);
	fprintf(out, "\nB: %s\n", name_b);
	quality_print(analysis_quality(b->analysis), out);
	fprintf(out, "\n%-20s %-7s %14s %14s  %8s\n", "operation", "", "A", "B", "p");
	for (size_t i = 0; i < c->count; i++)
		row_print(&c->rows[i], out);
	fprintf(out, "\n%-28s %14s %14s %14s %14s\n", "over time", "A mean", "A peak", "B mean",
		"B peak");
	for (int i = 0; i < GAUGES; i++)
		gauge_print((enum gauge_kind)i, &a->gauges[i], &b->gauges[i], out);
	fprintf(out, "\np: chance of such a difference between like traces, corrected for the "
		"number of tests.\neffect: +1 says that every call of B took longer than every "
		"call of A, 0 neither.\n");
out_free:
	free(none);
	free(c);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static struct json_object *op_json(const struct stats_op *stats)
{
	struct json_object *json = json_object_new_object();

	json_add_u64(json, "calls", stats->calls);
	json_add_u64(json, "failed", stats->errors);
	json_add_u64(json, "bytes", stats->bytes);
	if (stats->latency_ns.count) {
		json_add_u64(json, "p50_ns", histogram_percentile(&stats->latency_ns, 500000));
		json_add_u64(json, "p90_ns", histogram_percentile(&stats->latency_ns, 900000));
		json_add_u64(json, "p99_ns", histogram_percentile(&stats->latency_ns, 990000));
		json_add_u64(json, "max_ns", stats->latency_ns.max);
	}
	return json;
}

static struct json_object *test_json(const struct stat_test *test, const char *word)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "p", json_object_new_double((double)test->p));
	json_object_object_add(json, "effect_ppm", json_object_new_int(test->effect_ppm));
	json_add_text(json, "says", word);
	return json;
}

static struct json_object *side_json(const struct diff_side *side, const char *name)
{
	struct json_object *json = json_object_new_object();

	json_add_text(json, "trace", name);
	json_object_object_add(json, "quality", quality_to_json(analysis_quality(side->analysis)));
	for (int i = 0; i < GAUGES; i++) {
		struct json_object *gauge = json_object_new_object();

		json_add_u64(gauge, "mean", gauge_mean(&side->gauges[i]));
		json_add_u64(gauge, "peak", side->gauges[i].peak);
		json_object_object_add(json, gauge_names[i], gauge);
	}
	return json;
}

struct json_object *diff_to_json(const struct diff_side *a, const struct diff_side *b,
				 const char *name_a, const char *name_b)
{
	struct json_object *json = NULL, *rows;
	struct stats_op *none = calloc(1, sizeof(*none));
	struct comparison *c = malloc(sizeof(*c));

	if (!none || !c)
		goto out_free;
	histogram_init(&none->latency_ns);
	compare(a, b, none, c);
	json = json_object_new_object();
	json_object_object_add(json, "a", side_json(a, name_a));
	json_object_object_add(json, "b", side_json(b, name_b));
	rows = json_object_new_array();
	for (size_t i = 0; i < c->count; i++) {
		const struct diff_row *row = &c->rows[i];
		struct json_object *entry = json_object_new_object();

		json_add_text(entry, "op", event_op_name(row->op));
		json_object_object_add(entry, "a", op_json(row->a));
		json_object_object_add(entry, "b", op_json(row->b));
		if (row->latency.tested)
			json_object_object_add(entry, "latency",
					       test_json(&row->latency, latency_word(&row->latency)));
		if (row->errors.tested)
			json_object_object_add(entry, "errors",
					       test_json(&row->errors, errors_word(&row->errors)));
		json_object_array_add(rows, entry);
	}
	json_object_object_add(json, "ops", rows);
out_free:
	free(none);
	free(c);
	return json;
}
