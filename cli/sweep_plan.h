/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of a sweep: a file beside the results that says which runs there are to be. So a
 * second sweep does not mix with the first, and `ioasis merge` knows what is missing.
 */
#ifndef IOASIS_CLI_SWEEP_PLAN_H
#define IOASIS_CLI_SWEEP_PLAN_H

#include <stdint.h>

#include "cli/sweep.h"

#define SWEEP_PLAN_NAME	       "sweep.plan"
#define SWEEP_PLAN_ERROR_BYTES (PATH_MAX + 256)

/*
 * Writes the plan into the sweep's folder, which is there. A plan that is there must be the same
 * or have fewer seeds. 0, or -errno with one line in error: -EEXIST: another sweep's results lie
 * there.
 */
int sweep_plan_write(const struct sweep *sweep, char error[SWEEP_PLAN_ERROR_BYTES]);

/* A run that is to be there. */
struct sweep_planned {
	const char *name;     /* of its file */
	const char *settings; /* "KEY=VALUE KEY=VALUE" */
	uint64_t seed;
};

/*
 * Calls visit for each run of the plan in the folder dir, until one does not return 0; returns
 * that. -ENOENT: there is no plan. Another -errno: it cannot be read, with one line in error.
 */
int sweep_plan_each(const char *dir, int (*visit)(void *opaque, const struct sweep_planned *run),
		    void *opaque, char error[SWEEP_PLAN_ERROR_BYTES]);

#endif
