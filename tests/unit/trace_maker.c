/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/trace_maker.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/analysis_internal.h"

void maker_init(struct trace_maker *maker, bool device, uint64_t seed)
{
	memset(maker, 0, sizeof(*maker));
	maker->device = device;
	maker->cpus = 2;
	maker->random = seed * 0x9e3779b97f4a7c15ull + 1;
	maker->last_op = (uint64_t)MAKER_PID << 32;
	maker->now_ns = 1000000;
}

void maker_fini(struct trace_maker *maker)
{
	free(maker->events);
}

uint64_t maker_random(struct trace_maker *maker, uint64_t below)
{
	maker->random ^= maker->random << 13;
	maker->random ^= maker->random >> 7;
	maker->random ^= maker->random << 17;
	return (maker->random >> 11) % below;
}

struct event *maker_last(struct trace_maker *maker)
{
	return &maker->events[maker->count - 1];
}

static struct event *add(struct trace_maker *maker, enum event_kind kind)
{
	struct event *event;

	if (maker->count == maker->room) {
		maker->room = maker->room ? maker->room * 2 : 256;
		maker->events = realloc(maker->events, maker->room * sizeof(*event));
		if (!maker->events)
			abort();
	}
	event = &maker->events[maker->count++];
	memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->pid = MAKER_PID;
	event->stream = (uint32_t)maker_random(maker, maker->cpus);
	event->time_ns = maker->now_ns += MAKER_STEP_NS;
	event->name = "made";
	event->be = 1;
	event->ctx = MAKER_CTX;
	return event;
}

static uint32_t cmd_of(enum event_op op)
{
	switch (op) {
	case OP_ALLOC_IOAS:
		return 0x3b81;
	case OP_FREE_ID:
		return 0x3b80;
	case OP_MAP_DMA:
		return 0x3b85;
	case OP_UNMAP_DMA:
		return 0x3b86;
	default:
		return 0x3b87;
	}
}

static struct event *add_call(struct trace_maker *maker, enum event_kind kind,
			      const struct maker_call *call)
{
	struct event *event = add(maker, kind);

	event->op = call->op;
	event->op_id = call->op_id;
	event->tid = call->tid;
	event->id = call->id;
	event->size = call->size;
	event->has_size = call->size > 0;
	event->range = iova_range_of_length(call->iova, call->size);
	event->readonly = call->readonly;
	return event;
}

void maker_begin(struct trace_maker *maker, struct maker_call *call)
{
	call->op_id = ++maker->last_op;
	add_call(maker, EVENT_OP_BEGIN, call);
}

void maker_ioctl_begin(struct trace_maker *maker, struct maker_call *call)
{
	struct event *event;

	if (!maker->device)
		return;
	call->ioctl_op_id = ++maker->last_op;
	event = add(maker, EVENT_IOCTL_BEGIN);
	event->op_id = call->ioctl_op_id;
	event->tid = call->tid;
	event->cmd = cmd_of(call->op);
}

void maker_commit(struct trace_maker *maker, const struct maker_call *call, uint64_t kind,
		  uint64_t object, uint64_t seq, uint64_t arg)
{
	struct event *event;

	if (!maker->device)
		return;
	event = add(maker, EVENT_COMMIT);
	event->op_id = call ? call->ioctl_op_id : 0;
	event->id = object;
	event->seq = seq;
	event->commit_kind = kind;
	event->arg = arg;
	if (kind == TRACE_COMMIT_ALLOC) {
		event->flags = TRACE_OBJ_IOAS;
	} else if (kind == TRACE_COMMIT_MAP || kind == TRACE_COMMIT_UNMAP) {
		event->range = iova_range_of_length(call->iova, call->size);
		event->flags = TRACE_PROT_READ | (call->readonly ? 0 : TRACE_PROT_WRITE);
	}
}

void maker_refused(struct trace_maker *maker, const struct maker_call *call)
{
	struct event *event;

	if (!maker->device)
		return;
	event = add_call(maker, EVENT_REFUSED, call);
	event->op = OP_NONE;
	event->op_id = call->ioctl_op_id;
}

void maker_ioctl_end(struct trace_maker *maker, const struct maker_call *call, int64_t ret)
{
	struct event *event;

	if (!maker->device)
		return;
	event = add(maker, EVENT_IOCTL_END);
	event->op_id = call->ioctl_op_id;
	event->cmd = cmd_of(call->op);
	event->ret = ret;
}

void maker_end(struct trace_maker *maker, const struct maker_call *call, int64_t ret,
	       uint64_t new_id)
{
	struct event *event = add_call(maker, EVENT_OP_END, call);

	event->ret = ret;
	event->new_id = new_id;
}

