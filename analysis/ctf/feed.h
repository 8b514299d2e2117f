/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the streams of the own reader (stream.h) to events of the analysis: what
 * analysis/decode/decode.h does with babeltrace2's messages.
 */
#ifndef IOASIS_ANALYSIS_CTF_FEED_H
#define IOASIS_ANALYSIS_CTF_FEED_H

#include <stddef.h>

struct analysis;

/*
 * Reads the traces in folders and feeds analysis with all they hold, until analysis_stop(). 0;
 * -ENOTSUP before anything was fed: babeltrace2 is to read them; or another negative errno, with
 * a line in error that says where and why.
 */
int ctf_feed(struct analysis *analysis, char *const *folders, size_t count, char *error,
	     size_t error_size);

#endif
