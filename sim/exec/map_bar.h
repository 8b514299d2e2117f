/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmap() of a BAR: what is mapped is a memfd of ours, not the file that the program named.
 *
 * A seccomp supervisor cannot change a call's arguments. So the thread is traced for this
 * one call: its mmap() begins anew with the memfd in place of the file, and the memfd's
 * number is closed again before the thread goes on. A process of its own does that, since
 * whoever traces is told of the thread's stops, and the launcher waits for its client.
 */
#ifndef IOASIS_SIM_EXEC_MAP_BAR_H
#define IOASIS_SIM_EXEC_MAP_BAR_H

#include "sim/exec/caller.h"

/*
 * Answers caller's mmap() with one of memfd, ours, at offset. 0: it is done, or the call
 * comes again; -ENODEV: the thread cannot be traced (a debugger does, or this machine's
 * calls are not known), and the call is not answered.
 */
int map_bar(const struct caller *caller, int memfd, uint64_t offset);

#endif
