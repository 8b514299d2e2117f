/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each user may have of a device that others share (`serve`): open files, objects and
 * mappings in them, and calls that are not answered yet, each of which keeps a thread of the
 * daemon busy. One more fails as when the kernel has no room: EMFILE, ENOMEM. So a user who
 * takes without end leaves the others theirs.
 *
 * A user is whom the kernel names as the caller; what counts is who opened the file. Records
 * live as long as the device.
 *
 * Threads: all functions may be called from any.
 */
#ifndef IOASIS_SIM_FUSE_USERS_H
#define IOASIS_SIM_FUSE_USERS_H

#include "sim/engine/engine.h"

#include <pthread.h>

/* 0: as many as they like. */
struct fuse_limits {
	uint64_t files;
	uint64_t objects;
	uint64_t mappings;
	uint64_t calls;
};

struct fuse_user {
	struct fuse_user *next;
	uint32_t uid;
	struct engine_quota quota; /* of its open files together */
	uint64_t files, calls;	   /* __atomic */
};

struct fuse_users {
	struct fuse_limits limits;
	pthread_mutex_t lock;
	struct fuse_user *buckets[64];
};

void fuse_users_init(struct fuse_users *users, const struct fuse_limits *limits);
void fuse_users_fini(struct fuse_users *users);

/* The record of a user, made if there is none. NULL: out of memory. */
struct fuse_user *fuse_users_get(struct fuse_users *users, uint32_t uid);

/* One open file more, to be given back; false: it has as many as it may. */
bool fuse_user_take_file(const struct fuse_users *users, struct fuse_user *user);
void fuse_user_give_file(struct fuse_user *user);

/* The same for a call. */
bool fuse_user_take_call(const struct fuse_users *users, struct fuse_user *user);
void fuse_user_give_call(struct fuse_user *user);

#endif
