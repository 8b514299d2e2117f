/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A register of a device, read by pread64(): a VMM does so each time that its guest reads one.
 * The filter stops reads of 1, 2, 4 and 8 bytes; all of other files, and writes, which a
 * signal that ends them could not be told from, go on.
 */
#ifndef IOASIS_SIM_EXEC_READ_CALLS_H
#define IOASIS_SIM_EXEC_READ_CALLS_H

#include "sim/exec/caller.h"
#include "sim/fuse/device.h"

/* Answers a pread64(). */
void read_call_answer(struct fuse_device *device, const struct caller *caller);

/* Whether fd of the caller is an open file that read_call_answer() answers for. */
bool read_call_is_for(struct fuse_device *device, const struct caller *caller, int fd);

#endif
