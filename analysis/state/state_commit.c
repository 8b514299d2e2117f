/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's commits take effect in the order of their object's numbers,
 * whatever order they were read in. A number that does not come is waited for
 * a little, then it is a gap: what it did is not known.
 */
#include <stdlib.h>

#include "analysis/state/state_internal.h"

#define PENDING_MAX 256u
#define PENDING_MAX_NS 1000000000ll

/* The ioctl that made the commit, or NULL. */
static struct state_op *ioctl_of(const struct state *state, const struct event *event)
{
	uint64_t scope = state_scope(event->machine, event->here_ns);
	struct state_op *op = event->op_id ? table_get(&state->ops, event->op_id, scope) : NULL;

	return op && op->layer == STATE_DEVICE ? op : NULL;
}

static void gap(struct state *state, struct state_object *object, uint64_t missing,
		int64_t time_ns)
{
	state->analysis->quality.seq_gaps += missing;
	state_missing(state, object->context->machine, object->commit_ns);
	object->gap_ns = time_ns;
	object->born_seen = false;
}

static void attach(struct state *state, struct state_object *object, const struct event *event,
		   bool attached)
{
	if (attached)
		object->attached++;
	else if (object->attached)
		object->attached--;
	state_tell(state, attach, object, event->arg, attached, event->time_ns);
}

static void map(struct state *state, struct state_object *object, const struct event *event,
		const struct state_op *op)
{
	struct state_mapping mapping = {
		.iova = event->iova,
		.last = event->last,
		.begin_ns = op ? op->begin_ns : event->time_ns,
		.born_ns = event->time_ns,
		.op_id = event->op_id,
		.tid = op ? op->tid : 0,
		.prot = (uint8_t)event->flags,
		.stack = op ? op->stack : 0,
	};

	if (op && op->outer) {
		mapping.begin_ns = op->outer->begin_ns;
		mapping.op_id = op->outer->op_id;
	}
	state_map(state, object, &mapping);
}

/* One commit, made by op, in its turn. object is gone afterwards when it was its DESTROY. */
static void apply(struct state *state, struct state_object *object, const struct event *event,
		  const struct state_op *op)
{
	uint64_t op_id = op && op->outer ? op->outer->op_id : event->op_id;

	object->seq = event->seq;
	state_tell(state, commit, object, event, op);
	object->commit_ns = event->time_ns;
	switch (event->commit_kind) {
	case TRACE_COMMIT_MAP:
	case TRACE_COMMIT_COPY:
		map(state, object, event, op);
		break;
	case TRACE_COMMIT_UNMAP:
		state_unmap(state, object, event->iova, event->last, event->time_ns, op_id);
		break;
	case TRACE_COMMIT_ATTACH:
		attach(state, object, event, true);
		break;
	case TRACE_COMMIT_DETACH:
		attach(state, object, event, false);
		break;
	case TRACE_COMMIT_DESTROY:
		state_object_end(state, object, event->time_ns, op_id);
		break;
	default:
		break;
	}
}

/* Applies what now follows without a gap. */
static void drain(struct state *state, struct state_object *object)
{
	while (object->pending && object->pending->event.seq <= object->seq + 1) {
		struct state_pending *next = object->pending;
		bool stale = next->event.seq <= object->seq;
		bool last = next->event.commit_kind == TRACE_COMMIT_DESTROY && !stale;
		struct event event = next->event;

		object->pending = next->next;
		object->pending_count--;
		free(next);
		if (!stale)
			apply(state, object, &event, ioctl_of(state, &event));
		if (last)
			return;
	}
}

void state_commits_flush(struct state *state, struct state_object *object)
{
	uint64_t serial = object->serial;
	struct state_context *context = object->context;
	uint64_t id = object->id;

	while (object && object->serial == serial && object->pending) {
		uint64_t missing = object->pending->event.seq - object->seq - 1;

		gap(state, object, missing, object->pending->event.time_ns);
		object->seq += missing;
		drain(state, object);
		object = state_object_find(state, context, id);
	}
}

