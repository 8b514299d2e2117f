/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls: a begin and an end with the same op_id become one struct state_op. A
 * thread is in one call of the backend at a time, and in that call in one ioctl:
 * that is how the two layers find each other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/state/state_internal.h"

void state_op_list_add(struct state_op **list, struct state_op *op)
{
	op->next = *list;
	op->prev = list;
	if (op->next)
		op->next->prev = &op->next;
	*list = op;
}

void state_op_list_remove(struct state_op *op)
{
	*op->prev = op->next;
	if (op->next)
		op->next->prev = op->prev;
	op->next = NULL;
	op->prev = NULL;
}

static struct state_op *op_alloc(struct state *state)
{
	struct state_op *op = state->free_ops;

	if (op)
		state->free_ops = op->next;
	else
		op = malloc(sizeof(*op));
	if (!op) {
		state->failed = true;
		return NULL;
	}
	memset(op, 0, sizeof(*op));
	return op;
}

void state_op_free(struct state *state, struct state_op *op)
{
	op->next = state->free_ops;
	state->free_ops = op;
}

static struct state_thread *thread_get(struct state *state, uint64_t tid,
				       const struct state_process *process)
{
	struct state_thread *thread;

	if (!tid || !process->number)
		return NULL;
	thread = table_get(&state->threads, tid, process->number);
	if (thread)
		return thread;
	thread = table_add(&state->threads, tid, process->number, sizeof(*thread));
	if (!thread) {
		state->failed = true;
		return NULL;
	}
	return thread;
}

static void copy_fields(struct state_op *op, const struct event *event)
{
	op->id = event->id;
	op->iova = event->iova;
	op->last = event->last;
	op->size = event->size;
	op->readonly = event->readonly;
	op->start = event->start;
	op->dev_id = event->dev_id;
	op->pt_id = event->pt_id;
	op->fd = event->fd;
}

/* Takes op out of all that points at it. */
static void op_unlink(struct state_op *op)
{
	if (op->thread && op->thread->backend == op)
		op->thread->backend = NULL;
	if (op->thread && op->thread->ioctl == op)
		op->thread->ioctl = NULL;
	if (op->inner)
		op->inner->outer = NULL;
	if (op->outer)
		op->outer->inner = NULL;
	if (op->named)
		state_op_list_remove(op);
	op->named = NULL;
}

/* The end of op never came: its thread went on, or the trace is over. */
static void op_lost(struct state *state, struct state_op *op)
{
	struct state_object *object = op->named;

	table_remove(&state->ops, op->op_id, state_scope(op->machine, op->here_ns));
	op_unlink(op);
	op->returned = false;
	state_tell(state, op, op);
	state_op_free(state, op);
	if (object && !object->under_way && object->held)
		linearize_flush(state, object);
}

static struct state_op *op_start(struct state *state, const struct event *event,
				 enum state_layer layer)
{
	struct state_op *op = table_get(&state->ops, event->op_id,
					state_scope(event->machine, event->here_ns));

	if (op)
		op_lost(state, op);
	op = op_alloc(state);
	if (!op || table_set(&state->ops, event->op_id,
			     state_scope(event->machine, event->here_ns), op)) {
		free(op);
		state->failed = true;
		return NULL;
	}
	state_number_seen(state, event, true);
	op->layer = layer;
	op->op = layer == STATE_BACKEND ? event->op : event_op_of_cmd((uint32_t)event->cmd);
	op->machine = event->machine;
	op->here_ns = event->here_ns;
	op->process = state_process_of(state, event);
	op->pid = event->pid;
	op->tid = (uint32_t)event->tid;
	op->op_id = event->op_id;
	op->begin_ns = event->time_ns;
	op->begin_seen = true;
	op->context = state_context_get(state, event, layer);
	if (op->context && !op->context->first_op)
		op->context->first_op = event->op_id;
	if (op->context)
		op->context->emitter->seen_ns = event->time_ns;
	if (op->context && !op->context->process->number) {
		op->context->process = op->process;
		op->context->pid = op->pid;
	}
	copy_fields(op, event);
	op->thread = thread_get(state, event->tid, op->process);
	return op;
}

/* The thread goes on, so op ended: its end is missing. */
static void op_overtaken(struct state *state, struct state_op *op)
{
	state_missing(state, op->machine, op->begin_ns);
	op_lost(state, op);
}

