/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/workers.h"
#include "sim/fuse/deadline.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (FUSE_CHANNEL_WRITE_MAX + 8192u)
#define STACK_BYTES (512u << 10)
#define RESERVE_MAX 8u /* more threads than these in reserve end */
#define TICK_NS 2000000
#define QUIET_TICKS 8u	  /* then the watcher sleeps until a request comes */
#define CALLERS_A_READER 3u

static void *worker_main(void *arg);

static void wake_up(int signal)
{
	(void)signal; /* only to end read() with EINTR */
}

/* The signal that gets threads out of read(); blocked everywhere else. */
static int wake_signal(void)
{
	return SIGRTMIN + 5;
}

/* ---- making and ending threads --------------------------------------------------- */

static void worker_free_locked(struct fuse_worker *worker)
{
	struct fuse_channel *channel = worker->channel;
	struct fuse_worker **link = &channel->workers;

	while (*link != worker)
		link = &(*link)->next;
	*link = worker->next;
	channel->workers_count--;
	free(worker->buffer);
	free(worker);
}

static int worker_start(struct fuse_channel *channel)
{
	struct fuse_worker *worker = calloc(1, sizeof(*worker));
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int err;

	if (!worker)
		return -ENOMEM;
	worker->channel = channel;
	worker->buffer = malloc(BUFFER_BYTES);
	if (!worker->buffer) {
		free(worker);
		return -ENOMEM;
	}
	pthread_mutex_lock(&channel->lock);
	worker->next = channel->workers;
	channel->workers = worker;
	channel->workers_count++;
	pthread_mutex_unlock(&channel->lock);

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all); /* signals are for the main thread */
	sigdelset(&all, SIGBUS); /* but this one: see sim/pci/pci_memory.h */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, &attr, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (err) {
		pthread_mutex_lock(&channel->lock);
		worker_free_locked(worker);
		pthread_mutex_unlock(&channel->lock);
	}
	return -err;
}

static void worker_end(struct fuse_worker *worker)
{
	struct fuse_channel *channel = worker->channel;

	pthread_mutex_lock(&channel->lock);
	worker_free_locked(worker);
	pthread_cond_broadcast(&channel->changed);
	pthread_mutex_unlock(&channel->lock);
}

/* ---- the watcher ----------------------------------------------------------------- */

/* Asks for count parked threads to read. */
static void promote_locked(struct fuse_channel *channel, unsigned int count)
{
	channel->promoted = count < channel->parked ? count : channel->parked;
	pthread_cond_broadcast(&channel->reserve);
	pthread_cond_signal(&channel->watch);
}

/* Looks at all threads, and has others read where too few do. */
static void look_around_locked(struct fuse_channel *channel)
{
	uint64_t callers = __atomic_exchange_n(&channel->callers, 0, __ATOMIC_SEQ_CST);
	unsigned int moving = 0, able, wanted;

	for (struct fuse_worker *worker = channel->workers; worker; worker = worker->next) {
		uint64_t turn = __atomic_load_n(&worker->turn, __ATOMIC_RELAXED);

		moving += turn % 2 && turn != worker->turn_seen;
		worker->turn_seen = turn;
	}
	wanted = 1 + (unsigned int)__builtin_popcountll(callers) / CALLERS_A_READER;
	if (wanted > channel->wanted_max)
		wanted = channel->wanted_max;
	__atomic_store_n(&channel->wanted, wanted, __ATOMIC_RELAXED);
	/* A thread that is stuck has been replaced by then: nothing to watch. */
	channel->quiet_ticks = moving || callers ? 0 : channel->quiet_ticks + 1;
	able = __atomic_load_n(&channel->reading, __ATOMIC_RELAXED) + moving;
	if (able < wanted)
		promote_locked(channel, wanted - able);
}

/* One tick, or as long as nothing happens. */
static void watch_locked(struct fuse_channel *channel)
{
	struct timespec end;

	if (channel->quiet_ticks >= QUIET_TICKS) {
		__atomic_store_n(&channel->watcher_asleep, true, __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&channel->callers, __ATOMIC_SEQ_CST))
			pthread_cond_wait(&channel->watch, &channel->lock);
		__atomic_store_n(&channel->watcher_asleep, false, __ATOMIC_SEQ_CST);
		channel->quiet_ticks = 0;
		return;
	}
	end = deadline_after(TICK_NS);
	if (pthread_cond_timedwait(&channel->watch, &channel->lock, &end) == ETIMEDOUT)
		look_around_locked(channel);
}

