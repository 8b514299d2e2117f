/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VFIO has under exec: container, groups and devices, and attributes of sysfs. All are
 * files of one FUSE connection that is mounted nowhere; each is shown at its path by a mount
 * of its own.
 */
#include "sim/fuse/internal.h"
#include "sim/pci/pci_bus.h"
#include "sim/process/process.h"
#include "sim/vfio/changes.h"
#include "sim/vfio/vfio_device.h"
#include "sim/vfio/vfio_group.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- attributes ------------------------------------------------------------------------ */

struct vfio_shown {
	struct vfio_shown *next;
	const struct fuse_device_file_ops *ops;
	void *opaque;
};

static ssize_t shown_read(void *opaque, const struct file_access *access)
{
	const struct vfio_shown *shown = opaque;

	if (!shown->ops->read)
		return -EIO;
	return shown->ops->read(shown->opaque, access->buf, access->size, access->offset);
}

static ssize_t shown_write(void *opaque, const struct file_access *access)
{
	const struct vfio_shown *shown = opaque;

	if (!shown->ops->write)
		return -EIO;
	return shown->ops->write(shown->opaque, access->buf, access->size, access->offset);
}

static uint64_t shown_size(const struct fuse_node *node)
{
	return ((const struct vfio_shown *)node->opaque)->ops->size;
}

static const struct file_kind shown_kind = {
	.mode = S_IFREG,
	.read = shown_read,
	.write = shown_write,
	.size = shown_size,
};

int fuse_device_show(struct fuse_device *device, const char *path,
		     const struct fuse_device_file_ops *ops, void *opaque)
{
	struct vfio_files *vfio = device->vfio;
	struct vfio_shown *shown = calloc(1, sizeof(*shown));
	struct fuse_node *node;

	if (!shown)
		return -ENOMEM;
	*shown = (struct vfio_shown){ .next = vfio->shown, .ops = ops, .opaque = opaque };
	vfio->shown = shown;
	node = fuse_files_add(&vfio->folder, &shown_kind, shown);
	if (!node)
		return -ENOMEM;
	node->mode = S_IFREG | ops->mode;
	return fuse_files_show(node, path);
}

/* ---- groups ------------------------------------------------------------------------------ */

struct shown_group {
	struct shown_group *next;
	struct fuse_device *device;
	struct vfio_group *group;
	struct fuse_node *node;
	uint32_t number;
	char name[VFIO_NAME_BYTES]; /* of its file */
	unsigned int appearing; /* its devices that have their driver; with appear_lock */
};

static int group_open(struct fuse_node *node, const struct fuse_request *request, void **file)
{
	struct shown_group *shown = node->opaque;
	struct fuse_call call;
	int err = fuse_call_init(&call, shown->device, request);

	if (err)
		return err;
	/* A device that was closed before is not bound any more. */
	fuse_device_settle(shown->device, node->files);
	*file = shown;
	err = vfio_group_open(shown->group, &call.pc.client);
	fuse_call_fini(&call);
	return err;
}

static void group_release(void *file)
{
	vfio_group_release(((struct shown_group *)file)->group);
}

static long group_ioctl(void *file, const struct engine_client *client, unsigned int cmd,
			uint64_t arg)
{
	struct shown_group *shown = file;

	fuse_device_settle(shown->device, shown->node->files);
	return vfio_group_ioctl(shown->group, client, cmd, arg);
}

static const struct file_kind group_kind = {
	.mode = S_IFREG | 0600,
	.open = group_open,
	.release = group_release,
	.ioctl = group_ioctl,
};

/* A device's file that its group gave: node->opaque is the vfio_file. */
static void device_release(void *file)
{
	vfio_file_release(file);
}

static ssize_t device_read(void *file, const struct file_access *access)
{
	return fuse_vfio_kind.read(file, access);
}

static void device_flush(void *file)
{
	fuse_vfio_kind.flush(file);
}

static ssize_t device_write(void *file, const struct file_access *access)
{
	return fuse_vfio_kind.write(file, access);
}

static long device_ioctl(void *file, const struct engine_client *client, unsigned int cmd,
			 uint64_t arg)
{
	return fuse_vfio_kind.ioctl(file, client, cmd, arg);
}

static int device_mmap(void *file, uint64_t offset, uint64_t length, bool shared, int *fd,
		       uint64_t *fd_offset)
{
	return fuse_vfio_kind.mmap(file, offset, length, shared, fd, fd_offset);
}

static const struct file_kind group_device_kind = {
	.mode = S_IFREG | 0600,
	.flush = device_flush,
	.release = device_release,
	.read = device_read,
	.write = device_write,
	.ioctl = device_ioctl,
	.mmap = device_mmap,
};

