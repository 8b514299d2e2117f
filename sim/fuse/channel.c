/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/channel.h"
#include "sim/fuse/workers.h"
#include "sim/fuse/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define INTERRUPT_RETRY_NS 10000000u
#define SMALL_BYTES 112u
#define DRAIN_NS 100000000u /* others may fill the queue faster than it is emptied */
/* One that takes longer waits for a client: for a call of the same open file, say. */
#define RELEASE_NS 1000000000u

/* Writes one message to the kernel: an answer, or with unique 0 a notice (its code in error). */
static void send_message(struct fuse_channel *channel, uint64_t unique, int error,
			 const void *data, size_t size)
{
	struct {
		struct fuse_out_header out;
		char data[SMALL_BYTES];
	} message = {
		.out = {
			.len = (uint32_t)(sizeof(message.out) + size),
			.error = error,
			.unique = unique,
		},
	};
	struct iovec iov[2] = {
		{ .iov_base = &message.out, .iov_len = sizeof(message.out) },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = size },
	};
	ssize_t n;

	/*
	 * The kernel pins the pages of each piece: one piece is cheaper. ENOENT (the
	 * caller is gone) and ENODEV (the mount is) are not ours to mend.
	 */
	if (size <= SMALL_BYTES) {
		if (size)
			memcpy(message.data, data, size);
		n = write(channel->fd, &message, message.out.len);
	} else {
		n = writev(channel->fd, iov, 2);
	}
	(void)n;
}

void fuse_request_reply(const struct fuse_request *request, int error, const void *data,
			size_t size)
{
	/* Once only: the caller may have been answered because it was killed. */
	if (__atomic_exchange_n(&request->worker->unique, 0, __ATOMIC_ACQ_REL))
		send_message(request->channel, request->in->unique, error, data,
			    error ? 0 : size);
}

bool fuse_request_abandoned(const struct fuse_request *request)
{
	return __atomic_load_n(&request->worker->abandoned, __ATOMIC_ACQUIRE);
}

void fuse_request_sleep_ns(const struct fuse_request *request, uint64_t ns)
{
	struct fuse_channel *channel = request->channel;
	struct timespec end = deadline_after(ns);

	fuse_workers_hand_over(channel);
	if (ns < 1000000) { /* too short for a signal to matter */
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
		return;
	}
	pthread_mutex_lock(&channel->lock);
	while (!__atomic_load_n(&request->worker->interrupted, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&channel->ended, __ATOMIC_RELAXED)) {
		if (pthread_cond_timedwait(&channel->changed, &channel->lock, &end))
			break;
	}
	pthread_mutex_unlock(&channel->lock);
}

void fuse_channel_expect(struct fuse_channel *channel)
{
	fuse_workers_hand_over(channel);
}

void fuse_channel_notify_poll(struct fuse_channel *channel, uint64_t kh)
{
	struct fuse_notify_poll_wakeup_out wakeup = { .kh = kh };

	send_message(channel, 0, FUSE_NOTIFY_POLL, &wakeup, sizeof(wakeup));
}

/* ---- requests that are the connection's own -------------------------------------- */

static void answer_init(struct fuse_channel *channel, const struct fuse_in_header *in,
			const void *arg)
{
	const struct fuse_init_in *init = arg;
	uint64_t offered = init->flags, taken;
	struct fuse_init_out out;

	if (init->major < 7 || (init->major == 7 && init->minor < 23)) { /* Linux 3.15 */
		send_message(channel, in->unique, -EPROTO, NULL, 0);
		return;
	}
	if (init->flags & FUSE_INIT_EXT)
		offered |= (uint64_t)init->flags2 << 32;
	taken = offered & (channel->extra_init_flags | FUSE_INIT_EXT | FUSE_BIG_WRITES |
			   FUSE_PARALLEL_DIROPS | FUSE_ATOMIC_O_TRUNC);
	out = (struct fuse_init_out){
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = init->max_readahead,
		.flags = (uint32_t)taken,
		.flags2 = (uint32_t)(taken >> 32),
		.max_background = 64,
		.congestion_threshold = 48,
		.max_write = FUSE_CHANNEL_WRITE_MAX,
		.time_gran = 1,
	};
	send_message(channel, in->unique, 0, &out, sizeof(out));
}

