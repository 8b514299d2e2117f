/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stat() and its kin of the device's files, which are to look like the kernel's character
 * devices: a FUSE file of that type would open the host's driver of its number.
 */
#ifndef IOASIS_SIM_EXEC_STAT_CALLS_H
#define IOASIS_SIM_EXEC_STAT_CALLS_H

#include "sim/exec/caller.h"
#include "sim/fuse/device.h"

/* Answers stat, lstat, fstat, newfstatat and statx, or has the kernel do it. */
void stat_call_answer(struct fuse_device *device, const struct caller *caller);

#endif
