/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes of a span tree, for its own files alone: span_tree.c (look-up and
 * change), span_gap.c (gaps, and whether all is as it must be).
 */
#ifndef IOASIS_ENGINE_SPAN_NODE_H
#define IOASIS_ENGINE_SPAN_NODE_H

#include "sim/engine/span_tree.h"

#define NODE_MAX 32u /* spans in a leaf, children in an inner node */
#define HEIGHT_MAX 16u

struct span_leaf {
	uint32_t count;
	struct span_leaf *prev;
	struct span_leaf *next;
	uint64_t start[NODE_MAX];
	uint64_t last[NODE_MAX];
	void *value[NODE_MAX];
};

struct span_inner {
	uint32_t count;
	uint16_t stale[NODE_MAX]; /* a bit an alignment: room[][i] is out of date */
	uint64_t start[NODE_MAX]; /* of the child's first span */
	uint64_t last[NODE_MAX];  /* of the child's last span */
	void *child[NODE_MAX];
	/*
	 * At least the longest aligned run in a gap between two spans of the child, in
	 * bytes: exact when it was computed, and an insertion since then made it less.
	 */
	uint64_t room[SPAN_TREE_ALIGNS][NODE_MAX];
};

#define STALE_ALL ((uint16_t)((1u << SPAN_TREE_ALIGNS) - 1))

/*
 * How many of the sorted keys are below key: the first index with keys[i] >= key.
 * One after the other, and not by halves: the processor reads ahead over all of
 * them at once, where halving would wait for memory five times.
 */
static inline uint32_t keys_below(const uint64_t *keys, uint32_t count, uint64_t key)
{
	uint32_t i = 0;

	while (i < count && keys[i] < key)
		i++;
	return i;
}

#endif
