/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmap() of the device file, which FUSE would grant. */
#ifndef IOASIS_SIM_EXEC_MAP_CALLS_H
#define IOASIS_SIM_EXEC_MAP_CALLS_H

#include "sim/exec/caller.h"
#include "sim/fuse/device.h"

/*
 * Answers an mmap() of CMD: what the kernel's device refuses is refused in its order,
 * all else (also what the kernel refuses before it asks a file) is let go on.
 */
void map_call_answer(struct fuse_device *device, const struct caller *caller);

#endif
