/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/files.h"
#include "sim/fuse/asker.h"
#include "sim/fuse/internal.h"
#include "sim/fuse/mount.h"
#include "sim/fuse/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ATTR_SECONDS 86400u /* nothing ever changes but what is opened once */
#define ACCESS_BYTES_MAX (1u << 20)
#define STOP_GRACE_MS 200u
/* One that takes longer waits for a client: for a call of the same open file, say. */
#define RELEASE_SECONDS 1
#define OTHERS_NS 20000000u

/* ---- nodes ----------------------------------------------------------------------- */

static struct fuse_node *node_find_locked(struct fuse_files *files, uint64_t ino)
{
	struct fuse_node *node = files->nodes;

	while (node && node->ino != ino)
		node = node->next;
	return node;
}

static struct fuse_node *node_create(struct fuse_files *files, const struct file_kind *kind,
				     void *opaque, bool once)
{
	struct fuse_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct fuse_node){
		.files = files, .kind = kind, .opaque = opaque, .mode = kind->mode,
		.refs = 1,	.once = once,
	};
	pthread_mutex_lock(&files->lock);
	node->ino = files->next_ino++;
	node->next = files->nodes;
	if (node->next)
		node->next->link = &node->next;
	node->link = &files->nodes;
	files->nodes = node;
	pthread_mutex_unlock(&files->lock);
	return node;
}

