/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Look-up and change of a span tree.
 *
 * An inner node's start[i] and last[i] are always exactly those of its child.
 * A change that can make a gap longer marks the room of every child on its path
 * as stale. Insertion takes
 * all nodes that it may need before it changes anything. A node that is filled
 * in rising or falling order splits at its end, so it stays full; a node below
 * half merges with a neighbour or takes from it.
 */
#include "sim/engine/span_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/span_node.h"

struct span_step {
	struct span_inner *node;
	uint32_t index; /* of the child that the path takes */
};

/* The way from the root, step[0], to a leaf. */
struct span_path {
	struct span_step step[HEIGHT_MAX];
	struct span_leaf *leaf;
	uint32_t height;
};

void span_pool_init(struct span_pool *pool, const struct engine_heap *heap)
{
	slab_init(&pool->leaves, sizeof(struct span_leaf), heap);
	slab_init(&pool->inners, sizeof(struct span_inner), heap);
}

void span_pool_fini(struct span_pool *pool)
{
	slab_fini(&pool->leaves);
	slab_fini(&pool->inners);
}

void span_tree_init(struct span_tree *tree, struct span_pool *pool)
{
	*tree = (struct span_tree){ .pool = pool };
}

static struct slab *level_slab(struct span_tree *tree, uint32_t level)
{
	return level ? &tree->pool->inners : &tree->pool->leaves;
}

static void *node_alloc(struct span_tree *tree, uint32_t level)
{
	return slab_alloc(level_slab(tree, level));
}

static void node_free(struct span_tree *tree, void *node, uint32_t level)
{
	slab_free(level_slab(tree, level), node);
}

static void subtree_free(struct span_tree *tree, void *node, uint32_t level)
{
	if (level) {
		struct span_inner *inner = node;

		for (uint32_t i = 0; i < inner->count; i++)
			subtree_free(tree, inner->child[i], level - 1);
	}
	node_free(tree, node, level);
}

void span_tree_fini(struct span_tree *tree)
{
	if (tree->root)
		subtree_free(tree, tree->root, tree->height);
	span_tree_init(tree, tree->pool);
}

/* ---- look-up -------------------------------------------------------------- */

static void span_at(const struct span_leaf *leaf, uint32_t index, struct span *span)
{
	span->start = leaf->start[index];
	span->last = leaf->last[index];
	span->value = leaf->value[index];
}

bool span_tree_first(const struct span_tree *tree, uint64_t start, uint64_t last,
		     struct span *span, struct span_pos *pos)
{
	const void *node = tree->root;
	const struct span_leaf *leaf;
	uint32_t index;

	if (pos)
		pos->leaf = NULL;
	if (!node)
		return false;
	for (uint32_t level = tree->height; level; level--) {
		const struct span_inner *inner = node;

		inner_prefetch(inner);
		index = keys_below(inner->last, inner->count, start);
		if (index == inner->count)
			return false;
		node = inner->child[index];
	}
	leaf = node;
	leaf_prefetch(leaf);
	index = keys_below(leaf->last, leaf->count, start);
	if (index == leaf->count || leaf->start[index] > last)
		return false;
	span_at(leaf, index, span);
	if (pos)
		*pos = (struct span_pos){ (struct span_leaf *)leaf, index };
	return true;
}

bool span_tree_next(struct span_pos *pos, uint64_t last, struct span *span)
{
	struct span_leaf *leaf = pos->leaf;

	if (!leaf)
		return false;
	if (++pos->index == leaf->count) {
		leaf = leaf->next;
		*pos = (struct span_pos){ leaf, 0 };
	}
	if (!leaf || leaf->start[pos->index] > last) {
		pos->leaf = NULL;
		return false;
	}
	span_at(leaf, pos->index, span);
	return true;
}

/* ---- the path --------------------------------------------------------------- */

/* Goes to the leaf where a span that begins at start is or belongs. */
static void path_find(const struct span_tree *tree, uint64_t start, struct span_path *path)
{
	void *node = tree->root;

	path->height = tree->height;
	for (uint32_t level = 0; level < tree->height; level++) {
		struct span_inner *inner = node;
		uint32_t above = keys_below(inner->start, inner->count, start);

		if (above == inner->count || inner->start[above] != start)
			above -= above > 0;
		path->step[level].node = inner;
		path->step[level].index = above;
		node = inner->child[above];
	}
	path->leaf = node;
}

