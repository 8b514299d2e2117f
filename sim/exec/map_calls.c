/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/map_calls.h"
#include "sim/exec/map_bar.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

struct map_call {
	uint64_t length; /* bytes, whole pages */
	int prot;
	int flags;
	uint64_t offset;
};

/* Whether the kernel comes as far as asking the file (mm/mmap.c, do_mmap()). */
static bool reaches_file(const struct map_call *call, int mode)
{
	bool writable = mode == O_RDWR || mode == O_WRONLY;
	bool readable = mode == O_RDWR || mode == O_RDONLY;

	if (!call->length || call->offset % ENGINE_PAGE_SIZE || call->flags & MAP_HUGETLB)
		return false;
	switch (call->flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (call->flags & MAP_SYNC)
			return false;
		/* fallthrough */
	case MAP_SHARED:
		return readable && (writable || !(call->prot & PROT_WRITE));
	case MAP_PRIVATE:
		return readable;
	default:
		return false;
	}
}

/* What mmap() of fd, a file on the device's file system, is to give; 0: let it go on. */
static int ask(struct fuse_device *device, int fd, const struct map_call *call)
{
	int mode = fcntl(fd, F_GETFL), rc = 0;
	struct engine_ctx *ctx;

	if (mode < 0 || !reaches_file(call, mode & O_ACCMODE))
		return 0;
	ctx = fuse_device_ctx_get(device, fd);
	if (!ctx)
		return 0;
	/* A file that cannot be written gives no mapping that others share. */
	rc = fuse_device_mmap(device, ctx, call->offset, call->length,
			      (call->flags & MAP_TYPE) != MAP_PRIVATE &&
				      (mode & O_ACCMODE) == O_RDWR,
			      call->prot & PROT_EXEC);
	fuse_device_ctx_put(device, ctx);
	/* After an open with O_TRUNC the kernel takes the file for empty until it asks again. */
	if (!rc)
		fuse_device_refresh(device, fd);
	return rc;
}

/*
 * mmap() of a VFIO device's file. True: it was one, and the call is answered; fd is closed
 * then, before the caller goes on: its close() is to be the last one. Nothing is held while
 * the caller is traced.
 */
static bool answer_bar(struct fuse_device *device, const struct caller *caller, int fd,
		       const struct map_call *call)
{
	bool shared = (call->flags & MAP_TYPE) != MAP_PRIVATE;
	int mode = fcntl(fd, F_GETFL), memfd = -1, rc;
	uint64_t offset = 0;
	struct fuse_open *open;

	if (mode < 0 || !reaches_file(call, mode & O_ACCMODE))
		return false;
	open = fuse_device_open_get(device, fd);
	if (!open) {
		struct engine_anon_file *file = fuse_device_anon_borrow(device, fd);

		/* A dma-buf: no exporter of ours has mmap (dma_buf_mmap_internal()). */
		if (!file || !engine_anon_file_size(file))
			return false;
		close(fd);
		caller_answer(caller, -EINVAL);
		return true;
	}
	rc = fuse_device_open_mmap(open, call->offset, call->length, shared, &memfd, &offset);
	fuse_device_open_put(open);
	if (rc == -ENOTTY)
		return false;
	close(fd);
	if (!rc) {
		rc = map_bar(caller, memfd, offset);
		close(memfd);
		if (!rc)
			return true;
	}
	caller_answer(caller, rc);
	return true;
}

void map_call_answer(struct fuse_device *device, const struct caller *caller)
{
	const __u64 *args = caller->notif->data.args;
	const struct map_call call = {
		.length = (args[1] + ENGINE_PAGE_SIZE - 1) & ~(uint64_t)(ENGINE_PAGE_SIZE - 1),
		.prot = (int)args[2],
		.flags = (int)args[3],
		.offset = args[5],
	};
	int fd = caller_dup_fd(caller, (int)args[4]), rc = 0;

	if (fd >= 0) {
		if (answer_bar(device, caller, fd, &call))
			return;
		if (fuse_device_owns_fd(device, fd))
			rc = ask(device, fd, &call);
		close(fd);
	}
	if (rc)
		caller_answer(caller, rc);
	else
		caller_continue(caller);
}
