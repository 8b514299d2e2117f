/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that commands give to a process: queues, mock accesses, dma-bufs.
 *
 * They are regular files in the root directory of a second FUSE connection that is
 * mounted nowhere. Each has a number as its name, is opened once by this process, and
 * is then handed to the client as an open file. It cannot be opened a second time, so
 * its RELEASE is the last close of all. Its inode number says which one an open file is.
 */
#include "sim/fuse/internal.h"
#include "sim/fuse/asker.h"
#include "sim/fuse/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES_MAX (1u << 20)
#define STOP_GRACE_MS 200u

struct anon_entry {
	struct anon_files *anon;
	struct anon_entry *next;
	uint32_t refs; /* the open file's and each call's; __atomic */
	uint64_t node; /* its name, too */
	struct engine_anon_file *file; /* NULL: disowned; under the lock */
	const struct fuse_device_file_ops *ops; /* of a file that is not the engine's; or NULL */
	void *opaque;				/* theirs */
	bool opened;
	bool taken; /* the open file's reference is someone's to give back; under the lock */
	bool poll_wanted; /* someone waits in poll; under the lock */
	uint64_t poll_handle;
};

struct anon_files {
	struct fuse_device *device;
	struct fuse_channel *channel; /* NULL until the first file */
	bool ready;		      /* all of the connection is there; __atomic */
	int root_fd;
	uint64_t st_dev;
	pthread_mutex_t open_lock; /* held while the connection is made */
	pthread_mutex_t lock;
	unsigned int open; /* entries that a RELEASE will end; __atomic */
	uint64_t next_node;
	struct anon_entry *entries;
};

struct anon_files *anon_files_create(struct fuse_device *device)
{
	struct anon_files *anon = calloc(1, sizeof(*anon));

	if (!anon)
		return NULL;
	anon->device = device;
	anon->root_fd = -1;
	anon->next_node = FUSE_NODE_ROOT + 1;
	pthread_mutex_init(&anon->open_lock, NULL);
	pthread_mutex_init(&anon->lock, NULL);
	return anon;
}

void anon_files_destroy(struct anon_files *anon)
{
	if (!anon)
		return;
	fuse_channel_free(anon->channel);
	pthread_mutex_destroy(&anon->open_lock);
	pthread_mutex_destroy(&anon->lock);
	free(anon);
}

static struct anon_entry *find_node_locked(struct anon_files *anon, uint64_t node)
{
	struct anon_entry *entry = anon->entries;

	while (entry && entry->node != node)
		entry = entry->next;
	return entry;
}

static struct anon_entry *to_entry(uint64_t fh)
{
	return (struct anon_entry *)(uintptr_t)fh;
}

/* Called by the engine when poll may answer differently. */
static void entry_notify(void *opaque)
{
	struct anon_entry *entry = opaque;
	struct anon_files *anon = entry->anon;
	uint64_t handle;
	bool wanted;

	pthread_mutex_lock(&anon->lock);
	wanted = entry->poll_wanted;
	entry->poll_wanted = false;
	handle = entry->poll_handle;
	pthread_mutex_unlock(&anon->lock);
	if (wanted)
		fuse_channel_notify_poll(anon->channel, handle);
}

