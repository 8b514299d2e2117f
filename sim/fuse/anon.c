/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that commands give to a process: queues, mock accesses, dma-bufs.
 *
 * Each is a file of a directory that is mounted nowhere, is opened once by this process,
 * and is then handed to the client as an open file. It cannot be opened a second time, so
 * its RELEASE is the last close of all. Its inode number says which one an open file is.
 */
#include "sim/fuse/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

struct anon_entry {
	struct anon_files *anon;
	struct anon_entry *next, **link; /* with the lock */
	uint32_t refs; /* the opener's and the open file's; __atomic */
	struct engine_anon_file *file; /* NULL: disowned; changed with the lock; __atomic */
	struct fuse_node *node;
	const struct fuse_device_file_ops *ops; /* of a file that is not the engine's; or NULL */
	void *opaque;				/* theirs */
};

struct anon_files {
	struct fuse_files files;
	pthread_mutex_t lock;
	struct anon_entry *entries;
};

struct anon_files *anon_files_create(struct fuse_device *device)
{
	struct anon_files *anon = calloc(1, sizeof(*anon));

	if (!anon)
		return NULL;
	fuse_files_init(&anon->files, device);
	pthread_mutex_init(&anon->lock, NULL);
	return anon;
}

void anon_files_destroy(struct anon_files *anon)
{
	if (!anon)
		return;
	fuse_files_fini(&anon->files);
	pthread_mutex_destroy(&anon->lock);
	free(anon);
}

unsigned int anon_files_stop(struct anon_files *anon)
{
	return fuse_files_stop(&anon->files);
}

void anon_files_settle(struct anon_files *anon)
{
	fuse_files_settle(&anon->files, NULL);
}

static void entry_put(struct anon_entry *entry)
{
	struct anon_files *anon = entry->anon;

	if (__atomic_sub_fetch(&entry->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_lock(&anon->lock);
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	pthread_mutex_unlock(&anon->lock);
	free(entry);
}

/* What is served; NULL: it was taken back. */
static struct engine_anon_file *entry_file(const struct anon_entry *entry)
{
	return __atomic_load_n(&entry->file, __ATOMIC_ACQUIRE);
}

/* Takes the file away from the entry; NULL: there is none. */
static struct engine_anon_file *entry_take_file(struct anon_entry *entry)
{
	struct engine_anon_file *file;

	pthread_mutex_lock(&entry->anon->lock);
	file = entry->file;
	__atomic_store_n(&entry->file, NULL, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&entry->anon->lock);
	return file;
}

/* ---- what an open file does -------------------------------------------------------- */

static ssize_t entry_read(void *opaque, const struct file_access *access)
{
	struct engine_anon_file *file = entry_file(opaque);

	return file ? engine_anon_file_read(file, access->buf, access->size, access->nonblock)
		    : -EBADF;
}

static ssize_t entry_write(void *opaque, const struct file_access *access)
{
	struct engine_anon_file *file = entry_file(opaque);

	return file ? engine_anon_file_write(file, access->buf, access->size) : -EBADF;
}

static short entry_poll(void *opaque)
{
	struct engine_anon_file *file = entry_file(opaque);

	return file ? engine_anon_file_poll(file) : 0;
}

static long entry_ioctl(void *opaque, const struct engine_client *client, unsigned int cmd,
			uint64_t arg)
{
	struct engine_anon_file *file = entry_file(opaque);

	return file ? engine_anon_file_ioctl(file, client, cmd, arg) : -EBADF;
}

static void entry_release(void *opaque)
{
	struct anon_entry *entry = opaque;
	struct engine_anon_file *file = entry_take_file(entry);

	if (file) {
		engine_anon_file_set_notify(file, NULL, NULL);
		engine_anon_file_release(file);
	}
	entry_put(entry);
}

static const struct file_kind engine_kind = {
	.mode = S_IFREG | 0600,
	.open_flags = FOPEN_NONSEEKABLE | FOPEN_STREAM,
	.release = entry_release,
	.read = entry_read,
	.write = entry_write,
	.ioctl = entry_ioctl,
	.poll = entry_poll,
};

/* A dma-buf has a size. */
static uint64_t dmabuf_size(const struct fuse_node *node)
{
	const struct anon_entry *entry = node->opaque;

	return entry->file ? engine_anon_file_size(entry->file) : 0;
}

static const struct file_kind dmabuf_kind = {
	.mode = S_IFREG | 0600,
	.release = entry_release,
	.read = entry_read,
	.write = entry_write,
	.ioctl = entry_ioctl,
	.size = dmabuf_size,
};

/* ---- one that is none of the engine's ---------------------------------------------- */

static ssize_t other_read(void *opaque, const struct file_access *access)
{
	const struct anon_entry *entry = opaque;

	return entry->ops->read(entry->opaque, access->buf, access->size, access->offset);
}

static ssize_t other_write(void *opaque, const struct file_access *access)
{
	const struct anon_entry *entry = opaque;

	return entry->ops->write(entry->opaque, access->buf, access->size, access->offset);
}

static const struct file_kind other_kind = {
	.mode = S_IFREG | 0600,
	.release = entry_release,
	.read = other_read,
	.write = other_write,
};

/* ---- opening and finding ----------------------------------------------------------- */

/* Called by the engine when poll may answer differently. */
static void entry_notify(void *opaque)
{
	fuse_node_poll_changed(((struct anon_entry *)opaque)->node);
}

static void entry_begin(void *opaque, struct fuse_node *node)
{
	struct anon_entry *entry = opaque;

	entry->node = node;
	if (entry->file)
		engine_anon_file_set_notify(entry->file, entry_notify, entry);
}

int anon_files_open(struct anon_files *anon, struct engine_anon_file *file,
		    const struct fuse_device_file_ops *ops, void *opaque, int oflags)
{
	struct anon_entry *entry = calloc(1, sizeof(*entry));
	const struct file_kind *kind;
	bool opened;
	int fd;

	if (!entry)
		return -ENOMEM;
	*entry = (struct anon_entry){
		.anon = anon, .refs = 2, .file = file, .ops = ops, .opaque = opaque,
	};
	pthread_mutex_lock(&anon->lock);
	entry->next = anon->entries;
	if (entry->next)
		entry->next->link = &entry->next;
	entry->link = &anon->entries;
	anon->entries = entry;
	pthread_mutex_unlock(&anon->lock);

	kind = ops ? &other_kind : engine_anon_file_size(file) ? &dmabuf_kind : &engine_kind;
	fd = fuse_files_open_once(&anon->files, kind, entry, entry_begin, oflags, &opened);
	/* Still the caller's: the release, if there is one, shall not end it. */
	if (fd < 0 && entry_take_file(entry))
		engine_anon_file_set_notify(file, NULL, NULL);
	if (!opened)
		entry_put(entry);
	entry_put(entry);
	return fd;
}

void anon_files_disown(struct anon_files *anon, struct engine_anon_file *file)
{
	pthread_mutex_lock(&anon->lock);
	for (struct anon_entry *entry = anon->entries; entry; entry = entry->next) {
		if (entry->file == file)
			__atomic_store_n(&entry->file, NULL, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&anon->lock);
	engine_anon_file_set_notify(file, NULL, NULL);
}

static void *file_of_entry(void *opaque)
{
	return entry_file(opaque);
}

struct engine_anon_file *anon_files_find(struct anon_files *anon, int fd)
{
	return fuse_files_find_once(&anon->files, fd, file_of_entry);
}
