/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a FUSE connection becomes visible: at a path, or nowhere but to us.
 */
#ifndef IOASIS_SIM_FUSE_MOUNT_H
#define IOASIS_SIM_FUSE_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUSE_MOUNT_WHY_BYTES 256

/* The file system's type in /proc/mounts. */
#define FUSE_MOUNT_TYPE "fuse.ioasis"

/*
 * Whether fd is what /dev/fuse is to be (drivers/char/misc.c: 10:229). False, with one line
 * in why: something else has its name, as in containers that hide it.
 */
bool fuse_mount_is_device(int fd, char *why, size_t size);

/*
 * Mounts a new connection whose root is a regular file (root_mode S_IFREG | 0666)
 * at path, an absolute path of an existing regular file, by mount(2) or, where that
 * is not allowed, by fusermount3. Returns the open /dev/fuse, close-on-exec, to be
 * served; or -errno with one line in why. *by_helper: fusermount3 did it.
 */
int fuse_mount_file(const char *path, bool *by_helper, char why[FUSE_MOUNT_WHY_BYTES]);

/* Takes away the mount at path, at once even when files are open. Errors are of no use. */
void fuse_mount_remove(const char *path, bool by_helper);

/*
 * A new connection with a directory as root that is mounted nowhere: *root_fd is
 * the only way in. Returns the open /dev/fuse to be served, or -errno.
 */
int fuse_mount_hidden(int *root_fd);

/* What is mounted at path, an absolute one: its type, in type; false: nothing is. */
bool fuse_mount_find(const char *path, char *type, size_t type_size);

/*
 * Whether nobody answers for the mount at path any more. Asks the file, since the kernel
 * remembers attributes: not for a mount of this process.
 */
bool fuse_mount_is_dead(const char *path);

/* The device number (st_dev) of an open file's or path's file system, without asking it. */
int fuse_mount_device_of_fd(int fd, uint64_t *device);
int fuse_mount_inode_of_fd(int fd, uint64_t *device, uint64_t *inode); /* and st_ino */
int fuse_mount_device_of_path(const char *path, uint64_t *device);

#endif