void maker_end_non_exist(struct trace_maker *maker, const struct maker_call *call)
{
	maker_end(maker, call, -2 /* ENOENT */, 0);
	maker_last(maker)->non_exist = true;
}

uint64_t maker_call(struct trace_maker *maker, struct maker_call call, int64_t ret,
		    uint64_t new_id)
{
	if (!call.tid)
		call.tid = MAKER_PID;
	maker_begin(maker, &call);
	maker_end(maker, &call, ret, new_id);
	return call.op_id;
}

void maker_connect(struct trace_maker *maker, uint64_t users, bool owned, int64_t fd)
{
	maker_call(maker, (struct maker_call){ .op = OP_CONNECT }, 0, 0);
	maker_last(maker)->users = users;
	maker_last(maker)->owned = owned;
	maker_last(maker)->fd = fd;
}

void maker_disconnect(struct trace_maker *maker, uint64_t users, int64_t fd)
{
	struct maker_call call = { .op = OP_DISCONNECT, .tid = MAKER_PID };

	maker_begin(maker, &call);
	if (fd < 0)
		maker_release(maker);
	maker_end(maker, &call, 0, 0);
	maker_last(maker)->users = users;
	maker_last(maker)->fd = fd;
}

void maker_open(struct trace_maker *maker)
{
	if (maker->device)
		add(maker, EVENT_DEV_OPEN);
}

void maker_release(struct trace_maker *maker)
{
	if (maker->device)
		add(maker, EVENT_DEV_RELEASE);
}

void maker_dma(struct trace_maker *maker, uint64_t pt, uint64_t iova, uint64_t size, bool write,
	       int64_t ret)
{
	struct event *event = add(maker, EVENT_DMA);

	event->dev_id = 90;
	event->pt_id = pt;
	event->range = iova_range_of_length(iova, size);
	event->size = size;
	event->write = write;
	event->ret = ret;
}

struct event *maker_vfio(struct trace_maker *maker, enum event_kind kind, uint64_t cmd,
			 uint64_t what, int64_t ret)
{
	struct event *event = add(maker, kind);

	event->dev_id = 90;
	event->bdf = 5 << 3;
	event->group = 5;
	event->cmd = cmd;
	event->arg = what;
	event->ret = ret;
	event->duration_ns = 2000;
	return event;
}

/* ---- playing ---------------------------------------------------------------------------- */

static bool is_lost(const struct event *event, const struct maker_loss *losses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (losses[i].cpu == event->stream && event->time_ns >= losses[i].first_ns &&
		    event->time_ns <= losses[i].last_ns)
			return true;
	}
	return false;
}

/* Tells losses as the decoder does: at their beginning, an open end when an event shows it. */
static void tell_losses(struct analysis *analysis, const struct maker_loss *losses, size_t count,
			int64_t from_ns, int64_t until_ns)
{
	for (size_t i = 0; i < count; i++) {
		struct event_loss loss = {
			.stream = losses[i].cpu,
			.first_ns = losses[i].first_ns,
			.last_ns = losses[i].last_ns,
			.events = 1,
		};

		if (losses[i].untold)
			continue;
		if (loss.last_ns == INT64_MAX) {
			struct quality_machine *machine =
				&analysis_quality(analysis)->machines[0];

			loss.is_end = true;
			if (from_ns == INT64_MIN)
				analysis_loss_later(analysis, &loss);
			machine->by_lttng = true; /* so that programs tell their end, or nobody */
		} else if (loss.first_ns > from_ns && loss.first_ns <= until_ns) {
			analysis_loss(analysis, &loss);
		} else if (from_ns == INT64_MIN && loss.first_ns == INT64_MIN) {
			analysis_loss(analysis, &loss);
		}
	}
}

struct check *maker_play(const struct trace_maker *maker, const struct maker_loss *losses,
			 size_t losses_count, struct analysis **out)
{
	struct analysis *analysis = analysis_create();
	const struct check_config config = { .leaks = maker->leaks };
	struct check *check = analysis ? check_create(analysis, &config) : NULL;
	int64_t told_ns = INT64_MIN;

	if (!check)
		abort();
	quality_machine(analysis_quality(analysis), "host", "clock");
	for (size_t i = 0; i < maker->count; i++) {
		const struct event *event = &maker->events[i];

		if (event->time_ns != told_ns)
			tell_losses(analysis, losses, losses_count, told_ns, event->time_ns);
		told_ns = event->time_ns;
		if (!is_lost(event, losses, losses_count))
			analysis_event(analysis, event);
	}
	analysis_finish(analysis, false);
	*out = analysis;
	return check;
}
