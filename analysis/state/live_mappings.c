/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/state/live_mappings.h"

void live_mappings_visit(struct analysis *analysis,
			 void (*visit)(void *opaque, const struct state_object *object,
				       const struct state_mapping *mapping),
			 void *opaque)
{
	const struct state_context *context = state_contexts(analysis_state(analysis));

	for (; context; context = context->next) {
		for (const struct state_object *object = context->objects; object;
		     object = object->next) {
			const struct range_entry *entry;
			struct range_iter iter;

			for (entry = range_set_overlap(&object->mappings, 0, UINT64_MAX, &iter);
			     entry; entry = range_set_next_overlap(&object->mappings, 0,
								   UINT64_MAX, &iter))
				visit(opaque, object, entry);
		}
	}
}
