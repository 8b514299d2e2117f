/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sources ask of a system, as a page has it: one process and one thread without numbers,
 * no environment, no memory of other processes, and no trace in real time. In place of
 * tracepoints/op_id.c, identity.c and load.c, and of sim/process.
 */
#include "sim/learn/host.h"

#include <errno.h>
#include <stddef.h>

#include "sim/process/process.h"
#include "tracepoints/identity.h"
#include "tracepoints/load.h"
#include "tracepoints/op_id.h"

enum trace_mode trace_mode = TRACE_MODE_OFF;

static uint64_t last_op_id;
static uint64_t last_file_id;

struct trace *trace_of_process(void)
{
	return NULL;
}

struct trace_identity trace_identity_self(void)
{
	return (struct trace_identity){ .pid = 1, .tid = 1 };
}

uint64_t trace_op_id_next(void)
{
	return ++last_op_id;
}

uint64_t trace_op_id_last(void)
{
	return last_op_id;
}

uint64_t trace_file_id_next(void)
{
	return ++last_file_id;
}

uint32_t trace_tid(void)
{
	return 1;
}

/* ---- processes: a simulation's calls are all of INPROC_MEMORY_TRUSTED ---------------- */

struct process_table *process_table_create(void)
{
	return NULL;
}

void process_table_destroy(struct process_table *table)
{
	(void)table;
}

int process_client_init(struct process_client *pc, struct process_table *table,
			const struct engine_client_ops *ops, uint32_t tid, uint32_t uid)
{
	(void)pc;
	(void)table;
	(void)ops;
	(void)tid;
	(void)uid;
	return -ENOSYS;
}

void process_client_fini(struct process_client *pc)
{
	(void)pc;
}

/* ---- what emscripten's libc lacks ---------------------------------------------------- */

int memfd_create(const char *name, unsigned int flags)
{
	(void)name;
	(void)flags;
	errno = ENOSYS;
	return -1;
}

char *host_strerror_r(int number, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return strerror(number);
}

char *secure_getenv(const char *name)
{
	(void)name;
	return NULL;
}

/* What commands of the device answer (tracepoints/commands.h); glibc knows all. */
#define ERRNO_NAMES(NAME)                                                                    \
	NAME(E2BIG) NAME(EACCES) NAME(EADDRINUSE) NAME(EAGAIN) NAME(EBADF) NAME(EBUSY)       \
	NAME(ECANCELED) NAME(EDEADLK) NAME(EXDEV) NAME(ENFILE) NAME(EEXIST) NAME(EFAULT) NAME(EINTR) NAME(EINVAL)     \
	NAME(EIO) NAME(EMFILE) NAME(EMSGSIZE) NAME(ENODEV) NAME(ENOENT) NAME(ENOMEM)         \
	NAME(ENOSPC) NAME(ENOSYS) NAME(ENOTTY) NAME(ENXIO) NAME(EOPNOTSUPP) NAME(EOVERFLOW)  \
	NAME(EPERM) NAME(ERANGE) NAME(ETIMEDOUT) NAME(EADDRNOTAVAIL) NAME(EFBIG) NAME(EPIPE)

const char *strerrorname_np(int number)
{
	switch (number) {
#define CASE(NAME)  \
	case NAME:  \
		return #NAME;
		ERRNO_NAMES(CASE)
#undef CASE
	default:
		return NULL;
	}
}
