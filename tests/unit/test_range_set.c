/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sets of ranges and the hash table of the analysis, next to naive models.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/state/range_set.h"
#include "analysis/table.h"
#include "tests/model/seed.h"

#define MODEL_MAX 600u

struct model {
	struct range_entry entries[MODEL_MAX];
	size_t count;
};

static size_t model_overlaps(const struct model *model, uint64_t iova, uint64_t last)
{
	size_t found = 0;

	for (size_t i = 0; i < model->count; i++)
		found += model->entries[i].iova <= last && model->entries[i].last >= iova;
	return found;
}

static void model_remove(struct model *model, uint64_t op_id)
{
	for (size_t i = 0; i < model->count; i++) {
		if (model->entries[i].op_id == op_id) {
			model->entries[i] = model->entries[--model->count];
			return;
		}
	}
	fail_msg("the set had an entry that the model has not");
}

/* All that overlaps, in the order of addresses, each once. */
static void compare(const struct range_set *set, const struct model *model, uint64_t iova,
		    uint64_t last)
{
	size_t found = 0;
	uint64_t before = 0;
	struct range_iter iter;

	for (struct range_entry *entry = range_set_overlap(set, iova, last, &iter); entry;
	     entry = range_set_next_overlap(set, iova, last, &iter)) {
		assert_true(entry->iova <= last && entry->last >= iova);
		assert_true(entry->iova >= before);
		before = entry->iova;
		found++;
	}
	assert_int_equal(found, model_overlaps(model, iova, last));
}

/* Removes one entry that overlaps, somewhere in the middle. */
static void remove_one(struct range_set *set, struct model *model, struct seed *seed,
		       uint64_t iova, uint64_t last)
{
	uint64_t skip = seed_below(seed, 4);
	struct range_iter iter;
	struct range_entry *entry = range_set_overlap(set, iova, last, &iter);

	while (entry && skip--) {
		struct range_iter next = iter;
		struct range_entry *more = range_set_next_overlap(set, iova, last, &next);

		if (!more)
			break;
		entry = more;
		iter = next;
	}
	if (!entry)
		return;
	model_remove(model, entry->op_id);
	range_set_remove(set, &iter);
}

static void run(bool crossing)
{
	static struct model model;
	struct range_set set;
	struct seed seed;

	seed_init(&seed, crossing ? 2 : 1);
	range_set_init(&set);
	model.count = 0;
	for (uint64_t step = 1; step < 20000; step++) {
		uint64_t iova = seed_below(&seed, 4000) * 16;
		uint64_t last = iova + seed_below(&seed, 64) * 16 + 15;
		struct range_entry entry = { .iova = iova, .last = last, .op_id = step };

		if (!seed_below(&seed, 50)) { /* the top of the address space */
			entry.iova = iova = UINT64_MAX - 100 * 16 + 1 + iova % 1600 / 16 * 16;
			entry.last = last = iova + 15;
		}
		compare(&set, &model, iova, last);
		if (seed_below(&seed, 100) < 45)
			remove_one(&set, &model, &seed, iova, last);
		else if (model.count < MODEL_MAX &&
			 (crossing || !model_overlaps(&model, iova, last))) {
			assert_int_equal(range_set_insert(&set, &entry), 0);
			model.entries[model.count++] = entry;
		}
		assert_int_equal(set.count, model.count);
	}
	compare(&set, &model, 0, UINT64_MAX);
	range_set_fini(&set);
}

static void test_range_set_as_the_model(void **state)
{
	(void)state;
	run(false);
}

static void test_range_set_crossing_as_the_model(void **state)
{
	(void)state;
	run(true);
}

/* Rising addresses fill whole leaves: memory stays near what the entries need. */
static void test_range_set_rising_uses_full_leaves(void **state)
{
	struct range_set set;

	(void)state;
	range_set_init(&set);
	for (uint64_t i = 0; i < 100000; i++) {
		struct range_entry entry = { .iova = i * 4096, .last = i * 4096 + 4095 };

		assert_int_equal(range_set_insert(&set, &entry), 0);
	}
	assert_true(range_set_memory(&set) < 100000 * sizeof(struct range_entry) * 11 / 10);
	range_set_fini(&set);
}

static void test_table_as_the_model(void **state)
{
	static void *model[512];
	struct table table = { 0 };
	struct seed seed;
	size_t count = 0;

	(void)state;
	seed_init(&seed, 3);
	memset(model, 0, sizeof(model));
	for (uint64_t step = 1; step < 50000; step++) {
		uint64_t key = seed_below(&seed, 512);
		void *value = (void *)(uintptr_t)step;

		if (seed_below(&seed, 2)) {
			assert_int_equal(table_set(&table, key << 32, key, value), 0);
			count += !model[key];
			model[key] = value;
		} else {
			assert_ptr_equal(table_remove(&table, key << 32, key), model[key]);
			count -= model[key] != NULL;
			model[key] = NULL;
		}
		key = seed_below(&seed, 512);
		assert_ptr_equal(table_get(&table, key << 32, key), model[key]);
		assert_int_equal(table.count, count);
	}
	table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_set_as_the_model),
		cmocka_unit_test(test_range_set_crossing_as_the_model),
		cmocka_unit_test(test_range_set_rising_uses_full_leaves),
		cmocka_unit_test(test_table_as_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
