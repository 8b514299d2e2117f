/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where events go: an interface that is handed in to whoever emits.
 *
 * Behind it is LTTng in real time (tracepoints/load.h) or the writer of a simulation's trace in
 * virtual time (sim/scenario/sim_log.h). Who emits knows neither. No trace at all is NULL: then
 * an event costs one test.
 */
#ifndef IOASIS_TRACEPOINTS_TRACE_H
#define IOASIS_TRACEPOINTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracepoints/events.h"

/* What a trace numbers, so that all that emits into it counts together. */
enum trace_numbered {
	/*
	 * op_id of a call. Dense: every number belongs to a call whose events are wanted, so
	 * that a hole tells of events that were lost. Never 0.
	 */
	TRACE_NUMBER_CALL,
	TRACE_NUMBER_FILE,    /* ctx of an open file of the device; unique like an op_id */
	TRACE_NUMBER_BACKEND, /* be of a backend: 1, 2, ... in its process */
};

struct trace {
	/* For each event, where it stands whether someone wants it now: 0, or not 0. */
	const int *const *wanted;
	/* fields: struct trace_PROVIDER_NAME; nothing of it is kept. From any thread. */
	void (*emit)(struct trace *trace, enum trace_event event, const void *fields);
	uint64_t (*number)(struct trace *trace, enum trace_numbered what);
	/* The calling thread, as the trace names it. */
	uint32_t (*tid)(struct trace *trace);
};

static inline bool trace_wants(const struct trace *trace, enum trace_event event)
{
	return __builtin_expect(trace != NULL, 0) &&
	       __builtin_expect(__atomic_load_n(trace->wanted[event], __ATOMIC_RELAXED), 0);
}

static inline uint64_t trace_number(struct trace *trace, enum trace_numbered what)
{
	return trace->number(trace, what);
}

/* True when event `name` of `provider` is wanted. trace may be NULL. */
#define trace_on(trace, provider, name) trace_wants(trace, TRACE_##provider##_##name)

/*
 * Emits an event if it is wanted; only then the values are worked out. Values: all fields, in
 * the order of the event's statement. trace may be NULL.
 *
 *	trace_emit(trace, iommufd_dev, release, ctx->number);
 */
#define trace_emit(trace, provider, name, ...)                                                 \
	do {                                                                                   \
		if (trace_on(trace, provider, name)) {                                         \
			const struct trace_##provider##_##name trace_fields = { __VA_ARGS__ }; \
                                                                                               \
			(trace)->emit(trace, TRACE_##provider##_##name, &trace_fields);        \
		}                                                                              \
	} while (0)

#endif