/* What the parent says about child i of inner, a node of the given level. */
static void inner_describe(struct span_inner *inner, uint32_t i, uint32_t child_level)
{
	if (child_level) {
		const struct span_inner *child = inner->child[i];

		inner->start[i] = child->start[0];
		inner->last[i] = child->last[child->count - 1];
	} else {
		const struct span_leaf *child = inner->child[i];

		inner->start[i] = child->start[0];
		inner->last[i] = child->last[child->count - 1];
	}
	inner->stale[i] = STALE_ALL;
}

/* Brings the descriptions up to date on the way from level to the root. */
static void path_describe(struct span_path *path, uint32_t levels)
{
	for (uint32_t level = levels; level--;) {
		struct span_step *step = &path->step[level];

		inner_describe(step->node, step->index, path->height - level - 1);
	}
}

/* ---- moving entries --------------------------------------------------------- */

#define MOVE(array, to, from, n) memmove((array) + (to), (array) + (from), (n) * sizeof(*(array)))
#define TAKE(dst, to, src, from, n) memcpy((dst) + (to), (src) + (from), (n) * sizeof(*(dst)))

static void leaf_shift(struct span_leaf *leaf, uint32_t to, uint32_t from)
{
	uint32_t n = leaf->count - from;

	MOVE(leaf->start, to, from, n);
	MOVE(leaf->last, to, from, n);
	MOVE(leaf->value, to, from, n);
	leaf->count = to + n;
}

static void leaf_copy(struct span_leaf *dst, uint32_t to, const struct span_leaf *src,
		      uint32_t from, uint32_t n)
{
	TAKE(dst->start, to, src->start, from, n);
	TAKE(dst->last, to, src->last, from, n);
	TAKE(dst->value, to, src->value, from, n);
}

static void inner_shift(struct span_inner *inner, uint32_t to, uint32_t from)
{
	uint32_t n = inner->count - from;

	MOVE(inner->stale, to, from, n);
	MOVE(inner->start, to, from, n);
	MOVE(inner->last, to, from, n);
	MOVE(inner->child, to, from, n);
	for (uint32_t a = 0; a < SPAN_TREE_ALIGNS; a++)
		MOVE(inner->room[a], to, from, n);
	inner->count = to + n;
}

static void inner_copy(struct span_inner *dst, uint32_t to, const struct span_inner *src,
		       uint32_t from, uint32_t n)
{
	TAKE(dst->stale, to, src->stale, from, n);
	TAKE(dst->start, to, src->start, from, n);
	TAKE(dst->last, to, src->last, from, n);
	TAKE(dst->child, to, src->child, from, n);
	for (uint32_t a = 0; a < SPAN_TREE_ALIGNS; a++)
		TAKE(dst->room[a], to, src->room[a], from, n);
}

static void leaf_put(struct span_leaf *leaf, uint32_t at, const struct span *span)
{
	leaf_shift(leaf, at + 1, at);
	leaf->start[at] = span->start;
	leaf->last[at] = span->last;
	leaf->value[at] = span->value;
}

static void inner_put(struct span_inner *inner, uint32_t at, void *child, uint32_t child_level)
{
	inner_shift(inner, at + 1, at);
	inner->child[at] = child;
	inner_describe(inner, at, child_level);
}

static void leaf_link_after(struct span_leaf *leaf, struct span_leaf *right)
{
	right->prev = leaf;
	right->next = leaf->next;
	if (right->next)
		right->next->prev = right;
	leaf->next = right;
}

static void leaf_unlink(struct span_leaf *leaf)
{
	if (leaf->prev)
		leaf->prev->next = leaf->next;
	if (leaf->next)
		leaf->next->prev = leaf->prev;
}

/* A node of either kind, by its level. */
static uint32_t *node_count(void *node, uint32_t level)
{
	return level ? &((struct span_inner *)node)->count : &((struct span_leaf *)node)->count;
}

static void node_shift(void *node, uint32_t level, uint32_t to, uint32_t from)
{
	if (level)
		inner_shift(node, to, from);
	else
		leaf_shift(node, to, from);
}

static void node_copy(void *dst, uint32_t level, uint32_t to, const void *src, uint32_t from,
		      uint32_t n)
{
	if (level)
		inner_copy(dst, to, src, from, n);
	else
		leaf_copy(dst, to, src, from, n);
}

/* Moves entries between two neighbours, so that both are half full or right is empty. */
static void node_balance(void *left, void *right, uint32_t level)
{
	uint32_t *count = node_count(left, level);
	uint32_t sum = *count + *node_count(right, level);
	uint32_t want = sum <= NODE_MAX ? sum : sum / 2;

	if (want > *count) {
		node_copy(left, level, *count, right, 0, want - *count);
		node_shift(right, level, 0, want - *count);
	} else {
		node_shift(right, level, *count - want, 0);
		node_copy(right, level, 0, left, want, *count - want);
	}
	*count = want;
}