/*
 * An end without a begin. A call that was under way when tracing began has none;
 * it is older than all that were seen to begin.
 */
static void begin_missing(struct state *state, const struct state_context *context,
			  const struct event *event)
{
	if (context && context->first_op && event->op_id > context->first_op)
		state_missing(state, event->machine, INT64_MIN + 1);
}

void state_op_begin(struct state *state, const struct event *event)
{
	struct state_op *op = op_start(state, event, STATE_BACKEND);
	struct state_object *object;

	if (!op)
		return;
	if (op->thread) {
		if (op->thread->backend)
			op_overtaken(state, op->thread->backend);
		op->thread->backend = op;
	}
	/* The program may be gone before the device hears of the close. */
	if (op->op == OP_DISCONNECT && op->context && op->context->peer && op->context->owned &&
	    op->context->users <= 1)
		op->context->peer->by_call = true;
	/* Without commits, calls on one object that overlap are put in order when they end. */
	if (op->context && !op->context->peer && op->context->objects) {
		object = state_object_find(state, op->context, op->id);
		if (object) {
			op->named = object;
			state_op_list_add(&object->under_way, op);
		}
	}
	state_tell(state, op_begin, op);
}

/* A fresh fd: nothing lives in it yet, and ids begin again. */
static void context_opened(struct state_context *context, const struct state_op *op)
{
	context->born_ns = op->end_ns;
	context->born_seen = true;
}

/* The fd was closed: all that lived in it is gone. */
static void context_closed(struct state *state, struct state_context *context,
			   const struct state_op *op)
{
	while (context->objects) {
		linearize_flush(state, context->objects);
		if (context->objects)
			state_object_end(state, context->objects, op->end_ns, op->op_id);
	}
}

/* What set_fd, connect and disconnect say of the backend itself. */
static void update_context(struct state *state, const struct state_op *op)
{
	struct state_context *context = op->context;

	switch (op->op) {
	case OP_SET_FD:
		context->fd = op->fd;
		context->owned = false;
		context->passed_in = true;
		context->users_known = true;
		context->users_ns = op->end_ns;
		context->users = 0;
		break;
	case OP_CONNECT:
		if (op->ret)
			break;
		context->fd = op->fd;
		context->owned = op->owned;
		context->passed_in = !op->owned;
		context->users = op->users;
		context->users_known = true;
		context->users_ns = op->end_ns;
		if (op->users == 1 && op->owned)
			context_opened(context, op);
		break;
	case OP_DISCONNECT:
		context->fd = op->fd;
		context->users = op->users;
		context->users_known = true;
		context->users_ns = op->end_ns;
		if (!op->users)
			context->peer_lost_ns = INT64_MIN;
		if (!op->users && context->owned)
			context_closed(state, context, op);
		break;
	case OP_CHANGE_PROCESS:
		if (!op->ret)
			state_take_over(state, context, op->end_ns);
		break;
	default:
		break;
	}
}

/*
 * The earliest time at which a call can have begun whose begin is not there: it
 * was lost, so after something was lost first. QEMU's events have none by design:
 * its calls count as short.
 */
static int64_t begin_bound_ns(const struct state *state, const struct event *event)
{
	const struct quality *quality = &state->analysis->quality;
	int64_t lost_ns = quality->machines[event->machine].lost.first_ns;

	if (event->qemu)
		return event->time_ns;
	return lost_ns > quality->first_ns && lost_ns < event->time_ns ? lost_ns
								       : quality->first_ns;
}

