/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of several streams as one sequence in the order of time.
 *
 * It gives the order of babeltrace2's filter.utils.muxer: at equal times by UUID and name of
 * the trace, ids of stream class and stream, kind of message, id of the event class, name of the
 * stream. A message without a time goes first with babeltrace2 2.1; 2.0 gives it the time of the
 * message before. Two things make it cheaper: the time of a message is read once, and while one stream
 * is ahead of all others its messages are handed on without a look at these.
 */
#ifndef IOASIS_ANALYSIS_MUX_H
#define IOASIS_ANALYSIS_MUX_H

#include <babeltrace2/babeltrace.h>
#include <stdint.h>

struct mux;

enum mux_status {
	MUX_OK,
	MUX_END,	 /* no stream has a further message */
	MUX_AGAIN,	 /* a live stream has none yet */
	MUX_ERROR,	 /* babeltrace2 failed: the thread's current error says why */
	MUX_CLOCKS,	 /* times of two streams cannot be compared */
	MUX_BACKWARDS, /* time goes backwards in a stream, or cannot be told in ns */
};

/*
 * reading: told before babeltrace2 is asked for messages of another trace than last time, by its
 * path; may be NULL. NULL only when out of memory.
 */
struct mux *mux_create(void (*reading)(void *opaque, const char *path), void *opaque);
void mux_destroy(struct mux *mux);

/*
 * Adds a source of messages before the first mux_next() and takes its reference over. path: of the
 * trace, borrowed; two of one trace have the same pointer; may be NULL. 0, or -ENOMEM: the
 * reference stays with the caller.
 */
int mux_add(struct mux *mux, bt_message_iterator *iterator, const char *path);

/* Whose messages mux_next() looked at last, or that its failure is about. NULL: none, or not known. */
const char *mux_path(const struct mux *mux);

/*
 * The next message, whose reference goes to the caller, and its time in ns from the clock's
 * origin; a message that has none takes the one of the message before (INT64_MIN: it is the
 * first).
 */
enum mux_status mux_next(struct mux *mux, const bt_message **message, int64_t *time_ns);

#endif
