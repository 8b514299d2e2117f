/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device file: one FUSE connection whose root is a regular file. */
#include "sim/fuse/device.h"
#include "sim/fuse/internal.h"
#include "ioasis/iommufd_abi.h"
#include "sim/fuse/asker.h"
#include "sim/fuse/leak.h"
#include "sim/fuse/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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
	if (!config->iommu.address_bits)
		engine_iommu_init(&device->config.iommu);
	if (config->inject) {
		device->config.engine.intercept = fuse_call_intercept;
		device->config.engine.intercept_opaque = device;
	}
	pthread_mutex_init(&device->lock, NULL);
	fuse_files_init(&device->files, device);
	known_opens_init(&device->known);
	fuse_users_init(&device->users, &config->limits);
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
	fuse_files_fini(&device->files);
	anon_files_destroy(device->anon);
	vfio_files_destroy(device->vfio);
	fuse_asker_destroy(device->asker);
	if (device->engine)
		engine_destroy(device->engine);
	process_table_destroy(device->processes);
	known_opens_fini(&device->known);
	fuse_users_fini(&device->users);
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

void fuse_device_settle(struct fuse_device *device, const struct fuse_files *here)
{
	anon_files_settle(device->anon);
	vfio_files_settle(device->vfio, here);
}

static int file_open(struct fuse_node *node, const struct fuse_request *request, void **out)
{
	struct fuse_device *device = node->files->device;
	char name[PROCESS_NAME_BYTES];
	struct iommu_file *file;
	struct fuse_user *user;
	struct fuse_call call;
	int err;

	err = fuse_call_init(&call, device, request);
	if (err)
		return err;
	anon_files_settle(device->anon);
	file = calloc(1, sizeof(*file));
	user = fuse_users_get(&device->users, request->in->uid);
	if (!file || !user)
		goto out_memory;
	file->device = device;
	file->pid = call.pc.client.pid;
	file->by_exit = -1;
	file->files = node->files;
	process_table_name(device->processes, call.pc.client.pid, name, sizeof(name));
	call.pc.client.name = name;
	file->ctx = engine_ctx_open(device->engine, &call.pc.client);
	if (!file->ctx)
		goto out_memory;
	engine_ctx_set_quota(file->ctx, &user->quota);
	pthread_mutex_lock(&device->lock);
	file->next = device->iommu_files;
	if (file->next)
		file->next->link = &file->next;
	file->link = &device->iommu_files;
	device->iommu_files = file;
	pthread_mutex_unlock(&device->lock);
	fuse_call_fini(&call);
	*out = file;
	return 0;

out_memory:
	free(file);
	fuse_call_fini(&call);
	return -ENOMEM;
}

/* The address space of a process that ends goes before its files. */
static bool opener_is_gone(const struct iommu_file *file)
{
	struct engine_mm *opener = process_table_mm_get(file->device->processes, file->pid);

	if (opener)
		engine_mm_put(opener);
	return !opener;
}

/*
 * RELEASE comes after close() has returned, and the process may have ended by then; FLUSH comes
 * before.
 */
static void file_flush(void *opaque)
{
	struct iommu_file *file = opaque;

	__atomic_store_n(&file->by_exit, opener_is_gone(file), __ATOMIC_RELAXED);
}

static void file_release(void *opaque)
{
	struct iommu_file *file = opaque;
	struct fuse_device *device = file->device;
	int by_exit = __atomic_load_n(&file->by_exit, __ATOMIC_RELAXED);

	pthread_mutex_lock(&device->lock);
	*file->link = file->next;
	if (file->next)
		file->next->link = file->link;
	pthread_mutex_unlock(&device->lock);
	if (device->config.leaks && device->config.leaks_at_close)
		leak_report_print_one(device->config.leaks, file->ctx, device->processes, stderr);
	if (device->config.leaks)
		leak_report_add(device->config.leaks, file->ctx, device->processes);
	fuse_mappings_forget(device, file->ctx);
	if (by_exit < 0 ? opener_is_gone(file) : by_exit)
		engine_ctx_set_orphan(file->ctx);
	engine_ctx_release(file->ctx);
	free(file);
}

