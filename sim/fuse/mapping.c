/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients have mapped of the device file (mmap of a vIOMMU's or a hardware
 * queue's page).
 *
 * The kernel maps the page cache of the FUSE file into the client, and asks for its
 * pages by READ: they come from the memory that the engine gave the range. FUSE says
 * nothing of munmap(). So before a DESTROY, which a mapping forbids, the mappings of
 * the processes are counted (/proc/PID/maps).
 *
 * All open files share one page cache: two that map the same offset at the same time
 * see one page. Each mmap() starts with an empty cache (fs/fuse/file.c,
 * fuse_file_mmap()).
 */
#include "sim/fuse/internal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

struct client_mapping {
	struct client_mapping *next;
	struct engine_ctx *ctx;
	uint64_t offset;
	uint64_t length; /* bytes */
	void *memory;	 /* the engine's, until engine_ctx_munmap() */
};

int fuse_device_mmap(struct fuse_device *device, struct engine_ctx *ctx, uint64_t offset,
		     uint64_t length, bool shared, bool exec)
{
	struct client_mapping *mapping = calloc(1, sizeof(*mapping));
	int err;

	if (!mapping)
		return -ENOMEM;
	*mapping = (struct client_mapping){ .ctx = ctx, .offset = offset, .length = length };
	/* The order of iommufd_fops_mmap(): EINVAL, EPERM, ENXIO; ENODEV is in its stead. */
	err = engine_ctx_mmap(ctx, offset, length, shared, &mapping->memory);
	if (err != -ENODEV && err != -EINVAL && exec) {
		if (!err)
			engine_ctx_munmap(ctx, offset);
		err = -EPERM;
	}
	if (err) {
		free(mapping);
		return err;
	}
	pthread_mutex_lock(&device->lock);
	mapping->next = device->mappings;
	__atomic_store_n(&device->mappings, mapping, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&device->lock);
	return 0;
}

/*
 * How often a process (a name in /proc) has mapped a part of these bytes of the device file.
 * The kernel makes one piece of neighbours in memory that are neighbours in the file too.
 */
static unsigned int count_in_process(const struct fuse_device *device, const char *name,
				     uint64_t offset, uint64_t length)
{
	unsigned int major, minor, count = 0;
	uint64_t from, to, at, inode;
	char path[300], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/maps", name);
	maps = fopen(path, "re");
	if (!maps)
		return 0;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %x:%x %" SCNu64, &from,
			   &to, &at, &major, &minor, &inode) == 6 &&
		    at < offset + length && offset < at + (to - from) &&
		    makedev(major, minor) == device->files.st_dev && inode == FUSE_NODE_ROOT)
			count++;
	}
	fclose(maps);
	return count;
}

static unsigned int count_mapped(const struct fuse_device *device, uint64_t offset,
				 uint64_t length)
{
	DIR *proc = opendir("/proc");
	unsigned int count = 0;
	struct dirent *entry;

	if (!proc)
		return 0;
	while ((entry = readdir(proc))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			count += count_in_process(device, entry->d_name, offset, length);
	}
	closedir(proc);
	return count;
}

/* Takes away the first mapping of ctx at offset, if there are more than left of them. */
static struct client_mapping *take_beyond_locked(struct fuse_device *device,
						 struct engine_ctx *ctx, uint64_t offset,
						 unsigned int left)
{
	struct client_mapping **link, **first = NULL, *mapping;

	for (link = &device->mappings; *link; link = &(*link)->next) {
		if ((*link)->ctx != ctx || (*link)->offset != offset)
			continue;
		first = first ? first : link;
		if (!left--)
			break;
	}
	if (!*link)
		return NULL;
	mapping = *first;
	*first = mapping->next;
	return mapping;
}

void fuse_mappings_sweep(struct fuse_device *device, struct engine_ctx *ctx)
{
	struct client_mapping *mapping;

	if (!__atomic_load_n(&device->mappings, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&device->lock);
	mapping = device->mappings;
	while (mapping) {
		uint64_t offset = mapping->offset;
		struct client_mapping *gone = NULL;

		if (mapping->ctx == ctx)
			gone = take_beyond_locked(device, ctx, offset,
						  count_mapped(device, offset, mapping->length));
		/* A list that changed is looked at from its start. */
		mapping = gone ? device->mappings : mapping->next;
		if (gone)
			engine_ctx_munmap(ctx, offset);
		free(gone);
	}
	pthread_mutex_unlock(&device->lock);
}

void fuse_mappings_forget(struct fuse_device *device, struct engine_ctx *ctx)
{
	struct client_mapping **link = &device->mappings, *mapping;

	pthread_mutex_lock(&device->lock);
	while ((mapping = *link)) {
		if (mapping->ctx != ctx) {
			link = &mapping->next;
			continue;
		}
		*link = mapping->next;
		free(mapping);
	}
	pthread_mutex_unlock(&device->lock);
}

/*
 * Copies size bytes at offset between data and what is mapped there, of any open file
 * for ctx NULL. False: nothing is mapped there.
 */
static bool copy_mapped(struct fuse_device *device, struct engine_ctx *ctx, uint64_t offset,
			void *data, size_t size, bool write)
{
	struct client_mapping *mapping;

	pthread_mutex_lock(&device->lock);
	for (mapping = device->mappings; mapping; mapping = mapping->next) {
		uint64_t skip = offset - mapping->offset;

		if ((ctx && mapping->ctx != ctx) || offset < mapping->offset ||
		    skip >= mapping->length)
			continue;
		if (size > mapping->length - skip)
			size = (size_t)(mapping->length - skip);
		if (write)
			memcpy((char *)mapping->memory + skip, data, size);
		else
			memcpy(data, (char *)mapping->memory + skip, size);
		break;
	}
	pthread_mutex_unlock(&device->lock);
	return mapping != NULL;
}

ssize_t fuse_mappings_read(struct fuse_device *device, struct engine_ctx *ctx,
			   const struct file_access *access)
{
	/* read() of the device is answered by EINVAL; it never has an offset. */
	if (!access->offset ||
	    !copy_mapped(device, ctx, access->offset, access->buf, access->size, false))
		return -EINVAL;
	/* All that was asked for: a short answer would be the end of the file. */
	return (ssize_t)access->size;
}

ssize_t fuse_mappings_write(struct fuse_device *device, const struct file_access *access)
{
	if (!access->by_page)
		return -EINVAL;
	/* Pages that clients wrote to come on whatever open file the kernel has at hand. */
	copy_mapped(device, NULL, access->offset, access->buf, access->size, true);
	return (ssize_t)access->size;
}
