/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lost events never become a violation: traces of concurrent clients that do
 * nothing wrong, with stretches of streams removed at random, are `ok` or `unknown`.
 *
 * SEED=N runs one seed; RUNS=N that many from 1 on (default 300).
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/trace_maker.h"

#define THREADS 4u
#define SLOTS 8u
#define SLOT_BYTES 0x10000u
#define IDS 16u
#define CALLS 40u

enum phase { PHASE_BEGIN, PHASE_IOCTL, PHASE_COMMIT, PHASE_IOCTL_END, PHASE_END };

/* A client's thread: its own addresses in the shared address space, and one of its own. */
struct thread {
	struct maker_call call;
	enum phase phase;
	int64_t ret;
	uint64_t new_id;
	unsigned int slot;
	unsigned int calls_left;
	bool mapped[SLOTS];
	uint64_t own_id; /* 0: none */
};

struct world {
	struct trace_maker maker;
	struct thread threads[THREADS];
	uint64_t seq[IDS]; /* last commit number; 0: the id is free */
};

static uint64_t id_lowest_free(const struct world *world)
{
	uint64_t id = 1;

	while (world->seq[id])
		id++;
	return id;
}

static void choose_call(struct world *world, struct thread *thread, uint32_t tid)
{
	uint64_t kind = maker_random(&world->maker, 10);

	thread->slot = (unsigned int)maker_random(&world->maker, SLOTS);
	thread->call = (struct maker_call){
		.tid = tid,
		.op = thread->mapped[thread->slot] ? OP_UNMAP_DMA : OP_MAP_DMA,
		.id = 1,
		.iova = (uint64_t)tid << 32 | thread->slot * SLOT_BYTES,
		.size = SLOT_BYTES,
	};
	if (kind == 0 && !thread->mapped[thread->slot])
		thread->call.op = OP_UNMAP_DMA; /* of nothing */
	if (kind == 1) {
		thread->call.op = thread->own_id ? OP_FREE_ID : OP_ALLOC_IOAS;
		thread->call.id = thread->own_id;
		thread->call.iova = 0;
		thread->call.size = 0;
	}
}

/* What the device does at the moment of the commit. */
static void commit(struct world *world, struct thread *thread)
{
	struct maker_call *call = &thread->call;
	uint64_t *seq = &world->seq[call->id];

	thread->ret = 0;
	switch (call->op) {
	case OP_MAP_DMA:
		thread->mapped[thread->slot] = true;
		maker_commit(&world->maker, call, TRACE_COMMIT_MAP, call->id, ++*seq, 0);
		break;
	case OP_UNMAP_DMA:
		if (!thread->mapped[thread->slot]) {
			thread->ret = -ENOENT;
			break;
		}
		thread->mapped[thread->slot] = false;
		maker_commit(&world->maker, call, TRACE_COMMIT_UNMAP, call->id, ++*seq,
			     SLOT_BYTES);
		break;
	case OP_ALLOC_IOAS:
		thread->new_id = thread->own_id = id_lowest_free(world);
		world->seq[thread->own_id] = 1;
		maker_commit(&world->maker, call, TRACE_COMMIT_ALLOC, thread->own_id, 1, 0);
		break;
	default:
		maker_commit(&world->maker, call, TRACE_COMMIT_DESTROY, call->id, ++*seq, 0);
		*seq = 0;
		thread->own_id = 0;
		break;
	}
}

static void step(struct world *world, unsigned int number)
{
	struct thread *thread = &world->threads[number];

	switch (thread->phase) {
	case PHASE_BEGIN:
		maker_begin(&world->maker, &thread->call);
		break;
	case PHASE_IOCTL:
		maker_ioctl_begin(&world->maker, &thread->call);
		break;
	case PHASE_COMMIT:
		commit(world, thread);
		break;
	case PHASE_IOCTL_END:
		maker_ioctl_end(&world->maker, &thread->call, thread->ret);
		break;
	case PHASE_END:
		if (thread->ret)
			maker_end_non_exist(&world->maker, &thread->call);
		else
			maker_end(&world->maker, &thread->call, 0,
				  thread->call.op == OP_ALLOC_IOAS ? thread->new_id : 0);
		thread->phase = PHASE_BEGIN;
		thread->calls_left--;
		if (thread->calls_left)
			choose_call(world, thread, MAKER_PID + number);
		return;
	}
	thread->phase++;
}

/* One whole call of the first thread, with nobody beside. */
static void call_alone(struct world *world, struct maker_call call)
{
	struct thread *thread = &world->threads[0];

	thread->call = call;
	thread->call.tid = MAKER_PID;
	thread->phase = PHASE_BEGIN;
	thread->calls_left = 2;
	do
		step(world, 0);
	while (thread->calls_left == 2);
	thread->calls_left = 0;
}

