/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault injection by thread, as the kernel's /proc/TID/fail-nth: N written makes
 * the N-th point that can fail, in a call of this thread, fail; what is left of N
 * can be read. 0 switches it off, and is what is left once it failed.
 *
 * Facts: Documentation/fault-injection/fault-injection.rst, fs/proc/base.c
 * (proc_fail_nth_write), lib/fault-inject.c (should_fail_ex). A thread's number
 * outlives its file, as there.
 */
#ifndef IOASIS_SIM_EXEC_FAIL_NTH_H
#define IOASIS_SIM_EXEC_FAIL_NTH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fail_nth_table;

/* NULL: out of memory. */
struct fail_nth_table *fail_nth_table_create(void);
void fail_nth_table_destroy(struct fail_nth_table *table);

/* The number of thread tid, for engine_client.fail_nth; NULL: nothing was written. */
uint32_t *fail_nth_find(struct fail_nth_table *table, uint32_t tid);

/* The same, made if need be; NULL: out of memory. Lives as long as the table. */
uint32_t *fail_nth_get(struct fail_nth_table *table, uint32_t tid);

/* The file's contents: reads from offset, or takes text written. Bytes or -EINVAL. */
ssize_t fail_nth_read(uint32_t *number, char *buf, size_t len, uint64_t offset);
ssize_t fail_nth_write(uint32_t *number, const char *buf, size_t len);

/*
 * The thread that path means when thread tid opens it, for every name that
 * procfs has for a fail-nth file; 0: it is no such path. Relative paths are not
 * looked at.
 */
uint32_t fail_nth_path(const char *path, uint32_t tid);

#endif
