/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes records as a CTF 1.8 trace: `metadata`, with every event of the catalogue, and one stream,
 * `events`. Its UUID follows from the scenario's name and seeds, so equal runs give equal files.
 *
 * The library's own writer (babeltrace2's sink.ctf.fs) takes 650 ns an event, most of them for
 * message objects, and a simulation makes five events a call; this one takes a tenth.
 */
#ifndef IOASIS_SCENARIO_CTF_WRITER_H
#define IOASIS_SCENARIO_CTF_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "sim/scenario/sim_sink.h"

struct ctf_writer;

/*
 * Begins a trace in directory dir (made; must not exist or be empty). name, seed and run_seed are
 * its identity: the trace's UUID follows from them. NULL with one line in error.
 */
struct ctf_writer *ctf_writer_create(const char *dir, const char *name, uint64_t seed,
				     uint64_t run_seed, char *error, size_t error_size);

/*
 * What the writer is given its records by. Its finish() ends the trace and frees the writer,
 * which it owns.
 */
struct sim_sink ctf_writer_sink(struct ctf_writer *writer);

#endif
