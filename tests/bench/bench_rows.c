/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/bench_rows.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESAMPLES 2000u

static void *must(void *memory)
{
	if (!memory) {
		fprintf(stderr, "bench: out of memory\n");
		abort();
	}
	return memory;
}

bool bench_row_is_met(const struct bench_row *row, double value)
{
	return row->relation == BENCH_AT_MOST  ? value <= row->bar :
	       row->relation == BENCH_AT_LEAST ? value >= row->bar :
						 true;
}

static struct bench_row *rows_find(const struct bench_rows *rows, const char *benchmark,
				   const char *what)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (!strcmp(rows->rows[i].benchmark, benchmark) &&
		    !strcmp(rows->rows[i].what, what))
			return &rows->rows[i];
	}
	return NULL;
}

struct bench_row *bench_rows_add(struct bench_rows *rows, const char *benchmark, const char *what,
				 const char *unit, enum bench_relation relation, double bar,
				 double value)
{
	struct bench_row *row = rows_find(rows, benchmark, what);

	if (!row) {
		rows->rows = must(reallocarray(rows->rows, rows->count + 1, sizeof(*rows->rows)));
		row = &rows->rows[rows->count++];
		*row = (struct bench_row){
			.benchmark = benchmark,
			.what = must(strdup(what)),
			.unit = unit,
			.relation = relation,
			.bar = bar,
		};
	}
	row->values = must(reallocarray(row->values, row->values_count + 1, sizeof(double)));
	row->values[row->values_count++] = value;
	row->missed += !bench_row_is_met(row, value);
	row->own_low = 1;
	row->own_high = 0;
	return row;
}

void bench_rows_fini(struct bench_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->rows[i].what);
		free(rows->rows[i].values);
	}
	free(rows->rows);
	*rows = (struct bench_rows){ 0 };
}

/* ---- intervals ------------------------------------------------------------------- */

/* Student's t, two-sided 95 %, by degrees of freedom; NIST/SEMATECH handbook, 1.3.6.7.2. */
static double student_t(size_t freedom)
{
	static const double table[] = { 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
					2.262,	2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
					2.110,	2.101, 2.093, 2.086 };

	return freedom <= sizeof(table) / sizeof(*table) ? table[freedom - 1] : 1.96;
}

struct bench_estimate bench_row_estimate(const struct bench_row *row)
{
	struct bench_estimate estimate = { 0 };
	double squares = 0, half;

	for (size_t i = 0; i < row->values_count; i++)
		estimate.value += row->values[i] / (double)row->values_count;
	if (row->values_count < 2) {
		estimate.low = row->own_low;
		estimate.high = row->own_high;
		estimate.known = row->own_low <= row->own_high;
		return estimate;
	}
	for (size_t i = 0; i < row->values_count; i++)
		squares += pow(row->values[i] - estimate.value, 2);
	half = student_t(row->values_count - 1) *
	       sqrt(squares / (double)(row->values_count - 1) / (double)row->values_count);
	estimate.low = estimate.value - half;
	estimate.high = estimate.value + half;
	estimate.known = true;
	return estimate;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * The median of a sample drawn with repetition from sorted values. Its rank is what is drawn: the
 * middle of `count` uniform ranks, near enough a normal one for more than 30 values.
 */
static double resampled_median(const uint64_t *sorted, size_t count, uint64_t *seed)
{
	uint32_t ranks[31];
	size_t draws = count < 31 ? count : 31;
	double middle = (double)(count - 1) / 2, rank = 0;

	if (count <= 31) {
		/* The middle one of the ranks, by insertion. */
		for (size_t i = 0; i < draws; i++) {
			size_t k = i;
			uint32_t draw;

			*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
			draw = (uint32_t)((*seed >> 33) % count);
			for (; k && ranks[k - 1] > draw; k--)
				ranks[k] = ranks[k - 1];
			ranks[k] = draw;
		}
		return (double)sorted[ranks[draws / 2]];
	}
	/* The sum of twelve uniform numbers less six is near enough normal. */
	for (int i = 0; i < 12; i++) {
		*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
		rank += (double)(*seed >> 11) / 9007199254740992.0;
	}
	rank = middle + (rank - 6) * sqrt((double)count) / 2;
	rank = rank < 0 ? 0 : rank > (double)(count - 1) ? (double)(count - 1) : rank;
	return (double)sorted[(size_t)rank];
}

struct bench_estimate bench_bootstrap_ratio(uint64_t *above, uint64_t *below, size_t count)
{
	static double ratios[RESAMPLES];
	struct bench_estimate estimate = { .known = count > 2 };
	uint64_t seed = 1;

