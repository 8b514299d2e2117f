/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the engine and the table of its open files. The table only grows, in
 * chunks that never move, so that a call finds its file without a lock; a
 * file's slot counts the calls inside, and the last one out of a closed slot
 * releases it.
 */
#include "sim/inproc/inproc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/inproc/trusted.h"
#include "sim/process/process.h"
#include "tracepoints/identity.h"
#include "tracepoints/op_id.h"

#define CHUNK_FILES 256
#define CHUNKS_MAX 256

/* users: 1 for being open, 1 for each call inside; 0: free. */
struct inproc_file {
	struct engine_ctx *ctx;
	uint32_t users;
	bool open; /* under the lock */
};

struct inproc {
	struct engine *engine;
	enum inproc_memory memory;
	struct process_table *processes; /* of SELF */
	uint32_t uid;
	uint32_t pid;
	const struct trace_identity *caller; /* NULL: this process, the thread that calls */
	struct engine_client_ops caller_ops;
	pthread_mutex_t lock; /* opening and closing */
	struct inproc_file *chunks[CHUNKS_MAX];
};

struct inproc *inproc_create(const struct engine_config *config, enum inproc_memory memory)
{
	struct inproc *inproc = calloc(1, sizeof(*inproc));

	if (!inproc)
		return NULL;
	inproc->memory = memory;
	inproc->uid = getuid();
	inproc->pid = (uint32_t)getpid();
	pthread_mutex_init(&inproc->lock, NULL);
	inproc->engine = engine_create(config);
	if (!inproc->engine)
		goto out_free;
	if (memory == INPROC_MEMORY_SELF) {
		inproc->processes = process_table_create();
		if (!inproc->processes)
			goto out_engine;
	}
	return inproc;

out_engine:
	engine_destroy(inproc->engine);
out_free:
	pthread_mutex_destroy(&inproc->lock);
	free(inproc);
	return NULL;
}

/* The slot of fd, whether in use or not; NULL: there never was one. */
static struct inproc_file *slot_of(struct inproc *inproc, int fd)
{
	unsigned int index = (unsigned int)fd - INPROC_FD_FIRST;
	struct inproc_file *chunk;

	if (index >= CHUNK_FILES * CHUNKS_MAX)
		return NULL;
	chunk = __atomic_load_n(&inproc->chunks[index / CHUNK_FILES], __ATOMIC_ACQUIRE);
	return chunk ? &chunk[index % CHUNK_FILES] : NULL;
}

