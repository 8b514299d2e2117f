/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_WRITE_BYTES (64u << 10)
#define BUFFER_BYTES (MAX_WRITE_BYTES + 8192u)
#define STACK_BYTES (512u << 10)
#define IDLE_MIN 2u
#define IDLE_MAX 8u
#define INTERRUPT_RETRY_NS 10000000u

/* A thread, and the request that it works on. */
struct fuse_worker {
	struct fuse_channel *channel;
	struct fuse_worker *next;
	pthread_t thread;
	bool running; /* thread is set; under the lock */
	char *buffer;
	uint64_t unique;  /* of the request that is not answered; 0: none; under the lock */
	bool interrupted; /* its caller got a signal; under the lock */
	bool abandoned;	  /* it was answered for this thread; __atomic */
};

struct fuse_channel {
	int fd;
	fuse_handler handler;
	void *opaque;
	uint64_t extra_init_flags;

	unsigned int idle; /* threads that wait for a request; __atomic */
	bool ended;	   /* __atomic */
	int ended_fd;	   /* an eventfd */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a thread ended, a caller was interrupted, the connection ended */
	struct fuse_worker *workers;
	unsigned int workers_count;
};

static void *worker_main(void *arg);

static int send_answer(struct fuse_channel *channel, uint64_t unique, int error,
		       const void *data, size_t size)
{
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + size),
		.error = error,
		.unique = unique,
	};
	struct iovec iov[2] = {
		{ .iov_base = &out, .iov_len = sizeof(out) },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = size },
	};

	/* ENOENT: the caller is gone; ENODEV: the mount is. Neither is ours to mend. */
	return writev(channel->fd, iov, size ? 2 : 1) < 0 ? -errno : 0;
}

void fuse_request_reply(const struct fuse_request *request, int error, const void *data,
			size_t size)
{
	struct fuse_worker *worker = request->worker;
	bool mine;

	pthread_mutex_lock(&request->channel->lock);
	mine = worker->unique == request->in->unique;
	worker->unique = 0;
	pthread_mutex_unlock(&request->channel->lock);
	if (mine)
		send_answer(request->channel, request->in->unique, error, data,
			    error ? 0 : size);
}

bool fuse_request_abandoned(const struct fuse_request *request)
{
	return __atomic_load_n(&request->worker->abandoned, __ATOMIC_ACQUIRE);
}

void fuse_request_sleep_ns(const struct fuse_request *request, uint64_t ns)
{
	struct fuse_channel *channel = request->channel;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)(ns / 1000000000u);
	end.tv_nsec += (long)(ns % 1000000000u);
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	if (ns < 1000000) { /* too short for a signal to matter */
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
		return;
	}
	pthread_mutex_lock(&channel->lock);
	while (!request->worker->interrupted &&
	       !__atomic_load_n(&channel->ended, __ATOMIC_RELAXED)) {
		if (pthread_cond_timedwait(&channel->changed, &channel->lock, &end))
			break;
	}
	pthread_mutex_unlock(&channel->lock);
}

void fuse_channel_notify_poll(struct fuse_channel *channel, uint64_t kh)
{
	struct fuse_notify_poll_wakeup_out wakeup = { .kh = kh };

	send_answer(channel, 0, FUSE_NOTIFY_POLL, &wakeup, sizeof(wakeup));
}

/* ---- requests that are the connection's own ------------------------------------- */

static void answer_init(struct fuse_channel *channel, const struct fuse_in_header *in,
			const void *arg)
{
	const struct fuse_init_in *init = arg;
	uint64_t offered = init->flags, taken;
	struct fuse_init_out out;

	if (init->major < 7 || (init->major == 7 && init->minor < 23)) { /* Linux 3.15 */
		send_answer(channel, in->unique, -EPROTO, NULL, 0);
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
		.max_write = MAX_WRITE_BYTES,
		.time_gran = 1,
	};
	send_answer(channel, in->unique, 0, &out, sizeof(out));
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

	while (worker && worker->unique != unique)
		worker = worker->next;
	return worker;
}

