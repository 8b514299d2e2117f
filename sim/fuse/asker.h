/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this process asks its own file systems.
 *
 * The kernel lets nobody go who waits for an answer of FUSE that a server has begun to
 * work on, not even with SIGKILL: only the last close of the server's /dev/fuse ends
 * such a wait (request_wait_answer() in fs/fuse/dev.c). A thread that shares its open
 * files with the server keeps /dev/fuse open while it waits, so a kill would leave it,
 * and every client, waiting for ever. The asker is a thread with a table of open files
 * of its own, without any /dev/fuse. No other thread makes a call that one of the
 * process's own file systems has to answer.
 */
#ifndef IOASIS_SIM_FUSE_ASKER_H
#define IOASIS_SIM_FUSE_ASKER_H

#include <stdint.h>

#define FUSE_ASKER_NAME_BYTES 24

struct fuse_asker;

/*
 * Starts the thread, before any connection is made. 0, -ENOMEM, -EAGAIN (no thread), or
 * -errno of socketpair() and close_range() (-ENOSYS before Linux 5.9).
 */
int fuse_asker_create(struct fuse_asker **asker);

/* Ends the thread. Harmless for NULL. After the connections, whose end ends its wait. */
void fuse_asker_destroy(struct fuse_asker *asker);

/*
 * The calls below are made by that thread, one at a time, from any thread but those
 * that answer the file system asked: someone has to read the request. All return -EIO
 * when the question could not be passed on, else what the call gave.
 */

/* ioctl(fd, cmd, value): 0 or -errno. fd: of this process, on a file system of its own. */
int fuse_asker_ioctl(struct fuse_asker *asker, int fd, unsigned int cmd, uint64_t *value);

/* Has the file system of fd (O_PATH is enough) answer GETATTR. 0 or -errno. */
int fuse_asker_sync(struct fuse_asker *asker, int fd);

/* openat(folder, name, oflags): an open file of this process, close-on-exec, or -errno. */
int fuse_asker_open(struct fuse_asker *asker, int folder, const char *name, int oflags);

#endif
