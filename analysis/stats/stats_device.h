/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers about devices: their calls (VFIO's), their DMA, their interrupts. Of the fake device's
 * events alone; a device that is on no bus (the kernel's mock) is known by its id.
 */
#ifndef IOASIS_ANALYSIS_STATS_DEVICE_H
#define IOASIS_ANALYSIS_STATS_DEVICE_H

#include <stdio.h>

#include "analysis/event.h"
#include "analysis/quality.h"
#include "analysis/table.h"

struct json_object;
struct state;

struct stats_device {
	struct stats_device *next;
	uint32_t machine;
	uint32_t bdf;	/* EVENT_NO_BDF: on no bus */
	uint32_t dev;	/* its id, the last one */
	uint32_t group; /* once it is bound */
	bool has_group;
	const struct state_process *process; /* who bound it last; NULL: not known; of the state */
	uint64_t binds, calls, errors, calls_ns, calls_max_ns;
	uint64_t reads, writes, read_bytes, written_bytes, faults; /* DMA: of memory */
	uint64_t irqs;
};

/* In the order of appearance. All zero is an empty one. */
struct stats_devices {
	struct table table;
	struct stats_device *first, *last;
};

/* Counts the event, if it is of a device. 0 or -ENOMEM. */
int stats_devices_event(struct stats_devices *devices, struct state *state,
			const struct event *event);
void stats_devices_fini(struct stats_devices *devices);

/* A line a device; and a new JSON array. */
void stats_devices_print(const struct stats_devices *devices, const struct quality *quality,
			 FILE *out);
struct json_object *stats_devices_to_json(const struct stats_devices *devices);

#endif
