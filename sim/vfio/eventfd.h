/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds of a client: signalled, and watched.
 *
 * A signal must keep nobody waiting: the client may have filled the counter of a
 * blocking eventfd. What is watched calls a handler each time that its counter is
 * raised, and takes the count, as the kernel's virqfd does (drivers/vfio/virqfd.c).
 */
#ifndef IOASIS_SIM_VFIO_EVENTFD_H
#define IOASIS_SIM_VFIO_EVENTFD_H

#include <stdbool.h>
#include <stdint.h>

/* Whether fd is an eventfd. Nothing else is taken: a write could wait for ever. */
bool vfio_eventfd_is(int fd);

/*
 * Whether a process has the eventfd open that fd, a file of ours, is: a kernel forgets one
 * that it watches with its last close, which our own open file hides. True when it cannot
 * be told.
 */
bool vfio_eventfd_is_open_in(uint32_t pid, int fd);

/* Adds 1; harmless for -1. */
void vfio_eventfd_signal(int fd);

/* Closes *fd, if it is one, and puts another in its place. */
void vfio_eventfd_replace(int *slot, int fd);

struct vfio_watch;
struct vfio_watched;

/* A thread starts with the first that is watched. NULL: out of memory. */
struct vfio_watch *vfio_watch_create(void);
/* Nothing is watched any more. False: a handler does not end; the watch stays. */
bool vfio_watch_destroy(struct vfio_watch *watch);

/*
 * Watches fd, which it owns from here on. handler runs on the watch's thread, with no
 * lock of the watch held. NULL: out of memory or of threads; fd is closed then.
 */
struct vfio_watched *vfio_watch_add(struct vfio_watch *watch, int fd,
				    void (*handler)(void *opaque), void *opaque);
/* The file that it owns, borrowed. */
int vfio_watched_fd(const struct vfio_watched *watched);
/*
 * Ends it; the handler does not run any more when this returns. False: it has not come
 * back for a second. Not from a handler. NULL is fine.
 */
bool vfio_watch_remove(struct vfio_watched *watched);

#endif
