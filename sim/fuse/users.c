/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/users.h"

#include <stdlib.h>

#define BUCKETS (sizeof(((struct fuse_users *)0)->buckets) / sizeof(struct fuse_user *))

void fuse_users_init(struct fuse_users *users, const struct fuse_limits *limits)
{
	*users = (struct fuse_users){ .limits = *limits };
	pthread_mutex_init(&users->lock, NULL);
}

void fuse_users_fini(struct fuse_users *users)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (users->buckets[i]) {
			struct fuse_user *user = users->buckets[i];

			users->buckets[i] = user->next;
			free(user);
		}
	}
	pthread_mutex_destroy(&users->lock);
}

struct fuse_user *fuse_users_get(struct fuse_users *users, uint32_t uid)
{
	struct fuse_user **bucket = &users->buckets[uid % BUCKETS], *user;

	pthread_mutex_lock(&users->lock);
	for (user = *bucket; user && user->uid != uid; user = user->next)
		;
	if (!user && (user = calloc(1, sizeof(*user)))) {
		user->uid = uid;
		user->quota.objects_max = users->limits.objects;
		user->quota.mappings_max = users->limits.mappings;
		user->next = *bucket;
		*bucket = user;
	}
	pthread_mutex_unlock(&users->lock);
	return user;
}

static bool take(uint64_t *count, uint64_t max)
{
	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) <= max || !max)
		return true;
	__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
	return false;
}

bool fuse_user_take_file(const struct fuse_users *users, struct fuse_user *user)
{
	return take(&user->files, users->limits.files);
}

void fuse_user_give_file(struct fuse_user *user)
{
	__atomic_sub_fetch(&user->files, 1, __ATOMIC_RELAXED);
}

bool fuse_user_take_call(const struct fuse_users *users, struct fuse_user *user)
{
	return take(&user->calls, users->limits.calls);
}

void fuse_user_give_call(struct fuse_user *user)
{
	__atomic_sub_fetch(&user->calls, 1, __ATOMIC_RELAXED);
}
