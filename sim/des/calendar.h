/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One server that is reserved ahead of time: who asks for work at a time gets the
 * first free stretch from there on that is long enough.
 *
 * Unlike des_server, whose users ask in the order of time, a user here may look
 * ahead (a driver that makes two calls in one event asks for the second one's lock
 * a microsecond early) without making others wait for time that no one uses.
 */
#ifndef IOASIS_DES_CALENDAR_H
#define IOASIS_DES_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct des_stretch {
	uint64_t start_ns;
	uint64_t end_ns; /* not included */
};

struct des_calendar {
	struct des_stretch *busy; /* by rising time, apart from each other; owned */
	size_t first;		  /* what is before was long ago */
	size_t end;
	size_t size;
	uint64_t busy_ns; /* sum of work */
	uint64_t wait_ns; /* sum of waiting before work */
	uint64_t jobs_count;
	uint64_t waited_count;
};

void des_calendar_init(struct des_calendar *calendar);
void des_calendar_fini(struct des_calendar *calendar);

/*
 * Reserves work_ns at or after now_ns and returns when the work ends. floor_ns:
 * nothing will be asked for before it any more (the simulation's time now). Aborts
 * when out of memory.
 */
uint64_t des_calendar_use(struct des_calendar *calendar, uint64_t floor_ns, uint64_t now_ns,
			  uint64_t work_ns);

/* When the last of what is reserved ends; 0: nothing is. */
uint64_t des_calendar_last_end(const struct des_calendar *calendar);

#endif