/* Notes a caller, so that the watcher knows how many there are, and that there are any. */
static void note_caller(struct fuse_channel *channel, uint32_t tid)
{
	uint64_t bit = 1ull << ((tid * 0x9e3779b1u) >> 26);

	if (!(__atomic_load_n(&channel->callers, __ATOMIC_SEQ_CST) & bit))
		__atomic_or_fetch(&channel->callers, bit, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&channel->watcher_asleep, __ATOMIC_SEQ_CST)) {
		pthread_mutex_lock(&channel->lock);
		pthread_cond_signal(&channel->watch);
		pthread_mutex_unlock(&channel->lock);
	}
}

void fuse_workers_hand_over(struct fuse_channel *channel)
{
	pthread_mutex_lock(&channel->lock);
	if (!__atomic_load_n(&channel->reading, __ATOMIC_RELAXED) && !channel->promoted)
		promote_locked(channel, 1);
	pthread_mutex_unlock(&channel->lock);
}

/* ---- threads --------------------------------------------------------------------- */

static bool has_ended(const struct fuse_channel *channel)
{
	return __atomic_load_n(&channel->ended, __ATOMIC_RELAXED);
}

/* In reserve until asked to read: true; or until there is no more to do. */
static bool wait_in_reserve(struct fuse_channel *channel)
{
	bool read_now = false;

	pthread_mutex_lock(&channel->lock);
	if (channel->parked >= RESERVE_MAX) {
		pthread_mutex_unlock(&channel->lock);
		return false;
	}
	__atomic_add_fetch(&channel->parked, 1, __ATOMIC_RELAXED);
	while (!has_ended(channel) && !read_now) {
		if (channel->promoted) {
			channel->promoted--;
			__atomic_add_fetch(&channel->reading, 1, __ATOMIC_RELAXED);
			read_now = true;
		} else if (!channel->watched) {
			channel->watched = true;
			watch_locked(channel);
			channel->watched = false;
		} else {
			pthread_cond_wait(&channel->reserve, &channel->lock);
		}
	}
	__atomic_sub_fetch(&channel->parked, 1, __ATOMIC_RELAXED);
	pthread_cond_signal(&channel->reserve); /* someone else is to watch */
	pthread_mutex_unlock(&channel->lock);
	return read_now;
}