	qsort(above, count, sizeof(*above), compare_u64);
	qsort(below, count, sizeof(*below), compare_u64);
	estimate.value = (double)above[count / 2] / (double)below[count / 2];
	for (size_t i = 0; i < RESAMPLES; i++) {
		double top = resampled_median(above, count, &seed);

		ratios[i] = top / resampled_median(below, count, &seed);
	}
	qsort(ratios, RESAMPLES, sizeof(*ratios), compare_double);
	estimate.low = ratios[RESAMPLES / 40];
	estimate.high = ratios[RESAMPLES - 1 - RESAMPLES / 40];
	return estimate;
}

/* ---- printing -------------------------------------------------------------------- */

struct bench_text bench_format(double value)
{
	int digits = value > 0 ? 3 - (int)floor(log10(value)) : 0;
	struct bench_text text;

	snprintf(text.text, sizeof(text.text), "%.*f", digits < 0 ? 0 : digits > 6 ? 6 : digits,
		 value);
	return text;
}

static const char *relation_text(enum bench_relation relation)
{
	return relation == BENCH_AT_MOST ? "at most" : "at least";
}

static void print_json_row(const struct bench_row *row, FILE *file)
{
	struct bench_estimate estimate = bench_row_estimate(row);

	fprintf(file, "{\"what\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"", row->what, estimate.value,
		row->unit);
	if (estimate.known)
		fprintf(file, ",\"low\":%.6g,\"high\":%.6g", estimate.low, estimate.high);
	fprintf(file, ",\"runs\":[");
	for (size_t i = 0; i < row->values_count; i++)
		fprintf(file, "%s%.6g", i ? "," : "", row->values[i]);
	fprintf(file, "]");
	if (row->relation != BENCH_FIGURE)
		fprintf(file, ",\"bar\":%.6g,\"relation\":\"%s\",\"met\":%s", row->bar,
			relation_text(row->relation), row->missed ? "false" : "true");
	fprintf(file, "}");
}

void bench_rows_print_json(const struct bench_rows *rows, FILE *file)
{
	fprintf(file, "[");
	for (size_t i = 0; i < rows->count; i++) {
		const struct bench_row *row = &rows->rows[i];
		bool first = !i || strcmp(rows->rows[i - 1].benchmark, row->benchmark);
		bool last = i + 1 == rows->count ||
			    strcmp(rows->rows[i + 1].benchmark, row->benchmark);

		if (first)
			fprintf(file, "%s{\"name\":\"%s\",\"figures\":[", i ? ",\n" : "",
				row->benchmark);
		fprintf(file, "%s\n ", first ? "" : ",");
		print_json_row(row, file);
		if (last)
			fprintf(file, "]}");
	}
	fprintf(file, "]\n");
}

/* What became of a row since an earlier run: apart only where the intervals are. */
static void print_change(const struct bench_row *row, const struct bench_rows *old, FILE *file)
{
	const struct bench_row *before = rows_find(old, row->benchmark, row->what);
	struct bench_estimate now = bench_row_estimate(row), then;
	bool apart;

	if (!before) {
		fprintf(file, "  new");
		return;
	}
	then = bench_row_estimate(before);
	apart = now.known && then.known && (now.low > then.high || now.high < then.low);
	fprintf(file, "  was %s%s", bench_format(then.value).text,
		!apart ? "" :
		(now.value < then.value) == (row->relation == BENCH_AT_MOST) ? ": BETTER" :
									      ": WORSE");
}

void bench_rows_print_table(const struct bench_rows *rows, const struct bench_rows *old,
			    FILE *file)
{
	unsigned int bars = 0, missed = 0;

	fprintf(file, "%-60s %9s  %-19s %-14s\n", "what", "value", "95 % interval", "bar");
	for (size_t i = 0; i < rows->count; i++) {
		const struct bench_row *row = &rows->rows[i];
		struct bench_estimate estimate = bench_row_estimate(row);
		char interval[80] = "", what[128];

		if (row->relation == BENCH_FIGURE)
			continue;
		bars++;
		missed += row->missed > 0;
		snprintf(what, sizeof(what), "%s: %s%s%s", row->benchmark, row->what,
			 *row->unit ? ", " : "", row->unit);
		if (estimate.known)
			snprintf(interval, sizeof(interval), "%s to %s",
				 bench_format(estimate.low).text, bench_format(estimate.high).text);
		fprintf(file, "%-60s %9s  %-19s %s %-8s %s", what,
			bench_format(estimate.value).text, interval, relation_text(row->relation),
			bench_format(row->bar).text, row->missed ? "MISSED" : "met");
		if (row->missed && row->missed < row->values_count)
			fprintf(file, " in %u of %zu", row->missed, row->values_count);
		if (old)
			print_change(row, old, file);
		fprintf(file, "\n");
	}
	fprintf(file, "%u of %u bars are met\n", bars - missed, bars);
}

/* ---- reading --------------------------------------------------------------------- */

static double number_of(struct json_object *object, const char *name, double otherwise)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_double(value) :
								 otherwise;
}

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) :
								 NULL;
}

