/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command writes: files, whole or not at all, and standard output.
 *
 * A file is written beside its name first and takes the name when all of it is on the disk. So who
 * finds the file finds all of it, and after an error or Ctrl-C an older file is as it was. "-" is
 * standard output. A device or a pipe is written as it goes.
 */
#ifndef IOASIS_CLI_OUTPUT_H
#define IOASIS_CLI_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

enum output_way {
	OUTPUT_REPLACES, /* the temporary file takes the name */
	OUTPUT_COPIES,	 /* the temporary file is copied there at the end */
	OUTPUT_DIRECT,	 /* there is no temporary file */
};

struct output {
	const char *path;	  /* as the user said; borrowed */
	enum output_way way;
	char target[PATH_MAX];	  /* the same, symbolic links followed */
	char temporary[PATH_MAX]; /* what is written; empty: OUTPUT_DIRECT */
	FILE *file;		  /* NULL: who writes opens `temporary` itself */
};

/*
 * Begins to write path. 0 or a negative errno: nothing was made. Then output->file is to be
 * written; the caller does not close it.
 */
int output_begin(struct output *output, const char *path);

/*
 * The same for who needs a name instead of a stream: output->temporary is an empty file, also for
 * a device or "-"; output->file is NULL.
 */
int output_begin_named(struct output *output, const char *path);

/* Ends it: the file is there. 0, or a negative errno after output_abort(). */
int output_commit(struct output *output);

/* Ends it: nothing is there that was not before. */
void output_abort(struct output *output);

/* What errors call it: the path, or "standard output". */
const char *output_name(const struct output *output);

/* Opens what is closed of standard input, output and error, so that no file gets their numbers. */
void output_hold_standard(void);

/*
 * Before a command ends: writes what standard output still holds. Returns status, or 3 with one
 * line when not all of it could be written.
 */
int output_end(const char *command, int status);

#endif
