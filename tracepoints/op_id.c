/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracepoints/op_id.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracepoints/identity.h"

static uint64_t next_op_id;
static uint64_t next_file_id;
static struct trace_identity self;
static __thread uint32_t cached_tid;

/* Calls only what may be called between a fork and an exec. */
static void op_id_restart(void)
{
	uint64_t first;

	self.pid = (uint32_t)getpid();
	trace_identity_read("/proc/self", &self);
	first = (uint64_t)TRACE_WORD(self.start, self.pid) << 32;
	__atomic_store_n(&next_op_id, first, __ATOMIC_RELAXED);
	__atomic_store_n(&next_file_id, first, __ATOMIC_RELAXED);
	cached_tid = 0;
}

__attribute__((constructor)) static void op_id_init(void)
{
	op_id_restart();
	pthread_atfork(NULL, NULL, op_id_restart);
}

struct trace_identity trace_identity_self(void)
{
	struct trace_identity identity = self;

	identity.tid = trace_tid();
	return identity;
}

uint64_t trace_op_id_next(void)
{
	return __atomic_add_fetch(&next_op_id, 1, __ATOMIC_RELAXED);
}

uint64_t trace_op_id_last(void)
{
	return __atomic_load_n(&next_op_id, __ATOMIC_RELAXED);
}

uint64_t trace_file_id_next(void)
{
	return __atomic_add_fetch(&next_file_id, 1, __ATOMIC_RELAXED);
}

uint32_t trace_tid(void)
{
	if (!cached_tid)
		cached_tid = (uint32_t)syscall(SYS_gettid);
	return cached_tid;
}
