/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relay daemon of one's own on this machine's loopback, for a live session that nobody else
 * follows. What it writes goes to a folder in $TMPDIR, which is gone with it.
 */
#ifndef IOASIS_CLI_RELAY_DAEMON_H
#define IOASIS_CLI_RELAY_DAEMON_H

#include <stdint.h>
#include <sys/types.h>

struct relay_daemon {
	pid_t pid;	    /* 0: none */
	uint16_t ports[3];  /* control, data, live */
	char host[48];	    /* HOST:CONTROL-PORT:DATA-PORT, for a session */
	char folder[256];   /* "": none */
	char error[512];
};

/* Starts one and waits until it answers. 0, or -errno with one line in relay->error. */
int relay_daemon_start(struct relay_daemon *relay);

/* Ends it, with its folder. Harmless when there is none. */
void relay_daemon_stop(struct relay_daemon *relay);

/* The address of session `name` on it, for who reads traces. */
void relay_daemon_url(const struct relay_daemon *relay, const char *name, char *url, size_t size);

#endif
