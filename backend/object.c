/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend object: its life, its fd, its users. Every event of connect and
 * disconnect is emitted under the lock, so the trace has them in the order in
 * which the count changed.
 */
#include "backend/object.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/error_echo.h"
#include "backend/live.h"
#include "backend/trace.h"

static int system_open(void *opaque, const char *path, int flags)
{
	(void)opaque;
	return open(path, flags);
}

static int system_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	(void)opaque;
	return ioctl(fd, request, arg);
}

static int system_close(void *opaque, int fd)
{
	(void)opaque;
	return close(fd);
}

static void *system_mmap(void *opaque, int fd, uint64_t size, uint64_t offset)
{
	(void)opaque;
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
}

const IOMMUFDDeviceOps backend_system_ops = {
	.open = system_open,
	.ioctl = system_ioctl,
	.close = system_close,
	.mmap = system_mmap,
};

int backend_ioctl(IOMMUFDBackend *be, int fd, unsigned long request, void *arg)
{
	int saved = errno;
	int ret = be->ops->ioctl(be->ops_opaque, fd, request, arg);

	if (ret < 0)
		ret = -errno;
	errno = saved;
	return ret;
}

int backend_mmap(IOMMUFDBackend *be, int fd, uint64_t size, uint64_t offset, void **memory)
{
	int saved = errno;
	void *mapped;
	int ret = 0;

	if (!be->ops->mmap)
		return -ENODEV;
	mapped = be->ops->mmap(be->ops_opaque, fd, size, offset);
	if (mapped == MAP_FAILED)
		ret = -errno;
	else
		*memory = mapped;
	errno = saved;
	return ret;
}

void backend_report(IOMMUFDBackend *be, IOMMUFDReport level, const char *fmt, ...)
{
	int saved = errno;
	IOMMUFDReportFn report;
	void *opaque;
	va_list args;
	char *message;

	pthread_mutex_lock(&be->lock);
	report = be->report;
	opaque = be->report_opaque;
	pthread_mutex_unlock(&be->lock);
	if (!report)
		return;
	va_start(args, fmt);
	if (vasprintf(&message, fmt, args) < 0)
		message = NULL;
	va_end(args);
	report(opaque, level, message ? message : fmt);
	free(message);
	errno = saved;
}

void backend_fd_set(IOMMUFDBackend *be, int fd)
{
	__atomic_store_n(&be->fd, fd, __ATOMIC_RELAXED);
}

/* Closes the fd if there is one and it is the backend's own. */
static void backend_fd_close(IOMMUFDBackend *be)
{
	int saved = errno;

	if (be->owned && be->fd >= 0) {
		be->ops->close(be->ops_opaque, be->fd);
		backend_fd_set(be, -1);
	}
	errno = saved;
}

const char *backend_path(const IOMMUFDBackend *be)
{
	const char *path = be->path ? be->path : secure_getenv("IOASIS_DEVICE");

	return path && *path ? path : BACKEND_DEFAULT_PATH;
}

/* "backend i0" or "the backend": what messages call it. */
static const char *backend_name(const IOMMUFDBackend *be, char *buf, size_t size)
{
	if (!be->id)
		return "the backend";
	snprintf(buf, size, "backend %s", be->id);
	return buf;
}

IOMMUFDBackend *iommufd_backend_new(const char *id)
{
	IOMMUFDBackend *be = calloc(1, sizeof(*be));

	if (!be)
		return NULL;
	if (id) {
		be->id = strdup(id);
		if (!be->id) {
			free(be);
			return NULL;
		}
	}
	pthread_mutex_init(&be->lock, NULL);
	be->fd = -1;
	be->owned = true;
	be->ops = &backend_system_ops;
	state_backend_add(be);
	return be;
}

int iommufd_backend_delete(IOMMUFDBackend *be, Error **errp)
{
	char name[64];

	if (!be)
		return 0;
	if (!iommufd_backend_can_be_deleted(be)) {
		error_setg(errp, "%s is in use (users: %u), it cannot be deleted",
			   backend_name(be, name, sizeof(name)), iommufd_backend_get_users(be));
		return -EBUSY;
	}
	state_backend_remove(be);
	backend_fd_close(be);
	pthread_mutex_destroy(&be->lock);
	free(be->path);
	free(be->id);
	free(be);
	return 0;
}

