/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suppressions: stacks that are known and not to be reported, in valgrind's form (its manual,
 * section 2.5): blocks in braces with a name, the kind Ioasis:Leak, and a line for each frame
 * from the innermost on: fun:PATTERN, obj:PATTERN, src:PATTERN[:LINE], or ... for any number.
 * Blocks of other tools are passed over, so one file serves several.
 */
#ifndef IOASIS_SIM_WHERE_SUPPRESS_H
#define IOASIS_SIM_WHERE_SUPPRESS_H

#include "sim/where/where.h"

#define SUPPRESS_WHY_BYTES 256

struct suppressions;

/* None; NULL: out of memory. */
struct suppressions *suppressions_create(void);
void suppressions_destroy(struct suppressions *suppressions);

/* Adds those of a file. 0, or -errno with one line in why: the file, the line, what is wrong. */
int suppressions_read(struct suppressions *suppressions, const char *path,
		      char why[SUPPRESS_WHY_BYTES]);

/* Whether one of them is of this stack. suppressions may be NULL. */
bool suppressions_match(const struct suppressions *suppressions, const struct where_frame *frames,
			size_t count);

#endif
