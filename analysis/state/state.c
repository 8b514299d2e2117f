/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/state/state.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/state/state_internal.h"

/* QEMU's own events name no backend; its fd stands for it. */
#define QEMU_KEY(fd) (0x8000000000000000ull | (uint32_t)(fd))

struct state *state_create(struct analysis *owner)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state) {
		state->analysis = owner;
		state->last_context = &state->first_context;
	}
	return state;
}

static void pending_free(struct state_pending *pending)
{
	while (pending) {
		struct state_pending *next = pending->next;

		free(pending);
		pending = next;
	}
}

static void object_free(struct state_object *object)
{
	range_set_fini(&object->mappings);
	pending_free(object->pending);
	free(object);
}

void state_destroy(struct state *state)
{
	struct state_context *context, *next;
	struct state_op *op;

	if (!state)
		return;
	for (context = state->first_context; context; context = next) {
		next = context->next;
		while (context->objects) {
			struct state_object *object = context->objects;

			context->objects = object->next;
			while (object->held) {
				op = object->held;
				state_op_list_remove(op);
				free(op);
			}
			object_free(object);
		}
		free(context);
	}
	while ((op = state->free_ops)) {
		state->free_ops = op->next;
		free(op);
	}
	table_fini_values(&state->ops);
	table_fini_values(&state->threads);
	state_processes_fini(state);
	state_stacks_fini(state);
	table_fini(&state->contexts);
	table_fini(&state->objects);
	free(state);
}

bool state_failed(const struct state *state)
{
	return state->failed;
}

struct state_context *state_contexts(const struct state *state)
{
	return state->first_context;
}

void state_missing(struct state *state, uint32_t machine, int64_t since_ns)
{
	if (state->analysis->quality.machines[machine].lost.last_ns < since_ns)
		state->analysis->quality.unaccounted++;
}

/* ---- names ---------------------------------------------------------------------- */

