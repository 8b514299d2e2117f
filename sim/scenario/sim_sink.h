/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the events of a simulation end: a trace on disk (ctf_writer.h), or who shows them. */
#ifndef IOASIS_SCENARIO_SIM_SINK_H
#define IOASIS_SCENARIO_SIM_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "tracepoints/events.h"

/* A value is the field's, or for text the address of what lives until the end of the trace. */
struct sim_record {
	uint64_t time_ns;
	enum trace_event event;
	uint64_t values[TRACE_FIELDS_MAX];
};

struct sim_sink {
	/* Takes a record (borrowed for the call); times never go back. Failures wait for the end. */
	void (*put)(void *opaque, const struct sim_record *record);
	/* A record was lost for err (negative): finish() will say so. */
	void (*fail)(void *opaque, int err);
	/* No more will come. 0 or -errno with one line in error. Ends opaque, where it is owned. */
	int (*finish)(void *opaque, char *error, size_t error_size);
	void *opaque;
};

#endif
