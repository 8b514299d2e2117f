/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two traces side by side: calls, errors, latencies and fragmentation, with tests
 * of whether what differs differs by more than chance.
 */
#ifndef IOASIS_ANALYSIS_DIFF_H
#define IOASIS_ANALYSIS_DIFF_H

#include <stdio.h>

#include "analysis/analysis.h"

struct json_object;
struct diff_side;

/* What is collected of one trace; NULL: out of memory. */
struct diff_side *diff_side_create(void);
void diff_side_destroy(struct diff_side *side);
/* Lets it observe; analysis is borrowed until the side is destroyed. 0 or -ENOMEM. */
int diff_side_observe(struct diff_side *side, struct analysis *analysis);

/* Both analyses have finished. names: what the sides are called (paths). */
void diff_print(const struct diff_side *a, const struct diff_side *b, const char *name_a,
		const char *name_b, FILE *out);
/* The same as a new JSON object; NULL: out of memory. */
struct json_object *diff_to_json(const struct diff_side *a, const struct diff_side *b,
				 const char *name_a, const char *name_b);

#endif
