/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * op_id: the number of a call, unique on one machine while process ids are.
 *
 * The process id is the upper half, a counter the lower. The begin and the end
 * event of a call carry the same op_id.
 */
#ifndef IOASIS_TRACEPOINTS_OP_ID_H
#define IOASIS_TRACEPOINTS_OP_ID_H

#include <stdint.h>

/* The next op_id of this process; survives fork. Never 0. */
uint64_t trace_op_id_next(void);

/* The calling thread's id, asked of the kernel once a thread (and again after fork). */
uint32_t trace_tid(void);

#endif
