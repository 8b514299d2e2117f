/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gaps between the spans of a tree, and the search for the lowest that fits.
 *
 * room[a][i] of an inner node is an upper bound that a search makes exact again
 * when it went down for nothing. So that happens once for each insertion at most,
 * apart from the search's two bounds, which cut gaps, and gaps or requests that are not
 * whole pages, for which room[] never was more than a bound.
 */
#include "sim/engine/span_tree.h"

#include <stdlib.h>

#include "sim/engine/span_node.h"

struct gap_search {
	uint64_t lo;
	uint64_t hi;
	uint64_t length;
	unsigned int align; /* index into room[] */
	bool (*fits)(void *opaque, uint64_t first, uint64_t last);
	void *opaque;
};

static unsigned int align_shift_of(unsigned int align)
{
	return align ? SPAN_TREE_ALIGN_MIN_SHIFT + align - 1 : 0;
}

/* Bytes of the gap between two spans from its first aligned address on. */
static uint64_t gap_room(uint64_t before_last, uint64_t after_start, unsigned int align)
{
	uint64_t mask = (1ull << align_shift_of(align)) - 1;
	uint64_t first = before_last + 1;
	uint64_t aligned = (first + mask) & ~mask;

	if (first == after_start || aligned < first || aligned >= after_start)
		return 0;
	return after_start - aligned;
}

static uint64_t leaf_room(const struct span_leaf *leaf, unsigned int align)
{
	uint64_t most = 0;

	for (uint32_t i = 1; i < leaf->count; i++) {
		uint64_t room = gap_room(leaf->last[i - 1], leaf->start[i], align);

		most = room > most ? room : most;
	}
	return most;
}

static uint32_t inner_room(struct span_inner *inner, uint32_t level, unsigned int align);

/* The room in child i of a node at level, brought up to date. */
static uint32_t child_room(struct span_inner *inner, uint32_t i, uint32_t level,
			   unsigned int align)
{
	if (inner->stale[i] & (1u << align)) {
		inner->room[align][i] = level > 1 ?
			inner_room(inner->child[i], level - 1, align) :
			room_units(leaf_room(inner->child[i], align));
		inner->stale[i] &= (uint16_t)~(1u << align);
	}
	return inner->room[align][i];
}

static uint32_t inner_room(struct span_inner *inner, uint32_t level, unsigned int align)
{
	uint32_t most = child_room(inner, 0, level, align);

	for (uint32_t i = 1; i < inner->count; i++) {
		uint32_t between = room_units(gap_room(inner->last[i - 1], inner->start[i], align));
		uint32_t inside = child_room(inner, i, level, align);

		most = between > most ? between : most;
		most = inside > most ? inside : most;
	}
	return most;
}

/* Asks about the gap [first, last], cut to the bounds. */
static bool gap_try(const struct gap_search *search, uint64_t first, uint64_t last)
{
	if (first < search->lo)
		first = search->lo;
	if (last > search->hi)
		last = search->hi;
	if (first > last || last - first < search->length - 1)
		return false;
	return search->fits(search->opaque, first, last);
}

static bool leaf_search(const struct span_leaf *leaf, const struct gap_search *search)
{
	uint32_t i = keys_below(leaf->last, leaf->count, search->lo);

	for (i += i == 0; i < leaf->count; i++) {
		if (leaf->last[i - 1] >= search->hi)
			return false;
		if (leaf->start[i] - leaf->last[i - 1] > search->length &&
		    gap_try(search, leaf->last[i - 1] + 1, leaf->start[i] - 1))
			return true;
	}
	return false;
}

static bool inner_search(struct span_inner *inner, uint32_t level,
			 const struct gap_search *search)
{
	for (uint32_t i = keys_below(inner->last, inner->count, search->lo); i < inner->count;
	     i++) {
		if (i && inner->last[i - 1] < inner->start[i] - 1 &&
		    gap_try(search, inner->last[i - 1] + 1, inner->start[i] - 1))
			return true;
		if (inner->start[i] >= search->hi)
			return false;
		if (!room_may_hold(child_room(inner, i, level, search->align), search->length))
			continue;
		if (level > 1 ? inner_search(inner->child[i], level - 1, search) :
				leaf_search(inner->child[i], search))
			return true;
		if (inner->start[i] >= search->lo && inner->last[i] <= search->hi)
			inner->stale[i] |= (uint16_t)(1u << search->align);
	}
	return false;
}

