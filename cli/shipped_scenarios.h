/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenarios that come with ioasis, by their bare names: in share/ioasis/scenarios
 * beside the folder of an installed program, in sim/scenarios of a build tree.
 */
#ifndef IOASIS_CLI_SHIPPED_SCENARIOS_H
#define IOASIS_CLI_SHIPPED_SCENARIOS_H

#include <limits.h>
#include <stdbool.h>

#include "cli/options.h"

/*
 * The file that the user means by word: a path, or the name of a shipped scenario if
 * there is no such file. Returns word or path; NULL when word is neither, with the
 * error told (one line) and *status set.
 */
const char *shipped_scenario_file(const struct cli_command *command, const char *word,
				  char path[PATH_MAX], int *status);

/* Prints each with its `about`, sorted by name. Returns the exit status. */
int shipped_scenarios_print(const struct cli_command *command, bool json);

#endif
