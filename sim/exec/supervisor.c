/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/supervisor.h"

#include "sim/exec/caller.h"
#include "sim/exec/fail_nth.h"
#include "sim/exec/ioctl_calls.h"
#include "sim/exec/map_calls.h"
#include "sim/exec/proc_files.h"
#include "sim/exec/read_calls.h"
#include "sim/exec/signal_calls.h"
#include "sim/exec/stat_calls.h"
#include "sim/exec/test_calls.h"
#include "sim/fuse/deadline.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Threads in reserve at most; more end when their call has. */
#define RESERVE_MAX 4u
#define TICK_NS 2000000
#define QUIET_TICKS 8u /* then the watcher sleeps until a call comes */
/* How long supervisor_stop() lets calls finish that are being answered. */
#define STOP_US 200000u
#define TICK_US 50u

/* Linux 6.6: the thread that a call wakes, and the caller that an answer does, run here. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

struct worker {
	struct supervisor *supervisor;
	struct worker *next, **link; /* with the lock */
	pthread_t thread;
	bool running; /* thread is set; with the lock */
	uint64_t turn, turn_seen; /* odd while it has a call; by the watcher's last look; same */
};

struct supervisor {
	struct supervisor_config config;
	size_t notif_bytes;
	struct ioctl_counts counts;

	pthread_mutex_t lock;
	pthread_cond_t reserve; /* threads in reserve wait here, */
	pthread_cond_t watch;	/* and the watcher here */
	struct worker *workers;
	unsigned int count;	/* of workers */
	unsigned int receiving; /* threads that wait for a call */
	unsigned int receiving_max;
	unsigned int reserved;	/* threads in reserve, with the watcher */
	unsigned int promoted;	/* how many of them are to receive */
	unsigned int quiet_ticks;
	bool watched, watcher_asleep;
	bool stopping; /* __atomic */
};

static void handle(struct supervisor *supervisor, const struct seccomp_notif *notif)
{
	struct caller caller = { .listener = supervisor->config.listener, .notif = notif };

	switch (notif->data.nr) {
	case __NR_ioctl:
		ioctl_call_answer(supervisor->config.device, supervisor->config.fail_nth,
				  supervisor->config.rings, &supervisor->counts, &caller);
		break;
	case __NR_read:
	case __NR_write:
		test_move_nothing(supervisor->config.device, &caller);
		break;
	case __NR_fstat:
	case __NR_newfstatat:
	case __NR_statx:
#ifdef __NR_stat
	case __NR_stat:
	case __NR_lstat:
#endif
		stat_call_answer(supervisor->config.device, &caller);
		break;
	case __NR_rt_sigreturn:
		signal_call_return(supervisor->config.device, &caller);
		break;
	case __NR_pread64:
		read_call_answer(supervisor->config.device, &caller);
		break;
	case __NR_mmap:
		map_call_answer(supervisor->config.device, &caller);
		break;
	default: /* one of the open family */
		proc_files_open(supervisor->config.fail_nth, supervisor->config.device, &caller);
		break;
	}
}

/* ---- threads --------------------------------------------------------------- */

static void *worker_main(void *opaque);

static void wake_up(int signal)
{
	(void)signal; /* only to end a wait with EINTR */
}

/* The signal that gets threads out of a wait for a call. */
static int wake_signal(void)
{
	return SIGRTMIN + 5;
}

/* Starts a waiting thread; false: not now, the busy ones come back to it. Locked. */
static bool worker_add(struct supervisor *supervisor)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (!worker)
		return false;
	worker->supervisor = supervisor;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, worker_main, worker);
	pthread_attr_destroy(&attr);
	if (rc) {
		free(worker);
		return false;
	}
	worker->next = supervisor->workers;
	if (worker->next)
		worker->next->link = &worker->next;
	worker->link = &supervisor->workers;
	supervisor->workers = worker;
	supervisor->count++;
	return true;
}

