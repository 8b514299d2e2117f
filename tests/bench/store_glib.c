/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A GLib tree of intervals, ordered by address; intervals that overlap compare equal. */
#include "tests/bench/interval_store.h"

#include <glib.h>

struct interval {
	uint64_t start;
	uint64_t last;
};

static int interval_compare(const void *a, const void *b, void *opaque)
{
	const struct interval *x = a, *y = b;

	(void)opaque;
	return x->last < y->start ? -1 : x->start > y->last;
}

static void interval_free(void *interval)
{
	g_slice_free(struct interval, interval);
}

static void *glib_create(void)
{
	return g_tree_new_full(interval_compare, NULL, interval_free, NULL);
}

static void glib_destroy(void *store)
{
	g_tree_destroy(store);
}

static bool glib_map(void *store, uint64_t start, uint64_t length)
{
	struct interval *interval;
	struct interval key = { start, start + length - 1 };

	if (g_tree_lookup(store, &key))
		return false;
	interval = g_slice_new(struct interval);
	*interval = key;
	g_tree_insert(store, interval, interval);
	return true;
}

static bool glib_unmap(void *store, uint64_t start, uint64_t length)
{
	struct interval key = { start, start + length - 1 };
	const struct interval *found = g_tree_lookup(store, &key);

	if (!found || found->start != key.start || found->last != key.last)
		return false;
	return g_tree_remove(store, &key);
}

static bool glib_lookup(void *store, uint64_t address)
{
	struct interval key = { address, address };

	return g_tree_lookup(store, &key) != NULL;
}

const struct interval_store store_glib = {
	.name = "GLib tree",
	.create = glib_create,
	.destroy = glib_destroy,
	.map = glib_map,
	.unmap = glib_unmap,
	.lookup = glib_lookup,
};
