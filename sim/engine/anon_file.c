/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outside of files that commands give to a process: dispatch by kind, and
 * the way by which a poller learns of a change.
 *
 * A change happens under the context's lock, the poller is told after it: the
 * context lists the files that changed. notify_lock is held while a poller is
 * told, so that none is told after engine_anon_file_set_notify() took it away.
 */
#include "sim/engine/anon_file.h"

#include <poll.h>

void anon_file_init(struct engine_anon_file *file, const struct anon_file_ops *ops,
		    struct engine_ctx *ctx)
{
	file->ops = ops;
	file->ctx = ctx;
	file->refs = 1;
	list_init(&file->changed);
	pthread_mutex_init(&file->notify_lock, NULL);
	file->notify = NULL;
	file->opaque = NULL;
}

void anon_file_put(struct engine_anon_file *file)
{
	if (__atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_destroy(&file->notify_lock);
	file->ops->free(file);
}

void anon_file_changed(struct engine_anon_file *file)
{
	if (!list_empty(&file->changed))
		return;
	__atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
	list_append(&file->ctx->changed_files, &file->changed);
	__atomic_store_n(&file->ctx->any_changed, true, __ATOMIC_RELEASE);
}

void anon_files_notify(struct engine_ctx *ctx)
{
	if (!__atomic_load_n(&ctx->any_changed, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&ctx->lock);
	while (!list_empty(&ctx->changed_files)) {
		struct engine_anon_file *file = container_of(ctx->changed_files.next,
							     struct engine_anon_file, changed);

		list_remove(&file->changed);
		pthread_mutex_unlock(&ctx->lock);
		pthread_mutex_lock(&file->notify_lock);
		if (file->notify)
			file->notify(file->opaque);
		pthread_mutex_unlock(&file->notify_lock);
		anon_file_put(file);
		pthread_mutex_lock(&ctx->lock);
	}
	__atomic_store_n(&ctx->any_changed, false, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&ctx->lock);
}

struct engine_anon_file *anon_file_get_fd(struct engine_ctx *ctx, int fd,
					  enum engine_anon_kind kind, struct engine_file **file)
{
	const struct engine_client *client = ctx->call->client;
	int err;

	*file = client->ops->file_get ? client->ops->file_get(client, fd, &err) : NULL;
	if (!*file)
		return NULL;
	if ((*file)->kind != ENGINE_FILE_ANON || !(*file)->anon ||
	    (*file)->anon->ops->kind != kind)
		return NULL;
	return (*file)->anon;
}

/* ---- the interface in engine.h ------------------------------------------------ */

ssize_t engine_anon_file_read(struct engine_anon_file *file, void *buf, size_t len, bool nonblock)
{
	/* No kind ever waits: an empty queue reads as nothing (eventq.c, *_fops_read). */
	(void)nonblock;
	return file->ops->read ? file->ops->read(file, buf, len) : -EINVAL;
}

ssize_t engine_anon_file_write(struct engine_anon_file *file, const void *buf, size_t len)
{
	return file->ops->write ? file->ops->write(file, buf, len) : -EINVAL;
}

long engine_anon_file_ioctl(struct engine_anon_file *file, const struct engine_client *client,
			    unsigned int cmd, uint64_t arg)
{
	return file->ops->ioctl ? file->ops->ioctl(file, client, cmd, arg) : -ENOTTY;
}

short engine_anon_file_poll(struct engine_anon_file *file)
{
	return file->ops->poll ? file->ops->poll(file) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

void engine_anon_file_set_notify(struct engine_anon_file *file, void (*notify)(void *opaque),
				 void *opaque)
{
	pthread_mutex_lock(&file->notify_lock);
	file->notify = notify;
	file->opaque = opaque;
	pthread_mutex_unlock(&file->notify_lock);
}

void engine_anon_file_release(struct engine_anon_file *file)
{
	file->ops->release(file);
	anon_file_put(file);
}

/* ---- streams of others -------------------------------------------------------------- */

struct stream_file {
	struct engine_anon_file file;
	const struct engine_stream_ops *ops;
	void *opaque;
};

static struct stream_file *to_stream(struct engine_anon_file *file)
{
	return container_of(file, struct stream_file, file);
}

static ssize_t stream_read(struct engine_anon_file *file, void *buf, size_t len)
{
	return to_stream(file)->ops->read(to_stream(file)->opaque, buf, len);
}

static ssize_t stream_write(struct engine_anon_file *file, const void *buf, size_t len)
{
	return to_stream(file)->ops->write(to_stream(file)->opaque, buf, len);
}

static long stream_ioctl(struct engine_anon_file *file, const struct engine_client *client,
			 unsigned int cmd, uint64_t arg)
{
	return to_stream(file)->ops->ioctl(to_stream(file)->opaque, client, cmd, arg);
}

static void stream_release(struct engine_anon_file *file)
{
	to_stream(file)->ops->release(to_stream(file)->opaque);
}

static void stream_free(struct engine_anon_file *file)
{
	free(to_stream(file));
}

static const struct anon_file_ops stream_file_ops = {
	.kind = ENGINE_ANON_STREAM,
	.read = stream_read,
	.write = stream_write,
	.ioctl = stream_ioctl,
	.release = stream_release,
	.free = stream_free,
};

struct engine_anon_file *engine_stream_create(const struct engine_stream_ops *ops, void *opaque)
{
	struct stream_file *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	anon_file_init(&stream->file, &stream_file_ops, NULL);
	stream->ops = ops;
	stream->opaque = opaque;
	return &stream->file;
}
