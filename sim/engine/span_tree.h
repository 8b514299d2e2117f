/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disjoint spans [start, last] of 64-bit addresses, each with a value, in order.
 *
 * A B+ tree: spans sit in arrays of neighbouring memory, so a look-up among a
 * million touches a handful of cache lines. Each inner node also knows, for each
 * child and each alignment from a page to 2 MiB, the longest run that fits a gap
 * between the child's spans; so the lowest gap that fits is found by going down
 * once. Summaries are brought up to date when a search needs them, not on change.
 *
 * Not thread-safe.
 */
#ifndef IOASIS_ENGINE_SPAN_TREE_H
#define IOASIS_ENGINE_SPAN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/engine/slab.h"

struct span_leaf;

/* Where trees take their nodes from; several trees may share one. */
struct span_pool {
	struct slab leaves;
	struct slab inners;
};

struct span_tree {
	struct span_pool *pool; /* borrowed; outlives the tree */
	void *root;	 /* a leaf at height 0, else an inner node; NULL: empty */
	uint32_t height; /* inner levels above the leaves */
	uint64_t count;	 /* spans */
};

/* A place in a tree. Valid until the tree changes. */
struct span_pos {
	struct span_leaf *leaf; /* NULL: past the end */
	uint32_t index;
};

struct span {
	uint64_t start;
	uint64_t last;
	void *value;
};

void span_pool_init(struct span_pool *pool, const struct engine_heap *heap);
/* All trees must be gone. */
void span_pool_fini(struct span_pool *pool);

void span_tree_init(struct span_tree *tree, struct span_pool *pool);
/* Frees the nodes; the values are the caller's. */
void span_tree_fini(struct span_tree *tree);

/* Inserts a span that overlaps none. -ENOMEM: nothing changed. */
int span_tree_insert(struct span_tree *tree, uint64_t start, uint64_t last, void *value);

/* Removes the span that starts at start; it must be there. Cannot fail. */
void span_tree_remove(struct span_tree *tree, uint64_t start);

/* Change the span that starts at start; it must be there and must not touch another. */
void span_tree_set_last(struct span_tree *tree, uint64_t start, uint64_t last);
void span_tree_set_value(struct span_tree *tree, uint64_t start, void *value);

/* The first span that reaches into [start, last]; false: none. pos may be NULL. */
bool span_tree_first(const struct span_tree *tree, uint64_t start, uint64_t last,
		     struct span *span, struct span_pos *pos);

/* The span after pos if it begins at or before last; advances pos. */
bool span_tree_next(struct span_pos *pos, uint64_t last, struct span *span);

/* Alignments that summaries know: any, then 4 KiB to 2 MiB. */
#define SPAN_TREE_ALIGN_MIN_SHIFT 12
#define SPAN_TREE_ALIGN_MAX_SHIFT 21
#define SPAN_TREE_ALIGNS (SPAN_TREE_ALIGN_MAX_SHIFT - SPAN_TREE_ALIGN_MIN_SHIFT + 2)

/*
 * The lowest gap between spans, clipped to [lo, hi], of which fits() approves.
 * Gaps that cannot hold length bytes at 2^align_shift (0: at any address) are
 * left out without asking. fits(opaque, first, last) gets a gap, may store a
 * result in opaque. False: no gap.
 */
bool span_tree_find_gap(struct span_tree *tree, uint64_t lo, uint64_t hi, uint64_t length,
			unsigned int align_shift,
			bool (*fits)(void *opaque, uint64_t first, uint64_t last),
			void *opaque);

/* Aborts when the tree is not as it must be. */
void span_tree_verify(const struct span_tree *tree);

#endif
