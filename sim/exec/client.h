/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that runs CMD, and waiting for it.
 *
 * It is forked while this process has one thread, is held at a gate until the
 * device answers, then becomes CMD. It keeps standard input, terminal, process
 * group, signal dispositions, environment and working directory as they were.
 * It dies with this process.
 */
#ifndef IOASIS_SIM_EXEC_CLIENT_H
#define IOASIS_SIM_EXEC_CLIENT_H

#include "sim/exec/filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Exit statuses when CMD did not run, as of env(1), timeout(1) and the shell. */
#define CLIENT_NOT_RUNNABLE 126
#define CLIENT_NOT_FOUND 127

struct client {
	pid_t pid;
	int gate;     /* our end of the socket pair; -1 once CMD runs */
	int listener; /* seccomp notifications of CMD and its descendants; -1: none */
};

/*
 * Forks the process that will be argv[0] with arguments argv, with the system
 * calls of filter reported to client->listener, loading the library preload (NULL: none).
 * argv, filter, preload: borrowed.
 * From here on this process no longer reacts to signals of the terminal; only
 * client_wait() takes signals. Call it from the main thread, before others start.
 * 0 or -errno with one line in why (size bytes).
 */
int client_fork(struct client *client, char *const argv[], const struct filter *filter,
		const char *preload, char *why, size_t size);

/*
 * Opens the gate. 0 once CMD runs; -errno of execve() when it cannot, with the
 * child gone and one line in why.
 */
int client_start(struct client *client, const char *name, char *why, size_t size);

/* Ends a client that was forked and not started, or that shall not go on. */
void client_kill(struct client *client);

/*
 * Waits for its end. Until then signals that someone sends to this process alone
 * are passed on to it, and when the terminal stops it this process stops too, so
 * that the shell's job control sees one job. Returns the status as of waitpid().
 */
int client_wait(struct client *client);

#endif
