/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/vfio_group.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* include/uapi/linux/vfio.h */
#define GROUP_GET_STATUS _IO(';', 103)
#define GROUP_SET_CONTAINER _IO(';', 104)
#define GROUP_UNSET_CONTAINER _IO(';', 105)
#define STATUS_VIABLE 1u
#define STATUS_CONTAINER_SET 2u

struct group_status {
	uint32_t argsz, flags;
};

#define NAME_BYTES 32u

struct member {
	struct member *next;
	struct vfio_device *device;
	char name[NAME_BYTES];
};

struct vfio_group {
	struct vfio_device_env env;
	void (*ctx_again)(void *opaque, struct engine_ctx *ctx);
	struct member *members;
	bool no_iommu; /* of its one device */
	pthread_mutex_t lock;
	bool open;
	unsigned int blocked;	/* devices that are bound by their own files */
	struct engine_ctx *ctx; /* the container: of env.ctx_get; NULL: none */
};

struct vfio_group *vfio_group_create(const struct vfio_device_env *env,
				     void (*ctx_again)(void *opaque, struct engine_ctx *ctx))
{
	struct vfio_group *group = calloc(1, sizeof(*group));

	if (!group)
		return NULL;
	group->env = *env;
	group->ctx_again = ctx_again;
	pthread_mutex_init(&group->lock, NULL);
	return group;
}

void vfio_group_destroy(struct vfio_group *group)
{
	if (!group)
		return;
	while (group->members) {
		struct member *member = group->members;

		group->members = member->next;
		free(member);
	}
	pthread_mutex_destroy(&group->lock);
	free(group);
}

int vfio_group_add(struct vfio_group *group, struct vfio_device *device, const char *name)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		return -ENOMEM;
	member->device = device;
	snprintf(member->name, sizeof(member->name), "%s", name);
	member->next = group->members;
	group->members = member;
	group->no_iommu = vfio_device_slot(device)->no_iommu;
	return 0;
}

/* ---- who has it ------------------------------------------------------------------------ */

int vfio_group_open(struct vfio_group *group, const struct engine_client *client)
{
	int err;

	if (group->no_iommu && !client->ops->capable(client, ENGINE_CAP_SYS_RAWIO))
		return -EPERM;
	pthread_mutex_lock(&group->lock);
	err = group->open || group->blocked ? -EBUSY : 0;
	group->open |= !err;
	pthread_mutex_unlock(&group->lock);
	return err;
}

void vfio_group_release(struct vfio_group *group)
{
	struct engine_ctx *ctx;

	pthread_mutex_lock(&group->lock);
	ctx = group->ctx;
	group->ctx = NULL;
	group->open = false;
	pthread_mutex_unlock(&group->lock);
	if (ctx)
		group->env.ctx_put(group->env.opaque, ctx);
}

int vfio_group_block(struct vfio_group *group)
{
	int err;

	pthread_mutex_lock(&group->lock);
	err = group->open ? -EBUSY : 0;
	group->blocked += !err;
	pthread_mutex_unlock(&group->lock);
	return err;
}

void vfio_group_unblock(struct vfio_group *group)
{
	pthread_mutex_lock(&group->lock);
	group->blocked--;
	pthread_mutex_unlock(&group->lock);
}

/* ---- calls ------------------------------------------------------------------------------- */

/* Whether a device of it is in use: DMA has an owner (iommu_group_dma_owner_claimed()). */
static bool is_claimed(const struct vfio_group *group)
{
	if (group->no_iommu)
		return false;
	for (const struct member *member = group->members; member; member = member->next) {
		if (vfio_device_opens(member->device))
			return true;
	}
	return false;
}

/* vfio_group_ioctl_get_status() */
static long get_status(struct vfio_group *group, const struct engine_client *client, uint64_t arg)
{
	struct group_status status;
	bool has_container;

	if (client->ops->copy_in(client, &status, arg, sizeof(status)))
		return -EFAULT;
	if (status.argsz < sizeof(status))
		return -EINVAL;
	pthread_mutex_lock(&group->lock);
	has_container = group->ctx;
	pthread_mutex_unlock(&group->lock);
	status.flags = 0;
	if (has_container)
		status.flags = STATUS_CONTAINER_SET | STATUS_VIABLE;
	else if (!is_claimed(group))
		status.flags = STATUS_VIABLE;
	return client->ops->copy_out(client, arg, &status, sizeof(status));
}

/* vfio_group_ioctl_set_container(); every container is an iommufd. */
static long set_container(struct vfio_group *group, const struct engine_client *client,
			  uint64_t arg)
{
	struct engine_ctx *ctx;
	int32_t fd;
	int err = 0;

	if (client->ops->copy_in(client, &fd, arg, sizeof(fd)))
		return -EFAULT;
	/* What fd is counts less than a container that is there, but for no file at all. */
	ctx = group->env.ctx_get(group->env.opaque, client, fd, &err);
	if (!ctx && err == -EBADF)
		return err;
	pthread_mutex_lock(&group->lock);
	if (group->ctx)
		err = -EINVAL;
	else if (ctx)
		err = group->no_iommu ? engine_vfio_set_noiommu(ctx, client) :
					engine_vfio_ioas_ensure(ctx, client);
	if (!err)
		group->ctx = ctx;
	pthread_mutex_unlock(&group->lock);
	if (err && ctx)
		group->env.ctx_put(group->env.opaque, ctx);
	return err;
}

/* vfio_group_ioctl_unset_container() */
static long unset_container(struct vfio_group *group)
{
	struct engine_ctx *ctx;

	pthread_mutex_lock(&group->lock);
	ctx = group->ctx;
	group->ctx = NULL;
	pthread_mutex_unlock(&group->lock);
	if (!ctx)
		return -EINVAL;
	group->env.ctx_put(group->env.opaque, ctx);
	return 0;
}

long vfio_group_ioctl(struct vfio_group *group, const struct engine_client *client,
		      unsigned int cmd, uint64_t arg)
{
	switch (cmd) {
	case GROUP_GET_STATUS:
		return get_status(group, client, arg);
	case GROUP_SET_CONTAINER:
		return set_container(group, client, arg);
	case GROUP_UNSET_CONTAINER:
		return unset_container(group);
	case VFIO_GROUP_CALL_GET_DEVICE_FD:
		return -EMFILE;
	default:
		return -ENOTTY;
	}
}

/* strndup_user(): the string at arg, cut where no name is that long. -EFAULT. */
static int read_name(const struct engine_client *client, uint64_t arg, char name[NAME_BYTES])
{
	for (size_t i = 0; i < NAME_BYTES; i++) {
		if (client->ops->copy_in(client, &name[i], arg + i, 1))
			return -EFAULT;
		if (!name[i])
			return 0;
	}
	name[0] = '\0';
	return 0;
}

struct vfio_file *vfio_group_device_open(struct vfio_group *group,
					 const struct engine_client *client, uint64_t arg,
					 int *err)
{
	struct vfio_file *file = NULL;
	struct member *member = group->members;
	char name[NAME_BYTES];

	*err = read_name(client, arg, name);
	if (*err)
		return NULL;
	while (member && strcmp(member->name, name))
		member = member->next;
	*err = member ? -EINVAL : -ENODEV;
	if (!member)
		return NULL;
	pthread_mutex_lock(&group->lock);
	if (group->ctx) {
		group->ctx_again(group->env.opaque, group->ctx);
		file = vfio_file_open_group(member->device, client, group->ctx, err);
	}
	pthread_mutex_unlock(&group->lock);
	return file;
}
