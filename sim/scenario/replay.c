/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <ioasis/iommufd_abi.h>
#include <ioasis/iommufd_backend.h>

#include "sim/engine/engine.h"
#include "sim/inproc/inproc.h"
#include "sim/scenario/arena.h"
#include "sim/scenario/device_probe.h"
#include "tracepoints/load.h"

/* An id that no device gives out: for one that was recorded but never was, or is gone. */
#define ID_NOWHERE 0x7fff0000u
/* Stands for an object that was recorded and not made here, for want of its device. */
#define ID_UNMADE 0x7fff0001u
#define PAGE_BYTES 4096u

/* Recorded id -> present one, in a table that grows with the largest id. */
struct id_map {
	uint32_t *ids; /* 0: none */
	uint32_t size;
};

struct replay_device {
	uint32_t recorded_id;
	uint32_t id;
	struct engine_device *bound;
};

struct replay_backend {
	IOMMUFDBackend *be;
	struct id_map ids;
	struct replay_device *devices;
	size_t devices_count;
};

struct replay {
	const struct replay_options *options;
	struct replay_result *result;
	struct inproc *inproc; /* NULL: a device by its path */
	struct arena arena;
	int file; /* stands for every file that was mapped; -1: none */
	int last_err;
	struct replay_backend *backends;
	uint32_t backends_count;
};

const char *replay_op_name(enum replay_op op)
{
	static const char *const names[REPLAY_OP_COUNT] = {
		"connect",    "disconnect",   "alloc_ioas",	  "free_id",
		"map_dma",    "map_file_dma", "unmap_dma",	  "get_device_info",
		"alloc_hwpt", "set_dirty",    "get_dirty_bitmap",
	};

	return names[op];
}

/* ---- the way to the device -------------------------------------------------- */

static int ops_open(void *opaque, const char *path, int flags)
{
	struct replay *replay = opaque;

	return replay->inproc ? inproc_open(replay->inproc) : open(path, flags);
}

/* Keeps the errno, which the backend hides from DESTROY and UNMAP. */
static int ops_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	struct replay *replay = opaque;
	int ret = replay->inproc ? inproc_ioctl(replay->inproc, fd, request, arg)
				 : ioctl(fd, request, arg);

	replay->last_err = ret < 0 ? -errno : 0;
	return ret;
}

static int ops_close(void *opaque, int fd)
{
	struct replay *replay = opaque;

	return replay->inproc ? inproc_close(replay->inproc, fd) : close(fd);
}

static const IOMMUFDDeviceOps replay_ops = {
	.open = ops_open,
	.ioctl = ops_ioctl,
	.close = ops_close,
};

/* ---- ids --------------------------------------------------------------------- */

static int id_map_set(struct id_map *map, uint32_t recorded, uint32_t id)
{
	if (recorded >= map->size) {
		uint32_t size = map->size ? map->size : 64;
		uint32_t *ids;

		while (size <= recorded && size < 1u << 31)
			size *= 2;
		ids = realloc(map->ids, size * sizeof(*ids));
		if (!ids)
			return -ENOMEM;
		memset(ids + map->size, 0, (size - map->size) * sizeof(*ids));
		map->ids = ids;
		map->size = size;
	}
	map->ids[recorded] = id;
	return 0;
}

static uint32_t id_map_get(const struct id_map *map, uint32_t recorded)
{
	uint32_t id = recorded < map->size ? map->ids[recorded] : 0;

	return id ? id : ID_NOWHERE;
}

struct bind_request {
	struct engine_ctx *ctx;
	struct replay_device *device;
};

static int bind_with(void *opaque, const struct engine_client *client)
{
	struct bind_request *request = opaque;

	return engine_device_bind(request->ctx, client, &request->device->bound,
				  &request->device->id);
}

/* The device that a recorded id means, bound when it is named first; ID_NOWHERE: none. */
static uint32_t device_of(struct replay *replay, struct replay_backend *backend,
			  uint32_t recorded_id)
{
	struct replay_device *devices;
	struct bind_request request;

	for (size_t i = 0; i < backend->devices_count; i++) {
		if (backend->devices[i].recorded_id == recorded_id)
			return backend->devices[i].id;
	}
	if (!replay->inproc || iommufd_backend_get_fd(backend->be) < 0)
		return ID_NOWHERE;
	devices = realloc(backend->devices, (backend->devices_count + 1) * sizeof(*devices));
	if (!devices)
		return ID_NOWHERE;
	backend->devices = devices;
	request.ctx = inproc_borrow_ctx(replay->inproc, iommufd_backend_get_fd(backend->be));
	request.device = &devices[backend->devices_count];
	*request.device = (struct replay_device){ .recorded_id = recorded_id };
	if (inproc_with_client(replay->inproc, bind_with, &request))
		return ID_NOWHERE;
	backend->devices_count++;
	return request.device->id;
}

static void devices_unbind(struct replay_backend *backend)
{
	while (backend->devices_count)
		engine_device_unbind(backend->devices[--backend->devices_count].bound);
}

