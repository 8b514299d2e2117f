/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mappings that live now, for outputs that end with what was left. */
#ifndef IOASIS_ANALYSIS_LIVE_MAPPINGS_H
#define IOASIS_ANALYSIS_LIVE_MAPPINGS_H

#include "analysis/analysis.h"

/* Calls visit for each, by context, object and address. It must not change the state. */
void live_mappings_visit(struct analysis *analysis,
			 void (*visit)(void *opaque, const struct state_object *object,
				       const struct state_mapping *mapping),
			 void *opaque);

#endif
