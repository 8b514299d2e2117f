/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event queue against a plain sorted list, virtual time, resources, and the
 * distributions against their means. SEED=N repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/des/calendar.h"
#include "sim/des/des.h"
#include "sim/des/random.h"

static uint64_t test_seed(void)
{
	const char *text = getenv("SEED");

	return text ? strtoull(text, NULL, 0) : 1;
}

static void fire_nothing(void *opaque, uint64_t arg)
{
	(void)opaque;
	(void)arg;
}

static void test_queue_same_time_goes_by_priority_then_sequence(void **state)
{
	struct des_queue *queue = des_queue_create();
	static const uint64_t expected[] = { 3, 0, 2, 1, 4 };
	struct des_event event;

	(void)state;
	assert_non_null(queue);
	des_queue_push(queue, 10, DES_PRIORITY_NORMAL, fire_nothing, NULL, 0);
	des_queue_push(queue, 10, DES_PRIORITY_LAST, fire_nothing, NULL, 1);
	des_queue_push(queue, 10, DES_PRIORITY_NORMAL, fire_nothing, NULL, 2);
	des_queue_push(queue, 10, DES_PRIORITY_FIRST, fire_nothing, NULL, 3);
	des_queue_push(queue, 11, DES_PRIORITY_FIRST, fire_nothing, NULL, 4);
	for (size_t i = 0; i < 5; i++) {
		assert_true(des_queue_pop(queue, &event));
		assert_int_equal(event.arg, expected[i]);
	}
	assert_false(des_queue_pop(queue, &event));
	des_queue_destroy(queue);
}

#define MODEL_MAX 1500

struct model_entry {
	uint64_t time_ns;
	unsigned int priority;
	uint64_t sequence;
	des_event_id id;
};

struct model {
	struct model_entry entries[MODEL_MAX];
	size_t count;
};

static int entry_compare(const struct model_entry *a, const struct model_entry *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return a->sequence < b->sequence ? -1 : 1;
}

static size_t model_first(const struct model *model)
{
	size_t first = 0;

	for (size_t i = 1; i < model->count; i++) {
		if (entry_compare(&model->entries[i], &model->entries[first]) < 0)
			first = i;
	}
	return first;
}

/* Now, soon, later, or so late that the end of time is near. */
static uint64_t random_time(struct des_random *random, uint64_t now)
{
	static const uint64_t spreads[] = { 1, 50, 50000, 1ull << 40 };
	uint64_t spread = spreads[des_random_below(random, 4)], time_ns;

	if (!des_random_below(random, 200))
		return UINT64_MAX - des_random_below(random, 3);
	if (__builtin_add_overflow(now, des_random_below(random, spread), &time_ns))
		return UINT64_MAX;
	return time_ns;
}

static void test_queue_random_calls_agree_with_a_list(void **state)
{
	uint64_t seed = test_seed(), sequence = 0, now = 0;
	struct des_queue *queue = des_queue_create();
	struct model model = { .count = 0 };
	struct des_random random;

	(void)state;
	printf("# SEED=%llu\n", (unsigned long long)seed);
	des_random_init(&random, seed, "queue", 0);
	for (int step = 0; step < 60000; step++) {
		/* Grows to more than are near, and shrinks to nothing. */
		uint64_t pushes = step / 5000 % 2 ? 3 : 7;
		uint64_t what = des_random_below(&random, 12);

		if (what < pushes && model.count < MODEL_MAX) {
			struct model_entry *entry = &model.entries[model.count++];

			entry->time_ns = random_time(&random, now);
			entry->priority = (unsigned int)des_random_below(&random, 16);
			entry->sequence = sequence++;
			entry->id = des_queue_push(queue, entry->time_ns, entry->priority,
						   fire_nothing, NULL, entry->sequence);
		} else if (what < 10) {
			struct des_event event;
			size_t first;

			assert_int_equal(des_queue_pop(queue, &event), model.count > 0);
			if (!model.count)
				continue;
			first = model_first(&model);
			assert_int_equal(event.arg, model.entries[first].sequence);
			assert_int_equal(event.time_ns, model.entries[first].time_ns);
			/* Time goes on, but not to its end. */
			now = event.time_ns < 1ull << 62 ? event.time_ns : now;
			model.entries[first] = model.entries[--model.count];
		} else if (model.count) {
			size_t victim = des_random_below(&random, model.count);
			des_event_id id = model.entries[victim].id;

			assert_true(des_queue_cancel(queue, id));
			assert_false(des_queue_cancel(queue, id));
			model.entries[victim] = model.entries[--model.count];
		}
		assert_int_equal(des_queue_pending(queue), model.count);
		if (step % 64 == 0)
			des_queue_verify(queue);
	}
	des_queue_destroy(queue);
}

