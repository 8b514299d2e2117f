/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/internal.h"
#include "sim/fuse/asker.h"
#include "sim/fuse/inject.h"
#include "sim/fuse/mount.h"
#include "sim/where/where.h"
#include "tracepoints/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A question of our own process about an open file; others get ENOTTY as for any number. */
#define ASK_TOKEN _IOR(0xfa, 0xa5, uint64_t)

/* ---- the client's operations, which end with the request ------------------------- */

static const struct fuse_call *to_call(const struct engine_client *client)
{
	return (const struct fuse_call *)client;
}

static bool is_gone(const struct engine_client *client)
{
	return fuse_request_abandoned(to_call(client)->request);
}

static int call_copy_in(const struct engine_client *client, void *dst, uint64_t src, size_t len)
{
	return is_gone(client) ? -EFAULT : process_client_ops.copy_in(client, dst, src, len);
}

static int call_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
			 size_t len)
{
	return is_gone(client) ? -EFAULT : process_client_ops.copy_out(client, dst, src, len);
}

static ssize_t call_copy_in_some(const struct engine_client *client, void *dst, uint64_t src,
				 size_t len)
{
	return is_gone(client) ? -EFAULT
			       : process_client_ops.copy_in_some(client, dst, src, len);
}

static bool call_capable(const struct engine_client *client, enum engine_cap cap)
{
	return !is_gone(client) && process_client_ops.capable(client, cap);
}

static uint64_t call_memlock_limit(const struct engine_client *client)
{
	return is_gone(client) ? 0 : process_client_ops.memlock_limit(client);
}

static struct engine_mm *call_mm_get(const struct engine_client *client)
{
	return is_gone(client) ? NULL : process_client_ops.mm_get(client);
}

static struct engine_file *call_file_get(const struct engine_client *client, int fd, int *err)
{
	if (!is_gone(client))
		return process_client_ops.file_get(client, fd, err);
	*err = -EBADF;
	return NULL;
}

static void call_identify(const struct engine_client *client, struct trace_identity *identity)
{
	process_client_ops.identify(client, identity);
}

/* No fd_install: FUSE cannot put a file into the caller. */
static const struct engine_client_ops call_ops = {
	.identify = call_identify,
	.copy_in = call_copy_in,
	.copy_out = call_copy_out,
	.copy_in_some = call_copy_in_some,
	.capable = call_capable,
	.memlock_limit = call_memlock_limit,
	.mm_get = call_mm_get,
	.file_get = call_file_get,
};

int fuse_call_init(struct fuse_call *call, struct fuse_device *device,
		   const struct fuse_request *request)
{
	const struct fuse_in_header *in = request->in;
	int err;

	err = process_client_init(&call->pc, device->processes, &call_ops, in->pid, in->uid);
	if (err) {
		/* Forbidden, or in a pid namespace from where it has no number here. */
		if (device->config.refused && (err == -EACCES || err == -EPERM || !in->pid))
			device->config.refused(device->config.opaque, in->pid);
		return err;
	}
	call->request = request;
	if (device->config.fail_nth)
		call->pc.client.fail_nth = device->config.fail_nth(device->config.opaque, in->pid);
	return 0;
}

void fuse_call_fini(struct fuse_call *call)
{
	process_client_fini(&call->pc);
}

/* An argument of the caller. */
struct argument {
	const struct engine_client *client;
	uint64_t address;
};

static bool read_argument(void *opaque, void *to, size_t offset, size_t bytes)
{
	const struct argument *argument = opaque;
	uint64_t address;

	return !__builtin_add_overflow(argument->address, offset, &address) &&
	       !argument->client->ops->copy_in(argument->client, to, address, bytes);
}

int fuse_call_intercept(void *opaque, const struct engine_client *client, unsigned int nr,
			uint64_t arg)
{
	struct fuse_device *device = opaque;
	struct argument argument = { client, arg };
	struct inject_call call = { .pid = client->pid, .tid = client->tid };
	char name[PROCESS_NAME_BYTES];
	uint64_t delay_ns;
	int err;

	if (inject_wants_name(device->config.inject)) {
		process_table_name(device->processes, client->pid, name, sizeof(name));
		call.name = name;
	}
	inject_read_arguments(device->config.inject, nr, &call, read_argument, &argument);
	err = inject_decide(device->config.inject, nr, &call, &delay_ns);
	if (!delay_ns)
		return err;
	if (client->ops == &call_ops) {
		fuse_request_sleep_ns(to_call(client)->request, delay_ns);
	} else {
		struct timespec delay = {
			.tv_sec = (time_t)(delay_ns / 1000000000u),
			.tv_nsec = (long)(delay_ns % 1000000000u),
		};

		nanosleep(&delay, NULL);
	}
	return err;
}

