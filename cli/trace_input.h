/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces that are no folder: a tar (gzip, xz, zstd too, as tar(1) knows them), and standard input,
 * which is a tar or a log. They are unpacked into a temporary folder for the time of the reading.
 */
#ifndef IOASIS_CLI_TRACE_INPUT_H
#define IOASIS_CLI_TRACE_INPUT_H

#include <stddef.h>

struct trace_input {
	char **paths; /* what to read instead; owned */
	const char **names; /* what the user said; borrowed */
	char **folders; /* temporary ones, NULL where none was needed; owned */
	size_t count;
};

/* Unpacks what must be. 0, or -errno with one line in error, and nothing is left. */
int trace_input_open(struct trace_input *input, char *const *names, size_t count, char *error,
		     size_t error_size);

/* Removes what was unpacked. */
void trace_input_close(struct trace_input *input);

/* Replaces temporary names in an error's text by what the user said. */
void trace_input_rename(const struct trace_input *input, char *error, size_t error_size);

#endif
