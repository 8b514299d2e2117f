/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's own memory: the C library's, unless who made the engine says that there is
 * none (engine_config.heap). Every allocation of the engine asks; free() frees.
 */
#ifndef IOASIS_ENGINE_HEAP_H
#define IOASIS_ENGINE_HEAP_H

#include <stdlib.h>

#include "sim/engine/engine.h"

/* heap: of engine_config; NULL: nobody says. */
static inline bool heap_fails(const struct engine_heap *heap)
{
	return __builtin_expect(heap != NULL, 0) && heap->fails(heap->opaque);
}

/* Zeroed, for count of size bytes; NULL: out of memory. */
static inline void *heap_alloc(const struct engine_heap *heap, size_t count, size_t size)
{
	return heap_fails(heap) ? NULL : calloc(count, size);
}

/* As realloc(). */
static inline void *heap_resize(const struct engine_heap *heap, void *old, size_t bytes)
{
	return heap_fails(heap) ? NULL : realloc(old, bytes);
}

#endif
