/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of simulated VFIO devices. Here each is a FUSE connection of its own, mounted
 * on a file vfioN in the folder that stands for /dev/vfio/devices: a user without rights
 * can mount no more than that. Under exec they are files of one connection, with groups
 * and container (vfio_folder.c).
 */
#include "sim/fuse/inject.h"
#include "sim/fuse/internal.h"
#include "sim/fuse/mount.h"
#include "sim/vfio/changes.h"
#include "sim/vfio/vfio_device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a device needs of its caller ------------------------------------------- */

static struct engine_ctx *env_ctx_get(void *opaque, const struct engine_client *client, int fd,
				      int *err)
{
	struct fuse_device *device = opaque;
	int ours = process_client_fd_get(client, fd);
	struct engine_ctx *ctx;

	*err = ours;
	if (ours < 0)
		return NULL;
	ctx = fuse_device_ctx_get(device, ours);
	close(ours);
	*err = ctx ? 0 : -EBADFD;
	return ctx;
}

static void env_ctx_put(void *opaque, struct engine_ctx *ctx)
{
	fuse_device_ctx_put(opaque, ctx);
}

static int env_fd_get(void *opaque, const struct engine_client *client, int fd)
{
	(void)opaque;
	return process_client_fd_get(client, fd);
}

static int env_memory_file(void *opaque, const struct engine_memory *memory, uint64_t length,
			   bool write, uint64_t *offset)
{
	(void)opaque;
	return process_memory_file(memory, length, write, offset);
}

/* The address space of a process that ends goes before its files. */
static bool env_is_gone(void *opaque, uint32_t pid)
{
	struct engine_mm *mm =
		process_table_mm_get(((struct fuse_device *)opaque)->processes, pid);

	if (mm)
		engine_mm_put(mm);
	return !mm;
}

static void env_mishap(void *opaque, uint32_t address, const struct pci_command *command,
		       struct pci_mishap *mishap)
{
	struct fuse_device *device = opaque;

	inject_decide_nvme(device->config.inject, address, command, mishap);
}

struct vfio_device_env vfio_files_env(struct fuse_device *device)
{
	const struct inject *inject = device->config.inject;

	return (struct vfio_device_env){
		.ctx_get = env_ctx_get,
		.ctx_put = env_ctx_put,
		.fd_get = env_fd_get,
		.memory_file = env_memory_file,
		.is_gone = env_is_gone,
		.group_of_fd = vfio_folder_group_of_fd,
		.block_group = vfio_folder_block_group,
		.unblock_group = vfio_folder_unblock_group,
		.mishap = inject && inject_has_nvme(inject) ? env_mishap : NULL,
		.opaque = device,
		.iommu = &device->config.iommu,
		.trace = device->config.engine.trace,
		.linux_version = engine_config_linux(&device->config.engine),
	};
}

/* ---- what an open file does -------------------------------------------------------- */

static int file_open(struct fuse_node *node, const struct fuse_request *request, void **file)
{
	struct fuse_call call;
	int err = fuse_call_init(&call, node->files->device, request);

	if (err)
		return err;
	*file = vfio_file_open(node->opaque, &call.pc.client, &err);
	fuse_call_fini(&call);
	return err;
}

static void file_flush(void *file)
{
	vfio_file_flush(file);
}

static void file_release(void *file)
{
	vfio_file_release(file);
}

static ssize_t file_read(void *file, const struct file_access *access)
{
	return vfio_file_read(file, access->buf, access->size, access->offset);
}

static ssize_t file_write(void *file, const struct file_access *access)
{
	return vfio_file_write(file, access->buf, access->size, access->offset);
}

static long file_ioctl(void *file, const struct engine_client *client, unsigned int cmd,
		       uint64_t arg)
{
	return vfio_file_ioctl(file, client, cmd, arg);
}

static int file_mmap(void *file, uint64_t offset, uint64_t length, bool shared, int *fd,
		     uint64_t *fd_offset)
{
	return vfio_file_mmap(file, offset, length, shared, fd, fd_offset);
}

const struct file_kind fuse_vfio_kind = {
	.mode = S_IFREG | 0666,
	.open = file_open,
	.flush = file_flush,
	.release = file_release,
	.read = file_read,
	.write = file_write,
	.ioctl = file_ioctl,
	.mmap = file_mmap,
};

/* ---- making and mounting --------------------------------------------------------- */

bool fuse_device_has_vfio_files(const struct fuse_device_config *config)
{
	const uint32_t version = engine_config_linux(&config->engine);
	bool any = false;

	for (unsigned int i = 0; config->bus && i < pci_bus_count(config->bus); i++)
		any |= vfio_device_has_file(pci_bus_at(config->bus, i), version);
	return any;
}

