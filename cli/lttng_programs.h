/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running LTTng's programs: a command, a session daemon, a relay daemon. */
#ifndef IOASIS_CLI_LTTNG_PROGRAMS_H
#define IOASIS_CLI_LTTNG_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Milliseconds that only grow. */
int64_t lttng_now_ms(void);

/*
 * Starts argv in a process group of its own (Ctrl-C is for CMD), output to fd; it ends with the
 * thread that called. home: a folder for what LTTng keeps (root's is a mount of its own instead), or
 * NULL. Its pid, or -1 with errno. It exits with 127 when there is no such program.
 */
pid_t lttng_spawn(char *const argv[], int fd, const char *home);

/* Waits for pid; false: it did not end in time (it still runs). */
bool lttng_wait(pid_t pid, int timeout_ms, int *status);

/* The line of a program's output that says what went wrong. */
void lttng_last_line(int fd, char *line, size_t size);

#endif
