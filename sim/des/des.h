/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulation: a clock in virtual nanoseconds and the events that move it.
 *
 * Nothing here knows the wall clock. Not thread-safe: one simulation, one thread.
 */
#ifndef IOASIS_DES_DES_H
#define IOASIS_DES_DES_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/des/event_queue.h"

struct des {
	struct des_queue *queue; /* owned */
	uint64_t now_ns;
	uint64_t fired_count;
};

/* Starts at time 0 with nothing pending. 0 or -ENOMEM. */
int des_init(struct des *des);
void des_fini(struct des *des);

/* Schedules an event at time_ns, which must not be past; aborts if it is. */
des_event_id des_at(struct des *des, uint64_t time_ns, unsigned int priority, des_fire_fn fire,
		    void *opaque, uint64_t arg);

/* The same, delay_ns from now, with normal priority. */
des_event_id des_after(struct des *des, uint64_t delay_ns, des_fire_fn fire, void *opaque,
		       uint64_t arg);

/* Takes an event back; false when it has fired. */
bool des_cancel(struct des *des, des_event_id id);

/* Fires the next event if it is not after until_ns; false: there is none, now_ns is until_ns. */
bool des_step(struct des *des, uint64_t until_ns);

/* ---- resources --------------------------------------------------------- */

/*
 * One server, first come first served, for work whose length is known when it
 * is asked for: a link, a DMA engine. It needs no events: the start of the next
 * piece of work is the end of the last. What is asked for ahead of time (a lock,
 * an invalidation queue) is a des_calendar (calendar.h).
 */
struct des_server {
	uint64_t free_at_ns;
	uint64_t busy_ns; /* sum of work */
	uint64_t wait_ns; /* sum of waiting before work */
	uint64_t jobs_count;
	uint64_t waited_count; /* jobs that had to wait */
	uint64_t longest_wait_ns;
};

/*
 * Asks for work_ns of the server at time now_ns and returns when the work ends.
 * Calls must come in the order of now_ns to be first come first served.
 */
uint64_t des_server_use(struct des_server *server, uint64_t now_ns, uint64_t work_ns);

#endif
