/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LTTng behind the trace interface. All that knows LTTng is here, in a library of its own that
 * is loaded only when someone traces (tracepoints/load.c).
 */
#include "tracepoints/probes.h"

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE

#include "tracepoints/ioasis_sim_tp.h"
#include "tracepoints/iommufd_backend_tp.h"
#include "tracepoints/iommufd_dev_tp.h"

#undef EVENT
#undef FIELD
#define FIELD(type, name)

#define EVENT(provider, name, fields)                            \
	static void emit_##provider##_##name(const void *values) \
	{                                                        \
		lttng_ust_do_tracepoint(provider, name, values); \
	}
#include "tracepoints/events.def"
#undef EVENT

static void (*const emitters[TRACE_EVENTS_COUNT])(const void *values) = {
#define EVENT(provider, name, fields) [TRACE_##provider##_##name] = emit_##provider##_##name,
#include "tracepoints/events.def"
#undef EVENT
};

static const int *const wanted[TRACE_EVENTS_COUNT] = {
#define EVENT(provider, name, fields) \
	[TRACE_##provider##_##name] = &lttng_ust_tracepoint_##provider##___##name.state,
#include "tracepoints/events.def"
#undef EVENT
};

static void emit(struct trace *trace, enum trace_event event, const void *fields)
{
	(void)trace;
	emitters[event](fields);
}

__attribute__((visibility("default"))) const struct trace_probes ioasis_trace_probes = {
	.events_text = trace_events_text,
	.wanted = wanted,
	.emit = emit,
};
