/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When something is to be over, for pthread_cond_timedwait() on CLOCK_MONOTONIC. */
#ifndef IOASIS_SIM_FUSE_DEADLINE_H
#define IOASIS_SIM_FUSE_DEADLINE_H

#include <stdint.h>
#include <time.h>

static inline struct timespec deadline_after(uint64_t ns)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)(ns / 1000000000u);
	end.tv_nsec += (long)(ns % 1000000000u);
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return end;
}

#endif
