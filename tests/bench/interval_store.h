/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Something that holds intervals of addresses, for comparing the engine with
 * ready-made trees that hold the same ones.
 */
#ifndef IOASIS_TESTS_BENCH_INTERVAL_STORE_H
#define IOASIS_TESTS_BENCH_INTERVAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct interval_store {
	const char *name;
	void *(*create)(void);
	void (*destroy)(void *store);
	/* Each true when it did what was asked. */
	bool (*map)(void *store, uint64_t start, uint64_t length);
	bool (*unmap)(void *store, uint64_t start, uint64_t length);
	/* Chooses the address; NULL: it cannot. */
	bool (*map_anywhere)(void *store, uint64_t length, uint64_t *start);
	/* Called once before lookups; may be NULL. */
	bool (*prepare_lookup)(void *store);
	bool (*lookup)(void *store, uint64_t address);
};

extern const struct interval_store store_engine;
extern const struct interval_store store_glib;
extern const struct interval_store store_std_map;

#ifdef __cplusplus
}
#endif

#endif