/* Whether SIGKILL is on its way to the thread: a deadly signal of any kind becomes one. */
static bool is_being_killed(uint32_t tid)
{
	char path[64], text[2048], *line;
	unsigned long long pending = 0, of_thread, of_process;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return true;
	text[n] = '\0';
	line = strstr(text, "\nSigPnd:");
	if (line && sscanf(line, "\nSigPnd: %llx", &of_thread) == 1)
		pending |= of_thread;
	line = strstr(text, "\nShdPnd:");
	if (line && sscanf(line, "\nShdPnd: %llx", &of_process) == 1)
		pending |= of_process;
	return pending & 1ull << (SIGKILL - 1);
}

static struct fuse_worker *find_worker_locked(struct fuse_channel *channel, uint64_t unique)
{
	struct fuse_worker *worker = channel->workers;

	while (worker && __atomic_load_n(&worker->unique, __ATOMIC_ACQUIRE) != unique)
		worker = worker->next;
	return worker;
}

/*
 * The caller of a request got a signal. The kernel's iommufd does not heed signals,
 * so nothing happens, except that delays end, and that a caller that is being
 * killed gets its answer now: it may be its own exit that the request waits for
 * (userfaultfd). A kill that follows another signal is not told to us, so while the
 * request lasts the kernel is asked to tell again (EAGAIN). It stops by itself when
 * the request has been answered.
 */
