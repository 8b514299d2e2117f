/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traces of folders as streams of events, and all streams as one sequence in the order
 * of time: a reader for what tracers write every day, several times as fast as babeltrace2.
 *
 *	ctf_reader_create
 *	ctf_reader_open          for each folder; -ENOTSUP: babeltrace2 is to read all of them
 *	ctf_reader_next          until CTF_END
 *	ctf_reader_destroy
 *
 * It gives what babeltrace2's source.ctf.fs and filter.utils.muxer give, in their order. All
 * packets' heads are read by ctf_reader_open(), so that whatever is odd about a trace (a packet
 * cut off, a foreign one, a quirk of an old tracer) is known before its first event is given.
 */
#ifndef IOASIS_ANALYSIS_CTF_STREAM_H
#define IOASIS_ANALYSIS_CTF_STREAM_H

#include "analysis/ctf/ctf_type.h"
#include "analysis/ctf/plan.h"

struct ctf_reader;
struct ctf_stream;

/* What the user of a reader makes of event classes. */
struct ctf_user {
	/*
	 * The memory, the user's own, that events of the class are written to: bind and
	 * bind_context say where its members go. NULL: out of memory. It outlives the reader.
	 */
	void *(*class_begin)(void *opaque, const struct ctf_metadata *metadata,
			     const struct ctf_event_class *class);
	int32_t (*bind)(void *output, const char *name, bool text, bool is_signed);
	/* The same for members of the event's common context. */
	int32_t (*bind_context)(void *output, const char *name, bool text, bool is_signed);
	void *opaque;
};

enum ctf_item {
	CTF_EVENT,
	CTF_LOST_EVENTS,  /* the tracer's counter of discarded events moved */
	CTF_LOST_PACKETS, /* numbers of packets are missing */
	CTF_END,
	CTF_FAILED, /* see ctf_reader_error() */
};

/* What ctf_reader_next() gives; borrowed until the next call. */
struct ctf_next {
	struct ctf_stream *stream;
	int64_t time_ns;  /* of an event */
	void *output;	  /* of an event: of class_begin(), written */
	int64_t first_ns; /* of a loss: its window; INT64_MIN, INT64_MAX: not known */
	int64_t last_ns;
	uint64_t count;	  /* of a loss; 0: not known */
};

/* NULL: out of memory. user is copied. */
struct ctf_reader *ctf_reader_create(const struct ctf_user *user);
void ctf_reader_destroy(struct ctf_reader *reader);

/* Adds the trace in folder. 0, -ENOTSUP (this reader cannot), or another negative errno. */
int ctf_reader_open(struct ctf_reader *reader, const char *folder);

/* Puts the streams into their order: after the last open. -ENOTSUP: their clocks differ. */
int ctf_reader_start(struct ctf_reader *reader);

/* How many streams there are; stream i, from 0, in the order of babeltrace2's. */
size_t ctf_reader_streams(const struct ctf_reader *reader);
struct ctf_stream *ctf_reader_stream(const struct ctf_reader *reader, size_t i);

const struct ctf_metadata *ctf_stream_metadata(const struct ctf_stream *stream);
const struct ctf_stream_class *ctf_stream_class_of(const struct ctf_stream *stream);
/* The number of the stream: i of ctf_reader_stream(). */
uint32_t ctf_stream_number(const struct ctf_stream *stream);
/* The number of its trace, in the order of ctf_reader_open(). */
uint32_t ctf_stream_trace(const struct ctf_stream *stream);

enum ctf_item ctf_reader_next(struct ctf_reader *reader, struct ctf_next *next);

/* Bytes of all packets that have been read, of how many. */
void ctf_reader_bytes(const struct ctf_reader *reader, uint64_t *done, uint64_t *total);

/* After CTF_FAILED: why, in words, and where. */
const char *ctf_reader_error(const struct ctf_reader *reader);

#endif
