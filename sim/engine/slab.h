/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many objects of one size without a header each.
 *
 * Memory comes in aligned chunks of address space, of which only what is used
 * is backed; an object's chunk is found by masking its address. From the second
 * chunk on huge pages are asked for: with many objects in random order a look-up
 * costs a page walk otherwise. A chunk whose objects are all free goes back,
 * except one that is kept for the next allocation. Not thread-safe: the owner's
 * lock protects it. Under AddressSanitizer every object is a malloc() of its
 * own, so that a use after free shows.
 */
#ifndef IOASIS_ENGINE_SLAB_H
#define IOASIS_ENGINE_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab_chunk;
struct engine_heap;

struct slab {
	struct slab_chunk *partial; /* chunks with a free object, a list */
	uint32_t object_bytes;
	uint32_t chunk_objects; /* objects a chunk holds */
	uint64_t live;		/* objects handed out */
	uint64_t chunks;
	const struct engine_heap *heap; /* borrowed */
};

/* heap: of engine_config, asked before each slab_alloc(); NULL: nobody is asked. */
void slab_init(struct slab *slab, size_t object_bytes, const struct engine_heap *heap);
/* All objects must be free. */
void slab_fini(struct slab *slab);
/* An object, not zeroed; NULL: out of memory. */
void *slab_alloc(struct slab *slab);
void slab_free(struct slab *slab, void *object);

#endif