/* Until it is this thread's turn to read; false: it is to end. */
static bool take_turn(struct fuse_channel *channel)
{
	unsigned int reading = __atomic_load_n(&channel->reading, __ATOMIC_RELAXED);

	while (reading < __atomic_load_n(&channel->wanted, __ATOMIC_RELAXED)) {
		if (has_ended(channel))
			return false;
		if (__atomic_compare_exchange_n(&channel->reading, &reading, reading + 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	}
	return wait_in_reserve(channel);
}

/*
 * Takes the next request into the worker's buffer. As read(), with -errno. In a channel
 * that is drainable the wait comes first, so that the lock is never held for long.
 */
static ssize_t worker_read(struct fuse_worker *worker)
{
	struct fuse_channel *channel = worker->channel;
	const struct fuse_in_header *in = (void *)worker->buffer;
	struct pollfd queue = { .fd = channel->fd, .events = POLLIN };
	ssize_t n;

	if (channel->kind == FUSE_CHANNEL_DRAINABLE)
		poll(&queue, 1, -1);
	if (channel->kind != FUSE_CHANNEL_ANY_ORDER)
		pthread_mutex_lock(&channel->order);
	n = has_ended(channel) ? -EINTR : read(channel->fd, worker->buffer, BUFFER_BYTES);
	if (n == -1)
		n = -errno;
	if (n >= (ssize_t)sizeof(*in) && in->opcode == FUSE_RELEASE)
		__atomic_add_fetch(&channel->releases, 1, __ATOMIC_ACQ_REL);
	if (channel->drainers)
		pthread_cond_broadcast(&channel->taken);
	if (channel->kind != FUSE_CHANNEL_ANY_ORDER)
		pthread_mutex_unlock(&channel->order);
	return n;
}

static void worker_handle(struct fuse_worker *worker, size_t size, bool must_not_wait)
{
	struct fuse_channel *channel = worker->channel;
	bool release = ((struct fuse_in_header *)(void *)worker->buffer)->opcode == FUSE_RELEASE;
	unsigned int left;

	fuse_channel_handle(worker, size, must_not_wait);
	if (!release)
		return;
	pthread_mutex_lock(&channel->lock);
	left = __atomic_sub_fetch(&channel->releases, 1, __ATOMIC_ACQ_REL);
	if (channel->overdue > left)
		channel->overdue = left;
	pthread_cond_broadcast(&channel->changed);
	pthread_mutex_unlock(&channel->lock);
}

static void *worker_main(void *arg)
{
	struct fuse_worker *worker = arg;
	struct fuse_channel *channel = worker->channel;
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, wake_signal());
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	pthread_mutex_lock(&channel->lock);
	worker->thread = pthread_self();
	worker->running = true;
	pthread_mutex_unlock(&channel->lock);

	while (take_turn(channel)) {
		ssize_t n = worker_read(worker);
		bool last = false;

		__atomic_sub_fetch(&channel->reading, 1, __ATOMIC_RELAXED);
		if (n < 0) {
			/* ENOENT: the caller gave up before we took its request. */
			if (n == -EINTR || n == -ENOENT || n == -EAGAIN)
				continue;
			fuse_workers_end(channel); /* unmounted */
			break;
		}
		if ((size_t)n < sizeof(struct fuse_in_header))
			continue;
		__atomic_add_fetch(&worker->turn, 1, __ATOMIC_RELAXED);
		note_caller(channel, ((struct fuse_in_header *)(void *)worker->buffer)->pid);
		if (!__atomic_load_n(&channel->parked, __ATOMIC_RELAXED))
			last = worker_start(channel) != 0;
		worker_handle(worker, (size_t)n, last);
		__atomic_add_fetch(&worker->turn, 1, __ATOMIC_RELAXED);
	}
	worker_end(worker);
	return NULL;
}

/* ---- start and end --------------------------------------------------------------- */

int fuse_workers_start(struct fuse_channel *channel)
{
	struct sigaction wake = { .sa_handler = wake_up };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_condattr_t attr;
	int err;

	channel->wanted = 1;
	channel->wanted_max = processors > 3 ? (unsigned int)processors / 2 : 1;
	pthread_mutex_init(&channel->lock, NULL);
	pthread_mutex_init(&channel->order, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&channel->changed, &attr);
	pthread_cond_init(&channel->watch, &attr);
	pthread_cond_init(&channel->reserve, &attr);
	pthread_cond_init(&channel->taken, &attr);
	pthread_condattr_destroy(&attr);
	sigaction(wake_signal(), &wake, NULL);
	err = worker_start(channel);
	if (!err)
		worker_start(channel); /* else the first one tries again */
	return err;
}

void fuse_workers_end(struct fuse_channel *channel)
{
	pthread_mutex_lock(&channel->lock);
	__atomic_store_n(&channel->ended, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&channel->changed);
	pthread_cond_broadcast(&channel->watch);
	pthread_cond_broadcast(&channel->reserve);
	eventfd_write(channel->ended_fd, 1);
	pthread_mutex_unlock(&channel->lock);
}

unsigned int fuse_workers_await(struct fuse_channel *channel, unsigned int grace_ms)
{
	unsigned int left;

	for (unsigned int waited_ms = 0;; waited_ms++) {
		struct timespec tick = { .tv_nsec = 1000000 };

		pthread_mutex_lock(&channel->lock);
		left = channel->workers_count;
		for (struct fuse_worker *worker = channel->workers; worker; worker = worker->next) {
			if (worker->running)
				pthread_kill(worker->thread, wake_signal());
		}
		pthread_mutex_unlock(&channel->lock);
		if (!left || waited_ms >= grace_ms)
			return left;
		nanosleep(&tick, NULL);
	}
}
