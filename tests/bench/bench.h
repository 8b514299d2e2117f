/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a benchmark reports, and to whom.
 *
 * A benchmark measures something next to a baseline in the same run: machines
 * differ, ratios less so. It reports figures (absolute) and bars (a figure that
 * must not be missed), in the order in which they are printed. What a figure is
 * called must not change from run to run: runs are compared by it.
 *
 * To add one: a function here, a file tests/bench/bench_NAME.c in bench_srcs
 * (module.mk), and a row in bench_main.c.
 */
#ifndef IOASIS_TESTS_BENCH_H
#define IOASIS_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench;

/* A measured value with its unit ("ns", "events/s"), shown and kept. */
void bench_figure(struct bench *bench, const char *what, double value, const char *unit);

/* A figure that has to be at most, or at least, bar. unit may be "" for a ratio. */
void bench_at_most(struct bench *bench, const char *what, double value, double bar,
		   const char *unit);
void bench_at_least(struct bench *bench, const char *what, double value, double bar,
		    const char *unit);

/*
 * The ratio of two medians, each of `count` samples that were taken in turns, with the interval
 * in which it lies with 95 % certainty (bootstrap). The samples are sorted in place.
 */
void bench_ratio_at_most(struct bench *bench, const char *what, uint64_t *above, uint64_t *below,
			 size_t count, double bar);
void bench_ratio_at_least(struct bench *bench, const char *what, uint64_t *above,
			  uint64_t *below, size_t count, double bar);

/* Why the rest was not measured, as a printf text. Not a failure. */
void bench_skip(struct bench *bench, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The program `name` of the other build to run side by side (--against); false: none is given, or
 * it lacks that program.
 */
bool bench_other(const struct bench *bench, const char *name, char *path, size_t size);

/* CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/* The median of count values, which are sorted in place. */
uint64_t bench_median(uint64_t *values, size_t count);

/* One function a benchmark; 0, or -errno after it could not be run at all. */
int bench_analysis(struct bench *bench);
int bench_bar(struct bench *bench);
int bench_call(struct bench *bench);
int bench_children(struct bench *bench);
int bench_des(struct bench *bench);
int bench_engine(struct bench *bench);
int bench_exec(struct bench *bench);
int bench_export(struct bench *bench);
int bench_guests(struct bench *bench);
int bench_ioctl(struct bench *bench);
int bench_nvme(struct bench *bench);
int bench_tracing(struct bench *bench);
int bench_simulate(struct bench *bench);

#endif
