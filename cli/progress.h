/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line on a terminal that says how far a long command is, how fast it goes and how long it will
 * take. Where its stream is no terminal it says nothing.
 */
#ifndef IOASIS_CLI_PROGRESS_H
#define IOASIS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A variable of the environment: set by who shows the progress of several commands itself. */
#define PROGRESS_OFF "IOASIS_NO_PROGRESS"

struct progress {
	FILE *out; /* borrowed */
	const char *noun;
	int64_t begin_ns, shown_ns;
	bool on;
	bool shown;
};

/* noun: what is counted, in the plural: "events". out is flushed at each show. */
void progress_begin(struct progress *progress, FILE *out, const char *noun);

/* Whether it is time to show it again; false where it says nothing. */
bool progress_is_due(struct progress *progress);

/*
 * Shows it: `count` things so far, done of total (in any unit); total 0: not known. A share or a
 * remaining time is only told where total is known.
 */
void progress_show(struct progress *progress, uint64_t count, uint64_t done, uint64_t total);

/* Takes the line away again. */
void progress_end(struct progress *progress);

/* The line after elapsed_ns, without what places it on the screen. Returns its length. */
int progress_print(char *text, size_t size, const char *noun, uint64_t count, uint64_t done,
		   uint64_t total, int64_t elapsed_ns);

#endif
