/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * op_id: the number of a call, unique on one machine while processes are.
 *
 * The process is the upper half (TRACE_WORD() of tracepoints/identity.h: 9 bits of when and
 * where it started, 22 bits of its id), a counter the lower. The begin and the end event of a
 * call carry the same op_id.
 */
#ifndef IOASIS_TRACEPOINTS_OP_ID_H
#define IOASIS_TRACEPOINTS_OP_ID_H

#include <stdint.h>

/*
 * The next op_id of this process; survives fork. Never 0. Dense: every number belongs to
 * a call whose events are wanted, so that a hole tells of events that were lost.
 */
uint64_t trace_op_id_next(void);

/* The last one that was given out; its lower half is 0 before the first. */
uint64_t trace_op_id_last(void);

/* The same for open files of the device: ctx in the events. From numbers of their own. */
uint64_t trace_file_id_next(void);

/* The calling thread's id, asked of the kernel once a thread (and again after fork). */
uint32_t trace_tid(void);

#endif