/* ---- insertion ---------------------------------------------------------------- */

/* Nodes taken in advance, one a level at most, so that a split cannot fail. */
struct span_spare {
	void *node[HEIGHT_MAX + 1];
};

static int spare_take(struct span_tree *tree, const struct span_path *path,
		      struct span_spare *spare)
{
	uint32_t levels = 0;

	if (path->leaf->count == NODE_MAX) {
		levels = 1;
		while (levels <= path->height &&
		       path->step[path->height - levels].node->count == NODE_MAX)
			levels++;
		levels += levels > path->height; /* a new root */
	}
	for (uint32_t level = 0; level < levels; level++) {
		spare->node[level] = node_alloc(tree, level);
		if (!spare->node[level]) {
			while (level--)
				node_free(tree, spare->node[level], level);
			return -ENOMEM;
		}
	}
	return 0;
}

/* How many of a full node's entries stay left when a new one goes to at. */
static uint32_t split_keep(uint32_t at)
{
	if (at == NODE_MAX)
		return NODE_MAX;
	return at == 0 ? 0 : NODE_MAX / 2;
}

static void leaf_split_put(struct span_leaf *left, struct span_leaf *right, uint32_t at,
			   const struct span *span)
{
	uint32_t keep = split_keep(at);

	right->count = NODE_MAX - keep;
	leaf_copy(right, 0, left, keep, right->count);
	left->count = keep;
	leaf_link_after(left, right);
	if (at > keep || keep == NODE_MAX)
		leaf_put(right, at - keep, span);
	else
		leaf_put(left, at, span);
}

static void inner_split_put(struct span_inner *left, struct span_inner *right, uint32_t at,
			    void *child, uint32_t child_level)
{
	uint32_t keep = split_keep(at);

	right->count = NODE_MAX - keep;
	inner_copy(right, 0, left, keep, right->count);
	left->count = keep;
	if (at > keep || keep == NODE_MAX)
		inner_put(right, at - keep, child, child_level);
	else
		inner_put(left, at, child, child_level);
}

static void root_grow(struct span_tree *tree, struct span_inner *root, void *right)
{
	root->count = 2;
	root->child[0] = tree->root;
	root->child[1] = right;
	inner_describe(root, 0, tree->height);
	inner_describe(root, 1, tree->height);
	tree->root = root;
	tree->height++;
}

/* Puts right, the new neighbour of the path's leaf, into the leaf's parent, and so on up. */
static void path_insert(struct span_tree *tree, struct span_path *path,
			struct span_spare *spare, void *right)
{
	uint32_t child_level = 0;

	for (uint32_t level = path->height; level--; child_level++) {
		struct span_inner *inner = path->step[level].node;
		uint32_t at = path->step[level].index + 1;

		inner_describe(inner, at - 1, child_level);
		if (inner->count < NODE_MAX) {
			inner_put(inner, at, right, child_level);
			path_describe(path, level);
			return;
		}
		inner_split_put(inner, spare->node[child_level + 1], at, right, child_level);
		right = spare->node[child_level + 1];
	}
	root_grow(tree, spare->node[child_level + 1], right);
}

/*
 * Makes room in the path's full leaf by giving spans to a neighbour below the same parent, which
 * keeps leaves fuller than splitting does. A leaf that grows at its end stays full. False: nothing
 * changed.
 */
static bool leaf_relieve(struct span_path *path, uint64_t start)
{
	struct span_step *step = path->height ? &path->step[path->height - 1] : NULL;
	struct span_leaf *leaf = path->leaf;
	uint32_t left;

	if (!step || leaf->count < NODE_MAX || start > leaf->start[NODE_MAX - 1] ||
	    start < leaf->start[0])
		return false;
	left = step->index;
	if (left + 1 < step->node->count &&
	    ((struct span_leaf *)step->node->child[left + 1])->count <= NODE_SPARE)
		;
	else if (left && ((struct span_leaf *)step->node->child[left - 1])->count <= NODE_SPARE)
		left--;
	else
		return false;
	node_balance(step->node->child[left], step->node->child[left + 1], 0);
	inner_describe(step->node, left, 0);
	inner_describe(step->node, left + 1, 0);
	return true;
}

