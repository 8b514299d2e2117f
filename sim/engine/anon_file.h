/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that commands give to a process: the base that fault queues, event
 * queues, mock accesses and mock dma-bufs embed as their first member.
 *
 * engine.h has what the outside sees of it (engine_anon_file_*).
 */
#ifndef IOASIS_ENGINE_ANON_FILE_H
#define IOASIS_ENGINE_ANON_FILE_H

#include <pthread.h>

#include "sim/engine/core.h"

/* What a kind of file can do. NULL read and write: -EINVAL. NULL poll: always ready. */
struct anon_file_ops {
	enum engine_anon_kind kind;
	ssize_t (*read)(struct engine_anon_file *file, void *buf, size_t len);
	ssize_t (*write)(struct engine_anon_file *file, const void *buf, size_t len);
	short (*poll)(struct engine_anon_file *file);
	/* NULL: -ENOTTY. */
	long (*ioctl)(struct engine_anon_file *file, const struct engine_client *client,
		      unsigned int cmd, uint64_t arg);
	/* The last close, with no lock held: what the kernel's release does. */
	void (*release)(struct engine_anon_file *file);
	/* The last reference is gone; may come under any lock. */
	void (*free)(struct engine_anon_file *file);
};

struct engine_anon_file {
	const struct anon_file_ops *ops;
	struct engine_ctx *ctx; /* whose lock orders its changes */
	uint32_t refs;		/* the process, and whoever works on it; atomic */
	struct list_link changed; /* in ctx->changed_files; the list holds a reference */
	pthread_mutex_t notify_lock; /* held while notify runs */
	void (*notify)(void *opaque);
	void *opaque;
};

/* One reference, the process's to be. */
void anon_file_init(struct engine_anon_file *file, const struct anon_file_ops *ops,
		    struct engine_ctx *ctx);
void anon_file_put(struct engine_anon_file *file);

/* The answer of poll may have changed: noted until anon_files_notify(). Needs the lock. */
void anon_file_changed(struct engine_anon_file *file);

/* Tells the pollers of all files that changed. Called without any lock. */
void anon_files_notify(struct engine_ctx *ctx);

/*
 * The engine's own file of this kind behind fd of the caller: its file, a new
 * reference, in *file. NULL: no such fd (*file NULL too) or another file.
 */
struct engine_anon_file *anon_file_get_fd(struct engine_ctx *ctx, int fd,
					  enum engine_anon_kind kind, struct engine_file **file);

#endif