bool span_tree_find_gap(struct span_tree *tree, uint64_t lo, uint64_t hi, uint64_t length,
			unsigned int align_shift,
			bool (*fits)(void *opaque, uint64_t first, uint64_t last),
			void *opaque)
{
	struct gap_search search = { lo, hi, length, 0, fits, opaque };
	uint64_t first_start;
	uint64_t last_last;
	bool found;

	if (align_shift > SPAN_TREE_ALIGN_MAX_SHIFT)
		align_shift = SPAN_TREE_ALIGN_MAX_SHIFT;
	if (align_shift >= SPAN_TREE_ALIGN_MIN_SHIFT)
		search.align = align_shift - SPAN_TREE_ALIGN_MIN_SHIFT + 1;
	if (!tree->root)
		return gap_try(&search, lo, hi);

	if (tree->height) {
		struct span_inner *root = tree->root;

		first_start = root->start[0];
		last_last = root->last[root->count - 1];
	} else {
		struct span_leaf *root = tree->root;

		first_start = root->start[0];
		last_last = root->last[root->count - 1];
	}
	if (first_start && gap_try(&search, 0, first_start - 1))
		return true;
	found = tree->height ? inner_search(tree->root, tree->height, &search) :
			       leaf_search(tree->root, &search);
	if (found)
		return true;
	return last_last != UINT64_MAX && gap_try(&search, last_last + 1, UINT64_MAX);
}

/* ---- verification ------------------------------------------------------------ */

struct verify_state {
	uint64_t count;
	bool any;
	uint64_t last;
	const struct span_leaf *leaf;
};

#define MUST(cond)                                                                     \
	do {                                                                           \
		if (!(cond))                                                           \
			abort();                                                       \
	} while (0)

static void leaf_verify(const struct span_leaf *leaf, struct verify_state *state)
{
	MUST(leaf->count && leaf->count <= NODE_MAX);
	MUST(leaf->prev == state->leaf && (!state->leaf || state->leaf->next == leaf));
	for (uint32_t i = 0; i < leaf->count; i++) {
		MUST(leaf->start[i] <= leaf->last[i]);
		MUST(!state->any || leaf->start[i] > state->last);
		state->any = true;
		state->last = leaf->last[i];
	}
	state->count += leaf->count;
	state->leaf = leaf;
}

static uint64_t room_from_scratch(const void *node, uint32_t level, unsigned int align)
{
	const struct span_inner *inner = node;
	uint64_t most = 0;

	if (!level)
		return leaf_room(node, align);
	for (uint32_t i = 0; i < inner->count; i++) {
		uint64_t room = room_from_scratch(inner->child[i], level - 1, align);

		most = room > most ? room : most;
		room = i ? gap_room(inner->last[i - 1], inner->start[i], align) : 0;
		most = room > most ? room : most;
	}
	return most;
}

static void node_verify(const void *node, uint32_t level, struct verify_state *state)
{
	const struct span_inner *inner = node;

	if (!level) {
		leaf_verify(node, state);
		return;
	}
	MUST(inner->count && inner->count <= NODE_MAX);
	for (uint32_t i = 0; i < inner->count; i++) {
		const struct span_inner *below = inner->child[i];
		const struct span_leaf *leaf = inner->child[i];

		MUST(inner->start[i] == (level > 1 ? below->start[0] : leaf->start[0]));
		MUST(inner->last[i] == (level > 1 ? below->last[below->count - 1] :
						    leaf->last[leaf->count - 1]));
		for (unsigned int a = 0; a < SPAN_TREE_ALIGNS; a++)
			MUST((inner->stale[i] & (1u << a)) ||
			     inner->room[a][i] >= room_units(room_from_scratch(inner->child[i],
									       level - 1, a)));
		node_verify(inner->child[i], level - 1, state);
	}
}

void span_tree_verify(const struct span_tree *tree)
{
	struct verify_state state = { 0 };

	if (tree->root) {
		node_verify(tree->root, tree->height, &state);
		MUST(!state.leaf->next);
	}
	MUST(state.count == tree->count);
}
