/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioctl on the device's files, answered by a supervisor instead of FUSE: those whose
 * answer is a file for the caller, which FUSE cannot give, and where that is the way of a
 * call (way.h) all others, because it takes less time: the kernel runs this process, and then
 * the caller, on one processor. Where it is not certain at once what file it is, or whose memory, the call goes
 * on to FUSE, which gives the same answer.
 */
#ifndef IOASIS_SIM_EXEC_IOCTL_CALLS_H
#define IOASIS_SIM_EXEC_IOCTL_CALLS_H

#include "sim/exec/caller.h"
#include "sim/exec/fail_nth.h"
#include "sim/fuse/device.h"

struct rings;

/* How many ioctls went which way. */
struct ioctl_counts {
	uint64_t answered; /* here; __atomic */
	uint64_t let_go;   /* to FUSE, or to files of others; __atomic */
};

/*
 * Answers an ioctl. fail_nth: NULL: no thread has one. rings: NULL: there are none. Counts
 * it in counts.
 */
void ioctl_call_answer(struct fuse_device *device, struct fail_nth_table *fail_nth,
		       struct rings *rings, struct ioctl_counts *counts,
		       const struct caller *caller);

#endif
