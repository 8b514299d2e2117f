/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table from two numbers to a pointer, by open addressing.
 *
 * Order of iteration is never used for output.
 */
#ifndef IOASIS_ANALYSIS_TABLE_H
#define IOASIS_ANALYSIS_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_slot {
	uint64_t a, b;
	void *value; /* NULL: free */
};

struct table {
	struct table_slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t count;
};

/* All zero is an empty table. */
void table_fini(struct table *table);

/* The same, and free() of all values. */
void table_fini_values(struct table *table);

/* Fibonacci hashing; both halves of the product count, since keys differ in either of theirs. */
static inline size_t table_hash(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b << 32 | b >> 32)) * 0x9e3779b97f4a7c15ull;

	return (size_t)(h ^ h >> 32);
}

/* The slot of (a, b), or the free one where it would go. The table has slots. */
static inline struct table_slot *table_find(const struct table *table, uint64_t a, uint64_t b)
{
	size_t mask = table->size - 1, i = table_hash(a, b) & mask;
	struct table_slot *slot = &table->slots[i];

	while (slot->value && (slot->a != a || slot->b != b)) {
		i = (i + 1) & mask;
		slot = &table->slots[i];
	}
	return slot;
}

/* The value of (a, b), or NULL. */
static inline void *table_get(const struct table *table, uint64_t a, uint64_t b)
{
	return table->size ? table_find(table, a, b)->value : NULL;
}

/* Sets (a, b) to value, which is not NULL. 0 or -ENOMEM. */
int table_set(struct table *table, uint64_t a, uint64_t b, void *value);

/*
 * Sets (a, b) to new memory of so many bytes, all zero, for free(). NULL: out of memory,
 * and nothing changed.
 */
void *table_add(struct table *table, uint64_t a, uint64_t b, size_t bytes);

/* Takes (a, b) out; returns its value, or NULL when it was not there. */
void *table_remove(struct table *table, uint64_t a, uint64_t b);

#endif
