/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why babeltrace2 cannot read a trace, in one line.
 *
 * Its errors carry messages for its own programmers, or that a call failed; what is wrong with a
 * metadata text, and in which line, it only writes to its log, which is standard error.
 */
#ifndef IOASIS_ANALYSIS_DECODE_REASON_H
#define IOASIS_ANALYSIS_DECODE_REASON_H

#include <stddef.h>

/* The deepest cause of the thread's current error, which is taken. */
void reason_of_error(char *text, size_t size);

/* Standard error from begin to end, kept apart. */
struct reason_log {
	int log;   /* where it goes now; -1: it could not be turned */
	int saved; /* where it went before */
};

void reason_log_begin(struct reason_log *log);

/* Replaces text by the first error of babeltrace2's log, if it has one. */
void reason_log_end(struct reason_log *log, char *text, size_t size);

/* Lets the parser of metadata log its errors; before babeltrace2's plugin `ctf` is loaded. */
void reason_log_of_metadata(void);

#endif
