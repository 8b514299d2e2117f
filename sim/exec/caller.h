/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread behind a seccomp notification: what it asked, its memory and files.
 *
 * Ids of threads are given out again. Everything taken by id is checked against
 * the notification afterwards (caller_alive()), as seccomp_unotify(2) demands.
 */
#ifndef IOASIS_SIM_EXEC_CALLER_H
#define IOASIS_SIM_EXEC_CALLER_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct caller {
	int listener;
	const struct seccomp_notif *notif;
};

/* Whether the thread still waits in the call that was reported. */
bool caller_alive(const struct caller *caller);

/* Reads its memory. 0 or -EFAULT. */
int caller_read(const struct caller *caller, uint64_t from, void *to, size_t len);

/* Writes to its memory. 0 or -EFAULT. */
int caller_write(const struct caller *caller, uint64_t to, const void *from, size_t len);

/* Reads a string of at most size bytes with its end. 0, -EFAULT or -ENAMETOOLONG. */
int caller_read_string(const struct caller *caller, uint64_t from, char *to, size_t size);

/* A file of its process as one of ours, close-on-exec; -errno. */
int caller_dup_fd(const struct caller *caller, int fd);

/* The id of its process in our namespace. 0 or -errno. */
int caller_tgid(const struct caller *caller, uint32_t *tgid);

/* Puts our fd into its process at the lowest free number, which is returned; -errno. */
int caller_add_fd(const struct caller *caller, int fd, int oflags);

/* As caller_add_fd(), at a number that is in use: what was there is closed. */
int caller_replace_fd(const struct caller *caller, int fd, int at);

/* Ends the call: with a result (value, or -errno), or by letting the kernel do it. */
void caller_answer(const struct caller *caller, long result);
void caller_continue(const struct caller *caller);

#endif