static void wait_for_turn(struct state *state, struct state_object *object,
			  const struct event *event)
{
	struct state_pending *pending = malloc(sizeof(*pending)), **place = &object->pending;

	if (!pending) {
		state->failed = true;
		return;
	}
	while (*place && (*place)->event.seq < event->seq)
		place = &(*place)->next;
	pending->event = *event;
	pending->next = *place;
	*place = pending;
	object->pending_count++;
	if (object->pending_count > PENDING_MAX ||
	    event->time_ns - object->pending->event.time_ns > PENDING_MAX_NS)
		state_commits_flush(state, object);
}

static struct state_object *object_first_seen(struct state *state, struct state_context *context,
					      const struct event *event)
{
	bool alloc = event->commit_kind == TRACE_COMMIT_ALLOC;
	struct state_object like = {
		.type = alloc ? (enum trace_object_type)event->flags : TRACE_OBJ_NONE,
		.parent = alloc ? event->arg : 0,
		.born_ns = event->time_ns,
		.born_op = event->op_id,
		.born_seen = alloc && event->seq == 1,
		.seq = event->seq - 1,
	};
	const struct state_op *op = ioctl_of(state, event);
	struct state_object *object;

	if (op && op->outer) {
		like.born_op = op->outer->op_id;
		like.maker = op->outer->context;
		like.born_call = op->outer->op;
	} else if (op) {
		like.born_call = op->op;
	}
	if (op) {
		like.born_by = op->process;
		like.born_stack = op->stack;
	}
	if (event->commit_kind == TRACE_COMMIT_MAP || event->commit_kind == TRACE_COMMIT_COPY ||
	    event->commit_kind == TRACE_COMMIT_UNMAP || event->commit_kind == TRACE_COMMIT_ALLOW)
		like.type = TRACE_OBJ_IOAS;
	object = state_object_begin(state, context, event->id, &like);
	if (object && !like.born_seen) {
		object->gap_ns = event->time_ns - 1;
		if (context->born_seen)
			state_missing(state, event->machine, context->born_ns);
		state->analysis->quality.seq_gaps += event->seq - 1;
	}
	return object;
}

/* What an ioctl named is told by its commits alone: the object, and the span of addresses. */
static void tell_ioctl(struct state_op *op, const struct event *commit)
{
	uint64_t bytes = iova_range_bytes(commit->iova, commit->last);

	switch (commit->commit_kind) {
	case TRACE_COMMIT_ALLOC:
		if (!op->new_id)
			op->new_id = commit->id;
		return;
	case TRACE_COMMIT_DESTROY:
		if (!op->id)
			op->id = commit->id;
		return;
	case TRACE_COMMIT_UNMAP:
		bytes = commit->arg;
		break;
	case TRACE_COMMIT_MAP:
	case TRACE_COMMIT_COPY:
		break;
	default:
		return;
	}
	if (!op->id || commit->iova < op->iova)
		op->iova = commit->iova;
	if (!op->id || commit->last > op->last)
		op->last = commit->last;
	op->size += bytes;
	op->id = commit->id;
}

void state_commit(struct state *state, const struct event *event)
{
	struct state_context *context = state_context_get(state, event, STATE_DEVICE);
	struct state_object *object;
	struct state_op *op;

	if (!context)
		return;
	context->emitter->seen_ns = event->time_ns;
	object = state_object_find(state, context, event->id);
	if (object && event->commit_kind == TRACE_COMMIT_ALLOC) {
		/* The number is given out again: how the old object ended was lost. */
		state_commits_flush(state, object);
		object = state_object_find(state, context, event->id);
		if (object) {
			state->analysis->quality.seq_gaps++;
			state_missing(state, event->machine, object->commit_ns);
			state_object_end(state, object, event->time_ns, 0);
		}
		object = NULL;
	}
	if (!object) {
		object = object_first_seen(state, context, event);
		if (!object)
			return;
	}
	op = ioctl_of(state, event);
	if (op) {
		op->commits++;
		if (op->outer)
			op->outer->commits++;
		tell_ioctl(op, event);
	}
	state_tell(state, commit_read, object, event, op);
	if (event->seq == object->seq + 1) {
		bool last = event->commit_kind == TRACE_COMMIT_DESTROY;

		apply(state, object, event, op);
		if (!last && object->pending)
			drain(state, object);
	} else if (event->seq > object->seq) {
		wait_for_turn(state, object, event);
	}
}