static long file_ioctl(void *opaque, const struct engine_client *client, unsigned int cmd,
		       uint64_t arg)
{
	struct iommu_file *file = opaque;

	fuse_device_settle(file->device, file->files);
	if (cmd == IOMMU_DESTROY)
		fuse_mappings_sweep(file->device, file->ctx);
	return engine_ctx_ioctl(file->ctx, client, cmd, arg);
}

static ssize_t file_read(void *opaque, const struct file_access *access)
{
	struct iommu_file *file = opaque;

	return fuse_mappings_read(file->device, file->ctx, access);
}

static ssize_t file_write(void *opaque, const struct file_access *access)
{
	return fuse_mappings_write(((struct iommu_file *)opaque)->device, access);
}

/* A page beyond the end of a file cannot be mapped, and only mock devices have pages. */
static uint64_t file_size(const struct fuse_node *node)
{
	const struct fuse_device_config *config = &node->files->device->config;

	return config->engine.test_ops && config->sees_mmap ? FUSE_MAPPING_BYTES : 0;
}

const struct file_kind fuse_iommu_kind = {
	.mode = S_IFREG | 0666,
	.open_flags = FOPEN_NONSEEKABLE,
	.has_pages = true,
	.open = file_open,
	.flush = file_flush,
	.release = file_release,
	.read = file_read,
	.write = file_write,
	.ioctl = file_ioctl,
	.size = file_size,
};

static int container_open(struct fuse_node *node, const struct fuse_request *request, void **out)
{
	int err = file_open(node, request, out);

	if (!err)
		engine_ctx_open_as_container(((struct iommu_file *)*out)->ctx);
	return err;
}

/* Nothing is mapped of it: what has pages is for the test command, on /dev/iommu. */
const struct file_kind fuse_container_kind = {
	.mode = S_IFREG | 0666,
	.open_flags = FOPEN_NONSEEKABLE,
	.open = container_open,
	.flush = file_flush,
	.release = file_release,
	.ioctl = file_ioctl,
};

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
	err = fuse_files_start_file(&device->files, fd, device->path, &fuse_iommu_kind, NULL,
				    device->config.sees_mmap ? FUSE_DIRECT_IO_ALLOW_MMAP : 0,
				    device->config.supervised ? FUSE_CHANNEL_DRAINABLE
							      : FUSE_CHANNEL_IN_ORDER);
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
	if (!fuse_mount_device_of_path(device->path, &st_dev) && st_dev == device->files.st_dev)
		fuse_mount_remove(device->path, device->by_helper);
}

unsigned int fuse_device_stop(struct fuse_device *device)
{
	unsigned int stuck;

	stuck = vfio_files_stop(device->vfio); /* first: they hold the others' objects */
	unmount_ours(device);
	stuck += fuse_files_stop(&device->files);
	stuck += anon_files_stop(device->anon);
	return stuck;
}

int fuse_device_ended_fd(struct fuse_device *device)
{
	return fuse_channel_ended_fd(device->files.channel);
}

/* ---- for a supervisor ------------------------------------------------------------ */

bool fuse_device_owns_fd(struct fuse_device *device, int fd)
{
	return fuse_files_own(&device->files, fd);
}

/* The open file behind fd, a reference; NULL: none of ours. */
static struct fuse_open *find_open(struct fuse_device *device, int fd)
{
	if (fuse_files_own(&device->files, fd))
		return fuse_files_find(&device->files, fd);
	return fuse_files_find(&device->vfio->folder, fd);
}

struct fuse_open *fuse_device_open_get(struct fuse_device *device, int fd)
{
	return find_open(device, fd);
}

