/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs left behind: mappings, address spaces, page tables and queues that
 * lived when their /dev/iommu was closed.
 *
 * The kernel frees them then, so this is no fault of the device's state; it is what
 * a program forgot, as memory that it did not free is to valgrind.
 */
#ifndef IOASIS_SIM_FUSE_LEAK_H
#define IOASIS_SIM_FUSE_LEAK_H

#include "sim/engine/engine.h"
#include "sim/process/process.h"
#include "sim/where/suppress.h"

#include <stdio.h>

struct leak_report;

/*
 * An empty report; NULL when out of memory. where: whose stacks the origins name, NULL: none
 * are; suppressions: of stacks that do not count, NULL: all do. Both are borrowed.
 */
struct leak_report *leak_report_create(struct where *where,
				       const struct suppressions *suppressions);
void leak_report_destroy(struct leak_report *report);

/*
 * Notes all that lives in ctx, which is being closed. processes: who is called
 * what; may be NULL. May be called from any thread.
 */
void leak_report_add(struct leak_report *report, struct engine_ctx *ctx,
		     struct process_table *processes);

/*
 * Prints what lives in ctx, which is being closed, and nothing when nothing does; report is not
 * changed: its stacks and suppressions count.
 */
void leak_report_print_one(struct leak_report *report, struct engine_ctx *ctx,
			   struct process_table *processes, FILE *out);

/* How many objects and mappings were left. Devices that are bound do not count, nor suppressed. */
uint64_t leak_report_count(struct leak_report *report);

/*
 * Prints the report: a line for each kind of thing left by one thread, or at one place of
 * its program where that is known, and a summary line, which is all when nothing was left. Nothing at all when the device
 * was never opened.
 */
void leak_report_print(struct leak_report *report, FILE *out);

/* The same as one JSON object, which is there in any case. */
void leak_report_print_json(struct leak_report *report, FILE *out);

#endif