/* Takes the entry out of the list and ends its file, unless a call still uses it. */
static void entry_put(struct anon_entry *entry)
{
	struct anon_files *anon = entry->anon;
	struct engine_anon_file *file;
	struct anon_entry **link;

	if (__atomic_sub_fetch(&entry->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_lock(&anon->lock);
	for (link = &anon->entries; *link != entry; link = &(*link)->next)
		;
	*link = entry->next;
	file = entry->file;
	entry->file = NULL;
	pthread_mutex_unlock(&anon->lock);
	if (file) {
		engine_anon_file_set_notify(file, NULL, NULL);
		engine_anon_file_release(file);
	}
	__atomic_sub_fetch(&anon->open, 1, __ATOMIC_RELEASE);
	free(entry);
}

/* ---- requests -------------------------------------------------------------------- */

static void handle_lookup(struct anon_files *anon, const struct fuse_request *request)
{
	const char *name = request->arg;
	struct fuse_entry_out out = { .attr_valid = 1 };
	struct anon_entry *entry;
	char *end;
	uint64_t node = strtoull(name, &end, 10);

	pthread_mutex_lock(&anon->lock);
	entry = *end ? NULL : find_node_locked(anon, node);
	if (entry && entry->opened)
		entry = NULL;
	pthread_mutex_unlock(&anon->lock);
	if (!entry) {
		fuse_request_reply(request, -ENOENT, NULL, 0);
		return;
	}
	out.nodeid = node;
	fuse_call_fill_attr(anon->device, node, S_IFREG | 0600, &out.attr);
	fuse_request_reply(request, 0, &out, sizeof(out));
}

static void handle_getattr(struct anon_files *anon, const struct fuse_request *request)
{
	uint64_t node = request->in->nodeid;
	struct fuse_attr_out out = { .attr_valid = 86400 };

	fuse_call_fill_attr(anon->device, node,
			    node == FUSE_NODE_ROOT ? S_IFDIR | 0700 : S_IFREG | 0600, &out.attr);
	fuse_request_reply(request, 0, &out, sizeof(out));
}

static void handle_open(struct anon_files *anon, const struct fuse_request *request)
{
	struct fuse_open_out out = {
		.open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH,
	};
	struct anon_entry *entry;

	pthread_mutex_lock(&anon->lock);
	entry = find_node_locked(anon, request->in->nodeid);
	if (entry && entry->opened)
		entry = NULL;
	if (entry)
		entry->opened = true;
	pthread_mutex_unlock(&anon->lock);
	if (entry && !entry->ops)
		out.open_flags |= FOPEN_NONSEEKABLE | FOPEN_STREAM;
	out.fh = (uint64_t)(uintptr_t)entry;
	fuse_request_reply(request, entry ? 0 : -ENXIO, &out, sizeof(out));
}

static void handle_read(const struct fuse_request *request)
{
	const struct fuse_read_in *in = request->arg;
	struct anon_entry *entry = to_entry(in->fh);
	size_t size = in->size < READ_BYTES_MAX ? in->size : READ_BYTES_MAX;
	ssize_t n = -EBADF;
	void *buffer = calloc(1, size ? size : 1);

	if (!buffer)
		n = -ENOMEM;
	else if (entry->ops)
		n = entry->ops->read(entry->opaque, buffer, size, in->offset);
	else if (entry->file)
		n = engine_anon_file_read(entry->file, buffer, size, in->flags & O_NONBLOCK);
	fuse_request_reply(request, n < 0 ? (int)n : 0, buffer, n < 0 ? 0 : (size_t)n);
	free(buffer);
}

static void handle_write(const struct fuse_request *request)
{
	const struct fuse_write_in *in = request->arg;
	struct anon_entry *entry = to_entry(in->fh);
	struct fuse_write_out out = { 0 };
	ssize_t n = -EBADF;

	if (entry->ops)
		n = entry->ops->write(entry->opaque, (const char *)(in + 1), in->size);
	else if (entry->file)
		n = engine_anon_file_write(entry->file, in + 1, in->size);
	if (n >= 0)
		out.size = (uint32_t)n;
	fuse_request_reply(request, n < 0 ? (int)n : 0, &out, sizeof(out));
}

static void handle_poll(struct anon_files *anon, const struct fuse_request *request)
{
	const struct fuse_poll_in *in = request->arg;
	struct anon_entry *entry = to_entry(in->fh);
	struct fuse_poll_out out = { 0 };

	/* First the wish, then the look: an event between both is told. */
	if (in->flags & FUSE_POLL_SCHEDULE_NOTIFY) {
		pthread_mutex_lock(&anon->lock);
		entry->poll_wanted = true;
		entry->poll_handle = in->kh;
		pthread_mutex_unlock(&anon->lock);
	}
	if (entry->file)
		out.revents = (uint32_t)(uint16_t)engine_anon_file_poll(entry->file);
	fuse_request_reply(request, 0, &out, sizeof(out));
}

static long run_ioctl(void *opaque, const struct engine_client *client, unsigned int cmd,
		      uint64_t arg)
{
	struct anon_entry *entry = opaque;

	if (entry->ops)
		return -ENOTTY;
	return entry->file ? engine_anon_file_ioctl(entry->file, client, cmd, arg) : -EBADF;
}

static void put_after_ioctl(void *opaque)
{
	entry_put(opaque);
}

static void handle_ioctl(struct anon_files *anon, const struct fuse_request *request)
{
	struct anon_entry *entry = to_entry(((const struct fuse_ioctl_in *)request->arg)->fh);
	const struct fuse_call_file file = {
		.ioctl = run_ioctl,
		.put = put_after_ioctl,
		.opaque = entry,
	};

	__atomic_add_fetch(&entry->refs, 1, __ATOMIC_RELAXED);
	fuse_call_ioctl(anon->device, request, &file);
}

static void handle_release(struct anon_files *anon, const struct fuse_request *request)
{
	struct anon_entry *entry = to_entry(((const struct fuse_release_in *)request->arg)->fh);

	pthread_mutex_lock(&anon->lock);
	entry->taken = true;
	pthread_mutex_unlock(&anon->lock);
	entry_put(entry);
	fuse_request_reply(request, 0, NULL, 0);
}

void anon_files_settle(struct anon_files *anon)
{
	/* The RELEASE is in the queue before the thread comes back from close(). */
	if (__atomic_load_n(&anon->open, __ATOMIC_ACQUIRE))
		fuse_channel_drain(anon->channel);
}

static void handle_request(void *opaque, const struct fuse_request *request)
{
	struct anon_files *anon = opaque;

	switch (request->in->opcode) {
	case FUSE_LOOKUP:
		handle_lookup(anon, request);
		return;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		handle_getattr(anon, request);
		return;
	case FUSE_OPEN:
		handle_open(anon, request);
		return;
	case FUSE_READ:
		handle_read(request);
		return;
	case FUSE_WRITE:
		handle_write(request);
		return;
	case FUSE_POLL:
		handle_poll(anon, request);
		return;
	case FUSE_IOCTL:
		handle_ioctl(anon, request);
		return;
	case FUSE_RELEASE:
		handle_release(anon, request);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	default:
		fuse_request_reply(request, -ENOSYS, NULL, 0);
	}
}

/* ---- opening --------------------------------------------------------------------- */

/* Makes the hidden connection when it is first needed. */
static int connection_start(struct anon_files *anon)
{
	int fd, err = 0;

	pthread_mutex_lock(&anon->open_lock);
	if (anon->channel)
		goto out;
	fd = fuse_mount_hidden(&anon->root_fd);
	if (fd < 0) {
		err = fd;
		goto out;
	}
	err = fuse_channel_start(fd, handle_request, anon, 0, FUSE_CHANNEL_DRAINABLE,
				 &anon->channel);
	if (!err) /* INIT comes first */
		err = fuse_asker_sync(anon->device->asker, anon->root_fd);
	if (!err)
		err = fuse_mount_device_of_fd(anon->root_fd, &anon->st_dev);
	if (!err)
		__atomic_store_n(&anon->ready, true, __ATOMIC_RELEASE);
out:
	pthread_mutex_unlock(&anon->open_lock);
	return err;
}

/* Opens the file of a new entry, which is consumed. The fd or -errno. */
static int entry_open(struct anon_files *anon, struct anon_entry *entry, int oflags)
{
	struct engine_anon_file *file = entry->file;
	char name[FUSE_ASKER_NAME_BYTES];
	bool opened = true;
	int fd;

	entry->anon = anon;
	entry->refs = 2; /* one is ours */
	__atomic_add_fetch(&anon->open, 1, __ATOMIC_RELEASE);
	pthread_mutex_lock(&anon->lock);
	entry->node = anon->next_node++;
	snprintf(name, sizeof(name), "%" PRIu64, entry->node);
	entry->next = anon->entries;
	anon->entries = entry;
	pthread_mutex_unlock(&anon->lock);
	if (file)
		engine_anon_file_set_notify(file, entry_notify, entry);

	fd = fuse_asker_open(anon->device->asker, anon->root_fd, name, oflags & O_ACCMODE);
	if (fd < 0) {
		if (file)
			engine_anon_file_set_notify(file, NULL, NULL);
		pthread_mutex_lock(&anon->lock);
		entry->file = NULL;
		opened = entry->opened;
		pthread_mutex_unlock(&anon->lock);
	}
	if (!opened) /* else its RELEASE ends it */
		entry_put(entry);
	entry_put(entry);
	return fd;
}

int anon_files_open(struct anon_files *anon, struct engine_anon_file *file,
		    const struct fuse_device_file_ops *ops, void *opaque, int oflags)
{
	struct anon_entry *entry;
	int err;

	err = connection_start(anon);
	if (err)
		return err;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->file = file;
	entry->ops = ops;
	entry->opaque = opaque;
	return entry_open(anon, entry, oflags);
}

void anon_files_disown(struct anon_files *anon, struct engine_anon_file *file)
{
	pthread_mutex_lock(&anon->lock);
	for (struct anon_entry *entry = anon->entries; entry; entry = entry->next) {
		if (entry->file == file)
			entry->file = NULL;
	}
	pthread_mutex_unlock(&anon->lock);
	engine_anon_file_set_notify(file, NULL, NULL);
}

struct engine_anon_file *anon_files_find(struct anon_files *anon, int fd)
{
	struct engine_anon_file *file = NULL;
	struct anon_entry *entry;
	uint64_t st_dev, node;

	if (!__atomic_load_n(&anon->ready, __ATOMIC_ACQUIRE) ||
	    fuse_mount_inode_of_fd(fd, &st_dev, &node) || st_dev != anon->st_dev)
		return NULL;
	/* With O_PATH it would not be the open file. */
	if (fcntl(fd, F_GETFL) & O_PATH)
		return NULL;
	pthread_mutex_lock(&anon->lock);
	entry = find_node_locked(anon, node);
	if (entry)
		file = entry->file;
	pthread_mutex_unlock(&anon->lock);
	return file;
}

/* An entry whose RELEASE will not come; the reference is now the caller's. NULL: none. */
static struct anon_entry *take_opened(struct anon_files *anon)
{
	struct anon_entry *entry;

	pthread_mutex_lock(&anon->lock);
	for (entry = anon->entries; entry && (!entry->opened || entry->taken); entry = entry->next)
		;
	if (entry)
		entry->taken = true;
	pthread_mutex_unlock(&anon->lock);
	return entry;
}

unsigned int anon_files_stop(struct anon_files *anon)
{
	struct anon_entry *entry;
	unsigned int stuck;

	if (!anon->channel)
		return 0;
	close(anon->root_fd);
	anon->root_fd = -1;
	stuck = fuse_channel_stop(anon->channel, STOP_GRACE_MS);
	while (!stuck && (entry = take_opened(anon)))
		entry_put(entry);
	return stuck;
}
