/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runs of a sweep: which there are, what each sets, and how its command reads. */
#ifndef IOASIS_CLI_SWEEP_H
#define IOASIS_CLI_SWEEP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SWEEP_VARIES_MAX    8
#define SWEEP_VALUES_MAX    256
#define SWEEP_SETTING_BYTES 256
#define SWEEP_WORDS_MAX	    (2 * SWEEP_VARIES_MAX + 12)

struct sweep_vary {
	const char *text; /* KEY=VALUE,VALUE...; borrowed */
	size_t values_count;
};

struct sweep {
	struct sweep_vary varies[SWEEP_VARIES_MAX];
	size_t varies_count;
	uint64_t first_seed, last_seed;
	/* Absolute paths: a command of a sweep needs neither PATH nor a current folder. */
	char program[PATH_MAX];
	char scenario[PATH_MAX]; /* its file */
	char dir[PATH_MAX];	 /* of the results */
};

struct sweep_run {
	char settings[SWEEP_VARIES_MAX][SWEEP_SETTING_BYTES]; /* KEY=VALUE each */
	uint64_t seed;
	char seed_text[24];
	char name[32];		/* of the result's file in the folder */
	char output[PATH_MAX]; /* the file */
	const char *words[SWEEP_WORDS_MAX]; /* the command, ended by NULL; point into this and the sweep */
};

/* Takes KEY=A,B,...; false: it is no such text, or one too many. */
bool sweep_vary(struct sweep *sweep, const char *text);

/* How many combinations of values there are, and how many runs in all. */
size_t sweep_combinations(const struct sweep *sweep);
uint64_t sweep_runs(const struct sweep *sweep);

/*
 * Run `number`: all combinations with the first seed, then with the next; so more seeds are more
 * runs behind those that were there. False: a value or a path is too long.
 */
bool sweep_run(const struct sweep *sweep, uint64_t number, struct sweep_run *run);

/* A word as a shell takes it; and those of a command, with spaces between. */
void sweep_print_word(const char *word, FILE *out);
void sweep_print_words(const char *const *words, FILE *out);

/*
 * A script for a cluster: a Slurm array of `tasks` tasks, or GNU parallel over as many. Each task
 * makes its share of the runs with `ioasis sweep --share`.
 */
void sweep_print_slurm(const struct sweep *sweep, uint64_t tasks, FILE *out);
void sweep_print_parallel(const struct sweep *sweep, uint64_t tasks, FILE *out);

#endif
