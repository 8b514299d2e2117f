/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a backend, for backend/ and its tests only.
 *
 * `lock` guards users, owned, the hooks, and the opening and closing of fd. The
 * calls read fd without it: whoever calls is connected, so fd cannot change
 * meanwhile. path and ops change only while there are no users.
 */
#ifndef IOASIS_BACKEND_OBJECT_H
#define IOASIS_BACKEND_OBJECT_H

#include <pthread.h>

#include <ioasis/iommufd_backend.h>

#define BACKEND_DEFAULT_PATH "/dev/iommu"

struct backend_live;
struct trace;

struct IOMMUFDBackend {
	pthread_mutex_t lock;
	int fd;		 /* -1: none; changed under lock with __atomic builtins */
	bool owned;	 /* the backend opens and closes fd */
	uint32_t users;	 /* connections */
	uint32_t number; /* names it in its trace: 1, 2, ... */

	char *id;   /* owned; may be NULL */
	char *path; /* owned; NULL: $IOASIS_DEVICE or BACKEND_DEFAULT_PATH */
	const IOMMUFDDeviceOps *ops;
	void *ops_opaque;
	IOMMUFDReportFn report; /* may be NULL */
	void *report_opaque;
	IOMMUFDFdLookupFn fd_lookup; /* may be NULL */
	void *fd_lookup_opaque;
	const IOMMUFDCprOps *cpr; /* may be NULL; changes only while there are no users */
	void *cpr_opaque;

	struct trace *trace;	   /* where its events go; NULL: nowhere. Borrowed */
	struct backend_live *live; /* what lives, for the state dump; NULL: not remembered */
	IOMMUFDBackend *next;	   /* all backends of the process: backend/state.c */
};

/* Reaches the device by system calls. */
extern const IOMMUFDDeviceOps backend_system_ops;

static inline int backend_fd(const IOMMUFDBackend *be)
{
	return __atomic_load_n(&be->fd, __ATOMIC_RELAXED);
}

/* One ioctl: 0 or positive, or -errno, taken before anything can change errno. */
int backend_ioctl(IOMMUFDBackend *be, int fd, unsigned long request, void *arg);

/* Maps memory of the device: 0, or -errno and *memory as it was. */
int backend_mmap(IOMMUFDBackend *be, int fd, uint64_t size, uint64_t offset, void **memory);

/* Where the device is. */
const char *backend_path(const IOMMUFDBackend *be);

/* Changes the fd. Wants the lock. */
void backend_fd_set(IOMMUFDBackend *be, int fd);

/* Whether this process takes over from another: backend/cpr.c, as the next three. */
bool backend_cpr_incoming(const IOMMUFDBackend *be);
int backend_cpr_find(const IOMMUFDBackend *be);
void backend_cpr_save(const IOMMUFDBackend *be);
void backend_cpr_forget(const IOMMUFDBackend *be);

/* Says something to the hook, with the reason of `error` (a positive errno) in it. */
void backend_report(IOMMUFDBackend *be, IOMMUFDReport level, const char *fmt, ...)
	IOASIS_PRINTF(3, 4);

#endif
