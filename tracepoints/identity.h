/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a process is, so that a trace of many containers can tell processes apart: a number is
 * given out once in each pid namespace, and again when its process is gone.
 */
#ifndef IOASIS_TRACEPOINTS_IDENTITY_H
#define IOASIS_TRACEPOINTS_IDENTITY_H

#include <stdint.h>

struct trace_identity {
	uint32_t pid;	 /* as the process itself sees it: in its own pid namespace */
	uint32_t tid;	 /* of the thread, likewise */
	uint32_t pid_ns; /* inode of the namespace; 0: not known */
	uint32_t start;	 /* TRACE_START_BITS bits of when and where its program started; 0: not known */
};

/* Process ids are below 2^22 (PID_MAX_LIMIT in the kernel's include/linux/threads.h). */
#define TRACE_PID_BITS 22u
#define TRACE_START_BITS 9u

/* A process in 32 bits: the upper half of op_id and ctx. */
#define TRACE_WORD(start, pid) ((uint32_t)(start) << TRACE_PID_BITS | (uint32_t)(pid))
#define TRACE_WORD_PID(word) ((uint32_t)(word) & ((1u << TRACE_PID_BITS) - 1))
#define TRACE_WORD_START(word) \
	((uint32_t)(word) >> TRACE_PID_BITS & ((1u << TRACE_START_BITS) - 1))

/*
 * Fills pid_ns and start of the process whose folder in /proc this is ("/proc/self",
 * "/proc/77"); what cannot be read is 0. Everybody who names a process finds the same values.
 */
void trace_identity_read(const char *folder, struct trace_identity *identity);

/* This process; the calling thread. Read once, and again after a fork. */
struct trace_identity trace_identity_self(void);

#endif
