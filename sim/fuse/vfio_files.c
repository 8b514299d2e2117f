/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of simulated VFIO devices: each is a FUSE connection of its own, mounted on
 * a file vfioN in the folder that stands for /dev/vfio/devices.
 */
#include "sim/fuse/internal.h"
#include "sim/fuse/mount.h"
#include "sim/vfio/vfio_device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTR_SECONDS 86400u
#define READ_BYTES_MAX (1u << 20)
#define STOP_GRACE_MS 200u

/* One open of a device's file. */
struct vfio_open {
	struct vfio_mount *mount;
	struct vfio_file *file;
	uint32_t refs; /* the kernel's and each call's; __atomic */
	struct vfio_open *next, **link;
};

/* One device and where it is mounted. */
struct vfio_mount {
	struct vfio_files *files;
	struct vfio_device *vfio;
	struct fuse_channel *channel; /* NULL: not mounted */
	char path[PATH_MAX];
	bool by_helper;
	bool made; /* the file below, by us */
	pthread_mutex_t lock;
	struct vfio_open *opens;
	unsigned int unreleased; /* open files until vfio_file_release() is done; __atomic */
};

struct vfio_files {
	struct fuse_device *device;
	struct vfio_mount *mounts;
	unsigned int count;
};

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

/* ---- requests -------------------------------------------------------------------- */

