/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading the probes: what makes events end in LTTng's buffers.
 *
 * A program that emits events carries nothing of LTTng and does not depend on it. When
 * IOASIS_TRACE is set in its environment, libioasis-probes.so is loaded before
 * main() runs, from $IOASIS_PROBES, else from beside the program or the library
 * that this code is in, else from ../lib of there, else where the dynamic linker looks.
 *
 *   IOASIS_TRACE unset, empty or 0   no tracing: an event costs one test of a pointer
 *   IOASIS_TRACE=1                   load the probes (`ioasis record` sets this)
 *   IOASIS_TRACE=late                the same, and remember what lives, so that tracing
 *                                    turned on later starts with a state dump
 *   IOASIS_TRACE_SAY=1               say on standard error when the probes cannot be loaded
 *                                    (`ioasis record` sets this)
 */
#ifndef IOASIS_TRACEPOINTS_LOAD_H
#define IOASIS_TRACEPOINTS_LOAD_H

#include <limits.h>
#include <stdbool.h>

struct trace;

enum trace_mode {
	TRACE_MODE_OFF = 0,
	TRACE_MODE_ON,	 /* probes are loaded */
	TRACE_MODE_LATE, /* and state is remembered for a dump */
};

/* Set once, before main(); read without a lock. */
extern enum trace_mode trace_mode;

/* True when events may be wanted: one predictable branch where they are not. */
static inline bool trace_armed(void)
{
	return __builtin_expect(trace_mode != TRACE_MODE_OFF, 0);
}

/*
 * The trace in real time, LTTng's, which all of this process shares; NULL while the probes are
 * not loaded. Whoever makes a backend or an engine hands it in.
 */
struct trace *trace_of_process(void);

/* Where the probes lie beside this program or library, as an absolute path. False: they do not. */
bool trace_find_probes(char path[PATH_MAX]);

/* The same for another library that is built and installed where they are. */
bool trace_find_library(const char *name, char path[PATH_MAX]);

/*
 * Loads the probes now, whatever IOASIS_TRACE says; harmless when they are
 * loaded. NULL, or why not, as text that lives until the next call.
 * Not thread-safe against itself.
 */
const char *trace_load_probes(void);

#endif
