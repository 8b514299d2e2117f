/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/engine/dmabuf.h"
#include "sim/engine/heap.h"

#include <string.h>

static struct engine_dmabuf *of_iopt(struct iopt_dmabuf *dmabuf)
{
	return container_of(dmabuf, struct engine_dmabuf, dmabuf);
}

static void dmabuf_get(struct iopt_dmabuf *dmabuf)
{
	__atomic_add_fetch(&of_iopt(dmabuf)->file.refs, 1, __ATOMIC_RELAXED);
}

static void dmabuf_put(struct iopt_dmabuf *dmabuf)
{
	anon_file_put(&of_iopt(dmabuf)->file);
}

static void dmabuf_file_release(struct engine_anon_file *file)
{
	/* Pages may go on to use it; the reference is put by the caller. */
	(void)file;
}

static void dmabuf_file_free(struct engine_anon_file *file)
{
	struct engine_dmabuf *dmabuf = container_of(file, struct engine_dmabuf, file);

	if (dmabuf->config.gone)
		dmabuf->config.gone(dmabuf->config.opaque);
	free(dmabuf->owned);
	free(dmabuf);
}

static const struct anon_file_ops dmabuf_file_ops = {
	.kind = ENGINE_ANON_DMABUF,
	.release = dmabuf_file_release,
	.free = dmabuf_file_free,
};

void dmabuf_init(struct engine_dmabuf *dmabuf, struct engine *engine, struct engine_ctx *ctx)
{
	anon_file_init(&dmabuf->file, &dmabuf_file_ops, ctx);
	dmabuf->dmabuf.get = dmabuf_get;
	dmabuf->dmabuf.put = dmabuf_put;
	dmabuf->dmabuf.ranges = 1;
	pthread_mutex_lock(&engine->lock);
	dmabuf->dmabuf.object = ENGINE_INVENTED_OBJECT | engine->next_private++;
	pthread_mutex_unlock(&engine->lock);
}

struct iopt_dmabuf *engine_anon_file_dmabuf(struct engine_anon_file *file)
{
	struct iopt_dmabuf *dmabuf;

	if (file->ops != &dmabuf_file_ops)
		return NULL;
	dmabuf = &container_of(file, struct engine_dmabuf, file)->dmabuf;
	dmabuf_get(dmabuf);
	return dmabuf;
}

/* ---- of a device's BAR --------------------------------------------------------------- */

static int bar_access(struct iopt_dmabuf *dmabuf, uint64_t offset, void *buf, size_t length,
		      bool write)
{
	const struct engine_dmabuf_config *config = &of_iopt(dmabuf)->config;

	return config->access(config->opaque, offset, buf, length, write);
}

struct engine_dmabuf *engine_dmabuf_create(struct engine_ctx *ctx,
					   const struct engine_dmabuf_config *config)
{
	struct engine_dmabuf *dmabuf = heap_alloc(ctx->engine->config.heap, 1, sizeof(*dmabuf));

	if (!dmabuf)
		return NULL;
	dmabuf_init(dmabuf, ctx->engine, NULL);
	dmabuf->config = *config;
	dmabuf->dmabuf.size = config->size;
	dmabuf->dmabuf.ranges = config->ranges;
	dmabuf->dmabuf.access = bar_access;
	return dmabuf;
}

struct engine_anon_file *engine_dmabuf_file(struct engine_dmabuf *dmabuf)
{
	return &dmabuf->file;
}

void engine_dmabuf_put(struct engine_dmabuf *dmabuf)
{
	anon_file_put(&dmabuf->file);
}

void engine_dmabuf_revoke(struct engine_dmabuf *dmabuf, bool revoked)
{
	if (__atomic_exchange_n(&dmabuf->dmabuf.revoked, revoked, __ATOMIC_RELAXED) == revoked)
		return;
	/* What is mapped is gone for good, also when this lifts the ban on new pages. */
	if (revoked)
		__atomic_add_fetch(&dmabuf->dmabuf.revocations, 1, __ATOMIC_RELAXED);
}

uint64_t engine_anon_file_size(struct engine_anon_file *file)
{
	return file->ops == &dmabuf_file_ops ?
		       container_of(file, struct engine_dmabuf, file)->dmabuf.size : 0;
}
