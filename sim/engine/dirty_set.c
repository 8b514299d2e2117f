/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sparse bitmap of written granules: a hash table of 64-granule words.
 *
 * A word that became clean keeps its slot until the table grows, so that a
 * device that writes the same pages round after round allocates once.
 */
#include "sim/engine/dirty_set.h"
#include "sim/engine/heap.h"

#include <errno.h>
#include <stdlib.h>

#define WORD_SHIFT (DIRTY_GRANULE_SHIFT + 6u)
#define MIN_CAPACITY 16u

void dirty_set_init(struct dirty_set *set, const struct engine_heap *heap)
{
	*set = (struct dirty_set){ .heap = heap };
}

void dirty_set_fini(struct dirty_set *set)
{
	free(set->slots);
	free(set->sorted);
	dirty_set_init(set, set->heap);
}

static size_t slot_hash(uint64_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20);
}

/* The slot that holds key, or the free one where it would go; NULL with no table. */
static struct dirty_word *slot_find(const struct dirty_set *set, uint64_t key)
{
	size_t i;

	if (!set->capacity)
		return NULL;
	for (i = slot_hash(key);; i++) {
		struct dirty_word *slot = &set->slots[i & (set->capacity - 1)];

		if (!slot->used || slot->key == key)
			return slot;
	}
}

/* Makes room for one more word: drops clean ones, doubles when that is not enough. */
static int set_grow(struct dirty_set *set)
{
	struct dirty_set grown = { .heap = set->heap };
	size_t i, marked = 0;

	for (i = 0; i < set->capacity; i++)
		marked += set->slots[i].used && set->slots[i].bits;
	grown.capacity = MIN_CAPACITY;
	while (grown.capacity < marked * 4)
		grown.capacity *= 2;
	grown.used = marked;
	grown.slots = heap_alloc(set->heap, grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (i = 0; i < set->capacity; i++)
		if (set->slots[i].used && set->slots[i].bits)
			*slot_find(&grown, set->slots[i].key) = set->slots[i];
	dirty_set_fini(set);
	*set = grown;
	return 0;
}

/* The bits of the word key whose granules touch [first, last]. */
static uint64_t word_mask(uint64_t key, uint64_t first, uint64_t last)
{
	uint64_t low = first >> WORD_SHIFT == key ? (first >> DIRTY_GRANULE_SHIFT) & 63 : 0;
	uint64_t high = last >> WORD_SHIFT == key ? (last >> DIRTY_GRANULE_SHIFT) & 63 : 63;

	return (~0ull >> (63 - high)) & (~0ull << low);
}

int dirty_set_add(struct dirty_set *set, uint64_t first, uint64_t last)
{
	uint64_t key;

	for (key = first >> WORD_SHIFT; key <= last >> WORD_SHIFT; key++) {
		struct dirty_word *slot = slot_find(set, key);

		if (!slot || !slot->used) {
			if (set->used * 2 >= set->capacity) {
				int rc = set_grow(set);

				if (rc)
					return rc;
				slot = slot_find(set, key);
			}
			slot->used = true;
			slot->key = key;
			set->used++;
			free(set->sorted);
			set->sorted = NULL;
		}
		slot->bits |= word_mask(key, first, last);
	}
	return 0;
}

void dirty_set_clear(struct dirty_set *set, uint64_t first, uint64_t last)
{
	uint64_t first_key = first >> WORD_SHIFT, last_key = last >> WORD_SHIFT, key;
	size_t i;

	if (!set->used)
		return;
	if (last_key - first_key < set->capacity) {
		for (key = first_key; key <= last_key; key++) {
			struct dirty_word *slot = slot_find(set, key);

			if (slot->used)
				slot->bits &= ~word_mask(key, first, last);
		}
		return;
	}
	for (i = 0; i < set->capacity; i++) {
		key = set->slots[i].key;
		if (set->slots[i].used && key >= first_key && key <= last_key)
			set->slots[i].bits &= ~word_mask(key, first, last);
	}
}

static bool word_next(const struct dirty_word *slot, uint64_t first, uint64_t last,
		      uint64_t *found)
{
	uint64_t bits = slot->bits & word_mask(slot->key, first, last);

	if (!bits)
		return false;
	*found = (slot->key << WORD_SHIFT) |
		 ((uint64_t)__builtin_ctzll(bits) << DIRTY_GRANULE_SHIFT);
	return true;
}

static int key_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Knows the keys in order afterwards, if there is memory for it. */
static bool set_sort(struct dirty_set *set)
{
	size_t i, n = 0;

	if (set->sorted)
		return true;
	set->sorted = heap_alloc(set->heap, set->used, sizeof(*set->sorted));
	if (!set->sorted)
		return false;
	for (i = 0; i < set->capacity; i++)
		if (set->slots[i].used)
			set->sorted[n++] = set->slots[i].key;
	qsort(set->sorted, n, sizeof(*set->sorted), key_compare);
	return true;
}

/* dirty_set_next() over a range of more words than there are slots. */
static bool next_sorted(struct dirty_set *set, uint64_t first, uint64_t last, uint64_t *found)
{
	size_t low = 0, high = set->used;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->sorted[middle] < first >> WORD_SHIFT)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < set->used && set->sorted[low] <= last >> WORD_SHIFT; low++)
		if (word_next(slot_find(set, set->sorted[low]), first, last, found))
			return true;
	return false;
}

bool dirty_set_next(struct dirty_set *set, uint64_t first, uint64_t last, uint64_t *found)
{
	uint64_t key;

	if (!set->used)
		return false;
	if ((last >> WORD_SHIFT) - (first >> WORD_SHIFT) >= set->capacity && set_sort(set))
		return next_sorted(set, first, last, found);
	for (key = first >> WORD_SHIFT; key <= last >> WORD_SHIFT; key++) {
		const struct dirty_word *slot = slot_find(set, key);

		if (slot->used && word_next(slot, first, last, found))
			return true;
	}
	return false;
}
