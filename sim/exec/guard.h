/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends what CMD has left running.
 *
 * Whatever CMD starts lives in the private mount namespace, and has no device once
 * ioasis is gone. The guard is a process that does nothing but wait for the end of
 * ioasis, so that even SIGKILL leaves neither a process nor a mount behind. What
 * CMD moved to namespaces of its own (a container) is not looked for.
 *
 * What ioasis asks its own file systems holds nobody up (sim/fuse/asker.h). But a thread
 * of it may wait for CMD: for memory or a file of a FUSE server that waits for ioasis in
 * turn, or for a page that CMD has mapped of the device. Neither can be killed while the
 * device's connection is open, which that thread keeps open. So the guard learns of the
 * end by a robust mutex, which the kernel lets go first, and breaks the connections first.
 */
#ifndef IOASIS_SIM_EXEC_GUARD_H
#define IOASIS_SIM_EXEC_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

struct guard {
	pthread_mutex_t *alive; /* shared with the guard; held by the main thread for life */
	pid_t pid;     /* -1: none */
	ino_t outside; /* the mount namespace that is never touched */
};

/* Before namespace_enter(): remembers which namespace is the host's. 0 or -errno. */
int guard_init(struct guard *guard);

/* After it, while there is one thread: starts the process. 0 or -errno. */
int guard_start(struct guard *guard);

/*
 * Ends every other process of the private namespace, politely at first, and the
 * guard. nobody: there is none, which is known. Harmless if it was not started.
 */
void guard_finish(struct guard *guard, bool nobody);

#endif