/*
 * The caller of a request got a signal. The kernel's iommufd does not heed signals,
 * so nothing happens, except that delays end, and that a caller that is being
 * killed gets its answer now: it may be its own exit that the request waits for
 * (userfaultfd). A kill that follows another signal is not told to us, so while the
 * request lasts the kernel is asked to tell again (EAGAIN).
 */
static void handle_interrupt(struct fuse_channel *channel, const struct fuse_in_header *in,
			     const void *arg)
{
	const struct fuse_interrupt_in *interrupt = arg;
	struct fuse_worker *worker;
	struct timespec pause = { .tv_nsec = INTERRUPT_RETRY_NS };
	uint32_t tid = 0;
	bool answer = false;

	pthread_mutex_lock(&channel->lock);
	worker = find_worker_locked(channel, interrupt->unique);
	if (worker) {
		tid = ((struct fuse_in_header *)(void *)worker->buffer)->pid;
		worker->interrupted = true;
		pthread_cond_broadcast(&channel->changed);
	}
	pthread_mutex_unlock(&channel->lock);
	if (!worker) /* answered by now, or not yet noted by the thread that has it */
		goto out_again;

	if (is_being_killed(tid)) {
		/* A delay that has just ended gives a better answer than this one. */
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&channel->lock);
		worker = find_worker_locked(channel, interrupt->unique);
		if (worker) {
			__atomic_store_n(&worker->abandoned, true, __ATOMIC_RELEASE);
			worker->unique = 0;
			answer = true;
		}
		pthread_mutex_unlock(&channel->lock);
		if (answer)
			send_answer(channel, interrupt->unique, -EINTR, NULL, 0);
		return;
	}
	nanosleep(&pause, NULL);
out_again:
	send_answer(channel, in->unique, -EAGAIN, NULL, 0);
}

/* ---- threads ------------------------------------------------------------------------ */

static void wake_up(int signal)
{
	(void)signal; /* only to end read() with EINTR */
}

/* The signal that gets threads out of read(); blocked everywhere else. */
static int wake_signal(void)
{
	return SIGRTMIN + 5;
}

static void worker_unlink_locked(struct fuse_worker *worker)
{
	struct fuse_channel *channel = worker->channel;
	struct fuse_worker **link = &channel->workers;

	while (*link != worker)
		link = &(*link)->next;
	*link = worker->next;
	channel->workers_count--;
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
	__atomic_add_fetch(&channel->idle, 1, __ATOMIC_ACQ_REL);
	pthread_mutex_lock(&channel->lock);
	worker->next = channel->workers;
	channel->workers = worker;
	channel->workers_count++;
	pthread_mutex_unlock(&channel->lock);

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are for the main thread */
	err = pthread_create(&thread, &attr, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		return 0;

	__atomic_sub_fetch(&channel->idle, 1, __ATOMIC_ACQ_REL);
	pthread_mutex_lock(&channel->lock);
	worker_unlink_locked(worker);
	pthread_mutex_unlock(&channel->lock);
	free(worker->buffer);
	free(worker);
	return -err;
}

/* No more requests will come. */
static void channel_end(struct fuse_channel *channel)
{
	pthread_mutex_lock(&channel->lock);
	__atomic_store_n(&channel->ended, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&channel->changed);
	eventfd_write(channel->ended_fd, 1);
	pthread_mutex_unlock(&channel->lock);
}

static void worker_end(struct fuse_worker *worker)
{
	struct fuse_channel *channel = worker->channel;

	pthread_mutex_lock(&channel->lock);
	worker_unlink_locked(worker);
	free(worker->buffer);
	free(worker);
	pthread_cond_broadcast(&channel->changed);
	pthread_mutex_unlock(&channel->lock);
}

static void worker_handle(struct fuse_worker *worker, size_t size, bool must_not_wait)
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
		send_answer(channel, in->unique, 0, NULL, 0);
		return;
	}
	pthread_mutex_lock(&channel->lock);
	worker->unique = in->unique;
	worker->interrupted = false;
	__atomic_store_n(&worker->abandoned, false, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&channel->lock);
	channel->handler(channel->opaque, &request);
	pthread_mutex_lock(&channel->lock);
	worker->unique = 0;
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

	while (!__atomic_load_n(&channel->ended, __ATOMIC_RELAXED)) {
		ssize_t n = read(channel->fd, worker->buffer, BUFFER_BYTES);
		bool last = false;

		if (n < 0) {
			/* ENOENT: the caller gave up before we took its request. */
			if (errno == EINTR || errno == ENOENT || errno == EAGAIN)
				continue;
			break;
		}
		if ((size_t)n < sizeof(struct fuse_in_header))
			continue;
		if (!__atomic_sub_fetch(&channel->idle, 1, __ATOMIC_ACQ_REL))
			last = worker_start(channel) != 0;
		worker_handle(worker, (size_t)n, last);
		if (__atomic_add_fetch(&channel->idle, 1, __ATOMIC_ACQ_REL) > IDLE_MAX)
			goto out_idle;
	}
	channel_end(channel);