int fuse_device_group_device_open(struct fuse_open *open, const struct engine_client *client,
				  uint64_t arg)
{
	struct shown_group *shown = open->file;
	struct fuse_files *folder = open->node->files;
	struct vfio_file *file;
	bool opened;
	int fd;

	/* Another file has its own answer, such as a device that is not bound yet. */
	if (open->node->kind != &group_kind)
		return (int)fuse_device_open_ioctl(open, client, _IO(';', 106), arg);
	fuse_device_settle(shown->device, NULL);
	file = vfio_group_device_open(shown->group, client, arg, &fd);
	if (!file)
		return fd;
	fd = fuse_files_open_once(folder, &group_device_kind, file, NULL, O_RDWR, &opened);
	if (fd < 0 && !opened)
		vfio_file_release(file);
	return fd;
}

static struct shown_group *group_by_number(struct vfio_files *vfio, uint32_t number)
{
	struct shown_group *shown = vfio->groups;

	while (shown && shown->number != number)
		shown = shown->next;
	return shown;
}

int vfio_folder_group_of_fd(void *opaque, const struct engine_client *client, int fd,
			    uint32_t *number)
{
	struct fuse_device *device = opaque;
	int ours = process_client_fd_get(client, fd), err = -EINVAL;
	struct fuse_open *open;

	if (ours < 0)
		return ours;
	open = fuse_device_open_get(device, ours);
	close(ours);
	if (open && open->node->kind == &group_kind) {
		*number = ((struct shown_group *)open->file)->number;
		err = 0;
	}
	if (open)
		fuse_open_put(open);
	return err;
}

static struct shown_group *group_of_device(void *opaque, struct vfio_device *vfio)
{
	return group_by_number(((struct fuse_device *)opaque)->vfio,
			       vfio_device_slot(vfio)->group);
}

int vfio_folder_block_group(void *opaque, struct vfio_device *vfio)
{
	struct shown_group *shown = group_of_device(opaque, vfio);

	return shown ? vfio_group_block(shown->group) : 0;
}

void vfio_folder_unblock_group(void *opaque, struct vfio_device *vfio)
{
	struct shown_group *shown = group_of_device(opaque, vfio);

	if (shown)
		vfio_group_unblock(shown->group);
}

static void ctx_again(void *opaque, struct engine_ctx *ctx)
{
	fuse_device_ctx_again(opaque, ctx);
}

/* The group of a device, made if need be; NULL: out of memory. */
static struct shown_group *group_make(struct fuse_device *device, const struct pci_slot *slot)
{
	struct vfio_files *vfio = device->vfio;
	struct vfio_device_env env = vfio_files_env(device);
	struct shown_group *shown = group_by_number(vfio, slot->group);

	if (shown)
		return shown;
	shown = calloc(1, sizeof(*shown));
	if (!shown)
		return NULL;
	shown->device = device;
	shown->number = slot->group;
	vfio_group_name(slot, shown->name);
	shown->group = vfio_group_create(&env, ctx_again);
	shown->node = fuse_files_add(&vfio->folder, &group_kind, shown);
	if (!shown->group || !shown->node) {
		vfio_group_destroy(shown->group);
		free(shown);
		return NULL;
	}
	shown->node->rdev = makedev(FUSE_DEVICE_GROUP_MAJOR, slot->group);
	shown->next = vfio->groups;
	vfio->groups = shown;
	return shown;
}

void vfio_folder_fini(struct vfio_files *vfio)
{
	while (vfio->shown) {
		struct vfio_shown *shown = vfio->shown;

		vfio->shown = shown->next;
		free(shown);
	}
	while (vfio->groups) {
		struct shown_group *shown = vfio->groups;

		vfio->groups = shown->next;
		vfio_group_destroy(shown->group);
		free(shown);
	}
	free(vfio->path);
}

/* ---- what comes and goes --------------------------------------------------------------- */

/* Makes the file path and shows the node there. */
static int show(struct fuse_node *node, const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return fuse_files_show(node, path);
}

static void hide(const char *path)
{
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	unlink(path);
}

/* Where the file of a device is; false: it has none. */
static bool device_path(const struct vfio_files *vfio, const struct vfio_mount *mount, char *path)
{
	const uint32_t version = engine_config_linux(&vfio->device->config.engine);
	const struct pci_slot *slot = vfio_device_slot(mount->vfio);
	char name[VFIO_NAME_BYTES];

	vfio_device_name(slot, version, name);
	snprintf(path, PATH_MAX, "%s/devices/%s", vfio->path, name);
	return vfio_device_has_file(slot, version);
}

