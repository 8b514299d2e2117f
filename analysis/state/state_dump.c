/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State dumps: what lives when tracing starts late, or when someone asks. What
 * is known already and agrees stays; what the dump does not name is gone.
 */
#include "analysis/state/state_internal.h"

/* Objects of a context that the present dump has not named yet: nothing of the backend's own. */
static void dump_begin(struct state *state, const struct event *event, enum state_layer layer)
{
	struct state_context *context = state_context_get(state, event, layer);

	if (!context)
		return;
	context->dump++;
	if (layer == STATE_DEVICE)
		return;
	context->fd = event->fd;
	context->owned = event->owned;
	context->passed_in = event->fd >= 0 && !event->owned;
	context->users = event->users;
	context->users_known = true;
	context->users_ns = event->time_ns;
}

static void dump_object(struct state *state, const struct event *event, enum state_layer layer)
{
	struct state_context *context = state_context_get(state, event, layer);
	struct state_object like = {
		.type = (enum trace_object_type)event->type,
		.parent = event->arg,
		.born_ns = event->time_ns,
		.born_seen = true,
		.seq = event->seq,
	};
	struct state_object *object;

	if (!context || (layer == STATE_BACKEND && context->peer))
		return;
	object = state_object_find(state, context, event->id);
	if (object && state_object_complete(state, object) && object->seq >= event->seq &&
	    !object->pending) {
		object->dump = context->dump;
		return;
	}
	if (object)
		state_object_end(state, object, event->time_ns, 0);
	state_object_begin(state, context, event->id, &like);
}

static void dump_mapping(struct state *state, const struct event *event, enum state_layer layer)
{
	struct state_context *context = state_context_find(state, event, layer);
	struct state_mapping mapping = {
		.iova = event->iova,
		.last = event->last,
		.begin_ns = event->time_ns,
		.born_ns = event->time_ns,
		.prot = layer == STATE_DEVICE ? (uint8_t)event->flags :
			(uint8_t)(TRACE_PROT_READ | (event->readonly ? 0 : TRACE_PROT_WRITE)),
	};
	struct state_object *object;
	struct range_entry *known;
	struct range_iter iter;

	if (!context || (layer == STATE_BACKEND && context->peer))
		return;
	object = state_object_find(state, context, event->id);
	if (!object)
		return;
	for (known = range_set_overlap(&object->mappings, event->iova, event->last, &iter); known;
	     known = range_set_next_overlap(&object->mappings, event->iova, event->last, &iter)) {
		if (known->iova == event->iova && known->last == event->last)
			return;
	}
	state_map(state, object, &mapping);
}

static void dump_end(struct state *state, const struct event *event, enum state_layer layer)
{
	struct state_context *context = state_context_find(state, event, layer);
	struct state_object *object, *next;

	if (!context)
		return;
	for (object = context->objects; object; object = next) {
		next = object->next;
		if (object->dump != context->dump && !state_object_complete(state, object))
			state_object_end(state, object, event->time_ns, 0);
	}
	context->born_seen = true;
}

void state_dump_event(struct state *state, const struct event *event)
{
	switch (event->kind) {
	case EVENT_BE_STATE:
		dump_begin(state, event, STATE_BACKEND);
		break;
	case EVENT_BE_OBJECT:
		dump_object(state, event, STATE_BACKEND);
		break;
	case EVENT_BE_MAPPING:
		dump_mapping(state, event, STATE_BACKEND);
		break;
	case EVENT_BE_STATE_END:
		dump_end(state, event, STATE_BACKEND);
		break;
	case EVENT_DEV_STATE:
		dump_begin(state, event, STATE_DEVICE);
		break;
	case EVENT_DEV_OBJECT:
		dump_object(state, event, STATE_DEVICE);
		break;
	case EVENT_DEV_MAPPING:
		dump_mapping(state, event, STATE_DEVICE);
		break;
	default:
		dump_end(state, event, STATE_DEVICE);
		break;
	}
}