void fuse_device_open_put(struct fuse_open *open)
{
	fuse_open_put(open);
}

struct fuse_open *fuse_device_open_known(struct fuse_device *device,
					 const struct process_client *pc, int fd,
					 uint64_t *generation)
{
	return known_opens_find(&device->known, pc, fd, generation);
}

void fuse_device_open_expect(struct fuse_device *device, uint32_t tid, int fd, unsigned int cmd,
			     uint64_t arg)
{
	known_opens_expect(&device->known, tid, fd, cmd, arg);
}

void fuse_device_open_expect_read(struct fuse_device *device, uint32_t tid, int fd,
				  uint64_t offset)
{
	known_opens_expect(&device->known, tid, fd, KNOWN_BY_READ, offset);
}

/* What has BARs to map has registers. */
bool fuse_device_open_reads(const struct fuse_open *open)
{
	return open->node->kind->mmap && open->node->kind->read;
}

ssize_t fuse_device_open_read(struct fuse_open *open, void *buf, size_t size, uint64_t offset)
{
	const struct file_access access = { .buf = buf, .size = size, .offset = offset };

	if (!fuse_device_open_reads(open) || (open->oflags & O_ACCMODE) == O_WRONLY)
		return -ENOTTY;
	memset(buf, 0, size);
	return open->node->kind->read(open->file, &access);
}

long fuse_device_open_ioctl(struct fuse_open *open, const struct engine_client *client,
			    unsigned int cmd, uint64_t arg)
{
	const struct file_kind *kind = open->node->kind;
	struct fuse_files *files = open->node->files;

	/* What a client closed before it called has ended; of one connection FUSE sees to it. */
	if (files->device->config.supervised)
		fuse_files_settle_but(files, 1);
	return kind->ioctl ? kind->ioctl(open->file, client, cmd, arg) : -ENOTTY;
}

int fuse_device_open_mmap(struct fuse_open *open, uint64_t offset, uint64_t length, bool shared,
			  int *fd, uint64_t *fd_offset)
{
	const struct file_kind *kind = open->node->kind;
	int borrowed, rc;

	if (!kind->mmap)
		return -ENOTTY;
	rc = kind->mmap(open->file, offset, length, shared, &borrowed, fd_offset);
	if (rc)
		return rc;
	*fd = fcntl(borrowed, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? -errno : 0;
}

void fuse_device_refresh(struct fuse_device *device, int fd)
{
	fuse_channel_expect(device->files.channel);
	fuse_asker_sync(device->asker, fd);
}

struct engine_ctx *fuse_device_ctx_get(struct fuse_device *device, int fd)
{
	struct fuse_open *open = find_open(device, fd);
	struct iommu_file *file;

	if (!open)
		return NULL;
	if (open->node->kind != &fuse_iommu_kind && open->node->kind != &fuse_container_kind) {
		fuse_open_put(open);
		return NULL;
	}
	anon_files_settle(device->anon);
	file = open->file;
	__atomic_store_n(&file->open, open, __ATOMIC_RELAXED);
	return file->ctx;
}

/* The open file of a context that fuse_device_ctx_get() gave and that is not given back. */
static struct fuse_open *open_of_ctx(struct fuse_device *device, struct engine_ctx *ctx)
{
	struct iommu_file *file;

	pthread_mutex_lock(&device->lock);
	for (file = device->iommu_files; file->ctx != ctx; file = file->next)
		;
	pthread_mutex_unlock(&device->lock);
	return __atomic_load_n(&file->open, __ATOMIC_RELAXED);
}

void fuse_device_ctx_put(struct fuse_device *device, struct engine_ctx *ctx)
{
	fuse_open_put(open_of_ctx(device, ctx));
}

void fuse_device_ctx_again(struct fuse_device *device, struct engine_ctx *ctx)
{
	fuse_open_get(open_of_ctx(device, ctx));
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