int fuse_device_vfio_appear(struct fuse_device *device, unsigned int number)
{
	struct vfio_files *vfio = device->vfio;
	struct vfio_mount *mount = &vfio->mounts[number];
	struct shown_group *group;
	char path[PATH_MAX];
	int err = 0;

	pthread_mutex_lock(&vfio->appear_lock);
	if (mount->appears)
		goto out_unlock;
	group = group_by_number(vfio, vfio_device_slot(mount->vfio)->group);
	snprintf(path, sizeof(path), "%s/%s", vfio->path, group->name);
	if (!group->appearing)
		err = show(group->node, path);
	if (!err && device_path(vfio, mount, path))
		err = show(mount->node, path);
	mount->appears = !err;
	group->appearing += !err;
out_unlock:
	pthread_mutex_unlock(&vfio->appear_lock);
	return err;
}

int fuse_device_vfio_vanish(struct fuse_device *device, unsigned int number)
{
	struct vfio_files *vfio = device->vfio;
	struct vfio_mount *mount = &vfio->mounts[number];
	struct shown_group *group;
	char path[PATH_MAX];
	int err = 0;

	vfio_device_request(mount->vfio);
	pthread_mutex_lock(&vfio->appear_lock);
	if (vfio_device_opens(mount->vfio))
		err = -EBUSY;
	if (err || !mount->appears)
		goto out_unlock;
	mount->appears = false;
	if (device_path(vfio, mount, path))
		hide(path);
	group = group_by_number(vfio, vfio_device_slot(mount->vfio)->group);
	if (!--group->appearing) {
		snprintf(path, sizeof(path), "%s/%s", vfio->path, group->name);
		hide(path);
	}
out_unlock:
	pthread_mutex_unlock(&vfio->appear_lock);
	return err;
}

/* The device's node and group; not yet shown. */
static int device_add(struct fuse_device *device, unsigned int number)
{
	struct vfio_mount *mount = &device->vfio->mounts[number];
	const struct pci_slot *slot = vfio_device_slot(mount->vfio);
	struct shown_group *group = group_make(device, slot);
	char bdf[PCI_ADDRESS_TEXT_BYTES];

	mount->node = fuse_files_add(&device->vfio->folder, &fuse_vfio_kind, mount->vfio);
	if (!group || !mount->node)
		return -ENOMEM;
	mount->node->mode = S_IFREG | 0600;
	mount->node->rdev = makedev(FUSE_DEVICE_VFIO_MAJOR, number);
	pci_address_print(&slot->address, bdf);
	return vfio_group_add(group->group, mount->vfio, bdf);
}

static int container_show(struct vfio_files *vfio)
{
	struct fuse_node *node = fuse_files_add(&vfio->folder, &fuse_container_kind, NULL);
	char path[PATH_MAX];

	if (!node)
		return -ENOMEM;
	node->rdev = makedev(MISC_MAJOR, FUSE_DEVICE_CONTAINER_MINOR);
	snprintf(path, sizeof(path), "%s/vfio", vfio->path);
	return show(node, path);
}

int fuse_device_show_vfio(struct fuse_device *device, const char *folder,
			  char why[FUSE_DEVICE_WHY_BYTES])
{
	struct vfio_files *vfio = device->vfio;
	int err;

	vfio->path = strdup(folder);
	err = vfio->path ? fuse_files_start_folder(&vfio->folder) : -ENOMEM;
	if (!err)
		err = container_show(vfio);
	for (unsigned int i = 0; i < vfio->count && !err; i++)
		err = device_add(device, i);
	for (unsigned int i = 0; i < vfio->count && !err; i++)
		err = fuse_device_vfio_appear(device, i);
	if (err)
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "cannot show devices in %.200s: %s", folder,
			 strerror(-err));
	return err;
}

/* ---- the look of a character device --------------------------------------------------- */

bool fuse_device_looks(struct fuse_device *device, int fd, struct fuse_device_look *look)
{
	struct fuse_node *node = fuse_files_node(&device->files, fd);
	uint64_t rdev = makedev(MISC_MAJOR, FUSE_DEVICE_IOMMU_MINOR);

	if (!node) {
		node = fuse_files_node(&device->vfio->folder, fd);
		rdev = node ? node->rdev : 0;
	}
	if (!rdev)
		return false;
	*look = (struct fuse_device_look){
		.mode = (node->mode & ~(uint32_t)S_IFMT) | S_IFCHR,
		.rdev = rdev,
		.ino = node->ino,
		.made_ns = device->made_ns,
	};
	return true;
}
