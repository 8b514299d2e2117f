/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for an order of concurrent calls that explains their answers (linearizability),
 * where no commits of the device tell it. It works on the records of the tracker
 * (analysis/state), which calls it when a call of the backend ends.
 */
#ifndef IOASIS_ANALYSIS_LINEARIZE_H
#define IOASIS_ANALYSIS_LINEARIZE_H

struct state;
struct state_object;
struct state_op;

/* Takes op, which has ended, over: it takes effect now, or when all that it overlaps has ended. */
void linearize(struct state *state, struct state_op *op);

/* Decides what is held of object, whatever is under way. The object may be gone afterwards. */
void linearize_flush(struct state *state, struct state_object *object);

#endif
