/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device file: one FUSE connection whose root is a regular file.
 *
 * An open file is made by OPEN and ends with RELEASE, which the kernel sends some
 * time after the last close() and does not wait for. So that a program which closes
 * and opens again finds the first one gone, as with the kernel's device, OPEN waits
 * for each RELEASE that is being worked on.
 */
#include "sim/fuse/device.h"
#include "sim/fuse/internal.h"
#include "ioasis/iommufd_abi.h"
#include "sim/fuse/asker.h"
#include "sim/fuse/leak.h"
#include "sim/fuse/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ATTR_SECONDS 86400u /* nothing ever changes */
#define STOP_GRACE_MS 200u

#ifndef FUSE_DIRECT_IO_ALLOW_MMAP /* linux/fuse.h 7.39, Linux 6.6 */
#define FUSE_DIRECT_IO_ALLOW_MMAP (1ull << 36)
#endif

static struct engine_anon_file *find_anon(void *opaque, int fd)
{
	return fuse_device_anon_borrow(opaque, fd);
}

int fuse_device_create(const struct fuse_device_config *config, struct fuse_device **out)
{
	struct fuse_device *device = calloc(1, sizeof(*device));
	struct timespec now;
	int err = -ENOMEM;

	if (!device)
		return -ENOMEM;
	device->config = *config;
	if (config->inject) {
		device->config.engine.intercept = fuse_call_intercept;
		device->config.engine.intercept_opaque = device;
	}
	pthread_mutex_init(&device->lock, NULL);
	pthread_cond_init(&device->released, NULL);
	clock_gettime(CLOCK_REALTIME, &now);
	device->made_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	device->processes = process_table_create();
	device->anon = anon_files_create(device);
	device->vfio = vfio_files_create(device);
	if (!device->processes || !device->anon || !device->vfio)
		goto out_destroy;
	process_table_set_anon_lookup(device->processes, find_anon, device);
	device->engine = engine_create(&device->config.engine);
	if (!device->engine) {
		err = -EINVAL;
		goto out_destroy;
	}
	*out = device;
	return 0;

out_destroy:
	fuse_device_destroy(device);
	return err;
}

void fuse_device_destroy(struct fuse_device *device)
{
	if (!device)
		return;
	fuse_channel_free(device->channel);
	anon_files_destroy(device->anon);
	vfio_files_destroy(device->vfio);
	fuse_asker_destroy(device->asker);
	if (device->engine)
		engine_destroy(device->engine);
	process_table_destroy(device->processes);
	pthread_cond_destroy(&device->released);
	pthread_mutex_destroy(&device->lock);
	free(device->path);
	free(device);
}

struct engine *fuse_device_engine(struct fuse_device *device)
{
	return device->engine;
}

struct process_table *fuse_device_processes(struct fuse_device *device)
{
	return device->processes;
}

/* ---- open files ------------------------------------------------------------------ */

/* The end of an open file that is in no list any more. */
static void file_end(struct open_file *file)
{
	struct fuse_device *device = file->device;

	if (device->config.leaks)
		leak_report_add(device->config.leaks, file->ctx, device->processes);
	fuse_mappings_forget(device, file->ctx);
	engine_ctx_release(file->ctx);
	free(file);
}

static void file_get(struct open_file *file)
{
	__atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
}