static void clean_up(struct world *world)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		struct thread *thread = &world->threads[i];

		if (thread->own_id)
			call_alone(world, (struct maker_call){ .op = OP_FREE_ID,
							       .id = thread->own_id });
		for (unsigned int slot = 0; slot < SLOTS; slot++) {
			if (!thread->mapped[slot])
				continue;
			world->threads[0].mapped[slot] = true;
			world->threads[0].slot = slot;
			call_alone(world, (struct maker_call){
						  .op = OP_UNMAP_DMA,
						  .id = 1,
						  .iova = (uint64_t)(MAKER_PID + i) << 32 |
							  slot * SLOT_BYTES,
						  .size = SLOT_BYTES });
		}
	}
	call_alone(world, (struct maker_call){ .op = OP_FREE_ID, .id = 1 });
	maker_disconnect(&world->maker, 0, -1);
}

static void make_clean_trace(struct world *world, bool device, uint64_t seed)
{
	unsigned int left = THREADS;

	memset(world, 0, sizeof(*world));
	maker_init(&world->maker, device, seed);
	maker_open(&world->maker);
	maker_connect(&world->maker, 1, true, 5);
	call_alone(world, (struct maker_call){ .op = OP_ALLOC_IOAS });
	world->threads[0].own_id = 0;
	for (unsigned int i = 0; i < THREADS; i++) {
		world->threads[i].calls_left = CALLS;
		choose_call(world, &world->threads[i], MAKER_PID + i);
	}
	while (left) {
		unsigned int i = (unsigned int)maker_random(&world->maker, THREADS);

		if (!world->threads[i].calls_left)
			continue;
		step(world, i);
		left -= !world->threads[i].calls_left;
	}
	clean_up(world);
}

/* A stretch in the middle, or the beginning, or the end of one stream. */
static struct maker_loss random_loss(struct trace_maker *maker)
{
	int64_t first_ns = maker->events[0].time_ns;
	uint64_t window = (uint64_t)(maker->now_ns - first_ns);
	struct maker_loss loss = { .cpu = (uint32_t)maker_random(maker, maker->cpus) };

	loss.first_ns = first_ns + (int64_t)maker_random(maker, window);
	loss.last_ns = loss.first_ns + (int64_t)maker_random(maker, window / 4);
	switch (maker_random(maker, 4)) {
	case 0:
		loss.first_ns = INT64_MIN;
		break;
	case 1:
		loss.last_ns = INT64_MAX;
		break;
	default:
		break;
	}
	return loss;
}

static void show(const struct check *check, uint64_t seed, bool device)
{
	fprintf(stderr, "# SEED=%" PRIu64 " %s the device's events\n", seed,
		device ? "with" : "without");
	check_print(check, stderr);
}

static void run_seed(uint64_t seed, bool device)
{
	struct maker_loss losses[3];
	struct analysis *analysis;
	struct world world;
	struct check *check;
	size_t count;

	make_clean_trace(&world, device, seed);
	check = maker_play(&world.maker, NULL, 0, &analysis);
	if (check_verdict(check) != VERDICT_OK)
		show(check, seed, device);
	assert_int_equal(check_verdict(check), VERDICT_OK);
	check_destroy(check);
	analysis_destroy(analysis);

	count = 1 + maker_random(&world.maker, 3);
	for (size_t i = 0; i < count; i++)
		losses[i] = random_loss(&world.maker);
	check = maker_play(&world.maker, losses, count, &analysis);
	if (check_verdict(check) > VERDICT_UNKNOWN)
		show(check, seed, device);
	assert_true(check_verdict(check) <= VERDICT_UNKNOWN);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&world.maker);
}

/* A whole stream is gone and nothing says so; calls and commits show it. */
static void run_seed_stream_gone(uint64_t seed, bool device)
{
	struct maker_loss loss = { .first_ns = INT64_MIN, .last_ns = INT64_MAX, .untold = true };
	struct analysis *analysis;
	struct world world;
	struct check *check;

	make_clean_trace(&world, device, seed);
	loss.cpu = (uint32_t)(seed % world.maker.cpus);
	check = maker_play(&world.maker, &loss, 1, &analysis);
	if (check_verdict(check) != VERDICT_UNKNOWN)
		show(check, seed, device);
	assert_int_equal(check_verdict(check), VERDICT_UNKNOWN);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&world.maker);
}

static void test_check_clean_trace_without_one_stream_is_unknown(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		run_seed_stream_gone(seed, false);
		run_seed_stream_gone(seed, true);
	}
}

static void run_seeds(bool device)
{
	const char *seed = getenv("SEED"), *runs = getenv("RUNS");
	uint64_t from = seed ? strtoull(seed, NULL, 0) : 1;
	uint64_t to = seed ? from : runs ? strtoull(runs, NULL, 0) : 300;

	for (uint64_t i = from; i <= to; i++)
		run_seed(i, device);
}

static void test_check_clean_trace_with_loss_backend_only_is_never_violation(void **state)
{
	(void)state;
	run_seeds(false);
}

static void test_check_clean_trace_with_loss_both_layers_is_never_violation(void **state)
{
	(void)state;
	run_seeds(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_clean_trace_with_loss_backend_only_is_never_violation),
		cmocka_unit_test(test_check_clean_trace_with_loss_both_layers_is_never_violation),
		cmocka_unit_test(test_check_clean_trace_without_one_stream_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
