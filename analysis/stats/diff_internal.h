/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between diff.c, which collects and compares, and diff_print.c, which shows. */
#ifndef IOASIS_ANALYSIS_DIFF_INTERNAL_H
#define IOASIS_ANALYSIS_DIFF_INTERNAL_H

#include "analysis/event.h"
#include "analysis/stats/diff.h"
#include "analysis/stats/stat_test.h"
#include "analysis/stats/stats.h"

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

struct diff_side {
	struct analysis *analysis;
	struct stats *stats; /* owned */
	struct gauge gauges[GAUGES];
};

uint64_t gauge_mean(const struct gauge *gauge);

/* How many calls took longer than a threshold, where the two sides differ most. */
struct diff_tail {
	struct stat_test test; /* of the shares of calls that took longer */
	uint64_t threshold_ns;
	uint64_t longer_a, longer_b;
	bool is_twice; /* one side has at least twice the share of the other */
};

struct diff_row {
	enum event_op op;
	const struct stats_op *a, *b; /* never NULL */
	struct stat_test latency, errors;
	struct diff_tail tail;
};

struct comparison {
	const struct diff_side *a, *b;
	struct diff_row rows[OP_COUNT];
	size_t count;
	struct stats_op none; /* of an operation that one side never called */
};

/* What a test says, in words; "": it was not made. */
const char *diff_latency_word(const struct stat_test *test);
const char *diff_errors_word(const struct stat_test *test);
const char *diff_tail_word(const struct diff_tail *tail);

/* A number of an operation that a limit may be about, in the order in which they are shown. */
enum diff_metric {
	DIFF_CALLS,
	DIFF_RATE, /* thousandths of calls a second */
	DIFF_MEAN, /* from here on in ns, of the calls whose duration is known */
	DIFF_TOTAL,
	DIFF_P50,
	DIFF_P90,
	DIFF_P99,
	DIFF_P999,
	DIFF_MAX,
	DIFF_METRICS,
};

extern const char *const diff_metric_names[DIFF_METRICS];

/* The metric of one side's calls; false: the trace does not tell it. */
bool diff_metric_get(const struct diff_side *side, const struct stats_op *stats,
		     enum diff_metric metric, uint64_t *value);

/* The same for people. */
const char *diff_metric_text(enum diff_metric metric, uint64_t value, char text[24]);

#endif
