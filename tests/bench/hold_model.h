/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hold model: a queue with a steady number of pending events, from which the
 * first is taken and a later one put in, again and again (Jones, "An empirical
 * comparison of priority-queue and event-set implementations", 1986).
 */
#ifndef IOASIS_BENCH_HOLD_MODEL_H
#define IOASIS_BENCH_HOLD_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Delays of `delays_count` (a power of two) events, used in turn. */
struct hold_model {
	size_t pending_count;
	size_t holds_count;
	const uint32_t *delays_ns;
	size_t delays_count;
};

/*
 * Fills the queue, then holds; returns the nanoseconds of the holds alone, and in
 * *checksum a sum over the times in the order taken: equal for right queues.
 */
uint64_t hold_std_priority_queue(const struct hold_model *model, uint64_t *checksum);

/* Monotonic nanoseconds. */
uint64_t hold_clock_ns(void);

#ifdef __cplusplus
}
#endif

#endif
