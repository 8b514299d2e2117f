/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine, the event core and the scenarios as a page calls them: compiled to WebAssembly, one
 * run at a time.
 *
 *	learn_load	the scenario's text; "" or what is wrong with it
 *	learn_begin	a world, at time 0
 *	learn_run	for a while; learn_step: one event
 *	learn_...	what is to be shown of it now
 *	learn_end	the result, as `ioasis simulate --json` prints it
 *
 * Text is UTF-8 and, where it is returned, borrowed until the next call. Numbers of 64 bits are
 * doubles, as in JavaScript: exact up to 2^53.
 */
#ifndef IOASIS_LEARN_LEARN_H
#define IOASIS_LEARN_LEARN_H

#include <stddef.h>

/*
 * Reads a scenario, called FILE in what is wrong with it. settings: lines of SECTION.KEY=VALUE, as
 * --set takes them. Returns "" or one line: FILE:LINE: KEY: what is wrong; what would be right.
 */
const char *learn_load(const char *file, const char *text, const char *settings);

/*
 * Of what was loaded: {"name", "about", "duration_ns", "guests", "iotlb_entries", "takes"}; the last
 * is how long the program would take, where that is worth a word.
 */
const char *learn_scenario(void);

/*
 * Begins a run; one that was begun is dropped. seed: digits. watched: with events for pictures
 * and the checker, which make it slower. Returns "" or what is wrong.
 */
const char *learn_begin(const char *seed, int watched);

/* Runs to until_ns, but at most so many events. 0: there is more to do before until_ns. */
int learn_run(double until_ns, double events_max);
/* One event. 0: it was the last. */
int learn_step(void);
double learn_now_ns(void);

/* The moments since the last call (watch.h); *count how many. Of a watched run. */
const double *learn_moments(void);
double learn_moments_count(void);
double learn_moments_lost(void);

/* How full queues and rings are now, counts so far, and, where asked for, the IOTLB: JSON. */
const char *learn_state(int iotlb);

/*
 * How an access of the first guest's device to iova (0x...) would be translated now: JSON; "" while
 * there is no device, or when iova is no address.
 */
const char *learn_walk(const char *iova);

/* Ends the run. What `ioasis simulate --json` prints for the same file, settings and seed. */
const char *learn_end(void);
/* After learn_end(): rows as {"group", "name", "text", "shown", "value"}. */
const char *learn_rows(void);
/* After learn_end() of a watched run: what `ioasis check` prints of its trace, and its status. */
const char *learn_check(void);
int learn_check_status(void);

/* What `ioasis simulate --keys` prints of the sections and keys. */
const char *learn_keys(void);

#endif
