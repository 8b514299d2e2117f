/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which granules of an I/O address range were written: a sparse bitmap.
 *
 * A granule is 2 KiB, the smallest page of any page table here. Memory grows
 * with what is dirty, not with the range. Not locked: the owner's lock covers it.
 */
#ifndef IOASIS_ENGINE_DIRTY_SET_H
#define IOASIS_ENGINE_DIRTY_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRTY_GRANULE_SHIFT 11u

struct engine_heap;

struct dirty_word {
	uint64_t key;  /* address of the first granule >> (DIRTY_GRANULE_SHIFT + 6) */
	uint64_t bits; /* 0: the slot is free, or its granules are clean again */
	bool used;
};

struct dirty_set {
	struct dirty_word *slots; /* open addressing, a power of two of them */
	size_t capacity;	  /* slots */
	size_t used;		  /* slots taken, clean ones included */
	uint64_t *sorted;	  /* the keys of all used slots, rising; NULL: not known */
	const struct engine_heap *heap; /* borrowed; NULL: as heap.h says */
};

void dirty_set_init(struct dirty_set *set, const struct engine_heap *heap);
void dirty_set_fini(struct dirty_set *set);

/* Marks the granules that touch [first, last]. 0 or -ENOMEM, then some may be marked. */
int dirty_set_add(struct dirty_set *set, uint64_t first, uint64_t last);

/* Cleans the granules that touch [first, last]. */
void dirty_set_clear(struct dirty_set *set, uint64_t first, uint64_t last);

/*
 * The first byte of the lowest marked granule that reaches into [first, last].
 * False when there is none.
 */
bool dirty_set_next(struct dirty_set *set, uint64_t first, uint64_t last, uint64_t *found);

#endif
