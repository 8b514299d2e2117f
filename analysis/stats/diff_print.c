/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats/diff.h"

#include <ctype.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/json_add.h"
#include "analysis/stats/diff_internal.h"

static const char *const gauge_names[GAUGES] = {
	[GAUGE_MAPPINGS] = "live mappings",
	[GAUGE_BYTES] = "live bytes",
	[GAUGE_RUNS] = "runs without a gap",
};

/* ---- text --------------------------------------------------------------------------- */

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

/* The share of part in whole as a percentage with two digits. */
static const char *share_text(uint64_t part, uint64_t whole, char text[24])
{
	uint64_t hundredths = whole ? (uint64_t)((unsigned __int128)part * 10000 / whole) : 0;

	snprintf(text, 24, "%" PRIu64 ".%02" PRIu64 " %%", hundredths / 100, hundredths % 100);
	return text;
}

static void metric_print(const struct comparison *c, const struct diff_row *row,
			 enum diff_metric metric, FILE *out)
{
	char a_text[24] = "-", b_text[24] = "-";
	uint64_t a, b;

	if (diff_metric_get(c->a, row->a, metric, &a))
		diff_metric_text(metric, a, a_text);
	if (diff_metric_get(c->b, row->b, metric, &b))
		diff_metric_text(metric, b, b_text);
	fprintf(out, "%-24s %-7s %14s %14s", metric == DIFF_CALLS ? event_op_name(row->op) : "",
		diff_metric_names[metric], a_text, b_text);
}

static void row_print(const struct comparison *c, const struct diff_row *row, FILE *out)
{
	bool timed = row->a->latency_ns.count || row->b->latency_ns.count;
	char a[24], b[24], p[24];

	for (int metric = 0; metric < DIFF_METRICS && (timed || metric < DIFF_MEAN); metric++) {
		metric_print(c, row, (enum diff_metric)metric, out);
		if (metric == DIFF_P50 && row->latency.tested)
			fprintf(out, "  %8s  %s (effect %+.3f)", p_text(&row->latency, p),
				diff_latency_word(&row->latency), row->latency.effect_ppm / 1e6);
		putc('\n', out);
	}
	if (row->tail.test.tested)
		fprintf(out, "%-24s %-7s %14s %14s  %8s  %s (above %s)\n", "", "tail",
			share_text(row->tail.longer_a, row->a->latency_ns.count, a),
			share_text(row->tail.longer_b, row->b->latency_ns.count, b),
			p_text(&row->tail.test, p), diff_tail_word(&row->tail),
			stats_time_text(row->tail.threshold_ns, (char[16]){ 0 }));
	if (row->errors.tested)
		fprintf(out, "%-24s %-7s %14" PRIu64 " %14" PRIu64 "  %8s  %s\n", "", "failed",
			row->a->errors, row->b->errors, p_text(&row->errors, p),
			diff_errors_word(&row->errors));
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

void diff_print(const struct comparison *c, const char *name_a, const char *name_b, FILE *out)
{
	fprintf(out, "A: %s\n", name_a);
	quality_print(analysis_quality(c->a->analysis), out);
	fprintf(out, "\nB: %s\n", name_b);
	quality_print(analysis_quality(c->b->analysis), out);
	fprintf(out, "\n%-24s %-7s %14s %14s  %8s\n", "operation", "", "A", "B", "p");
	for (size_t i = 0; i < c->count; i++)
		row_print(c, &c->rows[i], out);
	fprintf(out, "\n%-28s %14s %14s %14s %14s\n", "over time", "A mean", "A peak", "B mean",
		"B peak");
	for (int i = 0; i < GAUGES; i++)
		gauge_print((enum gauge_kind)i, &c->a->gauges[i], &c->b->gauges[i], out);
	fprintf(out, "\np: chance of such a difference between like traces, corrected for the "
		"number of tests.\neffect: +1 says that every call of B took longer than every "
		"call of A, 0 neither.\ntail: share of calls that took longer than a threshold, "
		"where A and B differ most.\n");
}

/* ---- limits ----------------------------------------------------------------------------- */

bool diff_limit_parse(const char *text, struct diff_limit *limit)
{
	const char *metric = text, *colon = strchr(text, ':'), *dot;
	char *end;

	*limit = (struct diff_limit){ .op = OP_COUNT };
	for (int test = 0; test < DIFF_TESTS; test++) {
		if (!strcmp(text, diff_test_names[test])) {
			limit->test = (enum diff_test)test;
			return true;
		}
	}
	limit->test = DIFF_TESTS;
	if (!colon)
		return false;
	/* "OP.METRIC:PERCENT%"; a metric has a point as well (p99.9). */
	for (dot = text; dot && dot < colon && limit->op == OP_COUNT; dot = strchr(dot + 1, '.')) {
		for (int op = 0; *dot == '.' && op < OP_COUNT; op++) {
			const char *name = event_op_name((enum event_op)op);

			if (strlen(name) == (size_t)(dot - text) &&
			    !strncmp(name, text, strlen(name)) && limit->op == OP_COUNT) {
				limit->op = op;
				metric = dot + 1;
			}
		}
	}
	for (int i = 0; i < DIFF_METRICS; i++) {
		if (strlen(diff_metric_names[i]) == (size_t)(colon - metric) &&
		    !strncmp(diff_metric_names[i], metric, (size_t)(colon - metric))) {
			limit->metric = i;
			limit->percent = isdigit((unsigned char)colon[1])
						 ? strtoull(colon + 1, &end, 10) : 0;
			return limit->percent && limit->percent < 1000000000 &&
			       !strcmp(end, "%");
		}
	}
	return false;
}

const char *const diff_test_names[DIFF_TESTS] = {
	[DIFF_SLOWER] = "slower",
	[DIFF_TAIL] = "tail",
	[DIFF_FAILS] = "fails",
};

/* Whether row is worse in B than the test allows; what: says how. */
static bool test_broken(const struct diff_row *row, enum diff_test test, const char **what)
{
	*what = test == DIFF_SLOWER ? diff_latency_word(&row->latency)
		: test == DIFF_TAIL ? diff_tail_word(&row->tail)
				    : diff_errors_word(&row->errors);
	return !strcmp(*what, "slower") || !strcmp(*what, "longer tail") ||
	       !strcmp(*what, "fails more");
}

/* Whether B's number is more than the limit's percentage worse: of the rate less, of others more. */
static bool limit_broken(const struct comparison *c, const struct diff_row *row,
			 const struct diff_limit *limit, char what[96])
{
	enum diff_metric metric = (enum diff_metric)limit->metric;
	unsigned __int128 allowed;
	char a_text[24], b_text[24];
	uint64_t a, b;
	bool broken;

	if (!diff_metric_get(c->a, row->a, metric, &a) || !diff_metric_get(c->b, row->b, metric, &b))
		return false;
	if (metric == DIFF_RATE) {
		broken = limit->percent < 100 &&
			 (unsigned __int128)b * 100 < (unsigned __int128)a * (100 - limit->percent);
	} else {
		allowed = (unsigned __int128)a * (100 + limit->percent);
		broken = (unsigned __int128)b * 100 > allowed;
	}
	if (broken)
		snprintf(what, 96, "%s %s, was %s: more than %" PRIu64 " %% worse",
			 diff_metric_names[metric], diff_metric_text(metric, b, b_text),
			 diff_metric_text(metric, a, a_text), limit->percent);
	return broken;
}

size_t diff_check(const struct comparison *c, const struct diff_limit *limits, size_t count,
		  FILE *out)
{
	size_t broken = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < c->count; k++) {
			const struct diff_row *row = &c->rows[k];
			const char *word;
			char what[96];
			bool bad;

			if (limits[i].op != OP_COUNT && limits[i].op != (int)row->op)
				continue;
			if (limits[i].test != DIFF_TESTS) {
				bad = test_broken(row, limits[i].test, &word);
				snprintf(what, sizeof(what), "%s", word);
			} else {
				bad = limit_broken(c, row, &limits[i], what);
			}
			if (!bad)
				continue;
			broken++;
			if (out)
				fprintf(out, "worse: %s: %s\n", event_op_name(row->op), what);
		}
	}
	return broken;
}

