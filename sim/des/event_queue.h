/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event queue: what happens next, in virtual time.
 *
 * Events are ordered by (time, priority, sequence): at the same time the lower
 * priority number goes first, at the same priority the one scheduled earlier.
 * So the order never depends on addresses, hashing or the queue's own shape.
 *
 * Not thread-safe: one queue belongs to one thread.
 */
#ifndef IOASIS_DES_EVENT_QUEUE_H
#define IOASIS_DES_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct des_queue;

/* What an event does. opaque and arg are what was given when it was scheduled. */
typedef void (*des_fire_fn)(void *opaque, uint64_t arg);

/* Names a scheduled event; 0 names none. Never reused within 2^40 events of a slot. */
typedef uint64_t des_event_id;

#define DES_PRIORITY_FIRST  0u
#define DES_PRIORITY_NORMAL 4u
#define DES_PRIORITY_LAST   15u

/* Pending events at most; one more aborts. */
#define DES_PENDING_MAX (1u << 24)

struct des_event {
	uint64_t time_ns;
	des_fire_fn fire;
	void *opaque;
	uint64_t arg;
};

/* An empty queue. NULL: out of memory. */
struct des_queue *des_queue_create(void);
/* Drops all that is pending. NULL is fine. */
void des_queue_destroy(struct des_queue *queue);

/*
 * Schedules an event. priority: 0 to DES_PRIORITY_LAST. Aborts when out of memory
 * or beyond DES_PENDING_MAX: a simulation that lost an event would lie.
 */
des_event_id des_queue_push(struct des_queue *queue, uint64_t time_ns, unsigned int priority,
			    des_fire_fn fire, void *opaque, uint64_t arg);

/* Takes the next event into *event; false when there is none. */
bool des_queue_pop(struct des_queue *queue, struct des_event *event);

/* The time of the next event into *time_ns; false when there is none. */
bool des_queue_peek(struct des_queue *queue, uint64_t *time_ns);

/* Takes an event back. False when it has fired or was cancelled already. */
bool des_queue_cancel(struct des_queue *queue, des_event_id id);

/* Events that are still to fire. */
size_t des_queue_pending(const struct des_queue *queue);

/* Checks the heap's order and the free list; aborts with what is broken. For tests. */
void des_queue_verify(const struct des_queue *queue);

#endif