/* ---- calls --------------------------------------------------------------------- */

/* A call that failed because its device did not exist must fail again: bind none for it. */
static uint32_t call_device(struct replay *replay, struct replay_backend *backend,
			    const struct replay_call *call)
{
	if (call->ret == -ENOENT)
		return ID_NOWHERE;
	return device_of(replay, backend, call->device_id);
}

static int make_alloc_ioas(struct replay_backend *backend, const struct replay_call *call)
{
	uint32_t id = 0;
	int ret = iommufd_backend_alloc_ioas(backend->be, &id, NULL);

	if (!ret && !call->ret)
		return id_map_set(&backend->ids, call->new_id, id);
	return ret;
}

static int make_alloc_hwpt(struct replay *replay, struct replay_backend *backend,
			   const struct replay_call *call)
{
	uint32_t id = 0;
	/* What else was asked of it was not recorded; dirty tracking costs nothing. */
	int ret = iommufd_backend_alloc_hwpt(backend->be, call_device(replay, backend, call),
					     id_map_get(&backend->ids, call->id),
					     IOMMU_HWPT_ALLOC_DIRTY_TRACKING, IOMMU_HWPT_DATA_NONE,
					     0, NULL, &id, NULL);

	if (!ret && !call->ret)
		return id_map_set(&backend->ids, call->new_id, id);
	return ret;
}

static int make_free_id(struct replay *replay, struct replay_backend *backend,
			const struct replay_call *call)
{
	iommufd_backend_free_id(backend->be, id_map_get(&backend->ids, call->id));
	if (!replay->last_err && call->id < backend->ids.size)
		backend->ids.ids[call->id] = 0;
	return replay->last_err;
}

static int make_get_dirty(struct replay_backend *backend, const struct replay_call *call)
{
	uint64_t words = call->size / PAGE_BYTES / 64 + 1;
	uint64_t *bitmap = calloc(words, sizeof(*bitmap));
	int ret;

	if (!bitmap)
		return -ENOMEM;
	ret = iommufd_backend_get_dirty_bitmap(backend->be, id_map_get(&backend->ids, call->id),
					       call->iova, call->size, PAGE_BYTES, bitmap, 0, NULL);
	free(bitmap);
	return ret;
}

static int make_call(struct replay *replay, struct replay_backend *backend,
		     const struct replay_call *call)
{
	IOMMUFDBackend *be = backend->be;
	uint32_t id = id_map_get(&backend->ids, call->id), type;
	uint64_t caps;

	switch (call->op) {
	case REPLAY_CONNECT:
		return iommufd_backend_connect(be, NULL);
	case REPLAY_DISCONNECT:
		if (iommufd_backend_get_users(be) == 1)
			devices_unbind(backend);
		iommufd_backend_disconnect(be);
		return 0;
	case REPLAY_ALLOC_IOAS:
		return make_alloc_ioas(backend, call);
	case REPLAY_FREE_ID:
		return make_free_id(replay, backend, call);
	case REPLAY_MAP:
		return iommufd_backend_map_dma(be, id, call->iova, call->size, replay->arena.first,
					       call->readonly);
	case REPLAY_MAP_FILE:
		return iommufd_backend_map_file_dma(be, id, call->iova, call->size, replay->file, 0,
						    call->readonly);
	case REPLAY_UNMAP: {
		int ret = iommufd_backend_unmap_dma(be, id, call->iova, call->size);

		return ret == -EBADF ? ret : replay->last_err;
	}
	case REPLAY_DEVICE_INFO:
		return iommufd_backend_get_device_info(be, call_device(replay, backend, call),
						       &type, NULL, 0, &caps, NULL, NULL);
	case REPLAY_ALLOC_HWPT:
		return make_alloc_hwpt(replay, backend, call);
	case REPLAY_SET_DIRTY:
		return iommufd_backend_set_dirty_tracking(be, id, call->readonly, NULL);
	case REPLAY_GET_DIRTY:
		return make_get_dirty(backend, call);
	case REPLAY_OP_COUNT:
		break;
	}
	return -EINVAL;
}

static bool needs_device(enum replay_op op)
{
	return op == REPLAY_DEVICE_INFO || op == REPLAY_ALLOC_HWPT || op == REPLAY_SET_DIRTY ||
	       op == REPLAY_GET_DIRTY;
}

/*
 * Whether call cannot be made on a device by its path, where no device is bound. Keeps
 * account of the objects that are therefore missing.
 */
static bool is_unmade(struct replay_backend *backend, const struct replay_call *call)
{
	if (needs_device(call->op)) {
		if (call->op == REPLAY_ALLOC_HWPT && !call->ret)
			id_map_set(&backend->ids, call->new_id, ID_UNMADE);
		return true;
	}
	if (call->op != REPLAY_FREE_ID || id_map_get(&backend->ids, call->id) != ID_UNMADE)
		return false;
	backend->ids.ids[call->id] = 0;
	return true;
}

