/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One trace: its metadata compiled, and where its packets are. Between trace.c, which opens
 * it, stream.c, which reads one stream's packets, and reader.c, which puts streams in order.
 */
#ifndef IOASIS_ANALYSIS_CTF_TRACE_H
#define IOASIS_ANALYSIS_CTF_TRACE_H

#include <sys/types.h>

#include "analysis/ctf/stream.h"

struct ctf_class {
	struct ctf_plan *plan; /* NULL: no event has this id */
	void *output;	       /* of the user */
};

/* A stream class, compiled. */
struct ctf_layout {
	const struct ctf_stream_class *class;
	struct ctf_plan *context; /* of a packet */
	struct ctf_plan *header;  /* of an event */
	struct ctf_class *classes; /* by id */
	size_t classes_count;
	uint64_t only_id; /* of events whose header has no id */
};

struct ctf_packet {
	uint32_t file;	   /* of the trace's files */
	off_t offset;	   /* bytes */
	uint64_t bits;	   /* of the packet */
	uint64_t content;  /* bits up to the end of the last event */
	uint64_t events;   /* bits up to the first event */
	uint64_t begin, end; /* cycles; 0 without that role */
	uint64_t discarded, seq;
};

struct ctf_stream {
	const struct ctf_trace *trace;
	const struct ctf_layout *layout;
	uint64_t id;
	bool has_id;
	const char *name; /* of its first file, borrowed of the trace */
	struct ctf_packet *packets;
	size_t packets_count;
	uint32_t number; /* after ctf_reader_start() */

	/* Where its reading is. */
	size_t packet;
	enum { CTF_AT_PACKET, CTF_AT_LOST_PACKETS, CTF_AT_EVENTS_BEGIN, CTF_AT_EVENTS } at;
	struct ctf_cursor cursor; /* behind the header of the event that comes next */
	const struct ctf_class *event;
	uint64_t event_at, event_clock; /* where that event begins, and the clock before it */
	uint8_t *buffer;
	size_t buffer_bytes;
	uint64_t window_end; /* bits */
	int fd;		     /* of file fd_file; -1: none */
	uint32_t fd_file;

	/* What comes next of it. */
	enum ctf_item item;
	int64_t order_ns; /* when, for the order among streams */
	struct ctf_next next;
	const char *failure;
};

struct ctf_trace {
	char *folder;
	uint32_t number;
	struct ctf_metadata *metadata;
	int64_t clock_base_ns;
	struct ctf_plan *packet_header;
	struct ctf_layout *layouts;
	size_t layouts_count;
	char **files;
	size_t files_count;
	struct ctf_stream *streams;
	size_t streams_count;
};

/* NULL and a negative errno in *ret; -ENOTSUP: babeltrace2 is to read it. */
struct ctf_trace *ctf_trace_open(const char *folder, const struct ctf_user *user, int *ret);
void ctf_trace_close(struct ctf_trace *trace);

/* Cycles of the trace's clock in ns from its origin. False: they do not fit. */
bool ctf_trace_ns(const struct ctf_trace *trace, uint64_t cycles, int64_t *ns);

/* Sets item, order_ns and next (or failure) to what comes next in the stream. */
void ctf_stream_advance(struct ctf_stream *stream);
/*
 * Reads the rest of the event that comes next into its class's output, which the streams of a
 * trace share: just before it is given. item is CTF_FAILED when that fails.
 */
void ctf_stream_take(struct ctf_stream *stream);
void ctf_stream_fini(struct ctf_stream *stream);

#endif
