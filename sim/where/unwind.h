/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The return addresses of a thread that waits in a system call.
 *
 * How a frame is left is a rule of its address, read once from the program's CFI (DWARF call
 * frame information, .eh_frame or .debug_frame) and kept: afterwards a frame costs two loads.
 */
#ifndef IOASIS_SIM_WHERE_UNWIND_H
#define IOASIS_SIM_WHERE_UNWIND_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unwinder;

#define UNWIND_MAX 32u /* addresses of one stack */

/* Of process pid, whose program and libraries are looked at now. NULL: it cannot be read. */
struct unwinder *unwinder_create(uint32_t pid);
void unwinder_destroy(struct unwinder *unwinder);

/*
 * The addresses of thread tid's calls, the innermost first: pcs[0] is where the thread waits, the
 * others are return addresses. Returns how many; 0: the thread does not wait, or has ended.
 */
size_t unwinder_walk(struct unwinder *unwinder, uint32_t tid, uint64_t *pcs, size_t max);

/* For names of addresses; borrowed. */
Dwfl *unwinder_dwfl(struct unwinder *unwinder);

#endif
