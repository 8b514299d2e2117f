/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The search for a free I/O address that Linux had before 4.7: where it goes and how far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "sim/scenario/iova_search.h"

#define PIECE 4096ull
#define FIRST (1ull << 20)
#define RING  64u

static uint64_t take(struct iova_search *search, uint64_t expected_visits)
{
	uint64_t visited, iova = iova_search_take(search, &visited);

	assert_int_equal(visited, expected_visits);
	return iova;
}

/* From the top down; each begins below the last, where nothing is passed. */
static void test_iova_search_goes_down_from_the_last(void **state)
{
	struct iova_search search;

	(void)state;
	assert_int_equal(iova_search_init(&search, FIRST, FIRST + 4 * PIECE, PIECE), 0);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(take(&search, 0), FIRST + (3 - i) * PIECE);
	assert_int_equal(take(&search, 0), 0); /* all are taken */
	iova_search_fini(&search);
}

/* A ring that frees its oldest and takes one anew finds that at once. */
static void test_iova_search_of_a_ring_is_short(void **state)
{
	struct iova_search search;
	uint64_t ring[RING];

	(void)state;
	assert_int_equal(iova_search_init(&search, FIRST, FIRST + 1000 * PIECE, PIECE), 0);
	for (unsigned int i = 0; i < RING; i++)
		ring[i] = take(&search, 0);
	for (unsigned int i = 0; i < 3 * RING; i++) {
		uint64_t freed = ring[i % RING];

		iova_search_give_back(&search, freed);
		/* Its neighbour below shows the gap; the lowest has none. */
		ring[i % RING] = take(&search, i % RING < RING - 1);
		assert_int_equal(ring[i % RING], freed);
	}
	iova_search_fini(&search);
}

/*
 * A second user takes one behind the ring's: its search passes all of the ring below. When it
 * gives that back, the ring's next search begins at what it freed itself, higher up.
 */
static void test_iova_search_of_two_users_passes_the_ring(void **state)
{
	struct iova_search search;
	uint64_t ring[RING];

	(void)state;
	assert_int_equal(iova_search_init(&search, FIRST, FIRST + 1000 * PIECE, PIECE), 0);
	for (unsigned int i = 0; i < RING; i++)
		ring[i] = take(&search, 0);
	for (unsigned int i = 0; i < RING; i++) {
		uint64_t other;

		iova_search_give_back(&search, ring[i]);
		ring[i] = take(&search, i < RING - 1);
		/* RING - 1 - i of the ring lie below; below the last of them all is free. */
		other = take(&search, RING - 1 - i);
		assert_int_equal(other, FIRST + (1000 - RING - 1) * PIECE);
		iova_search_give_back(&search, other);
	}
	iova_search_fini(&search);
}

/* What is given out is never taken already, and all of it can be had. */
static void test_iova_search_gives_each_address_once(void **state)
{
	enum { PIECES = 50 };
	bool taken[PIECES] = { false };
	struct iova_search search;
	unsigned int live = 0;

	(void)state;
	srand(7);
	assert_int_equal(iova_search_init(&search, FIRST, FIRST + PIECES * PIECE, PIECE), 0);
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int at = (unsigned int)rand() % PIECES;
		uint64_t visited, iova;

		if (taken[at]) {
			iova_search_give_back(&search, FIRST + at * PIECE);
			taken[at] = false;
			live--;
			continue;
		}
		iova = iova_search_take(&search, &visited);
		assert_true(visited <= live);
		if (!iova)
			continue; /* no gap below where it began: the kernel's gives up, too */
		at = (unsigned int)((iova - FIRST) / PIECE);
		assert_true(at < PIECES && !taken[at]);
		taken[at] = true;
		live++;
	}
	iova_search_fini(&search);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iova_search_goes_down_from_the_last),
		cmocka_unit_test(test_iova_search_of_a_ring_is_short),
		cmocka_unit_test(test_iova_search_of_two_users_passes_the_ring),
		cmocka_unit_test(test_iova_search_gives_each_address_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