bool iommufd_backend_can_be_deleted(IOMMUFDBackend *be)
{
	return iommufd_backend_get_users(be) == 0;
}

/* The number in str, or -EINVAL: all digits, at most INT_MAX. */
static int fd_parse(const char *str)
{
	char *end;
	long fd;

	if (!isdigit((unsigned char)*str))
		return -EINVAL;
	errno = 0;
	fd = strtol(str, &end, 10);
	return *end || errno || fd > INT_MAX ? -EINVAL : (int)fd;
}

static int fd_look_up(IOMMUFDBackend *be, const char *name)
{
	IOMMUFDFdLookupFn lookup;
	void *opaque;

	pthread_mutex_lock(&be->lock);
	lookup = be->fd_lookup;
	opaque = be->fd_lookup_opaque;
	pthread_mutex_unlock(&be->lock);
	return lookup ? lookup(opaque, name) : -1;
}

/* The fd that str means, or -errno with *errp set. */
static int fd_resolve(IOMMUFDBackend *be, const char *str, Error **errp)
{
	int fd = fd_parse(str);

	if (fd >= 0) {
		if (be->ops == &backend_system_ops && fcntl(fd, F_GETFD) < 0) {
			error_setg(errp, "fd '%s' is not open in this process",
				   error_echo(str).text);
			return -EBADF;
		}
		return fd;
	}
	if (isdigit((unsigned char)*str) || !*str || *str == '-') {
		error_setg(errp, "fd '%s' is not a number from 0 to %d", error_echo(str).text,
			   INT_MAX);
		return -EINVAL;
	}
	fd = fd_look_up(be, str);
	if (fd < 0) {
		error_setg(errp, "fd '%s' is neither a number nor the name of an fd handed in",
			   error_echo(str).text);
		return -EINVAL;
	}
	return fd;
}

static void trace_set_fd(IOMMUFDBackend *be, int fd)
{
	trace_emit(be->trace, iommufd_backend, set_fd, trace_number(be->trace, TRACE_NUMBER_CALL),
		   be->number, fd);
}

int iommufd_backend_set_fd(IOMMUFDBackend *be, const char *str, Error **errp)
{
	int saved = errno;
	int fd = fd_resolve(be, str, errp);
	int ret = fd < 0 ? fd : 0;
	char name[64];

	pthread_mutex_lock(&be->lock);
	if (ret)
		goto out_unlock;
	if (be->users) {
		error_setg(errp, "%s is in use (users: %u), its fd cannot be set",
			   backend_name(be, name, sizeof(name)), be->users);
		ret = -EBUSY;
		goto out_unlock;
	}
	backend_fd_close(be);
	backend_fd_set(be, fd);
	be->owned = false;
	if (backend_traced(be))
		trace_set_fd(be, fd);
out_unlock:
	pthread_mutex_unlock(&be->lock);
	errno = saved;
	return ret;
}

int iommufd_backend_set_device(IOMMUFDBackend *be, const char *path, const IOMMUFDDeviceOps *ops,
			       void *opaque)
{
	char *copy = NULL;
	int ret = 0;

	if (path) {
		copy = strdup(path);
		if (!copy)
			return -ENOMEM;
	}
	pthread_mutex_lock(&be->lock);
	if (be->users) {
		ret = -EBUSY;
	} else {
		char *old = be->path;

		be->path = copy;
		be->ops = ops ? ops : &backend_system_ops;
		be->ops_opaque = opaque;
		copy = old;
	}
	pthread_mutex_unlock(&be->lock);
	free(copy);
	return ret;
}

void iommufd_backend_set_report_hook(IOMMUFDBackend *be, IOMMUFDReportFn hook, void *opaque)
{
	pthread_mutex_lock(&be->lock);
	be->report_opaque = opaque;
	be->report = hook;
	pthread_mutex_unlock(&be->lock);
}