static void test_queue_fired_event_cannot_be_cancelled(void **state)
{
	struct des_queue *queue = des_queue_create();
	des_event_id old = des_queue_push(queue, 1, 0, fire_nothing, NULL, 0), young;
	struct des_event event;

	(void)state;
	assert_true(des_queue_pop(queue, &event));
	assert_false(des_queue_cancel(queue, old));
	/* The slot is used again; the old name must not reach the new event. */
	young = des_queue_push(queue, 2, 0, fire_nothing, NULL, 0);
	assert_false(des_queue_cancel(queue, old));
	assert_true(des_queue_cancel(queue, young));
	assert_false(des_queue_pop(queue, &event));
	assert_false(des_queue_cancel(queue, 0));
	des_queue_destroy(queue);
}

static void test_queue_many_cancelled_leave_no_keys_behind(void **state)
{
	struct des_queue *queue = des_queue_create();
	uint64_t time_ns;

	(void)state;
	/* A timer that is always moved: pending stays 1 however long it goes on. */
	for (uint64_t i = 0; i < 100000; i++) {
		des_event_id id = des_queue_push(queue, i, 0, fire_nothing, NULL, i);

		if (i != 99999)
			assert_true(des_queue_cancel(queue, id));
	}
	assert_int_equal(des_queue_pending(queue), 1);
	des_queue_verify(queue);
	assert_true(des_queue_peek(queue, &time_ns));
	assert_int_equal(time_ns, 99999);
	des_queue_destroy(queue);
}

struct clock_log {
	struct des des;
	uint64_t times[8];
	size_t count;
};

static void log_time(void *opaque, uint64_t arg)
{
	struct clock_log *log = opaque;

	log->times[log->count++] = log->des.now_ns;
	if (arg)
		des_after(&log->des, 5, log_time, log, arg - 1);
}

static void test_des_run_stops_at_the_time_given(void **state)
{
	struct clock_log log = { .count = 0 };

	(void)state;
	assert_int_equal(des_init(&log.des), 0);
	des_after(&log.des, 10, log_time, &log, 5);
	while (des_step(&log.des, 22))
		;
	assert_int_equal(log.count, 3);
	assert_int_equal(log.times[2], 20);
	assert_int_equal(log.des.now_ns, 22);
	des_fini(&log.des);
}

static void test_server_work_queues_up(void **state)
{
	struct des_server server = { 0 };

	(void)state;
	assert_int_equal(des_server_use(&server, 100, 50), 150);
	assert_int_equal(des_server_use(&server, 110, 50), 200);
	assert_int_equal(des_server_use(&server, 300, 10), 310);
	assert_int_equal(server.wait_ns, 40);
	assert_int_equal(server.waited_count, 1);
	assert_int_equal(server.busy_ns, 110);
	assert_int_equal(server.longest_wait_ns, 40);
}

static void test_calendar_gives_the_first_stretch_that_is_free(void **state)
{
	struct des_calendar calendar;

	(void)state;
	des_calendar_init(&calendar);
	assert_int_equal(des_calendar_use(&calendar, 0, 100, 50), 150);
	/* Asked for later, but for an earlier time: nobody uses it yet. */
	assert_int_equal(des_calendar_use(&calendar, 0, 20, 50), 70);
	/* Between the two are 30 ns: enough for 30, not for 31. */
	assert_int_equal(des_calendar_use(&calendar, 0, 60, 31), 181);
	assert_int_equal(des_calendar_use(&calendar, 0, 60, 30), 100);
	assert_int_equal(calendar.busy_ns, 161);
	assert_int_equal(calendar.waited_count, 2);
	assert_int_equal(calendar.wait_ns, 90 + 10);
	/* All stretches touch by now. */
	assert_int_equal(calendar.end - calendar.first, 1);
	des_calendar_fini(&calendar);
}

#define SLOTS 4096

/* The same on a row of nanoseconds, each free or taken. */
static uint64_t slots_use(bool taken[SLOTS], uint64_t now, uint64_t work)
{
	for (uint64_t start = now;; start++) {
		uint64_t at = start;

		while (at < start + work && !taken[at])
			at++;
		if (at < start + work)
			continue;
		memset(&taken[start], true, work);
		return start + work;
	}
}

