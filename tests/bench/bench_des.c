/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ioasis bench des`: the event queue beside std::priority_queue, in turns, hold model. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/des/event_queue.h"
#include "sim/des/random.h"
#include "tests/bench/bench.h"
#include "tests/bench/hold_model.h"

#define DELAYS_COUNT (1u << 16)
#define ROUNDS	     9
#define HOLDS_COUNT  1000000u

uint64_t hold_clock_ns(void)
{
	return bench_now_ns();
}

static void count_fire(void *opaque, uint64_t arg)
{
	*(uint64_t *)opaque += arg;
}

static uint64_t hold_des_queue(const struct hold_model *model, uint64_t *checksum)
{
	struct des_queue *queue = des_queue_create();
	uint64_t sequence = 0, sum = 0, fired = 0, begin_ns;
	size_t mask = model->delays_count - 1;
	struct des_event event;

	if (!queue)
		abort();
	for (size_t i = 0; i < model->pending_count; i++, sequence++)
		des_queue_push(queue, model->delays_ns[sequence & mask], 0, count_fire, &fired, 1);
	begin_ns = hold_clock_ns();
	for (size_t i = 0; i < model->holds_count; i++, sequence++) {
		des_queue_pop(queue, &event);
		sum = sum * 31 + event.time_ns;
		event.fire(event.opaque, event.arg);
		des_queue_push(queue, event.time_ns + model->delays_ns[sequence & mask], 0,
			       count_fire, &fired, 1);
	}
	begin_ns = hold_clock_ns() - begin_ns;
	des_queue_destroy(queue);
	*checksum = sum + fired;
	return begin_ns;
}

/* Both queues in turns on the same delays; the medians of the rounds are compared. */
static void hold_both(struct bench *bench, const struct hold_model *model, const char *what)
{
	uint64_t ours_ns[ROUNDS], std_ns[ROUNDS], ours_sum, std_sum;
	double ours, std;
	char text[80];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		std_ns[i] = hold_std_priority_queue(model, &std_sum);
		ours_ns[i] = hold_des_queue(model, &ours_sum);
		if (ours_sum != std_sum) {
			fprintf(stderr, "bench des: the queues do not give the same order\n");
			abort();
		}
	}
	ours = (double)bench_median(ours_ns, ROUNDS) / HOLDS_COUNT;
	std = (double)bench_median(std_ns, ROUNDS) / HOLDS_COUNT;
	snprintf(text, sizeof(text), "event queue, %s pending", what);
	bench_figure(bench, text, ours, "ns a hold");
	snprintf(text, sizeof(text), "std::priority_queue, %s pending", what);
	bench_figure(bench, text, std, "ns a hold");
	snprintf(text, sizeof(text), "times as fast, %s pending", what);
	bench_ratio_at_least(bench, text, std_ns, ours_ns, ROUNDS, 1.2);
}

int bench_des(struct bench *bench)
{
	static const struct {
		size_t pending_count;
		const char *text;
	} sizes[] = { { 100, "100" }, { 10000, "10,000" }, { 1000000, "1,000,000" } };
	struct des_dist delay = { .kind = DES_DIST_EXPONENTIAL, .a = 100000 };
	uint32_t *delays = malloc(DELAYS_COUNT * sizeof(*delays));
	struct des_random random;

	if (!delays)
		return -ENOMEM;
	des_random_init(&random, 1, "hold", 0);
	for (size_t i = 0; i < DELAYS_COUNT; i++)
		delays[i] = (uint32_t)des_dist_draw(&delay, &random);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct hold_model model = {
			.pending_count = sizes[i].pending_count,
			.holds_count = HOLDS_COUNT,
			.delays_ns = delays,
			.delays_count = DELAYS_COUNT,
		};

		hold_both(bench, &model, sizes[i].text);
	}
	free(delays);
	return 0;
}
