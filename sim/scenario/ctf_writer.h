/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes records as CTF with babeltrace2: a source of our own, joined to
 * sink.ctf.fs. The sink draws a random UUID for each trace; what is written at
 * the end has one that follows from the scenario's name and seeds.
 */
#ifndef IOASIS_SCENARIO_CTF_WRITER_H
#define IOASIS_SCENARIO_CTF_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "tracepoints/events.h"

/* A value is the field's, or for text the address of what lives until the end of the trace. */
struct ctf_record {
	uint64_t time_ns;
	uint64_t sequence;
	enum trace_event event;
	uint64_t values[TRACE_FIELDS_MAX];
};

struct ctf_writer;

/* As sim_log_create(). */
struct ctf_writer *ctf_writer_create(const char *dir, const char *name, uint64_t seed,
				     uint64_t run_seed, char *error, size_t error_size);

/* Writes a record (copied); times never go back. Failures are reported at the end. */
void ctf_writer_put(struct ctf_writer *writer, const struct ctf_record *record);

/* Makes the writer fail at the end with err (negative). */
void ctf_writer_fail(struct ctf_writer *writer, int err);

/* Ends the trace and frees writer. 0 or -errno with one line in error. */
int ctf_writer_finish(struct ctf_writer *writer, char *error, size_t error_size);

#endif