static bool read_row(struct bench_rows *rows, const char *benchmark, struct json_object *figure)
{
	const char *what = text_of(figure, "what"), *relation = text_of(figure, "relation");
	struct bench_row *row = NULL;
	struct json_object *runs;

	if (!what || !json_object_object_get_ex(figure, "runs", &runs) ||
	    !json_object_is_type(runs, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(runs); i++)
		row = bench_rows_add(rows, benchmark, what, "",
				     !relation			   ? BENCH_FIGURE :
				     !strcmp(relation, "at most") ? BENCH_AT_MOST :
								     BENCH_AT_LEAST,
				     number_of(figure, "bar", 0),
				     json_object_get_double(json_object_array_get_idx(runs, i)));
	if (row) {
		row->own_low = number_of(figure, "low", 1);
		row->own_high = number_of(figure, "high", 0);
	}
	return row != NULL;
}

int bench_rows_read(struct bench_rows *rows, const char *path, char *why, size_t why_bytes)
{
	struct json_object *root, *figures;
	bool good;

	if (access(path, R_OK)) {
		snprintf(why, why_bytes, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	root = json_object_from_file(path);
	good = json_object_is_type(root, json_type_array);
	for (size_t i = 0; good && i < json_object_array_length(root); i++) {
		struct json_object *benchmark = json_object_array_get_idx(root, i);
		const char *name = text_of(benchmark, "name");

		good = name && json_object_object_get_ex(benchmark, "figures", &figures) &&
		       json_object_is_type(figures, json_type_array);
		name = good ? must(strdup(name)) : NULL; /* kept to the end of the program */
		for (size_t k = 0; good && k < json_object_array_length(figures); k++)
			good = read_row(rows, name, json_object_array_get_idx(figures, k));
	}
	json_object_put(root);
	if (good)
		return 0;
	snprintf(why, why_bytes, "%s is not what 'ioasis bench --json' prints", path);
	return -EINVAL;
}
