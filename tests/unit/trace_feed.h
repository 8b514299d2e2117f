/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds an analysis by hand: calls of a backend, commits of a device, at times of
 * the test's choice.
 */
#ifndef IOASIS_TESTS_TRACE_FEED_H
#define IOASIS_TESTS_TRACE_FEED_H

#include "analysis/analysis.h"

#define FEED_PID 100u

struct feed {
	struct analysis *analysis;
	uint64_t last_op;
	uint64_t seqs[64]; /* last commit number of each object */
};

/* Makes the analysis, with one machine. */
void feed_init(struct feed *feed);
void feed_fini(struct feed *feed);

/* A call as its begin event; returns its op_id for feed_end(). */
uint64_t feed_begin(struct feed *feed, int64_t time_ns, const struct event *call);
void feed_end(struct feed *feed, int64_t time_ns, uint64_t op_id, const struct event *call);
/* Both: begins at time_ns, takes 10 ns. */
void feed_call(struct feed *feed, int64_t time_ns, const struct event *call);

/* Calls, to be given to the above. */
struct event feed_connect(uint64_t users_after);
struct event feed_disconnect(uint64_t users_after);
struct event feed_alloc_ioas(uint64_t id, int64_t ret);
struct event feed_free(uint64_t id);
struct event feed_map(uint64_t ioas, uint64_t iova, uint64_t size, int64_t ret);
struct event feed_unmap(uint64_t ioas, uint64_t iova, uint64_t size);

/* A commit of the open file 7, with the next number of its object. */
void feed_commit(struct feed *feed, int64_t time_ns, unsigned int kind, uint64_t object,
		 uint64_t iova, uint64_t last, uint64_t flags, uint64_t arg);
/* The same without the number: it is lost. */
void feed_commit_lost(struct feed *feed, uint64_t object);

/* Events of the machine were lost in the window. */
void feed_loss(struct feed *feed, int64_t first_ns, int64_t last_ns);

#endif