static void handle_interrupt(struct fuse_channel *channel, const struct fuse_in_header *in,
			     const void *arg)
{
	const struct fuse_interrupt_in *interrupt = arg;
	struct fuse_worker *worker;
	struct timespec pause = { .tv_nsec = INTERRUPT_RETRY_NS };
	uint32_t tid = 0;

	pthread_mutex_lock(&channel->lock);
	worker = find_worker_locked(channel, interrupt->unique);
	if (worker) {
		tid = __atomic_load_n(&worker->caller_tid, __ATOMIC_RELAXED);
		__atomic_store_n(&worker->interrupted, true, __ATOMIC_RELAXED);
		pthread_cond_broadcast(&channel->changed);
	}
	pthread_mutex_unlock(&channel->lock);
	fuse_workers_hand_over(channel);
	nanosleep(&pause, NULL); /* a delay that has just ended gives a better answer than EINTR */
	if (!worker || !is_being_killed(tid))
		goto out_again;

	pthread_mutex_lock(&channel->lock);
	worker = find_worker_locked(channel, interrupt->unique);
	if (worker) {
		uint64_t unique = interrupt->unique;

		/* First the mark, then the answer that lets the caller go. */
		__atomic_store_n(&worker->abandoned, true, __ATOMIC_SEQ_CST);
		if (__atomic_compare_exchange_n(&worker->unique, &unique, 0, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			send_message(channel, interrupt->unique, -EINTR, NULL, 0);
	}
	pthread_mutex_unlock(&channel->lock);
	return;
out_again:
	send_message(channel, in->unique, -EAGAIN, NULL, 0);
}

void fuse_channel_handle(struct fuse_worker *worker, size_t size, bool must_not_wait)
{
	struct fuse_channel *channel = worker->channel;
	const struct fuse_in_header *in = (void *)worker->buffer;
	struct fuse_request request = {
		.channel = channel,
		.worker = worker,
		.in = in,
		.arg = in + 1,
		.arg_bytes = size - sizeof(*in),
		.must_not_wait = must_not_wait,
	};

	switch (in->opcode) {
	case FUSE_INIT:
		answer_init(channel, in, request.arg);
		return;
	case FUSE_INTERRUPT:
		handle_interrupt(channel, in, request.arg);
		return;
	case FUSE_DESTROY:
		send_message(channel, in->unique, 0, NULL, 0);
		return;
	}
	__atomic_store_n(&worker->interrupted, false, __ATOMIC_RELAXED);
	__atomic_store_n(&worker->abandoned, false, __ATOMIC_RELAXED);
	__atomic_store_n(&worker->caller_tid, in->pid, __ATOMIC_RELAXED);
	__atomic_store_n(&worker->unique, in->unique, __ATOMIC_RELEASE);
	channel->handler(channel->opaque, &request);
	__atomic_store_n(&worker->unique, 0, __ATOMIC_RELEASE);
}

/* ---- start and end --------------------------------------------------------------- */

int fuse_channel_start(int fd, fuse_handler handler, void *opaque, uint64_t extra_init_flags,
		       enum fuse_channel_order order, struct fuse_channel **out)
{
	struct fuse_channel *channel = calloc(1, sizeof(*channel));
	int err;

	if (!channel) {
		close(fd);
		return -ENOMEM;
	}
	channel->fd = fd;
	channel->handler = handler;
	channel->opaque = opaque;
	channel->extra_init_flags = extra_init_flags;
	channel->kind = order;
	channel->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (order == FUSE_CHANNEL_DRAINABLE) /* see worker_read() */
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*out = channel; /* before a thread hands it a request */
	err = channel->ended_fd < 0 ? -EMFILE : fuse_workers_start(channel);
	if (!err)
		return 0;
	*out = NULL;
	fuse_channel_free(channel);
	return err;
}

void fuse_channel_await_releases_for(struct fuse_channel *channel, uint64_t ns)
{
	struct timespec end;

	if (!__atomic_load_n(&channel->releases, __ATOMIC_ACQUIRE))
		return;
	end = deadline_after(ns);
	pthread_mutex_lock(&channel->lock);
	while (__atomic_load_n(&channel->releases, __ATOMIC_ACQUIRE) > channel->overdue &&
	       pthread_cond_timedwait(&channel->changed, &channel->lock, &end) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&channel->lock);
}

/* A RELEASE that is not done within the time is waited for only once. */
void fuse_channel_await_releases(struct fuse_channel *channel)
{
	struct timespec end;

	if (!__atomic_load_n(&channel->releases, __ATOMIC_ACQUIRE))
		return;
	end = deadline_after(RELEASE_NS);
	pthread_mutex_lock(&channel->lock);
	while (__atomic_load_n(&channel->releases, __ATOMIC_ACQUIRE) > channel->overdue) {
		if (pthread_cond_timedwait(&channel->changed, &channel->lock, &end) == ETIMEDOUT)
			channel->overdue = __atomic_load_n(&channel->releases, __ATOMIC_ACQUIRE);
	}
	pthread_mutex_unlock(&channel->lock);
}

static bool is_queue_empty(struct fuse_channel *channel)
{
	struct pollfd queue = { .fd = channel->fd, .events = POLLIN };

	return poll(&queue, 1, 0) <= 0 || !(queue.revents & POLLIN);
}

void fuse_channel_drain(struct fuse_channel *channel)
{
	struct timespec end;

	pthread_mutex_lock(&channel->order);
	if (!is_queue_empty(channel)) {
		end = deadline_after(DRAIN_NS);
		channel->drainers++;
		fuse_workers_hand_over(channel);
		while (!pthread_cond_timedwait(&channel->taken, &channel->order, &end) &&
		       !is_queue_empty(channel))
			;
		channel->drainers--;
	}
	pthread_mutex_unlock(&channel->order);
	fuse_channel_await_releases(channel);
}

unsigned int fuse_channel_stop(struct fuse_channel *channel, unsigned int grace_ms)
{
	unsigned int left;
	int nothing;

	fuse_workers_end(channel);
	left = fuse_workers_await(channel, grace_ms);
	/*
	 * The last reference to /dev/fuse ends the connection, so that callers get their
	 * error and may end, and with them what a thread is stuck in. The number stays
	 * taken: that thread will still write to it.
	 */
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing >= 0) {
		dup3(nothing, channel->fd, O_CLOEXEC);
		close(nothing);
	}
	return left ? fuse_workers_await(channel, grace_ms) : 0;
}

void fuse_channel_free(struct fuse_channel *channel)
{
	if (!channel)
		return;
	close(channel->fd);
	if (channel->ended_fd >= 0)
		close(channel->ended_fd);
	pthread_cond_destroy(&channel->changed);
	pthread_cond_destroy(&channel->watch);
	pthread_cond_destroy(&channel->reserve);
	pthread_cond_destroy(&channel->taken);
	pthread_mutex_destroy(&channel->order);
	pthread_mutex_destroy(&channel->lock);
	free(channel);
}

int fuse_channel_ended_fd(struct fuse_channel *channel)
{
	return channel->ended_fd;
}