/* ---- JSON ------------------------------------------------------------------------------- */

static struct json_object *op_json(const struct diff_side *side, const struct stats_op *stats)
{
	struct json_object *json = json_object_new_object();

	json_add_u64(json, "calls", stats->calls);
	json_add_u64(json, "failed", stats->errors);
	json_add_u64(json, "bytes", stats->bytes);
	for (int metric = 0; metric < DIFF_METRICS; metric++) {
		char name[24];
		uint64_t value;

		if (metric == DIFF_CALLS ||
		    !diff_metric_get(side, stats, (enum diff_metric)metric, &value))
			continue;
		if (metric == DIFF_RATE) {
			json_object_object_add(json, "calls_per_s",
					       json_object_new_double((double)value / 1000));
			continue;
		}
		snprintf(name, sizeof(name), "%s_ns", diff_metric_names[metric]);
		json_add_u64(json, name, value);
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

static struct json_object *tail_json(const struct diff_tail *tail)
{
	struct json_object *json = test_json(&tail->test, diff_tail_word(tail));

	json_add_u64(json, "above_ns", tail->threshold_ns);
	json_add_u64(json, "a_calls", tail->longer_a);
	json_add_u64(json, "b_calls", tail->longer_b);
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

struct json_object *diff_to_json(const struct comparison *c, const char *name_a,
				 const char *name_b)
{
	struct json_object *json = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(json, "a", side_json(c->a, name_a));
	json_object_object_add(json, "b", side_json(c->b, name_b));
	for (size_t i = 0; i < c->count; i++) {
		const struct diff_row *row = &c->rows[i];
		struct json_object *entry = json_object_new_object();

		json_add_text(entry, "op", event_op_name(row->op));
		json_object_object_add(entry, "a", op_json(c->a, row->a));
		json_object_object_add(entry, "b", op_json(c->b, row->b));
		if (row->latency.tested)
			json_object_object_add(entry, "latency",
					       test_json(&row->latency,
							 diff_latency_word(&row->latency)));
		if (row->tail.test.tested)
			json_object_object_add(entry, "tail", tail_json(&row->tail));
		if (row->errors.tested)
			json_object_object_add(entry, "errors",
					       test_json(&row->errors,
							 diff_errors_word(&row->errors)));
		json_object_array_add(rows, entry);
	}
	json_object_object_add(json, "ops", rows);
	return json;
}
