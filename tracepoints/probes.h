/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program takes from libioasis-probes.so. */
#ifndef IOASIS_TRACEPOINTS_PROBES_H
#define IOASIS_TRACEPOINTS_PROBES_H

#include "tracepoints/trace.h"

struct trace_probes {
	/* The library's catalogue; with another one than the program's nothing fits. First. */
	const char *events_text;
	const int *const *wanted;
	void (*emit)(struct trace *trace, enum trace_event event, const void *fields);
};

/* By dlsym() only. */
#define TRACE_PROBES_SYMBOL "ioasis_trace_probes"
extern const struct trace_probes ioasis_trace_probes;

#endif
