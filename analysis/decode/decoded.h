/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What events of one class become, whichever reader finds their fields: decode.c
 * (babeltrace2's messages) and analysis/ctf/feed.c (our own reader). A reader asks once for each
 * member of the class where its value goes, writes the values of every event there, and
 * has the rest worked out.
 */
#ifndef IOASIS_ANALYSIS_DECODED_H
#define IOASIS_ANALYSIS_DECODED_H

#include "analysis/analysis.h"
#include "analysis/event_names.h"

struct decoded {
	struct event event; /* the last one; only what differs is written each time */
	struct event_class class;
	uint64_t pid, caller_ns, caller_start; /* whom a device's event names */
	uint64_t vpid, vtid, pid_ns;	       /* of the common context: who emits it */
	bool has_pid, has_vpid, has_pid_ns, has_op_id, has_size, has_last;
	bool is_device;
};

/* The process whose name was last told, so that it is not told with each event. */
struct decoded_names {
	uint32_t machine, pid_ns, pid;
};

/* name: of the event class, "PROVIDER:EVENT"; it outlives decoded. */
void decoded_init(struct decoded *decoded, const char *name);

/*
 * Where an integer called name goes, of the payload or of the event's common context: the
 * offset in struct decoded of a uint64_t (sign-extended); -1: nobody reads it.
 */
int32_t decoded_member(struct decoded *decoded, const char *name, bool is_signed);
int32_t decoded_context_member(struct decoded *decoded, const char *name);

/* Whether the text called name, a member of the payload, is the name of the event's process. */
bool decoded_is_name(const struct decoded *decoded, const char *name);

/* Whether the text called name, a member of the payload, is the event's text. */
bool decoded_is_text(const struct decoded *decoded, const char *name);

/* The layers, as bits of enum event_layer, that events of this name are of; 0: it is not ours. */
uint32_t decoded_layers(const char *name);

/* What is not a field of its own: ranges both ways, the process of the call. */
void decoded_finish(struct decoded *decoded);

/* Tells the state the name of the process of decoded's event: n letters, which may hold zeros. */
void decoded_name(const struct decoded *decoded, struct analysis *analysis, const char *text,
		  size_t n);

/* Whether the context's name of the process should be told: it is another than last time. */
bool decoded_wants_name(const struct decoded *decoded, struct decoded_names *names);

/* What a trace says of where it was made. */
struct decoded_origin {
	const char *hostname, *tracer_name, *scenario; /* of its environment; NULL: not there */
	const char *clock_uuid; /* digits; "" where the clock has none */
	const char *world;	/* tells traces of scenarios apart: each has its own processes */
};

/* The number of the trace's machine; UINT32_MAX: out of memory. */
uint32_t decoded_machine(struct analysis *analysis, const struct decoded_origin *origin);

#endif