struct vfio_files *vfio_files_create(struct fuse_device *device)
{
	const struct fuse_device_config *config = &device->config;
	struct vfio_files *files = calloc(1, sizeof(*files));
	unsigned int count;
	struct vfio_device_env env = vfio_files_env(device);

	if (!files)
		return NULL;
	files->device = device;
	fuse_files_init(&files->folder, device);
	pthread_mutex_init(&files->appear_lock, NULL);
	count = config->bus ? pci_bus_count(config->bus) : 0;
	files->mounts = calloc(count ? count : 1, sizeof(*files->mounts));
	if (!files->mounts) {
		vfio_files_destroy(files);
		return NULL;
	}
	for (; files->count < count; files->count++) {
		struct vfio_mount *mount = &files->mounts[files->count];

		mount->vfio = vfio_device_create(pci_bus_slot(config->bus, files->count), &env);
		if (!mount->vfio) {
			vfio_files_destroy(files);
			return NULL;
		}
		fuse_files_init(&mount->files, device);
	}
	return files;
}

void vfio_files_settle(struct vfio_files *files, const struct fuse_files *here)
{
	for (unsigned int i = 0; i < files->count; i++)
		fuse_files_settle(&files->mounts[i].files, here);
	fuse_files_settle(&files->folder, here);
}

void vfio_files_destroy(struct vfio_files *files)
{
	if (!files)
		return;
	for (unsigned int i = 0; i < files->count; i++) {
		fuse_files_fini(&files->mounts[i].files);
		vfio_device_destroy(files->mounts[i].vfio);
	}
	fuse_files_fini(&files->folder);
	vfio_folder_fini(files);
	pthread_mutex_destroy(&files->appear_lock);
	free(files->mounts);
	free(files);
}

/* Takes away what a killed one has left there. */
static void clear_dead(const char *path)
{
	char type[64];

	if (fuse_mount_find(path, type, sizeof(type)) && !strcmp(type, FUSE_MOUNT_TYPE) &&
	    fuse_mount_is_dead(path))
		fuse_mount_remove(path, geteuid() != 0);
}

static int mount_one(struct vfio_mount *mount, char why[FUSE_DEVICE_WHY_BYTES])
{
	struct stat st;
	int fd, err;

	clear_dead(mount->path);
	fd = open(mount->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	mount->made = fd >= 0;
	if (fd < 0 && errno != EEXIST) {
		err = -errno;
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "cannot make %.200s: %s", mount->path,
			 strerror(-err));
		return err;
	}
	if (fd >= 0)
		close(fd);
	if (stat(mount->path, &st) || !S_ISREG(st.st_mode)) {
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "%.200s is there already and no regular file",
			 mount->path);
		return -EEXIST;
	}
	fd = fuse_mount_file(mount->path, &mount->by_helper, why);
	if (fd < 0)
		return fd;
	mount->mounted = true;
	err = fuse_files_start_file(&mount->files, fd, mount->path, &fuse_vfio_kind, mount->vfio, 0,
				    FUSE_CHANNEL_DRAINABLE);
	if (err)
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "the device at %.200s does not answer: %s",
			 mount->path, strerror(-err));
	return err;
}

int fuse_device_mount_vfio(struct fuse_device *device, const char *folder,
			   char why[FUSE_DEVICE_WHY_BYTES])
{
	const uint32_t version = engine_config_linux(&device->config.engine);
	struct vfio_files *files = device->vfio;
	int err = 0;

	for (unsigned int i = 0; i < files->count && !err; i++) {
		const struct pci_slot *slot = vfio_device_slot(files->mounts[i].vfio);
		char name[VFIO_NAME_BYTES];

		if (!vfio_device_has_file(slot, version)) {
			snprintf(why, FUSE_DEVICE_WHY_BYTES,
				 "%s has no file of its own at Linux %u.%u: devices have one since 6.6, "
				 "without an IOMMU since 7.3; 'ioasis exec' shows their groups", slot->id,
				 version >> 16, version & 0xffff);
			return -ENODEV;
		}
		vfio_device_name(slot, version, name);
		snprintf(files->mounts[i].path, PATH_MAX, "%s/%s", folder, name);
		err = mount_one(&files->mounts[i], why);
	}
	return err;
}

unsigned int vfio_files_stop(struct vfio_files *files)
{
	unsigned int stuck = fuse_files_stop(&files->folder);

	for (unsigned int i = 0; i < files->count; i++) {
		struct vfio_mount *mount = &files->mounts[i];

		if (mount->mounted)
			fuse_mount_remove(mount->path, mount->by_helper);
		stuck += fuse_files_stop(&mount->files);
		if (mount->made)
			unlink(mount->path);
		if (!vfio_device_stop(mount->vfio))
			stuck++;
	}
	return stuck;
}
