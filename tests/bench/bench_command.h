/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that a benchmark runs, and what they cost. */
#ifndef IOASIS_TESTS_BENCH_COMMAND_H
#define IOASIS_TESTS_BENCH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_cost {
	uint64_t cpu_ns;    /* user and system */
	uint64_t wall_ns;
	uint64_t peak_bytes; /* of resident memory */
};

/*
 * Runs argv (ends with NULL) with its output in the file output (NULL: thrown
 * away). Returns the exit status, 128 + n for a signal, -errno when it could not be run.
 */
int bench_command(char *const argv[], const char *output, struct bench_cost *cost);

/*
 * The same with standard error as it is; *numbers: the first `count` numbers that it printed. True
 * when it ended with status 0 and printed as many.
 */
bool bench_numbers(char *const argv[], uint64_t *numbers, size_t count);

/* The path of a program beside this one (build/NAME). */
void bench_sibling(const char *name, char *path, size_t size);

/* Makes a folder for scratch files in $TMPDIR or /tmp; 0 or -errno. */
int bench_scratch(char *path, size_t size);
/* Removes it and all in it. */
void bench_scratch_remove(const char *path);

#endif
