/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exports of a trace: to Perfetto, to SQLite, to lines of JSON. An exporter observes
 * the one pass and writes as it goes; memory follows what lives.
 */
#ifndef IOASIS_ANALYSIS_EXPORT_H
#define IOASIS_ANALYSIS_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/analysis.h"

struct export_format {
	const char *name; /* as on the command line */
	const char *help;
	const struct analysis_observer *observer;
	bool wants_path; /* it opens the file itself: an empty one, by name */
	/*
	 * Begins to write file (borrowed until close; NULL if it wants a path), or path. NULL with
	 * one line in error. analysis is borrowed.
	 */
	void *(*open)(struct analysis *analysis, FILE *file, const char *path, char *error,
		      size_t error_size);
	/*
	 * After the analysis has finished: writes what is still missing and frees self.
	 * False, with one line in error: the file is not whole.
	 */
	bool (*close)(void *self, char *error, size_t error_size);
};

extern const struct export_format export_perfetto, export_sqlite, export_json;

/* By name; NULL: none. */
const struct export_format *export_format_find(const char *name);

/* "ENOENT" of a negative return value, "errno 999" where it has no name. */
const char *export_error_text(int64_t ret, char text[32]);

/* "alloc", "map", ... of a commit. */
const char *export_commit_name(uint64_t kind);

#endif
