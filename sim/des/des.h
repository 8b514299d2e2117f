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
 * is asked for: a DMA engine, a link, an invalidation queue, a page-table lock.
 * It needs no events: the start of the next piece of work is the end of the last.
 */
struct des_server {
	uint64_t free_at_ns;
	uint64_t busy_ns;  /* sum of work */
	uint64_t wait_ns;  /* sum of waiting before work */
	uint64_t jobs_count;
	uint64_t waited_count; /* jobs that had to wait */
	uint64_t longest_wait_ns;
};

/*
 * Asks for work_ns of the server at time now_ns and returns when the work ends.
 * Calls must come in the order of now_ns to be first come first served.
 */
uint64_t des_server_use(struct des_server *server, uint64_t now_ns, uint64_t work_ns);

/*
 * A lock with a queue, for holders that do not know how long they will hold it.
 * Waiters get it in the order they asked; `granted` fires at the time of the release.
 */
struct des_lock_waiter;

struct des_lock {
	struct des *des;	       /* borrowed */
	struct des_lock_waiter *first; /* owned */
	struct des_lock_waiter **last_next;
	uint64_t waiters_count;
	uint64_t waited_count;
	uint64_t wait_ns;
	bool held;
};

void des_lock_init(struct des_lock *lock, struct des *des);
/* Nobody may wait any more or everything ends now. */
void des_lock_fini(struct des_lock *lock);
/* True: the caller holds it now. False: granted(opaque, arg) fires once it does. Aborts: no memory. */
bool des_lock_acquire(struct des_lock *lock, des_fire_fn granted, void *opaque, uint64_t arg);
/* Gives it up to the next in line, if any. It must be held. */
void des_lock_release(struct des_lock *lock);

#endif
