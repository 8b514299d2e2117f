/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lives, remembered in treaps, against a plain list. Random; SEED= repeats a run. */
#include "backend/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SPACES 3u
#define SLOTS 64u
#define STEPS 20000u

/* Slot i of space s: whether [i, i] * 4096 is mapped, and how. */
struct model {
	bool object[SPACES];
	uint8_t mapping[SPACES][SLOTS]; /* 0: none, 1: readonly, 2: writable */
};

struct visit {
	const struct model *model;
	uint32_t objects, mappings;
	uint32_t last_id;
	uint64_t last_iova;
	bool ordered;
};

static void visit_object(void *opaque, uint32_t id)
{
	struct visit *visit = opaque;

	assert_true(visit->model->object[id]);
	visit->ordered &= !visit->objects || id > visit->last_id;
	visit->last_id = id;
	visit->objects++;
}

static void visit_mapping(void *opaque, uint32_t ioas, uint64_t iova, uint64_t size, bool readonly)
{
	struct visit *visit = opaque;

	assert_int_equal(visit->model->mapping[ioas][iova / 4096], readonly ? 1 : 2);
	assert_int_equal(size, 4096);
	visit->ordered &= !visit->mappings || ioas > visit->last_id ||
			  (ioas == visit->last_id && iova > visit->last_iova);
	visit->last_id = ioas;
	visit->last_iova = iova;
	visit->mappings++;
}

static void check(struct backend_live *live, const struct model *model)
{
	static const struct backend_live_visitor visitor = { visit_object, visit_mapping };
	struct visit visit = { .model = model, .ordered = true };
	uint32_t objects = 0, mappings = 0;

	for (uint32_t s = 0; s < SPACES; s++) {
		objects += model->object[s];
		for (uint32_t i = 0; i < SLOTS; i++)
			mappings += model->mapping[s][i] != 0;
	}
	assert_true(backend_live_visit(live, &visitor, &visit));
	assert_true(visit.ordered);
	assert_int_equal(visit.objects, objects);
	assert_int_equal(visit.mappings, mappings);
}

static void step(struct backend_live *live, struct model *model)
{
	uint32_t s = (uint32_t)random() % SPACES, i = (uint32_t)random() % SLOTS;
	uint32_t last = i + (uint32_t)random() % (SLOTS - i);
	bool readonly = random() & 1;

	switch (random() % 8) {
	case 0:
		backend_live_add_object(live, s);
		model->object[s] = true;
		break;
	case 1:
		if (random() % 8)
			break;
		backend_live_remove_object(live, s);
		model->object[s] = false;
		memset(model->mapping[s], 0, SLOTS);
		break;
	case 2:
		backend_live_unmap(live, s, i * 4096ull, last * 4096ull + 4095);
		memset(model->mapping[s] + i, 0, last - i + 1);
		break;
	case 3:
		if (random() % 32)
			break;
		backend_live_unmap(live, s, 0, UINT64_MAX);
		memset(model->mapping[s], 0, SLOTS);
		break;
	default:
		backend_live_map(live, s, i * 4096ull, 4096, readonly);
		model->mapping[s][i] = readonly ? 1 : 2;
	}
}

static void test_live_is_what_a_list_says(void **state)
{
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 0) : 1;
	struct backend_live *live = backend_live_create();
	struct model model = { 0 };

	(void)state;
	print_message("# SEED=%u\n", seed);
	srandom(seed);
	for (uint32_t i = 0; i < STEPS; i++) {
		step(live, &model);
		if (i % 16 == 0)
			check(live, &model);
	}
	backend_live_clear(live);
	memset(&model, 0, sizeof(model));
	check(live, &model);
	backend_live_destroy(live);
	backend_live_destroy(NULL);
}

static void test_live_highest_id_and_address(void **state)
{
	static const struct backend_live_visitor visitor = { visit_object, visit_mapping };
	struct backend_live *live = backend_live_create();
	struct model model = { 0 };
	struct visit visit = { .model = &model, .ordered = true };

	(void)state;
	backend_live_add_object(live, UINT32_MAX);
	backend_live_map(live, UINT32_MAX, UINT64_MAX - 4095, 4096, false);
	backend_live_unmap(live, UINT32_MAX, UINT64_MAX - 4095, UINT64_MAX);
	backend_live_remove_object(live, UINT32_MAX);
	assert_true(backend_live_visit(live, &visitor, &visit));
	assert_int_equal(visit.objects + visit.mappings, 0);
	backend_live_destroy(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_is_what_a_list_says),
		cmocka_unit_test(test_live_highest_id_and_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
