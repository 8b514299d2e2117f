/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two traces side by side: calls, errors, latencies and fragmentation, with tests
 * of whether what differs differs by more than chance.
 */
#ifndef IOASIS_ANALYSIS_DIFF_H
#define IOASIS_ANALYSIS_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/analysis.h"

struct json_object;
struct diff_side;

/* What is collected of one trace; NULL: out of memory. */
struct diff_side *diff_side_create(void);
void diff_side_destroy(struct diff_side *side);
/* Lets it observe; analysis is borrowed until the side is destroyed. 0 or -ENOMEM. */
int diff_side_observe(struct diff_side *side, struct analysis *analysis);

/* Both analyses have finished: what differs. For free(); the sides live on. NULL: out of memory. */
struct comparison;
struct comparison *diff_compare(const struct diff_side *a, const struct diff_side *b);

/* names: what the sides are called (paths). */
void diff_print(const struct comparison *comparison, const char *name_a, const char *name_b,
		FILE *out);
/* The same as a new JSON object. */
struct json_object *diff_to_json(const struct comparison *comparison, const char *name_a,
				 const char *name_b);

/* What a limit may be about: a test's word, or (DIFF_TESTS) a number of an operation. */
enum diff_test {
	DIFF_SLOWER, /* the latencies as a whole */
	DIFF_TAIL,
	DIFF_FAILS,
	DIFF_TESTS,
};

extern const char *const diff_test_names[DIFF_TESTS];

struct diff_limit {
	enum diff_test test;
	int op;	    /* OP_COUNT: every operation */
	int metric; /* enum diff_metric */
	uint64_t percent; /* how much worse B's number may be */
};

/* "slower", "tail", "fails", or "[OPERATION.]METRIC:PERCENT%" as in "map_dma.p99:20%". */
bool diff_limit_parse(const char *text, struct diff_limit *limit);

/* How often B is worse than the limits allow; each gets a line in out (NULL: none). */
size_t diff_check(const struct comparison *comparison, const struct diff_limit *limits,
		  size_t count, FILE *out);

#endif
