/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two treaps, one of objects and one of mappings, both keyed by (id, iova). A
 * node's priority is a hash of its key, so the shape depends on the keys alone.
 */
#include "backend/live.h"

#include <pthread.h>
#include <stdlib.h>

struct node {
	struct node *left, *right; /* owned */
	uint32_t id;
	bool readonly;
	uint64_t iova; /* 0 for an object */
	uint64_t size;
	uint64_t priority;
};

struct backend_live {
	pthread_mutex_t lock;
	struct node *objects;
	struct node *mappings;
	bool incomplete; /* a node could not be allocated */
};

static uint64_t key_hash(uint32_t id, uint64_t iova)
{
	uint64_t x = iova ^ ((uint64_t)id << 32) ^ id;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static bool node_is_before(const struct node *node, uint32_t id, uint64_t iova)
{
	return node->id != id ? node->id < id : node->iova < iova;
}

/* Splits tree: *below gets the keys before (id, iova), *rest the others. */
static void tree_split(struct node *tree, uint32_t id, uint64_t iova, struct node **below,
		       struct node **rest)
{
	if (!tree) {
		*below = NULL;
		*rest = NULL;
	} else if (node_is_before(tree, id, iova)) {
		*below = tree;
		tree_split(tree->right, id, iova, &tree->right, rest);
	} else {
		*rest = tree;
		tree_split(tree->left, id, iova, below, &tree->left);
	}
}

/* Joins two trees, all keys of a before those of b. */
static struct node *tree_join(struct node *a, struct node *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->priority >= b->priority) {
		a->right = tree_join(a->right, b);
		return a;
	}
	b->left = tree_join(a, b->left);
	return b;
}

static void tree_free(struct node *tree)
{
	if (!tree)
		return;
	tree_free(tree->left);
	tree_free(tree->right);
	free(tree);
}

/* Frees the nodes from (id, iova) to (id, last). */
static void tree_remove(struct node **tree, uint32_t id, uint64_t iova, uint64_t last)
{
	struct node *below, *inside, *above = NULL;

	tree_split(*tree, id, iova, &below, &inside);
	if (last != UINT64_MAX)
		tree_split(inside, id, last + 1, &inside, &above);
	else if (id != UINT32_MAX)
		tree_split(inside, id + 1, 0, &inside, &above);
	tree_free(inside);
	*tree = tree_join(below, above);
}

static bool tree_add(struct node **tree, uint32_t id, uint64_t iova, uint64_t size, bool readonly)
{
	struct node *node = calloc(1, sizeof(*node));
	struct node *below, *rest;

	if (!node)
		return false;
	node->id = id;
	node->iova = iova;
	node->size = size;
	node->readonly = readonly;
	node->priority = key_hash(id, iova);
	tree_remove(tree, id, iova, iova);
	tree_split(*tree, id, iova, &below, &rest);
	*tree = tree_join(tree_join(below, node), rest);
	return true;
}

static void tree_visit_objects(const struct node *tree, const struct backend_live_visitor *visitor,
			       void *opaque)
{
	if (!tree)
		return;
	tree_visit_objects(tree->left, visitor, opaque);
	visitor->object(opaque, tree->id);
	tree_visit_objects(tree->right, visitor, opaque);
}

static void tree_visit_mappings(const struct node *tree,
				const struct backend_live_visitor *visitor, void *opaque)
{
	if (!tree)
		return;
	tree_visit_mappings(tree->left, visitor, opaque);
	visitor->mapping(opaque, tree->id, tree->iova, tree->size, tree->readonly);
	tree_visit_mappings(tree->right, visitor, opaque);
}

struct backend_live *backend_live_create(void)
{
	struct backend_live *live = calloc(1, sizeof(*live));

	if (live)
		pthread_mutex_init(&live->lock, NULL);
	return live;
}

void backend_live_destroy(struct backend_live *live)
{
	if (!live)
		return;
	backend_live_clear(live);
	pthread_mutex_destroy(&live->lock);
	free(live);
}

void backend_live_lock(struct backend_live *live)
{
	if (live)
		pthread_mutex_lock(&live->lock);
}

void backend_live_unlock(struct backend_live *live)
{
	if (live)
		pthread_mutex_unlock(&live->lock);
}

void backend_live_add_object(struct backend_live *live, uint32_t id)
{
	if (!tree_add(&live->objects, id, 0, 0, false))
		live->incomplete = true;
}

void backend_live_remove_object(struct backend_live *live, uint32_t id)
{
	tree_remove(&live->objects, id, 0, UINT64_MAX);
	tree_remove(&live->mappings, id, 0, UINT64_MAX);
}

void backend_live_map(struct backend_live *live, uint32_t ioas, uint64_t iova, uint64_t size,
		      bool readonly)
{
	if (!tree_add(&live->mappings, ioas, iova, size, readonly))
		live->incomplete = true;
}

void backend_live_unmap(struct backend_live *live, uint32_t ioas, uint64_t iova, uint64_t last)
{
	tree_remove(&live->mappings, ioas, iova, last);
}

void backend_live_clear(struct backend_live *live)
{
	tree_free(live->objects);
	tree_free(live->mappings);
	live->objects = NULL;
	live->mappings = NULL;
	live->incomplete = false;
}

bool backend_live_visit(struct backend_live *live, const struct backend_live_visitor *visitor,
			void *opaque)
{
	if (live->incomplete)
		return false;
	tree_visit_objects(live->objects, visitor, opaque);
	tree_visit_mappings(live->mappings, visitor, opaque);
	return true;
}
