/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers the system calls of CMD that its filter stops (see filter.h): runs the
 * ioctl on the engine and puts the file that results into the caller.
 *
 * A pool of threads takes notifications, and there is always one more waiting
 * than are busy, so a call that takes long or a caller that is stopped holds up
 * nobody else. A caller that dies in its call only makes the answer undeliverable.
 *
 * Arguments are read again by whoever acts on them: what is looked at here first
 * decides nothing but the way that a call takes, and both ways are safe for both
 * answers.
 */
#ifndef IOASIS_SIM_EXEC_SUPERVISOR_H
#define IOASIS_SIM_EXEC_SUPERVISOR_H

#include "sim/exec/ioctl_calls.h"
#include "sim/fuse/device.h"

struct fail_nth_table;
struct supervisor;

struct supervisor_config {
	int listener;		    /* the supervisor's from now on */
	struct fuse_device *device; /* borrowed; outlives the supervisor */
	struct fail_nth_table *fail_nth; /* borrowed; NULL: nobody has such a file */
	struct rings *rings;		 /* borrowed; NULL: there are none */
};

/* Starts it. 0, or -errno with the listener still the caller's. */
int supervisor_start(const struct supervisor_config *config, struct supervisor **supervisor);

/* Whether CMD and all that it started have ended: nobody has the filter any more. */
bool supervisor_is_alone(const struct supervisor *supervisor);

/* How many ioctls there were so far. Borrowed. */
const struct ioctl_counts *supervisor_counts(const struct supervisor *supervisor);

/*
 * Stops answering and closes the listener: calls still stopped, and later ones,
 * end with ENOSYS. Waits for calls that are being answered, except for those
 * that a client keeps stuck; returns how many there are of these (with any, end
 * the process with _exit() before anything that they use goes away).
 */
unsigned int supervisor_stop(struct supervisor *supervisor);

#endif
