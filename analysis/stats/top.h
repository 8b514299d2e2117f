/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses the I/O address space right now: a row a process, for `ioasis top`.
 *
 * The reading of a live session and the showing of it are two threads: the
 * observer and the functions here that print take one lock.
 */
#ifndef IOASIS_ANALYSIS_TOP_H
#define IOASIS_ANALYSIS_TOP_H

#include <stdint.h>
#include <stdio.h>

struct analysis;
struct json_object;
struct top;

/* Makes it, and lets it observe analysis, which is borrowed. NULL: out of memory. */
struct top *top_create(struct analysis *analysis);
void top_destroy(struct top *top);

/*
 * Prints what happened since the last time, the busiest process first; at most rows
 * processes (0: all). interval_ns: how long that was. From any thread.
 */
void top_print(struct top *top, uint64_t interval_ns, unsigned int rows, FILE *out);
/* The same as a new JSON object; NULL: out of memory. */
struct json_object *top_to_json(struct top *top, uint64_t interval_ns);

#endif