static void test_calendar_random_work_agrees_with_a_row_of_slots(void **state)
{
	struct des_calendar calendar;
	static bool taken[SLOTS];
	struct des_random random;
	uint64_t floor = 0;

	(void)state;
	des_random_init(&random, test_seed(), "calendar", 0);
	des_calendar_init(&calendar);
	while (floor < SLOTS - 600) {
		uint64_t now = floor + des_random_below(&random, 60);
		uint64_t work = des_random_below(&random, 9) + 1;

		assert_int_equal(des_calendar_use(&calendar, floor, now, work),
				 slots_use(taken, now, work));
		floor += des_random_below(&random, 12);
	}
	des_calendar_fini(&calendar);
}

static void test_random_streams_are_their_own(void **state)
{
	struct des_random a, b, c, again;

	(void)state;
	des_random_init(&a, 7, "nic", 0);
	des_random_init(&b, 7, "nic", 1);
	des_random_init(&c, 8, "nic", 0);
	des_random_init(&again, 7, "nic", 0);
	for (int i = 0; i < 100; i++) {
		uint64_t value = des_random_next(&a);

		assert_true(value != des_random_next(&b));
		assert_true(value != des_random_next(&c));
		assert_int_equal(value, des_random_next(&again));
	}
}

/* Known numbers: the same on every machine and at every optimisation. */
static void test_random_numbers_are_as_written_down(void **state)
{
	struct des_random random;
	static const uint64_t draws_expected[] = {
		1101518, 118173, 960557, 420541, 211566, 806464
	};
	struct des_dist dist = { .kind = DES_DIST_EXPONENTIAL, .a = 1000000 };

	(void)state;
	des_random_init(&random, 42, "golden", 3);
	for (size_t i = 0; i < sizeof(draws_expected) / sizeof(*draws_expected); i++)
		assert_int_equal(des_dist_draw(&dist, &random), draws_expected[i]);
}

static void test_log2_and_exp2_of_powers_are_exact(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(des_log2_q32(1ull << i), (uint64_t)i << 32);
		assert_int_equal(des_exp2_q32((uint64_t)i << 32), 1ull << i);
	}
	/* log2(3) = 1.58496250072... */
	assert_in_range(des_log2_q32(3), 6807362105ull - 300, 6807362105ull + 300);
	assert_int_equal(des_exp2_q32(64ull << 32), UINT64_MAX);
}

/* The mean of many draws is within 2 % of mean. */
static void assert_mean(struct des_dist dist, uint64_t mean)
{
	struct des_random random;
	unsigned __int128 sum = 0;
	enum { draws = 200000 };

	des_random_init(&random, test_seed(), "mean", dist.kind);
	for (int i = 0; i < draws; i++)
		sum += des_dist_draw(&dist, &random);
	assert_in_range((uint64_t)(sum / draws), mean - mean / 50, mean + mean / 50);
}

static void test_distributions_have_their_means(void **state)
{
	(void)state;
	assert_mean((struct des_dist){ DES_DIST_CONSTANT, 500, 0, 0 }, 500);
	assert_mean((struct des_dist){ DES_DIST_UNIFORM, 1000, 3000, 0 }, 2000);
	assert_mean((struct des_dist){ DES_DIST_EXPONENTIAL, 10000, 0, 0 }, 10000);
	/* alpha 3: mean 1.5 times the least. */
	assert_mean((struct des_dist){ DES_DIST_PARETO, 10000, UINT64_MAX, 3000 }, 15000);
}

static void test_below_reaches_every_value_and_no_other(void **state)
{
	struct des_random random;
	unsigned int seen[6] = { 0 };

	(void)state;
	des_random_init(&random, test_seed(), "below", 0);
	for (int i = 0; i < 6000; i++)
		seen[des_random_below(&random, 6)]++;
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(des_random_below(&random, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_same_time_goes_by_priority_then_sequence),
		cmocka_unit_test(test_queue_random_calls_agree_with_a_list),
		cmocka_unit_test(test_queue_fired_event_cannot_be_cancelled),
		cmocka_unit_test(test_queue_many_cancelled_leave_no_keys_behind),
		cmocka_unit_test(test_des_run_stops_at_the_time_given),
		cmocka_unit_test(test_server_work_queues_up),
		cmocka_unit_test(test_calendar_gives_the_first_stretch_that_is_free),
		cmocka_unit_test(test_calendar_random_work_agrees_with_a_row_of_slots),
		cmocka_unit_test(test_random_streams_are_their_own),
		cmocka_unit_test(test_random_numbers_are_as_written_down),
		cmocka_unit_test(test_log2_and_exp2_of_powers_are_exact),
		cmocka_unit_test(test_distributions_have_their_means),
		cmocka_unit_test(test_below_reaches_every_value_and_no_other),
	};

	return cmocka_run_group_tests_name("des", tests, NULL, NULL);
}
