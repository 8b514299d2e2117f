/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/engine/slab.h"
#include "sim/engine/heap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

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

#define CHUNK_BYTES (2u << 20)
/* The start of a chunk is kept for its head. */
#define HEAD_BYTES 4096u

/* A free object holds the next free one. */
struct slab_free_object {
	struct slab_free_object *next;
};

/*
 * The head of a chunk. It lies at a different offset in each of 64 neighbouring
 * chunks: at the same one, all heads would compete for one set of the cache.
 */
struct slab_chunk {
	void *base;
	struct slab_chunk *prev; /* among those with a free object */
	struct slab_chunk *next;
	struct slab_free_object *free;
	uint32_t used;
	uint32_t carved; /* objects that were ever handed out: the rest is untouched */
};

void slab_init(struct slab *slab, size_t object_bytes, const struct engine_heap *heap)
{
	*slab = (struct slab){ .heap = heap };
	slab->object_bytes = (uint32_t)((object_bytes + 7) & ~(size_t)7);
	slab->chunk_objects = (CHUNK_BYTES - HEAD_BYTES) / slab->object_bytes;
}

static struct slab_chunk *chunk_head(void *base)
{
	return (void *)((char *)base + (uintptr_t)base / CHUNK_BYTES % 64 * 64);
}

static struct slab_chunk *chunk_of(void *object)
{
	return chunk_head((void *)((uintptr_t)object & ~(uintptr_t)(CHUNK_BYTES - 1)));
}

static void chunk_free(struct slab_chunk *chunk)
{
	munmap(chunk->base, CHUNK_BYTES);
}

void slab_fini(struct slab *slab)
{
	struct slab_chunk *chunk;

	if (slab->live)
		abort();
	while ((chunk = slab->partial)) {
		slab->partial = chunk->next;
		chunk_free(chunk);
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

/* An aligned piece of address space; NULL: out of memory. */
static void *chunk_map(void)
{
	char *space = mmap(NULL, 2 * CHUNK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (space == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)space % CHUNK_BYTES;
	if (before)
		munmap(space, before);
	munmap(space + before + CHUNK_BYTES, CHUNK_BYTES - before);
	return space + before;
}

static struct slab_chunk *chunk_alloc(struct slab *slab)
{
	void *base = chunk_map();
	struct slab_chunk *chunk;

	if (!base)
		return NULL;
	if (slab->chunks)
		madvise(base, CHUNK_BYTES, MADV_HUGEPAGE);
	chunk = chunk_head(base);
	chunk->base = base;
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

	if (heap_fails(slab->heap))
		return NULL;
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
		object = (char *)chunk->base + HEAD_BYTES +
			 (size_t)chunk->carved++ * slab->object_bytes;
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
	chunk = chunk_of(object);
	if (chunk->used-- == slab->chunk_objects)
		partial_insert(slab, chunk);
	free_object->next = chunk->free;
	chunk->free = free_object;
	/* Keep one empty chunk, so that a map and unmap in turn costs no malloc. */
	if (!chunk->used && (slab->partial != chunk || chunk->next)) {
		partial_remove(slab, chunk);
		chunk_free(chunk);
		slab->chunks--;
	}
}
