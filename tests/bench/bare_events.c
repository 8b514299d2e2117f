/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/bare_events.h"

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "tests/bench/bare_events_tp.h"

__attribute__((visibility("default"))) void bare_events_emit(uint32_t calls, int32_t fd,
							     uint32_t ioas, uint64_t size)
{
	for (uint32_t i = 0; i < calls; i++) {
		uint64_t iova = (uint64_t)i << 12;

		lttng_ust_tracepoint(ioasis_sim, bare_begin, i, 1, 1, fd, ioas, iova, size, 0);
		/* The compiler may keep nothing in registers across this. */
		__asm__ volatile("" ::: "memory");
		lttng_ust_tracepoint(ioasis_sim, bare, i, 1, fd, ioas, iova, size, 0, 0);
	}
}
