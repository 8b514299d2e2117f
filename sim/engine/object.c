/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object table: an array by id, and a bit an id to find the lowest free one.
 *
 * A slot holds the object, or ID_HELD for an id that is reserved or tombstoned:
 * neither is found, neither is given out again, both count as in use.
 */
#include "sim/engine/object.h"
#include "sim/engine/heap.h"

#include <string.h>

#include "sim/engine/core.h"
#include "sim/engine/io_pagetable.h"

static struct engine_object id_held;
#define ID_HELD (&id_held)

#define FIRST_ROOM 64u

static int table_grow(const struct engine_heap *heap, struct object_table *table)
{
	uint32_t room = table->room ? table->room * 2 : FIRST_ROOM;
	struct engine_object **slots;
	uint64_t *used;

	slots = heap_resize(heap, table->slots, room * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	table->slots = slots;
	used = heap_resize(heap, table->used, room / 64 * sizeof(*used));
	if (!used)
		return -ENOMEM;
	table->used = used;
	memset(slots + table->room, 0, (room - table->room) * sizeof(*slots));
	memset(used + table->room / 64, 0, (room - table->room) / 64 * sizeof(*used));
	if (!table->room)
		used[0] = 1; /* id 0 is never given out */
	table->room = room;
	return 0;
}

static int id_reserve(struct engine_ctx *ctx, uint32_t *id)
{
	struct object_table *table = &ctx->objects;
	struct engine_quota *quota = ctx->quota;
	uint32_t word = table->lowest_word;

	if (quota && !quota_take(&quota->objects, quota->objects_max))
		return -ENOMEM;
	while (word < table->room / 64 && table->used[word] == UINT64_MAX)
		word++;
	if (word == table->room / 64 && table_grow(ctx->engine->config.heap, table)) {
		if (quota)
			quota_give(&quota->objects);
		return -ENOMEM;
	}
	table->lowest_word = word;
	*id = word * 64 + (uint32_t)__builtin_ctzll(~table->used[word]);
	table->used[word] |= 1ull << (*id % 64);
	table->slots[*id] = ID_HELD;
	table->count++;
	return 0;
}

static void id_release(struct engine_ctx *ctx, uint32_t id)
{
	struct object_table *table = &ctx->objects;

	ENGINE_BUG_ON(!(table->used[id / 64] >> (id % 64) & 1));
	table->slots[id] = NULL;
	table->used[id / 64] &= ~(1ull << (id % 64));
	table->count--;
	if (ctx->quota)
		quota_give(&ctx->quota->objects);
	if (id / 64 < table->lowest_word)
		table->lowest_word = id / 64;
}

void *object_alloc(struct engine_ctx *ctx, size_t size, enum engine_object_type type,
		   const struct object_ops *ops)
{
	struct engine_object *object = ctx_alloc(ctx, size);

	if (!object)
		return NULL;
	if (ctx_should_fail(ctx) || id_reserve(ctx, &object->id)) {
		free(object);
		return NULL;
	}
	object->ctx = ctx;
	object->ops = ops;
	object->type = (uint8_t)type;
	object->users = 1;
	object->origin = ctx_origin(ctx);
	return object;
}

void object_publish(struct engine_object *object, uint64_t parent)
{
	struct engine_ctx *ctx = object->ctx;

	ENGINE_BUG_ON(object->published || ctx->objects.slots[object->id] != ID_HELD);
	ctx->objects.slots[object->id] = object;
	object->published = true;
	object->parent = parent;
	ctx_commit(ctx, object, TRACE_COMMIT_ALLOC, 0, 0, object->type, parent);
}

void object_abort(struct engine_object *object)
{
	ENGINE_BUG_ON(object->published || object->users != 1);
	id_release(object->ctx, object->id);
	free(object);
}

void object_abort_and_destroy(struct engine_object *object)
{
	if (object->ops->abort)
		object->ops->abort(object);
	else
		object->ops->destroy(object);
	object_abort(object);
}

void *object_get(struct engine_ctx *ctx, uint32_t id, enum engine_object_type type)
{
	struct engine_object *object;

	if (ctx_should_fail(ctx) || id >= ctx->objects.room)
		return NULL;
	object = ctx->objects.slots[id];
	if (!object || object == ID_HELD)
		return NULL;
	return type == ENGINE_OBJ_NONE || object->type == type ? object : NULL;
}

static void object_end(struct engine_object *object)
{
	struct engine_ctx *ctx = object->ctx;

	object->ops->destroy(object);
	ctx_commit(ctx, object, TRACE_COMMIT_DESTROY, 0, 0, 0, 0);
	free(object);
}

static int object_take_out(struct engine_object *object, bool tombstone)
{
	struct engine_ctx *ctx = object->ctx;

	if (object->users != 1)
		return -EBUSY;
	ENGINE_BUG_ON(ctx->objects.slots[object->id] != object);
	if (tombstone)
		ctx->objects.slots[object->id] = ID_HELD;
	else
		id_release(ctx, object->id);
	if (ctx->vfio_ioas && &ctx->vfio_ioas->object == object)
		ctx->vfio_ioas = NULL;
	object_end(object);
	return 0;
}

int object_remove(struct engine_ctx *ctx, uint32_t id)
{
	struct engine_object *object;

	if (id >= ctx->objects.room)
		return -ENOENT;
	object = ctx->objects.slots[id];
	if (!object || object == ID_HELD)
		return -ENOENT;
	return object_take_out(object, false);
}

void object_destroy_user(struct engine_object *object, bool tombstone)
{
	int rc;

	object->users--;
	rc = object_take_out(object, tombstone);
	ENGINE_BUG_ON(rc);
}

void object_put_and_try_destroy(struct engine_object *object)
{
	object->users--;
	object_take_out(object, false);
}

struct engine_object *object_next(struct engine_ctx *ctx, uint32_t *id)
{
	for (; *id < ctx->objects.room; ++*id) {
		struct engine_object *object = ctx->objects.slots[*id];

		if (object && object != ID_HELD)
			return object;
	}
	return NULL;
}

void object_table_fini(struct engine_ctx *ctx)
{
	struct object_table *table = &ctx->objects;
	struct engine_object *object;
	bool left = true;
	uint32_t id;

	/* Objects hang on one another: each round destroys those that no one needs. */
	while (left) {
		bool destroyed = false;

		left = false;
		for (id = 0; (object = object_next(ctx, &id)); id++) {
			left = true;
			if (!object_take_out(object, false))
				destroyed = true;
		}
		ENGINE_BUG_ON(left && !destroyed);
	}
	free(table->slots);
	free(table->used);
	*table = (struct object_table){ 0 };
}