void state_op_end(struct state *state, const struct event *event)
{
	struct state_op *op = NULL;

	if (event->op_id)
		op = table_remove(&state->ops, event->op_id,
				  state_scope(event->machine, event->here_ns));
	if (op) {
		struct state_object *named = op->named;

		op_unlink(op);
		op->named = named;
	} else {
		op = op_alloc(state);
		if (!op)
			return;
		op->layer = STATE_BACKEND;
		op->machine = event->machine;
		op->here_ns = event->here_ns;
		op->process = state_process_of(state, event);
		op->pid = event->pid;
		op->tid = (uint32_t)event->tid;
		op->op_id = event->op_id;
		op->begin_ns = begin_bound_ns(state, event);
		op->qemu = event->qemu;
		op->context = state_context_get(state, event, STATE_BACKEND);
		if (event->op_id)
			state_number_seen(state, event, false);
		if (event->op_id && event->op != OP_SET_FD)
			begin_missing(state, op->context, event);
	}
	op->op = event->op;
	copy_fields(op, event);
	op->new_id = event->new_id;
	op->owned = event->owned;
	op->users = event->users;
	op->ret = event->ret;
	op->non_exist = event->non_exist;
	op->end_ns = event->time_ns;
	op->returned = true;
	if (op->context)
		op->context->emitter->seen_ns = event->time_ns;
	state_tell(state, op, op);
	if (op->context)
		update_context(state, op);
	if (op->context && !op->context->peer)
		linearize(state, op);
	else
		state_op_free(state, op);
}

void state_ioctl_begin(struct state *state, const struct event *event)
{
	struct state_op *op = op_start(state, event, STATE_DEVICE);
	struct state_thread *thread;

	if (!op)
		return;
	thread = op->thread;
	if (thread) {
		struct state_op *outer = thread->backend;

		if (thread->ioctl)
			op_overtaken(state, thread->ioctl);
		thread->ioctl = op;
		if (outer) {
			op->outer = outer;
			outer->inner = op;
			outer->ioctls++;
			if (outer->context && op->context)
				state_link(state, outer->context, op->context, event->time_ns);
		}
	}
	state_tell(state, op_begin, op);
}

void state_ioctl_refused(struct state *state, const struct event *event)
{
	struct state_op *op = table_get(&state->ops, event->op_id,
					state_scope(event->machine, event->here_ns));

	if (!op)
		return;
	if (op->told) { /* an event for each id; the first has the range */
		if (op->other_ids_count < STATE_OTHER_IDS)
			op->other_ids[op->other_ids_count++] = event->id;
		return;
	}
	op->told = true;
	op->id = event->id;
	op->iova = event->iova;
	op->last = event->last;
	op->size = event->size;
}

void state_ioctl_end(struct state *state, const struct event *event)
{
	struct state_op *op = table_remove(&state->ops, event->op_id,
				  state_scope(event->machine, event->here_ns));

	if (op) {
		struct state_op *outer = op->outer;

		op_unlink(op);
		op->outer = outer;
	} else {
		op = op_alloc(state);
		if (!op)
			return;
		op->layer = STATE_DEVICE;
		op->machine = event->machine;
		op->here_ns = event->here_ns;
		op->process = state_process_of(state, event);
		op->pid = event->pid;
		op->op_id = event->op_id;
		op->begin_ns = begin_bound_ns(state, event);
		op->op = event_op_of_cmd((uint32_t)event->cmd);
		op->context = state_context_find(state, event, STATE_DEVICE);
		state_number_seen(state, event, false);
		begin_missing(state, op->context, event);
	}
	op->ret = event->ret;
	op->end_ns = event->time_ns;
	op->returned = true;
	if (op->context)
		op->context->emitter->seen_ns = event->time_ns;
	if (op->outer) {
		op->outer->ioctls_ended++;
		op->outer->inner_ret = op->ret;
	}
	state_tell(state, op, op);
	op->outer = NULL;
	state_op_free(state, op);
}

/* In the order of their beginnings, as tables have none. */
static int by_begin(const void *a, const void *b)
{
	const struct state_op *left = *(struct state_op *const *)a;
	const struct state_op *right = *(struct state_op *const *)b;

	if (left->begin_ns != right->begin_ns)
		return left->begin_ns < right->begin_ns ? -1 : 1;
	return left->op_id < right->op_id ? -1 : left->op_id > right->op_id;
}

void state_ops_finish(struct state *state)
{
	size_t count = 0, room = state->ops.count;
	struct state_op **ops = calloc(room + 1, sizeof(struct state_op *));

	if (!ops) {
		state->failed = true;
		return;
	}
	for (size_t i = 0; i < state->ops.size; i++) {
		if (state->ops.slots[i].value)
			ops[count++] = state->ops.slots[i].value;
	}
	qsort(ops, count, sizeof(struct state_op *), by_begin);
	for (size_t i = 0; i < count; i++)
		op_lost(state, ops[i]);
	free(ops);
	state_processes_finish(state);
}