static void open_put(struct vfio_open *open_file)
{
	struct vfio_mount *mount = open_file->mount;

	if (__atomic_sub_fetch(&open_file->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_lock(&mount->lock);
	*open_file->link = open_file->next;
	if (open_file->next)
		open_file->next->link = open_file->link;
	pthread_mutex_unlock(&mount->lock);
	vfio_file_release(open_file->file);
	__atomic_sub_fetch(&mount->unreleased, 1, __ATOMIC_RELEASE);
	free(open_file);
}

static void handle_open(struct vfio_mount *mount, const struct fuse_request *request)
{
	struct vfio_open *open_file = calloc(1, sizeof(*open_file));
	struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH };

	/* One that was closed before is unbound by now. */
	fuse_channel_await_releases(mount->channel);
	if (open_file)
		open_file->file = vfio_file_open(mount->vfio);
	if (!open_file || !open_file->file) {
		free(open_file);
		fuse_request_reply(request, -ENOMEM, NULL, 0);
		return;
	}
	open_file->mount = mount;
	open_file->refs = 1;
	__atomic_add_fetch(&mount->unreleased, 1, __ATOMIC_RELEASE);
	pthread_mutex_lock(&mount->lock);
	open_file->next = mount->opens;
	if (open_file->next)
		open_file->next->link = &open_file->next;
	open_file->link = &mount->opens;
	mount->opens = open_file;
	pthread_mutex_unlock(&mount->lock);
	out.fh = (uint64_t)(uintptr_t)open_file;
	fuse_request_reply(request, 0, &out, sizeof(out));
}

static struct vfio_open *to_open(uint64_t fh)
{
	return (struct vfio_open *)(uintptr_t)fh;
}

static void handle_read(const struct fuse_request *request)
{
	const struct fuse_read_in *in = request->arg;
	size_t size = in->size < READ_BYTES_MAX ? in->size : READ_BYTES_MAX;
	void *buffer = calloc(1, size ? size : 1);
	ssize_t n = -ENOMEM;

	if (buffer)
		n = vfio_file_read(to_open(in->fh)->file, buffer, size, in->offset);
	fuse_request_reply(request, n < 0 ? (int)n : 0, buffer, n < 0 ? 0 : (size_t)n);
	free(buffer);
}

static void handle_write(const struct fuse_request *request)
{
	const struct fuse_write_in *in = request->arg;
	struct fuse_write_out out = { 0 };
	ssize_t n = vfio_file_write(to_open(in->fh)->file, in + 1, in->size, in->offset);

	if (n >= 0)
		out.size = (uint32_t)n;
	fuse_request_reply(request, n < 0 ? (int)n : 0, &out, sizeof(out));
}

static long run_ioctl(void *opaque, const struct engine_client *client, unsigned int cmd,
		      uint64_t arg)
{
	return vfio_file_ioctl(((struct vfio_open *)opaque)->file, client, cmd, arg);
}

static void put_after_ioctl(void *opaque)
{
	open_put(opaque);
}

static void handle_ioctl(struct vfio_mount *mount, const struct fuse_request *request)
{
	struct vfio_open *open_file = to_open(((const struct fuse_ioctl_in *)request->arg)->fh);
	const struct fuse_call_file file = {
		.ioctl = run_ioctl,
		.put = put_after_ioctl,
		.opaque = open_file,
	};

	__atomic_add_fetch(&open_file->refs, 1, __ATOMIC_RELAXED);
	fuse_call_ioctl(mount->files->device, request, &file);
}

static void handle_request(void *opaque, const struct fuse_request *request)
{
	struct vfio_mount *mount = opaque;

	switch (request->in->opcode) {
	case FUSE_IOCTL:
		handle_ioctl(mount, request);
		return;
	case FUSE_READ:
		handle_read(request);
		return;
	case FUSE_WRITE:
		handle_write(request);
		return;
	case FUSE_OPEN:
		handle_open(mount, request);
		return;
	case FUSE_RELEASE: {
		const struct fuse_release_in *in = request->arg;

		open_put(to_open(in->fh));
		fuse_request_reply(request, 0, NULL, 0);
		return;
	}
	case FUSE_GETATTR:
	case FUSE_SETATTR: {
		struct fuse_attr_out out = { .attr_valid = ATTR_SECONDS };

		fuse_call_fill_attr(mount->files->device, FUSE_NODE_ROOT, S_IFREG | 0666,
				    &out.attr);
		fuse_request_reply(request, 0, &out, sizeof(out));
		return;
	}
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	default:
		fuse_request_reply(request, -ENOSYS, NULL, 0);
	}
}

/* ---- making and mounting --------------------------------------------------------- */

struct vfio_files *vfio_files_create(struct fuse_device *device)
{
	const struct fuse_device_config *config = &device->config;
	struct vfio_files *files = calloc(1, sizeof(*files));
	unsigned int count;
	struct vfio_device_env env = {
		.ctx_get = env_ctx_get,
		.ctx_put = env_ctx_put,
		.fd_get = env_fd_get,
		.opaque = device,
	};

	if (!files)
		return NULL;
	files->device = device;
	count = config->bus ? pci_bus_count(config->bus) : 0;
	files->mounts = calloc(count ? count : 1, sizeof(*files->mounts));
	if (!files->mounts) {
		free(files);
		return NULL;
	}
	for (; files->count < count; files->count++) {
		struct vfio_mount *mount = &files->mounts[files->count];

		mount->files = files;
		mount->vfio = vfio_device_create(pci_bus_at(config->bus, files->count), &env);
		if (!mount->vfio) {
			vfio_files_destroy(files);
			return NULL;
		}
		pthread_mutex_init(&mount->lock, NULL);
	}
	return files;
}

void vfio_files_settle(struct vfio_files *files)
{
	for (unsigned int i = 0; i < files->count; i++) {
		struct vfio_mount *mount = &files->mounts[i];

		if (__atomic_load_n(&mount->unreleased, __ATOMIC_ACQUIRE))
			fuse_channel_drain(mount->channel);
	}
}

void vfio_files_destroy(struct vfio_files *files)
{
	if (!files)
		return;
	for (unsigned int i = 0; i < files->count; i++) {
		fuse_channel_free(files->mounts[i].channel);
		vfio_device_destroy(files->mounts[i].vfio);
		pthread_mutex_destroy(&files->mounts[i].lock);
	}
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
	err = fuse_channel_start(fd, handle_request, mount, 0, FUSE_CHANNEL_DRAINABLE,
				 &mount->channel);
	if (!err)
		err = fuse_call_first_look(mount->files->device, mount->path);
	if (err)
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "the device at %.200s does not answer: %s",
			 mount->path, strerror(-err));
	return err;
}

int fuse_device_mount_vfio(struct fuse_device *device, const char *folder,
			   char why[FUSE_DEVICE_WHY_BYTES])
{
	struct vfio_files *files = device->vfio;
	int err = 0;

	for (unsigned int i = 0; i < files->count && !err; i++) {
		snprintf(files->mounts[i].path, PATH_MAX, "%s/vfio%u", folder, i);
		err = mount_one(&files->mounts[i], why);
	}
	return err;
}

unsigned int vfio_files_stop(struct vfio_files *files)
{
	unsigned int stuck = 0;

	for (unsigned int i = 0; i < files->count; i++) {
		struct vfio_mount *mount = &files->mounts[i];
		unsigned int here = 0;

		if (mount->channel) {
			fuse_mount_remove(mount->path, mount->by_helper);
			here = fuse_channel_stop(mount->channel, STOP_GRACE_MS);
		}
		if (mount->made)
			unlink(mount->path);
		while (!here && mount->opens)
			open_put(mount->opens);
		if (!vfio_device_stop(mount->vfio))
			here++;
		stuck += here;
	}
	return stuck;
}
