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

struct event_loss;
struct json_object;

struct quality_machine {
	char *name;	   /* host name, or the trace's path where it has none; owned */
	char *clock_uuid;  /* of its clock, "" where unknown; owned */
	uint64_t events;   /* read */
	int64_t last_ns;   /* time of the last one */
	int64_t lost_last_ns; /* end of the latest window of loss so far; INT64_MIN: none */
	int64_t ends_first_ns; /* when the first and the last of its streams end; 0: unknown */
	int64_t ends_last_ns;
	uint32_t ends;	       /* how many streams these are */
	bool by_lttng;	       /* recorded from what ran, not made by a simulation or by hand */
	int64_t lost_first_ns; /* beginning of the first one; INT64_MAX: none */
};

struct quality {
	uint64_t events;	/* read, all kinds */
	uint64_t events_known;	/* of the kinds in event.h */
	uint64_t lost_events;	/* that the tracer counted */
	uint64_t lost_packets;	/* whole packets, events in them not counted */
	uint64_t lost_windows;	/* times that it happened */
	uint64_t lost_uncounted; /* windows with an unknown number of events */
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
};

/* True when anything was lost, at whatever place. */
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
