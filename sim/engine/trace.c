/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emits the events of provider iommufd_dev.
 *
 * With tracing off a call costs one test here. `traced` says whether the trace
 * knows a context: when tracing begins later, its next call dumps the state
 * first. Events between the begin of tracing and that dump are about other
 * contexts only.
 */
#include "sim/engine/trace.h"

#include <ioasis/iommufd_abi.h>

#include "sim/engine/io_pagetable.h"
#include "tracepoints/identity.h"
#include "tracepoints/trace.h"

#define dev_enabled(event) trace_on(ctx->trace, iommufd_dev, event)
#define dev_emit(event, ...) trace_emit(ctx->trace, iommufd_dev, event, __VA_ARGS__)

/* Events carry the engine's own numbers. */
#define SAME_TYPE(type) \
	_Static_assert((int)ENGINE_OBJ_##type == (int)TRACE_OBJ_##type, "numbers of " #type)
SAME_TYPE(NONE);
SAME_TYPE(IOAS);
SAME_TYPE(HWPT_PAGING);
SAME_TYPE(HWPT_NESTED);
SAME_TYPE(DEVICE);
SAME_TYPE(ACCESS);
SAME_TYPE(FAULT);
SAME_TYPE(VIOMMU);
SAME_TYPE(VDEVICE);
SAME_TYPE(VEVENTQ);
SAME_TYPE(HW_QUEUE);
SAME_TYPE(SELFTEST);
_Static_assert(ENGINE_PROT_READ == TRACE_PROT_READ && ENGINE_PROT_WRITE == TRACE_PROT_WRITE,
	       "what a device may do");

/* The caller as it sees itself. */
static struct trace_identity caller(const struct engine_client *client)
{
	struct trace_identity identity = { .pid = client->pid, .tid = client->tid };

	if (client->ops && client->ops->identify)
		client->ops->identify(client, &identity);
	return identity;
}

void trace_ctx_open(struct engine_ctx *ctx, const struct engine_client *client)
{
	if (dev_enabled(open)) {
		struct trace_identity by = { .pid = ctx->origin.pid, .tid = ctx->origin.tid };

		if (client)
			by = caller(client);
		dev_emit(open, ctx->number, by.pid, by.tid, by.pid_ns, by.start,
			 client && client->name ? client->name : "");
	}
	ctx->traced = dev_enabled(state_begin);
}

void trace_ctx_release(struct engine_ctx *ctx)
{
	dev_emit(release, ctx->number, ctx->orphan);
}

static void dump_areas(struct engine_ctx *ctx, struct ioas *ioas)
{
	struct iopt_area *area;
	struct span_pos pos;

	for (area = iopt_area_first(&ioas->iopt, 0, UINT64_MAX, &pos); area;
	     area = iopt_area_next(&pos, UINT64_MAX))
		dev_emit(state_mapping, ctx->number, ioas->object.id, area->iova, area->last,
			 area->prot);
}

static void trace_dump(struct engine_ctx *ctx)
{
	struct engine_object *object;
	uint32_t id;

	pthread_mutex_lock(&ctx->lock);
	dev_emit(state_begin, ctx->number, ctx->origin.pid);
	for (id = 0; (object = object_next(ctx, &id)); id++) {
		dev_emit(state_object, ctx->number, id, object->commit_seq, object->type,
			 object->parent);
		if (object->type == ENGINE_OBJ_IOAS)
			dump_areas(ctx, (struct ioas *)object);
	}
	dev_emit(state_end, ctx->number);
	__atomic_store_n(&ctx->traced, true, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&ctx->lock);
}

uint64_t trace_call_begin(struct engine_ctx *ctx, const struct engine_client *client,
			  unsigned int cmd)
{
	bool on = dev_enabled(state_begin);
	uint64_t op_id = 0;

	if (__builtin_expect(on != __atomic_load_n(&ctx->traced, __ATOMIC_RELAXED), 0)) {
		if (on)
			trace_dump(ctx);
		else
			__atomic_store_n(&ctx->traced, false, __ATOMIC_RELAXED);
	}
	if (dev_enabled(ioctl_begin) || dev_enabled(commit) || dev_enabled(ioctl_end))
		op_id = trace_number(ctx->trace, TRACE_NUMBER_CALL);
	if (dev_enabled(ioctl_begin)) {
		struct trace_identity by = caller(client);

		dev_emit(ioctl_begin, ctx->number, op_id, by.pid, by.tid, by.pid_ns, by.start, cmd);
		if (client->where)
			dev_emit(where, ctx->number, op_id, client->where);
	}
	return op_id;
}

bool trace_wants_named(const struct engine_ctx *ctx)
{
	return dev_enabled(refused);
}

void trace_named_id(struct trace_named *named, uint32_t id)
{
	ENGINE_BUG_ON(named->count == TRACE_NAMED_IDS);
	named->ids[named->count++] = id;
}

void trace_named_range(struct trace_named *named, uint64_t iova, uint64_t length)
{
	named->iova = iova;
	named->length = length;
}

void trace_call_refused(struct engine_ctx *ctx, uint64_t op_id, const struct trace_named *named)
{
	if (!dev_enabled(refused))
		return;
	for (uint32_t i = 0; i < named->count; i++)
		dev_emit(refused, ctx->number, op_id, named->ids[i], i ? 0 : named->iova,
			 i ? 0 : named->length);
}

void trace_call_end(struct engine_ctx *ctx, uint64_t op_id, unsigned int cmd, long ret)
{
	dev_emit(ioctl_end, ctx->number, op_id, cmd, (int32_t)ret);
}

void trace_dma(struct engine_ctx *ctx, uint32_t dev, uint32_t pt, uint64_t iova, uint64_t length,
	       bool write, int ret, uint64_t bad_iova, uint32_t bdf)
{
	if (ret)
		dev_emit(fault, ctx->number, dev, pt, bad_iova, write);
	dev_emit(dma, ctx->number, dev, pt, iova, length, write, ret, bdf);
}

void trace_user_va(struct engine_ctx *ctx, uint64_t user_va)
{
	dev_emit(user_va, ctx->number, ctx->call ? ctx->call->op_id : 0, user_va);
}

void ctx_commit(struct engine_ctx *ctx, struct engine_object *object,
		enum trace_commit_kind kind, uint64_t iova, uint64_t last, uint32_t flags,
		uint64_t arg)
{
	uint64_t seq = object ? ++object->commit_seq : ++ctx->commit_seq;

	dev_emit(commit, ctx->number, ctx->call ? ctx->call->op_id : 0, object ? object->id : 0,
		 seq, kind, iova, last, flags, arg);
}
