/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An LTTng session of one's own, and a session daemon of one's own when none runs.
 *
 * For root LTTng knows one place, /run/lttng, so an own daemon gets a mount
 * namespace with an empty one (and an empty /dev/shm); for other users a private
 * LTTNG_HOME. Nothing of either is left behind.
 */
#ifndef IOASIS_CLI_TRACING_SESSION_H
#define IOASIS_CLI_TRACING_SESSION_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/recording_check.h"

struct tracing_config {
	const char *output; /* folder that is there; for a snapshot session: where snapshots go */
	const char *host;   /* of a relay daemon that gets the trace, and output is not used; or NULL */
	unsigned int live_us; /* with a host: how often what there is is sent; 0: not a live session */
	bool snapshot;	    /* keep the last events only, write them on demand */
	bool lossless;	    /* programs wait for room instead of losing events */
	bool addresses;	    /* record the programs' addresses too */
};

struct tracing_session {
	struct tracing_config config;
	char output[PATH_MAX]; /* absolute; empty: there is a host */
	char name[64];	       /* of the LTTng session */
	char home[64];	       /* private LTTNG_HOME; "": none */
	pid_t daemon;	       /* own session daemon; 0: none */
	int daemon_log;	       /* what it writes to standard error; -1: none */
	struct recording_folder folder; /* output, to be checked at the end */
	bool created;
	char error[512];
};

/*
 * Finds or starts a daemon, makes and starts the session, and sets the
 * environment that traced programs need in this process. 0, or -errno with one
 * line in session->error; nothing is left to clean up then.
 */
int tracing_session_start(struct tracing_session *session, const struct tracing_config *config);

/* Writes a snapshot to the folder path, which is made. 0 or -errno with session->error. */
int tracing_session_snapshot(struct tracing_session *session, const char *path);

/*
 * Stops and destroys the session, ends an own daemon, and looks whether all of it was written. 0 or
 * -errno with session->error.
 */
int tracing_session_end(struct tracing_session *session);

#endif
