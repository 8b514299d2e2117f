/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace of a simulation in virtual time: a trace (tracepoints/trace.h) that is handed in to the backends, to the engine and to the actors of a world. It holds what each
 * of them emits, and nothing that they did not.
 *
 * Whoever emits knows no virtual time, so the one thread of the world says it:
 *
 *	sim_log_at()	what is emitted next happens at that time
 *	sim_log_hold()	a call begins; when it takes hold and ends depends on what it does, so
 *	sim_log_call()	its events wait until this tells their times
 *	sim_log_mute()	what is emitted does not happen in the simulated world
 *
 * Times may lie ahead of the clock; events are written in the order of (time, emitted).
 * Everything here does nothing with log NULL.
 */
#ifndef IOASIS_SCENARIO_SIM_LOG_H
#define IOASIS_SCENARIO_SIM_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/scenario/sim_sink.h"
#include "tracepoints/trace.h"

/* Stands for the process in a trace of virtual time. */
#define SIM_LOG_PID 1u

struct sim_log;

/* What is emitted goes to sink (copied), in the order of time. NULL: out of memory. */
struct sim_log *sim_log_create(const struct sim_sink *sink);

/* What is handed in. Borrowed, lives as long as log; NULL for NULL. */
struct trace *sim_log_trace(struct sim_log *log);

/* The thread that calls from now on. */
void sim_log_thread(struct sim_log *log, uint32_t tid);

void sim_log_at(struct sim_log *log, uint64_t time_ns);
void sim_log_hold(struct sim_log *log);

/*
 * The call that sim_log_hold() began is over: what it emitted at its beginning (events called
 * ..._begin) was at begin_ns, what it changed at commit_ns, its answers were at end_ns. An
 * actor's next event needs a sim_log_at() of its own.
 */
void sim_log_call(struct sim_log *log, uint64_t begin_ns, uint64_t commit_ns, uint64_t end_ns);

void sim_log_mute(struct sim_log *log, bool mute);

/* Nothing will be given any more for times before now_ns: they are written. */
void sim_log_advance(struct sim_log *log, uint64_t now_ns);

/* Passes on what is left and ends the sink. 0 or -errno with one line in error. Frees log. */
int sim_log_finish(struct sim_log *log, char *error, size_t error_size);

#endif
