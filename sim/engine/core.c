/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel and the open file: making, ending, locking, fail points.
 *
 * A context lives as long as anything needs it: the open file, a bound device,
 * an access file. Only then do its objects go.
 */
#include "sim/engine/core.h"

#include <stdio.h>

#include "sim/engine/account.h"
#include "sim/engine/heap.h"
#include "sim/engine/io_pagetable.h"
#include "sim/engine/pages.h"
#include "sim/engine/phys.h"
#include "sim/engine/trace.h"
#include "sim/engine/viommu.h"
#include "tracepoints/trace.h"

struct engine *engine_create(const struct engine_config *config)
{
	const uint32_t version = engine_config_linux(config);
	struct engine *engine;

	if (version < ENGINE_LINUX_OLDEST || version > ENGINE_LINUX_NEWEST)
		return NULL;
	if (config->phys_run_bytes & (config->phys_run_bytes - 1) ||
	    config->phys_run_bytes & ENGINE_PAGE_MASK)
		return NULL;
	engine = heap_alloc(config->heap, 1, sizeof(*engine));
	if (!engine)
		return NULL;
	engine->config = *config;
	engine->linux_version = version;
	engine->next_private = 1;
	pthread_mutex_init(&engine->lock, NULL);
	engine->phys = phys_table_create(config->heap, config->phys_run_bytes);
	if (!engine->phys)
		goto out_free;
	if (account_init(engine))
		goto out_phys;
	return engine;

out_phys:
	phys_table_destroy(engine->phys);
out_free:
	pthread_mutex_destroy(&engine->lock);
	free(engine);
	return NULL;
}

void engine_destroy(struct engine *engine)
{
	ENGINE_BUG_ON(__atomic_load_n(&engine->open_count, __ATOMIC_ACQUIRE) != 0);
	phys_table_destroy(engine->phys);
	account_fini(engine);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

struct engine_ctx *engine_ctx_open(struct engine *engine, const struct engine_client *client)
{
	const struct engine_heap *heap = engine->config.heap;
	struct engine_ctx *ctx = heap_alloc(heap, 1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->engine = engine;
	ctx->refs = 1;
	ctx->trace = engine->config.trace;
	ctx->number = ctx->trace ? trace_number(ctx->trace, TRACE_NUMBER_FILE) : 0;
	ctx->account_mode = ACCOUNT_USER;
	if (client)
		ctx->origin = (struct engine_origin){ client->pid, client->tid, client->time_ns,
						      client->stack };
	list_init(&ctx->mmaps);
	list_init(&ctx->changed_files);
	slab_init(&ctx->own_area_slab, sizeof(struct iopt_own_area), heap);
	slab_init(&ctx->other_area_slab, sizeof(struct iopt_other_area), heap);
	span_pool_init(&ctx->span_pool, heap);
	pthread_mutex_init(&ctx->lock, NULL);
	dma_table_init(&ctx->dma);
	listener_table_init(&ctx->listeners);
	__atomic_add_fetch(&engine->open_count, 1, __ATOMIC_RELAXED);
	trace_ctx_open(ctx, client);
	return ctx;
}

void engine_ctx_set_orphan(struct engine_ctx *ctx)
{
	ctx->orphan = true;
}

void engine_ctx_set_quota(struct engine_ctx *ctx, struct engine_quota *quota)
{
	ctx->quota = quota;
}

void engine_ctx_release(struct engine_ctx *ctx)
{
	ctx_put(ctx);
}

uint64_t engine_ctx_number(const struct engine_ctx *ctx)
{
	return ctx->number;
}

void ctx_get(struct engine_ctx *ctx)
{
	__atomic_add_fetch(&ctx->refs, 1, __ATOMIC_RELAXED);
}

void ctx_put(struct engine_ctx *ctx)
{
	struct engine *engine = ctx->engine;

	if (__atomic_sub_fetch(&ctx->refs, 1, __ATOMIC_ACQ_REL))
		return;
	ctx_lock(ctx, NULL, NULL);
	engine_mmaps_forget(ctx);
	object_table_fini(ctx);
	if (ctx->source)
		iopt_source_put(ctx->source);
	ctx_unlock(ctx);
	trace_ctx_release(ctx);
	slab_fini(&ctx->own_area_slab);
	slab_fini(&ctx->other_area_slab);
	span_pool_fini(&ctx->span_pool);
	listener_table_fini(&ctx->listeners);
	dma_table_fini(&ctx->dma);
	pthread_mutex_destroy(&ctx->lock);
	free(ctx);
	__atomic_sub_fetch(&engine->open_count, 1, __ATOMIC_RELEASE);
}

void ctx_lock(struct engine_ctx *ctx, struct engine_call *call,
	      const struct engine_client *client)
{
	pthread_mutex_lock(&ctx->lock);
	if (client) {
		*call = (struct engine_call){ .client = client };
		ctx->call = call;
	}
}

void ctx_unlock(struct engine_ctx *ctx)
{
	ctx->call = NULL;
	pthread_mutex_unlock(&ctx->lock);
}

bool ctx_should_fail(struct engine_ctx *ctx)
{
	uint32_t *nth = ctx->call ? ctx->call->client->fail_nth : NULL;

	/* Whoever reads what is left does so from another thread. */
	return nth && __atomic_load_n(nth, __ATOMIC_RELAXED) &&
	       __atomic_sub_fetch(nth, 1, __ATOMIC_RELAXED) == 0;
}

void *ctx_alloc(struct engine_ctx *ctx, size_t size)
{
	if (ctx_should_fail(ctx))
		return NULL;
	return heap_alloc(ctx->engine->config.heap, 1, size);
}

struct engine_origin ctx_origin(const struct engine_ctx *ctx)
{
	const struct engine_client *client = ctx->call ? ctx->call->client : NULL;

	if (!client)
		return (struct engine_origin){ 0 };
	return (struct engine_origin){ client->pid, client->tid, client->time_ns, client->stack };
}

int ctx_copy_in(struct engine_ctx *ctx, void *dst, uint64_t src, size_t len)
{
	const struct engine_client *client = ctx->call ? ctx->call->client : NULL;

	if (!client)
		return -EFAULT;
	return len ? client->ops->copy_in(client, dst, src, len) : 0;
}

int ctx_copy_out(struct engine_ctx *ctx, uint64_t dst, const void *src, size_t len)
{
	const struct engine_client *client = ctx->call ? ctx->call->client : NULL;

	if (!client)
		return -EFAULT;
	return len ? client->ops->copy_out(client, dst, src, len) : 0;
}

void engine_bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "ioasis: broken invariant: %s (%s:%d)\n", what, file, line);
	abort();
}