/* ---- where a call was made ------------------------------------------------------- */

void fuse_device_where(struct fuse_device *device, struct process_client *pc, unsigned int cmd)
{
	struct where *where = device->config.where;
	bool traced;

	if (!where)
		return;
	traced = trace_on(device->config.engine.trace, iommufd_dev, where);
	if (!traced && (cmd == IOMMU_IOAS_UNMAP || cmd == IOMMU_DESTROY))
		return; /* they make nothing, and come as often as what does */
	pc->client.stack = where_capture(where, process_client_serial(pc), pc->client.pid,
					 pc->client.tid);
	if (traced)
		pc->client.where = where_text(where, pc->client.stack);
}

/* ---- ioctl ----------------------------------------------------------------------- */

static void reply_ioctl(const struct fuse_request *request, long result, const void *data,
			size_t size)
{
	struct {
		struct fuse_ioctl_out out;
		uint64_t token;
	} answer = { .out.result = (int32_t)result };

	/*
	 * FUSE asks some numbers itself (FS_IOC_GETFLAGS) and takes an answer that is shorter
	 * than it wanted for EIO; an error alone is fine for all.
	 */
	if (result == -ENOTTY) {
		fuse_request_reply(request, -ENOTTY, NULL, 0);
		return;
	}
	if (size)
		memcpy(&answer.token, data, size);
	fuse_request_reply(request, 0, &answer, sizeof(answer.out) + size);
}

/* Whether the thread is one of this process. */
static bool is_ours(uint32_t tid)
{
	return !syscall(SYS_tgkill, getpid(), tid, 0);
}

static long run_call(struct fuse_device *device, const struct fuse_request *request,
		     const struct fuse_call_file *file)
{
	const struct fuse_ioctl_in *in = request->arg;
	struct fuse_user *user;
	struct fuse_call call;
	long result;

	/* The kernel's device has no compat_ioctl for 32-bit programs on a 64-bit kernel. */
	if (in->flags & FUSE_IOCTL_COMPAT)
		return -ENOTTY;
	if (request->must_not_wait)
		return -ENOMEM;
	user = fuse_users_get(&device->users, request->in->uid);
	if (!user || !fuse_user_take_call(&device->users, user))
		return -ENOMEM;
	result = fuse_call_init(&call, device, request);
	if (result)
		goto out;
	if (device->config.offer && in->cmd == device->config.offer_cmd) {
		result = device->config.offer(device->config.opaque, &call.pc, in + 1,
					      request->arg_bytes - sizeof(*in));
	} else {
		fuse_device_where(device, &call.pc, in->cmd);
		result = file->ioctl(file->opaque, &call.pc.client, in->cmd, in->arg);
	}
	fuse_call_fini(&call);
out:
	fuse_user_give_call(user);
	return result;
}

void fuse_call_ioctl(struct fuse_device *device, const struct fuse_request *request,
		     const struct fuse_call_file *file)
{
	const struct fuse_ioctl_in *in = request->arg;
	long result;

	if (file->token && in->cmd == ASK_TOKEN && is_ours(request->in->pid)) {
		file->put(file->opaque);
		reply_ioctl(request, 0, &file->token, sizeof(file->token));
		return;
	}
	result = run_call(device, request, file);
	file->put(file->opaque);
	reply_ioctl(request, result, NULL, 0);
}

uint64_t fuse_call_ask(struct fuse_device *device, int fd)
{
	uint64_t token = 0;

	return fuse_asker_ioctl(device->asker, fd, ASK_TOKEN, &token) ? 0 : token;
}

int fuse_call_first_look(struct fuse_device *device, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fuse_asker_sync(device->asker, fd);
	close(fd);
	return err;
}

void fuse_call_fill_attr(struct fuse_device *device, uint64_t node, uint32_t mode,
			 struct fuse_attr *attr)
{
	uint64_t seconds = device->made_ns / 1000000000u;
	uint32_t ns = (uint32_t)(device->made_ns % 1000000000u);

	*attr = (struct fuse_attr){
		.ino = node,
		.atime = seconds,
		.mtime = seconds,
		.ctime = seconds,
		.atimensec = ns,
		.mtimensec = ns,
		.ctimensec = ns,
		.mode = mode,
		.nlink = 1,
		.uid = getuid(),
		.gid = getgid(),
		.blksize = ENGINE_PAGE_SIZE,
	};
}
