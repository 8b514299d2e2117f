/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run came to: the numbers of the table and of the JSON. */
#ifndef IOASIS_SCENARIO_WORLD_REPORT_H
#define IOASIS_SCENARIO_WORLD_REPORT_H

struct report;
struct world;

/*
 * Adds what happened so far to report, in the order in which it is printed, and ends the run:
 * it takes down what lives (world_finish()), which still counts for the device under test.
 */
void world_report(struct world *world, struct report *report);

#endif
