/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live update: a new process goes on with the open file of another one, and with all that lives
 * in it. It tells by changing whom the mappings are charged to (IOMMU_IOAS_CHANGE_PROCESS),
 * which works on that file alone. Where no commits say what lives, the old one's calls do.
 */
#include "analysis/state/state_internal.h"

/* Whether all that context names without having made it lives in old. */
static bool explains(const struct state *state, const struct state_context *old,
		     const struct state_context *context)
{
	const struct state_object *object;

	for (object = context->objects; object; object = object->next) {
		if (!object->born_seen && !state_object_find(state, old, object->id))
			return false;
	}
	return true;
}

static bool may_be_before(const struct state *state, const struct state_context *old,
			  const struct state_context *context)
{
	if (old->layer != STATE_BACKEND || old->machine != context->machine || old->moved ||
	    old->process == context->process || (old->users_known && !old->users))
		return false;
	if (context->peer)
		return old->peer == context->peer;
	return !old->peer && old->objects && explains(state, old, context);
}

/* One object of old; what context had of it comes on top. */
static void move_object(struct state *state, struct state_object *object,
			struct state_context *context, int64_t time_ns)
{
	const struct state_object like = {
		.type = object->type,
		.parent = object->parent,
		.born_ns = object->born_ns,
		.born_op = object->born_op,
		.born_call = object->born_call,
		.born_stack = object->born_stack,
		.born_by = object->born_by,
		.maker = context,
		.born_seen = object->born_seen,
	};
	struct state_object *own = state_object_find(state, context, object->id), *moved;
	struct range_set later;
	struct range_iter iter;
	struct range_entry *entry;

	range_set_init(&later);
	if (own) {
		linearize_flush(state, own);
		own = state_object_find(state, context, object->id);
	}
	if (own) {
		later = own->mappings;
		range_set_init(&own->mappings);
		state_object_end(state, own, time_ns, 0);
	}
	moved = state_object_begin(state, context, object->id, &like);
	for (entry = range_set_overlap(&object->mappings, 0, UINT64_MAX, &iter); moved && entry;
	     entry = range_set_next_overlap(&object->mappings, 0, UINT64_MAX, &iter))
		state_map(state, moved, entry);
	for (entry = range_set_overlap(&later, 0, UINT64_MAX, &iter); moved && entry;
	     entry = range_set_next_overlap(&later, 0, UINT64_MAX, &iter))
		state_map(state, moved, entry);
	range_set_fini(&later);
	state_object_end(state, object, time_ns, 0);
}

void state_take_over(struct state *state, struct state_context *context, int64_t time_ns)
{
	struct state_context *old, *found = NULL;
	unsigned int count = 0;

	for (old = state->first_context; old; old = old->next) {
		if (!may_be_before(state, old, context))
			continue;
		found = old;
		count++;
	}
	/* One of several: which one is not known, so none of them is said to have left things. */
	for (old = state->first_context; old && count; old = old->next) {
		if (may_be_before(state, old, context))
			old->moved = true;
	}
	context->adopted = count == 1;
	if (count != 1 || context->peer)
		return;
	while (found->objects) {
		linearize_flush(state, found->objects);
		if (found->objects)
			move_object(state, found->objects, context, time_ns);
	}
}
