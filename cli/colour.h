/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colours of verdicts on a terminal: none with NO_COLOR (https://no-color.org), in a pipe, or on a dumb one. */
#ifndef IOASIS_CLI_COLOUR_H
#define IOASIS_CLI_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

/* Whether what goes to file may have colours. */
bool colour_wanted(FILE *file);

/* Writes text (lines of `ioasis check`) with its verdicts in colour. */
void colour_verdicts(const char *text, FILE *out);

#endif
