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

/* The value of (a, b), or NULL. */
void *table_get(const struct table *table, uint64_t a, uint64_t b);

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