out_idle:
	__atomic_sub_fetch(&channel->idle, 1, __ATOMIC_ACQ_REL);
	worker_end(worker);
	return NULL;
}

/* ---- start and end ------------------------------------------------------------------- */

int fuse_channel_start(int fd, fuse_handler handler, void *opaque, uint64_t extra_init_flags,
		       struct fuse_channel **out)
{
	struct fuse_channel *channel = calloc(1, sizeof(*channel));
	struct sigaction wake = { .sa_handler = wake_up };
	pthread_condattr_t attr;
	int err;

	if (!channel) {
		close(fd);
		return -ENOMEM;
	}
	channel->fd = fd;
	channel->handler = handler;
	channel->opaque = opaque;
	channel->extra_init_flags = extra_init_flags;
	channel->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&channel->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&channel->changed, &attr);
	pthread_condattr_destroy(&attr);
	sigaction(wake_signal(), &wake, NULL);
	for (unsigned int i = 0; i < IDLE_MIN; i++) {
		err = worker_start(channel);
		if (err && !i) {
			fuse_channel_free(channel);
			return err;
		}
	}
	*out = channel;
	return 0;
}

/* Waits up to grace_ms for all threads to end; returns how many are left. */
static unsigned int await_workers(struct fuse_channel *channel, unsigned int grace_ms)
{
	unsigned int left;

	for (unsigned int waited_ms = 0;; waited_ms++) {
		struct timespec tick = { .tv_nsec = 1000000 };

		pthread_mutex_lock(&channel->lock);
		left = channel->workers_count;
		for (struct fuse_worker *w = channel->workers; w; w = w->next) {
			if (w->running)
				pthread_kill(w->thread, wake_signal());
		}
		pthread_mutex_unlock(&channel->lock);
		if (!left || waited_ms >= grace_ms)
			return left;
		nanosleep(&tick, NULL);
	}
}

unsigned int fuse_channel_stop(struct fuse_channel *channel, unsigned int grace_ms)
{
	unsigned int left;
	int nothing;

	channel_end(channel);
	left = await_workers(channel, grace_ms);
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
	return left ? await_workers(channel, grace_ms) : 0;
}

void fuse_channel_free(struct fuse_channel *channel)
{
	if (!channel)
		return;
	close(channel->fd);
	if (channel->ended_fd >= 0)
		close(channel->ended_fd);
	pthread_cond_destroy(&channel->changed);
	pthread_mutex_destroy(&channel->lock);
	free(channel);
}

int fuse_channel_ended_fd(struct fuse_channel *channel)
{
	return channel->ended_fd;
}
