/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading traces on the command line: progress on a terminal; Ctrl-C ends the command without a
 * result (guard.h), but a live session with what was seen till then.
 */
#ifndef IOASIS_CLI_READ_TRACES_H
#define IOASIS_CLI_READ_TRACES_H

#include "analysis/analysis.h"
#include "cli/options.h"

/*
 * Reads paths into analysis and finishes it. 0, or command's error status after
 * one line on standard error. One analysis of the program at a time.
 */
int cli_read_traces(const struct cli_command *command, struct analysis *analysis,
		    char *const *paths, int count);

#endif
