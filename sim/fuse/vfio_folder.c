/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VFIO has under exec: container, groups and devices, and attributes of sysfs. All are
 * files of one FUSE connection that is mounted nowhere; each is shown at its path by a mount
 * of its own.
 */
#include "sim/fuse/internal.h"
#include "sim/pci/pci_bus.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

void vfio_folder_fini(struct vfio_files *vfio)
{
	while (vfio->shown) {
		struct vfio_shown *shown = vfio->shown;

		vfio->shown = shown->next;
		free(shown);
	}
}

/* ---- devices ------------------------------------------------------------------------------ */

/* Makes the file path and shows a node of kind there. */
static int show(struct vfio_files *vfio, const char *path, const struct file_kind *kind,
		void *opaque, uint32_t permissions, uint64_t rdev)
{
	struct fuse_node *node = fuse_files_add(&vfio->folder, kind, opaque);
	int fd;

	if (!node)
		return -ENOMEM;
	node->mode = S_IFREG | permissions;
	node->rdev = rdev;
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return fuse_files_show(node, path);
}

int fuse_device_show_vfio(struct fuse_device *device, const char *folder,
			  char why[FUSE_DEVICE_WHY_BYTES])
{
	struct vfio_files *vfio = device->vfio;
	char path[PATH_MAX];
	int err;

	err = fuse_files_start_folder(&vfio->folder);
	snprintf(path, sizeof(path), "%s/vfio", folder);
	if (!err)
		err = show(vfio, path, &fuse_container_kind, NULL, 0666,
			   makedev(MISC_MAJOR, FUSE_DEVICE_CONTAINER_MINOR));
	for (unsigned int i = 0; i < vfio->count && !err; i++) {
		snprintf(path, sizeof(path), "%s/devices/vfio%u", folder, i);
		err = show(vfio, path, &fuse_vfio_kind, vfio->mounts[i].vfio, 0600,
			   makedev(FUSE_DEVICE_VFIO_MAJOR, i));
	}
	if (err)
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "cannot show %.200s: %s", path,
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