static bool is_stopping(const struct supervisor *supervisor)
{
	return __atomic_load_n(&supervisor->stopping, __ATOMIC_ACQUIRE);
}

/* Whether nobody is left whose calls come here. */
static bool is_hung_up(const struct supervisor *supervisor)
{
	struct pollfd listener = { .fd = supervisor->config.listener };

	return poll(&listener, 1, 0) > 0 && listener.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/*
 * The next notification. 0; -EAGAIN: try again; -ESHUTDOWN: no more will come. The kernel
 * wakes one of the threads that wait here for each call.
 */
static int receive(struct supervisor *supervisor, struct seccomp_notif *notif)
{
	memset(notif, 0, supervisor->notif_bytes); /* the kernel insists */
	if (!ioctl(supervisor->config.listener, SECCOMP_IOCTL_NOTIF_RECV, notif))
		return 0;
	if (is_stopping(supervisor))
		return -ESHUTDOWN;
	/* ENOENT: the caller died before it was taken, or there is none any more. */
	return errno != EINTR && is_hung_up(supervisor) ? -ESHUTDOWN : -EAGAIN;
}

static void worker_end_locked(struct worker *worker)
{
	*worker->link = worker->next;
	if (worker->next)
		worker->next->link = worker->link;
	worker->supervisor->count--;
	free(worker);
}

/* Has one of the reserve receive if all that did are at the call that they were at before. */
static void look_around_locked(struct supervisor *supervisor)
{
	unsigned int moving = 0;

	for (struct worker *worker = supervisor->workers; worker; worker = worker->next) {
		moving += worker->turn != worker->turn_seen;
		worker->turn_seen = worker->turn;
	}
	supervisor->quiet_ticks = moving ? 0 : supervisor->quiet_ticks + 1;
	if (!moving && !supervisor->receiving && !supervisor->promoted) {
		supervisor->promoted = 1;
		pthread_cond_broadcast(&supervisor->reserve);
	}
}

/* One tick, or as long as nothing happens. */
static void watch_locked(struct supervisor *supervisor)
{
	struct timespec end;

	if (supervisor->quiet_ticks >= QUIET_TICKS) {
		supervisor->watcher_asleep = true;
		pthread_cond_wait(&supervisor->watch, &supervisor->lock);
		supervisor->watcher_asleep = false;
		supervisor->quiet_ticks = 0;
		return;
	}
	end = deadline_after(TICK_NS);
	if (pthread_cond_timedwait(&supervisor->watch, &supervisor->lock, &end) == ETIMEDOUT)
		look_around_locked(supervisor);
}

/* In reserve until there is something to receive, or to end: false. */
static bool wait_in_reserve_locked(struct supervisor *supervisor)
{
	bool receive_now = false;

	if (supervisor->reserved >= RESERVE_MAX)
		return false;
	supervisor->reserved++;
	while (!is_stopping(supervisor) && !receive_now) {
		if (supervisor->promoted) {
			supervisor->promoted--;
			receive_now = true;
		} else if (!supervisor->watched) {
			supervisor->watched = true;
			watch_locked(supervisor);
			supervisor->watched = false;
		} else {
			pthread_cond_wait(&supervisor->reserve, &supervisor->lock);
		}
	}
	supervisor->reserved--;
	pthread_cond_signal(&supervisor->reserve); /* someone else is to watch */
	return receive_now;
}

/*
 * Calls are taken by as few threads as can keep up: one that takes the next right after an
 * answer is still on the caller's processor. One of the others watches (see
 * sim/fuse/workers.h, where it is the same).
 */
static void *worker_main(void *opaque)
{
	struct worker *worker = opaque;
	struct supervisor *supervisor = worker->supervisor;
	struct seccomp_notif *notif = malloc(supervisor->notif_bytes);
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, wake_signal());
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	pthread_mutex_lock(&supervisor->lock);
	worker->thread = pthread_self();
	worker->running = true;
	while (notif && !is_stopping(supervisor)) {
		int rc;

		if (supervisor->receiving >= supervisor->receiving_max &&
		    !wait_in_reserve_locked(supervisor))
			break;
		supervisor->receiving++;
		pthread_mutex_unlock(&supervisor->lock);
		rc = receive(supervisor, notif);
		pthread_mutex_lock(&supervisor->lock);
		supervisor->receiving--;
		if (rc == -ESHUTDOWN)
			break;
		if (rc)
			continue;
		worker->turn++;
		if (!supervisor->reserved)
			worker_add(supervisor);
		if (supervisor->watcher_asleep)
			pthread_cond_signal(&supervisor->watch);
		pthread_mutex_unlock(&supervisor->lock);
		handle(supervisor, notif);
		pthread_mutex_lock(&supervisor->lock);
		worker->turn++;
	}
	worker_end_locked(worker);
	pthread_mutex_unlock(&supervisor->lock);
	free(notif);
	return NULL;
}

