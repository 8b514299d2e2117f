/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of a FUSE connection: which of them reads, and when another must.
 *
 * Requests are taken by as few threads as can keep up, one for a client or two: a
 * thread that takes the next request right after an answer costs half of what two
 * that take turns do, since each of these has to be woken, often on another
 * processor. The others are in reserve. One of the reserve is the watcher: every
 * TICK, while there is something to do, it looks whether a thread is still at the
 * request that it was at before; then one of the reserve reads in its place. So a call
 * that waits, for memory of its client or for anything else, delays others by two
 * ticks at most, and only once. When the watcher itself goes to read, a new thread
 * takes its place.
 */
#ifndef IOASIS_SIM_FUSE_WORKERS_H
#define IOASIS_SIM_FUSE_WORKERS_H

#include "sim/fuse/channel.h"

#include <pthread.h>

/* Bytes that one WRITE request may carry. */
#define FUSE_CHANNEL_WRITE_MAX (64u << 10)

/* A thread, and the request that it works on. */
struct fuse_worker {
	struct fuse_channel *channel;
	struct fuse_worker *next;
	pthread_t thread;
	bool running; /* thread is set; under the lock */
	char *buffer;
	uint64_t turn;	    /* odd from taking a request to being done with it; __atomic */
	uint64_t turn_seen; /* by the watcher at its last tick; under the lock */
	uint64_t unique;      /* of the request that is not answered; 0: none; __atomic */
	uint32_t caller_tid;  /* whose request that is; __atomic */
	bool interrupted;     /* its caller got a signal; __atomic */
	bool abandoned;	      /* its caller was answered for it; __atomic */
};

struct fuse_channel {
	int fd;
	fuse_handler handler;
	void *opaque;
	uint64_t extra_init_flags;
	int ended_fd; /* an eventfd */
	bool ended;   /* __atomic */

	enum fuse_channel_order kind;
	pthread_mutex_t order; /* if there is one: reading and noting a RELEASE are one step */
	pthread_cond_t taken;  /* a request was, or there will be no more; with order */
	unsigned int drainers; /* who wait for that */
	unsigned int releases; /* RELEASEs taken and not done with; __atomic */
	unsigned int overdue;  /* how many of these nobody waits for any more; with lock */

	unsigned int reading; /* threads that wait for a request; __atomic */
	unsigned int wanted;  /* how many these should be; __atomic */
	unsigned int wanted_max;
	uint64_t callers;     /* a bit for each caller since the last tick, by hash; __atomic */
	bool watcher_asleep;  /* until a request comes; __atomic */

	pthread_mutex_t lock;
	pthread_cond_t changed;	 /* a thread ended, a caller was interrupted, the end */
	pthread_cond_t reserve;	 /* parked threads wait here, */
	pthread_cond_t watch;	 /* and the watcher here */
	bool watched;		 /* there is a watcher */
	unsigned int parked;	 /* threads in reserve, with the watcher; __atomic */
	unsigned int promoted;	 /* how many of them are asked to read */
	unsigned int quiet_ticks;
	struct fuse_worker *workers;
	unsigned int workers_count;
};

/* Prepares the threads' part of a channel; starts the first ones. 0, -ENOMEM, -EAGAIN. */
int fuse_workers_start(struct fuse_channel *channel);

/* Waits up to grace_ms for all to end, after fuse_workers_end(); returns how many have not. */
unsigned int fuse_workers_await(struct fuse_channel *channel, unsigned int grace_ms);

/* No more requests: all threads go as soon as they can. */
void fuse_workers_end(struct fuse_channel *channel);

/* The calling thread is going to sleep in a request: another is to read instead of it, now. */
void fuse_workers_hand_over(struct fuse_channel *channel);

/* Handles what is in worker's buffer (size bytes). In channel.c. */
void fuse_channel_handle(struct fuse_worker *worker, size_t size, bool must_not_wait);

#endif
