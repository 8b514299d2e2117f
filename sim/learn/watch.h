/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches a run: a sink for its events that keeps what pictures need, and gives all of them to
 * the checker.
 */
#ifndef IOASIS_LEARN_WATCH_H
#define IOASIS_LEARN_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sim/scenario/sim_sink.h"

/*
 * What happened, for a picture. A space is an address space of a guest, numbered from 0 in the
 * order of appearance; -1: one beyond WATCH_SPACES_MAX, or none.
 */
enum watch_kind {
	WATCH_MAP,	  /* space, iova, last, enum trace_prot; at the moment that it takes hold */
	WATCH_UNMAP,	  /* space, iova, last, 0 */
	WATCH_DMA,	  /* space, iova, last, 1: a write, + 2: refused */
	WATCH_STALE,	  /* space, iova, 0, 1: a write; through an entry whose mapping is gone */
	WATCH_INVALIDATE, /* guest, iova, last, when it is done */
	WATCH_FLUSH,	  /* guest, entries, 0, when it is done */
	WATCH_ROUND,	  /* round, pages, time to send them, 0 */
	WATCH_PLANTED,	  /* kind, iova, 0, 0 */
	WATCH_GONE,	  /* space, 0, 0, 0: with all its mappings */
	WATCH_UNMAPPED,	  /* iova, last, 0, 0: the call that unmapped it has returned */
	WATCH_SPACE,	  /* space, guest, 0, 0: there is one */
};

#define WATCH_SPACES_MAX 16u

/* Numbers of one moment: kind, time in ns, then four as above. What is larger than 2^53 is rounded. */
#define WATCH_NUMBERS 6u

/* Moments that are kept between two watch_take(): later ones are only counted. */
#define WATCH_MOMENTS_MAX 400000u

struct watch;

/* scenario: its name. NULL: out of memory. */
struct watch *watch_create(const char *scenario);
void watch_destroy(struct watch *watch);

/* What a log is made with; it does not own watch. */
struct sim_sink watch_sink(struct watch *watch);

/* The moments since the last call; *numbers is borrowed till the next event. Returns how many. */
size_t watch_take(struct watch *watch, const double **numbers);
/* Moments that had no room. */
double watch_lost(const struct watch *watch);

/* After the log has finished: what `ioasis check` prints of the trace. */
void watch_print_check(struct watch *watch, FILE *out);
/* The exit status that it gives: 0 the rules hold, 1 one is broken, 2 it cannot be decided. */
int watch_check_status(const struct watch *watch);

#endif
