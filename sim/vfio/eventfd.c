/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/eventfd.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 16
#define PATIENCE_S 1

bool vfio_eventfd_is(int fd)
{
	char path[40], target[40];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(target, "anon_inode:[eventfd]");
}

/* The number that the kernel gives each eventfd (eventfd_show_fdinfo()); 0: not told. */
static long eventfd_id(const char *fdinfo)
{
	FILE *file = fopen(fdinfo, "re");
	char line[128];
	long id = 0;

	while (file && !id && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "eventfd-id: %ld", &id) != 1)
			id = 0;
	}
	if (file)
		fclose(file);
	return id;
}

bool vfio_eventfd_is_open_in(uint32_t pid, int fd)
{
	char path[288];
	struct dirent *entry;
	bool found = false;
	long id;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	id = eventfd_id(path);
	snprintf(path, sizeof(path), "/proc/%u/fdinfo", pid);
	folder = id ? opendir(path) : NULL;
	if (!folder)
		return true;
	while (!found && (entry = readdir(folder))) {
		snprintf(path, sizeof(path), "/proc/%u/fdinfo/%s", pid, entry->d_name);
		found = entry->d_name[0] != '.' && eventfd_id(path) == id;
	}
	closedir(folder);
	return found;
}

void vfio_eventfd_signal(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (fd >= 0 && poll(&ready, 1, 0) == 1 && ready.revents & POLLOUT)
		eventfd_write(fd, 1);
}

void vfio_eventfd_replace(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

/* ---- watching -------------------------------------------------------------------- */

struct vfio_watched {
	struct vfio_watch *watch;
	int fd;
	void (*handler)(void *opaque);
	void *opaque;
	bool removed;
	struct vfio_watched *next; /* of the removed ones, which the thread frees */
};

struct vfio_watch {
	int epoll_fd, wake_fd;
	pthread_t thread;
	bool started, stopping;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	struct vfio_watched *running; /* whose handler runs now */
	struct vfio_watched *removed;
};

int vfio_watched_fd(const struct vfio_watched *watched)
{
	return watched->fd;
}

struct vfio_watch *vfio_watch_create(void)
{
	struct vfio_watch *watch = calloc(1, sizeof(*watch));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	pthread_condattr_t attributes;

	if (!watch)
		return NULL;
	watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->epoll_fd < 0 || watch->wake_fd < 0 ||
	    epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, watch->wake_fd, &event)) {
		vfio_eventfd_replace(&watch->epoll_fd, -1);
		vfio_eventfd_replace(&watch->wake_fd, -1);
		free(watch);
		return NULL;
	}
	pthread_mutex_init(&watch->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->idle, &attributes);
	pthread_condattr_destroy(&attributes);
	return watch;
}

/* Takes the count; true: there was one. Never waits (RWF_NOWAIT), whoever reads meanwhile. */
static bool take_count(int fd)
{
	uint64_t count;
	struct iovec into = { .iov_base = &count, .iov_len = sizeof(count) };

	return preadv2(fd, &into, 1, -1, RWF_NOWAIT) == (ssize_t)sizeof(count);
}

static void free_removed(struct vfio_watch *watch)
{
	struct vfio_watched *watched;

	while ((watched = watch->removed)) {
		watch->removed = watched->next;
		close(watched->fd);
		free(watched);
	}
}

/* An event names what was there when it was read; it may have been removed since. */
static void handle(struct vfio_watch *watch, struct vfio_watched *watched)
{
	pthread_mutex_lock(&watch->lock);
	if (watched->removed) {
		pthread_mutex_unlock(&watch->lock);
		return;
	}
	watch->running = watched;
	pthread_mutex_unlock(&watch->lock);
	if (take_count(watched->fd))
		watched->handler(watched->opaque);
	pthread_mutex_lock(&watch->lock);
	watch->running = NULL;
	pthread_cond_broadcast(&watch->idle);
	pthread_mutex_unlock(&watch->lock);
}

static void *watch_main(void *opaque)
{
	struct vfio_watch *watch = opaque;
	bool stopping = false;

	prctl(PR_SET_NAME, "vfio-eventfd");
	while (!stopping) {
		struct epoll_event events[EVENTS_AT_ONCE];
		int n = epoll_wait(watch->epoll_fd, events, EVENTS_AT_ONCE, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				handle(watch, events[i].data.ptr);
			else
				take_count(watch->wake_fd);
		}
		/* Those of this round are no more in anyone's hands. */
		pthread_mutex_lock(&watch->lock);
		free_removed(watch);
		stopping = watch->stopping;
		pthread_mutex_unlock(&watch->lock);
	}
	return NULL;
}

/* With the lock held. */
static int start(struct vfio_watch *watch)
{
	sigset_t all, before;
	int err;

	if (watch->started)
		return 0;
	sigfillset(&all);
	sigdelset(&all, SIGBUS); /* see sim/pci/pci_memory.h */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&watch->thread, NULL, watch_main, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	watch->started = !err;
	return err;
}

struct vfio_watched *vfio_watch_add(struct vfio_watch *watch, int fd,
				    void (*handler)(void *opaque), void *opaque)
{
	struct vfio_watched *watched = calloc(1, sizeof(*watched));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watched };
	int err = ENOMEM;

	if (watched) {
		*watched = (struct vfio_watched){ .watch = watch, .fd = fd, .handler = handler,
						  .opaque = opaque };
		pthread_mutex_lock(&watch->lock);
		err = start(watch);
		if (!err && epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event))
			err = errno;
		pthread_mutex_unlock(&watch->lock);
	}
	if (!err)
		return watched;
	free(watched);
	close(fd);
	return NULL;
}

bool vfio_watch_remove(struct vfio_watched *watched)
{
	struct vfio_watch *watch;
	struct timespec until;
	bool ended;

	if (!watched)
		return true;
	watch = watched->watch;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&watch->lock);
	epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, watched->fd, NULL);
	watched->removed = true;
	while (watch->running == watched &&
	       !pthread_cond_timedwait(&watch->idle, &watch->lock, &until))
		;
	ended = watch->running != watched;
	watched->next = watch->removed;
	watch->removed = watched;
	pthread_mutex_unlock(&watch->lock);
	eventfd_write(watch->wake_fd, 1);
	return ended;
}

bool vfio_watch_destroy(struct vfio_watch *watch)
{
	struct timespec until;

	if (!watch)
		return true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&watch->lock);
	watch->stopping = true;
	pthread_mutex_unlock(&watch->lock);
	eventfd_write(watch->wake_fd, 1);
	if (watch->started && pthread_timedjoin_np(watch->thread, NULL, &until)) {
		pthread_detach(watch->thread);
		return false;
	}
	free_removed(watch);
	close(watch->epoll_fd);
	close(watch->wake_fd);
	pthread_cond_destroy(&watch->idle);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
	return true;
}
