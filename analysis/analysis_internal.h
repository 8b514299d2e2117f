/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the one pass: who tells the observers what.
 */
#ifndef IOASIS_ANALYSIS_INTERNAL_H
#define IOASIS_ANALYSIS_INTERNAL_H

#include <stdio.h>

#include "analysis/analysis.h"

#define OBSERVERS_MAX 16u

struct analysis_listener {
	const struct analysis_observer *observer;
	void *opaque;
};

struct analysis {
	struct quality quality;
	struct state *state;
	struct analysis_listener listeners[OBSERVERS_MAX];
	size_t listeners_count;
	struct event_loss *later; /* told when an event after their beginning comes */
	size_t later_count;
	int64_t later_first_ns; /* the earliest beginning among them */
	bool still_running;
	bool finished;
	bool stop; /* set by signal handlers too */
	/* What analysis_bytes() asks while a reader runs that knows; NULL: none. */
	void (*bytes)(const void *opaque, uint64_t *done, uint64_t *total);
	const void *bytes_opaque;
	char *path; /* see analysis_tell_path(); borrowed */
	size_t path_size;
	const char *path_told; /* the last one, to compare; borrowed */
};

/* Says which trace is read from now on; path lives until another one is told. */
static inline void analysis_path(struct analysis *analysis, const char *path)
{
	if (analysis->path_told == path || !analysis->path)
		return;
	analysis->path_told = path;
	snprintf(analysis->path, analysis->path_size, "%s", path);
}

bool analysis_stopped(const struct analysis *analysis);

/* loss counts only if its machine has an event after its beginning: it is told then. */
void analysis_loss_later(struct analysis *analysis, const struct event_loss *loss);

/* Calls `what` of every observer that has it. */
#define analysis_tell(analysis, what, ...) \
	do { \
		for (size_t tell_i = 0; tell_i < (analysis)->listeners_count; tell_i++) { \
			const struct analysis_listener *tell_l = &(analysis)->listeners[tell_i]; \
			if (tell_l->observer->what) \
				tell_l->observer->what(tell_l->opaque, ##__VA_ARGS__); \
		} \
	} while (0)

#endif
