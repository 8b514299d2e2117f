/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From text logs (qemu_log.h) to events of the analysis. */
#ifndef IOASIS_ANALYSIS_TEXT_FEED_H
#define IOASIS_ANALYSIS_TEXT_FEED_H

#include <stddef.h>

struct analysis;

/*
 * Feeds analysis with the logs at paths, in the order of time, until analysis_stop(). Each is of a
 * machine of its own, since a log does not say where it was written. 0, or a negative errno with a
 * line in error.
 */
int text_feed(struct analysis *analysis, char *const *paths, size_t count, char *error,
	      size_t error_size);

#endif