/* Enters a file that is open; false: it is not. */
static bool file_enter(struct inproc_file *file)
{
	uint32_t users = __atomic_load_n(&file->users, __ATOMIC_RELAXED);

	do {
		if (!users)
			return false;
	} while (!__atomic_compare_exchange_n(&file->users, &users, users + 1, true,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

static void file_leave(struct inproc_file *file)
{
	struct engine_ctx *ctx = file->ctx;

	/* Once users is zero the slot is another's; ctx was read before. */
	if (__atomic_sub_fetch(&file->users, 1, __ATOMIC_ACQ_REL) == 0)
		engine_ctx_release(ctx);
}

int inproc_with_client(struct inproc *inproc,
		       int (*use)(void *opaque, const struct engine_client *client), void *opaque)
{
	struct process_client self;
	int ret;

	if (inproc->memory == INPROC_MEMORY_TRUSTED) {
		struct engine_client client = {
			.ops = &trusted_client_ops,
			.pid = inproc->pid,
			.tid = trace_tid(),
			.uid = inproc->uid,
		};

		if (inproc->caller) {
			client.ops = &inproc->caller_ops;
			client.pid = inproc->caller->pid;
			client.tid = inproc->caller->tid;
		}
		return use(opaque, &client);
	}
	ret = process_client_init(&self, inproc->processes, NULL, trace_tid(), inproc->uid);
	if (ret)
		return ret;
	ret = use(opaque, &self.client);
	process_client_fini(&self);
	return ret;
}

void inproc_call_as(struct inproc *inproc, const struct trace_identity *caller)
{
	inproc->caller = caller;
	inproc->caller_ops = trusted_client_ops;
	inproc->caller_ops.identify = NULL; /* its numbers are right */
}

struct open_request {
	struct inproc *inproc;
	struct engine_ctx *ctx;
};

static int open_ctx(void *opaque, const struct engine_client *client)
{
	struct open_request *request = opaque;

	request->ctx = engine_ctx_open(request->inproc->engine, client);
	return request->ctx ? 0 : -ENOMEM;
}

/* The lowest free fd, with its slot made; -EMFILE, -ENOMEM. Under the lock. */
static int fd_find_free(struct inproc *inproc)
{
	for (unsigned int c = 0; c < CHUNKS_MAX; c++) {
		struct inproc_file *chunk = inproc->chunks[c];

		if (!chunk) {
			chunk = calloc(CHUNK_FILES, sizeof(*chunk));
			if (!chunk)
				return -ENOMEM;
			__atomic_store_n(&inproc->chunks[c], chunk, __ATOMIC_RELEASE);
		}
		for (unsigned int i = 0; i < CHUNK_FILES; i++) {
			/* A closed file keeps its slot until its last call is out. */
			if (!chunk[i].open && !__atomic_load_n(&chunk[i].users, __ATOMIC_ACQUIRE))
				return INPROC_FD_FIRST + (int)(c * CHUNK_FILES + i);
		}
	}
	return -EMFILE;
}

static int fail(int error)
{
	errno = -error;
	return -1;
}

int inproc_open(struct inproc *inproc)
{
	struct open_request request = { .inproc = inproc };
	int fd = inproc_with_client(inproc, open_ctx, &request);

	if (fd < 0)
		return fail(fd);
	pthread_mutex_lock(&inproc->lock);
	fd = fd_find_free(inproc);
	if (fd >= 0) {
		struct inproc_file *file = slot_of(inproc, fd);

		file->ctx = request.ctx;
		file->open = true;
		__atomic_store_n(&file->users, 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&inproc->lock);
	if (fd < 0) {
		engine_ctx_release(request.ctx);
		return fail(fd);
	}
	return fd;
}

int inproc_close(struct inproc *inproc, int fd)
{
	struct inproc_file *file = slot_of(inproc, fd);
	bool was_open;

	if (!file)
		return fail(-EBADF);
	pthread_mutex_lock(&inproc->lock);
	was_open = file->open;
	file->open = false;
	pthread_mutex_unlock(&inproc->lock);
	if (!was_open)
		return fail(-EBADF);
	file_leave(file);
	return 0;
}

struct ioctl_request {
	struct engine_ctx *ctx;
	unsigned int cmd;
	uint64_t arg;
	long ret;
};

static int ioctl_ctx(void *opaque, const struct engine_client *client)
{
	struct ioctl_request *request = opaque;

	request->ret = engine_ctx_ioctl(request->ctx, client, request->cmd, request->arg);
	return 0;
}

int inproc_ioctl(struct inproc *inproc, int fd, unsigned long request, void *arg)
{
	struct inproc_file *file = slot_of(inproc, fd);
	struct ioctl_request call = { .cmd = (unsigned int)request, .arg = (uintptr_t)arg };
	int ret;

	if (!file || !file_enter(file))
		return fail(-EBADF);
	call.ctx = file->ctx;
	ret = inproc_with_client(inproc, ioctl_ctx, &call);
	file_leave(file);
	if (ret)
		return fail(ret);
	return call.ret < 0 ? fail((int)call.ret) : (int)call.ret;
}

struct engine_ctx *inproc_borrow_ctx(struct inproc *inproc, int fd)
{
	struct inproc_file *file = slot_of(inproc, fd);

	return file && __atomic_load_n(&file->users, __ATOMIC_ACQUIRE) ? file->ctx : NULL;
}

void inproc_destroy(struct inproc *inproc)
{
	if (!inproc)
		return;
	for (unsigned int c = 0; c < CHUNKS_MAX; c++) {
		for (unsigned int i = 0; inproc->chunks[c] && i < CHUNK_FILES; i++) {
			if (inproc->chunks[c][i].open)
				inproc_close(inproc, INPROC_FD_FIRST + (int)(c * CHUNK_FILES + i));
		}
		free(inproc->chunks[c]);
	}
	if (inproc->processes)
		process_table_destroy(inproc->processes);
	engine_destroy(inproc->engine);
	pthread_mutex_destroy(&inproc->lock);
	free(inproc);
}

static int ops_open(void *opaque, const char *path, int flags)
{
	(void)path;
	(void)flags;
	return inproc_open(opaque);
}

static int ops_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	return inproc_ioctl(opaque, fd, request, arg);
}

static int ops_close(void *opaque, int fd)
{
	return inproc_close(opaque, fd);
}

const IOMMUFDDeviceOps inproc_device_ops = {
	.open = ops_open,
	.ioctl = ops_ioctl,
	.close = ops_close,
};
