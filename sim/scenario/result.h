/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of a run as JSON: what was run, and the report. */
#ifndef IOASIS_SCENARIO_RESULT_H
#define IOASIS_SCENARIO_RESULT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/scenario/report.h"
#include "sim/scenario/scenario.h"

/*
 * Prints it to out, whose errors stay with it. settings (settings_count of them) and seed are
 * those of the run: the same ones give the same bytes, whichever program prints them.
 */
void result_print_json(const struct scenario *scenario, const char *const *settings,
		       size_t settings_count, uint64_t seed, const struct report *report,
		       FILE *out);

#endif
