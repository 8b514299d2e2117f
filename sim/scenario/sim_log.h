/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace of a simulation in virtual time: the same events with the same fields
 * as tracepoints/ (the backend's, the device's, the simulator's), written as CTF.
 *
 * Events may be given ahead of time (the end of a call is known when it begins);
 * they are written in the order of (time, given).
 */
#ifndef IOASIS_SCENARIO_SIM_LOG_H
#define IOASIS_SCENARIO_SIM_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracepoints/load.h"

/* All events; sim_log_events[] says their names and fields. */
enum sim_event {
	EV_CONNECT_BEGIN,
	EV_CONNECT,
	EV_DISCONNECT_BEGIN,
	EV_DISCONNECT,
	EV_ALLOC_IOAS_BEGIN,
	EV_ALLOC_IOAS,
	EV_FREE_ID_BEGIN,
	EV_FREE_ID,
	EV_MAP_BEGIN,
	EV_MAP,
	EV_UNMAP_BEGIN,
	EV_UNMAP,
	EV_UNMAP_NON_EXIST,
	EV_DEVICE_INFO_BEGIN,
	EV_DEVICE_INFO,
	EV_ALLOC_HWPT_BEGIN,
	EV_ALLOC_HWPT,
	EV_SET_DIRTY_BEGIN,
	EV_SET_DIRTY,
	EV_GET_DIRTY_BEGIN,
	EV_GET_DIRTY,
	EV_DEV_OPEN,
	EV_DEV_RELEASE,
	EV_IOCTL_BEGIN,
	EV_IOCTL_END,
	EV_COMMIT,
	EV_DMA,
	EV_DMA_FAULT,
	EV_SIM_SCENARIO,
	EV_SIM_BOOT,
	EV_SIM_INVALIDATE,
	EV_SIM_FLUSH,
	EV_SIM_STALE_DMA,
	EV_SIM_MIGRATION_ROUND,
	EV_SIM_MIGRATION_END,
	EV_SIM_PLUG,
	EV_SIM_PLANTED_FAULT,
	EV_COUNT,
};

#define SIM_LOG_FIELDS_MAX 12

/* Name of the event class, and its fields as "TYPE name, ...": u8 u32 u64, i32, x32 x64 (hex). */
struct sim_event_class {
	const char *name;
	const char *fields;
};

extern const struct sim_event_class sim_event_classes[EV_COUNT];

struct sim_log;

/*
 * Begins a trace in directory dir (made; must not exist or be empty). name, seed and run_seed are
 * its identity: the trace's UUID follows from them. NULL with one line in error.
 */
struct sim_log *sim_log_create(const char *dir, const char *name, uint64_t seed, uint64_t run_seed,
			       char *error, size_t error_size);

/* Gives an event at time_ns; values: one a field. log NULL: nothing happens. */
void sim_log_put(struct sim_log *log, uint64_t time_ns, enum sim_event event,
		 const uint64_t *values);

/* Gives an event of the simulator to LTTng; others are emitted by their own layers. */
void sim_live_emit(enum sim_event event, const uint64_t *values);

/* Nothing will be given any more for times before now_ns: they are written. */
void sim_log_advance(struct sim_log *log, uint64_t now_ns);

/* Writes what is left and ends the trace. 0 or -errno with one line in error. Frees log. */
int sim_log_finish(struct sim_log *log, char *error, size_t error_size);

/*
 * Gives an event to log (NULL: no trace of virtual time) and, when LTTng traces and the
 * event is the simulator's own, to LTTng. Costs two tests when neither does.
 */
#define SIM_LOG(log, time_ns, event, ...)                                  \
	do {                                                               \
		if ((log) || trace_armed()) {                              \
			const uint64_t sim_log_values[] = { __VA_ARGS__ }; \
                                                                           \
			sim_log_put(log, time_ns, event, sim_log_values);  \
			if (trace_armed())                                 \
				sim_live_emit(event, sim_log_values);      \
		}                                                          \
	} while (0)

#endif