void iommufd_backend_set_fd_lookup(IOMMUFDBackend *be, IOMMUFDFdLookupFn lookup, void *opaque)
{
	pthread_mutex_lock(&be->lock);
	be->fd_lookup_opaque = opaque;
	be->fd_lookup = lookup;
	pthread_mutex_unlock(&be->lock);
}

int iommufd_backend_get_fd(IOMMUFDBackend *be)
{
	return backend_fd(be);
}

bool iommufd_backend_is_owned(IOMMUFDBackend *be)
{
	bool owned;

	pthread_mutex_lock(&be->lock);
	owned = be->owned;
	pthread_mutex_unlock(&be->lock);
	return owned;
}

uint32_t iommufd_backend_get_users(IOMMUFDBackend *be)
{
	uint32_t users;

	pthread_mutex_lock(&be->lock);
	users = be->users;
	pthread_mutex_unlock(&be->lock);
	return users;
}

const char *iommufd_backend_get_id(IOMMUFDBackend *be)
{
	return be->id;
}

/*
 * Takes the fd that the old process left, or else opens the device. 0 or -errno with *errp set.
 * Wants the lock.
 */
static int backend_open(IOMMUFDBackend *be, Error **errp)
{
	const char *path = backend_path(be);
	int fd = backend_cpr_find(be);

	if (fd < 0) {
		fd = be->ops->open(be->ops_opaque, path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			int ret = -errno;

			error_setg_errno(errp, -ret, "opening %s failed", error_echo(path).text);
			return ret;
		}
		backend_fd_set(be, fd);
		backend_cpr_save(be);
	}
	backend_fd_set(be, fd);
	return 0;
}

static void trace_connect_begin(struct backend_call *call)
{
	if (call_begins(call, connect))
		call_emit(call, connect_begin, call->op_id, call->be->number, call_tid(call));
}

static void trace_connect(const struct backend_call *call, int ret)
{
	const IOMMUFDBackend *be = call->be;

	if (call->op_id)
		call_emit(call, connect, call->op_id, be->number, be->fd, be->owned, be->users,
			  ret);
}

int iommufd_backend_connect(IOMMUFDBackend *be, Error **errp)
{
	struct backend_call call = backend_call_of(be);
	int saved = errno;
	int ret = 0;

	if (backend_traced(be))
		trace_connect_begin(&call);
	pthread_mutex_lock(&be->lock);
	if (be->users == UINT32_MAX) {
		error_setg(errp, "too many connections");
		ret = -E2BIG;
	} else if (be->owned && !be->users) {
		ret = backend_open(be, errp);
	}
	if (!ret)
		be->users++;
	if (backend_traced(be))
		trace_connect(&call, ret);
	pthread_mutex_unlock(&be->lock);
	errno = saved;
	return ret;
}

static void trace_disconnect_begin(struct backend_call *call)
{
	if (call_begins(call, disconnect))
		call_emit(call, disconnect_begin, call->op_id, call->be->number, call_tid(call));
}

static void trace_disconnect(const struct backend_call *call, int ret)
{
	const IOMMUFDBackend *be = call->be;
	struct backend_live *live = call_live_lock(call);

	if (live && be->fd < 0)
		backend_live_clear(live);
	if (call->op_id)
		call_emit(call, disconnect, call->op_id, be->number, be->fd, be->users, ret);
	backend_live_unlock(live);
}

void iommufd_backend_disconnect(IOMMUFDBackend *be)
{
	struct backend_call call = backend_call_of(be);
	int ret = 0;

	if (backend_traced(be))
		trace_disconnect_begin(&call);
	pthread_mutex_lock(&be->lock);
	if (!be->users) {
		ret = -ENOTCONN;
	} else if (!--be->users && be->owned) {
		backend_cpr_forget(be);
		backend_fd_close(be);
	}
	if (backend_traced(be))
		trace_disconnect(&call, ret);
	pthread_mutex_unlock(&be->lock);
}
