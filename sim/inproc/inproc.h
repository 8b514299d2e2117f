/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake /dev/iommu inside this process: the backend's device operations on an
 * engine, with no file system, no second process and no system call in between.
 *
 * File descriptors are numbers of its own, from INPROC_FD_FIRST up; the lowest
 * free one is given, as the kernel does.
 *
 * Threads: everything may be called from any thread. Closing an fd while another
 * thread is in a call on it ends it after that call, as in the kernel.
 */
#ifndef IOASIS_SIM_INPROC_H
#define IOASIS_SIM_INPROC_H

#include <ioasis/iommufd_backend.h>
#include "sim/engine/engine.h"

#define INPROC_FD_FIRST (1 << 20)

struct inproc;
struct trace_identity;

enum inproc_memory {
	/*
	 * This process as it is: a bad address gives EFAULT, pages are looked up
	 * and counted, limits and capabilities are this process's.
	 */
	INPROC_MEMORY_SELF,
	/*
	 * The caller vouches for every address it passes: arguments are copied
	 * straight, every page to be mapped is there and writable, nothing is
	 * limited. Mapped addresses are plain numbers that nothing ever touches,
	 * so a simulation may use addresses that do not exist. DMA data is not kept.
	 */
	INPROC_MEMORY_TRUSTED,
};

/* Makes a device with a kernel of its own. NULL: out of memory or a bad config. */
struct inproc *inproc_create(const struct engine_config *config, enum inproc_memory memory);

/* Closes what is still open and ends it. */
void inproc_destroy(struct inproc *inproc);

/* The device operations; opaque is the struct inproc. */
extern const IOMMUFDDeviceOps inproc_device_ops;

/* The three of them, as the system calls: -1 with errno set on failure. */
int inproc_open(struct inproc *inproc);
int inproc_ioctl(struct inproc *inproc, int fd, unsigned long request, void *arg);
int inproc_close(struct inproc *inproc, int fd);

/*
 * The open file behind fd, for engine_device_bind() and engine_ctx_visit();
 * NULL when fd is not open. Borrowed: valid until fd is closed.
 */
struct engine_ctx *inproc_borrow_ctx(struct inproc *inproc, int fd);

/*
 * Runs use(opaque, client) with the client that a call of this thread would have,
 * for engine calls that are not ioctls. Returns what use returns.
 */
int inproc_with_client(struct inproc *inproc,
		       int (*use)(void *opaque, const struct engine_client *client), void *opaque);

/*
 * Calls are those of *caller from now on, in the trace and for the engine: for a simulation whose
 * one thread stands for many. Borrowed; it may change between calls. TRUSTED memory only.
 */
void inproc_call_as(struct inproc *inproc, const struct trace_identity *caller);

#endif