const char *state_object_type_name(enum trace_object_type type)
{
	static const char *const names[] = {
		[TRACE_OBJ_NONE] = "object",	   [TRACE_OBJ_IOAS] = "ioas",
		[TRACE_OBJ_HWPT_PAGING] = "hwpt",  [TRACE_OBJ_HWPT_NESTED] = "nested hwpt",
		[TRACE_OBJ_DEVICE] = "device",	   [TRACE_OBJ_ACCESS] = "access",
		[TRACE_OBJ_FAULT] = "fault queue", [TRACE_OBJ_VIOMMU] = "viommu",
		[TRACE_OBJ_VDEVICE] = "vdevice",   [TRACE_OBJ_VEVENTQ] = "veventq",
		[TRACE_OBJ_HW_QUEUE] = "hw queue", [TRACE_OBJ_SELFTEST] = "test device",
	};

	return (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : "object";
}

/* ---- contexts ------------------------------------------------------------------- */

/* Which backend an event of QEMU means that names no open fd: the one in use. */
static struct state_context *qemu_in_use(struct state *state, const struct event *event)
{
	struct state_context *context, *found = NULL;

	for (context = state->first_context; context; context = context->next) {
		if (context->layer == STATE_BACKEND && context->users &&
		    context->process == state_process_of(state, event))
			found = context;
	}
	return found;
}

/* Layer in bit 31, QEMU in bit 30: machines are fewer. */
static void context_key(struct state *state, const struct event *event, enum state_layer layer,
			uint64_t *a, uint64_t *b)
{
	if (layer == STATE_DEVICE) {
		*a = event->ctx;
		*b = state_scope(event->machine | 1u << 31, event->here_ns);
		return;
	}
	*a = (uint64_t)state_process_of(state, event)->number << 32 |
	     (uint32_t)(event->qemu ? (uint64_t)event->fd : event->be);
	*b = event->machine | (event->qemu ? 1u << 30 : 0);
}

struct state_context *state_context_of(const struct state *state, const struct event *event)
{
	return table_get(&state->contexts, event->ctx,
			 state_scope(event->machine | 1u << 31, event->here_ns));
}

struct state_context *state_context_find(struct state *state, const struct event *event,
					 enum state_layer layer)
{
	struct state_context *context;
	uint64_t a, b;

	context_key(state, event, layer, &a, &b);
	context = table_get(&state->contexts, a, b);
	if (!context && event->qemu && event->fd < 0)
		context = qemu_in_use(state, event);
	return context;
}

struct state_context *state_context_get(struct state *state, const struct event *event,
					enum state_layer layer)
{
	struct state_context *context = state_context_find(state, event, layer);
	uint64_t a, b;

	if (context)
		return context;
	context_key(state, event, layer, &a, &b);
	context = table_add(&state->contexts, a, b, sizeof(*context));
	if (!context) {
		state->failed = true;
		return NULL;
	}
	context->layer = layer;
	context->machine = event->machine;
	context->process = state_process_of(state, event);
	context->emitter = layer == STATE_DEVICE
				   ? state_process_of_number(state, event, event->ctx)
				   : state_process_of(state, event);
	context->pid = event->pid;
	context->table_a = a;
	context->table_b = b;
	context->key = layer == STATE_DEVICE ? event->ctx :
		       event->qemu	     ? QEMU_KEY(event->fd) : event->be;
	context->qemu = event->qemu;
	context->serial = ++state->contexts_count;
	context->born_ns = event->time_ns;
	context->born_seen = event->kind == EVENT_DEV_OPEN;
	context->fd = -1;
	context->peer_lost_ns = INT64_MIN;
	*state->last_context = context;
	state->last_context = &context->next;
	state_tell(state, context_begin, context);
	return context;
}

/* Several backends may share the file; those that still have users will miss it. */
static void unlink_backends(struct state *state, const struct state_context *device,
			    int64_t time_ns)
{
	struct state_context *backend;

	for (backend = state->first_context; backend; backend = backend->next) {
		if (backend->layer != STATE_BACKEND || backend->peer != device)
			continue;
		backend->peer = NULL;
		if (backend->users)
			backend->peer_lost_ns = time_ns;
	}
}

/* Ends a device context; one of a backend lives on, it may be connected again. */
void state_context_end(struct state *state, struct state_context *context, int64_t time_ns)
{
	struct state_context **place;

	while (context->objects) {
		state_commits_flush(state, context->objects);
		if (context->objects)
			state_object_end(state, context->objects, time_ns, 0);
	}
	state_tell(state, context_end, context, time_ns);
	unlink_backends(state, context, time_ns);
	for (place = &state->first_context; *place != context; place = &(*place)->next)
		;
	*place = context->next;
	if (state->last_context == &context->next)
		state->last_context = place;
	table_remove(&state->contexts, context->table_a, context->table_b);
	for (size_t i = 0; i < state->ops.size; i++) {
		struct state_op *op = state->ops.slots[i].value;

		if (op && op->context == context)
			op->context = NULL;
	}
	free(context);
}

void state_link(struct state *state, struct state_context *backend,
		struct state_context *device, int64_t time_ns)
{
	if (backend->peer == device)
		return;
	if (backend->peer && backend->peer->peer == backend)
		backend->peer->peer = NULL;
	backend->peer = device;
	if (!device->peer)
		device->peer = backend;
	/* From now on the device's commits tell; what the backend's calls told ends. */
	while (backend->objects) {
		linearize_flush(state, backend->objects);
		if (backend->objects)
			state_object_end(state, backend->objects, time_ns, 0);
	}
}

/* ---- objects -------------------------------------------------------------------- */

struct state_object *state_object_find(const struct state *state,
				       const struct state_context *context, uint64_t id)
{
	return table_get(&state->objects, context->serial, id);
}

struct state_object *state_object_ioas(const struct state *state, struct state_object *object)
{
	for (int depth = 0; object && depth < 4; depth++) {
		if (object->type == TRACE_OBJ_IOAS)
			return object;
		if (object->type != TRACE_OBJ_HWPT_PAGING && object->type != TRACE_OBJ_HWPT_NESTED)
			return NULL;
		object = state_object_find(state, object->context, object->parent);
	}
	return NULL;
}

/* Makes an object; like: type, parent, born_..., seq. NULL: out of memory. */
struct state_object *state_object_begin(struct state *state, struct state_context *context,
					uint64_t id, const struct state_object *like)
{
	struct state_object *object =
		table_add(&state->objects, context->serial, id, sizeof(*object));

	if (!object) {
		state->failed = true;
		return NULL;
	}
	object->context = context;
	object->id = (uint32_t)id;
	object->type = like->type;
	object->parent = like->parent;
	object->serial = ++state->objects_count;
	object->born_ns = like->born_ns;
	object->born_op = like->born_op;
	object->maker = like->maker;
	object->born_by = like->born_by;
	object->born_call = like->born_call;
	object->born_stack = like->born_stack;
	object->born_seen = like->born_seen;
	object->seq = like->seq;
	object->gap_ns = INT64_MIN;
	object->commit_ns = like->born_ns;
	object->dump = context->dump;
	range_set_init(&object->mappings);
	object->next = context->objects;
	object->prev = &context->objects;
	if (object->next)
		object->next->prev = &object->next;
	context->objects = object;
	context->objects_live++;
	state_tell(state, object_begin, object);
	return object;
}

void state_object_end(struct state *state, struct state_object *object, int64_t time_ns,
		      uint64_t op_id)
{
	struct state_context *context = object->context;
	struct state_op *op;

	if (object->mappings.count)
		state_unmap(state, object, 0, UINT64_MAX, time_ns, op_id);
	state_tell(state, object_end, object, time_ns);
	while ((op = object->under_way)) {
		state_op_list_remove(op);
		op->named = NULL;
	}
	while ((op = object->held)) {
		state_op_list_remove(op);
		state_op_free(state, op);
	}
	*object->prev = object->next;
	if (object->next)
		object->next->prev = object->prev;
	context->objects_live--;
	table_remove(&state->objects, context->serial, object->id);
	object_free(object);
}

/* ---- mappings ------------------------------------------------------------------- */

void state_map(struct state *state, struct state_object *object,
	       const struct state_mapping *mapping)
{
	if (range_set_insert(&object->mappings, mapping)) {
		state->failed = true;
		return;
	}
	object->bytes += iova_range_bytes(mapping->iova, mapping->last);
	state_tell(state, mapping_begin, object, mapping);
}

uint64_t state_unmap(struct state *state, struct state_object *object, uint64_t iova,
		     uint64_t last, int64_t time_ns, uint64_t op_id)
{
	struct range_iter iter;
	struct range_entry *entry = range_set_overlap(&object->mappings, iova, last, &iter);
	uint64_t bytes = 0;

	while (entry) {
		uint64_t length = iova_range_bytes(entry->iova, entry->last);

		if (entry->iova < iova || entry->last > last) {
			iter.index++;
		} else {
			state_tell(state, mapping_end, object, entry, time_ns, op_id);
			object->bytes -= length;
			bytes += length;
			range_set_remove(&object->mappings, &iter);
		}
		entry = range_set_overlap_at(&object->mappings, iova, last, &iter);
	}
	return bytes;
}

bool state_lost_since(const struct state *state, const struct state_context *context,
		      int64_t since_ns)
{
	enum event_layer layer = context->layer == STATE_DEVICE ? EVENT_LAYER_DEVICE
								 : EVENT_LAYER_BACKEND;

	return quality_lost_since(&state->analysis->quality, context->machine, layer,
				  context->emitter->pid, since_ns);
}

bool state_object_complete(const struct state *state, const struct state_object *object)
{
	if (!object->born_seen)
		return false;
	if (object->context->layer == STATE_BACKEND)
		return !state_lost_since(state, object->context, object->born_ns);
	/* Commit numbers without a gap prove it up to the last one. */
	return object->gap_ns == INT64_MIN &&
	       !state_lost_since(state, object->context, object->commit_ns + 1);
}

bool state_mapping_certain(const struct state *state, const struct state_object *object,
			   const struct state_mapping *mapping)
{
	if (object->context->layer == STATE_BACKEND)
		return !state_lost_since(state, object->context, mapping->born_ns);
	return mapping->born_ns > object->gap_ns &&
	       !state_lost_since(state, object->context, object->commit_ns + 1);
}

/* ---- events --------------------------------------------------------------------- */

static void dev_open(struct state *state, const struct event *event)
{
	struct state_context *old = state_context_find(state, event, STATE_DEVICE);

	if (old) /* its release was lost, or it was named before its open came */
		old->born_seen |= !old->objects;
	else
		state_context_get(state, event, STATE_DEVICE);
}

static void dev_release(struct state *state, const struct event *event)
{
	struct state_context *context = state_context_find(state, event, STATE_DEVICE);

	if (!context)
		return;
	context->emitter->seen_ns = event->time_ns;
	context->by_exit = !context->by_call && (event->by_exit || context->process->end_call);
	state_context_end(state, context, event->time_ns);
}

void state_event(struct state *state, const struct event *event)
{
	if (event->machine >= state->analysis->quality.machines_count)
		return;
	switch (event->kind) {
	case EVENT_OP_BEGIN:
		state_op_begin(state, event);
		break;
	case EVENT_OP_END:
		state_op_end(state, event);
		break;
	case EVENT_IOCTL_BEGIN:
		state_ioctl_begin(state, event);
		break;
	case EVENT_REFUSED:
		state_ioctl_refused(state, event);
		break;
	case EVENT_WHERE:
		state_ioctl_where(state, event);
		break;
	case EVENT_IOCTL_END:
		state_ioctl_end(state, event);
		break;
	case EVENT_COMMIT:
		state_commit(state, event);
		break;
	case EVENT_BE_PROCESS_END:
		state_process_end(state, event);
		break;
	case EVENT_DEV_OPEN:
		dev_open(state, event);
		break;
	case EVENT_DEV_RELEASE:
		dev_release(state, event);
		break;
	case EVENT_BE_STATE:
	case EVENT_BE_OBJECT:
	case EVENT_BE_MAPPING:
	case EVENT_BE_STATE_END:
	case EVENT_DEV_STATE:
	case EVENT_DEV_OBJECT:
	case EVENT_DEV_MAPPING:
	case EVENT_DEV_STATE_END:
		state_dump_event(state, event);
		break;
	default:
		break;
	}
}

void state_finish(struct state *state)
{
	struct state_context *context;
	struct state_object *object, *next;

	state->finishing = true;
	state_ops_finish(state);
	for (context = state->first_context; context; context = context->next) {
		for (object = context->objects; object; object = next) {
			next = object->next;
			linearize_flush(state, object);
		}
		for (object = context->objects; object; object = next) {
			next = object->next;
			state_commits_flush(state, object);
		}
	}
}