static void compare(struct replay_result *result, const struct replay_call *call, int ret)
{
	bool same = call->any_errno ? !ret == !call->ret : ret == call->ret;

	result->calls++;
	result->calls_count[call->op]++;
	result->same += same;
	result->same_count[call->op] += same;
	if (same || result->differences_count == REPLAY_DIFFERENCES_MAX)
		return;
	result->differences[result->differences_count].call = call;
	result->differences[result->differences_count++].ret = ret;
}

/* ---- the run --------------------------------------------------------------------- */

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec at = {
		.tv_sec = (time_t)(at_ns / 1000000000u),
		.tv_nsec = (long)(at_ns % 1000000000u),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static int make_calls(struct replay *replay, const struct replay_call *calls, size_t count)
{
	const struct replay_options *options = replay->options;
	uint64_t begin_ns = wall_ns();

	for (size_t i = 0; i < count; i++) {
		const struct replay_call *call = &calls[i];
		struct replay_backend *backend = &replay->backends[call->backend];

		if (options->slowness_permille) {
			uint64_t since = (uint64_t)(call->begin_ns - calls[0].begin_ns);

			sleep_until(begin_ns + (uint64_t)((unsigned __int128)since *
							  options->slowness_permille / 1000));
		}
		if (options->go_on && i % 256 == 0 && !options->go_on(options->opaque, i))
			return -EINTR;
		if (!replay->inproc && is_unmade(backend, call)) {
			replay->result->unmade++;
			continue;
		}
		compare(replay->result, call, make_call(replay, backend, call));
	}
	replay->result->wall_ns = wall_ns() - begin_ns;
	return 0;
}

/* What the calls need: how much memory, how many backends, a file. */
struct needs {
	uint64_t map_bytes;
	uint64_t file_bytes;
	uint32_t backends_count;
};

static struct needs needs_of(const struct replay_call *calls, size_t count)
{
	struct needs needs = { .map_bytes = PAGE_BYTES };

	for (size_t i = 0; i < count; i++) {
		const struct replay_call *call = &calls[i];

		if (call->backend >= needs.backends_count)
			needs.backends_count = call->backend + 1;
		if (call->op == REPLAY_MAP && !call->ret && call->size > needs.map_bytes)
			needs.map_bytes = call->size;
		if (call->op == REPLAY_MAP_FILE && !call->ret && call->size > needs.file_bytes)
			needs.file_bytes = call->size;
	}
	return needs;
}

static int prepare(struct replay *replay, const struct needs *needs)
{
	struct engine_config config = { .trace = trace_of_process() };
	bool real = replay->options->device || needs->file_bytes;
	int err = 0;

	if (!replay->options->device) {
		replay->inproc =
			inproc_create(&config, real ? INPROC_MEMORY_SELF : INPROC_MEMORY_TRUSTED);
		if (!replay->inproc)
			return -ENOMEM;
	}
	if (real)
		err = arena_map(&replay->arena, needs->map_bytes);
	else
		arena_nowhere(&replay->arena, needs->map_bytes);
	if (!err && needs->file_bytes) {
		replay->file = memfd_create("ioasis-replay", MFD_CLOEXEC);
		if (replay->file < 0 || ftruncate(replay->file, (off_t)needs->file_bytes))
			err = -errno;
	}
	replay->backends = calloc(needs->backends_count + 1, sizeof(*replay->backends));
	if (!replay->backends)
		return -ENOMEM;
	replay->backends_count = needs->backends_count;
	for (uint32_t i = 0; i < needs->backends_count && !err; i++) {
		replay->backends[i].be = iommufd_backend_new(NULL);
		if (!replay->backends[i].be)
			return -ENOMEM;
		err = iommufd_backend_set_device(replay->backends[i].be, replay->options->device,
						 &replay_ops, replay);
	}
	return err;
}

static void clean_up(struct replay *replay)
{
	for (uint32_t i = 0; i < replay->backends_count; i++) {
		struct replay_backend *backend = &replay->backends[i];

		if (!backend->be)
			continue;
		devices_unbind(backend);
		while (iommufd_backend_get_users(backend->be))
			iommufd_backend_disconnect(backend->be);
		iommufd_backend_delete(backend->be, NULL);
		free(backend->ids.ids);
		free(backend->devices);
	}
	free(replay->backends);
	inproc_destroy(replay->inproc);
	arena_unmap(&replay->arena);
	if (replay->file >= 0)
		close(replay->file);
}

int replay_run(const struct replay_call *calls, size_t count, const struct replay_options *options,
	       struct replay_result *result, char error[REPLAY_ERROR_BYTES])
{
	struct replay replay = { .options = options, .result = result, .file = -1 };
	struct needs needs = needs_of(calls, count);
	int err = options->device ? device_probe(options->device, error, REPLAY_ERROR_BYTES) : 0;

	*result = (struct replay_result){ 0 };
	if (err)
		return err;
	err = prepare(&replay, &needs);
	if (!err)
		err = make_calls(&replay, calls, count);
	else
		snprintf(error, REPLAY_ERROR_BYTES, "cannot begin: %s", strerror(-err));
	clean_up(&replay);
	return err;
}
