/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass over traces: events go in, observers are told what they meant.
 *
 *	analysis_create
 *	analysis_observe      checkers, tables, reports, exports: any number
 *	analysis_read         from trace directories (decode.c), or
 *	analysis_event,       by hand, in the order of time,
 *	analysis_loss
 *	analysis_finish       the end of the trace
 *	analysis_destroy
 *
 * Memory is proportional to what lives at one time (objects, mappings, calls
 * under way), not to how much happened. One thread uses an analysis.
 */
#ifndef IOASIS_ANALYSIS_ANALYSIS_H
#define IOASIS_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/event.h"
#include "analysis/quality.h"
#include "analysis/state/state.h"

struct analysis;

/*
 * What an observer hears; NULL members are skipped. Everything that is passed
 * is borrowed for the time of the call, but objects and contexts stay at their
 * address until their `..._end` was told, so they can serve as keys till then.
 */
struct analysis_observer {
	/* Every event, before the state changes. */
	void (*event)(void *opaque, const struct event *event);
	/* Events were lost: told at the beginning of the window. */
	void (*loss)(void *opaque, const struct event_loss *loss);
	/* A call begins. */
	void (*op_begin)(void *opaque, const struct state_op *op);
	/* A call came back; or (op->returned false) its end never came. */
	void (*op)(void *opaque, const struct state_op *op);
	/* A commit was read; it takes effect now or, when it came too early, later. */
	void (*commit_read)(void *opaque, const struct state_object *object,
			    const struct event *commit, const struct state_op *op);
	/*
	 * A commit takes effect: in the order of its object's numbers, before the state changes.
	 * op: the ioctl that made it, NULL if none or not known.
	 */
	void (*commit)(void *opaque, const struct state_object *object,
		       const struct event *commit, const struct state_op *op);
	/*
	 * Where no commits tell the order: a call of the backend takes effect, in an order that
	 * explains the answers of the calls that overlapped it, before the state changes.
	 */
	void (*linearized)(void *opaque, const struct state_op *op, enum linearized how);
	/* Some order of overlapping calls, of which op is one, would not explain its answer. */
	void (*order_matters)(void *opaque, const struct state_op *op, const struct state_op *with);
	void (*context_begin)(void *opaque, const struct state_context *context);
	void (*context_end)(void *opaque, const struct state_context *context, int64_t time_ns);
	/* An object lives: given out, or seen for the first time (object->born_seen). */
	void (*object_begin)(void *opaque, const struct state_object *object);
	void (*object_end)(void *opaque, const struct state_object *object, int64_t time_ns);
	/*
	 * A mapping lives, and is gone. With the device's commits in the trace
	 * they come from these, else from the backend's calls: never from both.
	 * op_id: of the call that unmapped it, 0: none (its object's end).
	 */
	void (*mapping_begin)(void *opaque, const struct state_object *object,
			      const struct state_mapping *mapping);
	void (*mapping_end)(void *opaque, const struct state_object *object,
			    const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id);
	/* A device uses a page table (attached) or no more. */
	void (*attach)(void *opaque, const struct state_object *object, uint64_t device,
		       bool attached, int64_t time_ns);
	/* After all else. */
	void (*finish)(void *opaque);
};

/* NULL only when out of memory. */
struct analysis *analysis_create(void);
void analysis_destroy(struct analysis *analysis);

/* Adds an observer; observer and opaque outlive the analysis. -ENOMEM when there are too many. */
int analysis_observe(struct analysis *analysis, const struct analysis_observer *observer,
		     void *opaque);

/* The next event, in the order of time (equal times: any order). */
void analysis_event(struct analysis *analysis, const struct event *event);

/* Lost events, at the beginning of their window. */
void analysis_loss(struct analysis *analysis, const struct event_loss *loss);

/*
 * The end: calls that never came back are told, then observers finish.
 * still_running: the trace was cut while its programs went on (a snapshot, a
 * live session), so what lives at the end is no leak.
 */
void analysis_finish(struct analysis *analysis, bool still_running);

/* What was read so far and how good it is. Lives as long as analysis. */
struct quality *analysis_quality(struct analysis *analysis);
struct state *analysis_state(struct analysis *analysis);
bool analysis_still_running(const struct analysis *analysis);
void analysis_set_still_running(struct analysis *analysis);

/*
 * Reads traces (directories that hold CTF traces, or net:// and net4:// addresses of a relay
 * daemon) with babeltrace2, feeds all their events, and finishes. 0, or a negative errno with
 * one line in error that names what could not be read and why.
 */
int analysis_read(struct analysis *analysis, char *const *paths, size_t count, char *error,
		  size_t error_size);

/*
 * How far analysis_read is: bytes of all packets that are done, of how many; total 0: not known (a
 * live session, or babeltrace2 reads). For observers, on its thread.
 */
void analysis_bytes(const struct analysis *analysis, uint64_t *done, uint64_t *total);

/* analysis_read ends early, as if the trace ended there. From any thread or signal handler. */
void analysis_stop(struct analysis *analysis);

/* Whether path is the address of a live session; every other path is that of a file or folder. */
bool analysis_is_live(const char *path);

/*
 * While analysis_read runs, text (size bytes, borrowed; NULL: nowhere) says which trace is read at
 * the moment: for who wants to know where the reader ended the program.
 */
void analysis_tell_path(struct analysis *analysis, char *text, size_t size);

#endif
