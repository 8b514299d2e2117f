/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers about calls: how many, how they failed, how long they took, how much they moved.
 *
 * An observer of the one pass. Latencies are kept in histograms, so memory does
 * not grow with the number of calls.
 */
#ifndef IOASIS_ANALYSIS_STATS_H
#define IOASIS_ANALYSIS_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/event.h"
#include "analysis/stats/histogram.h"

struct analysis;
struct json_object;
struct stats;

#define STATS_ERRNO_MAX 134 /* the highest errno of Linux, and 0 for those beyond */

/* One operation over all processes. */
struct stats_op {
	uint64_t calls;	   /* that came back */
	uint64_t no_return; /* that did not */
	uint64_t errors;
	uint64_t non_exist; /* unmaps of nothing */
	uint64_t bytes;	   /* that successful calls mapped or unmapped */
	uint64_t total_ns;
	struct histogram latency_ns; /* of the calls whose begin is there */
	uint32_t by_errno[STATS_ERRNO_MAX];
};

enum stats_view {
	STATS_BY_OP,
	STATS_BY_PROCESS,
	STATS_BY_THREAD,
	STATS_BY_SPACE,
	STATS_BY_DEVICE,
	STATS_VIEWS,
};

/* What the views are called where one is asked for, and all of them in a sentence. */
extern const char *const stats_view_names[STATS_VIEWS];
#define STATS_VIEWS_TEXT "operation, process, thread, space or device"

/* Finds the view of that name. False: there is none. */
bool stats_view_find(const char *name, enum stats_view *view);

/* Makes an observer of analysis. NULL: out of memory. */
struct stats *stats_create(struct analysis *analysis);
void stats_destroy(struct stats *stats);

/* The numbers of op, or NULL when it was never called. Borrowed. */
const struct stats_op *stats_op(const struct stats *stats, enum event_op op);

/* The table of a view, headed by the data's quality; and all views as JSON. */
void stats_print(const struct stats *stats, enum stats_view view, FILE *out);
struct json_object *stats_to_json(const struct stats *stats);

/* Nanoseconds for people: "812 ns", "1.25 us", "3.10 ms", "2.00 s". */
const char *stats_time_text(uint64_t ns, char text[16]);
/* Bytes for people: "4096 B", "1.50 MiB". */
const char *stats_bytes_text(uint64_t bytes, char text[16]);

#endif
