/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How good the data is: what was read, what was lost. It heads every output.
 */
#ifndef IOASIS_ANALYSIS_QUALITY_H
#define IOASIS_ANALYSIS_QUALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/event.h"
#include "analysis/table.h"

struct json_object;

/* Windows in which events may be missing, taken together. */
struct quality_span {
	int64_t first_ns; /* beginning of the earliest; INT64_MAX: none */
	int64_t last_ns;  /* end of the latest; INT64_MIN: none */
};

struct quality_machine {
	char *name;	   /* host name, or the trace's path where it has none; owned */
	char *clock_uuid;  /* of its clock, "" where unknown; owned */
	uint64_t events;   /* read */
	int64_t last_ns;   /* time of the last one */
	struct quality_span lost; /* any event of ours */
	/* By layer, where any process may have emitted them. */
	struct quality_span layers[EVENT_LAYERS];
	bool by_lttng; /* recorded from what ran, not made by a simulation or by hand */
};

struct quality {
	uint64_t events;	/* read, all kinds */
	uint64_t events_known;	/* of the kinds in event.h */
	uint64_t lost_events;	/* that the tracer counted */
	uint64_t lost_packets;	/* whole packets, events in them not counted */
	uint64_t lost_windows;	/* times that it happened */
	uint64_t lost_uncounted; /* windows with an unknown number of events */
	uint64_t lost_elsewhere; /* windows of streams that cannot hold events of ours */
	bool lost_layers[EVENT_LAYERS]; /* whether events of the layer may be missing */
	uint64_t seq_gaps;	/* commit numbers that never came */
	uint64_t streams;
	bool beginning_missing; /* a stream begins in the middle (snapshot) */
	bool cut_short;		/* a stream ends before the others */
	uint64_t merged;	/* processes that cannot be told apart: pid namespaces unknown */
	uint64_t unaccounted;	/* signs of loss that nothing told (a whole stream may be gone) */
	int64_t first_ns;	/* window of the events: first and last */
	int64_t last_ns;
	struct quality_machine *machines;
	size_t machines_count;
	/* Where buffers are of one process: (machine and pid, layer) -> struct quality_span. */
	struct table lost_of_process;
};

/*
 * Whether events of a layer that process pid of the machine emitted at since_ns or later may be
 * missing, as far as was told yet. pid 0: of any process.
 */
bool quality_lost_since(const struct quality *quality, uint32_t machine, enum event_layer layer,
			uint32_t pid, int64_t since_ns);

/* True when anything of ours was lost, at whatever place. */
bool quality_is_lossy(const struct quality *quality);

/* The number of the machine with this name and clock; makes it. UINT32_MAX: out of memory. */
uint32_t quality_machine(struct quality *quality, const char *name, const char *clock_uuid);

void quality_init(struct quality *quality);
void quality_fini(struct quality *quality);
void quality_loss(struct quality *quality, const struct event_loss *loss);

/* Counts an event; known: of the kinds in event.h. */
static inline void quality_event(struct quality *quality, uint32_t machine, int64_t time_ns,
				 bool known)
{
	quality->events++;
	quality->events_known += known;
	if (machine < quality->machines_count) {
		quality->machines[machine].events++;
		quality->machines[machine].last_ns = time_ns;
	}
	if (time_ns < quality->first_ns)
		quality->first_ns = time_ns;
	if (time_ns > quality->last_ns)
		quality->last_ns = time_ns;
}

/* The lines at the head of a table. */
void quality_print(const struct quality *quality, FILE *out);

/* A new JSON object with the same. */
struct json_object *quality_to_json(const struct quality *quality);

#endif