static void node_put(struct fuse_node *node)
{
	struct fuse_files *files = node->files;

	if (__atomic_sub_fetch(&node->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_lock(&files->lock);
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
	pthread_mutex_unlock(&files->lock);
	free(node);
}

void fuse_node_poll_changed(struct fuse_node *node)
{
	struct fuse_files *files = node->files;
	uint64_t handle;
	bool wanted;

	pthread_mutex_lock(&files->lock);
	wanted = node->poll_wanted;
	node->poll_wanted = false;
	handle = node->poll_handle;
	pthread_mutex_unlock(&files->lock);
	if (wanted)
		fuse_channel_notify_poll(files->channel, handle);
}

/* ---- open files ------------------------------------------------------------------ */

static struct fuse_open *to_open(uint64_t fh)
{
	return (struct fuse_open *)(uintptr_t)fh;
}

void fuse_open_get(struct fuse_open *open)
{
	__atomic_add_fetch(&open->refs, 1, __ATOMIC_RELAXED);
}

bool fuse_open_get_live(struct fuse_open *open)
{
	uint32_t refs = __atomic_load_n(&open->refs, __ATOMIC_RELAXED);

	while (refs && !__atomic_compare_exchange_n(&open->refs, &refs, refs + 1, false,
						    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		;
	return refs;
}

void fuse_open_put(struct fuse_open *open)
{
	struct fuse_node *node = open->node;
	struct fuse_files *files = node->files;

	if (__atomic_sub_fetch(&open->refs, 1, __ATOMIC_ACQ_REL))
		return;
	known_opens_change(&files->device->known); /* no look-up reads it after this */
	pthread_mutex_lock(&files->lock);
	*open->link = open->next;
	if (open->next)
		open->next->link = open->link;
	open->next = files->ending;
	if (open->next)
		open->next->link = &open->next;
	open->link = &files->ending;
	files->ending = open;
	files->releasing++;
	if (node->once) /* fuse_files_find_once() finds it no more */
		node->opaque = NULL;
	pthread_mutex_unlock(&files->lock);

	if (node->kind->release)
		node->kind->release(open->file);
	if (open->user)
		fuse_user_give_file(open->user);
	node_put(node);
	__atomic_sub_fetch(&files->unreleased, 1, __ATOMIC_RELEASE);
	pthread_mutex_lock(&files->lock);
	*open->link = open->next;
	if (open->next)
		open->next->link = open->link;
	files->releasing--;
	pthread_cond_broadcast(&files->released);
	pthread_mutex_unlock(&files->lock);
	free(open);
}

/* The node that an OPEN is of, a reference; NULL: it is none, or was opened already. */
static struct fuse_node *node_begin_open(struct fuse_files *files, uint64_t ino)
{
	struct fuse_node *node;

	pthread_mutex_lock(&files->lock);
	node = node_find_locked(files, ino);
	if (node && node->once && node->opened)
		node = NULL;
	if (node) {
		node->opened = true;
		__atomic_add_fetch(&node->refs, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&files->lock);
	return node;
}

/*
 * RELEASE comes some time after the last close(), which does not wait for it. So that a
 * program which closes and opens again finds the first one gone, as with the kernel's
 * files, OPEN waits for each RELEASE that is being worked on. But one with a million
 * mappings takes its time: only who had it open waits for that, others for a moment.
 */
static void await_releases(struct fuse_files *files, uint32_t tid)
{
	struct fuse_open *own;
	struct timespec end;

	fuse_channel_await_releases_for(files->channel, OTHERS_NS);
	pthread_mutex_lock(&files->lock);
	for (own = files->ending; own && own->tid != tid; own = own->next)
		;
	pthread_mutex_unlock(&files->lock);
	if (!own)
		return;
	fuse_channel_await_releases(files->channel);
	end = deadline_after(RELEASE_SECONDS * UINT64_C(1000000000));
	pthread_mutex_lock(&files->lock);
	while (files->releasing) {
		if (pthread_cond_timedwait(&files->released, &files->lock, &end))
			break;
	}
	pthread_mutex_unlock(&files->lock);
}

/* Whether calls of its open files come by a supervisor, too (known.h). */
static bool is_supervised(const struct fuse_node *node)
{
	return node->files->device->config.supervised && !node->once;
}

/* Counts an open file as the user's. 0, -EMFILE or -ENOMEM. */
static int take_file(struct fuse_device *device, uint32_t uid, struct fuse_user **user)
{
	struct fuse_user *its = fuse_users_get(&device->users, uid);

	if (!its)
		return -ENOMEM;
	if (!fuse_user_take_file(&device->users, its))
		return -EMFILE;
	*user = its;
	return 0;
}

static void handle_open(struct fuse_files *files, const struct fuse_request *request)
{
	const struct fuse_open_in *in = request->arg;
	struct fuse_node *node = NULL;
	struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO };
	struct fuse_open *open;
	int err = -ENXIO;

	open = calloc(1, sizeof(*open));
	if (open)
		node = node_begin_open(files, request->in->nodeid);
	if (!node)
		goto out;
	/* A file without direct_IO (fs/open.c, do_dentry_open()). */
	err = in->flags & O_DIRECT ? -EINVAL : 0;
	if (!err && !node->once)
		await_releases(files, request->in->pid);
	*open = (struct fuse_open){ .node = node, .file = node->opaque, .refs = 1,
				    .oflags = in->flags, .tid = request->in->pid };
	if (!err && !node->once)
		err = take_file(files->device, request->in->uid, &open->user);
	if (!err && node->kind->open)
		err = node->kind->open(node, request, &open->file);
	if (err) {
		if (open->user)
			fuse_user_give_file(open->user);
		node_put(node);
		goto out;
	}
	__atomic_add_fetch(&files->unreleased, 1, __ATOMIC_RELEASE);
	pthread_mutex_lock(&files->lock);
	open->next = files->opens;
	if (open->next)
		open->next->link = &open->next;
	open->link = &files->opens;
	files->opens = open;
	pthread_mutex_unlock(&files->lock);
	out.open_flags |= node->kind->open_flags;
	if (!is_supervised(node))
		out.open_flags |= FOPEN_NOFLUSH;
	else
		known_opens_change(&files->device->known);
	out.fh = (uint64_t)(uintptr_t)open;
	open = NULL;
out:
	free(open);
	fuse_request_reply(request, err, &out, sizeof(out));
}

/* A process closes a descriptor, maybe the last. */
static void handle_flush(struct fuse_files *files, const struct fuse_request *request)
{
	struct fuse_open *open = to_open(((const struct fuse_flush_in *)request->arg)->fh);

	known_opens_change(&files->device->known);
	if (open->node->kind->flush)
		open->node->kind->flush(open->file);
	fuse_request_reply(request, 0, NULL, 0);
}

static void handle_release(struct fuse_files *files, const struct fuse_request *request)
{
	struct fuse_open *open = to_open(((const struct fuse_release_in *)request->arg)->fh);

	pthread_mutex_lock(&files->lock);
	open->taken = true;
	pthread_mutex_unlock(&files->lock);
	fuse_open_put(open);
	fuse_request_reply(request, 0, NULL, 0);
}

/* ---- what an open file is asked ---------------------------------------------------- */

/* What the read tells of its caller's descriptor, if that was asked (known.h). */
static void learn_by_read(struct fuse_open *open, const struct fuse_request *request,
			  uint64_t offset)
{
	struct fuse_device *device = open->node->files->device;
	struct fuse_call call;

	if (!is_supervised(open->node) || !known_opens_expects(&device->known, request->in->pid) ||
	    fuse_call_init(&call, device, request))
		return;
	known_opens_learn(&device->known, &call.pc, KNOWN_BY_READ, offset, open);
	fuse_call_fini(&call);
}

static void handle_read(const struct fuse_request *request)
{
	const struct fuse_read_in *in = request->arg;
	struct fuse_open *open = to_open(in->fh);
	const struct file_kind *kind = open->node->kind;
	struct file_access access = {
		.size = in->size < ACCESS_BYTES_MAX ? in->size : ACCESS_BYTES_MAX,
		.offset = in->offset,
		.nonblock = in->flags & O_NONBLOCK,
		.by_page = !(in->read_flags & FUSE_READ_LOCKOWNER),
	};
	ssize_t n = -EINVAL;

	if (!access.by_page) /* a page may be read on the way of another file's read */
		learn_by_read(open, request, in->offset);
	access.buf = calloc(1, access.size ? access.size : 1);
	if (!access.buf)
		n = -ENOMEM;
	else if (access.by_page && !kind->has_pages)
		n = -EIO;
	else if (kind->read)
		n = kind->read(open->file, &access);
	fuse_request_reply(request, n < 0 ? (int)n : 0, access.buf, n < 0 ? 0 : (size_t)n);
	free(access.buf);
}

static void handle_write(const struct fuse_request *request)
{
	const struct fuse_write_in *in = request->arg;
	const struct fuse_open *open = to_open(in->fh);
	const struct file_kind *kind = open->node->kind;
	const struct file_access access = {
		.buf = (void *)(uintptr_t)(in + 1),
		.size = in->size,
		.offset = in->offset,
		.nonblock = in->flags & O_NONBLOCK,
		.by_page = in->write_flags & FUSE_WRITE_CACHE,
	};
	struct fuse_write_out out = { 0 };
	ssize_t n = -EINVAL;

	if (access.by_page && !kind->has_pages)
		n = -EIO;
	else if (kind->write)
		n = kind->write(open->file, &access);
	if (n >= 0)
		out.size = (uint32_t)n;
	fuse_request_reply(request, n < 0 ? (int)n : 0, &out, sizeof(out));
}

static void handle_poll(struct fuse_files *files, const struct fuse_request *request)
{
	const struct fuse_poll_in *in = request->arg;
	const struct fuse_open *open = to_open(in->fh);
	const struct file_kind *kind = open->node->kind;
	struct fuse_poll_out out = { .revents = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };

	/* First the wish, then the look: an event between both is told. */
	if (kind->poll && in->flags & FUSE_POLL_SCHEDULE_NOTIFY) {
		pthread_mutex_lock(&files->lock);
		open->node->poll_wanted = true;
		open->node->poll_handle = in->kh;
		pthread_mutex_unlock(&files->lock);
	}
	if (kind->poll)
		out.revents = (uint32_t)(uint16_t)kind->poll(open->file);
	fuse_request_reply(request, 0, &out, sizeof(out));
}

static long run_ioctl(void *opaque, const struct engine_client *client, unsigned int cmd,
		      uint64_t arg)
{
	struct fuse_open *open = opaque;
	const struct file_kind *kind = open->node->kind;

	if (is_supervised(open->node))
		known_opens_learn(&open->node->files->device->known,
				  (const struct process_client *)client, cmd, arg, open);
	return kind->ioctl ? kind->ioctl(open->file, client, cmd, arg) : -ENOTTY;
}

static void put_after_ioctl(void *opaque)
{
	fuse_open_put(opaque);
}

static void handle_ioctl(struct fuse_files *files, const struct fuse_request *request)
{
	const struct fuse_ioctl_in *in = request->arg;
	struct fuse_open *open = to_open(in->fh);
	const struct fuse_call_file file = {
		.token = in->fh,
		.ioctl = run_ioctl,
		.put = put_after_ioctl,
		.opaque = open,
	};

	fuse_open_get(open);
	fuse_call_ioctl(files->device, request, &file);
}

/* ---- what a node is asked ---------------------------------------------------------- */

/* The node's attributes; false: there is no such node. */
static bool fill_attr(struct fuse_files *files, uint64_t ino, struct fuse_attr *attr)
{
	struct fuse_node *node;

	if (ino == FUSE_NODE_ROOT && __atomic_load_n(&files->root_fd, __ATOMIC_RELAXED) >= 0) {
		fuse_call_fill_attr(files->device, ino, S_IFDIR | 0700, attr);
		return true;
	}
	pthread_mutex_lock(&files->lock);
	node = node_find_locked(files, ino);
	if (node) {
		fuse_call_fill_attr(files->device, ino, node->mode, attr);
		attr->size = node->kind->size ? node->kind->size(node) : 0;
	}
	pthread_mutex_unlock(&files->lock);
	return node;
}

static void handle_lookup(struct fuse_files *files, const struct fuse_request *request)
{
	struct fuse_entry_out out = { .attr_valid = 1 };
	const char *name = request->arg;
	struct fuse_node *node;
	bool found;
	char *end;

	out.nodeid = strtoull(name, &end, 10);
	pthread_mutex_lock(&files->lock);
	node = *end ? NULL : node_find_locked(files, out.nodeid);
	found = node && !(node->once && node->opened);
	pthread_mutex_unlock(&files->lock);
	if (found && fill_attr(files, out.nodeid, &out.attr))
		fuse_request_reply(request, 0, &out, sizeof(out));
	else
		fuse_request_reply(request, -ENOENT, NULL, 0);
}

static void handle_getattr(struct fuse_files *files, const struct fuse_request *request)
{
	struct fuse_attr_out out = { .attr_valid = ATTR_SECONDS };
	bool found = fill_attr(files, request->in->nodeid, &out.attr);

	fuse_request_reply(request, found ? 0 : -ESTALE, &out, sizeof(out));
}

/* What is set is not kept. Only a regular file has a size to set (fs/open.c, do_ftruncate()). */
static void handle_setattr(struct fuse_files *files, const struct fuse_request *request)
{
	const struct fuse_setattr_in *in = request->arg;

	if (in->valid & FATTR_SIZE)
		fuse_request_reply(request, -EINVAL, NULL, 0);
	else
		handle_getattr(files, request);
}

/* None is there (fs/xattr.c, xattr_permission(): users' are for regular files alone). */
static void handle_listxattr(const struct fuse_request *request)
{
	const struct fuse_getxattr_in *in = request->arg;
	struct fuse_getxattr_out out = { .size = 0 };

	fuse_request_reply(request, 0, &out, in->size ? 0 : sizeof(out));
}

static void handle_statfs(const struct fuse_request *request)
{
	struct fuse_statfs_out out = { .st = { .bsize = ENGINE_PAGE_SIZE, .namelen = 255 } };

	fuse_request_reply(request, 0, &out, sizeof(out));
}

static void handle_request(void *opaque, const struct fuse_request *request)
{
	struct fuse_files *files = opaque;

	switch (request->in->opcode) {
	case FUSE_IOCTL:
		handle_ioctl(files, request);
		return;
	case FUSE_READ:
		handle_read(request);
		return;
	case FUSE_WRITE:
		handle_write(request);
		return;
	case FUSE_OPEN:
		handle_open(files, request);
		return;
	case FUSE_RELEASE:
		handle_release(files, request);
		return;
	case FUSE_FLUSH:
		handle_flush(files, request);
		return;
	case FUSE_POLL:
		handle_poll(files, request);
		return;
	case FUSE_LOOKUP:
		handle_lookup(files, request);
		return;
	case FUSE_GETATTR:
		handle_getattr(files, request);
		return;
	case FUSE_SETATTR:
		handle_setattr(files, request);
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
	case FUSE_FSYNC:
		fuse_request_reply(request, -EINVAL, NULL, 0);
		return;
	case FUSE_FALLOCATE: /* fs/open.c, vfs_fallocate() */
		fuse_request_reply(request, -ENODEV, NULL, 0);
		return;
	case FUSE_STATFS:
		handle_statfs(request);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	default:
		fuse_request_reply(request, -ENOSYS, NULL, 0);
	}
}

/* ---- start and end --------------------------------------------------------------- */

void fuse_files_init(struct fuse_files *files, struct fuse_device *device)
{
	pthread_condattr_t attr;

	*files = (struct fuse_files){
		.device = device, .root_fd = -1, .next_ino = FUSE_NODE_ROOT,
	};
	pthread_mutex_init(&files->start_lock, NULL);
	pthread_mutex_init(&files->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&files->released, &attr);
	pthread_condattr_destroy(&attr);
}

void fuse_files_fini(struct fuse_files *files)
{
	fuse_channel_free(files->channel);
	while (files->nodes)
		node_put(files->nodes);
	pthread_cond_destroy(&files->released);
	pthread_mutex_destroy(&files->lock);
	pthread_mutex_destroy(&files->start_lock);
}

int fuse_files_start_file(struct fuse_files *files, int fd, const char *path,
			  const struct file_kind *kind, void *opaque, uint64_t init_flags,
			  enum fuse_channel_order order)
{
	int err = 0;

	if (!node_create(files, kind, opaque, false)) { /* the first: it is FUSE_NODE_ROOT */
		close(fd);
		return -ENOMEM;
	}
	err = fuse_channel_start(fd, handle_request, files, init_flags, order, &files->channel);
	if (!err)
		err = fuse_call_first_look(files->device, path);
	if (!err)
		err = fuse_mount_device_of_path(path, &files->st_dev);
	if (!err)
		__atomic_store_n(&files->ready, true, __ATOMIC_RELEASE);
	return err;
}

int fuse_files_start_folder(struct fuse_files *files)
{
	int fd, err = 0;

	pthread_mutex_lock(&files->start_lock);
	if (files->channel)
		goto out;
	files->next_ino = FUSE_NODE_ROOT + 1;
	fd = fuse_mount_hidden(&files->root_fd);
	if (fd < 0) {
		err = fd;
		goto out;
	}
	err = fuse_channel_start(fd, handle_request, files, 0, FUSE_CHANNEL_DRAINABLE,
				 &files->channel);
	if (!err) /* INIT comes first */
		err = fuse_asker_sync(files->device->asker, files->root_fd);
	if (!err)
		err = fuse_mount_device_of_fd(files->root_fd, &files->st_dev);
	if (!err)
		__atomic_store_n(&files->ready, true, __ATOMIC_RELEASE);
out:
	pthread_mutex_unlock(&files->start_lock);
	return err;
}

/* An open file whose RELEASE will not come; the reference is now the caller's. NULL: none. */
static struct fuse_open *take_open(struct fuse_files *files)
{
	struct fuse_open *open;

	pthread_mutex_lock(&files->lock);
	for (open = files->opens; open && open->taken; open = open->next)
		;
	if (open)
		open->taken = true;
	pthread_mutex_unlock(&files->lock);
	return open;
}

unsigned int fuse_files_stop(struct fuse_files *files)
{
	struct fuse_open *open;
	unsigned int stuck;
	int root_fd = __atomic_exchange_n(&files->root_fd, -1, __ATOMIC_RELAXED);

	if (root_fd >= 0) /* a thread may be answering what it is */
		close(root_fd);
	if (!files->channel)
		return 0;
	stuck = fuse_channel_stop(files->channel, STOP_GRACE_MS);
	/* One that someone still uses ends when they give it back. */
	while (!stuck && (open = take_open(files)))
		fuse_open_put(open);
	return stuck;
}

/* ---- files of a directory ---------------------------------------------------------- */

struct fuse_node *fuse_files_add(struct fuse_files *files, const struct file_kind *kind,
				 void *opaque)
{
	return node_create(files, kind, opaque, false);
}

int fuse_files_show(struct fuse_node *node, const char *path)
{
	struct fuse_files *files = node->files;
	char name[FUSE_ASKER_NAME_BYTES];
	int fd, tree, err = 0;

	snprintf(name, sizeof(name), "%" PRIu64, node->ino);
	fd = fuse_asker_open(files->device->asker, files->root_fd, name, O_PATH);
	if (fd < 0)
		return fd;
	tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH))
		err = -errno;
	if (tree >= 0)
		close(tree);
	close(fd);
	return err;
}

int fuse_files_open_once(struct fuse_files *files, const struct file_kind *kind, void *opaque,
			 void (*before)(void *opaque, struct fuse_node *node), int oflags,
			 bool *opened)
{
	char name[FUSE_ASKER_NAME_BYTES];
	struct fuse_node *node;
	int fd;

	*opened = false;
	fd = fuse_files_start_folder(files);
	if (fd)
		return fd;
	node = node_create(files, kind, opaque, true);
	if (!node)
		return -ENOMEM;
	if (before)
		before(opaque, node);
	snprintf(name, sizeof(name), "%" PRIu64, node->ino);
	fd = fuse_asker_open(files->device->asker, files->root_fd, name, oflags & O_ACCMODE);
	pthread_mutex_lock(&files->lock);
	*opened = node->opened;
	node->opened = true; /* not later, either */
	pthread_mutex_unlock(&files->lock);
	node_put(node);
	return fd;
}

/* ---- whose file a descriptor is ------------------------------------------------------ */

bool fuse_files_own(struct fuse_files *files, int fd)
{
	uint64_t st_dev;

	return __atomic_load_n(&files->ready, __ATOMIC_ACQUIRE) &&
	       !fuse_mount_device_of_fd(fd, &st_dev) && st_dev == files->st_dev;
}

struct fuse_open *fuse_files_find(struct fuse_files *files, int fd)
{
	struct fuse_open *open;
	uint64_t token;

	if (!fuse_files_own(files, fd))
		return NULL;
	fuse_channel_expect(files->channel);
	token = fuse_call_ask(files->device, fd);
	/* Found by comparing: a token from elsewhere must not be believed. */
	pthread_mutex_lock(&files->lock);
	for (open = token ? files->opens : NULL; open; open = open->next) {
		if ((uint64_t)(uintptr_t)open != token)
			continue;
		if (!fuse_open_get_live(open))
			open = NULL;
		break;
	}
	pthread_mutex_unlock(&files->lock);
	return open;
}

struct fuse_node *fuse_files_node(struct fuse_files *files, int fd)
{
	uint64_t st_dev, ino;
	struct fuse_node *node;

	if (!__atomic_load_n(&files->ready, __ATOMIC_ACQUIRE) ||
	    fuse_mount_inode_of_fd(fd, &st_dev, &ino) || st_dev != files->st_dev)
		return NULL;
	pthread_mutex_lock(&files->lock);
	node = node_find_locked(files, ino);
	if (node && node->once)
		node = NULL;
	pthread_mutex_unlock(&files->lock);
	return node;
}

void *fuse_files_find_once(struct fuse_files *files, int fd, void *(*found)(void *opaque))
{
	uint64_t st_dev, ino;
	struct fuse_node *node;
	void *result = NULL;

	if (!__atomic_load_n(&files->ready, __ATOMIC_ACQUIRE) ||
	    fuse_mount_inode_of_fd(fd, &st_dev, &ino) || st_dev != files->st_dev)
		return NULL;
	/* With O_PATH it would not be the open file. */
	if (fcntl(fd, F_GETFL) & O_PATH)
		return NULL;
	pthread_mutex_lock(&files->lock);
	node = node_find_locked(files, ino);
	if (node && node->once && node->opaque)
		result = found(node->opaque);
	pthread_mutex_unlock(&files->lock);
	return result;
}

void fuse_files_settle_but(struct fuse_files *files, unsigned int held)
{
	if (__atomic_load_n(&files->unreleased, __ATOMIC_ACQUIRE) > held)
		fuse_channel_drain(files->channel);
}

void fuse_files_settle(struct fuse_files *files, const struct fuse_files *here)
{
	/* The RELEASE is in the queue before the thread comes back from close(). */
	if (!__atomic_load_n(&files->unreleased, __ATOMIC_ACQUIRE))
		return;
	if (files == here)
		fuse_channel_await_releases(files->channel);
	else
		fuse_channel_drain(files->channel);
}
