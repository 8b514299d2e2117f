/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/engine/slab.h"

#include <stdbool.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_IS_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_IS_MALLOC 1
#endif
#endif
#ifndef SLAB_IS_MALLOC
#define SLAB_IS_MALLOC 0
#endif

#define CHUNK_BYTES 65536u

/* A free object holds the next free one. */
struct slab_free_object {
	struct slab_free_object *next;
};

struct slab_chunk {
	struct slab_chunk *prev; /* among those with a free object */
	struct slab_chunk *next;
	struct slab_free_object *free;
	uint32_t used;
	uint32_t carved; /* objects that were ever handed out: the rest is untouched */
};

void slab_init(struct slab *slab, size_t object_bytes)
{
	*slab = (struct slab){ 0 };
	slab->object_bytes = (uint32_t)((object_bytes + 7) & ~(size_t)7);
	slab->chunk_objects =
		(CHUNK_BYTES - (uint32_t)sizeof(struct slab_chunk)) / slab->object_bytes;
}

void slab_fini(struct slab *slab)
{
	struct slab_chunk *chunk;

	if (slab->live)
		abort();
	while ((chunk = slab->partial)) {
		slab->partial = chunk->next;
		free(chunk);
	}
}

static void partial_insert(struct slab *slab, struct slab_chunk *chunk)
{
	chunk->prev = NULL;
	chunk->next = slab->partial;
	if (chunk->next)
		chunk->next->prev = chunk;
	slab->partial = chunk;
}

static void partial_remove(struct slab *slab, struct slab_chunk *chunk)
{
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		slab->partial = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
}

static struct slab_chunk *chunk_alloc(struct slab *slab)
{
	struct slab_chunk *chunk = aligned_alloc(CHUNK_BYTES, CHUNK_BYTES);

	if (!chunk)
		return NULL;
	chunk->free = NULL;
	chunk->used = 0;
	chunk->carved = 0;
	slab->chunks++;
	partial_insert(slab, chunk);
	return chunk;
}

void *slab_alloc(struct slab *slab)
{
	struct slab_chunk *chunk = slab->partial;
	void *object;

	if (SLAB_IS_MALLOC) {
		object = malloc(slab->object_bytes);
		slab->live += object != NULL;
		return object;
	}
	if (!chunk) {
		chunk = chunk_alloc(slab);
		if (!chunk)
			return NULL;
	}
	if (chunk->free) {
		object = chunk->free;
		chunk->free = chunk->free->next;
	} else {
		object = (char *)(chunk + 1) + (size_t)chunk->carved++ * slab->object_bytes;
	}
	slab->live++;
	if (++chunk->used == slab->chunk_objects)
		partial_remove(slab, chunk);
	return object;
}

void slab_free(struct slab *slab, void *object)
{
	struct slab_free_object *free_object = object;
	struct slab_chunk *chunk;

	slab->live--;
	if (SLAB_IS_MALLOC) {
		free(object);
		return;
	}
	chunk = (struct slab_chunk *)((uintptr_t)object & ~(uintptr_t)(CHUNK_BYTES - 1));
	if (chunk->used-- == slab->chunk_objects)
		partial_insert(slab, chunk);
	free_object->next = chunk->free;
	chunk->free = free_object;
	/* Keep one empty chunk, so that a map and unmap in turn costs no malloc. */
	if (!chunk->used && (slab->partial != chunk || chunk->next)) {
		partial_remove(slab, chunk);
		free(chunk);
		slab->chunks--;
	}
}