int span_tree_insert(struct span_tree *tree, uint64_t start, uint64_t last, void *value)
{
	const struct span span = { start, last, value };
	struct span_spare spare;
	struct span_path path;
	uint32_t at;

	if (!tree->root) {
		struct span_leaf *leaf = node_alloc(tree, 0);

		if (!leaf)
			return -ENOMEM;
		leaf->count = 0;
		leaf->prev = leaf->next = NULL;
		tree->root = leaf;
	}
	path_find(tree, start, &path);
	if (leaf_relieve(&path, start))
		path_find(tree, start, &path);
	if (spare_take(tree, &path, &spare))
		return -ENOMEM;
	at = keys_below(path.leaf->start, path.leaf->count, start);
	if (path.leaf->count < NODE_MAX) {
		leaf_put(path.leaf, at, &span);
		/* Between two others it changes no ends, and gaps only shrink. */
		if (at == 0 || at == path.leaf->count - 1)
			path_describe(&path, path.height);
	} else {
		leaf_split_put(path.leaf, spare.node[0], at, &span);
		path_insert(tree, &path, &spare, spare.node[0]);
	}
	tree->count++;
	return 0;
}

/* ---- removal -------------------------------------------------------------------- */

/*
 * Child i of inner lost an entry: it is mended when it is below half, and may be
 * empty. ends: its first or last span is another one now.
 */
static void inner_mend(struct span_tree *tree, struct span_inner *inner, uint32_t i,
		       uint32_t child_level, bool ends)
{
	uint32_t left = i ? i - 1 : 0;
	uint32_t right = left + 1;

	if (*node_count(inner->child[i], child_level) >= NODE_MAX / 2) {
		if (ends)
			inner_describe(inner, i, child_level);
		else
			inner->stale[i] = STALE_ALL;
		return;
	}
	if (right == inner->count) {
		/* An only child has no neighbour; it goes when it is empty. */
		right = left;
	} else {
		node_balance(inner->child[left], inner->child[right], child_level);
	}
	if (!*node_count(inner->child[right], child_level)) {
		if (!child_level)
			leaf_unlink(inner->child[right]);
		node_free(tree, inner->child[right], child_level);
		inner_shift(inner, right, right + 1);
	} else {
		inner_describe(inner, right, child_level);
	}
	if (left < inner->count)
		inner_describe(inner, left, child_level);
}

static void root_shrink(struct span_tree *tree)
{
	while (tree->height && *node_count(tree->root, tree->height) == 1) {
		struct span_inner *root = tree->root;

		tree->root = root->child[0];
		node_free(tree, root, tree->height);
		tree->height--;
	}
	if (!*node_count(tree->root, tree->height)) {
		node_free(tree, tree->root, tree->height);
		tree->root = NULL;
		tree->height = 0;
	}
}

/*
 * Where the span that starts at start is in its leaf; it must be there. Reads
 * the same arrays as span_tree_first(), which has mostly gone this way just before.
 */
static uint32_t path_find_exact(const struct span_tree *tree, uint64_t start,
				struct span_path *path)
{
	void *node = tree->root;
	uint32_t at;

	if (!node)
		abort();
	path->height = tree->height;
	for (uint32_t level = 0; level < tree->height; level++) {
		struct span_inner *inner = node;

		at = keys_below(inner->last, inner->count, start);
		if (at == inner->count)
			abort();
		path->step[level] = (struct span_step){ inner, at };
		node = inner->child[at];
	}
	path->leaf = node;
	at = keys_below(path->leaf->last, path->leaf->count, start);
	if (at == path->leaf->count || path->leaf->start[at] != start)
		abort();
	return at;
}

void span_tree_set_last(struct span_tree *tree, uint64_t start, uint64_t last)
{
	struct span_path path;
	uint32_t at = path_find_exact(tree, start, &path);

	path.leaf->last[at] = last;
	path_describe(&path, path.height);
}

void span_tree_set_value(struct span_tree *tree, uint64_t start, void *value)
{
	struct span_path path;
	uint32_t at = path_find_exact(tree, start, &path);

	path.leaf->value[at] = value;
}

void span_tree_remove(struct span_tree *tree, uint64_t start)
{
	struct span_path path;
	uint32_t at = path_find_exact(tree, start, &path);
	bool ends;

	leaf_shift(path.leaf, at, at + 1);
	ends = at == 0 || at == path.leaf->count;
	for (uint32_t level = path.height; level--;) {
		struct span_step *step = &path.step[level];

		inner_mend(tree, step->node, step->index, path.height - level - 1, ends);
	}
	root_shrink(tree);
	tree->count--;
}
