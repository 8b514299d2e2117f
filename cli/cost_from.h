/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Costs of a scenario from the latencies in a recorded trace.
 *
 * A call's time is taken as a fixed part and one for each page: the line through
 * the medians of the calls of each size, so that a few slow calls do not move it.
 */
#ifndef IOASIS_CLI_COST_FROM_H
#define IOASIS_CLI_COST_FROM_H

#include <stddef.h>

#include "cli/options.h"

#define COST_FROM_SETTINGS 8
#define COST_FROM_BYTES	   48

struct cost_from {
	char settings[COST_FROM_SETTINGS][COST_FROM_BYTES]; /* "cost.map=1200ns" */
	size_t count;
};

/*
 * Reads the trace in path. 0, or command's error status after one line on standard
 * error: it cannot be read, or has no maps and unmaps that came back.
 */
int cost_from_trace(const struct cli_command *command, char *path, struct cost_from *costs);

#endif
