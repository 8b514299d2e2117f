/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report: one HTML page that shows a trace.
 *
 *	report_create
 *	report_observe	before the trace is read
 *	...		analysis_read
 *	report_finding	for each violation, in any order
 *	report_verdict
 *	report_write
 *	report_destroy
 *
 * Everything that happened is counted. Of what is drawn there is at most so
 * much that a browser shows it at once: mappings that are gone go to a temporary
 * file, and when the page is written the largest are drawn one by one and the
 * others as a raster. Memory follows what lives, not what happened.
 */
#ifndef IOASIS_ANALYSIS_REPORT_H
#define IOASIS_ANALYSIS_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct analysis;
struct report;

/* One event of a witness. */
struct report_event {
	int64_t time_ns;
	uint64_t op_id; /* 0: none */
	const char *text;
};

/* What a rule found; borrowed for the time of report_finding(). */
struct report_finding {
	const char *rule;   /* short name: "overlap" */
	const char *status; /* "violation", "possible", "unknown" */
	const char *cause;  /* one line */
	int64_t time_ns;
	uint32_t machine, pid;
	uint32_t object; /* id of the object, 0: none */
	bool has_range;
	uint64_t iova, last; /* where, when has_range */
	const struct report_event *events;
	size_t events_count;
};

/* NULL: out of memory or no temporary file (errno says which). */
struct report *report_create(void);
void report_destroy(struct report *report);

/* 0 or -ENOMEM. */
int report_observe(struct report *report, struct analysis *analysis);

/* Adds a finding. After the first hundred they are only counted. 0 or -ENOMEM. */
int report_finding(struct report *report, const struct report_finding *finding);

/*
 * status: ok, violation, possible, unknown. text: one line on why. rules: the names
 * of the rules that were looked at, with commas. 0 or -ENOMEM.
 */
int report_verdict(struct report *report, const char *status, const char *text,
		   const char *rules);

/*
 * Writes the page; traces: their paths, for its foot. Once, after the analysis
 * has finished and while it lives. 0 or a negative errno of the streams.
 */
int report_write(struct report *report, struct analysis *analysis, char *const *traces,
		 size_t traces_count, FILE *out);

#endif