static void supervisor_free(struct supervisor *supervisor)
{
	pthread_cond_destroy(&supervisor->watch);
	pthread_cond_destroy(&supervisor->reserve);
	pthread_mutex_destroy(&supervisor->lock);
	free(supervisor);
}

int supervisor_start(const struct supervisor_config *config, struct supervisor **out)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	struct sigaction wake = { .sa_handler = wake_up };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_condattr_t attr;
	struct seccomp_notif_sizes sizes = { 0 };
	int rc = 0;

	if (!supervisor)
		return -ENOMEM;
	supervisor->config = *config;
	syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
	supervisor->notif_bytes = sizes.seccomp_notif > sizeof(struct seccomp_notif)
					  ? sizes.seccomp_notif
					  : sizeof(struct seccomp_notif);
	/* Only faster: an older kernel has it not. */
	ioctl(config->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	sigaction(wake_signal(), &wake, NULL);
	supervisor->receiving_max = processors > 3 ? (unsigned int)processors / 2 : 1;
	pthread_mutex_init(&supervisor->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&supervisor->reserve, &attr);
	pthread_cond_init(&supervisor->watch, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&supervisor->lock);
	if (!worker_add(supervisor))
		rc = -EAGAIN;
	pthread_mutex_unlock(&supervisor->lock);
	if (rc) {
		supervisor_free(supervisor);
		return rc;
	}
	*out = supervisor;
	return 0;
}

/* Gets those out of their wait that have no call. Returns how many threads there are. */
static unsigned int wake_all(struct supervisor *supervisor)
{
	unsigned int left;

	pthread_mutex_lock(&supervisor->lock);
	for (struct worker *worker = supervisor->workers; worker; worker = worker->next) {
		if (worker->running)
			pthread_kill(worker->thread, wake_signal());
	}
	pthread_cond_broadcast(&supervisor->reserve);
	pthread_cond_broadcast(&supervisor->watch);
	left = supervisor->count;
	pthread_mutex_unlock(&supervisor->lock);
	return left;
}

bool supervisor_is_alone(const struct supervisor *supervisor)
{
	return is_hung_up(supervisor);
}

const struct ioctl_counts *supervisor_counts(const struct supervisor *supervisor)
{
	return &supervisor->counts;
}

unsigned int supervisor_stop(struct supervisor *supervisor)
{
	struct timespec tick = { .tv_nsec = TICK_US * 1000 };
	unsigned int left, ticks = 0;

	__atomic_store_n(&supervisor->stopping, true, __ATOMIC_RELEASE);
	while ((left = wake_all(supervisor)) && ticks++ < STOP_US / TICK_US)
		nanosleep(&tick, NULL);
	if (left)
		return left;
	/* The last thread let go of the lock before it was seen to be gone. */
	close(supervisor->config.listener);
	supervisor_free(supervisor);
	return 0;
}
