/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded backend calls, made again: on the engine in this process or on any
 * device, and their answers compared with the recorded ones.
 *
 * Ids differ between devices, so each recorded id is translated to the one that
 * was given out for it this time. Calls go out one by one in the order in which they
 * began. Memory is not the recorded one: only its size and alignment are.
 */
#ifndef IOASIS_SCENARIO_REPLAY_H
#define IOASIS_SCENARIO_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum replay_op {
	REPLAY_CONNECT,
	REPLAY_DISCONNECT,
	REPLAY_ALLOC_IOAS,
	REPLAY_FREE_ID,
	REPLAY_MAP,
	REPLAY_MAP_FILE,
	REPLAY_UNMAP,
	REPLAY_DEVICE_INFO,
	REPLAY_ALLOC_HWPT,
	REPLAY_SET_DIRTY,
	REPLAY_GET_DIRTY,
	REPLAY_OP_COUNT,
};

const char *replay_op_name(enum replay_op op);

struct replay_call {
	enum replay_op op;
	bool readonly;	  /* map; set_dirty: tracking on */
	bool any_errno;	  /* only whether it failed was recorded, not how */
	uint32_t backend; /* number of the backend object, from 0 */
	uint32_t id;	  /* the object that it names: ioas, page table, any */
	uint32_t new_id;  /* that it gave */
	uint32_t device_id;
	int32_t ret; /* 0 or -errno, as the device answered */
	uint64_t op_id;
	uint64_t iova;
	uint64_t size;
	int64_t begin_ns;
};

enum { REPLAY_DIFFERENCES_MAX = 10 };

struct replay_result {
	uint64_t calls_count[REPLAY_OP_COUNT];
	uint64_t same_count[REPLAY_OP_COUNT];
	uint64_t calls;
	uint64_t same;
	uint64_t unmade; /* that could not be made: they need a device, which is not here */
	uint64_t wall_ns;
	/* The first calls whose answers differ, and what was answered this time. */
	size_t differences_count;
	struct {
		const struct replay_call *call; /* borrowed from the caller of replay_run() */
		int32_t ret;
	} differences[REPLAY_DIFFERENCES_MAX];
};

struct replay_options {
	const char *device; /* a path; NULL: in this process */
	/* Virtual speed: recorded time times this many thousandths; 0: as fast as possible. */
	uint64_t slowness_permille;
	/* Asked now and then, with the calls made so far; false stops; may be NULL. */
	bool (*go_on)(void *opaque, uint64_t calls);
	void *opaque;
};

#define REPLAY_ERROR_BYTES 256

/*
 * Makes the calls (sorted by begin_ns). 0, -EINTR when go_on said no, or another
 * -errno with one line in error when the device cannot be used at all.
 */
int replay_run(const struct replay_call *calls, size_t count, const struct replay_options *options,
	       struct replay_result *result, char error[REPLAY_ERROR_BYTES]);

#endif
