/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with values that are each right: keys that do not go together. */
#ifndef IOASIS_SCENARIO_CONFLICTS_H
#define IOASIS_SCENARIO_CONFLICTS_H

#include <stddef.h>

#include "sim/scenario/scenario.h"

/*
 * The first conflict of scenario: what is wrong and what would be right, as the end
 * of a sentence, and in *offset the member to blame. NULL: there is none.
 */
const char *scenario_conflict(const struct scenario *scenario, size_t *offset);

#endif
