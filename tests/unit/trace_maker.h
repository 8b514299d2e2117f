/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces made by hand: what a program and the device would emit, as the events that the analysis
 * reads. One machine, one process; time goes on by itself.
 *
 * Each event belongs to a CPU's stream, so that a test can lose a part of a stream.
 */
#ifndef IOASIS_TESTS_TRACE_MAKER_H
#define IOASIS_TESTS_TRACE_MAKER_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/analysis.h"
#include "analysis/check/check.h"

#define MAKER_PID 100u
#define MAKER_CTX 7000u
#define MAKER_STEP_NS 1000

struct trace_maker {
	struct event *events;
	size_t count, room;
	int64_t now_ns;
	uint64_t last_op;
	uint32_t cpus; /* streams */
	uint64_t random;
	bool device; /* with the device's events */
	enum check_leaks leaks; /* of the checker that maker_play() makes */
};

/* A call: what is asked. Fields that the call does not have are 0. */
struct maker_call {
	enum event_op op;
	uint32_t tid;
	uint64_t id, iova, size;
	bool readonly;
	uint64_t op_id;	      /* set by begin */
	uint64_t ioctl_op_id; /* set by ioctl_begin */
};

void maker_init(struct trace_maker *maker, bool device, uint64_t seed);
void maker_fini(struct trace_maker *maker);
uint64_t maker_random(struct trace_maker *maker, uint64_t below);

/* The steps of a call, each an event. */
void maker_begin(struct trace_maker *maker, struct maker_call *call);
void maker_ioctl_begin(struct trace_maker *maker, struct maker_call *call);
/* seq: of the object; arg: bytes of an unmap. */
void maker_commit(struct trace_maker *maker, const struct maker_call *call, uint64_t kind,
		  uint64_t object, uint64_t seq, uint64_t arg);
/* What the ioctl named, before its end with an error. */
void maker_refused(struct trace_maker *maker, const struct maker_call *call);
void maker_ioctl_end(struct trace_maker *maker, const struct maker_call *call, int64_t ret);
void maker_end(struct trace_maker *maker, const struct maker_call *call, int64_t ret,
	       uint64_t new_id);
/* An unmap that found nothing. */
void maker_end_non_exist(struct trace_maker *maker, const struct maker_call *call);

/* Whole calls without an ioctl: one after the other. */
void maker_connect(struct trace_maker *maker, uint64_t users, bool owned, int64_t fd);
/* fd below 0: it is closed, and the device releases its file. */
void maker_disconnect(struct trace_maker *maker, uint64_t users, int64_t fd);
uint64_t maker_call(struct trace_maker *maker, struct maker_call call, int64_t ret,
		    uint64_t new_id);

/* Events of the device alone. */
void maker_open(struct trace_maker *maker);
void maker_release(struct trace_maker *maker);
void maker_dma(struct trace_maker *maker, uint64_t pt, uint64_t iova, uint64_t size, bool write,
	       int64_t ret);
/*
 * An event of a VFIO device: 0000:00:05.0 in group 5, id 90, whose client is the process. cmd, what,
 * ret: of a call.
 */
struct event *maker_vfio(struct trace_maker *maker, enum event_kind kind, uint64_t cmd,
			 uint64_t what, int64_t ret);
/* The last event, to be changed. */
struct event *maker_last(struct trace_maker *maker);

/* A stretch of a stream that is lost. */
struct maker_loss {
	uint32_t cpu;
	int64_t first_ns, last_ns;
	bool untold; /* nothing says that it is missing */
};

/* Plays all but what the losses take into a new analysis with a checker, and finishes it. */
struct check *maker_play(const struct trace_maker *maker, const struct maker_loss *losses,
			 size_t losses_count, struct analysis **analysis);

#endif
