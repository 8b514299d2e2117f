/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /proc that a real iommufd would show something in, for --test-ops:
 * fail-nth of each thread, and VmPin and VmLck in a process's status.
 */
#ifndef IOASIS_SIM_EXEC_PROC_FILES_H
#define IOASIS_SIM_EXEC_PROC_FILES_H

#include "sim/exec/caller.h"
#include "sim/fuse/device.h"

struct fail_nth_table;

/* Answers open() and openat(): a file of ours, or the kernel does it. */
void proc_files_open(struct fail_nth_table *table, struct fuse_device *device,
		     const struct caller *caller);

#endif