static void file_put(struct open_file *file)
{
	struct fuse_device *device = file->device;

	if (__atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_lock(&device->lock);
	*file->link = file->next;
	if (file->next)
		file->next->link = file->link;
	device->releasing++;
	pthread_mutex_unlock(&device->lock);

	file_end(file);

	pthread_mutex_lock(&device->lock);
	device->releasing--;
	pthread_cond_broadcast(&device->released);
	pthread_mutex_unlock(&device->lock);
}

static void handle_open(struct fuse_device *device, const struct fuse_request *request)
{
	struct open_file *file;
	struct fuse_call call;
	struct fuse_open_out out = {
		.open_flags = FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE | FOPEN_NOFLUSH,
	};
	const struct fuse_open_in *in = request->arg;
	char name[PROCESS_NAME_BYTES];
	int err;

	/* A file without direct_IO (fs/open.c, do_dentry_open()). */
	err = in->flags & O_DIRECT ? -EINVAL : fuse_call_init(&call, device, request);
	if (err)
		goto out;
	anon_files_settle(device->anon);
	fuse_channel_await_releases(device->channel);
	pthread_mutex_lock(&device->lock);
	while (device->releasing)
		pthread_cond_wait(&device->released, &device->lock);
	pthread_mutex_unlock(&device->lock);

	err = -ENOMEM;
	file = calloc(1, sizeof(*file));
	if (!file)
		goto out_fini;
	file->device = device;
	file->refs = 1;
	process_table_name(device->processes, call.pc.client.pid, name, sizeof(name));
	call.pc.client.name = name;
	file->ctx = engine_ctx_open(device->engine, &call.pc.client);
	call.pc.client.name = NULL;
	if (!file->ctx) {
		free(file);
		goto out_fini;
	}
	pthread_mutex_lock(&device->lock);
	file->next = device->files;
	if (file->next)
		file->next->link = &file->next;
	file->link = &device->files;
	device->files = file;
	pthread_mutex_unlock(&device->lock);
	out.fh = (uint64_t)(uintptr_t)file;
	err = 0;
out_fini:
	fuse_call_fini(&call);
out:
	fuse_request_reply(request, err, &out, sizeof(out));
}

static long run_ioctl(void *opaque, const struct engine_client *client, unsigned int cmd,
		      uint64_t arg)
{
	struct open_file *file = opaque;

	anon_files_settle(file->device->anon);
	vfio_files_settle(file->device->vfio);
	if (cmd == IOMMU_DESTROY)
		fuse_mappings_sweep(file->device, file->ctx);
	return engine_ctx_ioctl(file->ctx, client, cmd, arg);
}

static void put_after_ioctl(void *opaque)
{
	file_put(opaque);
}

static void handle_ioctl(struct fuse_device *device, const struct fuse_request *request)
{
	const struct fuse_ioctl_in *in = request->arg;
	const struct fuse_call_file file = {
		.token = in->fh,
		.ioctl = run_ioctl,
		.put = put_after_ioctl,
		.opaque = (void *)(uintptr_t)in->fh,
	};

	file_get(file.opaque);
	fuse_call_ioctl(device, request, &file);
}

static void handle_release(struct fuse_device *device, const struct fuse_request *request)
{
	const struct fuse_release_in *in = request->arg;
	struct open_file *file = (struct open_file *)(uintptr_t)in->fh;

	pthread_mutex_lock(&device->lock);
	file->taken = true;
	pthread_mutex_unlock(&device->lock);
	file_put(file);
	fuse_request_reply(request, 0, NULL, 0);
}

/* ---- requests -------------------------------------------------------------------- */

static void handle_getattr(struct fuse_device *device, const struct fuse_request *request)
{
	struct fuse_attr_out out = { .attr_valid = ATTR_SECONDS };

	fuse_call_fill_attr(device, FUSE_NODE_ROOT, S_IFREG | 0666, &out.attr);
	/* A page beyond the end of a file cannot be mapped, and only mock devices have pages. */
	if (device->config.engine.test_ops && device->config.sees_mmap)
		out.attr.size = FUSE_MAPPING_BYTES;
	fuse_request_reply(request, 0, &out, sizeof(out));
}

/* What is set is not kept. Only a regular file has a size to set (fs/open.c, do_ftruncate()). */
static void handle_setattr(struct fuse_device *device, const struct fuse_request *request)
{
	const struct fuse_setattr_in *in = request->arg;

	if (in->valid & FATTR_SIZE)
		fuse_request_reply(request, -EINVAL, NULL, 0);
	else
		handle_getattr(device, request);
}

/* None is there (fs/xattr.c, xattr_permission(): users' are for regular files alone). */
static void handle_listxattr(const struct fuse_request *request)
{
	const struct fuse_getxattr_in *in = request->arg;
	struct fuse_getxattr_out out = { .size = 0 };

	fuse_request_reply(request, 0, &out, in->size ? 0 : sizeof(out));
}

/* A file without poll is always ready (vfs_poll() in the kernel). */
static void handle_poll(const struct fuse_request *request)
{
	struct fuse_poll_out out = { .revents = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };

	fuse_request_reply(request, 0, &out, sizeof(out));
}

static void handle_request(void *opaque, const struct fuse_request *request)
{
	struct fuse_device *device = opaque;

	switch (request->in->opcode) {
	case FUSE_IOCTL:
		handle_ioctl(device, request);
		return;
	case FUSE_OPEN:
		handle_open(device, request);
		return;
	case FUSE_RELEASE:
		handle_release(device, request);
		return;
	case FUSE_GETATTR:
		handle_getattr(device, request);
		return;
	case FUSE_SETATTR:
		handle_setattr(device, request);
		return;
	case FUSE_GETXATTR:
		fuse_request_reply(request, -ENODATA, NULL, 0);
		return;
	case FUSE_LISTXATTR:
		handle_listxattr(request);
		return;
	case FUSE_SETXATTR:
	case FUSE_REMOVEXATTR:
		fuse_request_reply(request, -EPERM, NULL, 0);
		return;
	case FUSE_POLL:
		handle_poll(request);
		return;
	case FUSE_READ: {
		const struct fuse_read_in *in = request->arg;

		fuse_mappings_read(device, ((struct open_file *)(uintptr_t)in->fh)->ctx, request);
		return;
	}
	case FUSE_WRITE:
		fuse_mappings_write(device, request);
		return;
	case FUSE_FSYNC:
		fuse_request_reply(request, -EINVAL, NULL, 0);
		return;
	case FUSE_FALLOCATE: /* fs/open.c, vfs_fallocate() */
		fuse_request_reply(request, -ENODEV, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	case FUSE_STATFS: {
		struct fuse_statfs_out out = { .st = { .bsize = ENGINE_PAGE_SIZE,
						       .namelen = 255 } };

		fuse_request_reply(request, 0, &out, sizeof(out));
		return;
	}
	default:
		fuse_request_reply(request, -ENOSYS, NULL, 0);
	}
}

/* ---- mounting -------------------------------------------------------------------- */

int fuse_device_mount(struct fuse_device *device, const char *path,
		      char why[FUSE_DEVICE_WHY_BYTES])
{
	int fd, err;

	device->path = realpath(path, NULL);
	if (!device->path) {
		err = -errno;
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "%s: %s", path, strerror(-err));
		return err;
	}
	err = fuse_asker_create(&device->asker);
	if (err) {
		snprintf(why, FUSE_DEVICE_WHY_BYTES, "cannot start a thread: %s", strerror(-err));
		goto out_path;
	}
	fd = fuse_mount_file(device->path, &device->by_helper, why);
	if (fd < 0) {
		err = fd;
		goto out_path;
	}
	err = fuse_channel_start(fd, handle_request, device,
				 device->config.sees_mmap ? FUSE_DIRECT_IO_ALLOW_MMAP : 0,
				 FUSE_CHANNEL_IN_ORDER, &device->channel);
	if (!err)
		err = fuse_call_first_look(device, device->path);
	if (!err)
		err = fuse_mount_device_of_path(device->path, &device->st_dev);
	if (!err)
		return 0;
	snprintf(why, FUSE_DEVICE_WHY_BYTES, "the device at %s does not answer: %s", device->path,
		 strerror(-err));
	fuse_mount_remove(device->path, device->by_helper);
out_path:
	free(device->path);
	device->path = NULL;
	return err;
}

/* Takes the mount away unless something else is on top of it or it is gone already. */
static void unmount_ours(struct fuse_device *device)
{
	uint64_t st_dev;

	if (!device->path)
		return;
	if (!fuse_mount_device_of_path(device->path, &st_dev) && st_dev == device->st_dev)
		fuse_mount_remove(device->path, device->by_helper);
}

/* An open file whose RELEASE will not come; the reference is now the caller's. NULL: none. */
static struct open_file *take_open_file(struct fuse_device *device)
{
	struct open_file *file;

	pthread_mutex_lock(&device->lock);
	for (file = device->files; file && file->taken; file = file->next)
		;
	if (file)
		file->taken = true;
	pthread_mutex_unlock(&device->lock);
	return file;
}

unsigned int fuse_device_stop(struct fuse_device *device)
{
	struct open_file *file;
	unsigned int stuck;

	stuck = vfio_files_stop(device->vfio); /* first: they hold the others' objects */
	unmount_ours(device);
	if (device->channel)
		stuck += fuse_channel_stop(device->channel, STOP_GRACE_MS);
	stuck += anon_files_stop(device->anon);
	/* One that a supervisor still uses ends with fuse_device_ctx_put(). */
	while (!stuck && (file = take_open_file(device)))
		file_put(file);
	return stuck;
}

int fuse_device_ended_fd(struct fuse_device *device)
{
	return fuse_channel_ended_fd(device->channel);
}

/* ---- for a supervisor ------------------------------------------------------------ */

bool fuse_device_owns_fd(struct fuse_device *device, int fd)
{
	uint64_t st_dev;

	return !fuse_mount_device_of_fd(fd, &st_dev) && st_dev == device->st_dev;
}

void fuse_device_refresh(struct fuse_device *device, int fd)
{
	fuse_channel_expect(device->channel);
	fuse_asker_sync(device->asker, fd);
}

struct engine_ctx *fuse_device_ctx_get(struct fuse_device *device, int fd)
{
	struct engine_ctx *ctx = NULL;
	uint64_t token;

	fuse_channel_expect(device->channel);
	token = fuse_call_ask(device, fd);
	anon_files_settle(device->anon);
	/* Found by comparing: a token from elsewhere must not be believed. */
	pthread_mutex_lock(&device->lock);
	for (struct open_file *file = device->files; token && file; file = file->next) {
		uint32_t refs = __atomic_load_n(&file->refs, __ATOMIC_RELAXED);

		if ((uint64_t)(uintptr_t)file != token)
			continue;
		while (refs && !__atomic_compare_exchange_n(&file->refs, &refs, refs + 1, false,
							    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			;
		if (refs)
			ctx = file->ctx;
		break;
	}
	pthread_mutex_unlock(&device->lock);
	return ctx;
}

void fuse_device_ctx_put(struct fuse_device *device, struct engine_ctx *ctx)
{
	struct open_file *file;

	pthread_mutex_lock(&device->lock);
	for (file = device->files; file->ctx != ctx; file = file->next)
		;
	pthread_mutex_unlock(&device->lock);
	file_put(file);
}

struct engine_anon_file *fuse_device_anon_borrow(struct fuse_device *device, int fd)
{
	return anon_files_find(device->anon, fd);
}

int fuse_device_anon_open(struct fuse_device *device, struct engine_anon_file *file, int oflags)
{
	return anon_files_open(device->anon, file, NULL, NULL, oflags);
}

int fuse_device_file_open(struct fuse_device *device, const struct fuse_device_file_ops *ops,
			  void *opaque, int oflags)
{
	return anon_files_open(device->anon, NULL, ops, opaque, oflags);
}

void fuse_device_anon_disown(struct fuse_device *device, struct engine_anon_file *file)
{
	anon_files_disown(device->anon, file);
}
